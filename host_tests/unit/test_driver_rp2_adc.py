"""The RP2's own ADC as a frame source, on its model: FIFO, DMA, linearity, skew."""

import asyncio
import math
import sys
from array import array
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import chip_bus  # noqa: F401 - puts the models on the path
import rp2_double
from devices.rp2_adc import Rp2Adc as Model
from devices.rp2_adc import Transfer
from test_driver_ads131m0x import Flag

rp2_double.install()

from drivers import rp2_adc, rp2_dma_ring
from metrology import linearity
from metrology.calibration import Calibration
from metrology.engine import Engine

BASE = 0x4004C000
BASE_RP2350 = 0x400A0000
EVEN = Transfer(1, 0.0, 0.0, 0.0)
EVEN.edges = [float(k) for k in range(4096)]


def by_input(number, _time_s):
    """Input n stands at code 1000 (n + 1) + 0.5."""
    return (1000 * (number + 1) + 0.5) * 3.3 / 4096


class Rig:
    def __init__(self, monkeypatch, volts=by_input, transfer=EVEN, table=None, **options):
        self.memory, self.dma = rp2_double.install()
        monkeypatch.setattr(rp2_dma_ring.uctypes, "addressof", self.memory.addressof)
        monkeypatch.setattr(asyncio, "ThreadSafeFlag", Flag, raising=False)
        monkeypatch.setattr(rp2_adc, "time", type("T", (), {"sleep_us": staticmethod(id)}))
        noise = options.pop("noise", 0)
        new = options.get("rp2350", False)
        self.base = BASE_RP2350 if new else BASE
        self.model = Model(volts, transfer, noise, inputs=9 if new else 5)
        self.memory.reads[self.base + 0x0C] = lambda: self.model.read(0x0C)
        self.model.request = lambda: self.dma.request(48 if new else 36)
        self.timer = rp2_double.Timer()
        options.setdefault("inputs", [0, 1, 2])
        options.setdefault("roles", [0, 1, 2])
        self.driver = rp2_adc.Rp2Adc(
            self,
            self.timer,
            table=linearity.codes_table(None) if table is None else table,
            **options,
        )
        self.frames = array("i", [0] * (64 * self.driver.channels))

    # machine.mem32
    def __getitem__(self, address):
        return self.model.read(address - self.base)

    def __setitem__(self, address, value):
        assert value < 1 << 30, "this would allocate"
        self.model.write(address - self.base, value)

    def run(self, frames):
        self.model.run(frames * self.driver._clocks * len(self.driver._inputs))

    def take(self, limit=64):
        count = self.driver.take(self.frames, limit)
        words = self.driver.channels
        return [list(self.frames[k * words : (k + 1) * words]) for k in range(count)]

    def drain(self):
        found = []
        while frames := self.take():
            found.extend(frames)
        return found


def word(code):
    return (code - 2048) * 4096


def test_inputs_come_in_their_roles(monkeypatch):
    rig = Rig(monkeypatch, inputs=[0, 1, 3], roles=[2, 0, 1])
    rig.driver.start()
    assert rig.take() == []
    rig.run(100)
    frames = rig.drain()
    assert len(frames) == 100
    assert {tuple(frame) for frame in frames} == {(word(4000), word(1000), word(2000))}
    assert (rig.driver.lost, rig.driver.errors, rig.driver.restarts) == (0, 0, 0)


def test_one_input_and_shared_voltage(monkeypatch):
    rig = Rig(monkeypatch, inputs=[2], roles=[0])
    rig.driver.start()
    rig.run(5)
    assert rig.drain() == [[word(3000)]] * 5
    rig = Rig(monkeypatch, inputs=[0, 1, 2, 3], roles=[0, 1, 0, 2, 0, 3])
    rig.driver.start()
    rig.run(2)
    u, first, second, third = (word(1000 * k) for k in (1, 2, 3, 4))
    assert rig.drain() == [[u, first, u, second, u, third]] * 2


def test_eight_inputs_of_the_large_package(monkeypatch):
    volts = lambda number, _s: (400 * (number + 1) + 0.5) * 3.3 / 4096  # noqa: E731
    rig = Rig(monkeypatch, volts, inputs=list(range(8)), roles=[7, 0, 6, 1, 5, 2, 4], rp2350=True)
    rig.driver.start()
    rig.run(3)
    order = [7, 0, 6, 1, 5, 2, 4]
    assert rig.drain() == [[word(400 * (k + 1)) for k in order]] * 3


@pytest.mark.parametrize(
    ("inputs", "wish", "got"), [(3, 4000, 4_000_000), (4, 4000, 4_000_000), (3, 7000, 7_002_188)]
)
def test_rate_is_what_the_divider_makes(monkeypatch, inputs, wish, got):
    rig = Rig(monkeypatch, inputs=list(range(inputs)), roles=[0], rate_hz=wish)
    assert rig.driver.rate_mhz == got
    rig.driver.start()
    rig.model.run(2_400_000)  # 0.05 s
    assert len(rig.drain()) == got // 20_000


@pytest.mark.parametrize(
    "options",
    [
        {"inputs": [1, 0]},
        {"inputs": [0, 0]},
        {"inputs": []},
        {"inputs": [0, 4]},
        {"inputs": [-1]},
        {"roles": []},
        {"roles": [3]},
        {"roles": [-1]},
        {"rate_hz": 0},
        {"rate_hz": 200_000},
        {"rate_hz": 200},
        {"table": array("i", [0] * 4095)},
    ],
)
def test_what_cannot_be_is_refused(monkeypatch, options):
    with pytest.raises(ValueError, match="ADC"):
        Rig(monkeypatch, **options)


def test_ring_wraps_and_limit_is_kept(monkeypatch):
    counter = iter(range(10**9))
    rig = Rig(monkeypatch, lambda _n, _s: (next(counter) % 4096 + 0.5) * 3.3 / 4096)
    rig.driver.start()
    found = []
    for _ in range(60):
        rig.run(37)
        while frames := rig.take(20):
            assert len(frames) <= 20
            found.extend(frames)
    assert len(found) == 60 * 37
    flat = [value for frame in found for value in frame]
    assert flat == [word(k % 4096) for k in range(len(flat))]
    assert rig.driver.lost == 0


def test_overrun_keeps_the_newest_and_counts(monkeypatch):
    rig = Rig(monkeypatch)
    rig.driver.start()
    rig.run(2000)
    found = rig.drain()
    assert len(found) == 496
    assert rig.driver.lost == 2000 - 496


def test_failed_conversion_repeats_the_last_good_one(monkeypatch):
    counter = iter(range(10**9))
    rig = Rig(monkeypatch, lambda _n, _s: (next(counter) + 0.5) * 3.3 / 4096)
    rig.driver.start()
    rig.run(2)
    assert rig.take()[1] == [word(3), word(4), word(5)]
    rig.run(1)
    rig.model.fail_next = 2  # inputs 0 and 1 of the frame after
    rig.run(2)
    frames = rig.take()
    assert frames == [
        [word(6), word(7), word(8)],
        [word(6), word(7), word(11)],
        [word(12), word(13), word(14)],
    ]
    assert rig.driver.errors == 1


def test_fifo_overflow_starts_anew_in_order(monkeypatch):
    rig = Rig(monkeypatch)
    rig.driver.start()
    rig.run(10)
    heard = rig.model.request
    rig.model.request = lambda: None  # the bus stands still
    rig.run(4)
    rig.model.request = heard
    rig.run(4)
    assert rig.drain() == []
    assert rig.driver.restarts == 1
    assert rig.driver.lost >= 1
    rig.run(50)
    assert rig.drain() == [[word(1000), word(2000), word(3000)]] * 50


def test_converter_that_stands_still_is_started_again(monkeypatch):
    rig = Rig(monkeypatch)
    rig.driver.start()
    rig.run(10)
    rig.drain()
    rig.model._control &= ~8
    for _ in range(10):
        assert rig.take() == []
        rig.timer.fire()
    assert rig.take() == []
    assert (rig.driver.restarts, rig.driver.lost) == (1, 400)
    rig.run(10)
    assert len(rig.drain()) == 10


def test_dead_converter_is_refused_at_start_and_tried_again_later(monkeypatch):
    rig = Rig(monkeypatch)
    rig.model.dead = True
    with pytest.raises(OSError, match="not ready"):
        rig.driver.start()
    rig = Rig(monkeypatch)
    rig.driver.start()
    rig.model.dead = True
    for _ in range(25):
        rig.timer.fire()
        assert rig.take() == []
    assert rig.driver.restarts == 2
    rig.model.dead = False
    for _ in range(10):
        rig.timer.fire()
        rig.take()
    rig.run(10)
    assert len(rig.drain()) == 10


def test_stop_gives_channels_back_and_waiting_ends_with_the_beat(monkeypatch):
    rig = Rig(monkeypatch)
    rig.driver.stop()
    assert rig.take() == []
    rig.driver.start()
    rig.timer.fire()
    asyncio.run(rig.driver.wait())
    rig.driver.stop()
    assert rig.dma.channels == {}
    assert rig.timer.running is None


class OnePhase:
    name = "1ph"
    phases = 1
    nominal_voltage_v = 230
    nominal_frequency_hz = 50
    reference_current_ma = 5_000
    maximum_current_ma = 60_000
    transformer = False
    pulses_per_kwh = 1000


class Scale:
    """A code of 24 bits: 400 V peak and 100 A peak at 1.65 V."""

    u_pv_per_lsb = [400 * 10**12 // 2**23]
    i_pa_per_lsb = [100 * 10**12 // 2**23, 100 * 10**12 // 2**23]
    keep_dc = False


def mains(u_v, i_a, lag_deg, bias_v=1.65):
    """Volts at the pins: u at input 0, i at input 1, nothing at input 2."""
    turn = 2 * math.pi * 50

    def volts(number, time_s):
        if number == 0:
            return bias_v + 1.65 / 400 * u_v * math.sqrt(2) * math.sin(turn * time_s)
        if number == 1:
            lag = math.radians(lag_deg)
            return bias_v + 1.65 / 100 * i_a * math.sqrt(2) * math.sin(turn * time_s - lag)
        return bias_v

    return volts


def power_w(monkeypatch, seconds, use_skew=True, **options):
    rig = Rig(monkeypatch, **options)
    calibration = Calibration(1)
    if not use_skew:
        calibration.delay_ns[0] = -rig.driver.skew_ns[0]
    engine = Engine(rig.driver, Scale, OnePhase, calibration)
    powers = []
    engine.on_window.append(lambda: powers.append(engine.quantities.p_uw[0] / 1e6))
    rig.driver.start()
    for _ in range(int(seconds * 100)):
        rig.run(40)
        engine.poll()
    assert rig.driver.lost == 0
    return sum(powers[2:]) / len(powers[2:])


def test_the_engine_takes_the_skew_of_the_inputs_out(monkeypatch):
    """Three inputs at 4 kHz: 83.3 us or 1.5 degrees, 4.5 % of the power at 60 degrees."""
    expected = 230 * 20 * 0.5
    volts = mains(230, 20, 60)
    wrong = power_w(monkeypatch, 1, use_skew=False, volts=volts)
    assert abs(wrong / expected - 1) > 0.04
    right = power_w(monkeypatch, 1, volts=volts)
    assert abs(right / expected - 1) < 0.002


def test_table_takes_the_converter_s_unevenness_out_of_a_small_current(monkeypatch):
    """What the table is for: a small current whose codes lie beside the wide middle code."""
    transfer = Transfer(3)
    edges = [*transfer.edges, 4096.0]
    counts = [round((edges[k + 1] - edges[k]) * 1000) for k in range(4096)]
    table = linearity.codes_table(linearity.from_histogram(counts, 64, 4031))
    volts = mains(230, 0.5, 0, bias_v=1.65)
    expected = 230 * 0.5
    raw = power_w(monkeypatch, 1, volts=volts, transfer=transfer, noise=0.6)
    mended = power_w(monkeypatch, 1, volts=volts, transfer=transfer, noise=0.6, table=table)
    assert abs(raw / expected - 1) > 0.02
    assert abs(mended / expected - 1) < abs(raw / expected - 1) / 2
