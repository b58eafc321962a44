"""The simulated board put together: what is soldered where, in which case, on which bench.

`Assembly` builds the chips' models, wires them to the processor's pins (pins.py), gives them power
and the world its lines. What the faceplate and the tests move or look at are its attributes.
"""

import chipfile
import host
import leap
import machine_bus
import pins
import power
import processor
import timeline
import wiring
from devices.ads131m0x import Ads131m0x
from devices.crystal import Crystal
from devices.ds3231 import Ds3231
from devices.fm25v20 import Fm25v20
from devices.key import Key
from devices.latching_relay import LatchingRelay
from devices.led import Led
from devices.piezo import Piezo
from devices.w25q import W25q
from display_glass import fit_glass
from ports import SerialPort, TcpPort
from world import INPUTS, World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from devices.chip import Chip
    from options import Options

_OVERSAMPLING = 1024  # of the converter's default, which its crystal is chosen for
_FRAM_BYTES = 0x40000
_FLASH_BYTES = 0x1000000
_RTC_BYTES = 64
_RTC_KEEP_US = 10_000_000
_BATTERY_LOW_V = 2.0  # below this the clock chip's battery supply ends
_BATTERY_FULL_SCALE_V = 6.6  # divider by two in front of the 3.3 V reference
# Serial ports by name: UART and offset from the first TCP port, as the contract has them.
_SERIAL = (
    ("rs485", pins.UART_RS485, 1),
    ("optical", pins.UART_OPTICAL, 2),
    ("p1", pins.UART_P1, 3),
    ("mbus", pins.UART_MBUS, 4),
    ("modem", pins.UART_MODEM, 5),
)


class Assembly:
    """The meter in its world.

    Raises OSError, chipfile.ChipFileError or replay.FrameFileError if the options name a folder or
    file that cannot be used.
    """

    def __init__(self, options: "Options") -> None:
        self.options = options
        self.world = World(options.model, options.seed, options.replay)
        self.supply = power.Supply(lambda level: wiring.drive(pins.SUPPLY_GOOD, level))
        self.chips: dict[str, Chip] = {}  # by the names of POST /api/chip
        self.ports: dict[str, SerialPort | TcpPort] = {"cosem": TcpPort(options.ports)}
        self._serial: list[SerialPort] = []
        self._files: list[chipfile.ChipFile] = []
        try:
            host.make_folder(options.state)
        except OSError as error:
            text = f"--state {options.state}: cannot be created ({error})"
            raise chipfile.ChipFileError(text) from None
        machine_bus.supply = self.supply
        pins.model = options.model
        pins.choice = options.parts
        pins.tcp = (options.host, options.ports)
        pins.scale = self.world.meter_scale
        wiring.drive(pins.SUPPLY_GOOD, 1)
        self._front_end()
        self._memories()
        self.rtc = self._clock()
        # the world knows the time that the clock chip starts with; later it may be set wrong
        self.world.epoch_us = self.rtc.utc_s() * 1_000_000 - timeline.now()
        if options.scenario is not None:
            self.world.scenario.play((options.scenario, options.seed))
        self.lcd = self.chips["lcd"] = fit_glass(options.glass)
        self.led_active = self._led("led_active", pins.LED_ACTIVE)
        self.led_reactive = self._led("led_reactive", pins.LED_REACTIVE)
        # an OptoMOS is a diode that someone behind it watches
        self.pulse_output = self._led("pulse_output", pins.PULSE_OUTPUT)
        for number, pin in enumerate(pins.PULSE_OUTPUTS):
            self._led(f"pulse_output{number + 1}", pin)
        self.sounder = self.chips["sounder"] = Piezo(timeline.now)
        wiring.wave(pins.SOUNDER, self.sounder.set_wave)
        self.chips["sensors"] = self.world.sensor_errors
        self.chips["crystal"] = Crystal(timeline.set_crystal)
        self._keys()
        self._relays()
        self._lines()
        for chip in self.chips.values():
            self.supply.add(chip)
        self.world.attach_supply(self.supply)
        for name, uart, offset in _SERIAL:
            port = SerialPort(options.host, options.ports + offset)
            wiring.uart(uart, port)
            self.ports[name] = port
            self._serial.append(port)
        self.processor = processor.Processor(self.supply)
        self.chips["processor"] = processor.Faults()
        self.leap = leap.Leap(self.world, options.detail)
        self.processor.on_boot.append(lambda _main: self._attach_leap())
        self.processor.on_down.append(self.leap.detach)
        machine_bus.on_capture[:] = [self._attach_leap]

    def close(self) -> None:
        """End the simulation in order: what is under way in the chips comes to its end."""
        self.flash.close()
        self.rtc.save()
        for file in self._files:
            file.close()
        for port in self._serial:
            port.close()

    def utc_s(self) -> int:
        """Return the time that the clock chip counts, in seconds since 2000."""
        return self.rtc.utc_s()

    def _file(self, name: str, size: int) -> chipfile.ChipFile:
        path = self.options.state + "/" + name + ".bin"
        file = chipfile.ChipFile(path, size, self.options.fresh)
        self._files.append(file)
        return file

    def _front_end(self) -> None:
        world = self.world
        used = len(world.channels)
        fitted = 4 if used <= 4 else 8  # ADS131M04, M08
        inputs = [channel if channel < used else -1 for channel in range(fitted)]
        pins.adc_clock_hz = (world.rate_mhz * 2 * _OVERSAMPLING + 500) // 1000
        chip = Ads131m0x(
            len(inputs),
            world,  # pyright: ignore[reportArgumentType] - it names a parameter otherwise
            len(world.channels),
            inputs,
            pins.adc_clock_hz,
            timeline.now,
            timeline.at,
        )
        chip.on_skip = world.begin
        wiring.spi(pins.ADC_SPI, pins.ADC_CS, chip)
        wiring.clock_pin(pins.ADC_SCK, pins.ADC_SPI)
        wiring.output(pins.ADC_RESET, chip.set_reset, idle=1)
        wiring.input(pins.ADC_DRDY, chip.drdy)
        self.adc = self.chips["adc"] = chip

    def _memories(self) -> None:
        wiring.clock_pin(pins.SCK, pins.SPI)
        self.fram = Fm25v20(self._file("fram", _FRAM_BYTES), timeline.now, timeline.at)
        wiring.spi(pins.SPI, pins.FRAM_CS, self.fram)
        self.chips["fram"] = self.fram
        self.flash = W25q(self._file("flash", _FLASH_BYTES), timeline.now, timeline.at)
        wiring.spi(pins.SPI, pins.FLASH_CS, self.flash)
        self.chips["flash"] = self.flash

    def _clock(self) -> Ds3231:
        path = self.options.state + "/rtc.bin"
        file = chipfile.ClockFile(path, _RTC_BYTES, self.options.fresh)
        self._files.append(file)
        rtc = Ds3231(file, timeline.now, timeline.at)
        if self.options.time_s is not None:
            rtc.set_utc_s(self.options.time_s)
        elif rtc.lost_power:
            rtc.set_utc_s(host.utc_s())
        else:
            rtc.elapse(file.away_s)
        wiring.i2c(pins.I2C, pins.RTC_ADDRESS, rtc)
        wiring.clock_pin(pins.SCL, pins.I2C)
        self.chips["rtc"] = rtc
        timeline.after(_RTC_KEEP_US, self._keep_clock)
        return rtc

    def _keep_clock(self) -> None:
        # What the file says is only as good as its age: the program may be ended at any moment.
        self.rtc.save()
        timeline.after(_RTC_KEEP_US, self._keep_clock)

    def _led(self, name: str, pin: int) -> Led:
        led = Led(timeline.now, timeline.at)
        wiring.output(pin, led.set_level)
        self.chips[name] = led
        return led

    def _keys(self) -> None:
        for index, (name, pin) in enumerate(
            (("scroll", pins.KEY_SCROLL), ("reset", pins.KEY_RESET))
        ):
            key = Key(timeline.now, timeline.at, self.options.seed * 2 + index + 1)
            key.on_level = self._key_circuit(name, _driver(pin))
            wiring.drive(pin, key.level())
            self.world.keys[name] = key
            self.chips["key_" + name] = key

    def _key_circuit(self, name: str, drive: "Callable[[float], None]") -> "Callable[[int], None]":
        """Return what takes a key's level: to its pin, and to the battery's switch."""

        def change(level: int) -> None:
            drive(level)
            self.supply.key(name, not level)

        return change

    def _relays(self) -> None:
        self.disconnector = self._relay(
            "disconnector",
            pins.DISCONNECTOR_OPEN,
            pins.DISCONNECTOR_CLOSE,
            pins.DISCONNECTOR_SENSE,
        )
        self.world.attach_disconnector(self.disconnector)
        for index, (opening, closing, sense) in enumerate(pins.RELAYS):
            relay = self._relay(f"relay{index + 1}", opening, closing, sense)
            self.world.relays.append(relay)

    def _relay(self, name: str, opening: int, closing: int, sense: int) -> LatchingRelay:
        relay = LatchingRelay(self._file(name, 1), timeline.now, timeline.at)
        wiring.output(opening, relay.set_open)
        wiring.output(closing, relay.set_close)
        wiring.input(sense, relay.sense)
        self.chips[name] = relay
        return relay

    def _lines(self) -> None:
        world = self.world
        world.connect("terminal_cover", self._tamper_circuit(pins.TERMINAL_COVER))
        world.connect("meter_cover", self._tamper_circuit(pins.METER_COVER))
        world.connect("magnet", self._tamper_circuit(pins.MAGNET))
        world.connect("discharge", _driver(pins.DISCHARGE))
        world.connect("lock", _driver(pins.LOCK))
        for index in range(INPUTS):
            world.connect(f"input{index + 1}", _driver(pins.INPUTS[index]))
        world.connect("battery", self._set_battery)
        wiring.output(pins.BATTERY_HOLD, self.supply.hold)
        world.connect("temperature", self._set_temperature)
        wiring.analog(
            pins.BATTERY_ADC, lambda: int(world.battery_v() / _BATTERY_FULL_SCALE_V * 65535)
        )

    def _tamper_circuit(self, pin: int) -> "Callable[[float], None]":
        """Return what takes a level: to its pin, and as a change to the battery's switch."""
        drive = _driver(pin)

        def change(level: float) -> None:
            drive(level)
            self.supply.nudge()

        return change

    def _set_battery(self, v: float) -> None:
        self.rtc.set_battery(v >= _BATTERY_LOW_V)
        self.supply.set_battery(v >= _BATTERY_LOW_V)

    def _set_temperature(self, celsius: float) -> None:
        self.rtc.temperature_cdeg = int(celsius * 100)

    def _attach_leap(self) -> None:
        """Give leaps the engine and the capture behind it, once the firmware has both."""
        meter = getattr(self.processor.module("main"), "meter", None)
        if meter is not None and machine_bus.captures:
            self.leap.attach(meter.engine, machine_bus.captures[0])


def _driver(pin: int) -> "Callable[[float], None]":
    """Return what puts a level on a pin."""
    return lambda level: wiring.drive(pin, 1 if level else 0)
