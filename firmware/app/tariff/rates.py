"""Energy by rates: 88 registers, 11 energies in 8 rates each (rows EN-03, TOU-01, TOU-08).

Nothing is counted here. A rate that is switched on remembers where the total stood, and its
register is what it held before plus what the total has gained since; so the rates cannot drift
from the total, and a power cut takes from them what it takes from the total and no more. Only a
switch is written to FRAM, a few times a day.

A switch names its moment. Windows of the mains are a fifth of a second long: the energy of the
one in which the moment lies is shared out by time, so that a rate changes on the second.

As an option active import has 48 rates (row EN-04): registers 88 to 127 are its rates 9 to 48,
and all lie in a record of their own. Switched off, these registers rest there.
"""

from array import array

from micropython import const

from app import ticks
from app.storage import record, regions
from metrology.energy import UNIT_UWS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.tariff.window_totals import WindowTotals
    from hal import Buffer, Memory

RATES = const(8)
MANY_RATES = const(48)
KINDS = const(11)  # the totals but the net one, in the order of metrology.energy
REGISTERS = const(88)
MANY_REGISTERS = const(128)
_MASK_SIZE = const(11)  # octets of a set of registers, register n in bit n % 8 of octet n // 8
_MANY_MASK_SIZE = const(16)
_PENDING_MAX = const(4)  # switches within one window

# The record: bases in Wh and in the residue's unit, marks in the same, the active set
_BASES_SIZE = const(704)
_MARKS_SIZE = const(88)
_PAYLOAD_SIZE = const(1595)
_MORE_SIZE = const(320)  # bases of 40 registers, behind it
_MANY_PAYLOAD_SIZE = const(2240)


def mask_of_rate(rate: int, many: bool = False) -> bytes:
    """Return the set of the registers of one rate, 1 to 8 or 48, of every energy.

    Energies that have no such rate count in their first one.
    """
    mask = bytearray(_MANY_MASK_SIZE if many else _MASK_SIZE)
    for kind in range(KINDS):
        _set_bit(mask, kind * RATES + (rate - 1 if rate <= RATES else 0))
    if rate > RATES:
        mask[0] &= 0xFE
        _set_bit(mask, REGISTERS + rate - RATES - 1)
    return bytes(mask)


class RateEnergies:
    """The rate registers; index is kind * 8 + rate - 1, from 88 on rate - 9 of active import.

    `keep_totals` stores the totals in FRAM; a switch calls it first, because a total that came
    back lower than the mark of a rate would take energy from that rate.
    many: active import has 48 rates
    """

    def __init__(
        self,
        memory: "Memory",
        totals: "WindowTotals",
        keep_totals: "Callable[[], None]",
        many: bool = False,
    ) -> None:
        self._memory = memory
        self._totals = totals
        self._energies = totals.energies
        self._keep_totals = keep_totals
        self.many = many
        self._base_wh = array("Q", [0] * self.count)
        self._base_uws = array("Q", [0] * self.count)
        self._mark_wh = array("Q", [0] * KINDS)
        self._mark_uws = array("Q", [0] * KINDS)
        self._active = bytearray(mask_of_rate(1, many))
        self._pending: list[tuple[bytes, int]] = []
        self.damaged = False  # True: both copies were unreadable, the registers start at zero
        self.failed = False  # True: the memory did not answer
        # True: it did not at the start, and what it holds must not be overwritten by less
        self._unread = False
        self._restore()
        self._lower_marks()

    @property
    def count(self) -> int:
        """How many registers there are."""
        return MANY_REGISTERS if self.many else REGISTERS

    @property
    def active(self) -> bytes:
        """The set of registers that count now, or will when the window that runs has ended."""
        return self._pending[-1][0] if self._pending else bytes(self._active)

    def value_wh(self, index: int) -> int:
        """Return what register `index` holds, in whole Wh, varh or VAh."""
        total_uws = self._base_uws[index]
        wh = self._base_wh[index]
        if _bit(self._active, index):
            kind = _kind(index)
            total_uws += self._energies.residue[kind] - self._mark_uws[kind]
            wh += self._energies.wh[kind] - self._mark_wh[kind]
        return wh + total_uws // UNIT_UWS

    def switch(self, mask: "Buffer", at_ms: int) -> None:
        """Let the registers in `mask` count, and no others, from the moment `at_ms` in ticks.

        A moment before the last but one window's end counts as that end. One in the window that
        runs takes effect when that has closed.
        """
        if len(mask) != len(self._active):
            raise ValueError("a set of other rate registers")
        if len(self._pending) == _PENDING_MAX:
            self._pending.pop()
        self._pending.append((bytes(mask), at_ms))
        self._settle_due()

    def window(self) -> None:
        """To be called after each measuring window, when the totals know of it."""
        if self._pending:
            self._settle_due()

    def totals_set_back(self) -> None:
        """Go on though totals were lost and count on from below: what the rates hold stays."""
        self._totals.forget()
        self._lower_marks()

    def _lower_marks(self) -> None:
        for kind in range(KINDS):
            total = (self._energies.wh[kind], self._energies.residue[kind])
            mark = min(total, (self._mark_wh[kind], self._mark_uws[kind]))
            self._mark_wh[kind], self._mark_uws[kind] = mark

    def set_many(self, many: bool) -> None:
        """Give active import 48 rates, or 8 again. What has counted keeps its energy.

        A rate above 8 that counts is left for the first one. Raises OSError if the memory does
        not answer. The caller remembers the option, after this.
        """
        while self._pending:
            self._settle(self._pending.pop(0)[0], self._totals.last_ms)
        if many == self.many:
            return
        more = None
        if many:
            more = regions.open_record(self._memory, "rates_48").load()
        else:
            mask = bytearray(self._active[:_MASK_SIZE]) + bytes(_MANY_MASK_SIZE - _MASK_SIZE)
            if any(self._active[_MASK_SIZE:]):
                mask[0] |= 1
            self._settle(bytes(mask), self._totals.last_ms)
            if self.failed:
                raise OSError
        wh, uws, active = bytes(self._base_wh), bytes(self._base_uws), bytes(self._active)
        self._resize(many, wh, uws, active, more)
        self._save()
        if self.failed:
            self._resize(not many, wh, uws, active, None)
            raise OSError

    def _resize(
        self, many: bool, wh: bytes, uws: bytes, active: bytes, more: "Buffer | None"
    ) -> None:
        """Take these registers; `more` is the record that holds those above, None: as given."""
        at = _PAYLOAD_SIZE
        rest = bytes(more[at:]) if more else bytes(2 * _MORE_SIZE)
        if many and len(wh) == _BASES_SIZE:
            wh += rest[:_MORE_SIZE]
            uws += rest[_MORE_SIZE : 2 * _MORE_SIZE]
            active += bytes(_MANY_MASK_SIZE - _MASK_SIZE)
        elif not many:
            wh, uws, active = wh[:_BASES_SIZE], uws[:_BASES_SIZE], active[:_MASK_SIZE]
        # arrays hold their numbers as the record does: every processor is little-endian
        self._base_wh = array("Q", wh)
        self._base_uws = array("Q", uws)
        self._active = bytearray(active)
        self.many = many

    def _settle_due(self) -> None:
        pending = self._pending
        while pending and ticks.until_ms(pending[0][1], self._totals.last_ms) <= 0:
            mask, at_ms = pending.pop(0)
            self._settle(mask, at_ms)

    def _settle(self, mask: bytes, at_ms: int) -> None:
        """Close the accounts of what was active up to `at_ms`, open those of what is now."""
        if mask == bytes(self._active):
            return
        self._keep_totals()
        ended: list[int] = []
        for kind in range(KINDS):
            # a moment before the switch before it is that of the switch: nothing counts twice
            mark_uws = self._mark_wh[kind] * UNIT_UWS + self._mark_uws[kind]
            ended.append(max(self._totals.at_uws(kind, at_ms), mark_uws))
        for index in range(self.count):
            if _bit(self._active, index):
                kind = _kind(index)
                gained = ended[kind] - self._mark_wh[kind] * UNIT_UWS - self._mark_uws[kind]
                gained += self._base_uws[index]
                self._base_wh[index] += gained // UNIT_UWS
                self._base_uws[index] = gained % UNIT_UWS
        self._active[:] = mask
        for kind in range(KINDS):
            self._mark_wh[kind] = ended[kind] // UNIT_UWS
            self._mark_uws[kind] = ended[kind] % UNIT_UWS
        self._save()

    def _mark_now(self) -> None:
        for kind in range(KINDS):
            self._mark_wh[kind] = self._energies.wh[kind]
            self._mark_uws[kind] = self._energies.residue[kind]

    def _save(self) -> None:
        if self._unread:
            return
        wh, uws = memoryview(self._base_wh), memoryview(self._base_uws)
        marks = bytes(self._mark_wh) + bytes(self._mark_uws)
        active = self._active
        payload = bytes(wh[:REGISTERS]) + bytes(uws[:REGISTERS]) + marks + active[:_MASK_SIZE]
        if self.many:
            payload += bytes(wh[REGISTERS:]) + bytes(uws[REGISTERS:]) + active[_MASK_SIZE:]
        try:
            rates = self._record()
            rates.load()
            rates.save(payload)
            self.failed = False
        except OSError:
            self.failed = True

    def _record(self) -> "record.Record":
        return regions.open_record(self._memory, "rates_48" if self.many else "rates")

    def _restore(self) -> None:
        rates = self._record()
        payload = None
        try:
            payload = rates.load()
        except OSError:
            self.failed = self._unread = True
        if payload is None or len(payload) != (_MANY_PAYLOAD_SIZE if self.many else _PAYLOAD_SIZE):
            self.damaged = not self.failed and rates.state >= record.LOST
            self._mark_now()
            self._save()  # so that the next start knows since when the first rate counts
            return
        stored = bytes(payload)
        end = 2 * _BASES_SIZE + _MARKS_SIZE
        self._mark_wh = array("Q", stored[2 * _BASES_SIZE : end])
        self._mark_uws = array("Q", stored[end : end + _MARKS_SIZE])
        self._resize(
            self.many,
            stored[:_BASES_SIZE],
            stored[_BASES_SIZE : 2 * _BASES_SIZE],
            stored[end + _MARKS_SIZE : _PAYLOAD_SIZE],
            stored,
        )
        if self.many:
            self._active[_MASK_SIZE:] = stored[_PAYLOAD_SIZE + 2 * _MORE_SIZE :]


def _kind(index: int) -> int:
    return index // RATES if index < REGISTERS else 0


def _bit(mask: "Buffer", index: int) -> int:
    return mask[index >> 3] >> (index & 7) & 1


def _set_bit(mask: bytearray, index: int) -> None:
    mask[index >> 3] |= 1 << (index & 7)
