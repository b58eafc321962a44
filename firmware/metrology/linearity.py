"""Correction of a converter's own unevenness, code by code: a 12-bit ADC inside a processor.

Such a converter has codes several times as wide as others, which costs percents of a small
current's power. Production feeds a slow straight ramp over the range that the meter uses and
counts how often each code comes (`from_histogram`): as often as it is wide. The table of
corrections is stored with its range and a CRC, as the steps from code to code, half an octet each;
`codes_table` makes of it what a driver looks up, so that a correction costs nothing: the look-up
also scales 12 bits to the 24 that the rest of metrology counts in.
"""

import binascii
import struct
from array import array

from micropython import const

CODES = const(4096)
UNITS_PER_CODE = const(8)  # corrections are eighths of a code: up to 15.9 codes
PACKED_MAX = const(2304)

_VERSION = const(1)
_HEADER = "<BBHH"  # version, units, first and last code that was measured
_HEADER_BYTES = const(6)
_CRC_BYTES = const(4)
_STEP_MAX = const(7)  # of the steps that half an octet holds
_ESCAPE = const(8)  # the correction itself follows, in two halves
_MIDDLE = const(2048)
_LIMIT = const(127)
_WORD_PER_UNIT = const(512)  # 2**24 / (4096 * 8)
_WORD_MAX = const(0x7FFFFF)
_HITS_MIN = const(32)  # a code on the average: the ramp's own steps must not show
_RANGE_MIN = const(256)
_GAP_MAX = const(8)  # missing codes beside each other


class LinearityError(ValueError):
    """The table cannot be made or used; the text says why."""


class Linearity:
    """Corrections in eighths of a code, valid from `first` to `last`."""

    def __init__(self, first: int, last: int, corrections: "array[int]") -> None:
        check_range(first, last)
        if len(corrections) != CODES:
            raise LinearityError("linearity: number of corrections")
        self.first = first
        self.last = last
        self.corrections = corrections

    def level_ends(self) -> None:
        """Let codes outside of the range keep the correction of its ends."""
        corrections = self.corrections
        for code in range(self.first):
            corrections[code] = corrections[self.first]
        for code in range(self.last + 1, CODES):
            corrections[code] = corrections[self.last]

    def pack(self) -> bytes:
        """Return the record for storage. Raises LinearityError for a converter too uneven."""
        halves = bytearray()
        value = 0
        for code in range(self.first, self.last + 1):
            step = self.corrections[code] - value
            value += step
            if -_STEP_MAX <= step <= _STEP_MAX:
                halves.append(step & 15)
            else:
                halves.append(_ESCAPE)
                halves.append(value >> 4 & 15)
                halves.append(value & 15)
        halves.append(0)
        body = bytearray(struct.pack(_HEADER, _VERSION, UNITS_PER_CODE, self.first, self.last))
        for at in range(0, len(halves) - 1, 2):
            body.append(halves[at] << 4 | halves[at + 1])
        body += struct.pack("<I", binascii.crc32(body))
        if len(body) > PACKED_MAX:
            raise LinearityError("linearity: too uneven to be stored")
        return bytes(body)


def check_range(first: int, last: int) -> None:
    """Raise LinearityError if no table can be made for these codes."""
    if not 0 <= first < last < CODES or last - first < _RANGE_MIN:
        raise LinearityError("linearity: range of codes")


def unpack(data: "bytes | bytearray | memoryview") -> Linearity:
    """Return a stored table. Raises LinearityError if it is cut, damaged or of another kind."""
    end = len(data) - _CRC_BYTES
    if not _HEADER_BYTES <= end <= PACKED_MAX - _CRC_BYTES:
        raise LinearityError("linearity record has a wrong length")
    if struct.unpack("<I", data[end:])[0] != binascii.crc32(bytes(data[:end])):
        raise LinearityError("linearity record is damaged")
    version, units, first, last = struct.unpack(_HEADER, data[:_HEADER_BYTES])
    if version != _VERSION or units != UNITS_PER_CODE:
        raise LinearityError("linearity record of an unknown version")
    table = Linearity(first, last, array("b", bytes(CODES)))
    at = 2 * _HEADER_BYTES
    value = 0
    for code in range(first, last + 1):
        step = _half(data, at, end)
        at += 1
        if step != _ESCAPE:
            value += step if step < _ESCAPE else step - 16
        else:
            value = _half(data, at, end) << 4 | _half(data, at + 1, end)
            value -= (value & 0x80) << 1
            at += 2
        if not -_LIMIT <= value <= _LIMIT:
            raise LinearityError("linearity record holds what cannot be")
        table.corrections[code] = value
    table.level_ends()
    return table


def _half(data: "bytes | bytearray | memoryview", at: int, end: int) -> int:
    if at >> 1 >= end:
        raise LinearityError("linearity record is cut")
    octet = data[at >> 1]
    return octet & 15 if at & 1 else octet >> 4


def from_histogram(counts: "array[int] | list[int]", first: int, last: int) -> Linearity:
    """Return the table of a converter that saw a straight ramp from below `first` to above `last`.

    `counts[code]` says how often a code came. Codes outside of the range keep the correction of
    its ends, so that there is no step. Gain and offset are those of the two ends: they are the
    calibration's matter. Raises LinearityError if the counts cannot be those of such a ramp.
    """
    if len(counts) != CODES:
        raise LinearityError("linearity: number of counts")
    corrections = array("b", bytes(CODES))
    table = Linearity(first, last, corrections)
    total = _checked_total(counts, first, last)
    codes = last - first + 1
    below = 0  # twice the count of all codes below
    for code in range(first, last + 1):
        # Middle of the code on the ramp, in units from the lower edge of `first`
        middle = below + counts[code]
        below += 2 * counts[code]
        place = (middle * codes * UNITS_PER_CODE + total) // (2 * total)
        value = place - (code - first) * UNITS_PER_CODE - UNITS_PER_CODE // 2
        if not -_LIMIT <= value <= _LIMIT:
            raise LinearityError("linearity: code {} is too far off".format(code))
        corrections[code] = value
    table.level_ends()
    return table


def _checked_total(counts: "array[int] | list[int]", first: int, last: int) -> int:
    total = 0
    gap = 0
    for code in range(first, last + 1):
        if counts[code] < 0:
            raise LinearityError("linearity: negative count")
        total += counts[code]
        gap = 0 if counts[code] else gap + 1
        if gap > _GAP_MAX:
            raise LinearityError("linearity: the ramp left code {} out".format(code))
    if total < _HITS_MIN * (last - first + 1):
        raise LinearityError("linearity: too few counts")
    return total


def codes_table(table: "Linearity | None", words: "array[int] | None" = None) -> "array[int]":
    """Return for each 12-bit code the signed 24-bit code of metrology; None: uncorrected.

    `words` is filled if it is given: 16 KB are not always to be had.
    """
    if words is None:
        words = array("i", bytes(4 * CODES))
    for code in range(CODES):
        units = (code - _MIDDLE) * UNITS_PER_CODE
        if table is not None:
            units += table.corrections[code]
        word = units * _WORD_PER_UNIT
        words[code] = max(-_WORD_MAX - 1, min(_WORD_MAX, word))
    return words
