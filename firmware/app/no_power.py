"""Reading the meter without mains: the battery feeds it while somebody looks (rows NOP-01..03).

A key's press connects the battery to the processor, and the board keeps it connected while `hold`
is high. Held for four seconds, the key wakes glass, keys and optical head; the converter stays
off. Two minutes are the longest use, fifteen seconds without a key or an octet end it, and fifty
hours are what the battery has for this in its life. When the mains is back the processor starts
anew, as after any outage. A cover or a magnet wakes the processor too, until it has been logged.
"""

import asyncio

from micropython import const

from app import ticks

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.outages import Outages
    from app.tasks import Task
    from hal import Input, Output

# The start of the processor has taken some of the four seconds.
_HELD_MS = const(3900)
_LONGEST_MS = const(120_000)
_IDLE_MS = const(15_000)
BUDGET_S = const(180_000)
_SHARE_S = const(10)  # counted ahead, so that a cut gives nothing back
_POLL_MS = const(50)
_BUSY_MS = const(2000)  # for what moved a cover to be logged

# Where the use stands.
_WAITING = const(0)  # for the four seconds
_AWAKE = const(1)
_OVER = const(2)  # the battery goes when the key is released

# What happens.
_NOTHING = const(0)
_HELD = const(1)
_RELEASED = const(2)
_IDLE = const(3)
_SPENT = const(4)  # two minutes, or the budget
_MAINS = const(5)

# What follows, and what is done; whatever is not named here changes nothing.
_TABLE = {
    (_WAITING, _HELD): (_AWAKE, "_wake"),
    (_WAITING, _RELEASED): (_OVER, "_sleep"),
    (_WAITING, _SPENT): (_OVER, "_sleep"),
    (_WAITING, _MAINS): (_OVER, "_restart"),
    (_AWAKE, _IDLE): (_OVER, "_sleep"),
    (_AWAKE, _SPENT): (_OVER, "_sleep"),
    (_AWAKE, _MAINS): (_OVER, "_restart"),
    (_OVER, _MAINS): (_OVER, "_restart"),
}


class NoPower:
    """One use of the meter without mains.

    wake, sleep: called when the use begins and ends; octets: returns a count that every octet at
    the optical head changes; restart: starts the processor anew.
    """

    def __init__(
        self,
        hold: "Output",
        keys: "tuple[Input, ...]",
        supply_good: "Input",
        history: "Outages",
        restart: "Callable[[], None]",
    ) -> None:
        self.wake: Callable[[], None] = _nothing
        self.sleep: Callable[[], None] = _nothing
        self.octets: Callable[[], int] = _no_octets
        self.busy: Callable[[], bool] = lambda: False  # True: something has still to be logged
        self._hold = hold
        self._keys = keys
        self._supply_good = supply_good
        self._history = history
        self._restart_processor = restart
        self._state = _WAITING
        # When the key went down or the use began, when the last sign of somebody came.
        self._since_ms = self._active_ms = 0
        self._shares = 0
        self._heard = 0

    async def run(self, task: "Task") -> None:
        """Serve one use; the power goes in the end, or the processor starts anew."""
        self._hold.value(1)
        self._since_ms = ticks.now_ms()
        while True:
            row = _TABLE.get((self._state, self._event(ticks.now_ms())))
            if row is not None:
                self._state = row[0]
                getattr(self, row[1])()
            task.report()
            await asyncio.sleep_ms(_POLL_MS)

    def _event(self, now_ms: int) -> int:
        if self._supply_good.value():
            return _MAINS
        pressed = False
        for key in self._keys:
            pressed = pressed or not key.value()
        used_ms = -ticks.until_ms(self._since_ms, now_ms)
        if self._state == _WAITING:
            if self._history.battery_s >= BUDGET_S:
                return _SPENT
            held = _HELD if used_ms >= _HELD_MS else _NOTHING
            if not pressed and self.busy() and used_ms < _BUSY_MS:
                return _NOTHING
            return held if pressed else _RELEASED
        heard = self.octets()
        if pressed or heard != self._heard:
            self._heard = heard
            self._active_ms = now_ms
        if used_ms >= _LONGEST_MS or not self._paid(used_ms):
            return _SPENT
        return _IDLE if -ticks.until_ms(self._active_ms, now_ms) >= _IDLE_MS else _NOTHING

    def _paid(self, used_ms: int) -> bool:
        """Count the next share of the battery's life in its time; False if none is left."""
        if self._state == _AWAKE and used_ms >= self._shares * _SHARE_S * 1000:
            if self._history.battery_s >= BUDGET_S:
                return False
            self._history.use_battery(_SHARE_S)
            self._shares += 1
        return True

    # -- actions of the table --------------------------------------------------------------

    def _wake(self) -> None:
        self._since_ms = self._active_ms = ticks.now_ms()
        self._heard = self.octets()
        self.wake()

    def _sleep(self) -> None:
        self.sleep()
        self._history.down()
        self._hold.value(0)

    def _restart(self) -> None:
        self._history.down()
        self._restart_processor()


def _nothing() -> None:
    pass


def _no_octets() -> int:
    return 0
