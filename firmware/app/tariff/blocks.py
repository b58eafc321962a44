"""Block tariffs: imported energy of each rate by how much of it was used before (row TOU-20).

In each billing period the energy of a rate counts in block 1 up to its first threshold, then in
block 2, and so on to block 4; with the period the count starts anew, the registers go on. Nothing
is counted here: a block holds what it had when thresholds or period changed, and its share of what
the rate register has gained since. So the blocks of a rate cannot drift from its register.
"""

import struct
from array import array

from micropython import const

from app.storage import record, regions
from app.tariff.rates import RATES

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Memory

BLOCKS = const(4)
THRESHOLDS = const(24)  # between the blocks, three times eight; index is place * 8 + rate - 1
_REGISTERS = const(32)
_FORM = "<24I32Q8Q8Q"  # thresholds, registers, rates at the last change, used before it
_WH_MAX = const(0xFFFFFFFF)
_FIRST_MARK = const(56)
_FIRST_USED = const(64)


class Blocks:
    """The 32 block registers; `rate_wh(index)` is the rate register of active import.

    A threshold of 0 is none: its block has no end.
    damaged: both copies were unreadable, the registers start at zero
    failed: the memory did not answer
    """

    def __init__(
        self,
        memory: "Memory",
        rate_wh: "Callable[[int], int]",
        keep_totals: "Callable[[], None]",
    ) -> None:
        self._rate_wh = rate_wh
        self._keep_totals = keep_totals
        self._memory = memory
        self._thresholds_wh = array("I", [0] * THRESHOLDS)
        self._base_wh = array("Q", [0] * _REGISTERS)
        self._mark_wh = array("Q", [0] * RATES)
        self._used_wh = array("Q", [0] * RATES)  # of the period, before the mark
        self.damaged = self.failed = False
        stored = regions.open_record(memory, "blocks")
        payload = None
        try:
            payload = stored.load()
            self.damaged = stored.state >= record.LOST
        except OSError:
            self.failed = True
        if payload is not None and len(payload) == struct.calcsize(_FORM):
            numbers = struct.unpack(_FORM, payload)
            self._take(numbers)
        elif self.damaged:
            self._mark()

    def thresholds(self) -> "list[int]":
        """Return all thresholds in Wh."""
        return list(self._thresholds_wh)

    def value_wh(self, block: int, rate: int) -> int:
        """Return register of a block, 0 to 3, and a rate, 0 to 7."""
        mark_wh = self._mark_wh[rate]
        used_wh = self._used_wh[rate]
        # after a power cut the rate may stand a unit below its mark for a while
        now_wh = used_wh + max(0, self._rate_wh(rate) - mark_wh)
        share_wh = self._in_block(block, rate, now_wh) - self._in_block(block, rate, used_wh)
        return self._base_wh[block * RATES + rate] + share_wh

    def set_thresholds(self, thresholds_wh: "list[int]") -> None:
        """Let other thresholds hold from now on; what was used in this period is remembered.

        Raises ValueError unless those of each rate rise, 0 (none) last; OSError if they could not
        be stored; the old ones stay then.
        """
        if len(thresholds_wh) != THRESHOLDS:
            raise ValueError("block thresholds: three for each of eight rates")
        for rate in range(RATES):
            last_wh = 0
            for wh in thresholds_wh[rate::RATES]:
                if wh and wh <= last_wh:
                    raise ValueError("the block thresholds of a rate rise, 0 comes last")
                last_wh = wh or _WH_MAX
        numbers = self._closed(thresholds_wh, False)
        self._save(numbers)
        self._take(numbers)

    def new_period(self) -> None:
        """Begin a billing period: every rate starts in block 1 again."""
        numbers = self._closed(self.thresholds(), True)
        self._take(numbers)
        try:
            self._save(numbers)
        except OSError:
            self.failed = True

    def _closed(self, thresholds_wh: "list[int]", anew: bool) -> "list[int]":
        """Return what _FORM packs with the accounts closed up to now."""
        self._keep_totals()
        numbers = thresholds_wh + [
            self.value_wh(index // RATES, index % RATES) for index in range(_REGISTERS)
        ]
        used_wh: list[int] = []
        for rate in range(RATES):
            now_wh = max(self._rate_wh(rate), self._mark_wh[rate])
            used_wh.append(0 if anew else self._used_wh[rate] + now_wh - self._mark_wh[rate])
            numbers.append(now_wh)
        return numbers + used_wh

    def _save(self, numbers: "list[int]") -> None:
        stored = regions.open_record(self._memory, "blocks")  # its buffer is not kept
        stored.load()
        stored.save(struct.pack(_FORM, *numbers))
        self.failed = False

    def _take(self, numbers: "list[int] | tuple[int, ...]") -> None:
        for target, first in (
            (self._thresholds_wh, 0),
            (self._base_wh, THRESHOLDS),
            (self._mark_wh, _FIRST_MARK),
            (self._used_wh, _FIRST_USED),
        ):
            for index in range(len(target)):
                target[index] = numbers[first + index]

    def _mark(self) -> None:
        for rate in range(RATES):
            self._mark_wh[rate] = self._rate_wh(rate)

    def _in_block(self, block: int, rate: int, used_wh: int) -> int:
        """Return how much of `used_wh` of a period belongs into a block."""
        below_wh = 0
        for place in range(block):
            below_wh = self._thresholds_wh[place * RATES + rate]
            if not below_wh:
                return 0  # a block before this one has no end
        if block < BLOCKS - 1:
            end_wh = self._thresholds_wh[block * RATES + rate]
            if end_wh:
                used_wh = min(used_wh, end_wh)
        return max(0, used_wh - below_wh)
