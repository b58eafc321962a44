"""A Pico's own converter in the place of the ADS131M0x: one phase and neutral, for a first look.

GP26 to GP28 are its inputs, so the coils and the pulse output are where the other one would be.
"""

import pico_pins as pins
from machine import ADC, Pin, Timer, mem32
from micropython import const

from drivers.rp2_adc import Rp2Adc
from metrology.linearity import codes_table

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from array import array

    from fitted_parts import PicoFitted

    import hal

OUTPUTS = (pins.OWN_DISCONNECTOR_OPEN, pins.OWN_DISCONNECTOR_CLOSE, pins.OWN_PULSE_OUTPUT)
MAXIMUM_MA = const(60_000)  # twelve bits do not reach from the smallest current to more

_LSB_FV = const(196_695_328)  # 3.3 V by 2**24: metrology counts in 24 bits


def front_end(
    fitted: "PicoFitted", rp2350: bool
) -> "tuple[hal.FrameSource, hal.CodeConverter | None, tuple[int, int]]":
    """Return the converter, its codes uncorrected until the meter has found its table."""
    for number in (pins.OWN_VOLTAGE, pins.OWN_CURRENT, pins.OWN_NEUTRAL):
        ADC(Pin(number))
    table: array[int] = codes_table(None)
    frames = Rp2Adc(mem32, Timer(-1), [0, 1, 2], [0, 1, 2], table, rp2350=rp2350)
    return frames, frames, (_LSB_FV, _LSB_FV)
