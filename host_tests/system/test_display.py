"""What the glass shows, set by a management client and seen through the faceplate's API."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from gurux_dlms import GXArray, GXDLMSException, GXInt8, GXStructure, GXUInt8, GXUInt16
from gurux_dlms.enums import DataType
from gurux_dlms.objects import (
    GXDLMSCaptureObject,
    GXDLMSData,
    GXDLMSExtendedRegister,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)

AUTO = "0.0.21.0.1.255"
BY_KEY = "0.0.21.0.2.255"
RATES = range(5)
KWH, KVARH, KW, KVAR = ["kWh", "kvarh", "kW", "kvar"]
FRACTION, NAME = r"-?\d\.\d{3}", r"\S+"


def registers(c, d, unit, form, rates=(0,), kind=GXDLMSRegister):
    return [(f"1.0.{c}.{d}.{e}.255", f"{c}.{d}.{e}", unit, form, kind) for e in rates]


# Table 15.3: object, code on the glass, unit, what the value looks like
ENERGY, POWER = r"\d{6}\.\d\d", r"\d{1,6}\.\d\d"
TABLE = [
    ("1.0.0.0.0.255", "0.0.0", "", r"\d{8}", GXDLMSData),
    ("0.0.96.1.0.255", "C.1.0", "", NAME, GXDLMSData),
    ("0.0.96.1.1.255", "C.1.1", "", "UtILItY1", GXDLMSData),
    ("1.0.0.9.1.255", "0.9.1", "", r"\d\d:\d\d:\d\d", GXDLMSData),
    ("1.0.0.9.2.255", "0.9.2", "", r"2026\.03\.02", GXDLMSData),
    *[row for c in (1, 2, 15) for row in registers(c, 8, KWH, ENERGY, RATES)],
    *[row for c in (3, 4, 5, 6, 7, 8) for row in registers(c, 8, KVARH, ENERGY, (0, 1, 4))],
    *[row for c in (1, 2) for row in registers(c, 6, KW, POWER, RATES, GXDLMSExtendedRegister)],
    ("0.0.97.97.0.255", "F.F.0", "", "00000000", GXDLMSData),
    *[row for c in (32, 52, 72) for row in registers(c, 7, "V", r"2[23]\d\.\d")],
    *[row for c in (31, 51, 71) for row in registers(c, 7, "A", r"5\.0\d|4\.9\d")],
    *[row for c in (33, 53, 73) for row in registers(c, 7, "", FRACTION)],
    *[row for c in (34, 54, 74) for row in registers(c, 7, "Hz", r"50\.0\d|49\.99")],
    ("0.0.96.6.3.255", "C.6.3", "V", r"\d\.\d", GXDLMSRegister),
    *[row for c in (1, 2) for row in registers(c, 7, KW, POWER)],
    *[row for c in (3, 4) for row in registers(c, 7, KVAR, POWER)],
    # the quality of a modem's signal, which this meter has not
    ("0.0.25.6.0.255", "25.6.0", "", "Error 23", GXDLMSData),
]


class Glass:
    """The meter, its client and its glass; time goes only when asked."""

    def __init__(self, meter):
        self.meter = meter
        transport = clients.Socket(meter.ports["cosem"])
        self.client = clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET).connect()

    def pass_time(self, seconds):
        self.meter.post("/api/advance", seconds=seconds)

    @property
    def shown(self):
        return self.meter.get("/api/lcd")

    def put(self, name, value, kind):
        item = GXDLMSData(name)
        item.value = value
        item.setDataType(2, kind)
        self.client.write(item, 2)

    def show(self, objects, name=AUTO):
        """Write a display list of (logical name, class of gurux[, attribute])."""
        profile = GXDLMSProfileGeneric(name)
        for logical_name, kind, *index in objects:
            captured = GXDLMSCaptureObject(index[0] if index else 2, 0)
            profile.captureObjects.append((kind(logical_name), captured))
        self.client.write(profile, 3)

    def press(self):
        self.meter.post("/api/key", key="scroll", ms=300)
        self.pass_time(1.5)

    def items(self, count):
        """Value and unit of so many items of the automatic list, by code; 1 s each."""
        found = {}
        for _ in range(3 * count):
            shown = self.shown
            found[shown["code"]] = (shown["value"], shown["unit"])
            if len(found) == count:
                break
            self.pass_time(0.5)
        return found


@pytest.fixture
def glass(start_meter):
    meter = start_meter("--rate", "0", "--fresh", "--time", "2026-03-02T12:00:00")
    meter.post("/api/mains", phases=[{"u": 230, "i": 5, "phi_deg": 30}] * 3)
    glass = Glass(meter)
    glass.pass_time(8)  # behind the test of the segments
    glass.put("1.0.129.1.10.255", 1, DataType.UINT16)
    glass.pass_time(10)  # the first item had come for longer
    return glass


@pytest.mark.row("DSP-27", "DSP-09", "DSP-10", "DSP-11", "DSP-13", "DSP-15", "ERR-13")
def test_each_code_of_the_table_stands_on_the_glass_with_its_unit(glass):
    glass.put("0.0.96.1.1.255", b"UtILItY1", DataType.OCTET_STRING)
    for start in range(0, len(TABLE), 32):
        part = TABLE[start : start + 32]
        glass.show([(name, kind) for name, _, _, _, kind in part])
        glass.pass_time(1.5)  # what the list before had shows no more
        found = glass.items(len(part))
        for name, code, unit, form, _ in part:
            assert code in found, (name, sorted(found))
            value, shown_unit = found[code]
            assert shown_unit == unit, name
            assert re.fullmatch(form, value, re.IGNORECASE), (name, value)


def open_switch(glass, unlocked):
    glass.meter.post("/api/cover", cover="meter", open=True)
    glass.meter.post("/api/lock", locked=not unlocked)
    glass.pass_time(2)


@pytest.mark.row("DSP-06", "DSP-08", "DSP-19", "PRD-14")
def test_formats_are_set_while_the_parameter_switch_is_open(glass):
    glass.show([("1.0.32.7.0.255", GXDLMSRegister), ("1.0.1.7.0.255", GXDLMSRegister)])
    glass.pass_time(2)
    assert re.fullmatch(r"2[23]\d\.\d", glass.items(2)["32.7.0"][0])
    voltage = "1.0.129.1.61.255"
    with pytest.raises(GXDLMSException, match="denied"):
        glass.put(voltage, 3, DataType.UINT8)
    open_switch(glass, True)
    glass.put(voltage, 3, DataType.UINT8)
    glass.put("0.0.196.1.5.255", 0b0100, DataType.UINT8)
    name = bytes((1, 0, 1, 7, 0, 255))
    own = GXStructure()
    own.extend([GXUInt16(3), name, GXInt8(2), GXUInt8(5), GXUInt8(0), True])
    items = GXArray()
    items.append(own)
    glass.put("0.0.196.1.10.255", items, DataType.ARRAY)
    glass.pass_time(2)
    shown = glass.items(2)
    assert re.fullmatch(r"02[23]\d\.\d{3}|002[23]\d\.\d{3}", shown["32.7.0"][0])
    assert re.fullmatch(r"0000[23]", shown["1.7.0"][0])
    open_switch(glass, False)
    with pytest.raises(GXDLMSException, match="denied"):
        glass.put(voltage, 1, DataType.UINT8)


@pytest.mark.row("DSP-24", "DSP-26", "DSP-33", "DSP-34")
def test_a_client_sends_a_message_switches_off_and_chooses_a_language(glass):
    glass.show([("1.0.1.8.0.255", GXDLMSRegister), ("0.0.96.1.1.255", GXDLMSData)])
    glass.pass_time(2)
    marked = {}
    for _ in range(6):
        marked[glass.shown["code"]] = "LR" in glass.shown["cursors"]
        glass.pass_time(0.5)
    assert marked == {"1.8.0": True, "C.1.1": False}
    glass.put("0.0.96.13.1.255", b"tESt123", DataType.OCTET_STRING)
    glass.pass_time(130)
    assert (glass.shown["code"], glass.shown["value"]) == ("C.13.1", "tESt123")
    glass.put("0.0.96.13.1.255", b"tESt 100 %", DataType.OCTET_STRING)
    glass.pass_time(2)
    assert glass.shown["value"].upper() == "ERROR 31"
    glass.press()
    assert glass.shown["code"] in marked
    glass.put("0.0.196.1.4.255", False, DataType.BOOLEAN)
    glass.pass_time(1)
    assert set("".join(glass.shown["rows"])) == {"."}
    glass.put("0.0.196.1.4.255", True, DataType.BOOLEAN)
    glass.pass_time(9)
    assert glass.shown["code"] in marked
    for language, word in ((1, "dAtEn"), (2, "PodACi"), (3, "StAnJA"), (0, "Std dAtA")):
        glass.put("0.0.196.1.6.255", language, DataType.ENUM)
        glass.press()
        glass.press()
        assert glass.shown["value"].upper() == word.upper()
        glass.meter.post("/api/key", key="scroll", ms=5500)
        glass.pass_time(7)


@pytest.mark.row("FRD-05", "ERR-13", "DSP-11", "DSP-28")
def test_fraud_lights_ff_until_a_client_clears_or_filters_it(glass):
    glass.pass_time(2)
    assert "FF" not in glass.shown["cursors"]
    glass.meter.post("/api/magnet", on=True)
    glass.pass_time(4)
    assert "FF" in glass.shown["cursors"]
    glass.meter.post("/api/magnet", on=False)
    glass.pass_time(4)
    assert "FF" in glass.shown["cursors"]
    glass.put("0.0.196.97.10.255", 1 << 31, DataType.UINT32)
    glass.pass_time(2)
    assert "FF" not in glass.shown["cursors"]
    glass.put("0.0.196.97.10.255", 0, DataType.UINT32)
    glass.pass_time(2)
    assert "FF" in glass.shown["cursors"]
    glass.put("0.0.97.97.0.255", 0, DataType.UINT32)
    glass.pass_time(2)
    assert "FF" not in glass.shown["cursors"]


@pytest.mark.row("DSP-03")
def test_a_phase_that_flows_back_blinks_alone(glass):
    glass.pass_time(2)
    assert glass.shown["phases"] == ["L1", "L2", "L3"]
    phases = [{"phi_deg": 30}, {"phi_deg": 180}, {"phi_deg": 30}]
    glass.meter.post("/api/mains", phases=phases)
    glass.pass_time(2)
    seen = set()
    for _ in range(8):
        seen.add(tuple(glass.shown["phases"]))
        glass.pass_time(0.5)
    assert seen == {("L1", "L2", "L3"), ("L1", "L3")}
    glass.meter.post("/api/mains", phases=[{"i": 0}, {"i": 0, "u": 398}, {"i": 0, "u": 398}])
    glass.pass_time(2)
    seen = set()
    for _ in range(8):
        seen.add(tuple(glass.shown["phases"]))
        glass.pass_time(0.5)
    assert seen == {("L1", "L2", "L3"), ()}


@pytest.mark.row("DSP-12", "DSP-17")
def test_a_list_of_sixty_four_entries_that_are_all_wrong(glass):
    wrong = [(f"1.0.199.99.{e}.255", GXDLMSRegister) for e in range(62)]
    profile = ("1.0.99.1.0.255", GXDLMSProfileGeneric)
    scripts = ("0.0.1.0.0.255", GXDLMSRegister)  # another class than it has
    glass.show([*wrong, profile, scripts])
    glass.pass_time(1.5)
    shown = glass.items(64)
    assert shown.pop("P.1.0")[0].upper() == "ERROR 11"
    assert {value.upper() for value, _ in shown.values()} == {"ERROR 23"}
    with pytest.raises(GXDLMSException):
        glass.show([*wrong, profile, scripts, scripts])
