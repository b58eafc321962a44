"""A-XDR both ways, bounded whatever the octets are."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import axdr
from app.errors import BufferFull, EncodingError, MeterError, TypeUnmatched


def encode(tag, value):
    writer = axdr.Writer(bytearray(4096))
    writer.data(tag, value)
    return bytes(writer.buffer[: writer.at])


def decode(octets):
    reader = axdr.Reader(octets)
    value = reader.data()
    assert reader.left() == 0
    return value


INTEGERS = {
    axdr.INT8: (-(2**7), 2**7 - 1),
    axdr.INT16: (-(2**15), 2**15 - 1),
    axdr.INT32: (-(2**31), 2**31 - 1),
    axdr.INT64: (-(2**63), 2**63 - 1),
    axdr.UINT8: (0, 2**8 - 1),
    axdr.UINT16: (0, 2**16 - 1),
    axdr.UINT32: (0, 2**32 - 1),
    axdr.UINT64: (0, 2**64 - 1),
    axdr.ENUM: (0, 2**8 - 1),
    axdr.BCD: (0, 2**8 - 1),
}


def scalars():
    choices = [
        st.tuples(st.just(tag), st.integers(low, high)) for tag, (low, high) in INTEGERS.items()
    ]
    choices += [
        st.tuples(st.just(tag), st.binary(max_size=300))
        for tag in (axdr.OCTET_STRING, axdr.VISIBLE_STRING, axdr.UTF8_STRING)
    ]
    choices += [
        st.tuples(st.just(tag), st.binary(min_size=size, max_size=size))
        for tag, size in ((axdr.DATE_TIME, 12), (axdr.DATE, 5), (axdr.TIME, 4))
    ]
    choices += [
        st.tuples(st.just(axdr.BOOLEAN), st.booleans()),
        st.just((axdr.NULL, None)),
        st.just((axdr.DONT_CARE, None)),
        st.tuples(st.just(axdr.FLOAT32), st.floats(width=32, allow_nan=False)),
        st.tuples(st.just(axdr.FLOAT64), st.floats(allow_nan=False)),
        st.binary(max_size=40).map(lambda b: (axdr.BIT_STRING, (8 * len(b), b))),
    ]
    return st.one_of(choices)


def values():
    return st.recursive(
        scalars(),
        lambda inner: st.tuples(
            st.sampled_from((axdr.ARRAY, axdr.STRUCTURE)), st.lists(inner, max_size=5)
        ),
        max_leaves=12,
    )


# Examples of IEC 62056-53 annex and of the Blue Book's encoding table, written out by hand
VECTORS = (
    (axdr.NULL, None, "00"),
    (axdr.BOOLEAN, True, "0301"),
    (axdr.BIT_STRING, (24, b"\x00\x5e\x19"), "0418005e19"),
    (axdr.BIT_STRING, (10, b"\xff\xc0"), "040affc0"),
    (axdr.INT32, -2, "05fffffffe"),
    (axdr.UINT32, 1725, "06000006bd"),
    (axdr.OCTET_STRING, b"\x01\x00\x01\x08\x00\xff", "09060100010800ff"),
    (axdr.VISIBLE_STRING, b"FRS", "0a03465253"),
    (axdr.UTF8_STRING, "°".encode(), "0c02c2b0"),
    (axdr.INT8, -3, "0ffd"),
    (axdr.INT16, -60, "10ffc4"),
    (axdr.UINT8, 255, "11ff"),
    (axdr.UINT16, 756, "1202f4"),
    (axdr.INT64, -1, "14ffffffffffffffff"),
    (axdr.UINT64, 5_000_000_000, "15000000012a05f200"),
    (axdr.ENUM, 30, "161e"),
    (axdr.FLOAT32, 1.5, "173fc00000"),
    (axdr.STRUCTURE, [(axdr.INT8, -3), (axdr.ENUM, 44)], "02020ffd162c"),
    (axdr.ARRAY, [(axdr.UINT8, 1), (axdr.UINT8, 2)], "010211011102"),
    (axdr.OCTET_STRING, bytes(128), "098180" + "00" * 128),
    (axdr.OCTET_STRING, bytes(256), "09820100" + "00" * 256),
)


@pytest.mark.parametrize(("tag", "value", "text"), VECTORS)
def test_vector_both_ways(tag, value, text):
    assert encode(tag, value).hex() == text
    assert decode(bytes.fromhex(text)) == (tag, value)


@given(values())
def test_what_is_written_is_read(value):
    octets = encode(*value)
    assert decode(octets) == value
    reader = axdr.Reader(octets)
    reader.skip()
    assert reader.left() == 0


@given(values())
def test_every_prefix_is_refused(value):
    octets = encode(*value)
    for size in range(len(octets)):
        for read in (axdr.Reader(octets[:size]).data, axdr.Reader(octets[:size]).skip):
            with pytest.raises(EncodingError):
                read()


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_no_octets_harm_the_reader(octets):
    """Also: `skip` accepts exactly what `data` accepts, and ends at the same place."""
    reader, skipper = axdr.Reader(octets), axdr.Reader(octets)
    try:
        reader.data()
    except MeterError:
        with pytest.raises(MeterError):
            skipper.skip()
    else:
        skipper.skip()
        assert skipper.at == reader.at


@given(values(), st.integers(0, 60))
def test_a_full_buffer_stops_the_writer_at_its_end(value, room):
    octets = encode(*value)
    buffer = bytearray(b"\xa5" * (room + 8))
    writer = axdr.Writer(buffer, 4, 4 + room)
    if len(octets) <= room:
        writer.data(*value)
        assert buffer[4 : writer.at] == octets
    else:
        with pytest.raises(BufferFull):
            writer.data(*value)
    assert buffer[:4] == b"\xa5" * 4
    assert buffer[4 + room :] == b"\xa5" * 4


def test_nesting_is_bounded():
    deepest = bytes.fromhex("0101") * axdr.MAX_DEPTH + b"\x00"
    axdr.Reader(deepest).data()
    for octets in (b"\x01\x01" + deepest, bytes.fromhex("0201") * 100 + b"\x00"):
        with pytest.raises(EncodingError):
            axdr.Reader(octets).data()
        with pytest.raises(EncodingError):
            axdr.Reader(octets).skip()


@pytest.mark.parametrize(
    "text",
    [
        "0984ffffffff00",  # a length of 4 GiB
        "0985ffffffffff",  # five octets of length
        "098000",  # indefinite length
        "0184ffffffff00",  # an array of as many elements
        "04840000000000",  # a bit string with a length of four octets
        "1300",  # compact array
        "1c00",  # delta-integer
        "07",
        "80",
        "",
    ],
)
def test_refused(text):
    with pytest.raises(EncodingError):
        axdr.Reader(bytes.fromhex(text)).data()
    with pytest.raises(EncodingError):
        axdr.Reader(bytes.fromhex(text)).skip()


def test_long_form_of_a_short_length_is_understood():
    assert decode(bytes.fromhex("09810201ff")) == (axdr.OCTET_STRING, b"\x01\xff")


def test_typed_readers_name_the_wrong_type():
    number = bytes.fromhex("1205dc")
    assert axdr.Reader(number).number(axdr.UINT16) == 1500
    for read in (
        lambda r: r.number(axdr.INT16),
        lambda r: r.boolean(),
        lambda r: r.octet_string(0, 9),
        lambda r: r.structure(2),
        lambda r: r.array(),
    ):
        with pytest.raises(TypeUnmatched):
            read(axdr.Reader(number))
    with pytest.raises(TypeUnmatched):
        axdr.Reader(bytes.fromhex("0203000000")).structure(2)
    for limits in ((0, 2), (4, 9)):
        with pytest.raises(EncodingError):
            axdr.Reader(bytes.fromhex("0903010203")).octet_string(*limits)


def test_compact_array_cannot_be_written():
    with pytest.raises(TypeUnmatched):
        encode(axdr.COMPACT_ARRAY, [])


def test_not_a_number_survives():
    assert math.isnan(decode(encode(axdr.FLOAT64, math.nan))[1])
