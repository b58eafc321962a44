"""A-XDR values of COSEM into and out of a given buffer (IEC 61334-6, IEC 62056-62 "Data").

A Writer encodes at its offset and raises BufferFull when the value does not fit; a Reader decodes
at its offset and raises EncodingError for whatever is not a value: wrong tags, lengths beyond the
end, nesting deeper than MAX_DEPTH. A decoded value is a pair (tag, value): None for null data, a
list of pairs for arrays and structures, bool, int, float, bytes for every kind of string, date and
time, (number of bits, bytes) for bit strings. Used by profiles, display lists, objects, services.
"""

import struct

from micropython import const

from app.errors import BufferFull, EncodingError, TypeUnmatched

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Any

    from hal import Buffer

    Value = tuple[int, Any]

# Tags of the Data CHOICE
NULL = const(0)
ARRAY = const(1)
STRUCTURE = const(2)
BOOLEAN = const(3)
BIT_STRING = const(4)
INT32 = const(5)
UINT32 = const(6)
OCTET_STRING = const(9)
VISIBLE_STRING = const(10)
UTF8_STRING = const(12)
BCD = const(13)
INT8 = const(15)
INT16 = const(16)
UINT8 = const(17)
UINT16 = const(18)
COMPACT_ARRAY = const(19)
INT64 = const(20)
UINT64 = const(21)
ENUM = const(22)
FLOAT32 = const(23)
FLOAT64 = const(24)
DATE_TIME = const(25)
DATE = const(26)
TIME = const(27)
DONT_CARE = const(255)

MAX_DEPTH = const(16)  # the deepest value of any interface class nests 6 levels
_MAX_LENGTH_OCTETS = const(4)

# Tags of fixed size: size and struct format
_NUMBERS = {
    INT32: (4, ">i"),
    UINT32: (4, ">I"),
    BCD: (1, ">B"),
    INT8: (1, ">b"),
    INT16: (2, ">h"),
    UINT8: (1, ">B"),
    UINT16: (2, ">H"),
    INT64: (8, ">q"),
    UINT64: (8, ">Q"),
    ENUM: (1, ">B"),
    FLOAT32: (4, ">f"),
    FLOAT64: (8, ">d"),
}
_STRINGS = (OCTET_STRING, VISIBLE_STRING, UTF8_STRING)
_TIMES = {DATE_TIME: 12, DATE: 5, TIME: 4}


class Writer:
    """Encodes values one behind the other into `buffer[offset:end]`."""

    def __init__(self, buffer: "bytearray | memoryview", offset: int = 0, end: int = -1) -> None:
        self.buffer = buffer
        self.at = offset
        self.end = len(buffer) if end < 0 else end

    def _claim(self, size: int) -> int:
        at = self.at
        if at + size > self.end:
            raise BufferFull
        self.at = at + size
        return at

    def octet(self, octet: int) -> None:
        """Write one bare octet, no tag."""
        at = self._claim(1)
        self.buffer[at] = octet

    def raw(self, octets: "Buffer") -> None:
        """Write octets that are encoded already."""
        size = len(octets)
        at = self._claim(size)
        self.buffer[at : at + size] = octets

    def length(self, length: int) -> None:
        """Write the length of a string or the number of elements."""
        if length < 0x80:
            self.octet(length)
        elif length < 0x100:
            at = self._claim(2)
            struct.pack_into(">BB", self.buffer, at, 0x81, length)
        else:
            at = self._claim(3)
            struct.pack_into(">BH", self.buffer, at, 0x82, length)

    def null(self) -> None:
        """Write null data."""
        self.octet(NULL)

    def array(self, count: int) -> None:
        """Begin an array; `count` elements follow."""
        self.octet(ARRAY)
        self.length(count)

    def structure(self, count: int) -> None:
        """Begin a structure; `count` elements follow."""
        self.octet(STRUCTURE)
        self.length(count)

    def boolean(self, value: bool) -> None:
        """Write a boolean."""
        at = self._claim(2)
        self.buffer[at] = BOOLEAN
        self.buffer[at + 1] = 1 if value else 0

    def number(self, tag: int, value: float) -> None:
        """Write a number of type `tag`; it must lie in the range of that type."""
        size, form = _NUMBERS[tag]
        at = self._claim(1 + size)
        self.buffer[at] = tag
        struct.pack_into(form, self.buffer, at + 1, value)

    def int8(self, value: int) -> None:
        """Write an integer (1 octet, signed)."""
        self.number(INT8, value)

    def int16(self, value: int) -> None:
        """Write a long."""
        self.number(INT16, value)

    def int32(self, value: int) -> None:
        """Write a double-long."""
        self.number(INT32, value)

    def int64(self, value: int) -> None:
        """Write a long64."""
        self.number(INT64, value)

    def uint8(self, value: int) -> None:
        """Write an unsigned."""
        self.number(UINT8, value)

    def uint16(self, value: int) -> None:
        """Write a long-unsigned."""
        self.number(UINT16, value)

    def uint32(self, value: int) -> None:
        """Write a double-long-unsigned."""
        self.number(UINT32, value)

    def uint64(self, value: int) -> None:
        """Write a long64-unsigned."""
        self.number(UINT64, value)

    def enum(self, value: int) -> None:
        """Write an enum."""
        self.number(ENUM, value)

    def octet_string(self, octets: "Buffer") -> None:
        """Write an octet string."""
        self.string(OCTET_STRING, octets)

    def string(self, tag: int, octets: "Buffer") -> None:
        """Write a string of type `tag` (octet, visible or UTF-8)."""
        self.octet(tag)
        self.length(len(octets))
        self.raw(octets)

    def bit_string(self, bits: int, octets: "Buffer") -> None:
        """Write `bits` bits, the first one in the highest bit of the first octet."""
        self.octet(BIT_STRING)
        self.length(bits)
        self.raw(octets)

    def data(self, tag: int, value: "Any") -> None:  # noqa: ANN401 - one of the types above
        """Write a pair as `Reader.data` returns it."""
        if tag in _NUMBERS:
            self.number(tag, value)
        elif tag in _STRINGS:
            self.string(tag, value)
        elif tag in (ARRAY, STRUCTURE):
            self.octet(tag)
            self.length(len(value))
            for element in value:
                self.data(element[0], element[1])
        elif tag == BOOLEAN:
            self.boolean(value)
        elif tag == BIT_STRING:
            self.bit_string(value[0], value[1])
        elif tag in _TIMES:
            self.octet(tag)
            self.raw(value)
        elif tag in (NULL, DONT_CARE):
            self.octet(tag)
        else:
            raise TypeUnmatched


class Reader:
    """Decodes values one behind the other out of `buffer[offset:end]`."""

    def __init__(self, buffer: "Buffer", offset: int = 0, end: int = -1) -> None:
        self.buffer = buffer
        self.at = offset
        self.end = len(buffer) if end < 0 else end

    def _take(self, size: int) -> int:
        at = self.at
        if at + size > self.end:
            raise EncodingError
        self.at = at + size
        return at

    def left(self) -> int:
        """Return how many octets have not been read."""
        return self.end - self.at

    def octet(self) -> int:
        """Read one bare octet."""
        at = self._take(1)
        return self.buffer[at]

    def peek(self) -> int:
        """Return the next octet, usually a tag, and stay before it."""
        if self.at >= self.end:
            raise EncodingError
        return self.buffer[self.at]

    def raw(self, size: int) -> bytes:
        """Read `size` bare octets."""
        at = self._take(size)
        return bytes(self.buffer[at : at + size])

    def rest(self) -> bytes:
        """Read what is left, as bare octets."""
        return self.raw(self.end - self.at)

    def unpack(self, form: str, size: int) -> "tuple[Any, ...]":
        """Read `size` bare octets by the struct format `form`."""
        return struct.unpack_from(form, self.buffer, self._take(size))

    def word(self) -> int:
        """Read two bare octets as an unsigned number."""
        at = self._take(2)
        return (self.buffer[at] << 8) | self.buffer[at + 1]

    def long(self) -> int:
        """Read four bare octets as an unsigned number."""
        at = self._take(4)
        return struct.unpack_from(">I", self.buffer, at)[0]

    def length(self) -> int:
        """Read a length or a number of elements; at most what is left, in units of an octet."""
        length = self.octet()
        if length >= 0x80:
            octets = length & 0x7F
            if not 1 <= octets <= _MAX_LENGTH_OCTETS:
                raise EncodingError
            length = 0
            for _ in range(octets):
                length = (length << 8) | self.octet()
        # every element of an array is at least one octet long
        if length > self.end - self.at:
            raise EncodingError
        return length

    def _bit_count(self) -> int:
        """Read the length of a bit string, which counts bits."""
        bits = self.octet()
        if bits >= 0x80:
            if bits > 0x82 or bits == 0x80:
                raise EncodingError
            bits = self.octet() if bits == 0x81 else self.word()
        return bits

    def number(self, tag: int) -> int:
        """Read a number that must be of type `tag`."""
        self.expect(tag)
        size, form = _NUMBERS[tag]
        at = self._take(size)
        return struct.unpack_from(form, self.buffer, at)[0]

    def boolean(self) -> bool:
        """Read a boolean; every octet but 0 is true."""
        self.expect(BOOLEAN)
        return self.octet() != 0

    def octet_string(self, minimum: int, maximum: int) -> bytes:
        """Read an octet string of `minimum` to `maximum` octets."""
        self.expect(OCTET_STRING)
        length = self.length()
        if not minimum <= length <= maximum:
            raise EncodingError
        return self.raw(length)

    def structure(self, count: int) -> None:
        """Enter a structure that must have `count` elements."""
        self.expect(STRUCTURE)
        if self.length() != count:
            raise TypeUnmatched

    def array(self) -> int:
        """Enter an array and return the number of its elements."""
        self.expect(ARRAY)
        return self.length()

    def expect(self, tag: int) -> None:
        """Step over the tag; raise TypeUnmatched if it is another one."""
        if self.octet() != tag:
            raise TypeUnmatched

    def data(self, depth: int = MAX_DEPTH) -> "Value":
        """Read any value and return it as a pair (tag, value)."""
        tag = self.octet()
        kind = _NUMBERS.get(tag)
        if kind is not None:
            at = self._take(kind[0])
            return tag, struct.unpack_from(kind[1], self.buffer, at)[0]
        if tag in _STRINGS:
            return tag, self.raw(self.length())
        if tag in (ARRAY, STRUCTURE):
            if depth == 0:
                raise EncodingError
            count = self.length()
            return tag, [self.data(depth - 1) for _ in range(count)]
        return tag, self._rare(tag)

    def _rare(self, tag: int) -> "Any":  # noqa: ANN401 - one of the types above
        """Read what follows one of the remaining tags."""
        if tag == BOOLEAN:
            return self.octet() != 0
        if tag == BIT_STRING:
            bits = self._bit_count()
            return bits, self.raw((bits + 7) // 8)
        if tag in _TIMES:
            return self.raw(_TIMES[tag])
        if tag not in (NULL, DONT_CARE):
            # compact arrays and the delta types are not used by any attribute a client may write
            raise EncodingError
        return None

    def skip(self, depth: int = MAX_DEPTH) -> None:
        """Step over any value and check its form as `data` does, without making it."""
        tag = self.octet()
        kind = _NUMBERS.get(tag)
        if kind is not None:
            self._take(kind[0])
        elif tag in _STRINGS:
            self._take(self.length())
        elif tag in (ARRAY, STRUCTURE):
            if depth == 0:
                raise EncodingError
            for _ in range(self.length()):
                self.skip(depth - 1)
        elif tag == BOOLEAN:
            self._take(1)
        elif tag == BIT_STRING:
            self._take((self._bit_count() + 7) // 8)
        elif tag in _TIMES:
            self._take(_TIMES[tag])
        elif tag not in (NULL, DONT_CARE):
            raise EncodingError
