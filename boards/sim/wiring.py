"""The board's copper: which pin and which bus of the processor leads to which part.

The assembly registers parts by pin and bus number, `machine` looks them up. Nothing here knows a
chip. A line that nobody drives has the level of its pull resistor.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ports import SerialPort

    Out = bytes | bytearray | memoryview | None
    In = bytearray | memoryview | None
    Listener = Callable[[int], None]

    class SpiChip(Protocol):
        """A chip on an SPI bus: devices/__init__.py tells what it does."""

        def select(self) -> None:
            """Take the falling chip select."""
            ...

        def deselect(self) -> None:
            """Take the rising chip select."""
            ...

        def transfer(self, out_buf: Out, in_buf: In) -> None:
            """Clock the bytes of both buffers."""
            ...

    class I2cChip(Protocol):
        """A chip on an I2C bus."""

        def i2c_write(self, address: int, data: bytes | bytearray | memoryview) -> int:
            """Take bytes; returns how many were acknowledged, -1 if the address was not."""
            ...

        def i2c_read(self, address: int, buf: bytearray | memoryview) -> int:
            """Give bytes; returns -1 if the address was not acknowledged."""
            ...

    class Converter(SpiChip, Protocol):
        """An SPI chip that has frames to be captured."""

        def skip(self) -> None:
            """Forget the conversions that nobody has read."""
            ...

        def frames_due(self) -> int:
            """Conversions done and not read yet."""
            ...

        def pass_by(self, count: int) -> None:
            """Forget the next `count` conversions."""
            ...

        def clock_frames(self, raw: bytearray, offset: int, count: int) -> int:
            """Put `count` frames into `raw` from byte `offset`; returns how many."""
            ...


PINS = 54

_spi: "dict[int, tuple[int, SpiChip]]" = {}  # chip select pin: bus and chip
_selected: "dict[int, list[SpiChip]]" = {}  # bus: chips whose chip select is low
_i2c: "dict[int, dict[int, I2cChip]]" = {}  # bus: address: chip
_clock_pins: "dict[int, int]" = {}  # clock pin of a bus: bus
_getters: "dict[int, Callable[[], int]]" = {}  # pin: returns the level a part puts on it
_driven: "dict[int, int]" = {}  # pin: level that a part drives
_outputs: "dict[int, list[tuple[Listener, int]]]" = {}  # pin: callback and idle level
_put: "dict[int, int]" = {}  # pin: level that the processor drives
_listeners: "dict[int, Listener]" = {}  # pin: the processor's edge detector
_pulls: "dict[int, int | None]" = {}  # pin with a listener: level of its pull resistor
_waves: "dict[int, Callable[[int, int], None]]" = {}  # pin: takes frequency and duty
_analog: "dict[int, Callable[[], int]]" = {}  # pin: returns 0 to 65535
_uarts: "dict[int, SerialPort]" = {}  # number: port


def clear() -> None:
    """Take every wire off: for tests."""
    _spi.clear()
    _selected.clear()
    _i2c.clear()
    _clock_pins.clear()
    _getters.clear()
    _driven.clear()
    _outputs.clear()
    _put.clear()
    _listeners.clear()
    _pulls.clear()
    _waves.clear()
    _analog.clear()
    _uarts.clear()


def spi(bus: int, cs_pin: int, device: "SpiChip") -> None:
    """Put an SPI chip on a bus; it is selected while `cs_pin` is low."""
    _spi[cs_pin] = (bus, device)
    _selected.setdefault(bus, [])


def i2c(bus: int, address: int, device: "I2cChip") -> None:
    """Put an I2C chip on a bus."""
    _i2c.setdefault(bus, {})[address] = device


def clock_pin(pin: int, bus: int) -> None:
    """Say which pin clocks a bus: SoftSPI and SoftI2C find their bus by it."""
    _clock_pins[pin] = bus


def input(pin: int, getter: "Callable[[], int]") -> None:  # noqa: A001 - the board's word
    """Connect a part that is asked for its level whenever the processor reads the pin."""
    _getters[pin] = getter


def output(pin: int, callback: "Listener", idle: int = 0) -> None:
    """Connect a part that is told each change; `idle` is the level of the pin's resistor."""
    _outputs.setdefault(pin, []).append((callback, idle))


def wave(pin: int, callback: "Callable[[int, int], None]") -> None:
    """Connect a part that is told the frequency in hertz and the duty of a pin's wave."""
    _waves[pin] = callback


def put_wave(pin: int, hz: int, duty_u16: int) -> None:
    """Let the processor give a wave on a pin; a duty of 65535 is all of a period."""
    if pin in _waves:
        _waves[pin](hz, duty_u16)


def analog(pin: int, getter: "Callable[[], int]") -> None:
    """Connect a part that is asked for a voltage, 0 to 65535 of the reference."""
    _analog[pin] = getter


def uart(number: int, port: "SerialPort") -> None:
    """Connect a serial port (ports.SerialPort)."""
    _uarts[number] = port


def drive(pin: int, level: "int | None") -> None:
    """Let a part put a level on a pin, or let go with None; an edge reaches the processor."""
    listener = _listeners.get(pin)
    before = 0 if listener is None else _level_of(pin)
    if level is None:
        _driven.pop(pin, None)
    else:
        _driven[pin] = 1 if level else 0
    if listener is not None and _level_of(pin) != before:
        listener(1 - before)


def put(pin: int, level: "int | None") -> None:
    """Let the processor drive a pin, or let go with None; parts are told a change."""
    before = _put.get(pin)
    if level == before:
        return
    if level is None:
        _put.pop(pin, None)
    else:
        _put[pin] = level
    if pin in _spi:
        _chip_select(pin, 1 if before is None else before, 1 if level is None else level)
    for callback, idle in _outputs.get(pin, ()):
        old = idle if before is None else before
        new = idle if level is None else level
        if old != new:
            callback(new)


def _chip_select(pin: int, before: int, level: int) -> None:
    if before == level:
        return
    bus, device = _spi[pin]
    if level:
        _selected[bus].remove(device)
        device.deselect()
    else:
        _selected[bus].append(device)
        device.select()


def release() -> None:
    """Let go of every pin, as a processor in reset does, and forget its edge detectors."""
    _listeners.clear()
    for pin in list(_put):
        put(pin, None)


def level(pin: int, pull: "int | None") -> int:
    """Return the level of a pin that the processor does not drive; `pull` is 1, 0 or None."""
    if pin in _getters:
        return 1 if _getters[pin]() else 0
    if pin in _driven:
        return _driven[pin]
    return 0 if pull is None else pull


def listen(pin: int, listener: "Listener | None", pull: "int | None" = None) -> None:
    """Let the processor hear the edges that parts drive on a pin; None: no more."""
    if listener is None:
        _listeners.pop(pin, None)
        return
    _listeners[pin] = listener
    _pulls[pin] = pull


def _level_of(pin: int) -> int:
    return level(pin, _pulls.get(pin))


def spi_bus(bus: "int | None", clock: "int | None") -> int:
    """Return the bus of that number or clock pin. Raises ValueError if there is none."""
    if bus is None:
        bus = -1 if clock is None else _clock_pins.get(clock, -1)
    if bus not in _selected:
        raise ValueError("SPI(" + str(bus) + ") doesn't exist")
    return bus


def i2c_bus(bus: "int | None", clock: "int | None") -> int:
    """Return the bus of that number or clock pin. Raises ValueError if there is none."""
    if bus is None:
        bus = -1 if clock is None else _clock_pins.get(clock, -1)
    if bus not in _i2c:
        raise ValueError("I2C(" + str(bus) + ") doesn't exist")
    return bus


def spi_device(bus: int) -> "SpiChip | None":
    """Return the selected chip of a bus, None if none is. Two at once are a firmware fault."""
    devices = _selected[bus]
    if not devices:
        return None
    if len(devices) > 1:
        raise RuntimeError("two chips of SPI(" + str(bus) + ") are selected at once")
    return devices[0]


def spi_chip(cs_pin: int) -> "SpiChip":
    """Return the chip behind a chip select pin. Raises ValueError if there is none."""
    if cs_pin not in _spi:
        raise ValueError("no SPI chip at pin " + str(cs_pin))
    return _spi[cs_pin][1]


def i2c_devices(bus: int) -> "dict[int, I2cChip]":
    """Return the chips of a bus by address."""
    return _i2c[bus]


def uart_port(number: int) -> "SerialPort":
    """Return the port of a UART. Raises ValueError if there is none."""
    if number not in _uarts:
        raise ValueError("UART(" + str(number) + ") doesn't exist")
    return _uarts[number]


def uart_ports() -> "list[SerialPort]":
    """Return every serial port."""
    return list(_uarts.values())


def analog_input(pin: int) -> "Callable[[], int]":
    """Return what an analogue pin measures. Raises ValueError if nothing is there."""
    if pin not in _analog:
        raise ValueError("pin " + str(pin) + " has no ADC capability")
    return _analog[pin]
