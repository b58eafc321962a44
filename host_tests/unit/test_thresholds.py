"""Thresholds that a client sets: means, extremes, frequency, current (rows PQL-13, PQL-14)."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from quality_rig import QualityRig

from app import event_codes as codes
from app.quality.thresholds import Thresholds

AVERAGE_HIGH, AVERAGE_LOW, EXTREMELY_HIGH, EXTREMELY_LOW, HIGH_1, HIGH_2, LOW_1, LOW_2 = range(8)
F_HIGH, F_LOW, CURRENT = 8, 9, 10


class Rig(QualityRig):
    def __init__(self, phases=3):
        super().__init__(phases)
        self.boot()

    def boot(self):
        self.engine.on_window.clear()
        self.watch = Thresholds(self.logs.fram, self.logs.settings, self.engine, self.post)

    def post(self, code):
        self.events.append(code)
        self.logs.book.post(code)


@pytest.fixture
def rig():
    return Rig()


def test_a_new_meter_has_none(rig):
    for volts in (0, 300, 500):
        rig.seconds(60, volts)
    rig.engine.quantities.i_ua = [300_000_000] * 3
    rig.engine.quantities.f_uhz = 70_000_000
    rig.seconds(60, 230)
    assert rig.events == []
    assert [rig.watch.value(place)[0] for place in range(11)] == [0] * 11


@pytest.mark.row("PQL-13")
def test_the_mean_of_a_period_tells_by_its_state(rig):
    """An event at the change of state only; 240 V for half of the period are 235.05 V."""
    rig.watch.set(AVERAGE_HIGH, 2360, 20)
    rig.seconds(10, 230)
    rig.seconds(10, 240)
    assert rig.events == []
    rig.seconds(19.8, 230, 240, 230)
    assert rig.events == []
    rig.seconds(40.2, 230, 240, 230)
    assert rig.events == [codes.AVERAGE_HIGH + 1]
    assert rig.logs.book.alert == 0x8002
    rig.seconds(40, 230)
    assert rig.events == [codes.AVERAGE_HIGH + 1, 86]
    rig.watch.set(AVERAGE_LOW, 2200, 10)
    rig.seconds(20, 219, 230, 230)
    rig.seconds(20, 230)
    assert rig.events[2:] == [codes.AVERAGE_LOW, 85]
    assert rig.watch.counts == [1, 1, 0, 0]
    rig.boot()
    assert rig.watch.counts == [1, 1, 0, 0]


@pytest.mark.row("PQL-13")
def test_an_extreme_undervoltage_is_alert_8028(rig):
    rig.watch.set(EXTREMELY_LOW, 1500, 5)
    rig.seconds(4.8, 230, 230, 149)
    assert rig.events == []
    assert rig.logs.book.alert == 0
    rig.seconds(0.2, 230, 230, 149)
    assert [code & 0xFF for code in rig.events] == [84]
    assert rig.logs.book.alert == 0x8028
    rig.seconds(5, 230)
    assert [code & 0xFF for code in rig.events] == [84, 87]
    rig.watch.set(EXTREMELY_HIGH, 2800, 2)
    rig.seconds(2, 281, 230, 230)
    assert rig.events[2:] == [codes.EXTREMELY_HIGH]
    assert rig.watch.counts == [0, 0, 1, 1]


@pytest.mark.row("PQL-14")
@pytest.mark.parametrize(
    ("place", "limit", "volts", "came"),
    [
        (HIGH_1, 2400, 241, 79), (HIGH_2, 2600, 261, 79),
        (LOW_1, 2200, 219, 76), (LOW_2, 2000, 199, 76),
    ],
)  # fmt: skip
def test_two_thresholds_each_way_with_their_durations(rig, place, limit, volts, came):
    rig.watch.set(place, limit, 30)
    rig.seconds(29.8, 230, volts, 230)
    assert rig.events == []
    rig.seconds(0.4, 230, volts, 230)
    assert [code & 0xFF for code in rig.events] == [came + 1]
    rig.seconds(29.8, 230)
    assert len(rig.events) == 1
    rig.seconds(0.4, 230)
    assert [code & 0xFF for code in rig.events] == [came + 1, 86]


@pytest.mark.row("PQL-14")
def test_frequency_and_current(rig):
    rig.watch.set(F_HIGH, 5050, 10)
    rig.watch.set(F_LOW, 4950, 10)
    rig.watch.set(CURRENT, 600, 10)
    for f_uhz in (50_510_000, 50_000_000, 49_490_000, 50_000_000):
        rig.engine.quantities.f_uhz = f_uhz
        rig.seconds(10, 230)
    assert rig.events == [216, 219, 217, 219]
    for amperes in (60.1, 59.9):
        rig.engine.quantities.i_ua = [0, 0, round(amperes * 1e6)]
        rig.seconds(10, 230)
    assert rig.events[4:] == [222, 226]


def test_what_is_set_is_checked_kept_and_begins_anew(rig):
    for place, limit, seconds in (
        (HIGH_1, 5001, 1), (F_HIGH, 7001, 1), (CURRENT, 3001, 1), (HIGH_1, 2400, 0),
        (HIGH_1, 2400, 3601), (AVERAGE_LOW, -1, 5),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="threshold"):
            rig.watch.set(place, limit, seconds)
    rig.watch.set(HIGH_1, 2400, 5)
    rig.seconds(5, 250)
    assert len(rig.events) == 3
    rig.watch.set(HIGH_1, 0, 5)
    rig.seconds(20, 230)
    assert len(rig.events) == 3  # nobody asks any more
    rig.watch.set(HIGH_1, 2450, 7)
    rig.boot()
    assert rig.watch.value(HIGH_1) == [2450, 7]
    rig.logs.fram.dead = True
    with pytest.raises(OSError):
        rig.watch.set(HIGH_1, 2400, 5)
    assert rig.watch.value(HIGH_1) == [2450, 7]


def test_a_window_that_says_nothing_is_left_out(rig):
    rig.watch.set(LOW_1, 2200, 1)
    rig.engine.quantities.valid = False
    rig.seconds(5, 0)
    assert rig.events == []
