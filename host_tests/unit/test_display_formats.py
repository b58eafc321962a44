"""Numbers, codes, dates and messages of the display; numbers from the rows of docs/features.md."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import attributes, axdr
from app.display import display_list, formats, reading
from app.display.reading_objects import AttributeReader
from app.errors import AccessRefused, BufferFull

WH, W, VAR, VARH, VA, VAH, A, V, HZ, NONE = 30, 27, 29, 32, 28, 31, 33, 35, 44, 255


def set_to(octets=b"", items=b"", transformer=True):
    kept = {"display_formats": bytes(octets), "display_items": items}
    return formats.Formats(kept.get, transformer)


@pytest.fixture
def forms():
    return set_to()


@pytest.mark.row("DSP-09")
@pytest.mark.parametrize(
    ("value", "scaler", "unit", "text", "name"),
    [
        (123456, 0, WH, "000123.45", "kWh"),
        (0, 0, WH, "000000.00", "kWh"),
        (12345, 1, VARH, "000123.45", "kvarh"),
        (1999, -1, VAH, "000000.19", "kVAh"),
        (3450, 0, W, "3.450", "kW"),
        (-3450, 0, W, "-3.450", "kW"),
        (-3, 0, VAR, "-0.003", "kvar"),
        (34500, -1, VA, "3.450", "kVA"),
        (2301, -1, V, "230.1", "V"),
        (5000, -3, A, "5.00", "A"),
        (49987, -3, HZ, "49.98", "Hz"),
        (987, -3, NONE, "0.987", ""),
        (12, 0, NONE, "12", ""),
        (12, 2, NONE, "1200", ""),
        (230.1, 0, V, "230.1", "V"),
        (0.5, 0, NONE, "0.500", ""),
        (-1, 0, 9, "-1.0", "\xb0C"),
    ],
)
def test_numbers(forms, value, scaler, unit, text, name):
    assert forms.number(value, scaler, unit) == (text, name)


@pytest.mark.row("DSP-06", "DSP-07")
@pytest.mark.parametrize(
    ("octet", "value", "text"),
    [
        (0x82, 1234567, "001234.56"),
        (0x60, 1234567, "001234"),
        (0x42, -35790, "-35.79"),
        (0x42, -1435790, "-35.79"),  # top digits cut off
        (0x82, -1234567, "-01234.56"),  # the first digit gives way to the sign
        (0x82, 11035, "000011.03"),  # cut, not rounded
        (0x82, 123456789012, "456789.01"),
        (0x10, 7000, "7"),
        (0x82, -4, "000000.00"),  # nothing to see of it
    ],
)
def test_energy_formats(octet, value, text):
    forms = set_to((octet, octet, 0, 0, 3))
    assert forms.number(value, 0, WH) == (text, "kWh")
    assert forms.number(value, 0, W) == (text, "kW")


@pytest.mark.row("DSP-07")
@pytest.mark.parametrize(
    ("octet", "value", "text"),
    [
        (0x42, -35790, "-35.79"),
        (0x42, -1435790, "-35.79"),
        (0x42, -1430000, "-30.00"),
        (0x42, -790, "-0.79"),
        (0x42, -4, "0.00"),  # nothing to see of it
        (0x80, -12345678_000, "-2345678"),
        (0x83, -12345, "-12.345"),
        (0x83, -98765432, "-8765.432"),
    ],
)
def test_negative_powers(octet, value, text):
    forms = set_to((octet, octet, 0, 0, 0))
    assert forms.number(value, 0, W) == (text, "kW")


@pytest.mark.row("DSP-08")
def test_each_quantity_has_decimals_and_zeros_of_its_own():
    direct, transformer = set_to(transformer=False), set_to()
    assert direct.number(11035, 0, WH)[0] == transformer.number(11035, 0, WH)[0] == "000011.03"
    assert direct.number(11035, 0, W)[0] == "11.03"
    assert transformer.number(11035, 0, W)[0] == "11.035"
    forms = set_to((0x82, 0x83, 0x82, 0x81, 0))
    assert forms.number(11000, 0, WH)[0] == "11.00"
    assert forms.number(11035, 0, WH)[0] == "11.03"  # table 3 of the ST402 manual
    assert forms.number(11035, 0, W)[0] == "11.035"
    assert forms.number(2301, -1, V)[0] == "230.10"
    assert forms.number(5678, -3, A)[0] == "5.6"
    assert forms.number(49987, -3, HZ)[0] == "49.98"
    forms = set_to((0x60, 0x53, 0x41, 0x62, 0b1110))
    assert forms.number(11035, 0, WH)[0] == "11"
    assert forms.number(11035, 0, W)[0] == "11.035"
    assert forms.number(1035, 0, W)[0] == "01.035"
    assert forms.number(305, -1, V)[0] == "030.5"
    assert forms.number(5678, -3, A)[0] == "0005.67"


@pytest.mark.row("DSP-19")
def test_an_item_has_a_format_of_its_own():
    energy = bytes((0, 3)) + ENERGY + b"\x02"
    other = bytes((0, 3)) + ENERGY[:4] + b"\x01\xff\x02"
    forms = set_to(items=other + b"\x80\x00" + energy + b"\x83\x00")
    objects = Objects({(3, ENERGY, 2): "060001e240", (3, ENERGY, 3): "02020f00161e"})
    read = AttributeReader(objects)
    item = reading.Item(forms)
    item.refresh(attributes.Reference(3, ENERGY, 2), read, True)
    assert (item.value, item.unit) == ("123.456", "kWh")
    forms.fetch = {"display_formats": b"", "display_items": energy + b"\x61\x01"}.get
    assert item.refresh(attributes.Reference(3, ENERGY, 2), read, False)  # at once
    assert item.value == "00123.4"
    assert forms.item(3, DEMAND, 2) is None
    # octets across two entries that look like a key
    forms.fetch = lambda _: bytes(2) + energy + bytes(11)
    assert forms.item(3, ENERGY, 2) is None


@given(st.integers(-(2**63), 2**64), st.integers(-128, 127), st.integers(0, 255))
def test_any_number_fits_the_field(value, scaler, unit):
    for octet in (0x00, 0x82, 0xFF, 0x17):
        forms = set_to((octet, octet, octet, octet, octet))
        text, _ = forms.number(value, scaler, unit)
        assert 0 < len(text.replace(".", "")) <= 8


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e38])
def test_what_is_no_number_is_refused(forms, value):
    with pytest.raises(ValueError, match="number"):
        forms.number(value, 0, W)


@pytest.mark.row("DSP-10", "DSP-11", "DSP-27")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ((1, 0, 1, 8, 0, 255), "1.8.0"),
        ((1, 0, 32, 7, 0, 255), "32.7.0"),
        ((0, 0, 96, 1, 0, 255), "C.1.0"),
        ((0, 0, 97, 97, 0, 255), "F.F.0"),
        ((1, 0, 99, 1, 0, 255), "P.1.0"),
        ((1, 0, 98, 128, 1, 255), "L.U.1"),
        ((0, 1, 24, 2, 1, 255), "1.24.2.1"),
        ((1, 1, 0, 2, 8, 255), "1.1.0.2.8"),
        ((1, 0, 0, 2, 0, 255), "1.0.0.2.0"),
        ((1, 0, 0, 9, 1, 255), "0.9.1"),
    ],
)
def test_codes(name, code):
    assert formats.code(bytes(name)) == code


@pytest.mark.parametrize(
    ("group", "octets", "text"),
    [
        ((96, 1, 0), b"67542301", "67542301"),
        ((0, 9, 1), b"\x0c\x22\x38\x00", "12:34:56"),
        ((0, 9, 1), b"\x0c\x22\xff\xff", "12:34:--"),
        ((0, 9, 2), b"\x07\xea\x01\x1f\x06", "2026.01.31"),
        ((0, 9, 2), b"\xff\xff\x01\xff\xff", "----.01.--"),
        ((1, 0, 0), b"\x07\xea\x01\x1f\x06\x17\x3b\x32\x00\xff\xc4\x00", "23:59:50"),
        ((0, 2, 8), bytes(range(0, 256, 17)), "00112233445566778899AABBCCDDEEFF"),
        ((96, 1, 1), b"FERRARIS-001", "FERRARIS-001"),  # no date and time
        ((1, 6, 0), b"\x07\xea\x01\x1f\x06\x17\x3b\x32\x00\xff\xc4\x00", "2026.01.31 23:59:50"),
        ((96, 14, 0), b"HIGH", "HIGH"),
        ((96, 14, 0), b"\x00\x01", ""),
        ((96, 1, 1), b"", ""),
    ],
)
@pytest.mark.row("DSP-20", "DSP-21")
def test_strings(group, octets, text):
    assert formats.text(bytes((0, 0, *group, 255)), octets) == text


class Objects:
    """A resolver's objects: class, logical name and attribute to an encoded value."""

    def __init__(self, attributes_of):
        self.attributes = attributes_of
        self.reads = []

    def read(self, reference):
        self.reads.append(reference.index)
        key = (reference.class_id, bytes(reference.logical_name), reference.index)
        if key not in self.attributes:
            raise AccessRefused(attributes.OBJECT_UNDEFINED)
        value = self.attributes[key]
        if isinstance(value, Exception):
            raise value
        return axdr.Reader(bytes.fromhex(value)).data()


ENERGY = bytes((1, 0, 1, 8, 0, 255))
DEMAND = bytes((1, 0, 1, 4, 0, 255))


def test_register_is_read_with_scaler_and_unit_once():
    objects = Objects({(3, ENERGY, 2): "060001e240", (3, ENERGY, 3): "02020f00161e"})
    read = AttributeReader(objects)
    item = reading.Item(formats.Formats())
    reference = attributes.Reference(3, ENERGY, 2)
    assert item.refresh(reference, read, True)
    assert (item.code, item.value, item.unit) == ("1.8.0", "000123.45", "kWh")
    assert not item.refresh(reference, read, False)
    objects.attributes[3, ENERGY, 2] = "060001e24a"
    assert item.refresh(reference, read, False)
    assert item.value == "000123.46"
    assert objects.reads == [2, 3, 2, 2]


def test_demand_register_has_its_unit_elsewhere():
    objects = Objects({(5, DEMAND, 3): "0600000d7a", (5, DEMAND, 4): "02020f00161b"})
    item = reading.Item(set_to())
    item.refresh(attributes.Reference(5, DEMAND, 3), AttributeReader(objects), True)
    assert (item.value, item.unit) == ("3.450", "kW")


@pytest.mark.row("DSP-12")
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (AccessRefused(attributes.OBJECT_UNDEFINED), "Error 23"),
        (AccessRefused(attributes.OBJECT_CLASS_INCONSISTENT), "Error 23"),
        (AccessRefused(attributes.SCOPE_OF_ACCESS_VIOLATED), "Error 11"),
        (BufferFull(), "Error 11"),
        ("0100", "Error 11"),
        ("020209000900", "Error 11"),
        ("177fc00000", "Error 31"),  # not a number
        ("00", "--------"),
        ("0300", "0"),
        ("0301", "1"),
        ("1103", "3"),
        ("0a03616263", "abc"),
    ],
)
def test_messages(answer, text):
    name = bytes((0, 0, 96, 50, 0, 255))
    item = reading.Item(formats.Formats())
    read = AttributeReader(Objects({(1, name, 2): answer}))
    item.refresh(attributes.Reference(1, name, 2), read, True)
    assert item.value == text
    assert item.code == "C.50.0"


@pytest.mark.row("DSP-24", "DSP-04")
@pytest.mark.parametrize(
    ("code", "text"),
    [
        (b"tESt123", "tESt123"),  # the ME382 manual's example
        (b"", ""),
        (b"PAY-1.5: CALL_US", "PAY-1.5: CALL_US"),
        (b"0123456789ABCDEFGHIJLNOPRSTUYZ", "0123456789ABCDEFGHIJLNOPRSTUYZ"),
        (b"abcdefghijlnoprstuyz", "abcdefghijlnoprstuyz"),
        (b"MAX", "Error 31"),
        (b"q", "Error 31"),
        (b"50%", "Error 31"),
        (b"tESt\x00", "Error 31"),
        (b"\xc5\xa1", "Error 31"),
        (b"\xff" * 64, "Error 31"),
    ],
)
def test_a_consumer_message_is_shown_if_each_of_its_characters_can_be(code, text):
    name = bytes((0, 0, 96, 13, 1, 255))
    item = reading.Item(formats.Formats())
    item.refresh(attributes.Reference(1, name, 2), lambda _: (code, 0, 255), True)
    assert (item.value, item.code) == (text, "C.13.1")


@pytest.mark.row("DSP-14")
def test_parts_of_long_strings_go_by_characters_not_by_marks():
    item = reading.Item(formats.Formats())
    name = bytes((0, 0, 96, 1, 1, 255))

    def shown(octets):
        item.refresh(attributes.Reference(1, name, 2), lambda _: (octets, 0, 255), True)
        return item.overhang(), [item.part(shift) for shift in range(item.overhang() + 1)]

    assert shown(b"1.2.3.4.5.6.7.8") == (0, ["1.2.3.4.5.6.7.8"])
    assert shown(b"1.2.3.4.5.6.7.8.90") == (
        2,
        ["1.2.3.4.5.6.7.8.90", "2.3.4.5.6.7.8.90", "3.4.5.6.7.8.90"],
    )
    assert shown(b"AB:CD:EF:01:02")[1][-1] == "CD:EF:01:02"
    assert shown(b"10:30") == (0, ["10:30"])
    assert shown(b"....")[0] == 0
    assert shown(b"") == (0, [""])
    overhang, parts = shown(bytes(range(250)) * 4)  # hex digits without end
    assert overhang == 2000 - 8 and len(parts[-1]) == 8


@given(st.binary(max_size=60), st.integers(0, 80))
def test_any_string_can_be_shown_in_parts(octets, shift):
    item = reading.Item(formats.Formats())
    reference = attributes.Reference(1, bytes((0, 0, 96, 1, 1, 255)), 2)
    item.refresh(reference, lambda _: (octets, 0, 255), True)
    assert item.value.endswith(item.part(shift))
    assert 0 <= item.overhang() <= 120


def test_error_registers_are_shown_bit_by_bit():
    name = bytes((0, 0, 97, 97, 0, 255))
    item = reading.Item(formats.Formats())
    read = AttributeReader(Objects({(1, name, 2): "06800000af"}))
    item.refresh(attributes.Reference(1, name, 2), read, True)
    assert (item.code, item.value) == ("F.F.0", "800000AF")


def entry(class_id=3, name=ENERGY, index=2):
    return bytes((2, 4, 0x12, 0, class_id, 9, len(name))) + name + bytes((0xF, index, 0x12, 0, 0))


@pytest.mark.row("DSP-15", "DSP-17")
def test_list_is_what_was_written():
    encoded = [b"\x01\x02" + entry() + entry(1, DEMAND, 3)]
    shown = display_list.DisplayList(lambda: encoded[0])
    assert [repr(shown.reference(at)) for at in range(shown.count())] == [
        "3/1-0:1.8.0.255/2",
        "1/1-0:1.4.0.255/3",
    ]
    assert shown.reference(1) is shown.reference(1)  # decoded once
    with pytest.raises(IndexError):
        shown.reference(2)
    encoded[0] = b"\x01\x40" + entry(1, DEMAND, 3) + entry() * 63
    assert shown.count() == 64
    assert repr(shown.reference(1)) == repr(shown.reference(63)) == "3/1-0:1.8.0.255/2"
    encoded[0] = b"\x01\x41" + entry() * 65
    assert shown.count() == 64


@pytest.mark.parametrize(
    "encoded",
    [b"", b"\x01\x00", b"\x01\x02" + entry(), b"\x11\x05", b"\x00", b"\x01\x01\x11\x05"]
    + [b"\x01\x01" + entry(name=b"\x01\x02"), b"\x01\x01\x02\x00"],
)
def test_octets_that_are_no_list_are_empty(encoded):
    assert display_list.DisplayList(lambda: encoded).count() == 0
