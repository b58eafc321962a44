"""Five pulse outputs, each with its own energy, polarity, rate and width (row LED-10).

What an output has to count is worked out here from the powers and the time alone.
"""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrology_bench import PlayedOutput, Variant
from test_factory_values import FactoryRig, Pin, obis

from app import axdr
from app.cosem import access, factory_values
from app.errors import AccessRefused, TypeUnmatched
from app.event_codes import PARAMETERS_CHANGED
from app.pulse_outputs import PulseOutputs
from app.storage import regions
from drivers.timer_pulses import TimerPulses
from metrology.energy import KWH_UWS, Energies
from metrology.pulse import Pulses

RATE_MHZ = 4_000_000
FRAMES = 800  # 0.2 s
TAGS = (axdr.ENUM, axdr.ENUM, axdr.UINT16, axdr.UINT8)
# energy: what of (P in W, Q in var) it follows
FOLLOWED = {
    23: lambda p, q: abs(p),
    26: lambda p, q: abs(q),
    1: lambda p, q: max(p, 0),
    2: lambda p, q: max(-p, 0),
    3: lambda p, q: max(q, 0),
    4: lambda p, q: max(-q, 0),
    5: lambda p, q: q if q > 0 and p >= 0 else 0,
    6: lambda p, q: q if q > 0 and p < 0 else 0,
    7: lambda p, q: -q if q < 0 and p < 0 else 0,
    8: lambda p, q: -q if q < 0 and p >= 0 else 0,
}


class OutputRig(FactoryRig):
    def __init__(self, memory=None, count=5):
        super().__init__(memory=memory)
        self.played = [PlayedOutput() for _ in range(count)]
        pulses = self.engine.pulses
        pulses.attach(PlayedOutput(), PlayedOutput(), None, self.played)
        self.events = []
        self.parameters.on_change = lambda *_: self.events.append(PARAMETERS_CHANGED)
        self.outputs = PulseOutputs(self.memory, pulses.outputs, self.parameters)
        factory_values.add_outputs(self.catalogue, self.outputs)

    def set(self, n, *values):
        for e, value in enumerate(values, 1):
            self.write(f"0-{n}:128.61.{e}", TAGS[e - 1], value)

    def fields(self, n):
        return [self.read(f"0-{n}:128.61.{e}") for e in range(1, 5)]


class Load:
    """Quantities of one phase."""

    phases = 1

    def __init__(self, p_w, q_var):
        self.u_uv, self.i_ua = [230_000_000], [5_000_000]
        self.p_uw, self.q_uvar = [p_w * 10**6], [q_var * 10**6]


def play(pulses, energies, load, windows):
    for _ in range(windows):
        energies.add(Load(*load), FRAMES << 16)
        pulses.window(energies, FRAMES)


@pytest.fixture
def rig():
    return OutputRig()


@pytest.mark.row("LED-10")
def test_output_3_set_to_r1_pulses_in_quadrant_1_only(rig):
    rig.set(3, 5, 0, 1000, 30)
    for quadrant, load in enumerate([(3000, 4000), (-3000, 4000), (-3000, -4000), (3000, -4000)]):
        before = len(rig.played[2].rises_us)
        play(rig.engine.pulses, rig.engine.energies, load, 450)  # 90 s: 100 varh
        assert len(rig.played[2].rises_us) - before == (0 if quadrant else 100), quadrant + 1
    assert all(not rig.played[k].rises_us for k in (0, 1, 3, 4))


@pytest.mark.row("LED-10")
def test_every_output_counts_its_own_energy_with_its_own_rate(rig):
    rate = {energy: 500 + 1500 * k for k, energy in enumerate(FOLLOWED)}
    source = random.Random(20)
    for half in (list(FOLLOWED)[:5], list(FOLLOWED)[5:]):
        rig = OutputRig()
        for n, energy in enumerate(half, 1):
            rig.set(n, energy, 0, rate[energy], 30)
        energies = Energies(Variant(1), RATE_MHZ)
        ws = dict.fromkeys(half, 0)
        for _ in range(60):
            load = source.randrange(-20000, 20001), source.randrange(-20000, 20001)
            play(rig.engine.pulses, energies, load, 5)
            for energy in half:
                ws[energy] += FOLLOWED[energy](*load)
        for n, energy in enumerate(half):
            expected = ws[energy] * 10**6 * rate[energy] // KWH_UWS
            assert len(rig.played[n].rises_us) == expected > 0, energy


@pytest.mark.row("LED-10")
@settings(max_examples=60)
@given(st.lists(st.integers(-30_000, 30_000), min_size=1, max_size=30), st.integers(500, 16000))
def test_the_net_output_follows_the_highest_net_energy_through_power_cuts(loads_w, rate):
    """(A+) + (A-): a counter cannot go back, so import after export makes up for it first."""
    made = 0
    net = highest = 0
    energies = Energies(Variant(1), RATE_MHZ)
    for load in loads_w:
        pulses = Pulses(1000, RATE_MHZ)  # the power was cut: nothing is known but the snapshot
        output = PlayedOutput()
        pulses.attach(PlayedOutput(), PlayedOutput(), None, [output])
        pulses.outputs[0].configure(16, rate)
        snapshot = bytearray(254)
        energies.snapshot_into(snapshot, 0)
        energies = Energies(Variant(1), RATE_MHZ)
        energies.restore_from(snapshot, 0)
        play(pulses, energies, (load, 0), 3)
        made += len(output.rises_us)
        net += load * 600_000
        highest = max(highest, net)
    assert made == highest * rate // KWH_UWS
    assert energies.net_debt_uws == highest - net


@pytest.mark.row("LED-10")
def test_what_an_output_cannot_do_is_refused_and_the_old_values_stay(rig):
    rig.set(2, 26, 1, 16000, 200)
    for e, wrong in (
        (1, (9, 15, 33, 24, 255)),
        (2, (2, 255)),
        (3, (0, 499, 16001, 65535)),
        (4, (0, 29, 201, 255)),
    ):
        for value in wrong:
            with pytest.raises(ValueError):
                rig.write(f"0-2:128.61.{e}", TAGS[e - 1], value)
        with pytest.raises(TypeUnmatched):
            rig.write(f"0-2:128.61.{e}", axdr.UINT32, 1)
    assert rig.fields(2) == [26, 1, 16000, 200]
    generator = rig.engine.pulses.outputs[1]
    assert (generator.energy, generator.pulses_per_kwh) == (26, 16000)
    assert rig.played[1].inverted
    for code in ("0-0:128.61.1", "0-6:128.61.1", "0-1:128.61.0", "0-1:128.61.5"):
        assert rig.catalogue.find(obis(code)) is None


@pytest.mark.row("LED-10")
def test_they_are_set_at_production_and_kept(rig):
    rig.set(1, 16, 1, 4000, 100)
    rig.set(5, 8, 0, 500, 30)
    assert rig.parameters.changes == len(rig.events) == 6  # two of them stood so already
    rig.switch.level = 0
    with pytest.raises(AccessRefused):
        rig.write("0-1:128.61.1", axdr.ENUM, 1)
    again = OutputRig(memory=rig.memory)
    assert again.fields(1) == [16, 1, 4000, 100]
    assert again.fields(5) == [8, 0, 500, 30]
    assert again.fields(2) == [0, 0, 1000, 30]
    assert again.played[0].inverted
    assert again.parameters.changes == 6
    smaller = OutputRig(memory=rig.memory, count=3)  # outputs 4 and 5 are inputs of another kind
    assert smaller.fields(1) == [16, 1, 4000, 100]
    smaller.set(1, 1)
    assert OutputRig(memory=rig.memory).fields(5) == [0, 0, 1000, 30]


@pytest.mark.row("LED-10")
def test_damage_switches_them_off_and_is_told(rig):
    rig.set(1, 1)
    rig.memory.dead = True
    with pytest.raises(OSError):
        rig.set(1, 2)
    assert rig.fields(1)[0] == rig.engine.pulses.outputs[0].energy == 1
    rig.memory.dead = False
    for address in regions.open_record(rig.memory, "pulse_outputs")._addresses:
        rig.memory.octets[address + 10] ^= 1
    again = OutputRig(memory=rig.memory)
    assert again.outputs.damaged
    assert again.fields(1) == [0, 0, 1000, 30]
    again.set(1, 1)
    assert not again.outputs.damaged


def test_the_objects_are_in_the_list_with_their_rights(rig):
    names = [name for name, _, _, group in rig.catalogue.entries() if name[2:4] == b"\x80\x3d"]
    assert names == [bytes((0, n, 128, 61, e, 255)) for n in range(1, 6) for e in range(1, 5)]
    assert rig.catalogue.find(names[7])[1:] == (7, access.SETTINGS)
    # octets of two names that look like one are none
    row = b"".join(names)
    for at in range(1, len(row) - 6):
        if at % 6:
            assert rig.catalogue.find(row[at : at + 6]) is None


def test_an_inverted_output_rests_high():
    pin = Pin(0)
    levels = []
    pin.value = lambda level=None: levels.append(level)

    class Timer:
        ONE_SHOT = 0

        def init(self, **_):
            pass

        def deinit(self):
            pass

    output = TimerPulses(Timer(), pin)
    output.invert(True)
    output.train(1, 0, 0, 1000, 0)
    output.invert(False)
    assert levels == [0, 1, 0, 1]
