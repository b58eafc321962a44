"""MicroPython's `machine` and `rp2` for a board's code to run against: they know the processor.

Nothing is simulated. Each pin, bus, state machine, DMA channel and timer that board.py and the
drivers ask for is noted, and what the processor does not have, or has given away already, is
a `WiringError` that says so. tools/board_check.py runs a board in a process of its own.
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
import types
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import board_pio

if TYPE_CHECKING:
    from board_chips import Chip

_PIO_PINS = 32
_PIO_WORDS = 32
_MACHINES_A_PIO = 4


class WiringError(Exception):
    """The board asks for what its processor cannot give; the text says what."""


class Record:
    """What was asked for: pins by name with all who use them, and the rest by number."""

    def __init__(self, chip: Chip, folders: list[Path]) -> None:
        self.chip = chip
        self.uses: dict[str, list[str]] = {}  # pin: "SPI0 SCK", "PIO out", "in", "out", "irq"
        self.made: dict[str, str] = {}  # pin: where it was made
        self.buses: set[str] = set()
        self.machines: dict[int, str] = {}
        self.programs: dict[int, list[Any]] = {}  # PIO: programs
        self.driven: dict[str, int] = {}  # pin: state machine that drives it
        self.interrupts: dict[int, str] = {}  # external interrupt line: pin
        self.dma = 0
        self.timers = 0
        self._folders = [str(folder) for folder in folders]

    def where(self) -> str:
        """The line of the board's own code that is at work."""
        for frame in reversed(traceback.extract_stack()):
            for folder in self._folders:
                if frame.filename.startswith(folder):
                    return f"{Path(frame.filename).name}:{frame.lineno}"
        return "?"

    def where_of(self, error: BaseException) -> str:
        """The line of the board's own code that an error came through."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            for folder in self._folders:
                if frame.filename.startswith(folder):
                    return f"{Path(frame.filename).name}:{frame.lineno}"
        return "?"

    def pin(self, wanted: object) -> str:
        """The pin's own name. Raises WiringError if the board has none such."""
        found = self.chip.pin(wanted)
        if found is None:
            raise WiringError(
                f"{wanted} is no pin that can be reached of {self.chip.name}, "
                "by tools/board_chips.py"
            )
        return found

    def use(self, pin: str, how: str) -> None:
        """Note a use, once."""
        uses = self.uses.setdefault(pin, [])
        if how not in uses:
            uses.append(how)

    def claim(self, pin: str, function: str) -> None:
        """Give a pin to a bus."""
        if function not in self.chip.functions[pin]:
            raise WiringError(f"{pin} cannot be {function}")
        # A program may take a bus's pin over for a while, as the converter's capture does.
        for other in self.uses.get(pin, []) if function != "PIO" else ():
            if other != function and other[0].isupper() and not other.startswith("PIO"):
                raise WiringError(f"{pin} is {other} already and cannot be {function} too")
        self.use(pin, function)

    def bus(self, name: str, pins: dict[str, Any]) -> None:
        """Open a bus with the pins of its signals; None: the port's own choice."""
        default = self.chip.defaults.get(name)
        if default is None:
            raise WiringError(f"{name} does not exist on {self.chip.name}")
        if name in self.buses:
            raise WiringError(f"{name} is opened twice")
        self.buses.add(name)
        for signal, standard in default.items():
            given = pins.get(signal)
            pin = standard if given is None else given.name
            if given is None and pin in self.made:
                raise WiringError(
                    f"{name} takes {pin} for {signal} by itself, which has another use"
                )
            self.made.setdefault(pin, self.where())
            self.claim(pin, f"{name} {signal}")


def _pin_class(record: Record) -> type:
    class Pin:
        """machine.Pin."""

        IN, OUT, OPEN_DRAIN, ALT = 0, 1, 2, 3
        PULL_UP, PULL_DOWN = 1, 2
        IRQ_FALLING, IRQ_RISING = 4, 8
        ALT_SPI = 1

        def __init__(
            self,
            wanted: object,
            mode: int = -1,
            pull: int | None = None,
            *,
            value: int = 0,
            alt: int = 0,
        ) -> None:
            self.name = record.pin(wanted)
            if self.name in record.made:
                raise WiringError(f"{self.name} is used twice, also by {record.made[self.name]}")
            record.made[self.name] = record.where()
            self.level = value or (1 if pull == self.PULL_UP else 0)
            self.init(mode, pull)

        def init(self, mode: int = -1, pull: int | None = None, **_rest: object) -> None:
            if mode in (self.IN, self.OUT):
                record.use(self.name, "out" if mode == self.OUT else "in")

        def value(self, level: int | None = None) -> int:
            if level is not None:
                self.level = level
            return self.level

        __call__ = value

        def irq(self, handler: object = None, trigger: int = 0, **_rest: object) -> None:
            line = record.chip.lines.get(self.name)
            if line is not None and handler is not None:
                other = record.interrupts.setdefault(line, self.name)
                if other != self.name:
                    raise WiringError(
                        f"{self.name} and {other} share external interrupt {line}: "
                        "only one of them can have it"
                    )
            record.use(self.name, "irq")

    return Pin


def _buses(record: Record) -> dict[str, type]:
    class Spi:
        """machine.SPI; what it reads is a line that nobody drives."""

        MSB = 0

        def __init__(self, number: int, baudrate: int = 1_000_000, **given: Any) -> None:
            stm = "MISO" in record.chip.defaults.get(f"SPI{number}", {})
            names = ("MOSI", "MISO") if stm else ("TX", "RX")
            record.bus(
                f"SPI{number}",
                {
                    "SCK": given.get("sck"),
                    names[0]: given.get("mosi"),
                    names[1]: given.get("miso"),
                },
            )

        def write(self, data: bytes) -> None: ...

        def readinto(self, buffer: Any, write: int = 0) -> None:
            buffer[:] = b"\xff" * len(buffer)

        def write_readinto(self, data: bytes, buffer: Any) -> None:
            self.readinto(buffer)

    class I2c:
        """machine.I2C without a chip that answers."""

        def __init__(self, number: int, **given: Any) -> None:
            if given.get("freq", 100_000) > 1_000_000:
                raise WiringError(f"I2C{number}: at most 1 MHz")
            record.bus(f"I2C{number}", {"SCL": given.get("scl"), "SDA": given.get("sda")})

        def readfrom_mem_into(self, *_arguments: object) -> None:
            raise OSError(19)

        writeto_mem = readfrom_mem_into

    class Uart:
        """machine.UART at rest."""

        def __init__(self, number: int, baudrate: int = 9600, **given: Any) -> None:
            record.bus(f"UART{number}", {"TX": given.get("tx"), "RX": given.get("rx")})

        def init(self, baudrate: int, **_rest: object) -> None: ...

        def any(self) -> int:
            return 0

        def txdone(self) -> bool:
            return True

    class Adc:
        """machine.ADC."""

        def __init__(self, pin: Any) -> None:
            record.claim(pin.name, "ADC")

        def read_u16(self) -> int:
            return 0

    return {"SPI": Spi, "I2C": I2c, "UART": Uart, "ADC": Adc}


def _timers(record: Record) -> dict[str, type]:
    class Timer:
        """machine.Timer: only the soft ones of the port."""

        ONE_SHOT, PERIODIC = 0, 1

        def __init__(self, number: int = -1) -> None:
            if number != -1:
                raise WiringError(f"Timer({number}): the port has soft timers only, Timer(-1)")
            record.timers += 1
            if record.timers > record.chip.timers:
                raise WiringError(f"more than {record.chip.timers} timers")

        def init(self, **_rest: object) -> None: ...

        def deinit(self) -> None: ...

    class Wdt:
        """machine.WDT."""

        def __init__(self, *, timeout: int) -> None:
            if timeout > record.chip.watchdog_ms:
                raise WiringError(f"the watchdog waits {record.chip.watchdog_ms} ms at most")

        def feed(self) -> None: ...

    class Pwm:
        """machine.PWM."""

        def __init__(self, pin: Any, *, freq: int, duty_u16: int) -> None:
            record.use(pin.name, "PWM")

        def duty_u16(self, value: int) -> None: ...

    return {"Timer": Timer, "WDT": Wdt, "PWM": Pwm}


def _state_machine(record: Record) -> type:
    class StateMachine:
        """rp2.StateMachine; nothing runs."""

        def __init__(self, number: int, program: board_pio.Program, **given: Any) -> None:
            if not 0 <= number < record.chip.state_machines:
                raise WiringError(f"state machine {number} of {record.chip.state_machines}")
            if number in record.machines:
                raise WiringError(
                    f"state machine {number} is used twice, also by {record.machines[number]}"
                )
            record.machines[number] = record.where()
            programs = record.programs.setdefault(number // _MACHINES_A_PIO, [])
            if program not in programs:
                programs.append(program)
            words = sum(len(other.words) for other in programs)
            if words > _PIO_WORDS:
                raise WiringError(
                    f"PIO {number // _MACHINES_A_PIO} has {_PIO_WORDS} instructions, "
                    f"its programs take {words}"
                )
            self._claim(number, program, given)

        def _claim(self, number: int, program: board_pio.Program, given: dict[str, Any]) -> None:
            for word, count in program.driven.items():
                base = given.get(f"{word}_base")
                if base is None:
                    raise WiringError(f"the program drives {word} pins, and none is given")
                for distance in range(count):
                    pin = _reached(record.pin(int(base.name[2:]) + distance))
                    if record.driven.setdefault(pin, number) != number:
                        raise WiringError(
                            f"{pin} is driven by state machines {record.driven[pin]} and {number}"
                        )
                    record.claim(pin, "PIO")
                    if pin not in record.made:
                        raise WiringError(f"{pin} is driven by PIO, but the board has not made it")
            for word in ("in_base", "jmp_pin"):
                if given.get(word) is not None:
                    record.use(_reached(given[word].name), "PIO reads")

        def active(self, _on: int | None = None) -> None: ...
        def put(self, _word: int, _shift: int = 0) -> None: ...
        def exec(self, _word: int) -> None: ...

        def tx_fifo(self) -> int:
            return 0

    return StateMachine


def _reached(pin: str) -> str:
    """The pin, if a PIO reaches it: of an RP2350B's 48 it sees 32, the first as it comes."""
    if int(pin[2:]) >= _PIO_PINS:
        raise WiringError(f"{pin} is beyond GP{_PIO_PINS - 1}, the last that a PIO reaches")
    return pin


def _dma(record: Record) -> type:
    class Dma:
        """rp2.DMA."""

        count = 0

        def __init__(self) -> None:
            self.channel = record.dma
            record.dma += 1
            if record.dma > record.chip.dma_channels:
                raise WiringError(f"more than {record.chip.dma_channels} DMA channels")

        def pack_ctrl(self, **_fields: object) -> int:
            return 0

        def config(self, **_fields: object) -> None: ...
        def active(self, _on: int) -> None: ...
        def close(self) -> None: ...

    return Dma


def _nothing(*_arguments: object) -> None:
    """Wait, without waiting."""


def _address(_buffer: object) -> int:
    return 0x2000_0000


class _Flag:
    """asyncio.ThreadSafeFlag, which nobody awaits here."""

    def set(self) -> None: ...


class _Registers(dict[int, int]):
    """What an RP2's registers read: the ADC is ready, and its FIFO is empty (data sheet)."""

    def __getitem__(self, address: int) -> int:
        return self.get(address, 0) | 0x100


def install(record: Record) -> None:
    """Put the modules in place of those that only a board has."""
    asyncio_: Any = asyncio
    asyncio_.ThreadSafeFlag = _Flag
    time_: Any = time
    time_.sleep_ms = time_.sleep_us = _nothing
    machine: Any = types.ModuleType("machine")
    machine.Pin = _pin_class(record)
    for name, part in {**_buses(record), **_timers(record)}.items():
        setattr(machine, name, part)
    machine.PWRON_RESET, machine.WDT_RESET = 1, 3
    machine.reset_cause = lambda: 1
    machine.unique_id = lambda: bytes(range(8))
    machine.reset = lambda: None
    machine.mem32 = _Registers() if record.chip.state_machines else defaultdict(int)
    sys.modules["machine"] = machine
    uctypes: Any = types.ModuleType("uctypes")
    uctypes.addressof = _address
    sys.modules["uctypes"] = uctypes
    sys.modules["vfs"] = types.ModuleType("vfs")  # of a MicroPython without ROMFS
    if record.chip.state_machines:
        rp2: Any = types.ModuleType("rp2")
        rp2.PIO = board_pio.Pio
        rp2.asm_pio = board_pio.asm_pio
        rp2.StateMachine = _state_machine(record)
        rp2.DMA = _dma(record)
        sys.modules["rp2"] = rp2
    else:
        # None: importing it fails, as on the board
        sys.modules["rp2"] = None  # pyright: ignore[reportArgumentType]
        sys.modules["cryptolib"] = None  # pyright: ignore[reportArgumentType]
