"""HT1621: glass of 32 segments by 4 commons as a `hal.SegmentLcd` (Holtek HT1621 revision 2.90).

Three wires, written only. Bits of one transfer: three of the mode, then a command of nine, or six
of the address and nibbles, D0 first, for it and those that follow.
"""

import time

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import Pin

# Modes.
_WRITE = const(5)
_COMMAND = const(4)

# A.C. characteristics: WR is low and high for 3.34 us at least with 3 V.
_PULSE_US = const(4)


class Ht1621:
    """The glass on three pins; `backlight`, if there is one, is lit by a high level."""

    buffer: bytearray

    _ADDRESSES = 32
    # SYS EN, TIMER DIS, WDT DIS, TONE OFF, RC 256K, BIAS 1/3 with 4 commons, IRQ DIS, NORMAL. All
    # of them, as the data sheet bids: the chip's own reset may have failed.
    _SETUP = b"\x01\x04\x05\x08\x18\x29\x80\xe3"

    def __init__(self, cs: "Pin", wr: "Pin", data: "Pin", backlight: "Pin | None" = None) -> None:
        self.buffer = bytearray(self._ADDRESSES // 2)
        self._sent = bytearray(self._ADDRESSES // 2)
        self._cs = cs
        self._wr = wr
        self._data = data
        self._backlight = backlight
        cs.value(1)
        wr.value(1)
        self.backlight(False)

    def start(self) -> None:
        """Configure the controller, clear the glass, switch it on."""
        for index in range(len(self.buffer)):
            self.buffer[index] = 0
        self.refresh()

    def refresh(self) -> None:
        """Configure the controller again and send everything, about 10 ms, without a blank.

        A discharge through the glass can have reset it, which nothing tells.
        """
        self._command(self._SETUP)
        for index in range(len(self.buffer)):
            self._sent[index] = self.buffer[index] ^ 0xFF
        self.show()
        self._command(b"\x03")  # LCD ON

    def show(self) -> None:
        """Send the nibbles that changed, those side by side in one transfer."""
        follows = False
        for address in range(self._ADDRESSES):
            at = address >> 1
            shift = (address & 1) << 2
            nibble = self.buffer[at] >> shift & 15
            if nibble == self._sent[at] >> shift & 15:
                follows = False
                continue
            if not follows:
                self._begin(_WRITE)
                self._send(address, 6)
                follows = True
            for bit in range(4):
                self._send(nibble >> bit, 1)
            self._sent[at] = self._sent[at] & 0xF0 >> shift | nibble << shift
        self._cs.value(1)

    def backlight(self, on: bool) -> None:
        """Switch the backlight."""
        if self._backlight is not None:
            self._backlight.value(1 if on else 0)

    def _command(self, commands: bytes) -> None:
        """Send commands; only the first one has its mode before it."""
        self._begin(_COMMAND)
        for command in commands:
            self._send(command << 1, 9)
        self._cs.value(1)

    def _begin(self, mode: int) -> None:
        self._cs.value(1)
        self._cs.value(0)
        self._send(mode, 3)

    def _send(self, value: int, bits: int) -> None:
        """Send the lowest bits of a value, highest first; the chip takes each as WR rises."""
        while bits:
            bits -= 1
            self._wr.value(0)
            self._data.value(value >> bits & 1)
            time.sleep_us(_PULSE_US)
            self._wr.value(1)
            time.sleep_us(_PULSE_US)
