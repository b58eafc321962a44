"""The objects of the end of billing through a DLMS channel: class 22, profiles, past values."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

import pytest
from capture_rig import CLOCK, SECTORS, register
from dlms_rig import NOW_UTC_S, Quantities, Variant
from dlms_rig import Rig as DlmsRig
from flash_fake import Flash
from log_rig import Switch
from profile_rig import ProfileRig, by_range, time
from ring_rig import CutFram

from app.axdr import Reader
from app.cosem import billing_objects, past_values, tariff_objects, tariff_registers
from app.logs import billing_profiles
from app.logs.captured import Recorder
from app.logs.event_book import EventBook
from app.parameters import Parameters
from app.rows import pack_objects
from app.storage import regions, rings
from app.storage.rings import Rings
from app.tariff import billing
from app.tariff.billing import Billing
from app.tariff.parts import TariffParts

BILLING_1, BILLING_2, DAILY = "0000620100ff", "0000620200ff", "0000620300ff"
ALIAS = "0100638200ff"
SCRIPTS = "00000a0001ff"
TENANCY = "00000a0080ff"
SCHEDULE = "00000f0000ff"
SCHEDULE_2 = "00000f0100ff"
CALENDAR = "00000d0000ff"
OK, DENIED, UNDEFINED, UNMATCHED, OTHER = 0, 3, 4, 12, 250
MIDNIGHT = "02020904000000000905ffffff01ff"


class Energies:
    """Totals that stand still."""

    wh = [1725 + 1000 * kind for kind in range(12)]
    residue = [0] * 12
    element_uws = ()


class Engine:
    """What of metrology the tariff stands on, at rest."""

    energies = Energies()
    quantities = Quantities()
    nominal_uhz = 50_000_000
    rate_mhz = 4_000_000
    frames_q16 = 0


class DirectVariant(Variant):
    transformer = False


class ObjectRig:
    """What of a meter ends a billing period, behind a DLMS server; `boot` is a power cut."""

    get = ProfileRig.get
    rows = ProfileRig.rows

    def __init__(self):
        self.fram = CutFram()
        self.flash = Flash(max(SECTORS, sum(row[1] for row in regions.RINGS)))
        self.now_s = NOW_UTC_S
        self.boot()

    def boot(self):
        self.flash.restart()
        self.dlms = dlms = DlmsRig(memory=self.fram)
        dlms.clock._anchor_s = self.now_s
        self.rings = Rings(self.flash, self.fram)
        self.book = EventBook(self.fram, dlms.settings)
        self.book.open(self.rings, dlms.clock)
        post = self.book.post
        recorder = Recorder(self.rings, dlms.settings, dlms.resolver, dlms.clock, post)
        parameters = Parameters(self.fram, DirectVariant(), Switch(), dlms.clock)
        self.tariff = TariffParts(
            self.fram,
            dlms.settings,
            dlms.clock,
            Engine(),
            lambda: None,
            dlms.resolver,
            parameters,
        )
        profiles = billing_profiles.open_all(recorder)
        self.billing = Billing(
            self.fram, dlms.settings, dlms.clock, profiles, self.book.logs[0], post
        )
        self.tariff.use(self.billing)
        tariff_objects.add(dlms.catalogue, self.tariff, dlms.settings, dlms.registers, post)
        tariff_registers.add(dlms.catalogue, self.tariff, dlms.registers)
        billing_objects.add(dlms.catalogue, self.tariff, dlms.clock)
        dlms.catalogue.past = past_values.finder(dlms.catalogue.find, self.billing)
        dlms.associate()
        return self

    def set(self, class_id, name, index, encoded):
        """Write an attribute and return the data-access-result."""
        answer = self.dlms.apdu(f"c101c1{class_id:04x}{name}{index:02x}00{encoded}")
        return answer[3] if answer[0] == 0xC5 else -1  # an exception-response

    def read(self, class_id, name, index):
        answer = self.dlms.apdu(f"c001c1{class_id:04x}{name}{index:02x}00")
        return Reader(answer, 4).data()[1] if answer[3] == 0 else -answer[4]

    def invoke(self, class_id, name, method, encoded):
        return self.dlms.apdu(f"c301c1{class_id:04x}{name}{method:02x}01{encoded}")[3]

    def execute(self, number, table=SCRIPTS):
        return self.invoke(9, table, 1, f"12{number:04x}")

    def codes(self):
        log = self.book.logs[0]
        found = []
        for sequence in range(log.first, log.next):
            log.load(sequence)
            found.append(log.row()[-1])
        return found


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


@pytest.fixture
def rig():
    return ObjectRig()


@pytest.mark.row("TOU-22")
def test_a_schedule_takes_four_moments_and_no_fifth(rig):
    four = [f"02020904{hour:02x}0000000905ffffff{hour:02x}ff" for hour in (1, 8, 15, 22)]
    assert rig.set(22, SCHEDULE, 4, "0104" + "".join(four)) == OK
    assert rig.set(22, SCHEDULE, 4, "0105" + "".join([*four, MIDNIGHT])) == OTHER
    rig.boot()
    read = rig.read(22, SCHEDULE, 4)
    assert [[part[1] for part in moment[1]] for moment in read] == [
        [bytes((hour, 0, 0, 0)), bytes((255, 255, 255, hour, 255))] for hour in (1, 8, 15, 22)
    ]


def test_a_new_meter_bills_on_the_first_of_each_month(rig):
    read = rig.read(22, SCHEDULE, 4)
    assert [[part[1] for part in moment[1]] for moment in read] == [
        [bytes(4), b"\xff\xff\xff\x01\xff"]
    ]
    assert rig.read(22, SCHEDULE, 3) == 5
    assert [part[1] for part in rig.read(22, SCHEDULE, 2)] == [bytes.fromhex(SCRIPTS), 1]
    assert [part[1] for part in rig.read(22, SCHEDULE_2, 2)] == [bytes.fromhex(SCRIPTS), 2]
    assert rig.read(22, SCHEDULE_2, 4) == []


@pytest.mark.row("TOU-23")
@pytest.mark.parametrize("moments", ["0100", "010102020904ffffffff0905ffffffffff"])
def test_an_empty_list_and_the_open_moment_disable(rig, moments):
    assert rig.set(22, SCHEDULE, 4, moments) == OK
    rig.tariff.clockwork.poll()
    for _ in range(3):
        rig.now_s += 31 * 86400
        rig.boot()
        rig.tariff.clockwork.poll()
    assert rig.rows(BILLING_1) == []


@pytest.mark.parametrize(
    ("index", "encoded", "result"),
    [
        (2, "0202090600000a0064ff120001", OTHER),  # a tariff script
        (2, "0202090600000a0001ff120003", OTHER),  # no such script for clients
        (2, "020209050000000a00120001", OTHER),
        (2, "0201090600000a0001ff", UNMATCHED),
        (2, "0202090600000a0001ff1101", UNMATCHED),
        (3, "1600", OTHER),
        (3, "1606", OTHER),
        (3, "1101", UNMATCHED),
        (4, "010102020904000001000905ffffff01ff", OTHER),  # seconds
        (4, "010102020904180000000905ffffff01ff", OTHER),  # 24:00
        (4, "0101020209040000000009050000ff01ff", OTHER),  # year 0
        (4, "01010202090400000000090507ea021eff", OTHER),  # 30 February
        (4, "010102020904000000000904ffffff01", OTHER),
        (4, "01010201090400000000", UNMATCHED),
        (4, "020209040000000009050000ff01ff", UNMATCHED),
        (4, "0102" + MIDNIGHT, OTHER),  # ends too early
        (1, "090600000f0000ff", DENIED),
        (5, "00", UNDEFINED),
    ],
)
def test_what_no_schedule_can_be_is_refused_and_the_old_one_stays(rig, index, encoded, result):
    before = [rig.read(22, SCHEDULE, attribute) for attribute in (2, 3, 4)]
    answer = rig.set(22, SCHEDULE, index, encoded)
    assert answer == result or (result == OTHER and answer not in (OK, DENIED)), answer
    assert [rig.read(22, SCHEDULE, attribute) for attribute in (2, 3, 4)] == before


def test_a_moment_that_has_just_passed_is_not_made_up_for(rig):
    rig.tariff.clockwork.poll()
    rig.now_s = rig.dlms.clock._anchor_s = NOW_UTC_S + 40  # 01:00:30 local, 1 February
    assert rig.set(22, SCHEDULE, 4, "01010202090401000000" + "0905ffffffffff") == OK
    rig.tariff.clockwork.poll()
    assert rig.rows(BILLING_1) == []
    rig.now_s = rig.dlms.clock._anchor_s = NOW_UTC_S + 86410
    rig.tariff.clockwork.poll()
    assert len(rig.rows(BILLING_1)) == 1


@pytest.mark.row("BIL-01")
def test_script_1_makes_one_entry_led_by_the_clock(rig):
    assert rig.execute(1) == OK
    (row,) = rig.rows(BILLING_1)
    assert row[0].hex() == time(NOW_UTC_S, weekday=7, hundredths=0, status=0)[4:]
    assert row[1:3] == [0, 1725]
    assert rig.read(7, BILLING_1, 4) == 0
    assert rig.read(3, "0000000102ff", 2) == row[0]  # time of the last billing
    assert rig.read(1, "0000000100ff", 2) == 1  # counter


@pytest.mark.row("BIL-03")
def test_billing_2_is_read_under_its_other_name_too(rig):
    for _ in range(3):
        assert rig.execute(2) == OK
    assert rig.rows(BILLING_2) == rig.rows(ALIAS)
    assert len(rig.rows(ALIAS)) == 3
    assert rig.invoke(7, ALIAS, 1, "0f00") == OK
    assert rig.rows(BILLING_2) == []


@pytest.mark.row("FRD-14")
def test_billing_2_has_two_rates_for_each_date_whatever_is_reset(rig):
    assert rig.set(22, SCHEDULE_2, 4, "0101" + MIDNIGHT) == OK
    rig.tariff.clockwork.poll()
    for month in range(1, 4):
        rig.execute(1)  # a reset between two dates
        rig.now_s = rig.dlms.clock._anchor_s = NOW_UTC_S + month * 31 * 86400
        rig.tariff.clockwork.poll()
    rows = rig.rows(ALIAS)
    assert [row[0][:4].hex() for row in rows] == ["07ea0301", "07ea0401", "07ea0501"]
    assert [row[1:] for row in rows] == [[billing.REGULAR, 0, 0]] * 3
    columns = [captured[1][1][1].hex() for captured in rig.read(7, ALIAS, 3)]
    assert columns[2:] == ["0100010801ff", "0100010802ff"]


@pytest.mark.parametrize("number", [0, 3, 4, 65535])
def test_a_script_that_does_not_exist_is_refused(rig, number):
    assert rig.execute(number) == UNDEFINED
    assert [rig.rows(name) for name in (BILLING_1, BILLING_2, DAILY)] == [[], [], []]


@pytest.mark.row("BIL-04")
def test_capacities(rig):
    columns = [CLOCK] + [register(c) for c in (1, 2, 3, 4)]
    rig.billing.profiles[0].set_columns(Reader(pack_objects(columns)))
    assert rig.read(7, BILLING_1, 8) >= 310
    forty = [CLOCK] + [register(1 + n % 10) for n in range(39)]
    rig.billing.profiles[0].set_columns(Reader(pack_objects(forty)))
    assert rig.read(7, BILLING_1, 8) >= 36
    with pytest.raises(ValueError, match="40 columns"):
        rig.billing.profiles[0].set_columns(Reader(pack_objects([*forty, register(1)])))
    for _ in range(40):
        rig.billing.capture(billing.BILLING_1, billing.REGULAR)
    assert rig.read(7, BILLING_1, 7) == 40
    assert len(rig.rows(BILLING_1)[-1]) == 40


@pytest.mark.row("BIL-18")
def test_clearing_the_profile_leaves_event_254_and_the_counter(rig):
    rig.execute(1)
    assert rig.invoke(7, BILLING_1, 1, "0f00") == OK
    assert rig.read(7, BILLING_1, 7) == 0
    assert rig.codes()[-1] == 254
    assert rig.read(1, "0000000100ff", 2) == 1
    assert rig.invoke(7, BILLING_1, 2, "0f00") == DENIED  # capture is the script's


def test_a_damaged_entry_is_flagged_and_the_others_stay(rig):
    for step in range(3):
        rig.now_s = rig.dlms.clock._anchor_s = NOW_UTC_S + step
        rig.execute(1)
    before = rig.rows(BILLING_1)
    ring = rig.billing.profiles[0]._ring
    rig.flash.octets[ring._address(ring._head, 1, []) + 20] ^= 0x04
    rig.boot()
    after = rig.rows(BILLING_1)
    assert after[0] == before[0]
    assert after[2] == before[2]
    assert after[1][0] == b"\xff" * 9 + b"\x80\x00\xff"
    assert after[1][2] is None


@pytest.mark.parametrize("cause", ["head end", "date", "tariff", "tenancy"])
def test_each_cause_makes_one_entry_with_its_reason(rig, cause):
    if cause == "head end":
        rig.execute(2)
    elif cause == "date":
        rig.set(22, SCHEDULE_2, 4, "0101" + MIDNIGHT)
        rig.tariff.clockwork.poll()
        rig.now_s = rig.dlms.clock._anchor_s = NOW_UTC_S + 28 * 86400
        rig.tariff.clockwork.poll()
    elif cause == "tariff":
        assert rig.invoke(20, CALENDAR, 1, "0f00") == OK
    else:
        assert rig.execute(1, TENANCY) == OK
    reasons = {"head end": 2, "date": 1, "tariff": 4, "tenancy": 5}
    assert [row[1] for row in rig.rows(BILLING_2)] == [reasons[cause]]


def test_a_client_is_told_that_the_flash_took_no_entry_and_a_calendar_comes_all_the_same(rig):
    rig.flash.dead = True
    assert [rig.execute(1), rig.execute(2), rig.execute(1, TENANCY)] == [1, 1, 1]  # hardware fault
    assert rig.invoke(20, CALENDAR, 1, "0f00") == OK
    assert rig.read(1, "0000000100ff", 2) == 0


def test_a_calendar_that_is_refused_makes_no_entry(rig):
    half = rig.tariff.calendar.passive()
    half.set_seasons([(b"S", b"\xff" * 9 + b"\x80\x00\xff", b"NONE")])
    rig.tariff.calendar.put_passive(half)
    assert rig.invoke(20, CALENDAR, 1, "0f00") != OK
    assert rig.rows(BILLING_2) == []


def test_a_passive_calendar_whose_activation_the_power_cut_off_is_activated(rig):
    clockwork, calendar = rig.tariff.clockwork, rig.tariff.calendar
    clockwork.poll()
    half = calendar.passive()
    half.set_name(b"NEXT")
    calendar.put_passive(half)
    calendar.set_start(bytes.fromhex("07ea0201ff02000000800000"))  # an hour from now
    clockwork.wake()
    rig.tariff.calendar.activate = lambda: (_ for _ in ()).throw(SystemExit)
    rig.now_s = rig.dlms.clock._anchor_s = NOW_UTC_S + 3620
    with pytest.raises(SystemExit):
        clockwork.poll()
    rig.boot()
    rig.tariff.clockwork.poll()
    assert rig.tariff.calendar.active().name == b"NEXT"


@pytest.mark.parametrize("option", [False, True])
def test_past_values_are_found_by_their_number_where_they_may(rig, option):
    newest, before, none = "0100010800" + "01", "0100010800" + "02", "0100010800" + "03"
    assert rig.read(3, newest, 2) == -UNDEFINED
    assert rig.set(1, "0000800a07ff", 2, f"03{option:02x}") == OK
    rig.execute(1)
    Energies.wh[0] += 500
    rig.execute(1)
    if not option:
        assert rig.read(3, newest, 2) == -UNDEFINED
        return
    assert rig.read(3, newest, 2) == rig.read(3, before, 2) == 1725
    assert [one[1] for one in rig.read(3, newest, 3)] == [0, 30]
    assert rig.read(3, none, 2) is None
    assert rig.read(3, "010001080000", 2) == -UNDEFINED
    assert rig.read(3, "01000108000d", 2) == -UNDEFINED  # the thirteenth
    assert rig.read(3, "010002070001", 2) == -UNDEFINED  # not captured
    assert rig.read(4, newest, 2) != 1725  # another class
    assert rig.set(3, newest, 2, "1500" + "00" * 7) == DENIED
    assert rig.invoke(3, newest, 1, "0f00") == DENIED


def test_entries_are_selected_by_range(rig):
    for step in range(4):
        rig.now_s = rig.dlms.clock._anchor_s = NOW_UTC_S + step * 86400
        rig.execute(1)
    day = by_range(time(NOW_UTC_S + 80000), time(NOW_UTC_S + 90000))
    assert [row[1] for row in rig.rows(BILLING_1, day)] == [1]
