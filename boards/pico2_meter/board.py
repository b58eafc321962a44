"""A Raspberry Pi Pico 2 (RP2350) with the stock MicroPython, its code as files."""

from micropython import const
from pico_parts import PicoParts

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    import hal


def parts() -> "hal.Board":
    """Return the board's parts; called once a boot."""
    return PicoParts("pico2_meter", None)
