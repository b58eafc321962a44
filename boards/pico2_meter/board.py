"""A Raspberry Pi Pico 2 (RP2350), its code in the ROMFS, or as files."""

import romfs_image
from micropython import const
from pico_parts import PicoParts

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    import hal


def parts() -> "hal.Board":
    """Return the board's parts; called once a boot."""
    return PicoParts("pico2_meter", romfs_image.image(), rp2350=True)
