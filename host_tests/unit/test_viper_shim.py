"""The viper stand-in reads, writes and walks memory as the compiled code does."""

from array import array

import micropython
import pytest

V = micropython.viper


def test_ptr32_reads_signed_words_and_stores_low_bits():
    @V
    def work(p: ptr32, n: int) -> int:
        p[0] = 0x1_8000_0001
        return p[n]

    words = array("i", [0, -5])
    assert work(words, 1) == -5
    assert words[0] == -0x7FFF_FFFF


def test_ptr8_and_ptr16_are_unsigned_and_little_endian():
    @V
    def work(p: ptr8, q: ptr16) -> int:
        p[1] = -1
        return p[0] + 1000 * q[1]

    octets = bytearray(b"\x80\x00")
    assert work(octets, bytearray(b"\0\0\x01\x02")) == 0x80 + 1000 * 0x0201
    assert octets == b"\x80\xff"


def test_pointer_arithmetic_walks_one_buffer():
    @V
    def work(p: ptr32, n: int) -> int:
        total = 0
        for k in range(n):
            q = ptr32(int(p) + 4 * k)
            total += q[0]
        octets = ptr8(p)
        return total * 256 + octets[4]

    assert work(array("i", [1, 2, 3]), 3) == 6 * 256 + 2


def test_bytes_of_a_memoryview_and_of_nested_calls():
    @V
    def inner(p: ptr8) -> int:
        return p[0]

    @V
    def outer(p: ptr8) -> int:
        return inner(p) + inner(ptr8(int(p) + 2))

    assert outer(memoryview(b"\x05\x06\x07")) == 12


def test_access_outside_is_an_error_not_another_buffer():
    @V
    def work(p: ptr32, other: ptr32, n: int) -> int:
        return p[n]

    words = array("i", [1, 2])
    for index in (2, -1, 1 << 18):
        with pytest.raises(IndexError):
            work(words, array("i", [9]), index)


def test_unaligned_word_and_unknown_address_are_errors():
    @V
    def walk(p: ptr32, by: int) -> int:
        return ptr32(int(p) + by)[0]

    with pytest.raises(ValueError, match="aligned"):
        walk(array("i", [1, 2]), 2)
    with pytest.raises(IndexError):
        walk(array("i", [1, 2]), 1 << 24)


def test_wrong_number_of_arguments():
    @V
    def work(p: ptr8) -> int:
        return p[0]

    with pytest.raises(TypeError):
        work(b"", 1)
