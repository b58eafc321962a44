"""A piezo disc on a PWM output: a `hal.Sounder` that clicks as a key goes down.

`pwm` is a `machine.PWM` at the disc's own frequency, about 4 kHz; `timer` is one of this alone.
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from machine import Timer

    class Pwm(Protocol):
        """The half of `machine.PWM` that is used; the stubs overload the other one."""

        def duty_u16(self, __value: int) -> object:
            """Set the share of a period that the output is high, 65535 all of it."""
            ...


_LOUD = const(32768)  # half of a period
_CLICK_MS = const(5)  # twenty periods: a click, not a tone


class Piezo:
    """The disc."""

    def __init__(self, pwm: "Pwm", timer: "Timer") -> None:
        self._pwm = pwm
        self._timer = timer
        self._over = self._end  # made here: the timer's interrupt allocates nothing
        pwm.duty_u16(0)

    def click(self) -> None:
        """Sound for 5 ms; returns at once."""
        self._pwm.duty_u16(_LOUD)
        timer = self._timer
        timer.init(mode=timer.ONE_SHOT, period=_CLICK_MS, callback=self._over)

    def _end(self, _timer: object) -> None:
        self._pwm.duty_u16(0)
