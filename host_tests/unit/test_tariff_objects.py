"""The objects of the tariff through a DLMS channel: classes 6, 9, 11, 20 and their parameters."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

import pytest
from test_billing_objects import ObjectRig, no_waiting  # noqa: F401 - a fixture

from app import event_codes
from app.axdr import Reader
from app.cosem import demand_objects

OK, DENIED, UNDEFINED, INCONSISTENT, UNMATCHED, OTHER = 0, 3, 4, 9, 12, 250
CALENDAR = "00000d0000ff"
DAYS = "00000b0000ff"
SCRIPTS = "00000a0064ff"
ENERGY, DEMAND = "00000e0001ff", "00000e0002ff"
CLOCK = "0000010000ff"


class Rig(ObjectRig):
    """With the masks of demand, which the scripts of a new meter switch as well."""

    def boot(self):
        super().boot()
        demand = self.tariff.demand
        demand_objects.add(
            self.dlms.catalogue, self.tariff, self.dlms.clock, demand._parameters, lambda it: it
        )


@pytest.fixture
def rig():
    return Rig()


def assigned(rig):
    """Class and logical name of each register of energy."""
    return [entry for _, entry in Reader(bytes.fromhex(raw(rig, 6, ENERGY, 2))).data()[1]]


def parameter(e):
    return f"0000800a{e:02x}ff"


def raw(rig, class_id, name, index):
    """An attribute as it is encoded, however many blocks it takes."""
    answer = rig.dlms.apdu(f"c001c1{class_id:04x}{name}{index:02x}00")
    if answer[1] == 1:
        assert answer[3] == 0
        return answer[4:].hex()
    found = b""
    while True:
        assert answer[:2] == b"\xc4\x02"
        last, number = answer[3], int.from_bytes(answer[4:8], "big")
        assert answer[8] == 0
        size, at = answer[9], 10
        if size & 0x80:
            octets = size & 0x7F
            size, at = int.from_bytes(answer[10 : 10 + octets], "big"), 10 + octets
        found += answer[at : at + size]
        if last:
            return found.hex()
        answer = rig.dlms.apdu(f"c002c1{number:08x}")


def season(name, start, week):
    return f"020309{len(name):02x}{name.hex()}090c{start}09{len(week):02x}{week.hex()}"


def week(name, *days):
    return f"020809{len(name):02x}{name.hex()}" + "".join(f"11{day:02x}" for day in days)


def day(number, *actions):
    return f"020211{number:02x}01{len(actions):02x}" + "".join(actions)


def action(time, selector, table=SCRIPTS):
    return f"02030904{time}0906{table}12{selector:04x}"


def array(*parts):
    return f"01{len(parts):02x}" + "".join(parts)


SPRING = "ffff0301ff00000000800000"
HALF = (
    (6, "0904" + b"HOME".hex()),
    (7, array(season(b"S1", SPRING, b"W1"), season(b"S2", "ffff0afe07020000ff8000ff", b"W2"))),
    (8, array(week(b"W1", 1, 1, 1, 1, 1, 2, 2), week(b"W2", *[3] * 7))),
    (
        9,
        array(
            day(1, action("06000000", 1), action("16000000", 2)),
            day(2, action("00000000", 3)),
            day(3),
        ),
    ),
)


def write_half(rig):
    for index, encoded in HALF:
        assert rig.set(20, CALENDAR, index, encoded) == OK


@pytest.mark.row("TOU-04")
def test_the_four_tables_come_out_as_they_went_in_and_activation_copies_them(rig):
    write_half(rig)
    for index, encoded in HALF:
        assert raw(rig, 20, CALENDAR, index) == encoded
        assert raw(rig, 20, CALENDAR, index - 4) != encoded
    assert rig.invoke(20, CALENDAR, 1, "0f00") == OK
    for index, encoded in HALF:
        assert raw(rig, 20, CALENDAR, index - 4) == encoded
    rig.boot()
    for index, encoded in HALF:
        assert raw(rig, 20, CALENDAR, index) == raw(rig, 20, CALENDAR, index - 4) == encoded


@pytest.mark.row("TOU-06")
def test_each_change_of_the_passive_half_and_of_its_start_is_one_event_19(rig):
    changes = [*HALF, (10, "090c07ea0701ff0c000000800000")]
    for number, (index, encoded) in enumerate(changes, 1):
        assert rig.set(20, CALENDAR, index, encoded) == OK
        assert rig.codes().count(event_codes.CALENDAR_CHANGED) == number
    for index, encoded in ((7, "0100ff"), (9, array(day(1), day(1))), (10, "0900"), (6, "1100")):
        assert rig.set(20, CALENDAR, index, encoded) != OK
    assert rig.codes().count(event_codes.CALENDAR_CHANGED) == len(changes)
    assert event_codes.CALENDAR_ACTIVATED not in rig.codes()
    assert rig.invoke(20, CALENDAR, 1, "0f00") == OK
    assert rig.codes().count(event_codes.CALENDAR_ACTIVATED) == 1


@pytest.mark.parametrize(
    ("index", "encoded", "result"),
    [
        (2, "0900", DENIED),
        (6, "0911" + "41" * 17, OTHER),
        (6, "0a0141", UNMATCHED),
        (7, array(season(b"S", "07ea021fff00000000800000", b"W")), OTHER),  # 31 February
        (7, array(season(b"S", "ffff021eff00000000800000", b"W")), OTHER),
        (7, array(season(b"S", "ffff0101ff18000000800000", b"W")), OTHER),  # 24:00
        (7, array(season(b"S", SPRING, b"W"), season(b"S", SPRING, b"V")), OTHER),
        (7, array(season(b"", SPRING, b"W")), OTHER),
        (7, array(season(b"123456789", SPRING, b"W")), OTHER),
        (7, array(*[season(b"S%d" % n, SPRING, b"W") for n in range(13)]), OTHER),
        (7, array("020209015309" + "0c" + SPRING), UNMATCHED),  # no week
        (7, "0105", OTHER),  # ends too early
        (8, array(week(b"W", *[1] * 7), week(b"W", *[2] * 7)), OTHER),
        (8, array(week(b"W", *[1] * 6)), UNMATCHED),
        (8, array(*[week(b"W%d" % n, *[1] * 7) for n in range(13)]), OTHER),
        (9, array(day(1), day(1)), OTHER),
        (9, array(day(1, action("18000000", 1))), OTHER),
        (9, array(day(1, action("ff000000", 1))), OTHER),
        (9, array(day(1, action("06000000", 1, "00000a0063ff"))), UNDEFINED),
        (9, array(day(1, action("06000000", 1, CLOCK))), INCONSISTENT),
        (9, array(day(1, "0203090406000000090600000a0064ff1101")), UNMATCHED),
        (9, array(*[day(n) for n in range(25)]), OTHER),
        (9, array(day(1, *[action("00000000", 1)] * 49)), OTHER),
        (10, "090b07ea0701ff0c0000008000", OTHER),
        (10, "090c07ea021fff0c000000800000", OTHER),
        (10, "1600", UNMATCHED),
    ],
)
def test_a_malformed_calendar_is_refused_and_the_old_one_stays(rig, index, encoded, result):
    write_half(rig)
    before = raw(rig, 20, CALENDAR, index)
    refused = rig.set(20, CALENDAR, index, encoded)
    assert refused == result or (refused != OK and result in (OTHER, UNMATCHED))
    assert raw(rig, 20, CALENDAR, index) == before
    assert rig.invoke(20, CALENDAR, 1, "0f00") == OK  # and the next good request is served


def test_a_half_that_points_nowhere_is_not_activated(rig):
    write_half(rig)
    assert rig.invoke(20, CALENDAR, 1, "0f00") == OK
    active = raw(rig, 20, CALENDAR, 3)
    assert rig.set(20, CALENDAR, 7, array(season(b"S1", SPRING, b"NO"))) == OK
    assert rig.invoke(20, CALENDAR, 1, "0f00") != OK
    assert raw(rig, 20, CALENDAR, 3) == active
    assert rig.invoke(20, CALENDAR, 2, "0f00") != OK


def entry(index, date, number):
    return f"020312{index:04x}0905{date}11{number:02x}"


def test_special_days_are_replaced_inserted_and_deleted(rig):
    table = array(entry(1, "ffff0c19ff", 2), entry(7, "07ea0405ff", 3))
    assert rig.set(11, DAYS, 2, table) == OK
    assert raw(rig, 11, DAYS, 2) == table
    assert rig.invoke(11, DAYS, 1, entry(7, "07ea0406ff", 4)) == OK
    assert rig.invoke(11, DAYS, 1, entry(9, "ffff0c19ff", 5)) == OK  # same date as the first
    assert raw(rig, 11, DAYS, 2) == array(entry(7, "07ea0406ff", 4), entry(9, "ffff0c19ff", 5))
    assert rig.invoke(11, DAYS, 2, "120007") == OK
    for method, encoded in (
        (2, "120007"),
        (2, "1107"),
        (1, entry(1, "07ea021eff", 1)),
        (1, entry(1, "ffff0d01ff", 1)),
        (1, "0202120001090507ea0101ff"),
        (3, "0f00"),
    ):
        assert rig.invoke(11, DAYS, method, encoded) != OK
    many = array(*[entry(n, f"07{0xD0 + n:02x}0101ff", 1) for n in range(44)])
    assert rig.set(11, DAYS, 2, many) == OK
    too_many = array(*[entry(n, "ffffffffff", 1) for n in range(65)])
    assert rig.set(11, DAYS, 2, too_many) == OTHER
    assert raw(rig, 11, DAYS, 2) == many


def write(class_id, name, index, value):
    return f"0205160112{class_id:04x}0906{name}0f{index:02x}{value}"


def call(class_id, name, method, value="0f00"):
    return f"0205160212{class_id:04x}0906{name}0f{method:02x}{value}"


def script(number, *actions):
    return f"020212{number:04x}" + array(*actions)


def mask(*octets):
    return f"09{len(octets):02x}" + bytes(octets).hex()


def test_a_table_of_scripts_is_written_read_and_executed(rig):
    table = array(
        script(3, write(6, ENERGY, 4, mask(0, 5)), write(6, DEMAND, 4, mask(0, 2))),
        script(300, call(20, CALENDAR, 1), write(6, ENERGY, 4, mask(0, 6))),
    )
    assert rig.set(9, SCRIPTS, 2, table) == OK
    assert raw(rig, 9, SCRIPTS, 2) == table
    assert rig.execute(3, SCRIPTS) == OK
    assert (rig.read(6, ENERGY, 4), rig.read(6, DEMAND, 4)) == (b"\0\5", b"\0\2")
    assert rig.execute(300, SCRIPTS) == OK
    assert rig.read(6, ENERGY, 4) == b"\0\6"
    for unknown in (0, 1, 4, 65535):
        assert rig.execute(unknown, SCRIPTS) == UNDEFINED
    assert rig.invoke(9, SCRIPTS, 1, "1103") != OK
    assert rig.read(6, ENERGY, 4) == b"\0\6"


@pytest.mark.parametrize(
    ("table", "result"),
    [
        (array(script(1, call(9, SCRIPTS, 1, "120001"))), DENIED),  # itself
        (array(script(1, write(9, SCRIPTS, 2, "0100"))), DENIED),  # what it stands in
        (array(script(1, write(6, "00000e0009ff", 4, mask(0, 1)))), UNDEFINED),
        (array(script(1, write(3, ENERGY, 4, mask(0, 1)))), INCONSISTENT),
        (array(script(1, write(6, ENERGY, 5, mask(0, 1)))), UNDEFINED),
        (array(script(1, write(6, ENERGY, 0, mask(0, 1)))), UNDEFINED),
        (array(script(1, call(6, ENERGY, 4))), UNDEFINED),
        (array(script(1, write(6, ENERGY, 2, "0100"))), DENIED),  # not writable
        (array(script(1, write(6, ENERGY, 4, "1101"))), UNMATCHED),
        (array(script(1, write(6, ENERGY, 4, mask(0, 1))), script(1)), OTHER),
        (array(script(0)), OTHER),
        (array(*[script(n) for n in range(1, 50)]), OTHER),
        (array(script(1, *[write(6, ENERGY, 4, mask(0, 1))] * 17)), OTHER),
        (array(script(1, write(6, ENERGY, 4, mask(0, 1)).replace("1601", "1603", 1))), OTHER),
        (array(script(1, write(6, ENERGY, 4, "0202" * 40 + "00"))), OTHER),
        ("0102020212000101", OTHER),
        ("020212000101", UNMATCHED),
    ],
)
def test_scripts_that_loop_point_nowhere_or_are_malformed_are_refused(rig, table, result):
    before = raw(rig, 9, SCRIPTS, 2)
    refused = rig.set(9, SCRIPTS, 2, table)
    assert refused == result or (refused != OK and result in (OTHER, UNMATCHED))
    assert raw(rig, 9, SCRIPTS, 2) == before
    assert rig.execute(2, SCRIPTS) == OK
    assert rig.read(6, ENERGY, 4) == b"\0\2"


def test_scripts_that_call_each_other_by_the_tariff_source_come_to_an_end(rig):
    """Each changes the source, and whoever decides then executes the other one."""
    write_half(rig)
    assert rig.invoke(20, CALENDAR, 1, "0f00") == OK
    days = array(*[day(n, action("00000000", 2)) for n in (1, 2, 3)])
    assert rig.set(20, CALENDAR, 9, days) == OK
    assert rig.invoke(20, CALENDAR, 1, "0f00") == OK
    control = rig.tariff.control
    control.has_inputs = True
    control.input_changed(0, 0)  # asks for script 1
    source = parameter(2)
    table = array(
        script(1, write(1, source, 2, "1600"), write(6, ENERGY, 4, mask(0, 1))),
        script(2, write(1, source, 2, "1601"), write(6, ENERGY, 4, mask(0, 2))),
    )
    assert rig.set(9, SCRIPTS, 2, table) == OK
    answer = rig.execute(2, SCRIPTS)
    assert answer in (OK, OTHER)
    assert rig.tariff.clockwork.refused  # the innermost one, at least
    assert rig.read(6, ENERGY, 4) == b"\0\2"
    assert rig.set(9, SCRIPTS, 2, array(script(1, write(6, ENERGY, 4, mask(0, 7))))) == OK
    assert rig.execute(1, SCRIPTS) == OK
    assert rig.read(6, ENERGY, 4) == b"\0\7"


def test_an_action_that_fails_does_not_stop_the_next_and_is_told(rig):
    table = array(script(1, write(6, ENERGY, 4, mask(0, 9)), write(6, DEMAND, 4, mask(0, 4))))
    assert rig.set(9, SCRIPTS, 2, table) == OK
    assert rig.execute(1, SCRIPTS) == OTHER
    assert rig.read(6, DEMAND, 4) == b"\0\4"


def test_register_activation_has_all_its_attributes_and_methods(rig):
    assert len(assigned(rig)) == 88
    assert assigned(rig)[0] == [(18, 3), (9, bytes.fromhex("0100010801ff"))]
    assert rig.invoke(6, ENERGY, 1, "02021200030906" + "0100010801ff") == OK
    assert rig.invoke(6, ENERGY, 1, "02021200030906" + "0100010700ff") == UNDEFINED
    assert rig.invoke(6, ENERGY, 2, "020209044e4f4f4e" + array("1101", "1158")) == OK
    assert rig.set(6, ENERGY, 4, "09044e4f4f4e") == OK
    assert rig.invoke(6, ENERGY, 3, "09044e4f4f4e") != OK  # it is active
    assert rig.set(6, ENERGY, 4, mask(0, 1)) == OK
    assert rig.invoke(6, ENERGY, 3, "09044e4f4f4e") == OK
    assert rig.invoke(6, ENERGY, 3, "09044e4f4f4e") != OK
    for encoded in (
        "020209014e" + array("1100"),
        "020209014e" + array("1159"),
        "02020900" + "0100",
    ):
        assert rig.invoke(6, ENERGY, 2, encoded) != OK
    masks = array("0202" + mask(0, 1) + array("1101"), "0202" + mask(0, 2) + "0100")
    assert rig.set(6, ENERGY, 3, masks) == OK
    assert raw(rig, 6, ENERGY, 3) == masks
    assert rig.set(6, ENERGY, 3, array("0202" + mask(0, 2) + "0100")) != OK  # the active one
    assert rig.set(6, ENERGY, 2, "0100") == DENIED


def test_name_0000_stands_for_no_rate(rig):
    assert rig.set(6, ENERGY, 4, mask(0, 0)) == OK
    assert rig.read(1, "0000600e00ff", 2) == b"\0\0"
    assert rig.tariff.energy.in_force() == 0
    assert rig.invoke(6, ENERGY, 3, mask(0, 0)) != OK
    rig.boot()
    assert rig.read(6, ENERGY, 4) == b"\0\0"


def test_forty_eight_rates_are_an_option(rig):
    number = parameter(9)
    assert rig.read(1, number, 2) == 8
    assert rig.read(3, "0100010809ff", 2) == -UNDEFINED
    for wrong, result in (("1109", OTHER), ("1100", OTHER), ("120030", UNMATCHED)):
        assert rig.set(1, number, 2, wrong) == result
    assert rig.set(1, number, 2, "1130") == OK
    assert rig.read(3, "0100010830ff", 2) == 0
    assert rig.read(3, "0100010831ff", 2) == -UNDEFINED
    assert rig.read(3, "0100020809ff", 2) == -UNDEFINED
    assert len(assigned(rig)) == 128
    assert rig.execute(48, SCRIPTS) == OK
    assert rig.read(6, ENERGY, 4) == b"\0\x30"
    assert rig.set(1, number, 2, "1108") == OK
    assert rig.read(6, ENERGY, 4) == b"\0\1"
    assert rig.execute(48, SCRIPTS) == UNDEFINED
    assert rig.read(3, "0100010809ff", 2) == -UNDEFINED


@pytest.mark.parametrize(
    ("e", "good", "wrong"),
    [
        (
            3,
            "090404030201",
            (("090301020304"[:10], OTHER), ("090400010203", OTHER), ("1104", UNMATCHED)),
        ),
        (
            4,
            "020412be6e12000512003212" + "0004",
            (
                ("020412000012000512003212" + "0004", OTHER),
                ("02031200001200051200", UNMATCHED),
                ("020411010000", UNMATCHED),
            ),
        ),
        (
            6,
            "0103" + "".join("0108" + f"06{wh:08x}" * 8 for wh in (1000, 2000, 0)),
            (
                ("0103" + "".join("0108" + f"06{wh:08x}" * 8 for wh in (1000, 1000, 0)), OTHER),
                ("0102" + "".join("0108" + f"06{wh:08x}" * 8 for wh in (1000, 2000)), OTHER),
                ("0103" + "".join("0108" + f"12{wh:04x}" * 8 for wh in (1, 2, 0)), UNMATCHED),
            ),
        ),
    ],
)
def test_parameters_are_read_as_written_and_wrong_ones_refused(rig, e, good, wrong):
    name = parameter(e)
    assert rig.set(1, name, 2, good) == OK
    for encoded, result in wrong:
        refused = rig.set(1, name, 2, encoded)
        assert refused == result or (refused != OK and result in (OTHER, UNMATCHED))
    rig.boot()
    assert raw(rig, 1, name, 2) == good


def test_the_source_is_refused_without_inputs_and_synchronisation_with_the_calendar(rig):
    assert rig.set(1, parameter(2), 2, "1601") == OTHER
    assert rig.set(1, parameter(1), 2, "1601") == OTHER
    rig.tariff.control.has_inputs = True
    assert rig.set(1, parameter(2), 2, "1601") == OK
    assert rig.set(1, parameter(1), 2, "1601") == OK
    assert rig.set(1, parameter(2), 2, "1600") == OTHER
    assert rig.set(1, parameter(1), 2, "1602") == OTHER
    assert (rig.read(1, parameter(1), 2), rig.read(1, parameter(2), 2)) == (1, 1)


def test_block_registers_stand_beside_the_rates(rig):
    wh = rig.read(3, "0100010801ff", 2)
    for block in (1, 2, 3, 4):
        for rate in range(1, 9):
            name = f"01000180{10 * block + rate:02x}ff"
            assert rig.read(3, name, 2) == (wh if (block, rate) == (1, 1) else 0)
            assert raw(rig, 3, name, 3) == raw(rig, 3, "0100010800ff", 3)
    for name in ("01000180" + e + "ff" for e in ("0a", "13", "14", "1d", "31", "33")):
        assert rig.read(3, name, 2) == -UNDEFINED
