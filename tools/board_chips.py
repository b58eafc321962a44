"""What the processors of our boards can do with their pins, for tools/board_check.py.

RP2040 data sheet table 2 and RP2350 data sheet table 3 (GPIO functions), MicroPython's
ports/stm32/boards/PYBV11 and boards/stm32f405_af.csv for the pyboard.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Chip:
    """A processor on its board.

    functions: of each pin, as "SPI0 SCK"; what is not there cannot be had
    lines: number of the external interrupt of a pin, where pins share them
    names: further names of a pin
    header: where a pin stands on the board's header, if that has numbers
    supply: where the board hands out what other parts live on
    """

    name: str
    functions: dict[str, frozenset[str]]
    names: dict[str, str] = field(default_factory=dict[str, str])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    defaults: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    state_machines: int = 0
    dma_channels: int = 0
    timers: int = 16
    watchdog_ms: int = 8388
    header: dict[str, int] = field(default_factory=dict[str, int])
    supply: str = ""

    def pin(self, wanted: object) -> str | None:
        """Name of the pin that the board's code means; None if there is none."""
        text = f"GP{wanted}" if isinstance(wanted, int) else str(wanted)
        text = self.names.get(text, text)
        return text if text in self.functions else None


# Where a GP number stands on the header (Raspberry Pi Pico data sheet, pinout).
_HEADER = {
    **dict(zip(range(23), (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20, 21, 22,
                           24, 25, 26, 27, 29), strict=True)),
    26: 31, 27: 32, 28: 34,
}  # fmt: skip
_ON_BOARD = (25,)
_SPI_SIGNALS = ("RX", "CSn", "SCK", "TX")
_UART_SIGNALS = ("TX", "RX", "CTS", "RTS")


def _pico(name: str, state_machines: int, dma_channels: int) -> Chip:
    return replace(
        _rp2(name, (*_HEADER, *_ON_BOARD), state_machines, dma_channels),
        header={f"GP{number}": place for number, place in _HEADER.items()},
        supply="3.3 V: 3V3(OUT), pin 36. GND: pins 3, 8, 13, 18, 23, 28, 38. 5 V: VBUS, pin 40.",
    )


def _rp2(
    name: str,
    pins: Iterable[int],
    state_machines: int,
    dma_channels: int,
    analogue: Iterable[int] = (26, 27, 28),
) -> Chip:
    """An RP2040 or RP2350 with these pins within reach; an RP2350B has its ADC at GP40 to GP47."""
    functions: dict[str, frozenset[str]] = {}
    for number in pins:
        found = {
            f"SPI{number // 8 % 2} {_SPI_SIGNALS[number % 4]}",
            f"UART{(number + 4) // 8 % 2} {_UART_SIGNALS[number % 4]}",
            f"I2C{number // 2 % 2} {'SCL' if number % 2 else 'SDA'}",
            "PIO",
        }
        if number in analogue:
            found.add("ADC")
        functions[f"GP{number}"] = frozenset(found)
    defaults = {
        "UART0": {"TX": "GP0", "RX": "GP1"},
        "UART1": {"TX": "GP4", "RX": "GP5"},
        "SPI0": {"SCK": "GP18", "TX": "GP19", "RX": "GP16"},
        "SPI1": {"SCK": "GP10", "TX": "GP11", "RX": "GP8"},
        "I2C0": {"SDA": "GP4", "SCL": "GP5"},
        "I2C1": {"SDA": "GP6", "SCL": "GP7"},
    }
    return Chip(
        name,
        functions,
        defaults=defaults,
        state_machines=state_machines,
        dma_channels=dma_channels,
    )


# The pyboard's header, and the processor's pin behind each name.
_PYBOARD = {
    **{f"X{k}": f"A{k - 1}" for k in range(1, 9)},
    "X9": "B6",
    "X10": "B7",
    "X11": "C4",
    "X12": "C5",
    "X17": "B3",
    "X18": "C13",
    "X19": "C0",
    "X20": "C1",
    "X21": "C2",
    "X22": "C3",
    "Y1": "C6",
    "Y2": "C7",
    "Y3": "B8",
    "Y4": "B9",
    **{f"Y{k}": f"B{k + 7}" for k in range(5, 9)},
    "Y9": "B10",
    "Y10": "B11",
    "Y11": "B0",
    "Y12": "B1",
    "LED_RED": "A13",
    "LED_GREEN": "A14",
    "LED_YELLOW": "A15",
    "LED_BLUE": "B4",
}
_PYBOARD_FUNCTIONS = {
    "SPI1": {"SCK": "A5", "MISO": "A6", "MOSI": "A7"},
    "SPI2": {"SCK": "B13", "MISO": "B14", "MOSI": "B15"},
    "I2C1": {"SCL": "B6", "SDA": "B7"},
    "I2C2": {"SCL": "B10", "SDA": "B11"},
    "UART1": {"TX": "B6", "RX": "B7"},
    "UART2": {"TX": "A2", "RX": "A3"},
    "UART3": {"TX": "B10", "RX": "B11"},
    "UART4": {"TX": "A0", "RX": "A1"},
    "UART6": {"TX": "C6", "RX": "C7"},
}
_TIMER_PINS = {"B0": "TIM3 CH3", "B1": "TIM3 CH4", "B10": "TIM2 CH3", "B11": "TIM2 CH4"}


def _pyboard() -> Chip:
    names = {board: "P" + cpu for board, cpu in _PYBOARD.items()}
    names["SW"] = "PB3"
    functions: dict[str, set[str]] = {pin: set() for pin in names.values()}
    for bus, pins in _PYBOARD_FUNCTIONS.items():
        for signal, cpu in pins.items():
            functions["P" + cpu].add(f"{bus} {signal}")
    for cpu, timer in _TIMER_PINS.items():
        functions["P" + cpu].add(timer)
    return Chip(
        "STM32F405 on a pyboard 1.1",
        {pin: frozenset(found) for pin, found in functions.items()},
        names=names,
        lines={pin: int(pin[2:]) for pin in functions},
        defaults={
            bus: {signal: "P" + cpu for signal, cpu in pins.items()}
            for bus, pins in _PYBOARD_FUNCTIONS.items()
        },
        timers=32,
        watchdog_ms=32000,
        supply="3.3 V: 3V3. GND: GND. 5 V: V+.",
    )


CHIPS = {
    "rp2040": _pico("RP2040 on a Raspberry Pi Pico", 8, 12),
    "rp2350": _pico("RP2350 on a Raspberry Pi Pico 2", 12, 16),
    "stm32f405": _pyboard(),
}
