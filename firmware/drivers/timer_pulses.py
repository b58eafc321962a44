"""Pulses on a pin by a timer of one microsecond: `hal.PulseOutput` where no PIO is at hand.

Each edge is due at a time reckoned from its span's begin, so a late interrupt delays one edge and
none after it; pulses that came due meanwhile follow at once, each with its own edges. The count
is exact whatever happens to the timer. The timer's interrupt must be a soft one.
"""

import time

from micropython import const

from drivers.pulse_pace import Pace

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from machine import Pin

    class Timer(Protocol):
        """machine.Timer as the RP2 port has it; the stubs do not know both words together."""

        @property
        def ONE_SHOT(self) -> int:  # noqa: N802 - MicroPython's name
            """Mode of a timer that fires once."""
            ...

        def init(
            self, *, mode: int, period: int, tick_hz: int, callback: "Callable[[object], None]"
        ) -> None:
            """Call back once after `period` ticks."""
            ...

        def deinit(self) -> None:
            """Call back no more."""
            ...


_TICK_HZ = const(1_000_000)


class _Train:
    """The pulses of a span."""

    def __init__(self, pace: Pace, count: int, due_q8: int, step_q8: int, width_us: int) -> None:
        self.begin = pace.begin
        self.left = count  # pulses still to come
        self.due_q8 = due_q8  # when the next one comes, in 1/256 us since the begin
        self.step_q8 = step_q8
        self.width_us = width_us


class TimerPulses:
    """One output; `timer` is its own."""

    def __init__(self, timer: "Timer", pin: "Pin") -> None:
        self._timer = timer
        self._pin = pin
        self._pace = Pace()
        self._level = 0
        self._inverted = 0
        self._steady = 0
        self._trains: list[_Train] = []  # of the present span and those to come
        self._lit = False  # a pulse lasts
        self._width_us = 0
        self._off = time.ticks_us()  # until then
        self._busy = False
        self._fire = self._edge
        pin.value(0)

    def train(self, count: int, first_q8: int, step_q8: int, width_us: int, span_us: int) -> None:
        """Give pulses within the span that follows the last one (hal.PulseOutput)."""
        self._busy = True  # an interrupt that comes now does nothing
        self._timer.deinit()
        if span_us:
            play_us = self._pace.span(span_us)
            first_q8 = first_q8 * play_us // span_us
            step_q8 = step_q8 * play_us // span_us
            if count:
                self._trains.append(_Train(self._pace, count, first_q8, step_q8, width_us))
        else:
            self._all()
            self._width_us = width_us
            self._burst(count)
        self._busy = False
        self._edge(self._timer)

    def steady(self, lit: bool) -> None:
        """Hold this level while there is no pulse."""
        self._steady = 1 if lit else 0
        if not (self._lit or self._trains):
            self._drive(self._steady)

    def invert(self, inverted: bool) -> None:
        """Let a pulse be a low level, and rest high, or not."""
        self._inverted = 1 if inverted else 0
        self._pin.value(self._level ^ self._inverted)

    def flush(self) -> None:
        """Give what is still to come now: there may be no later."""
        self._busy = True
        self._timer.deinit()
        self._all()
        self._busy = False
        self._edge(self._timer)

    def _all(self) -> None:
        for train in self._trains:
            self._width_us = train.width_us
            self._burst(train.left)
        self._trains = []

    def _burst(self, count: int) -> None:
        for _ in range(count):
            self._pulse()

    def _pulse(self) -> None:
        self._drive(0)
        self._drive(1)
        self._lit = True
        self._off = time.ticks_add(time.ticks_us(), self._width_us)

    def _drive(self, level: int) -> None:
        if level != self._level:
            self._level = level
            self._pin.value(level ^ self._inverted)

    def _edge(self, _timer: object) -> None:
        if self._busy:
            return
        self._busy = True
        wait_us = self._advance()
        self._busy = False
        if wait_us:
            self._timer.init(
                mode=self._timer.ONE_SHOT, period=wait_us, tick_hz=_TICK_HZ, callback=self._fire
            )

    def _advance(self) -> int:
        """Make the edges that are due; return how long until the next one, 0 for none."""
        while True:
            now = time.ticks_us()
            train = self._trains[0] if self._trains else None
            off_us = time.ticks_diff(self._off, now)
            if self._lit and off_us <= 0:
                self._lit = False
                self._drive(0)
            elif train is None:
                if self._lit:
                    return off_us
                self._drive(self._steady)
                return 0
            else:
                due_us = time.ticks_diff(time.ticks_add(train.begin, train.due_q8 >> 8), now)
                if due_us > 0:
                    return min(due_us, off_us) if self._lit else due_us
                self._width_us = train.width_us
                train.due_q8 += train.step_q8
                train.left -= 1
                if not train.left:
                    self._trains.pop(0)
                self._pulse()
