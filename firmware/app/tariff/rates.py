"""Energy by rates: 88 registers, 11 energies in 8 rates each (rows EN-03, TOU-01, TOU-08).

Nothing is counted here. A rate that is switched on remembers where the total stood, and its
register is what it held before plus what the total has gained since; so the rates cannot drift
from the total, and a power cut takes from them what it takes from the total and no more. Only a
switch is written to FRAM, a few times a day.

A switch names its moment. Windows of the mains are a fifth of a second long: the energy of the
one in which the moment lies is shared out by time, so that a rate changes on the second.
"""

import struct
from array import array

from micropython import const

from app import ticks
from app.storage import record, regions
from metrology.energy import ENERGIES, UNIT_UWS

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Buffer, Memory
    from metrology.energy import Energies

RATES = const(8)
KINDS = const(11)  # the totals but the net one, in the order of metrology.energy
REGISTERS = const(88)
MASK_SIZE = const(11)  # octets of a set of registers, register n in bit n % 8 of octet n // 8

_BASES_SIZE = const(704)
_MARKS_SIZE = const(88)
PAYLOAD_SIZE = const(1595)  # two arrays of bases, two of marks, the active set


def mask_of_rate(rate: int) -> bytes:
    """Return the set of the registers of one rate, 1 to 8, of every energy."""
    mask = bytearray(MASK_SIZE)
    for kind in range(KINDS):
        _set_bit(mask, kind * RATES + rate - 1)
    return bytes(mask)


class RateEnergies:
    """The 88 rate registers; index is kind * 8 + rate - 1.

    `keep_totals` stores the totals in FRAM; a switch calls it first, because a total that came
    back lower than the mark of a rate would take energy from that rate.
    """

    def __init__(
        self, memory: "Memory", energies: "Energies", keep_totals: "Callable[[], None]"
    ) -> None:
        self._memory = memory
        self._energies = energies
        self._keep_totals = keep_totals
        self._base_wh = array("Q", [0] * REGISTERS)
        self._base_uws = array("Q", [0] * REGISTERS)
        self._mark_wh = array("Q", [0] * KINDS)
        self._mark_uws = array("Q", [0] * KINDS)
        self._active = bytearray(MASK_SIZE)
        # ends of the last two windows: ticks, and the totals then
        self._last_ms = ticks.now_ms()
        self._before_ms = self._last_ms
        self._last = [0] * (2 * ENERGIES)
        self._before = [0] * (2 * ENERGIES)
        self._pending: tuple[bytes, int] | None = None
        self.damaged = False  # True: both copies were unreadable, the registers start at zero
        self.failed = False  # True: the memory did not answer
        # True: it did not at the start, and what it holds must not be overwritten by less
        self._unread = False
        self._restore()
        self._remember()
        self._remember()

    @property
    def active(self) -> bytes:
        """The set of registers that count now, or will when the window that runs has ended."""
        return bytes(self._active) if self._pending is None else self._pending[0]

    def value_wh(self, index: int) -> int:
        """Return what register `index` holds, in whole Wh, varh or VAh."""
        total_uws = self._base_uws[index]
        wh = self._base_wh[index]
        if _bit(self._active, index):
            kind = index // RATES
            total_uws += self._energies.residue[kind] - self._mark_uws[kind]
            wh += self._energies.wh[kind] - self._mark_wh[kind]
        return wh + total_uws // UNIT_UWS

    def switch(self, mask: "Buffer", at_ms: int) -> None:
        """Let the registers in `mask` count, and no others, from the moment `at_ms` in ticks.

        A moment before the last but one window's end counts as that end. One in the window that
        runs takes effect when that has closed.
        """
        if len(mask) != MASK_SIZE:
            raise ValueError("a set of rate registers has 11 octets")
        if self._pending is not None:  # two switches in one window: the first had no time to count
            self._settle(self._last_ms)
        self._pending = (bytes(mask), at_ms)
        if ticks.until_ms(at_ms, self._last_ms) <= 0:
            self._settle(at_ms)

    def window(self) -> None:
        """To be called after each measuring window, when the totals are up to date."""
        self._remember()
        if self._pending is not None and ticks.until_ms(self._pending[1], self._last_ms) <= 0:
            self._settle(self._pending[1])

    def _remember(self) -> None:
        before, last = self._before, self._last
        wh, residue = self._energies.wh, self._energies.residue
        for index in range(ENERGIES):
            before[2 * index] = last[2 * index]
            before[2 * index + 1] = last[2 * index + 1]
            last[2 * index] = wh[index]
            last[2 * index + 1] = residue[index]
        self._before_ms = self._last_ms
        self._last_ms = ticks.now_ms()

    def _settle(self, at_ms: int) -> None:
        """Close the accounts of what was active up to `at_ms`, open those of what is now."""
        assert self._pending is not None
        mask = self._pending[0]
        self._pending = None
        if mask == bytes(self._active):
            return
        self._keep_totals()
        totals = self._totals_at(at_ms)
        for index in range(REGISTERS):
            if _bit(self._active, index):
                kind = index // RATES
                gained = (totals[2 * kind] - self._mark_wh[kind]) * UNIT_UWS
                gained += totals[2 * kind + 1] - self._mark_uws[kind] + self._base_uws[index]
                self._base_wh[index] += gained // UNIT_UWS
                self._base_uws[index] = gained % UNIT_UWS
        self._active[:] = mask
        self._mark(totals)
        self._save()

    def _totals_at(self, at_ms: int) -> "list[int]":
        """Return (whole, residue) of every total at a moment of the last window.

        A moment before the switch before it is that of the switch: nothing counts twice.
        """
        length_ms = ticks.until_ms(self._last_ms, self._before_ms)
        passed_ms = min(max(ticks.until_ms(at_ms, self._before_ms), 0), length_ms)
        if passed_ms == length_ms:
            return self._last
        totals = list(self._before)
        for kind in range(KINDS):
            at = 2 * kind
            gained = (self._last[at] - totals[at]) * UNIT_UWS + self._last[at + 1] - totals[at + 1]
            share = totals[at + 1] + gained * passed_ms // length_ms
            total = (totals[at] + share // UNIT_UWS, share % UNIT_UWS)
            total = max(total, (self._mark_wh[kind], self._mark_uws[kind]))
            totals[at], totals[at + 1] = total
        return totals

    def _mark(self, totals: "list[int]") -> None:
        for kind in range(KINDS):
            self._mark_wh[kind] = totals[2 * kind]
            self._mark_uws[kind] = totals[2 * kind + 1]

    def _save(self) -> None:
        if self._unread:
            return
        payload = bytearray(PAYLOAD_SIZE)
        at = 0
        for numbers in (self._base_wh, self._base_uws, self._mark_wh, self._mark_uws):
            for number in numbers:
                struct.pack_into("<Q", payload, at, number)
                at += 8
        payload[at:] = self._active
        try:
            rates = regions.open_record(self._memory, "rates")
            rates.load()
            rates.save(payload)
            self.failed = False
        except OSError:
            self.failed = True

    def _restore(self) -> None:
        rates = regions.open_record(self._memory, "rates")
        try:
            payload = rates.load()
        except OSError:
            self.failed = True
            self._unread = True
            payload = None
        if payload is None or len(payload) != PAYLOAD_SIZE:
            self.damaged = rates.state >= record.LOST
            self._active[:] = mask_of_rate(1)
            self._remember()
            self._mark(self._last)
            self._save()  # so that the next start knows since when the first rate counts
            return
        at = 0
        for numbers in (self._base_wh, self._base_uws, self._mark_wh, self._mark_uws):
            for index in range(len(numbers)):
                numbers[index] = struct.unpack_from("<Q", payload, at)[0]
                at += 8
        self._active[:] = payload[at:]
        for kind in range(KINDS):
            # totals that were lost start below: what their rates held stays, the count goes on
            total = (self._energies.wh[kind], self._energies.residue[kind])
            mark = min(total, (self._mark_wh[kind], self._mark_uws[kind]))
            self._mark_wh[kind], self._mark_uws[kind] = mark


def _bit(mask: "Buffer", index: int) -> int:
    return mask[index >> 3] >> (index & 7) & 1


def _set_bit(mask: bytearray, index: int) -> None:
    mask[index >> 3] |= 1 << (index & 7)
