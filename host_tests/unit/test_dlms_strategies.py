"""Requests that are well formed and senseless: any value to any object, any selection, any list.

What test_dlms_robust does to the octets, hypothesis does here to what they mean.
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_rig import Rig
from hypothesis import given, settings
from hypothesis import strategies as st
from iec_line import Head, command
from test_dlms_robust import SERVICES, check, next_good_request_is_answered

from app import axdr

RIG = Rig()
NAMES = [(name, handler.CLASS_ID) for name, handler, _, _ in RIG.catalogue.entries()]


def length(count):
    return bytes((count,)) if count < 0x80 else b"\x82" + struct.pack(">H", count)


def number(tag, form):
    size = struct.calcsize(form)
    return st.binary(min_size=size, max_size=size).map(lambda octets: bytes((tag,)) + octets)


def string(tag):
    return st.binary(max_size=40).map(lambda octets: bytes((tag,)) + length(len(octets)) + octets)


def bits(count):
    octets = (count + 7) // 8
    return st.binary(min_size=octets, max_size=octets).map(
        lambda content: b"\x04" + length(count) + content
    )


SCALARS = st.one_of(
    st.sampled_from([b"\x00", b"\xff", b"\x03\x00", b"\x03\x01"]),
    *(number(tag, form) for tag, form in (
        (5, ">i"), (6, ">I"), (13, ">B"), (15, ">b"), (16, ">h"), (17, ">B"), (18, ">H"),
        (20, ">q"), (21, ">Q"), (22, ">B"), (23, ">f"), (24, ">d"),
    )),
    *(string(tag) for tag in (9, 10, 12)),
    *(number(tag, f">{size}s") for tag, size in ((25, 12), (26, 5), (27, 4))),
    st.integers(0, 70).flatmap(bits),
)  # fmt: skip


def complex_of(inner):
    return st.tuples(st.sampled_from((1, 2)), st.lists(inner, max_size=6)).map(
        lambda pair: bytes((pair[0],)) + length(len(pair[1])) + b"".join(pair[1])
    )


VALUES = st.recursive(SCALARS, complex_of, max_leaves=20)
CAPTURE = st.sampled_from(NAMES).map(
    lambda pair: b"\x02\x04\x12" + struct.pack(">H", pair[1]) + b"\x09\x06" + pair[0]
    + b"\x0f\x02\x12\x00\x00"
)  # fmt: skip
TIMES = st.binary(min_size=12, max_size=12).map(lambda octets: b"\x09\x0c" + octets)
RANGES = st.tuples(
    CAPTURE, st.one_of(TIMES, SCALARS), st.one_of(TIMES, SCALARS), st.lists(CAPTURE, max_size=3)
).map(lambda t: b"\x02\x04" + t[0] + t[1] + t[2] + b"\x01" + length(len(t[3])) + b"".join(t[3]))
ENTRIES = st.tuples(
    number(6, ">I"), number(6, ">I"), number(18, ">H"), number(18, ">H")
).map(lambda t: b"\x02\x04" + b"".join(t))  # fmt: skip
SELECTIONS = st.tuples(st.integers(0, 255) | st.integers(1, 4), RANGES | ENTRIES | VALUES).map(
    lambda pair: b"\x01" + bytes((pair[0],)) + pair[1]
)
ATTRIBUTES = st.tuples(st.sampled_from(NAMES), st.integers(0, 12)).map(
    lambda pair: struct.pack(">H", pair[0][1]) + pair[0][0] + bytes((pair[1],))
)


@settings(max_examples=300)
@given(VALUES)
def test_every_value_is_read_and_written_back_the_same(octets):
    reader = axdr.Reader(octets)
    tag, value = reader.data()
    assert reader.left() == 0
    writer = axdr.Writer(bytearray(2 * len(octets) + 8))
    writer.data(tag, value)
    again = axdr.Reader(writer.buffer, 0, writer.at)
    assert repr(again.data()) == repr((tag, value))
    skipped = axdr.Reader(octets)
    skipped.skip()
    assert skipped.left() == 0


@settings(max_examples=400)
@given(ATTRIBUTES, st.none() | SELECTIONS, st.sampled_from((12, 200, 1024)))
def test_any_selection_of_any_attribute(attribute, selection, size):
    RIG.associate(size, SERVICES)
    check(RIG, RIG.apdu(b"\xc0\x01\xc1" + attribute + (selection or b"\x00")))
    next_good_request_is_answered(RIG)


@settings(max_examples=400)
@given(ATTRIBUTES, VALUES, st.sampled_from((0xC1, 0xC3)))
def test_any_value_to_any_attribute_and_method(attribute, value, tag):
    if attribute[:2] == b"\x00\x40":
        return  # the security policy would stay raised, and the next good request be refused
    rig = Rig().associate(1024, SERVICES)
    flag = b"\x00" if tag == 0xC1 else b"\x01"
    check(rig, rig.apdu(bytes((tag, 1, 0xC1)) + attribute + flag + value))
    next_good_request_is_answered(rig)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from((1, 4)), ATTRIBUTES, SELECTIONS), min_size=1, max_size=5),
    st.integers(0, 15),
    st.sampled_from((12, 64, 1024)),
)
def test_any_access_that_reads(elements, priority, size):
    RIG.associate(size, SERVICES)
    listed = b"".join(
        bytes((kind,)) + attribute + (selection[1:] if kind == 4 else b"")
        for kind, attribute, selection in elements
    )
    count = bytes((len(elements),))
    body = bytes((priority << 4, 0, 0, 1, 0)) + count + listed + count + bytes(len(elements))
    answer = RIG.apdu(b"\xd9" + body)
    check(RIG, answer)
    number = 0
    while answer[:1] == b"\xe0" and not answer[1] & 0x80:
        number += 1
        answer = RIG.apdu(b"\xe0\x81" + number.to_bytes(2, "big") + answer[2:4] + b"\x00")
        check(RIG, answer)
    next_good_request_is_answered(RIG)


HEAD = Head()
WORDS = st.sampled_from(
    [b"R1", b"R5", b"W1", b"W5", b"W2", b"P1", b"P2", b"B0", b"E2", b"R", b"\x02", b"(", b")",
     b"1-0:1.8.0*255", b"0-0:96.1.8*255", b"1.8.0", b"*", b"12345678", b"()", b"\x03", b"\x01"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(WORDS | st.binary(max_size=6), max_size=8), st.integers(0, 3))
def test_any_words_to_the_optical_head(words, opening):
    if opening:
        HEAD.open()
    message = b"".join(words)
    said = HEAD.send(command(message) if opening > 1 else message)
    assert len(said) < 20_000
    HEAD.wait(130_000)
    HEAD.session.hdlc_ended()
    assert HEAD.sign_on()[:4] in (b"/FRS", b"/FRs")
    HEAD.wait(130_000)
