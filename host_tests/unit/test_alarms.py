"""Alarms: registers, filters, descriptors, status and monitors (section 9 of the feature list)."""

import struct
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from profile_rig import STANDARD, ProfileRig

from app import event_codes as codes
from app.cosem import alarm_values
from app.errors import AccessRefused
from app.logs.alarm_monitors import AlarmMonitors
from app.logs.alarms import ASYMMETRIC_CURRENT, DESCRIPTOR, FILTER, OFF, ON, REGISTER, Alarms
from app.logs.event_table import EVENTS
from app.storage import rings

COVER_REMOVED, COVER_CLOSED = 40, 41
CURRENT_REVERSAL, ASYMMETRY, MODEM_FAILED = 91, 90, 141
MISSING_NEUTRAL = 40  # bit 8 of the second register
FRAUD = 1 << 13


class Bench(ProfileRig):
    def __init__(self):
        super().__init__()
        self.ran = []
        self.monitors = AlarmMonitors(self.logs.settings, self.execute)
        self.book.alarms.run = self.monitors.run
        alarm_values.add(self.dlms.catalogue, self.book, self.monitors)
        self.refuse = False

    def execute(self, table, script):
        self.ran.append((table, script))
        if self.refuse:
            raise AccessRefused(4)

    def word(self, kind, register=0):
        return self.book.alarms.word(kind, register)

    def read(self, name, class_id=1, index=2):
        answer = self.dlms.apdu(f"c001c1{class_id:04x}{name}{index:02x}00")
        return answer[4:].hex() if answer[3] == 0 else answer[3:].hex()

    def put(self, name, encoded, class_id=1, index=2):
        answer = self.dlms.apdu(f"c101c1{class_id:04x}{name}{index:02x}00{encoded}")
        return answer[3] if len(answer) > 3 else -1

    def restart(self):
        self.logs.boot()
        self.book = self.logs.book


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


@pytest.fixture
def bench():
    return Bench()


@pytest.mark.row("ALM-02")
def test_by_default_no_alarm_is_let_through(bench):
    for number, _, _ in struct.iter_unpack("<HHB", EVENTS):
        bench.book.post(number)
    for register in range(3):
        assert bench.word(FILTER, register) == 0
        assert bench.word(REGISTER, register) == bench.word(DESCRIPTOR, register) == 0
        assert bench.word(ON, register) != 0


@pytest.mark.row("ALM-01")
def test_a_bit_that_the_filter_lets_through_stays_until_it_is_cleared(bench):
    assert bench.put("000061620aff", "06" + f"{FRAUD:08x}") == 0
    bench.book.post(COVER_REMOVED)
    assert bench.read("0000616200ff") == "06" + f"{FRAUD:08x}"
    bench.book.post(COVER_CLOSED)
    assert bench.word(REGISTER) == FRAUD
    bench.restart()
    assert bench.word(REGISTER) == FRAUD
    assert bench.word(FILTER) == FRAUD


@pytest.mark.row("ALM-03")
@pytest.mark.row("ALM-07")
def test_clearing_the_register_leaves_the_descriptor_and_is_an_event(bench):
    bench.book.set_alarm_filter(0, 0xFFFFFFFF)
    bench.book.post(COVER_REMOVED)
    assert bench.put("0000616200ff", "0600000000") == 0
    assert bench.read("0000616200ff") == "0600000000"
    assert bench.read("0000616214ff") == "06" + f"{FRAUD:08x}"
    assert [row[1] for row in bench.rows(STANDARD)][-1] == codes.ALARMS_CLEARED
    assert bench.put("0000616214ff", "0600000000") == 0
    assert bench.word(DESCRIPTOR) == 0
    assert [row[1] for row in bench.rows(STANDARD)].count(codes.ALARMS_CLEARED) == 1


def test_only_the_bits_written_as_0_are_cleared(bench):
    bench.book.set_alarm_filter(0, 0xFFFFFFFF)
    bench.book.post(COVER_REMOVED)
    bench.book.post(codes.RAM_ERROR)
    assert bench.put("0000616200ff", "06" + f"{FRAUD | 1:08x}") == 0
    assert bench.word(REGISTER) == FRAUD  # and none is set that was not
    assert bench.put("0000616200ff", "120000") == 12
    assert bench.put("0000616200ff", "0500000000") == 12
    assert bench.word(REGISTER) == FRAUD


@pytest.mark.row("ALM-05")
def test_status_on_and_off_tell_of_coming_and_going(bench):
    lasts = True
    bench.book.alarms.lasting[32 + 9] = lambda: lasts
    bench.book.post(ASYMMETRY)
    assert bench.read("0000c46201ff") == "0600000200"
    assert bench.read("0000c4620bff") == "0600000000"
    assert bench.put("0000c46201ff", "0600000000") == 0
    assert bench.word(ON, 1) == 1 << 9  # it lasts
    lasts = False
    bench.book.ended(ASYMMETRY)
    assert bench.word(OFF, 1) == 1 << 9
    assert bench.put("0000c46201ff", "0600000000") == bench.put("0000c4620bff", "0600000000") == 0
    assert bench.word(ON, 1) == bench.word(OFF, 1) == 0


def test_the_end_of_a_condition_clears_its_alarm(bench):
    bench.book.set_alarm_filter(0, 1 << 16)
    bench.book.post(100)
    assert bench.word(REGISTER) == 1 << 16
    bench.book.post(101)
    assert bench.word(REGISTER) == 0
    assert bench.word(DESCRIPTOR) == bench.word(ON) == bench.word(OFF) == 1 << 16


@pytest.mark.row("ALM-09")
def test_what_only_one_model_has_is_in_the_third_register(bench):
    bench.book.set_alarm_filter(2, 1)
    bench.book.post(MODEM_FAILED)
    assert bench.read("0000616202ff") == "0600000001"


@pytest.mark.row("ALM-10")
@pytest.mark.parametrize("code", [codes.REPLACE_BATTERY, codes.BATTERY_LOW])
def test_the_battery_has_one_alarm(bench, code):
    bench.book.set_alarm_filter(0, 2)
    bench.book.post(code)
    assert bench.word(REGISTER) == 2


@pytest.mark.row("ALM-11")
def test_every_event_of_the_fraud_log_is_the_fraud_alarm(bench):
    bench.book.set_alarm_filter(0, 0xFFFFFFFF)
    for number, logs, _ in struct.iter_unpack("<HHB", EVENTS):
        if logs & 2:
            bench.book.clear_alarms(REGISTER, 0, 0)
            bench.book.post(number)
            assert bench.word(REGISTER) & FRAUD, number
    assert bench.word(ON, 1) & 1 << 10  # current reversal has its own besides


def test_a_rise_of_a_descriptor_runs_its_script(bench):
    bench.book.set_alarm_filter(0, 0xFFFFFFFF)
    bench.book.post(COVER_REMOVED)
    bench.book.alarms.tell()
    assert bench.ran == [(bytes((0, 0, 10, 0, 108, 255)), 5)]
    bench.book.post(COVER_REMOVED)
    bench.book.alarms.tell()
    assert len(bench.ran) == 1  # the register's bit stood already


def test_two_alarms_in_one_second_are_told_together(bench):
    bench.book.set_alarm_filter(0, FRAUD | 2)
    bench.book.post(COVER_REMOVED)
    bench.book.post(codes.BATTERY_LOW)
    bench.book.post(codes.RAM_ERROR)  # not let through
    bench.book.alarms.tell()
    assert len(bench.ran) == 1
    assert bench.word(DESCRIPTOR) == FRAUD | 2


def test_a_script_that_is_not_there_disturbs_nobody(bench):
    bench.refuse = True
    for register, code in enumerate((COVER_REMOVED, CURRENT_REVERSAL, MODEM_FAILED)):
        bench.book.set_alarm_filter(register, 0xFFFFFFFF)
        bench.book.post(code)
    bench.book.alarms.tell()
    assert len(bench.ran) == 3


def test_monitors_as_class_21(bench):
    """Blue Book 4.5.11: thresholds, monitored value, actions as script table and selector."""
    up = "0202090600000a006cff120005"
    none = "02020906000000000000120000"
    assert bench.read("0000100101ff", 21, 2) == "01010600000000"
    assert bench.read("0000100101ff", 21, 3) == "020312000109060000616215ff0f02"
    assert bench.read("0000100101ff", 21, 4) == "01010202" + up + none
    other = "0202090600000a0064ff120002"
    assert bench.put("0000100101ff", "01010202" + other + none, 21, 4) == 0
    assert bench.read("0000100101ff", 21, 4) == "01010202" + other + none
    assert bench.read("0000100100ff", 21, 4) == "01010202" + up + none
    for wrong in ("0100", "01020202" + 2 * (up + none), "01010201" + up, "0101", "01010202" + up):
        assert bench.put("0000100101ff", wrong, 21, 4) != 0
    assert bench.read("0000100101ff", 21, 4) == "01010202" + other + none
    assert bench.put("0000100101ff", "01010600000001", 21, 2) == 3


@pytest.mark.row("ALM-06", "PRD-17")
def test_the_system_counts_from_the_next_start(bench):
    """In the IE system bit 8 of the second ON is the asymmetric current (ME382 6.12.1.7)."""

    def bits():
        bench.book.clear_alarms(ON, 1, 0)
        found = []
        for alarm in (MISSING_NEUTRAL, ASYMMETRIC_CURRENT):
            bench.book.alarms.came(alarm)
            found.append(bench.word(ON, 1))
            bench.book.clear_alarms(ON, 1, 0)
        bench.book.post(ASYMMETRY)  # as in every system
        return found + [bench.word(ON, 1)]

    idis, ie = [0x100, 0, 0x200], [0, 0x100, 0x200]
    assert bits() == idis
    assert bench.put("010060f501ff", "1600") == 12
    assert bench.put("010060f501ff", "1100") == 0
    assert bench.read("010060f501ff") == "1100"
    assert bits() == idis  # not yet
    bench.restart()
    assert bits() == ie
    lasts = [True]
    bench.book.alarms.lasting[ASYMMETRIC_CURRENT] = lambda: lasts[0]
    bench.book.alarms.came(ASYMMETRIC_CURRENT)
    bench.book.clear_alarms(ON, 1, 0)
    assert bench.word(ON, 1) == 0x100
    bench.book.alarms.went(ASYMMETRIC_CURRENT)
    assert bench.word(OFF, 1) == 0x100
    lasts[0] = False
    bench.book.choose_alarm_system(2)
    bench.book.choose_alarm_system(1)
    assert bits() == ie
    bench.restart()
    assert bits() == idis
    with pytest.raises(ValueError, match="alarm system"):
        bench.book.choose_alarm_system(3)


@pytest.mark.row("PRD-17")
def test_a_system_chosen_and_taken_back_is_not_in_force_after_the_next_start(bench):
    bench.book.choose_alarm_system(0)
    bench.book.choose_alarm_system(1)
    bench.restart()
    assert bench.book.alarms.system == 1


def test_a_memory_that_fails_keeps_what_was(bench):
    bench.book.set_alarm_filter(0, FRAUD)
    bench.logs.fram.dead = True
    bench.book.post(COVER_REMOVED)  # told as long as there is power
    assert bench.word(REGISTER) == FRAUD
    with pytest.raises(OSError):
        bench.book.set_alarm_filter(0, 1)
    with pytest.raises(OSError):
        bench.book.alarms.choose_system(2)
    assert bench.word(FILTER) == FRAUD
    assert bench.book.alarms.chosen == 1
    bench.logs.fram.dead = False
    assert Alarms(bench.logs.fram).word(FILTER, 0) == FRAUD
