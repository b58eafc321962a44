"""The parts of a meter on a Raspberry Pi Pico or Pico 2: buses, pins, chips, nothing else.

Both have the same pins and the same PIO; what differs stands in each board's board.py.
"""

import fitted
import fitted_parts
import pico_pins as pins
from cryptolib import aes
from late_watchdog import LateWatchdog
from machine import I2C, PWRON_RESET, SPI, UART, Pin, Timer, reset, reset_cause, unique_id
from micropython import const

from drivers.ds3231 import Ds3231
from drivers.fm25v20 import Fm25v20
from drivers.mcp23017 import Mcp23017
from drivers.rp2_coils import Rp2Coils
from drivers.rp2_pulses import Rp2Pulses
from drivers.rs485 import Rs485
from drivers.st7567 import St7567
from drivers.timed_relay import TimedRelay
from drivers.w25q import W25q

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    import hal

_MODE_ECB = const(1)
_BAUD = const(9600)  # until the application sets each port
_RECEIVE_BUFFER = const(512)
_SEND_BUFFER = const(2100)  # a whole frame: the line is not let go within one
_SPI_HZ = const(10_000_000)
_I2C_HZ = const(400_000)


class PicoParts:
    """Everything the firmware asks a board for (hal.Board)."""

    def __init__(self, name: str, program: "hal.Buffer | None", rp2350: bool) -> None:
        self.NAME: str = name
        self.choice: str = fitted.PARTS
        self.program: hal.Buffer | None = program
        front = fitted_parts.front(fitted)
        self.variant: hal.Variant = fitted_parts.variant(fitted, front.MAXIMUM_MA)
        opens, closes, pulse_pin = front.OUTPUTS
        frames, converter, lsb_fv = front.front_end(fitted, rp2350)
        self.frames: hal.FrameSource = frames
        self.converter: hal.CodeConverter | None = converter
        self.scale: hal.SensorScale = fitted_parts.SensorScale(fitted, lsb_fv, frames.channels)
        i2c = I2C(pins.I2C, sda=Pin(pins.SDA), scl=Pin(pins.SCL), freq=_I2C_HZ)
        self.rtc: hal.RealTimeClock = Ds3231(i2c)
        self.battery: hal.Voltage | None = None  # a divider would empty the clock's cell
        interrupt = Pin(pins.EXPANDER_INTERRUPT, Pin.IN, Pin.PULL_UP)
        expander = Mcp23017(i2c, interrupt, Timer(-1))
        line = expander.line
        self.expander: hal.Chip | None = expander
        bus = SPI(
            pins.SPI,
            baudrate=_SPI_HZ,
            sck=Pin(pins.SCK),
            mosi=Pin(pins.MOSI),
            miso=Pin(pins.MISO),
        )
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
        self.led_active: hal.PulseOutput = _pulses(pins.LED_ACTIVE_MACHINE, pins.LED_ACTIVE)
        self.led_reactive: hal.PulseOutput = _pulses(pins.LED_REACTIVE_MACHINE, pins.LED_REACTIVE)
        # one pin for both
        self.sounder: hal.Sounder | None = fitted_parts.sounder(fitted, pulse_pin)
        self.pulse_output: hal.PulseOutput | None = (
            None if fitted.SOUNDER else _pulses(pins.PULSE_OUTPUT_MACHINE, pulse_pin)
        )
        self.pulse_outputs: list[hal.PulseOutput] = []
        coils = Rp2Coils(
            pins.RELAY_MACHINE,
            Pin(opens, Pin.OUT, value=0),
            Pin(closes, Pin.OUT, value=0),
        )
        self.disconnector: hal.Relay = TimedRelay(
            coils, line(pins.EXPANDER_DISCONNECTOR_SENSE), Timer(-1)
        )
        self.relays: list[hal.Relay] = []
        self.rs485: hal.Serial = Rs485(
            _uart(pins.RS485_UART, pins.RS485_TX, pins.RS485_RX),
            Pin(pins.RS485_DIRECTION, Pin.OUT, value=0),
            Timer(-1),
        )
        self.optical: hal.Serial = _uart(pins.OPTICAL_UART, pins.OPTICAL_TX, pins.OPTICAL_RX)
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
        """Return the flash chip's own number, from which the serial number is made."""
        return unique_id()

    def block_cipher(self, key: bytes) -> "hal.BlockCipher":
        """Return AES-128 from the port's own library."""
        return aes(key, _MODE_ECB)


def _uart(number: int, tx: int, rx: int) -> UART:
    return UART(
        number,
        _BAUD,
        tx=Pin(tx),
        rx=Pin(rx),
        txbuf=_SEND_BUFFER,
        rxbuf=_RECEIVE_BUFFER,
    )


def _pulses(machine: int, pin: int) -> Rp2Pulses:
    return Rp2Pulses(machine, Pin(pin, Pin.OUT))
