"""What is set of the display through its objects, with the parameter switch open and closed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import Rig

from app import axdr
from app.attributes import READ_WRITE_DENIED, Reference
from app.cosem import display_values
from app.display import formats, options
from app.errors import MeterError
from app.parameters import ParameterLock
from app.settings import Settings

ENERGY = bytes((1, 0, 1, 8, 0, 255))


class Pin:
    level = 1

    def value(self):
        return self.level


class DisplayRig(Rig):
    def __init__(self, memory=None, transformer=False):
        super().__init__(memory=memory)
        self.switch = Pin()
        self.forms = formats.Formats(self.settings.get, transformer)
        self.options = options.Options(self.settings)
        lock = ParameterLock(self.switch)
        display_values.add(self.catalogue, self.settings, lock, self.forms, self.options)

    def reference(self, code):
        a, _, rest = code.partition("-")
        b, _, rest = rest.partition(":")
        name = bytes([int(a), int(b), *(int(group) for group in rest.split(".")), 255])
        return Reference(1, name, 2)

    def read(self, code):
        writer = axdr.Writer(bytearray(4096))
        handler, key, _ = self.catalogue.find(self.reference(code).logical_name)
        for _ in handler.read(writer, key, 2, None) or ():
            pass
        return axdr.Reader(writer.buffer, 0, writer.at).data()[1]

    def write(self, code, tag, value):
        writer = axdr.Writer(bytearray(4096))
        writer.data(tag, value)
        self.resolver.write(self.reference(code), writer.buffer[: writer.at])

    def refuses(self, code, tag, value):
        before = self.read(code)
        with pytest.raises((MeterError, ValueError)) as refusal:
            self.write(code, tag, value)
        assert self.read(code) == before
        return getattr(refusal.value, "result", None)

    def energy(self, watt_hours):
        return self.forms.number(watt_hours, 0, 30)[0]


@pytest.fixture
def rig():
    return DisplayRig()


def item(class_id=3, name=ENERGY, index=2, digits=8, decimals=3, zeros=False):
    return (
        axdr.STRUCTURE,
        [
            (axdr.UINT16, class_id),
            (axdr.OCTET_STRING, name),
            (axdr.INT8, index),
            (axdr.UINT8, digits),
            (axdr.UINT8, decimals),
            (axdr.BOOLEAN, zeros),
        ],
    )


@pytest.mark.row("DSP-06")
def test_formats_of_energy_and_demand_hold_at_once_and_over_a_restart(rig):
    assert (rig.read("0-0:196.1.1"), rig.read("0-0:196.1.2")) == (0x82, 0x82)
    assert rig.energy(1234567) == "001234.56"
    rig.write("0-0:196.1.1", axdr.UINT8, 0x60)
    rig.write("0-0:196.1.2", axdr.UINT8, 0x42)
    assert rig.energy(1234567) == "001234"
    assert rig.forms.number(-35790, 0, 27)[0] == "-35.79"
    again = DisplayRig(rig.memory)
    assert (again.read("0-0:196.1.1"), again.read("0-0:196.1.2")) == (0x60, 0x42)
    assert again.energy(1234567) == "001234"
    for octet in (0x00, 0x02, 0x92, 0x84, 0x11, 0x33, 0xFF):
        rig.refuses("0-0:196.1.1", axdr.UINT8, octet)
    rig.refuses("0-0:196.1.1", axdr.UINT16, 0x82)


@pytest.mark.row("DSP-08")
def test_decimals_of_each_quantity_and_leading_zeros(rig):
    codes = [f"1-0:129.1.{e}" for e in (51, 52, 61, 62)]
    assert [rig.read(code) for code in codes] == [2, 2, 1, 2]
    transformer = DisplayRig(transformer=True)
    assert [transformer.read(code) for code in codes] == [2, 3, 1, 2]
    assert rig.read("0-0:196.1.5") == 1
    rig.write("0-0:196.1.5", axdr.UINT8, 0)
    assert rig.energy(11035) == "11.03"
    for code, decimals in zip(codes, (3, 0, 2, 3)):
        rig.write(code, axdr.UINT8, decimals)
        assert rig.read(code) == decimals
    assert rig.read("0-0:196.1.1") == 0x83  # the digits stay
    number = rig.forms.number
    assert [number(11035, 0, 30)[0], number(11035, 0, 27)[0]] == ["11.035", "11"]
    assert [number(23012, -2, 35)[0], number(5678, -3, 33)[0]] == ["230.12", "5.678"]
    rig.write("0-0:196.1.5", axdr.UINT8, 0b1111)
    assert [number(11035, 0, 27)[0], number(23012, -2, 35)[0]] == ["00000011", "000230.12"]
    for code in codes:
        rig.refuses(code, axdr.UINT8, 4)
    rig.refuses("0-0:196.1.5", axdr.UINT8, 16)


@pytest.mark.row("PRD-14", "DSP-08")
def test_how_numbers_look_is_refused_while_the_parameters_are_locked(rig):
    rig.switch.level = 0
    for code in ("0-0:196.1.1", "0-0:196.1.2", "0-0:196.1.5"):
        assert rig.refuses(code, axdr.UINT8, 0) == READ_WRITE_DENIED
    for e in (51, 52, 61, 62):
        assert rig.refuses(f"1-0:129.1.{e}", axdr.UINT8, 3) == READ_WRITE_DENIED
    assert rig.refuses("0-0:196.1.10", axdr.ARRAY, [item()]) == READ_WRITE_DENIED
    rig.write("1-0:129.1.10", axdr.UINT16, 8)  # what does not change numbers stays open
    rig.switch.level = 1
    rig.write("0-0:196.1.1", axdr.UINT8, 0x60)


@pytest.mark.row("DSP-19")
def test_items_with_a_format_of_their_own(rig):
    assert rig.read("0-0:196.1.10") == []
    wanted = [item(), item(1, bytes((0, 0, 96, 1, 1, 255)), 2, 4, 0, True)]
    rig.write("0-0:196.1.10", axdr.ARRAY, wanted)
    assert rig.read("0-0:196.1.10") == wanted
    assert rig.forms.item(3, ENERGY, 2) == b"\x83\x00"
    again = DisplayRig(rig.memory)
    assert again.forms.item(3, ENERGY, 2) == b"\x83\x00"
    for wrong in (
        item(digits=9),
        item(digits=0, decimals=0),
        item(decimals=4),
        item(digits=2, decimals=2),
        item(digits=255, decimals=255),
        item(index=-1),
        item(name=ENERGY[:5]),
        (axdr.STRUCTURE, item()[1][:5]),
        (axdr.UINT8, 1),
    ):
        rig.refuses("0-0:196.1.10", axdr.ARRAY, [item(), wrong])
    many = [item(name=bytes((1, 0, 1, 8, e, 255))) for e in range(65)]
    rig.refuses("0-0:196.1.10", axdr.ARRAY, many)
    rig.write("0-0:196.1.10", axdr.ARRAY, many[:64])
    assert rig.read("0-0:196.1.10") == many[:64]
    rig.write("0-0:196.1.10", axdr.ARRAY, [])
    assert rig.forms.item(3, ENERGY, 2) is None


@pytest.mark.row("DSP-13")
def test_times_are_kept_and_told(rig):
    codes = [f"1-0:129.1.{e}" for e in (10, 11, 12)]
    assert [rig.read(code) for code in codes] == [10, 120, 30]
    told = []
    rig.options.on_change = lambda: told.append(rig.options.values[:3])
    for code, seconds in zip(codes, (5, 60, 0)):
        rig.write(code, axdr.UINT16, seconds)
    assert told == [(5, 120, 30), (5, 60, 30), (5, 60, 0)]
    assert [DisplayRig(rig.memory).read(code) for code in codes] == [5, 60, 0]
    for code, wrong in zip(codes, (0, 4, 3601)):
        rig.refuses(code, axdr.UINT16, wrong)
    assert len(told) == 3


def test_switches_and_language(rig):
    assert [rig.read(f"0-0:196.1.{e}") for e in (4, 6, 7)] == [True, 0, True]
    rig.write("0-0:196.1.4", axdr.BOOLEAN, False)
    rig.write("0-0:196.1.7", axdr.BOOLEAN, False)
    rig.write("0-0:196.1.6", axdr.ENUM, 3)
    again = DisplayRig(rig.memory)
    assert [again.read(f"0-0:196.1.{e}") for e in (4, 6, 7)] == [False, 3, False]
    rig.refuses("0-0:196.1.6", axdr.ENUM, 4)


def test_a_consumer_message_is_cut_at_64_characters(rig):
    assert rig.read("0-0:96.13.1") == b""
    rig.write("0-0:96.13.1", axdr.OCTET_STRING, b"x" * 70)
    assert rig.read("0-0:96.13.1") == b"x" * 64
    assert DisplayRig(rig.memory).read("0-0:96.13.1") == b"x" * 64
    rig.refuses("0-0:96.13.1", axdr.OCTET_STRING, b"x" * 1025)
    rig.refuses("0-0:96.13.1", axdr.VISIBLE_STRING, b"x")
    rig.write("0-0:96.13.1", axdr.OCTET_STRING, b"")
    assert rig.read("0-0:96.13.1") == b""


def test_damaged_options_are_those_of_the_factory(rig):
    for octets in (b"", b"\x01", bytes(8)):
        rig.settings.put("display_options", octets)
        assert options.Options(Settings(rig.memory)).values == (10, 120, 30, 1, 0, 1, 7)


def test_a_memory_that_fails_keeps_the_old_value(rig, monkeypatch):
    def fail(_key, _value):
        raise OSError

    monkeypatch.setattr(rig.settings, "put", fail)
    with pytest.raises(OSError):
        rig.options.put(options.ON, 0)
    assert rig.options.values[options.ON] == 1
    with pytest.raises(OSError):
        rig.write("0-0:196.1.1", axdr.UINT8, 0x60)
    assert rig.energy(1234567) == "001234.56"
