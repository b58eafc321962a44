"""Words, CRC and whole frames of the ADS131M0x: the one hot loop of the converters' model.

At five times real time `fill_frames` makes 20000 frames of eight channels a second, so it is
compiled. It does what `Ads131m0x` does word by word; a test compares the two.
"""

from array import array

import micropython
from micropython import const

HEADER = 6  # words of `parameters` ahead of the channels
COEFFICIENTS = 5  # words of `parameters` a channel

_CCITT = const(0x1021)
_ANSI = const(0x8005)


def _make_table(polynomial: int) -> "array[int]":
    table = array("H", [0] * 256)
    for index in range(256):
        crc = index << 8
        for _ in range(8):
            crc = (crc << 1) ^ polynomial if crc & 0x8000 else crc << 1
        table[index] = crc & 0xFFFF
    return table


_TABLES = (_make_table(_CCITT), _make_table(_ANSI))


def crc_table(ansi: bool) -> "array[int]":
    """CRC-16 of each octet: CCITT, or ANSI (both seeded with FFFF, most significant bit first)."""
    return _TABLES[1 if ansi else 0]


def crc16(table: "array[int]", data: "bytes | bytearray") -> int:
    """CRC of `data`, seeded with FFFF."""
    crc = 0xFFFF
    for byte in data:
        crc = crc << 8 & 0xFF00 ^ table[crc >> 8 ^ byte]
    return crc


def clip(code: int) -> int:
    """Limit a code to 24 bits as the converter does."""
    return max(-0x800000, min(0x7FFFFF, code))


def put_word(frame: bytearray, word: int, size: int, extend: bool) -> None:
    """Append a 24-bit word as `size` bytes; `extend`: 32 bits repeat the sign, not zeros below."""
    if size == 4:
        word = word & 0xFFFFFFFF if extend else (word & 0xFFFFFF) << 8
    elif size == 2:
        word = (word & 0xFFFFFF) >> 8
    for shift in range(8 * (size - 1), -1, -8):
        frame.append((word >> shift) & 0xFF)


@micropython.viper
def fill_frames(samples: ptr32, raw: ptr8, table: ptr16, parameters: ptr32):
    """Write frames into `raw`: status, one 24-bit word a channel, CRC.

    `parameters`: count, words of a sample frame, channels, offset in `raw`, STATUS, CRC of the
    status word; then for each channel its word (past the frame's words: none), constant, gain,
    offset and gain calibration. Products are below 2**49, so the loop needs a 64-bit interpreter,
    where loads of a ptr32 are not sign-extended: the shifts by 32 do that.
    """
    count = parameters[0]
    words = parameters[1]
    channels = parameters[2]
    out = parameters[3]
    status_high = parameters[4] >> 8
    status_low = parameters[4] & 0xFF
    first_crc = parameters[5]
    sample = 0
    while count > 0:
        raw[out] = status_high
        raw[out + 1] = status_low
        raw[out + 2] = 0
        out += 3
        crc = first_crc
        at = 6
        channel = 0
        while channel < channels:
            code = (parameters[at + 1] << 32) >> 32
            word = parameters[at]
            if word < words:
                code += ((samples[sample + word] << 32) >> 32) * parameters[at + 2]
            if code > 0x7FFFFF:
                code = 0x7FFFFF
            elif code < -0x800000:
                code = -0x800000
            code = ((code - ((parameters[at + 3] << 32) >> 32)) * parameters[at + 4]) >> 23
            if code > 0x7FFFFF:
                code = 0x7FFFFF
            elif code < -0x800000:
                code = -0x800000
            octet = (code >> 16) & 0xFF
            raw[out] = octet
            crc = ((crc << 8) & 0xFF00) ^ table[(crc >> 8) ^ octet]
            octet = (code >> 8) & 0xFF
            raw[out + 1] = octet
            crc = ((crc << 8) & 0xFF00) ^ table[(crc >> 8) ^ octet]
            octet = code & 0xFF
            raw[out + 2] = octet
            crc = ((crc << 8) & 0xFF00) ^ table[(crc >> 8) ^ octet]
            out += 3
            at += 5
            channel += 1
        raw[out] = crc >> 8
        raw[out + 1] = crc & 0xFF
        raw[out + 2] = 0
        out += 3
        sample += words
        count -= 1
