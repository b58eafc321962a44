"""The thresholds of the tariff's blocks as a class 1 object (row TOU-20)."""

from micropython import const

from app.axdr import UINT32
from app.cosem.values import Value
from app.event_codes import PARAMETERS_CHANGED
from app.tariff.blocks import BLOCKS
from app.tariff.rates import RATES

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.axdr import Reader, Writer
    from app.tariff.blocks import Blocks


class BlockThresholds(Value):
    """Three arrays, one a threshold, of eight numbers in Wh, one a rate (row TOU-20)."""

    def __init__(self, blocks: "Blocks", post: "Callable[[int], None]") -> None:
        self._blocks = blocks
        self._post = post

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        thresholds_wh = self._blocks.thresholds()
        writer.array(BLOCKS - 1)
        for index, wh in enumerate(thresholds_wh):
            if index % RATES == 0:
                writer.array(RATES)
            writer.uint32(wh)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        thresholds_wh: list[int] = []
        for _ in range(_count(reader, BLOCKS - 1)):
            for _ in range(_count(reader, RATES)):
                thresholds_wh.append(reader.number(UINT32))
        self._blocks.set_thresholds(thresholds_wh)
        self._post(PARAMETERS_CHANGED)


def _count(reader: "Reader", count: int) -> int:
    if reader.array() != count:
        raise ValueError("block thresholds: three arrays of eight")
    return count
