"""A character on an asynchronous line as bits: start, data from the lowest, parity, stop.

For UARTs that are made of other things; nothing here touches one. Words go out and come in from
the lowest bit.
"""

from micropython import const

PARITY_ERROR = const(-1)
FRAMING_ERROR = const(-2)
BREAK = const(-3)

_STOP_BITS = const(3)  # ones: as many as there may be


class SerialFrame:
    """The format: `bits` of data, `parity` None, 0 even or 1 odd, 1 or 2 stop bits.

    Raises ValueError for another one.
    """

    def __init__(self, bits: int, parity: "int | None", stop: int) -> None:
        if not 5 <= bits <= 8 or parity not in (None, 0, 1) or stop not in (1, 2):
            raise ValueError("no such format")
        self._mask = (1 << bits) - 1
        self._parity = -1 if parity is None else parity
        self._parity_at = bits
        self._stop_at = bits if parity is None else bits + 1
        self.sent_bits = 1 + self._stop_at + stop
        self.heard_bits = self._stop_at + 1  # after the start bit; one stop bit is looked at

    def encode(self, octet: int) -> int:
        """Return the bits to send. Allocates nothing."""
        octet &= self._mask
        word = octet | _STOP_BITS << self._stop_at
        if self._parity >= 0:
            word |= (_odd(octet) ^ self._parity) << self._parity_at
        return word << 1

    def decode(self, word: int) -> int:
        """Return the octet of the bits heard, or one of the errors. Allocates nothing."""
        if not word >> self._stop_at & 1:
            return FRAMING_ERROR if word else BREAK
        octet = word & self._mask
        if self._parity >= 0 and word >> self._parity_at & 1 != _odd(octet) ^ self._parity:
            return PARITY_ERROR
        return octet


def _odd(octet: int) -> int:
    """1 if the number of ones is odd."""
    octet ^= octet >> 4
    return 0x6996 >> (octet & 15) & 1
