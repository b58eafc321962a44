"""A Raspberry Pi Pico (RP2040), its metrology in the firmware, which nothing here can read."""

from micropython import const
from pico_parts import PicoParts

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    import hal


def parts() -> "hal.Board":
    """Return the board's parts; called once a boot."""
    return PicoParts("pico_meter", None, rp2350=False)
