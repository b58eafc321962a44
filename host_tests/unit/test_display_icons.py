"""The icons of the screen model, and the consumer's items: contact details, price."""

import sys
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

from display_rig import Bench, Console, name
from faceplate import glass
from fram_fake import Memory
from lcd_double import Lcd

from app import axdr
from app.attributes import Reference
from app.battery import Battery
from app.display import indicators, words
from app.display.indicators import ARMED, BATTERY, CLOSED, CONTACTOR, FLAT, LINK, NO_ICON, OPEN
from app.display.status import MeterStatus
from app.display.view import View
from app.settings import Settings

CONTACT = name(196, 1, 8, 0)
PRICE = name(19, 20, 0, 0)

# every state of every icon and what an eye reads
SHOWN = [
    ("wan", LINK, "no signal"),
    *[("wan", LINK + bars, f"{bars} bar{'s' * (bars > 1)}") for bars in range(1, 5)],
    ("han", LINK, "no signal"),
    ("han", LINK + 4, "4 bars"),
    ("battery", FLAT, "flat"),
    ("contactor", OPEN, "open"),
    ("contactor", CLOSED, "closed"),
    ("contactor", ARMED, "armed"),
    ("contactor_2", ARMED, "armed"),
    ("load_relay", OPEN, "open"),
    ("load_relay", CLOSED, "closed"),
]


@pytest.mark.row("DSP-31")
@pytest.mark.parametrize(("icon", "state", "read"), SHOWN)
def test_each_state_of_each_icon_is_shown_and_goes_again(icon, state, read):
    lcd = Lcd()
    drawn = View(lcd)
    icons = indicators.Indicators()
    icons.icon(indicators.ICONS.index(icon), state)
    drawn.value("12345678")
    drawn.indicate(icons.lit(True), icons.lit_icons(True))
    drawn.flush()
    assert glass.decode(lcd.sent)["icons"] == {icon: read}
    assert glass.decode(lcd.sent)["value"] == "12345678"
    icons.clear()
    drawn.indicate(icons.lit(True), icons.lit_icons(True))
    drawn.flush()
    assert glass.decode(lcd.sent)["icons"] == {}


def test_no_two_states_look_alike_and_nothing_overlaps():
    lcd = Lcd()
    drawn = View(lcd)
    drawn.test(0)
    drawn.indicate(indicators.ALL)
    others = bytes(lcd.buffer)
    drawn.clear()
    seen = []
    for icon in range(len(indicators.ICONS)):
        for state in range(1, (indicators.ALL_ICONS >> 3 * icon & 7) + 1):
            drawn.indicate(0, state << 3 * icon)
            dots = bytes(lcd.buffer)
            assert any(dots) and dots not in seen
            assert not any(one & other for one, other in zip(dots, others)), (icon, state)
            seen.append(dots)


class _Cell:
    """The clock's battery, and the clock that events are told to."""

    invalid = False

    def __init__(self):
        self.mv = 3600
        self.events = []
        self.on_change = []
        self.tell = self.events.append

    def voltage_mv(self):
        return self.mv

    def utc_s(self):
        return 0

    def every(self, _period_s, _due):
        return self

    def hasten(self, _utc_s):
        pass


class _Measured:
    phases = 3
    counting = False
    u_uv = [230_000_000] * 3
    p_uw = [0, 0, 0]


@pytest.mark.row("DSP-31")
def test_a_low_battery_blinks_and_a_dead_one_lasts():
    cell = _Cell()
    battery = Battery(cell, cell, Settings(Memory()))
    status = MeterStatus(_Measured(), _Measured(), 230, cell)
    status.battery_low = lambda: battery.low or battery.worn
    status.battery_dead = lambda: battery.dead

    def shown():
        battery.test()
        found = indicators.Indicators()
        status(found)
        return [found.lit_icons(phase) >> 3 * BATTERY & 7 for phase in (True, False)]

    for mv, states in (
        (3600, [NO_ICON, NO_ICON]),
        (3000, [NO_ICON, NO_ICON]),
        (2999, [FLAT, NO_ICON]),
        (2300, [FLAT, NO_ICON]),
        (2299, [FLAT, FLAT]),
        (0, [FLAT, FLAT]),
        (3600, [NO_ICON, NO_ICON]),
    ):
        cell.mv = mv
        assert shown() == states, mv
    battery.worn = True  # to be replaced soon
    assert shown() == [FLAT, NO_ICON]


@pytest.mark.row("DSP-31")
def test_the_display_blinks_an_icon_as_it_does_a_cursor():
    bench = Bench()
    plain = bench.status
    state = [FLAT, True]

    def status(shown):
        plain(shown)
        shown.icon(BATTERY, *state)
        shown.icon(CONTACTOR, ARMED)

    bench.display._status = status
    bench.run(7)
    seen = []
    for _ in range(8):
        seen.append(bench.shown["icons"])
        bench.run(0.5)
    both = {"battery": "flat", "contactor": "armed"}
    assert seen[::2] == [both] * 4 or seen[1::2] == [both] * 4
    assert seen.count({"contactor": "armed"}) == 4
    state[1] = False
    bench.run(3)
    assert bench.shown["icons"] == both
    # no icon stands beside the test of all segments but all of them
    bench.press()
    assert set(bench.shown["icons"]) <= set(indicators.ICONS)


def walk(console):
    """The words of the menu that is open, from its first entry on."""
    found = [console.value]
    while found[-1] != "End":
        found.append(console.short())
    console.short()
    return found


@pytest.fixture
def console():
    console = Console()
    console.short()
    return console


@pytest.mark.row("DSP-31")
def test_contact_details_are_in_the_menu_once_there_are_some(console):
    console.short()
    assert walk(console) == ["Std dAtA", "End"]
    console.values[CONTACT] = (b"", 0, 255)
    assert walk(console) == ["Std dAtA", "End"]
    console.values[CONTACT] = (b"StrOn AG 0800 123456", 0, 255)
    assert walk(console) == ["Std dAtA", "ContACt", "End"]
    assert console.short() == "ContACt"
    console.long()
    assert console.code == "196.1.8"
    seen = []
    for _ in range(14):
        seen.append(console.value)
        console.run(1)
    assert seen[0].startswith("Stron") and any(one.endswith("123456") for one in seen)
    assert console.short() == "End"


def unit_charge(*prices, scale=-3):
    """Attribute 5 of a charge: IEC 62056-6-2, charge_per_unit_scaling, reference, table."""
    table = [
        (axdr.STRUCTURE, [(axdr.OCTET_STRING, index), (axdr.INT16, price)])
        for index, price in prices
    ]
    return [
        (axdr.STRUCTURE, [(axdr.INT8, 3), (axdr.INT8, scale)]),
        (axdr.STRUCTURE, [(axdr.UINT16, 3), (axdr.OCTET_STRING, name(1, 8, 0)), (axdr.INT8, 2)]),
        (axdr.ARRAY, table),
    ]


@pytest.mark.row("DSP-31")
def test_the_price_of_the_rate_in_force_is_shown(console):
    console.short()
    console.values[PRICE] = (unit_charge((b"\x01", 28450), (b"\x02", 19005)), 0, 255)
    assert walk(console) == ["Std dAtA", "PriCE", "End"]
    rate = [2]
    console.display.item.rate = lambda: rate[0]
    console.short()
    console.long()
    assert (console.code, console.value) == ("19.20.0", "19.005")
    rate[0] = 1
    console.run(2)
    assert console.value == "28.450"
    rate[0] = 3  # the table has no price for it
    console.run(2)
    assert console.value == "Error 31"
    console.values[PRICE] = (unit_charge((b"", 125), scale=-2), 0, 255)
    console.run(2)
    assert console.value == "1.25"  # one price for all


@pytest.mark.parametrize(
    "value", [7, b"12", [], unit_charge(), [(1, 2)], unit_charge((b"", 1), (b"", 2))]
)
def test_a_price_that_is_none_is_error_31(value):
    bench = Bench()
    bench.general.items[:] = [Reference(113, PRICE, 5)]
    bench.values[PRICE] = (value, 0, 255)
    bench.run(7)
    assert bench.value == "Error 31"


def test_without_their_objects_a_list_says_error_23():
    bench = Bench()
    bench.general.items[:] = [Reference(113, PRICE, 5)]
    bench.run(7)
    assert bench.value == "Error 23"
    assert words.ENGLISH[words.PRICE] == "PrICE"
