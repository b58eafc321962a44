"""What the meter does at each start, in the order of row NOP-06.

The parts have restored themselves from memory before; here it is found out how the last life
ended, what the checks say, and what was missed meanwhile. The log shows the same order: power
down with the time at which it happened, faults that the checks found, the clock's state, power
up. Rows NOP-06, NOP-07, ERR-07 to ERR-09.
"""

from micropython import const

from app import event_codes, outages

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.outages import Outages

# The order of the start.
_STEPS = ("_last_end", "_check", "_clock_state", "_power_up", "_missed")


class PowerUp:
    """The start's sequence; `post(code, utc_s)` writes into the log, None: now.

    on_power_up: called after an outage with its seconds (-1: not known) and whether it was short.
    """

    def __init__(
        self, history: "Outages", clock: "Clock", post: "Callable[[int, int | None], None]"
    ) -> None:
        self.on_power_up: list[Callable[[int, bool], None]] = []
        self.test_battery: Callable[[], None] | None = None
        self.end = outages.NEVER  # how the last life ended
        self.outage_s = 0
        self._history = history
        self._clock = clock
        self._post = post
        self._power_on = True
        self._faults: list[int] = []  # events that wait for their turn
        self._done = False

    def fault(self, code: int) -> None:
        """Log the event of a fault: found by a restoring part in its turn, later at once."""
        if self._done:
            self._post(code, None)
        elif code not in self._faults:
            self._faults.append(code)

    def run(self, power_on: bool) -> None:
        """Go through all steps; `power_on`: the supply came, the processor was not reset."""
        self._power_on = power_on
        for step in _STEPS:
            getattr(self, step)()
        self._done = True

    def _last_end(self) -> None:
        self.end, self.outage_s = self._history.begin(self._power_on)
        if self.end == outages.OUTAGE:
            self._post(event_codes.POWER_DOWN, self._history.down_utc_s)
        elif self.end == outages.RESET:
            self._post(event_codes.WATCHDOG_RESET, None)

    def _check(self) -> None:
        for code in self._faults:
            self._post(code, None)

    def _clock_state(self) -> None:
        if self._clock.invalid:
            self._post(event_codes.CLOCK_INVALID, None)
        if self.test_battery is not None:
            self.test_battery()

    def _power_up(self) -> None:
        if self._power_on or self.end == outages.OUTAGE:
            self._post(event_codes.POWER_UP, None)

    def _missed(self) -> None:
        if self.end == outages.OUTAGE:
            short = not self._history.long(self.outage_s)
            for callback in self.on_power_up:
                callback(self.outage_s, short)
