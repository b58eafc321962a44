"""A-XDR against the encoders of gurux-dlms and dlms-cosem, the independent truth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import axdr

pytest.importorskip("gurux_dlms")
pytest.importorskip("dlms_cosem")

from dlms_cosem import dlms_data, utils
from gurux_dlms import GXByteBuffer
from gurux_dlms.enums import DataType
from gurux_dlms.internal._GXCommon import _GXCommon


def encode(tag, value):
    writer = axdr.Writer(bytearray(1024))
    writer.data(tag, value)
    return bytes(writer.buffer[: writer.at])


def _range(tag):
    bits = {axdr.INT8: 8, axdr.UINT8: 8, axdr.ENUM: 8, axdr.INT16: 16, axdr.UINT16: 16}.get(tag)
    bits = bits or (32 if tag in (axdr.INT32, axdr.UINT32) else 64)
    if tag in (axdr.INT8, axdr.INT16, axdr.INT32, axdr.INT64):
        return -(1 << bits - 1), (1 << bits - 1) - 1
    return 0, (1 << bits) - 1


GURUX_TYPES = {
    axdr.INT8: DataType.INT8,
    axdr.INT16: DataType.INT16,
    axdr.INT32: DataType.INT32,
    axdr.INT64: DataType.INT64,
    axdr.UINT8: DataType.UINT8,
    axdr.UINT16: DataType.UINT16,
    axdr.UINT32: DataType.UINT32,
    axdr.UINT64: DataType.UINT64,
    axdr.ENUM: DataType.ENUM,
}


@given(
    st.sampled_from(sorted(GURUX_TYPES)).flatmap(
        lambda tag: st.tuples(st.just(tag), st.integers(*_range(tag)))
    )
)
def test_numbers_as_gurux_encodes_them(value):
    buffer = GXByteBuffer()
    _GXCommon.setData(None, buffer, GURUX_TYPES[value[0]], value[1])
    assert encode(*value) == bytes(buffer.array())


@given(st.binary(max_size=600))
def test_octet_strings_as_dlms_cosem_encodes_them(octets):
    foreign = bytes(dlms_data.OctetStringData(octets).to_bytes())
    assert encode(axdr.OCTET_STRING, octets) == foreign
    assert axdr.Reader(foreign).data() == (axdr.OCTET_STRING, octets)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40))
def test_structures_as_dlms_cosem_reads_them(numbers):
    octets = encode(axdr.STRUCTURE, [(axdr.UINT32, number) for number in numbers])
    assert utils.parse_as_dlms_data(octets) == numbers
