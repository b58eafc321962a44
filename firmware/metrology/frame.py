"""Frames of the metering ADC: what lies in a driver's ring, and how it becomes channels.

A chip of the ADS131M0x family sends a frame of 24-bit words, most significant byte first: the
status word, one two's complement code a channel, then a CRC in the upper 16 bits of the last word
(CRC-16/CCITT, polynomial 1021h, seed FFFFh, over all bytes before it; data sheet SBAS950, "Data
framing"). Drivers own the ring and the bus and decode through a `Decoder`; the codes go on to
engine.py. A board with another converter fills the same channels in its own way.
"""

from array import array

from micropython import const

from metrology import kernel

BYTES_PER_WORD = const(3)
MAX_CHANNELS = const(8)  # as many as the family's largest chip has
BLOCK = const(64)  # frames the engine takes at once, at most

_CRC_POLYNOMIAL = const(0x1021)
_CRC_SEED = const(0xFFFF)

# The kernel's state for decode, see there
_WORDS = const(0)
_CHANNELS = const(1)
_FIRST = const(2)
_RING = const(3)
_STATUS = const(4)
_BAD = const(5)
_OFFSETS = const(8)
_GOOD = const(16)
_TABLE = const(24)
_STATE = const(280)


def _crc_of_byte(value: int) -> int:
    crc = value << 8
    for _ in range(8):
        crc = (crc << 1) ^ (_CRC_POLYNOMIAL if crc & 0x8000 else 0)
        crc &= 0xFFFF
    return crc


_CRC_TABLE = array("H", [_crc_of_byte(value) for value in range(256)])


def crc16(data: "bytes | bytearray | memoryview", end: int) -> int:
    """Return the CRC of the first `end` bytes, for commands and tests; frames use the kernel's."""
    crc = _CRC_SEED
    for k in range(end):
        crc = ((crc << 8) & 0xFFFF) ^ _CRC_TABLE[(crc >> 8) ^ data[k]]
    return crc


def _followed(value: int) -> int:
    """CRC of a byte and a zero byte behind it."""
    crc = _CRC_TABLE[value]
    return ((crc << 8) & 0xFFFF) ^ _CRC_TABLE[crc >> 8]


def _swapped(crc: int) -> int:
    return (crc >> 8) | ((crc & 0xFF) << 8)


def _pair(low: int, high: int) -> int:
    """Two CRCs in one signed word of an array, bytes swapped."""
    word = _swapped(low) | (_swapped(high) << 16)
    return word - 0x100000000 if word & 0x80000000 else word


class Decoder:
    """Takes the wanted channels out of the chip frames of a ring.

    `words`: words of a chip frame, status and CRC included. `channels`: for each channel of the
    meter, in the order u1 i1 u2 i2 u3 i3 in, the word of the chip frame that carries it.
    Raises ValueError for a layout that no frame can have.
    """

    def __init__(self, words: int, channels: list[int]) -> None:
        if not 3 <= words <= 2 + MAX_CHANNELS:
            raise ValueError("words of a frame")
        if not 1 <= len(channels) <= MAX_CHANNELS:
            raise ValueError("number of channels")
        state = array("i", bytes(4 * _STATE))
        state[_WORDS] = words
        state[_CHANNELS] = len(channels)
        for k, word in enumerate(channels):
            if not 1 <= word <= words - 2:
                raise ValueError("word of a channel")
            state[_OFFSETS + k] = BYTES_PER_WORD * word
        for k in range(0, 256, 2):
            # Two half words a word, bytes swapped, as the kernel looks them up: the CRC of a byte
            # that another one follows, then that of a last byte.
            state[_TABLE + k // 2] = _pair(_followed(k), _followed(k + 1))
            state[_TABLE + 128 + k // 2] = _pair(_CRC_TABLE[k], _CRC_TABLE[k + 1])
        self.words = words
        self.channels = len(channels)
        self.frame_bytes = BYTES_PER_WORD * words
        self._state = state

    @property
    def status(self) -> int:
        """The status word (16 bits) of the last frame with a right CRC."""
        return self._state[_STATUS]

    @property
    def bad_in_a_row(self) -> int:
        """Frames with a wrong CRC since the last right one: a broken line, if it keeps rising."""
        return self._state[_BAD]

    def decode(
        self,
        ring: "bytearray | memoryview",
        first_frame: int,
        count: int,
        out: "array[int] | memoryview",
    ) -> int:
        """Decode `count` frames from `first_frame` of the ring into `out`, from its start.

        Returns how many had a wrong CRC; each of them repeats the last good frame. The frames may
        wrap round the end of the ring, which is a whole number of frames long. Allocates nothing.
        Raises ValueError if ring or `out` is too short.
        """
        frames_in_ring = len(ring) // self.frame_bytes
        if not 0 <= first_frame < frames_in_ring or not 0 <= count <= frames_in_ring:
            raise ValueError("frames outside the ring")
        if count * self.channels > len(out):
            raise ValueError("frames do not fit")
        state = self._state
        state[_FIRST] = first_frame
        state[_RING] = frames_in_ring
        return kernel.decode(count, state, ring, out)  # pyright: ignore[reportArgumentType]
