"""Objects of demand as clients see them: classes 3, 4, 5 and 6 (IEC 62056-62, Blue Book)."""

import struct
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from demand_rig import DemandRig

import civil
from app import axdr
from app.attributes import OBJECT_UNDEFINED, READ_WRITE_DENIED, Reference, Resolver
from app.cosem import access, demand_objects, factory_values
from app.cosem.catalogue import Catalogue
from app.display.formats import Formats
from app.display.reading import Item
from app.display.reading_objects import AttributeReader
from app.errors import AccessRefused, TypeUnmatched
from app.parameters import PERIODS_1
from app.tariff.activation import Activation, rate_name
from app.tariff.maxima import RATE_REGISTERS, RATES, mask_of_rate

START = civil.utc_s(2026, 1, 5, 12)
CODES = (1, 2, 3, 4, 9, 10, 15)
W, VA, VAR, A = 27, 28, 29, 33
NO_TIME = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00\xff"


class Parts:
    """What of the tariff has objects here."""

    def __init__(self, rig):
        self.demand = rig.demand
        self.currents = rig.currents
        self.demand_masks = Activation(
            rig.clock_rig.settings,
            "demand_masks",
            RATE_REGISTERS,
            mask_of_rate,
            RATES,
            rig.demand.maxima.switch,
        )


class Objects:
    def __init__(self):
        self.rig = DemandRig(START - 180)
        self.rig.until(START)
        self.catalogue = Catalogue(access.make_clients())
        demand_objects.add(
            self.catalogue, Parts(self.rig), self.rig.clock, self.rig.parameters, int
        )
        self.resolver = Resolver()
        self.resolver.bind(self.catalogue.find)

    def reference(self, code, class_id, index):
        name = bytes(int(part) for part in code.split(".")) + b"\xff"
        return Reference(class_id, name, index)

    def read(self, code, class_id, index):
        return self.resolver.read(self.reference(code, class_id, index))

    def write(self, code, class_id, index, encoded):
        self.resolver.write(self.reference(code, class_id, index), encoded)

    def call(self, code, index):
        self.resolver.execute(self.reference(code, 5, index), b"\x0f\x00")


@pytest.fixture
def objects():
    return Objects()


def time_of(utc_s):
    year, month, day, weekday, hour, minute, second = civil.parts(utc_s)
    return struct.pack(">HBBBBBBBhB", year, month, day, weekday, hour, minute, second, 0, 0, 0)


@pytest.mark.row("DEM-01", "DEM-04")
def test_a_demand_register_shows_its_nine_attributes(objects):
    rig = objects.rig
    rig.load(1000)
    rig.until(START + 1350)
    code = "1.0.1.4.0"
    assert objects.read(code, 5, 1) == (axdr.OCTET_STRING, b"\x01\x00\x01\x04\x00\xff")
    tag, current = objects.read(code, 5, 2)
    assert (tag, current) == (axdr.UINT32, pytest.approx(5000, abs=4))
    assert objects.read(code, 5, 3) == (axdr.UINT32, pytest.approx(10_000, abs=2))
    assert objects.read(code, 5, 4)[1] == [(axdr.INT8, -1), (axdr.ENUM, W)]
    assert objects.read(code, 5, 5) == (axdr.UINT8, 0)
    assert objects.read(code, 5, 6) == (axdr.OCTET_STRING, time_of(START + 900))
    assert objects.read(code, 5, 7) == (axdr.OCTET_STRING, time_of(START + 900))
    assert objects.read(code, 5, 8) == (axdr.UINT32, 900)
    assert objects.read(code, 5, 9) == (axdr.UINT16, 1)
    assert objects.read("1.0.1.5.0", 3, 2) == objects.read(code, 5, 3)


@pytest.mark.row("DEM-01", "DEM-04", "DEM-05")
def test_all_registers_are_there_with_their_units(objects):
    units = (W, W, VAR, VAR, VA, VA, W)
    for c, unit in zip(CODES, units, strict=True):
        assert objects.read(f"1.0.{c}.4.0", 5, 4)[1][1] == (axdr.ENUM, unit)
        assert objects.read(f"1.0.{c}.5.0", 3, 3)[1][1] == (axdr.ENUM, unit)
        for e in range(9):
            assert objects.read(f"1.0.{c}.6.{e}", 4, 3)[1] == [(axdr.INT8, -1), (axdr.ENUM, unit)]
            assert objects.read(f"1.0.{c}.6.{e}", 4, 2) == (axdr.UINT32, 0)
            assert objects.read(f"1.0.{c}.6.{e}", 4, 5) == (axdr.OCTET_STRING, NO_TIME)
    for absent in (
        "1.0.5.4.0",
        "1.0.1.4.1",
        "1.0.1.6.9",
        "1.0.16.5.0",
        "1.0.91.4.0",
        "1.0.2.24.0",
    ):
        with pytest.raises(AccessRefused) as refused:
            objects.read(absent, 5, 2)
        assert refused.value.result == OBJECT_UNDEFINED


def test_every_register_is_listed_once_and_found_where_it_is_listed(objects):
    entries = list(objects.catalogue.entries())
    assert len(entries) == 7 + 3 + 8 + 64 + 3 + 1
    assert len({entry[0] for entry in entries}) == len(entries)
    for name, handler, key, group in entries:
        assert objects.catalogue.find(name) == (handler, key, group)


@pytest.mark.row("MET-16")
def test_the_net_average_has_a_sign(objects):
    rig = objects.rig
    rig.load(-3000)
    rig.until(START + 901)
    assert objects.read("1.0.1.24.0", 5, 3) == (axdr.UINT32, 0)
    assert objects.read("1.0.15.24.0", 5, 3) == (axdr.UINT32, pytest.approx(30_000, abs=2))
    assert objects.read("1.0.16.24.0", 5, 3) == (axdr.INT32, pytest.approx(-30_000, abs=2))
    assert objects.read("1.0.16.24.0", 5, 2)[1] < 0


@pytest.mark.row("DEM-05")
def test_a_maximum_shows_when_it_was(objects):
    rig = objects.rig
    rig.load(1000)
    rig.until(START + 901)
    for e in (0, 1):
        assert objects.read(f"1.0.1.6.{e}", 4, 2) == (axdr.UINT32, pytest.approx(10_000, abs=2))
        assert objects.read(f"1.0.1.6.{e}", 4, 5) == (axdr.OCTET_STRING, time_of(START + 900))
        assert objects.read(f"1.0.1.6.{e}", 4, 4) == (axdr.UINT8, 0)
    for index, encoded in ((2, b"\x06\0\0\0\0"), (5, b"\x00")):
        with pytest.raises(AccessRefused):
            objects.write("1.0.1.6.0", 4, index, encoded)
    with pytest.raises(AccessRefused):
        objects.resolver.execute(objects.reference("1.0.1.6.0", 4, 1), b"\x0f\x00")


@pytest.mark.row("MET-18", "MET-19")
def test_power_factors_are_thousandths_without_unit(objects):
    assert objects.read("1.0.13.5.0", 3, 2) == (axdr.UINT16, 1000)
    assert objects.read("1.0.13.5.0", 3, 3)[1] == [(axdr.INT8, -3), (axdr.ENUM, 255)]
    assert objects.read("1.0.13.3.0", 4, 2) == (axdr.UINT16, 1000)
    assert objects.read("1.0.13.3.0", 4, 3)[1] == [(axdr.INT8, -3), (axdr.ENUM, 255)]
    objects.rig.load(500, 1000)
    objects.rig.until(START + 901)
    assert objects.read("1.0.13.5.0", 3, 2)[1] == objects.read("1.0.13.3.0", 4, 2)[1] == 500


def test_methods_act_on_their_register_only(objects):
    rig = objects.rig
    rig.load(1000)
    rig.until(START + 1000)
    objects.call("1.0.1.4.0", 1)
    assert objects.read("1.0.1.4.0", 5, 3)[1] == 0
    assert objects.read("1.0.15.4.0", 5, 3)[1] != 0
    objects.call("1.0.15.4.0", 2)
    assert objects.read("1.0.15.4.0", 5, 6)[1] == time_of(START + 1000)
    for wrong in (0, 3):
        with pytest.raises(AccessRefused):
            objects.call("1.0.1.4.0", wrong)
    with pytest.raises(TypeUnmatched):
        objects.resolver.execute(objects.reference("1.0.1.4.0", 5, 1), b"\x09\x00")


@pytest.mark.row("MET-29", "DEM-02")
def test_periods_are_parameters_and_shared(objects):
    objects.write("1.0.2.4.0", 5, 8, b"\x06\0\0\x01\x2c")
    objects.write("1.0.9.4.0", 5, 9, b"\x12\0\x03")
    assert objects.read("1.0.1.4.0", 5, 8) == (axdr.UINT32, 300)
    assert objects.read("1.0.1.4.0", 5, 9) == (axdr.UINT16, 3)
    assert objects.read("1.0.1.24.0", 5, 8) == (axdr.UINT32, 900)
    for index, encoded in (
        (8, b"\x06\0\0\x02\xbc"),  # 700 s
        (8, b"\x06\xff\xff\xff\xff"),
        (9, b"\x12\0\x00"),
        (9, b"\x12\0\x10"),
    ):
        with pytest.raises(ValueError):
            objects.write("1.0.1.4.0", 5, index, encoded)
    for index, encoded in ((8, b"\x12\x01\x2c"), (9, b"\x06\0\0\0\1")):
        with pytest.raises(TypeUnmatched):
            objects.write("1.0.1.4.0", 5, index, encoded)
    objects.rig.parameters.lock.locked = lambda: True
    with pytest.raises(AccessRefused) as refused:
        objects.write("1.0.1.4.0", 5, 9, b"\x12\0\x01")
    assert refused.value.result == READ_WRITE_DENIED
    assert objects.rig.parameters.get(PERIODS_1) == 3


@pytest.mark.row("MET-29", "DEM-09")
def test_both_measuring_periods_are_objects(objects):
    add = factory_values.add_parameters
    add(objects.catalogue, objects.rig.parameters, objects.rig.clock, (None, None), False)
    assert objects.read("1.0.0.8.0", 1, 2) == (axdr.UINT16, 900)
    objects.write("1.0.0.8.0", 1, 2, b"\x12\x01\x2c")
    assert objects.read("1.0.1.4.0", 5, 8) == (axdr.UINT32, 300)
    objects.write("1.0.0.8.2", 1, 2, b"\x12\x00\x3c")
    assert objects.read("1.0.16.24.0", 5, 8) == (axdr.UINT32, 60)
    with pytest.raises(ValueError):
        objects.write("1.0.0.8.0", 1, 2, b"\x12\x02\xbc")
    item = Item(Formats())
    item.refresh(objects.reference("1.0.0.8.0", 1, 2), AttributeReader(objects.resolver), True)
    assert (item.code, item.value) == ("0.8.0", "300")


@pytest.mark.row("MET-21")
def test_the_sliding_current_is_whole_amperes_rounded_down(objects):
    rig = objects.rig
    rig.engine.quantities.i_ua[:] = [20_900_000, 999_000, 100_000_000]
    rig.run(85)
    assert objects.read("1.0.31.4.0", 5, 3)[1] < 20
    rig.run(6.5)
    assert [objects.read(f"1.0.{c}.4.0", 5, 3) for c in (31, 51, 71)] == [
        (axdr.UINT16, 20), (axdr.UINT16, 0), (axdr.UINT16, 100)
    ]  # fmt: skip
    assert objects.read("1.0.31.4.0", 5, 2) == (axdr.UINT16, 20)
    assert objects.read("1.0.31.4.0", 5, 4)[1] == [(axdr.INT8, 0), (axdr.ENUM, A)]
    assert objects.read("1.0.31.4.0", 5, 8) == (axdr.UINT32, 1)
    assert objects.read("1.0.31.4.0", 5, 9) == (axdr.UINT16, 90)
    now_s = rig.clock.utc_s()
    captured = [time_of(now_s - late_s) for late_s in (0, 1, 2)]
    assert objects.read("1.0.31.4.0", 5, 6)[1] in captured
    for index, encoded in ((8, b"\x06\0\0\0\2"), (9, b"\x12\0\x02")):
        with pytest.raises(AccessRefused):
            objects.write("1.0.31.4.0", 5, index, encoded)
    with pytest.raises(AccessRefused):
        objects.call("1.0.31.4.0", 2)
    objects.call("1.0.31.4.0", 1)
    assert objects.read("1.0.31.4.0", 5, 3)[1] == 0
    assert objects.read("1.0.71.4.0", 5, 3)[1] == 100


@pytest.mark.row("TOU-09")
def test_the_assignment_names_56_extended_registers(objects):
    handler, key, _ = objects.catalogue.find(b"\x00\x00\x0e\x00\x02\xff")
    writer = axdr.Writer(bytearray(4096))
    for _ in handler.read(writer, key, 2, None):
        pass
    _, entries = axdr.Reader(writer.buffer, 0, writer.at).data()
    named = [(entry[1][0][1], entry[1][1][1]) for entry in entries]
    assert named == [
        (4, bytes((1, 0, c, 6, e, 255))) for c in CODES for e in range(1, 9)
    ]  # fmt: skip
    objects.write("0.0.14.0.2", 6, 4, b"\x09\x02" + rate_name(3))
    objects.rig.load(1000)
    objects.rig.until(START + 901)
    grown = [e for e in range(9) if objects.read(f"1.0.1.6.{e}", 4, 2)[1]]
    assert grown == [0, 3]


def test_a_transformers_ratio_is_in_every_value(objects):
    """The totals are primary already; only the currents are measured as they are."""
    file = demand_objects.CurrentFile(objects.rig.currents, objects.rig.clock, lambda i: 40 * i)
    objects.rig.engine.quantities.i_ua[:] = [5_000_000] * 3
    objects.rig.run(91)
    assert file.value(0) == 200
