"""Latching relay with two coils and a sense contact, as a `hal.Relay`.

A timer of the board ends each pulse and keeps the pause after it, from its hard interrupt: a coil
is switched off even if the rest of the program hangs. Nothing here ever drives both coils, and a
request during pulse or pause waits; the last one counts.
"""

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import Pin, Timer

_NONE = const(-1)
_OPEN = const(0)
_CLOSE = const(1)

# The timer ticks every pulse length. Within an operation the coil is driven from tick 0 to
# tick 1 and the next operation may begin with tick 10, 500 ms after the one before.
_PULSE_MS = const(50)
_TICKS = const(10)


class LatchingRelay:
    """The relay; `sense` is low while the contact is closed, None: there is no sense contact.

    `timer` is one `machine.Timer` of this relay alone.
    """

    def __init__(
        self, pin_open: "Pin", pin_close: "Pin", sense: "Pin | None", timer: "Timer"
    ) -> None:
        self._pin_open = pin_open
        self._pin_close = pin_close
        self._sense = sense
        self._timer = timer
        self._tick_handler = self._tick  # bound once: the interrupt must not allocate
        self._ticks_left = 0  # of the operation under way, 0: none
        self._ordered = _NONE  # what was asked for last
        self._pending = _NONE  # what begins when the operation under way is over
        pin_open.value(0)
        pin_close.value(0)

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
        return self._ticks_left > 0

    def confirmed(self) -> bool:
        """True if the contact is where it was last ordered to; ask when `busy` is over."""
        return self._ordered == _NONE or self.closed() == (self._ordered == _CLOSE)

    def _order(self, coil: int) -> None:
        self._ordered = coil
        # The interrupt takes what is pending as its very last act: put it there first, then
        # start only if no operation is under way.
        self._pending = coil
        if self._ticks_left == 0:
            self._begin()
            self._timer.init(
                mode=self._timer.PERIODIC,
                period=_PULSE_MS,
                callback=self._tick_handler,
                hard=True,
            )

    def _begin(self) -> None:
        """Drive the coil of the pending order."""
        coil = self._pending
        self._pending = _NONE
        self._ticks_left = _TICKS
        if coil == _CLOSE:
            self._pin_open.value(0)
            self._pin_close.value(1)
        else:
            self._pin_close.value(0)
            self._pin_open.value(1)

    def _tick(self, _timer: "Timer") -> None:
        """Interrupt of the timer: end the pulse, later the pause."""
        self._pin_open.value(0)
        self._pin_close.value(0)
        self._ticks_left -= 1
        if self._ticks_left > 0:
            return
        if self._pending != _NONE:
            self._begin()
        else:
            self._ticks_left = 0
            self._timer.deinit()
