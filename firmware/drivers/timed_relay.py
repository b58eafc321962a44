"""A latching relay whose coils end their pulses by themselves, in hardware: a `hal.Relay`.

`coils` is Rp2Coils or Stm32Coils; drivers/latching_relay.py is for processors that have neither.
What is left to do here is no danger if it is not done: to wait half a second between operations,
and to let the last one of several orders count.
"""

import time

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from typing import Protocol

    from machine import Timer

    from hal import Input

    class Coils(Protocol):
        """What drives the coils."""

        def pulse(self, closing: bool) -> None:
            """Begin a pulse that ends by itself."""
            ...


_NONE = const(-1)
_OPEN = const(0)
_CLOSE = const(1)
_OPERATION_MS = const(520)  # pulse and pause, with a reserve


class TimedRelay:
    """The relay; `sense` is low while the contact is closed, None: there is no sense contact.

    `timer` is one `machine.Timer` of this relay alone.
    """

    def __init__(self, coils: "Coils", sense: "Input | None", timer: "Timer") -> None:
        self._coils = coils
        self._sense = sense
        self._timer = timer
        self._ordered = _NONE  # what was asked for last
        self._pending = _NONE  # what begins when the operation under way is over
        self._busy = False
        self._begun_ms = 0
        self._again = self._due

    def open(self) -> None:
        """Start the opening pulse; returns at once, the pulse ends by itself."""
        self._order(_OPEN)

    def close(self) -> None:
        """Start the closing pulse; returns at once, the pulse ends by itself."""
        self._order(_CLOSE)

    def closed(self) -> bool:
        """State of the contact as sensed; without a sense contact as last ordered."""
        if self._sense is None:
            return self._ordered == _CLOSE
        return self._sense.value() == 0

    def busy(self) -> bool:
        """True during a pulse and the pause after it."""
        return self._rest_ms() > 0

    def confirmed(self) -> bool:
        """True if the contact is where it was last ordered to; ask when `busy` is over."""
        return self._ordered == _NONE or self.closed() == (self._ordered == _CLOSE)

    def _rest_ms(self) -> int:
        if not self._busy:
            return 0
        return max(0, _OPERATION_MS - time.ticks_diff(time.ticks_ms(), self._begun_ms))

    def _order(self, coil: int) -> None:
        self._ordered = self._pending = coil
        self._due(None)

    def _due(self, _timer: object) -> None:
        """Begin what is pending, now or when the operation under way is over."""
        wait_ms = self._rest_ms()
        if not wait_ms:
            self._busy = self._pending != _NONE
            if self._busy:
                self._begun_ms = time.ticks_ms()
                self._coils.pulse(self._pending == _CLOSE)
                self._pending = _NONE
                wait_ms = _OPERATION_MS
        if wait_ms:
            self._timer.init(mode=self._timer.ONE_SHOT, period=wait_ms, callback=self._again)
