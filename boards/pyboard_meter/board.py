"""A pyboard 1.1 (STM32F405): buses, pins, chips, nothing else."""

import fitted
import fitted_parts
import pins
from late_watchdog import LateWatchdog
from machine import (
    I2C,
    PWRON_RESET,
    SPI,
    UART,
    Pin,
    Timer,
    mem32,
    reset,
    reset_cause,
    unique_id,
)
from micropython import const

from app.crypto.aes import SoftwareAes
from drivers.ads131m0x import Ads131m0x
from drivers.ds3231 import Ds3231
from drivers.fm25v20 import Fm25v20
from drivers.irq_spi_capture import IrqSpiCapture
from drivers.mcp23017 import Mcp23017
from drivers.piecewise_uart import PiecewiseUart
from drivers.rs485 import Rs485
from drivers.st7567 import St7567
from drivers.stm32_coils import Stm32Coils
from drivers.timed_relay import TimedRelay
from drivers.timer_pulses import TimerPulses
from drivers.w25q import W25q

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    import hal

_BAUD = const(9600)  # until the application sets each port
_RECEIVE_BUFFER = const(512)
_RING_FRAMES = const(160)  # 40 ms at 4 kHz; each takes 20 octets more than itself
_ADC_CLOCK_HZ = const(8_192_000)
_ADC_SPI_HZ = const(10_500_000)
_FRAME_US = const(250)
_SPI_HZ = const(10_500_000)
_I2C_HZ = const(400_000)


class PyboardParts:
    """Everything the firmware asks a board for (hal.Board)."""

    def __init__(self) -> None:
        self.NAME: str = "pyboard_meter"
        self.choice: str = fitted.PARTS
        self.program: hal.Buffer | None = None
        self.variant: hal.Variant = fitted_parts.variant(fitted)
        front_end = _front_end(self.variant.name)
        self.frames: hal.FrameSource = front_end
        lsb_fv = (front_end.lsb_fv(0), front_end.lsb_fv(1))
        self.scale: hal.SensorScale = fitted_parts.SensorScale(fitted, lsb_fv, front_end.channels)
        self.converter: hal.CodeConverter | None = None
        i2c = I2C(pins.I2C, freq=_I2C_HZ)
        self.rtc: hal.RealTimeClock = Ds3231(i2c)
        self.battery: hal.Voltage | None = None  # a divider would empty the clock's cell
        interrupt = Pin(pins.EXPANDER_INTERRUPT, Pin.IN, Pin.PULL_UP)
        expander = Mcp23017(i2c, interrupt, Timer(-1))
        line = expander.line
        self.expander: hal.Chip | None = expander
        bus = SPI(pins.SPI, baudrate=_SPI_HZ, polarity=0, phase=0)
        self.fram: hal.Fram = Fm25v20(bus, Pin(pins.FRAM_CS, Pin.OUT, value=1))
        self.flash: hal.Flash = W25q(bus, Pin(pins.FLASH_CS, Pin.OUT, value=1))
        self.lcd: hal.Lcd | hal.SegmentLcd = St7567(
            bus,
            Pin(pins.LCD_CS, Pin.OUT, value=1),
            Pin(pins.LCD_DC, Pin.OUT),
            line(pins.EXPANDER_LCD_RESET),
            line(pins.EXPANDER_LCD_BACKLIGHT),
        )
        self.segments: hal.Segments | None = None
        self.key_scroll: hal.Input = line(pins.EXPANDER_KEY_SCROLL)
        self.key_reset: hal.Input = line(pins.EXPANDER_KEY_RESET)
        self.inputs: list[hal.Input] = [
            line(number)
            for number in (pins.EXPANDER_INPUT1, pins.EXPANDER_INPUT2, pins.EXPANDER_INPUT3)
        ]
        self.terminal_cover: hal.Input = line(pins.EXPANDER_TERMINAL_COVER)
        self.meter_cover: hal.Input = line(pins.EXPANDER_METER_COVER)
        self.magnetic_field: hal.Input = line(pins.EXPANDER_MAGNET)
        self.discharge: hal.Input | None = None
        self.lock: hal.Input = line(pins.EXPANDER_LOCK)
        # The stubs' constants are Final, which no protocol can ask for.
        self.supply_good: hal.Input = Pin(  # pyright: ignore[reportAttributeAccessIssue]
            pins.SUPPLY_GOOD, Pin.IN, Pin.PULL_UP
        )
        self.led_active: hal.PulseOutput = _pulses(pins.LED_ACTIVE)
        self.led_reactive: hal.PulseOutput = _pulses(pins.LED_REACTIVE)
        self.pulse_output: hal.PulseOutput | None = _pulses(pins.PULSE_OUTPUT)
        self.pulse_outputs: list[hal.PulseOutput] = []
        self.sounder: hal.Sounder | None = fitted_parts.sounder(fitted, pins.SOUNDER)
        coils = Stm32Coils(
            mem32,
            Pin(pins.DISCONNECTOR_OPEN, Pin.OUT, value=0),
            Pin(pins.DISCONNECTOR_CLOSE, Pin.OUT, value=0),
        )
        self.disconnector: hal.Relay = TimedRelay(
            coils, line(pins.EXPANDER_DISCONNECTOR_SENSE), Timer(-1)
        )
        self.relays: list[hal.Relay] = []
        self.rs485: hal.Serial = Rs485(
            _uart(pins.RS485_UART), Pin(pins.RS485_DIRECTION, Pin.OUT, value=0), Timer(-1)
        )
        self.optical: hal.Serial = _uart(pins.OPTICAL_UART)
        self.tcp: tuple[str, int] | None = None
        self.watchdog: hal.Watchdog | None = LateWatchdog()
        self.battery_hold: hal.Output | None = None

    def power_on(self) -> bool:
        """Tell whether the supply has started the processor."""
        return reset_cause() == PWRON_RESET

    def reset(self) -> None:
        """Reset the processor."""
        reset()

    def unique_id(self) -> bytes:
        """Return the processor's own number, from which the serial number is made."""
        return unique_id()

    def block_cipher(self, key: bytes) -> "hal.BlockCipher":
        """Return AES-128 of our own: the port has none."""
        return SoftwareAes(key)


def parts() -> "hal.Board":
    """Return the board's parts; called once a boot."""
    return PyboardParts()


def _front_end(model: str) -> Ads131m0x:
    bus = SPI(pins.ADC_SPI, baudrate=_ADC_SPI_HZ, polarity=0, phase=1)
    cs = Pin(pins.ADC_CS, Pin.OUT, value=1)
    drdy = Pin(pins.ADC_DRDY, Pin.IN)
    roles = fitted_parts.roles(model)
    return Ads131m0x(
        bus,
        cs,
        Pin(pins.ADC_RESET, Pin.OUT, value=1),
        drdy,
        IrqSpiCapture(bus, cs, drdy, Timer(-1), _FRAME_US),
        fitted_parts.channels(model),
        _ADC_CLOCK_HZ,
        roles,
        fitted_parts.gains(fitted, len(roles)),
        ring_frames=_RING_FRAMES,
    )


def _uart(number: int) -> PiecewiseUart:
    return PiecewiseUart(UART(number, _BAUD, rxbuf=_RECEIVE_BUFFER))


def _pulses(name: str) -> TimerPulses:
    timer = Timer(-1)
    return TimerPulses(timer, Pin(name, Pin.OUT))  # pyright: ignore[reportArgumentType] - its init
