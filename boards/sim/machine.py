"""Takes the place of MicroPython's module `machine` on the simulated board.

Drivers use it unmodified: what they do on pins and buses goes by wiring.py to the models of the
chips. Names, arguments and errors are those of the RP2 port; pins and buses are known by number.
Pins stand in machine_pin.py, buses and the frame capture in machine_bus.py, UARTs in
machine_uart.py. `start` is the simulation's own.
"""

# ruff: noqa: ANN401 - settings of MicroPython's classes have no other type

import sys

import power
import timeline
import vtime
import wiring
from machine_bus import I2C, SPI, SoftI2C, SoftSPI, SpiCapture, reset_buses
from machine_pin import Pin, Signal, disable_irq, dispatch, enable_irq, pin_number, reset_pins
from machine_pwm import PWM, reset_pwms
from machine_uart import UART

__all__ = [
    "ADC",
    "DEEPSLEEP_RESET",
    "HARD_RESET",
    "I2C",
    "PWM",
    "PWRON_RESET",
    "RTC",
    "SOFT_RESET",
    "SPI",
    "UART",
    "WDT",
    "WDT_RESET",
    "Pin",
    "Signal",
    "SoftI2C",
    "SoftSPI",
    "SpiCapture",
    "Timer",
    "deepsleep",
    "disable_irq",
    "enable_irq",
    "freq",
    "idle",
    "lightsleep",
    "reset",
    "reset_cause",
    "soft_reset",
    "start",
    "unique_id",
]

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_MAX_WDT_MS = 8388  # the RP2040's counter
_cause = PWRON_RESET
_identity = bytes(7) + b"\x01"  # the serial number 00000001 follows from it
_frequency_hz = 150_000_000
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from machine_pin import Handler

_watchdogs: "list[WDT]" = []  # the one watchdog that runs, if any: it cannot be stopped
_timers: "list[Timer]" = []


class Timer:
    """A timer in virtual time; its callback runs as an interrupt does."""

    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id: int = -1, **settings: "Any") -> None:  # noqa: A002
        if id != -1:
            raise ValueError("Timer(" + str(id) + ") doesn't exist")
        self._event: object = None
        self._period_us = 0
        self._next_us = 0
        self._periodic = True
        self._callback: Handler | None = None
        if settings:
            self.init(**settings)

    def init(
        self,
        *,
        mode: int = PERIODIC,
        freq: float = -1,
        period: int = -1,
        tick_hz: int = 1000,
        callback: "Handler | None" = None,
        hard: bool = False,
    ) -> None:
        """Call `callback(timer)` after or every `period` ticks, or at `freq` hertz."""
        self.deinit()
        if freq != -1:
            if freq <= 0:
                raise ValueError("freq must be positive")
            self._period_us = int(1_000_000 / freq)
        else:
            if period <= 0 or tick_hz <= 0:
                raise ValueError("period must be positive")
            self._period_us = period * 1_000_000 // tick_hz
        if self._period_us < 1:
            raise ValueError("period too short")
        self._periodic = mode == Timer.PERIODIC
        self._callback = callback
        self._next_us = timeline.now_us + self._period_us
        self._event = timeline.at(self._next_us, self._fire)
        _timers.append(self)

    def deinit(self) -> None:
        """Stop the timer."""
        if self._event is not None:
            timeline.cancel(self._event)
            self._event = None
            _timers.remove(self)

    def _fire(self) -> None:
        if self._periodic:
            self._next_us += self._period_us
            self._event = timeline.at(self._next_us, self._fire)
        else:
            self._event = None
            _timers.remove(self)
        if self._callback is not None and not dispatch(self._callback, self):
            self._callback = None


class RTC:
    """The processor's own clock: it starts in 2021 when power comes, and has no battery."""

    def __init__(self) -> None:
        pass

    def datetime(self, fields: "tuple[int, ...] | None" = None) -> "tuple[int, ...] | None":
        """Return or set (year, month, day, weekday, hour, minute, second, subseconds)."""
        if fields is None:
            year, month, day, hour, minute, second, weekday, _ = vtime.gmtime()
            return (year, month, day, weekday, hour, minute, second, 0)
        if len(fields) != 8:
            raise TypeError("datetime needs a tuple of length 8")
        year, month, day, _, hour, minute, second, _ = fields
        vtime.set_clock(vtime.mktime((year, month, day, hour, minute, second, 0, 0)))
        return None


class WDT:
    """The watchdog: resets the processor unless it is fed in time, in virtual time."""

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:  # noqa: A002
        if id != 0:
            raise ValueError("WDT(" + str(id) + ") doesn't exist")
        if not 1 <= timeout <= _MAX_WDT_MS:
            raise ValueError("timeout must be 1 to " + str(_MAX_WDT_MS))
        for other in list(_watchdogs):
            other.stop()
        self._timeout_us = timeout * 1000
        self._event: object = timeline.after(self._timeout_us, self._bite)
        self._due_us = timeline.now_us + self._timeout_us
        _watchdogs.append(self)

    def feed(self) -> None:
        """Start the time anew."""
        # The event stays where it is and looks again when it comes: feeding is cheap.
        self._due_us = timeline.now_us + self._timeout_us

    def _bite(self) -> None:
        if timeline.now_us < self._due_us:
            self._event = timeline.at(self._due_us, self._bite)
            return
        self._event = None
        print("watchdog: the meter is reset", file=sys.stderr)
        timeline.interrupt(power.MeterReset(WDT_RESET))

    def stop(self) -> None:
        """End with the processor's reset; firmware cannot."""
        timeline.cancel(self._event)
        _watchdogs.remove(self)


class ADC:
    """An analogue input of the processor."""

    CORE_TEMP = 4

    def __init__(self, pin: "Pin | int") -> None:
        self._read = wiring.analog_input(pin_number(pin))

    def read_u16(self) -> int:
        """Return the voltage, 65535 at the reference."""
        return max(0, min(65535, int(self._read())))


def reset() -> None:
    """Reset the processor; the chips keep their power."""
    raise power.MeterReset(HARD_RESET)


def soft_reset() -> None:
    """Restart the firmware."""
    raise power.MeterReset(SOFT_RESET)


def reset_cause() -> int:
    """Return why the processor has started."""
    return _cause


def unique_id() -> bytes:
    """Return the processor's number, eight bytes."""
    return _identity


def freq(hz: "int | None" = None) -> "int | None":
    """Return or set the clock of the processor, which the simulation does not model."""
    global _frequency_hz
    if hz is None:
        return _frequency_hz
    if hz <= 0:
        raise ValueError("cannot change frequency")
    _frequency_hz = hz
    return None


def idle() -> None:
    """Wait for an interrupt, at most a millisecond."""
    timeline.pass_us(1000)


def lightsleep(time_ms: int = 0) -> None:
    """Let virtual time pass; interrupts come, tasks do not run."""
    timeline.pass_us(time_ms * 1000)


def deepsleep(time_ms: int = 0) -> None:
    """Let virtual time pass, then reset."""
    timeline.pass_us(time_ms * 1000)
    raise power.MeterReset(DEEPSLEEP_RESET)


def start(cause: int) -> None:
    """Put the processor into the state that a reset of this cause leaves."""
    global _cause
    _cause = cause
    for watchdog in list(_watchdogs):
        watchdog.stop()
    for timer in list(_timers):
        timer.deinit()
    reset_buses()
    reset_pwms()
    reset_pins()
    for port in wiring.uart_ports():
        port.detach(None)
    if cause == PWRON_RESET:
        vtime.power_on()
