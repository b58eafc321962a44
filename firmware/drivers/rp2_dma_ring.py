"""A ring in memory that two DMA channels of an RP2040 or RP2350 fill for ever, without the CPU.

The data channel moves what a peripheral offers (one transfer each time it asks) into the ring.
At the ring's end it chains to the control channel, which writes the ring's address into the data
channel's CH_AL2_WRITE_ADDR_TRIG: that starts the next lap with the count reloaded (RP2040 data
sheet, "DMA", alias map and channel chaining). No interrupt is involved, so a processor that stands
still, in a collection or while its flash is erased, neither stops the capture nor lets it run past
the ring.

The control channel reads the address from a table of 16 equal words, aligned to their size, and
its read address wraps inside it: that register counts the laps, modulo 16, again without the CPU.
"""

import rp2
import uctypes
from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from array import array
    from typing import Protocol

    class Channel(Protocol):
        """The part of rp2.DMA that is used here; the stubs leave its registers out."""

        channel: int  # its number
        read: int  # address of the next transfer's source
        count: int  # transfers left

        def pack_ctrl(self, *, default: int | None = None, **fields: int) -> int:
            """Value of the control register from its fields."""
            ...

        def config(
            self,
            *,
            read: int | None = None,
            write: int | None = None,
            count: int | None = None,
            ctrl: int | None = None,
            trigger: bool = False,
        ) -> None:
            """Write the channel's registers."""
            ...

        def active(self, value: int) -> object:
            """Start or abort."""
            ...

        def close(self) -> None:
            """Give the channel back."""
            ...


BYTES = const(0)  # size of a transfer, as the control register has it
HALF_WORDS = const(1)

_DMA_BASE = const(0x50000000)  # the same on both chips
_CHANNEL_BYTES = const(0x40)
_AL2_WRITE_ADDR_TRIG = const(0x2C)
_TREQ_UNPACED = const(0x3F)

_LAPS = const(16)
_TABLE_BYTES = const(64)  # of _LAPS words: also the alignment that wrapping needs
_TABLE_RING_SIZE = const(6)  # 2**6 bytes
_TRIES = const(8)


class DmaRing:
    """Transfers from one register of a peripheral into `ring`, paced by its request `treq`."""

    def __init__(
        self, ring: "bytearray | array[int]", register: int, treq: int, size: int
    ) -> None:
        self.transfers = len(ring)  # of a whole lap
        self._ring = ring
        address = uctypes.addressof(ring)
        store = bytearray(2 * _TABLE_BYTES)
        start = uctypes.addressof(store)
        self._table = (start + _TABLE_BYTES - 1) & ~(_TABLE_BYTES - 1)
        for at in range(self._table - start, self._table - start + _TABLE_BYTES, 4):
            for k in range(4):
                store[at + k] = (address >> (8 * k)) & 0xFF
        self._store = store  # holds the table's memory
        self._data: Channel = rp2.DMA()  # pyright: ignore[reportAttributeAccessIssue]
        self._control: Channel = rp2.DMA()  # pyright: ignore[reportAttributeAccessIssue]
        self._free = self._data.pack_ctrl(
            size=size, inc_read=False, inc_write=True, treq_sel=treq, irq_quiet=True
        )
        self._control.config(
            read=self._table,
            write=_DMA_BASE + _CHANNEL_BYTES * self._data.channel + _AL2_WRITE_ADDR_TRIG,
            count=1,
            ctrl=self._control.pack_ctrl(
                size=2,
                inc_read=True,
                inc_write=False,
                ring_size=_TABLE_RING_SIZE,
                ring_sel=False,
                treq_sel=_TREQ_UNPACED,
                irq_quiet=True,
            ),
        )
        self._data.config(
            read=register,
            write=address,
            count=self.transfers,
            ctrl=self._data.pack_ctrl(
                default=self._free, high_pri=True, chain_to=self._control.channel
            ),
            trigger=True,
        )

    def transferred(self) -> int:
        """Transfers since the start, modulo 16 laps. Allocates nothing; any context may call it.

        Ask at least once in 16 laps, or laps are missed.
        """
        data = self._data
        for _ in range(_TRIES):
            left = data.count
            lap = (self._control.read - self._table) >> 2
            # Between the last transfer and the new lap's start both registers move, for a few
            # clocks; a lap that began between the two readings shows in a count that has risen.
            if left and data.count <= left:
                return lap * self.transfers + self.transfers - left
        return 0  # the channels have been taken away: nothing moves

    def span(self) -> int:
        """The modulus of `transferred`."""
        return _LAPS * self.transfers

    def close(self) -> None:
        """Stop and give both channels back."""
        # Unchained first: an aborted channel may still trigger the one it is chained to
        # (RP2040-E13).
        self._data.config(ctrl=self._free)
        self._data.active(0)
        self._control.active(0)
        self._data.close()
        self._control.close()
