"""Maximum demand and minimum power factor of a billing period (rows DEM-05 to DEM-07, MET-19).

63 registers, seven energies in total and in eight rates each, and the lowest power factor: a
value, the end of its measuring period and that period's bits in one array, kept whenever one of
them changes, which is at the end of a measuring period at most.
"""

import struct

from micropython import const

from app.storage import record, regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer, Memory

RATES = const(8)
KINDS = const(7)
RATE_REGISTERS = const(56)
MASK_SIZE = const(7)  # octets of a set of rate registers, kind * 8 + rate - 1
REGISTERS = const(63)  # kind * 9 + rate; rate 0 is the total
POWER_FACTOR = const(63)  # the row of the lowest one
POWER_FACTOR_MAX = const(1000)

_ROW = "<IIB"
_ROW_SIZE = const(9)
_STATE_SIZE = const(576)


def mask_of_rate(rate: int) -> bytes:
    """Return the set of the registers of one rate, 1 to 8, of every energy."""
    return bytes((1 << rate - 1,)) * KINDS


class Maxima:
    """The registers.

    damaged: both copies were, all begin anew; failed: the memory did not answer
    """

    def __init__(self, memory: "Memory") -> None:
        self._memory = memory
        self._state = bytearray(_STATE_SIZE)
        self.active = mask_of_rate(1)  # the rate registers that take part
        self.damaged = False
        self.failed = False
        self._unread = False  # True: not to be overwritten by what began without it
        self._put(POWER_FACTOR, POWER_FACTOR_MAX, 0, 0)
        stored = regions.open_record(memory, "maxima")
        try:
            payload = stored.load()
        except OSError:
            self.failed = self._unread = True
            return
        self.damaged = stored.state >= record.LOST
        if payload is not None and len(payload) == _STATE_SIZE:
            self._state[:] = payload

    def value(self, index: int) -> int:
        """Return a maximum in tenths of a W, var or VA, or the power factor in thousandths."""
        return self._row(index)[0]

    def capture_utc_s(self, index: int) -> int:
        """Return the end of the period that the value belongs to, 0 if there was none."""
        return self._row(index)[1]

    def status(self, index: int) -> int:
        """Return the bits of that period (table 6.2)."""
        return self._row(index)[2]

    def switch(self, mask: "Buffer") -> None:
        """Let the rate registers in `mask` take part from now on, and no others."""
        self.active = bytes(mask)

    def compare(self, kind: int, value: int, utc_s: int, bits: int) -> bool:
        """Take an average over where it is higher; tell whether it was anywhere."""
        changed = False
        for rate in range(RATES + 1):
            index = kind * (RATES + 1) + rate
            takes_part = not rate or self.active[kind] >> rate - 1 & 1
            if takes_part and value > self.value(index):
                self._put(index, value, utc_s, bits)
                changed = True
        return changed

    def compare_power_factor(self, value: int, utc_s: int, bits: int) -> bool:
        """Take a power factor over if it is lower; tell whether it was."""
        if value >= self.value(POWER_FACTOR):
            return False
        self._put(POWER_FACTOR, value, utc_s, bits)
        return True

    def reset(self) -> None:
        """Set all maxima to zero."""
        for index in range(REGISTERS):
            self._put(index, 0, 0, 0)
        self.keep()

    def reset_power_factor(self) -> None:
        """Set the lowest power factor to one."""
        self._put(POWER_FACTOR, POWER_FACTOR_MAX, 0, 0)
        self.keep()

    def keep(self) -> None:
        """Store all of it; a memory that does not answer is noted in `failed`."""
        if self._unread:
            return
        try:
            stored = regions.open_record(self._memory, "maxima")
            stored.load()
            stored.save(self._state)
            self.failed = False
        except OSError:
            self.failed = True

    def _row(self, index: int) -> "tuple[int, int, int]":
        return struct.unpack_from(_ROW, self._state, index * _ROW_SIZE)

    def _put(self, index: int, value: int, utc_s: int, bits: int) -> None:
        struct.pack_into(_ROW, self._state, index * _ROW_SIZE, value, utc_s, bits)
