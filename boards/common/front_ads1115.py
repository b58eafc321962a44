"""An ADS1115 by I2C in the place of the ADS131M0x: one phase, an indication (docs/front-ends.md).

Adafruit's driver reads the chip. It has a bus to itself, where the other one's data and select
would be.
"""

import fitted_parts
import pico_pins as pins
from adafruit_ads1x15.ads1115 import ADS1115
from machine import I2C, Pin
from micropython import const

from drivers.ads1115 import Ads1115Frames
from drivers.busio_adapter import BusI2c

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from fitted_parts import PicoFitted

    import hal

OUTPUTS = (pins.DISCONNECTOR_OPEN, pins.DISCONNECTOR_CLOSE, pins.PULSE_OUTPUT)
MAXIMUM_MA = fitted_parts.MAXIMUM_MA

_I2C_HZ = const(400_000)
_LSB_FV = const(244_140_625)  # 2.048 V by 2**23: metrology counts in 24 bits


def front_end(
    fitted: "PicoFitted", rp2350: bool
) -> "tuple[hal.FrameSource, hal.CodeConverter | None, tuple[int, int]]":
    """Return the chip's frames, and femtovolts of a code of voltage and current."""
    i2c = I2C(pins.ADS1115_I2C, sda=Pin(pins.ADS1115_SDA), scl=Pin(pins.ADS1115_SCL), freq=_I2C_HZ)
    bus = BusI2c(i2c)
    frames = Ads1115Frames(lambda: ADS1115(bus), bus)  # pyright: ignore[reportArgumentType] - has properties
    return frames, None, (_LSB_FV, _LSB_FV)
