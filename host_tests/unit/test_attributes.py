"""References and their resolver, as display lists and profiles use them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import Rig

from app import attributes, axdr
from app.attributes import Reference, Resolver
from app.errors import AccessRefused, BufferFull, EncodingError, TypeUnmatched

ENERGY = bytes((1, 0, 1, 8, 0, 255))
CLOCK = bytes((0, 0, 1, 0, 0, 255))
OBJECT_LIST = bytes((0, 0, 40, 0, 2, 255))


@pytest.fixture
def rig():
    return Rig()


def test_reads_value_scaler_and_name(rig):
    assert rig.resolver.read(Reference(3, ENERGY, 2)) == (axdr.UINT64, 1725)
    assert rig.resolver.read(Reference(3, ENERGY, 3)) == (
        axdr.STRUCTURE,
        [(axdr.INT8, 0), (axdr.ENUM, 30)],
    )
    assert rig.resolver.read(Reference(3, ENERGY, 1)) == (axdr.OCTET_STRING, ENERGY)


@pytest.mark.parametrize(
    ("reference", "result"),
    [
        (Reference(3, bytes((1, 0, 99, 8, 0, 255)), 2), attributes.OBJECT_UNDEFINED),
        (Reference(3, bytes((1, 1, 1, 8, 0, 255)), 2), attributes.OBJECT_UNDEFINED),
        (Reference(1, ENERGY, 2), attributes.OBJECT_CLASS_INCONSISTENT),
        (Reference(3, ENERGY, 4), attributes.OBJECT_UNDEFINED),
        (Reference(3, ENERGY, 0), attributes.OBJECT_UNDEFINED),
        (Reference(15, OBJECT_LIST, 2), attributes.SCOPE_OF_ACCESS_VIOLATED),
        (Reference(15, OBJECT_LIST, 7), attributes.READ_WRITE_DENIED),
        (Reference(15, bytes((0, 0, 40, 0, 0, 255)), 3), attributes.OBJECT_UNAVAILABLE),
    ],
)
def test_tells_why_there_is_no_value(rig, reference, result):
    with pytest.raises(AccessRefused) as refusal:
        rig.resolver.read(reference)
    assert refusal.value.result == result


def test_reads_into_a_given_buffer(rig):
    buffer = bytearray(16)
    writer = axdr.Writer(buffer, 4)
    rig.resolver.read_into(Reference(3, ENERGY, 2), writer)
    assert buffer[4 : writer.at].hex() == "1500000000000006bd"
    with pytest.raises(BufferFull):
        rig.resolver.read_into(Reference(3, ENERGY, 2), writer)


def test_writes_and_executes(rig):
    rig.resolver.write(Reference(8, CLOCK, 3), bytes.fromhex("10ff88"))
    assert rig.clock.time_zone_min == -120
    before = rig.clock.utc_s()
    rig.resolver.execute(Reference(8, CLOCK, 6), bytes.fromhex("10000a"))
    assert rig.clock.utc_s() == before + 10


def test_refuses_to_write_what_cannot_be_written(rig):
    with pytest.raises(AccessRefused):
        rig.resolver.write(Reference(3, ENERGY, 2), bytes.fromhex("0600000000"))
    with pytest.raises(AccessRefused):
        rig.resolver.write(Reference(3, ENERGY, 9), b"\x00")
    with pytest.raises(AccessRefused):
        rig.resolver.execute(Reference(3, ENERGY, 1), b"\x00")
    with pytest.raises(AccessRefused):
        rig.resolver.execute(Reference(3, ENERGY, 2), b"\x00")
    with pytest.raises(TypeUnmatched):
        rig.resolver.write(Reference(8, CLOCK, 3), bytes.fromhex("12ff88"))
    with pytest.raises(EncodingError):
        rig.resolver.write(Reference(8, CLOCK, 3), bytes.fromhex("10ff"))
    assert rig.clock.time_zone_min == -60


def test_without_a_catalogue_nothing_is_found():
    with pytest.raises(AccessRefused):
        Resolver().read(Reference(3, ENERGY, 2))


def test_a_reference_shows_itself_readably():
    assert repr(Reference(3, ENERGY, 2)) == "3/1-0:1.8.0.255/2"
