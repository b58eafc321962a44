"""A bench without a meter behind it: the world, the chips that the calls touch, a toy firmware."""

import asyncio
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "boards" / "sim", ROOT / ".venv" / "upylib"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

pytest.importorskip("microdot", reason="`make setup` puts microdot into .venv/upylib")

import timeline
from devices.ds3231 import Ds3231
from devices.key import Key
from devices.led import Led
from devices.piezo import Piezo
from devices.st7567 import St7567
from faceplate import api
from faceplate.bench import Bench
from leap import Leap
from power import Supply
from world import World


class Content:
    def __init__(self, size):
        self.data = bytearray(size)

    def read(self, offset, n):
        return bytes(self.data[offset : offset + n])

    def write(self, offset, data):
        self.data[offset : offset + len(data)] = data


class Processor:
    """A processor whose firmware runs, or does not."""

    def __init__(self, supply):
        self.supply = supply
        self.state = "running"
        self.error = ""
        self.boots = 1
        self.main = None

    def module(self, name):
        return self.main if name == "main" else None

    def uptime_s(self):
        return 7


class Thing:
    """An object with the given attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def metrology():
    """Figures of a meter, each different from all others."""
    quantities = Thing(
        phases=3,
        elements=3,
        u_uv=[230_000_001, 231_000_002, 232_000_003],
        i_ua=[5_000_001, 6_000_002, 7_000_003],
        in_ua=1_234_567,
        p_uw=[-1_000_001, 2_000_002, 3_000_003],
        q_uvar=[11_000_001, -12_000_002, 13_000_003],
        s_uva=[21_000_001, 22_000_002, 23_000_003],
        pf_ppm=[-500_000, 866_025, 1_000_000],
        f_uhz=49_987_654,
        thd_u_ppm=[10_000, 20_000, 30_000],
        thd_i_ppm=[123_456, 0, 1],
        p_total_uw=4_000_004,
        q_total_uvar=12_000_002,
        s_total_uva=12_649_111,
    )
    energies = Thing(wh=list(range(100, 112)), residue=[1_800_000_000] * 12, element_uws=[])
    return Thing(quantities=quantities, energies=energies, windows=3, frames=99)


def make_bench():
    """Build a bench at time 0 whose firmware is not running."""
    timeline.reset()
    world = World("3ph")
    supply = Supply()
    world.attach_supply(supply)
    processor = Processor(supply)
    clock = Ds3231(Content(64), timeline.now)
    clock.set_utc_s(0)
    chips = {
        "rtc": clock,
        "lcd": St7567(),
        "led_active": Led(timeline.now),
        "led_reactive": Led(timeline.now),
        "pulse_output": Led(timeline.now),
        "sounder": Piezo(timeline.now),
    }
    for number in range(1, 6):
        chips[f"pulse_output{number}"] = Led(timeline.now)
    for name in ("scroll", "reset"):
        world.keys[name] = Key(timeline.now, timeline.at, 0)
    return Bench(world, Leap(world, "auto"), processor, chips, {}, str(ROOT))


def boot(bench):
    variant = Thing(
        phases=3,
        pulses_per_kwh=1000,
        nominal_voltage_v=230,
        reference_current_ma=5000,
        maximum_current_ma=120_000,
    )
    bench.processor.main = Thing(
        meter=Thing(
            engine=metrology(),
            clock=Thing(utc_s=lambda: 86_400 * 366 + 1),
            board=Thing(variant=variant, frames=Thing(lost=0, errors=0)),
            identification=Thing(serial_number=lambda: b"00000042"),
            supervisor=Thing(restarts=lambda: 2, feeds=5, silent=list, tasks=[]),
            outages=Thing(failures=3, reclosings=2, resets=1, battery_s=40),
            problems=[],
            events=Thing(posted=9),
            channels=[channel(0), channel(2)],
            server=Thing(associations=lambda: 4),
        )
    )


def channel(state):
    """A channel whose association is in this state."""
    return Thing(association=Thing(state=state))


def post(bench, path, body):
    answer = api.POST[path](bench, body)
    if asyncio.iscoroutine(answer):
        answer = asyncio.run(answer)
    return answer
