"""The check of the RAM: what is free at the start, and whether what stands in it is still true.

Before the application is loaded nearly all RAM is free heap; `test_free` writes patterns into it
and reads them back. What runs is left alone, for no interpreter can turn its own cells over. While
the meter runs, energies carry a signature that is checked before each change (metrology.energy),
and what has an original in FRAM, secured by a CRC, is compared with it once an hour. What differs
is taken from there. Row ERR-06.
"""

import gc

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.parameters import Parameters
    from app.production import Production
    from app.settings import Settings
    from hal import Buffer

    class Parts(Protocol):
        """What is compared."""

        parameters: Parameters
        production: Production
        settings: Settings


_BLOCK = const(1024)
_BLOCKS_MOST = const(512)  # the largest board's heap
_SPARE = const(32768)  # left for the work itself
_WORD = const(4)


def test_free(take: "Callable[[int], bytearray]" = bytearray) -> int:
    """Test all free RAM in blocks from `take`, and return how much of it is faulty, in octets.

    Each word gets a value of its own place and then the inverse, so cells that stick, cells that
    hold each other and address lines that do nothing are all found.
    """
    blocks: list[bytearray] = []
    gc.collect()
    while len(blocks) < _BLOCKS_MOST and gc.mem_free() > _SPARE:
        try:
            blocks.append(take(_BLOCK))
        except MemoryError:  # what is left lies in pieces
            break
    faulty = 0
    for inverse in (0, 0xFFFFFFFF):
        for place, block in enumerate(blocks):
            block[:] = _pattern(place, inverse)
        for place, block in enumerate(blocks):
            pattern = _pattern(place, inverse)
            if bytes(block) != pattern:
                faulty += sum([block[at] != pattern[at] for at in range(_BLOCK)])
    blocks.clear()
    gc.collect()
    return faulty


def _pattern(place: int, inverse: int) -> bytes:
    word = place * 0x9E3779B1 & 0xFFFFFFFF ^ inverse  # an odd factor: no two places are alike
    return word.to_bytes(_WORD, "little") * (_BLOCK // _WORD)


class RamCheck:
    """Compares `parts` with their records; `tell(what)` is called where RAM was wrong."""

    def __init__(self, parts: "Parts", tell: "Callable[[str], None]") -> None:
        self._parts = parts
        self._tell = tell

    def compare(self, region: str, payload: "Buffer") -> None:
        """Compare what RAM holds of a region with its sound record, and take that over."""
        parts = self._parts
        if region == "calibration":
            sound = parts.production.renew(payload)
        elif region == "parameters":
            sound = parts.parameters.renew(payload)
        else:
            sound = parts.settings.renew(region, payload)
        if not sound:
            self._tell(region)
