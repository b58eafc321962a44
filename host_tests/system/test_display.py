"""What the glass shows, set by a management client and seen through the faceplate's API."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
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
