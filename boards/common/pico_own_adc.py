"""A Pico's own converter in the place of the ADS131M0x: one phase and neutral, for a first look.

GP26 to GP28 are its inputs, so the coils and the pulse output are where the other one would be.
"""

from array import array

from machine import ADC, Pin, Timer, mem32
from micropython import const

from drivers.rp2_adc import Rp2Adc
from metrology.linearity import codes_table

INPUTS = (26, 27, 28)  # voltage, current, neutral; each about a bias of 1.44 V
OUTPUTS = (18, 19, 20)  # opening coil and closing coil, neighbours; pulse output

LSB_FV = const(196_695_328)  # 3.3 V by 2**24: metrology counts in 24 bits


def front_end(rp2350: bool) -> Rp2Adc:
    """Return the converter, its codes uncorrected until the meter has found its table."""
    for number in INPUTS:
        ADC(Pin(number))
    table: array[int] = codes_table(None)
    return Rp2Adc(mem32, Timer(-1), [0, 1, 2], [0, 1, 2], table, rp2350=rp2350)
