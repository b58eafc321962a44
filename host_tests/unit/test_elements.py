"""A meter of two elements: both and their total, no unit lost, through power cuts (MET-34)."""

import random
import sys
from fractions import Fraction
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from fram_fake import Memory
from metrology_bench import Mains, Phase, Scale, Source, Variant

from app.energy_record import EnergyRecord
from app.storage import record, regions
from metrology.calibration import Calibration, CalibrationError
from metrology.energy import ABSOLUTE, UNIT_UWS, Energies
from metrology.engine import Engine

RATE_MHZ = 4_000_000
A_IMPORT, A_EXPORT = 0, 1


class Measured:
    """Quantities as a window leaves them; an element counts if its current is enough."""

    def __init__(self, p_uw, i_ua=(5_000_000, 5_000_000)):
        self.phases = 1
        self.p_uw, self.q_uvar = p_uw, [0, 0]
        self.u_uv, self.i_ua = [230_000_000] * 2, i_ua


def energies():
    return Energies(Variant(1), RATE_MHZ, True)


def engine(first, second, **variant):
    """An engine whose two currents belong to one voltage, that of the first load."""
    source = Source(5)
    one, other = Mains([first]), Mains([second])
    frames = []
    for _ in range(4000):
        (u, i, _), (_, i2, _) = one.frame(), other.frame()
        frames.append((u, i, u, i2, 0))
    source.frames = frames
    made = Engine(source, Scale(2), Variant(1, **variant), Calibration(2))
    made.watch_half_cycles()
    made.poll()
    return made


@pytest.mark.row("MET-34")
def test_both_elements_and_their_total_are_measured():
    made = engine(Phase(u=230, i=4, phi_deg=0), Phase(u=230, i=10, phi_deg=60))
    now = made.quantities
    assert (now.phases, now.elements, made.half_cycles.phases) == (1, 2, 1)
    assert now.p_uw == [pytest.approx(920e6, rel=1e-5), pytest.approx(1150e6, rel=2e-5)]
    assert now.q_uvar[1] == pytest.approx(2300e6 * 0.75**0.5, rel=2e-5)
    assert now.p_total_uw == sum(now.p_uw)
    counted = made.energies.element_uws
    assert counted[1] / counted[0] == pytest.approx(
        1.25, rel=3e-3
    )  # parts of a cycle at the start
    assert counted[2:] == [counted[1], 0, 0, 0]
    assert 0 <= made.energies.total_uws(A_IMPORT) - counted[0] - counted[1] <= 2
    # what LED and pulse outputs follow is the total
    assert made.energies.flow_uws[0] == made.energies.total_uws(A_IMPORT)


def test_a_hundred_thousand_windows_equal_the_exact_sums_to_the_last_unit():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    draw = random.Random(seed)
    made = energies()
    due = [Fraction(0)] * 6
    for _ in range(100_000):
        p_uw = [draw.randrange(-3_000_000_000, 23_000_000_000) for _ in range(2)]
        frames_q16 = draw.randrange(780 << 16, 820 << 16)
        made.element_rates = draw.randrange(16)
        made.add(Measured(p_uw), frames_q16)
        time = Fraction(frames_q16 * 1000, 65536 * RATE_MHZ)
        for element in (0, 1):
            due[element] += max(0, p_uw[element]) * time
        for rate in range(4):
            if made.element_rates >> rate & 1:
                due[2 + rate] += max(0, p_uw[1]) * time
    assert made.element_uws[:2] == [uws.numerator // uws.denominator for uws in due[:2]]
    for rate in range(2, 6):  # a rate takes whole units over from its element
        assert abs(made.element_uws[rate] - due[rate]) < 100_000
        assert abs(made.element_uws[rate] - due[rate]) * 1000 < due[rate]


@pytest.mark.parametrize(
    ("p_w", "i_a", "mode", "counted"),
    [
        ((100, -40), (5, 5), 1, (100, 0)),  # export takes nothing back
        ((-100, 60), (5, 5), 1, (0, 60)),
        ((-100, 60), (5, 5), ABSOLUTE, (100, 60)),
        ((100, 60), (5, 0.01), 1, (100, 0)),  # below the start threshold
    ],
)
def test_each_element_counts_its_own_import(p_w, i_a, mode, counted):
    made = energies()
    made.mode = mode
    watts = [p * 1_000_000 for p in p_w]
    made.add(Measured(watts, [int(i * 1e6) for i in i_a]), 3600 * 4000 << 16)
    assert made.element_uws[:2] == [wh * UNIT_UWS for wh in counted]


def test_frames_of_another_meter_are_refused():
    for phases, channels, elements in ((3, 5, 2), (1, 7, 3), (1, 5, 1), (1, 3, 2), (3, 4, 2)):
        with pytest.raises((ValueError, CalibrationError)):
            Engine(Source(channels), Scale(3), Variant(phases), Calibration(elements))
    plain = Engine(Source(3), Scale(1), Variant(1), Calibration(1))
    assert plain.energies.element_uws == []


class CutError(Exception):
    """The power is gone."""


class CutMemory(Memory):
    """A FRAM that keeps the first `left` octets of what is written, then dies; None: it lives."""

    left = None

    def write(self, address, data):
        if self.left is None:
            super().write(address, data)
            return
        super().write(address, bytes(data)[: self.left])
        self.left -= min(self.left, len(data))
        if not self.left:
            raise CutError


def booted(memory):
    made = energies()
    return made, EnergyRecord(memory, made)


def test_a_cut_between_any_two_octets_takes_less_than_a_unit():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    draw = random.Random(seed)
    memory = CutMemory()
    made, kept = booted(memory)
    assert kept.restore() == record.BLANK
    cuts = 0
    hour = 3600 * 4000 << 16
    for _ in range(300):
        made.element_rates = 1 << draw.randrange(4)
        most = draw.choice((300_000, 9_000_000))
        made.add(Measured([draw.randrange(most) for _ in range(2)]), hour)
        kept.window()
        before = [uws // UNIT_UWS for uws in made.element_uws]
        made.add(Measured([2_000_000, 3_000_000]), hour)
        memory.left = draw.randrange(1, 400)
        try:
            kept.save()
        except CutError:
            cuts += 1
        memory.left = None
        made, kept = booted(memory)
        assert kept.restore() <= record.BLANK  # the very first save may be cut off
        after = [uws // UNIT_UWS for uws in made.element_uws]
        assert all(0 <= b - a <= 3 for a, b in zip(before, after, strict=True))
        assert sum(made.element_uws[2:]) == made.element_uws[1]
    assert cuts > 100


def test_a_damaged_copy_is_served_by_its_twin_and_both_damaged_are_said():
    memory = Memory()
    made, kept = booted(memory)
    made.add(Measured([7_000_000, 9_000_000]), 3600 * 4000 << 16)
    kept.save()
    kept.save()
    wanted = list(made.element_uws)
    place = regions.open_record(memory, "elements")
    for slot, state in ((0, record.TWIN), (1, record.LOST)):
        memory.octets[place._addresses[slot] + 12] ^= 1
        made, kept = booted(memory)
        assert kept.restore() == state
        assert made.element_uws == (wanted if state == record.TWIN else [0] * 6)
        assert made.wh[A_IMPORT] == 16


def test_what_ram_has_lost_comes_from_the_record():
    made, kept = booted(Memory())
    made.add(Measured([7_000_000, 9_000_000]), 3600 * 4000 << 16)
    kept.save()
    wanted = list(made.element_uws)
    made.element_uws[1] ^= 1 << 40
    told = []
    kept.on_recovery = lambda: told.append(True)
    made.add(Measured([0, 0], (0, 0)), 4000 << 16)
    assert (made.element_uws, told) == (wanted, [True])


def test_a_memory_that_answers_late_adds_what_it_holds():
    memory = Memory()
    made, kept = booted(memory)
    made.add(Measured([7_000_000, 9_000_000]), 3600 * 4000 << 16)
    kept.save()
    memory.dead = True
    made, kept = booted(memory)
    assert kept.restore() == record.LOST
    made.add(Measured([1_000_000, 2_000_000]), 3600 * 4000 << 16)
    kept.window()
    memory.dead = False
    kept.save()
    made, kept = booted(memory)
    kept.restore()
    assert [uws // UNIT_UWS for uws in made.element_uws[:3]] == [8, 11, 11]
    assert made.wh[A_IMPORT] == 19
