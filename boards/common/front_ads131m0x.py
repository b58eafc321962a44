"""The ADS131M0x on a Pico, captured by PIO and DMA: the converter of all models."""

import fitted_parts
import pico_pins as pins
from machine import SPI, Pin, Timer
from micropython import const

from drivers.ads131m0x import Ads131m0x
from drivers.rp2_spi_capture import Rp2SpiCapture

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from fitted_parts import PicoFitted

    import hal

OUTPUTS = (pins.DISCONNECTOR_OPEN, pins.DISCONNECTOR_CLOSE, pins.PULSE_OUTPUT)
MAXIMUM_MA = fitted_parts.MAXIMUM_MA

_CLOCK_HZ = const(8_192_000)
_SPI_HZ = const(8_000_000)


def front_end(
    fitted: "PicoFitted", rp2350: bool
) -> "tuple[hal.FrameSource, hal.CodeConverter | None, tuple[int, int]]":
    """Return the chip's frames, and femtovolts of a code of voltage and current."""
    sck, mosi, miso = Pin(pins.ADC_SCK), Pin(pins.ADC_MOSI), Pin(pins.ADC_MISO)
    # The bus first: pins that the capture does not drive keep the function that the bus gave them.
    bus = SPI(
        pins.ADC_SPI,
        baudrate=_SPI_HZ,
        polarity=0,
        phase=1,
        sck=sck,
        mosi=mosi,
        miso=miso,
    )
    cs = Pin(pins.ADC_CS, Pin.OUT, value=1)
    drdy = Pin(pins.ADC_DRDY, Pin.IN)
    roles = fitted_parts.roles(fitted.MODEL)
    frames = Ads131m0x(
        bus,
        cs,
        Pin(pins.ADC_RESET, Pin.OUT, value=1),
        drdy,
        Rp2SpiCapture(pins.CAPTURE_MACHINE, sck, mosi, miso, cs, drdy, Timer(-1)),
        fitted_parts.channels(fitted.MODEL),
        _CLOCK_HZ,
        roles,
        fitted_parts.gains(fitted, len(roles)),
    )
    return frames, None, (frames.lsb_fv(0), frames.lsb_fv(1))
