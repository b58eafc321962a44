"""The simulated board's parts: the firmware's own drivers on the simulated buses.

Written as any board's `board.py` is: buses, pins and chips, nothing else. That `machine` leads to
models of the chips is not visible from here.
"""

import pins
from cryptolib import aes
from machine import (
    ADC,
    I2C,
    PWM,
    PWRON_RESET,
    SPI,
    UART,
    WDT,
    Pin,
    SpiCapture,
    Timer,
    reset,
    reset_cause,
    unique_id,
)
from micropython import const

from drivers.ads131m0x import Ads131m0x
from drivers.divided_adc import DividedAdc
from drivers.ds3231 import Ds3231
from drivers.fm25v20 import Fm25v20
from drivers.latching_relay import LatchingRelay
from drivers.piezo import Piezo
from drivers.timer_pulses import TimerPulses
from drivers.w25q import W25q

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    import hal

_WATCHDOG_MS = const(8000)
_MODE_ECB = const(1)
_SOUNDER_HZ = const(4000)
_BATTERY_SCALE_MV = const(6600)  # divider by two in front of the 3.3 V reference
_ROLES_THREE_PHASES = (0, 1, 2, 3, 4, 5, 6)  # u1 i1 u2 i2 u3 i3 in on an eight-channel chip
_ROLES_SINGLE_PHASE = (0, 1, 2)  # u1 i1 in on a four-channel chip
_ROLES_TWIN = (0, 1, 0, 2, 3)  # u i1 u i2 in on the same


class Variant:
    """What a model is sold as (rows MET-01, MET-02, LED-03)."""

    def __init__(
        self, name: str, phases: int, reference_ma: int, maximum_ma: int, pulses_per_kwh: int
    ) -> None:
        self.name = name
        self.phases = phases
        self.nominal_voltage_v = 230
        self.nominal_frequency_hz = 50
        self.reference_current_ma = reference_ma
        self.maximum_current_ma = maximum_ma
        self.transformer = name == "ct"
        self.pulses_per_kwh = pulses_per_kwh


_VARIANTS = {
    "3ph": Variant("3ph", 3, 5_000, 120_000, 1000),
    "ct": Variant("ct", 3, 5_000, 10_000, 10_000),
    "1ph": Variant("1ph", 1, 5_000, 100_000, 1000),
    "twin": Variant("twin", 1, 5_000, 100_000, 1000),
}


class Parts:
    """Everything the firmware asks a board for (hal.Board)."""

    def __init__(self) -> None:
        self.NAME: str = "sim"
        self.choice: str = pins.choice
        self.variant: hal.Variant = _VARIANTS[pins.model]
        self.scale: hal.SensorScale = pins.scale
        self.frames: hal.FrameSource = self._front_end()
        self.converter: hal.CodeConverter | None = None
        bus = SPI(pins.SPI, baudrate=10_000_000)
        self.fram: hal.Fram = Fm25v20(bus, Pin(pins.FRAM_CS, Pin.OUT, value=1))
        self.flash: hal.Flash = W25q(bus, Pin(pins.FLASH_CS, Pin.OUT, value=1))
        self.rtc: hal.RealTimeClock = Ds3231(I2C(pins.I2C, freq=400_000))
        self.battery: hal.Voltage | None = DividedAdc(ADC(pins.BATTERY_ADC), _BATTERY_SCALE_MV)
        self.segments: hal.Segments | None = pins.segments
        self.lcd: hal.Lcd | hal.SegmentLcd = _glass(bus)
        self.expander: hal.Chip | None = None
        self.key_scroll: hal.Input = _input(pins.KEY_SCROLL)
        self.key_reset: hal.Input = _input(pins.KEY_RESET)
        self.inputs: list[hal.Input] = [_input(number) for number in pins.INPUTS]
        wave = PWM(Pin(pins.SOUNDER), freq=_SOUNDER_HZ, duty_u16=0)
        self.sounder: hal.Sounder | None = Piezo(wave, Timer(-1))
        self.led_active: hal.PulseOutput = _pulses(pins.LED_ACTIVE)
        self.led_reactive: hal.PulseOutput = _pulses(pins.LED_REACTIVE)
        self.disconnector: hal.Relay = _relay(
            pins.DISCONNECTOR_OPEN, pins.DISCONNECTOR_CLOSE, pins.DISCONNECTOR_SENSE
        )
        self.relays: list[hal.Relay] = [_relay(*numbers) for numbers in pins.RELAYS]
        self.rs485: hal.Serial = UART(pins.UART_RS485, 9600)
        self.optical: hal.Serial = UART(pins.UART_OPTICAL, 9600)
        self.tcp: tuple[str, int] | None = pins.tcp
        self.supply_good: hal.Input = _input(pins.SUPPLY_GOOD)
        self.terminal_cover: hal.Input = _input(pins.TERMINAL_COVER)
        self.meter_cover: hal.Input = _input(pins.METER_COVER)
        self.magnetic_field: hal.Input = _input(pins.MAGNET)
        self.discharge: hal.Input | None = _input(pins.DISCHARGE)
        self.lock: hal.Input = _input(pins.LOCK)
        self.pulse_output: hal.PulseOutput | None = _pulses(pins.PULSE_OUTPUT)
        self.pulse_outputs: list[hal.PulseOutput] = [_pulses(pin) for pin in pins.PULSE_OUTPUTS]
        self.program: hal.Buffer | None = pins.program
        self.watchdog: hal.Watchdog | None = WDT(timeout=_WATCHDOG_MS)
        self.battery_hold: hal.Output | None = Pin(pins.BATTERY_HOLD, Pin.OUT)

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
        """Return AES-128 from the port's own library."""
        return aes(key, _MODE_ECB)

    def _front_end(self) -> Ads131m0x:
        bus = SPI(pins.ADC_SPI, baudrate=16_000_000, polarity=0, phase=1)
        three = self.variant.phases == 3
        roles = _ROLES_THREE_PHASES if three else _ROLES_SINGLE_PHASE
        if self.variant.name == "twin":
            roles = _ROLES_TWIN
        return Ads131m0x(
            bus,
            Pin(pins.ADC_CS, Pin.OUT, value=1),
            Pin(pins.ADC_RESET, Pin.OUT, value=1),
            Pin(pins.ADC_DRDY, Pin.IN),
            SpiCapture(bus, Pin(pins.ADC_CS), Pin(pins.ADC_DRDY)),
            channels=8 if three else 4,
            clock_hz=pins.adc_clock_hz,
            roles=list(roles),
        )


def parts() -> "hal.Board":
    """Return the board's parts; called once a boot."""
    return Parts()


def _glass(bus: SPI) -> "hal.Lcd | hal.SegmentLcd":
    """Return the display that is fitted."""
    cs = Pin(pins.LCD_CS, Pin.OUT, value=1)
    backlight = Pin(pins.LCD_BACKLIGHT, Pin.OUT)
    if pins.glass == "st7567":
        from drivers.st7567 import St7567

        reset = Pin(pins.LCD_RESET, Pin.OUT, value=1)
        return St7567(bus, cs, Pin(pins.LCD_DC, Pin.OUT), reset, backlight)
    if pins.glass == "ssd1306":
        from drivers.ssd1306 import Ssd1306I2c

        return Ssd1306I2c(I2C(pins.I2C, freq=400_000), pins.OLED_ADDRESS)
    wr = Pin(pins.LCD_WR, Pin.OUT, value=1)
    data = Pin(pins.LCD_DATA, Pin.OUT)
    if pins.glass == "ht1621":
        from drivers.ht1621 import Ht1621

        return Ht1621(cs, wr, data, backlight)
    from drivers.ht1622 import Ht1622

    return Ht1622(cs, wr, data, backlight)


def _input(number: int) -> Pin:
    return Pin(number, Pin.IN, Pin.PULL_UP)


def _pulses(number: int) -> TimerPulses:
    return TimerPulses(Timer(-1), Pin(number, Pin.OUT))


def _relay(opening: int, closing: int, sense: int) -> LatchingRelay:
    return LatchingRelay(
        Pin(opening, Pin.OUT), Pin(closing, Pin.OUT), Pin(sense, Pin.IN, Pin.PULL_UP), Timer(-1)
    )
