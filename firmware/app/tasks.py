"""Supervised tasks and the watchdog.

MicroPython only prints an exception of a task that nobody awaits, and the program goes on without
it. Here every task has a name, says that it is alive, and is started again after an exception,
more and more slowly; the watchdog is fed only while every task has reported within its time.

A task with a rhythm of its own reports in it. One that waits for a key, a client or a row to store
has none: it ends by an exception or, when it blocks, takes the feeding task with it. Rows ERR-09,
NOP-14.
"""

import asyncio
import sys
import time

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hal import Watchdog

_FEED_PERIOD_MS = const(2000)
_FIRST_PAUSE_MS = const(100)
_LONGEST_PAUSE_MS = const(60_000)


class Task:
    """One supervised task: `factory(task)` returns its coroutine, which calls `report()`."""

    def __init__(
        self, name: str, factory: "Callable[[Task], Coroutine[None, None, None]]", limit_s: int
    ) -> None:
        self.name = name
        self.factory = factory
        self.limit_s = limit_s  # longest time between two reports; 0: reports are not asked for
        self.restarts = 0
        self.last_error = ""
        self.resting = False  # True: it is to be started again after a pause
        self._reported_ms = time.ticks_ms()

    def report(self) -> None:
        """Say that the task is alive."""
        self._reported_ms = time.ticks_ms()

    def alive(self) -> bool:
        """Tell whether the last report is recent enough."""
        if self.limit_s == 0 or self.resting:
            return True
        return time.ticks_diff(time.ticks_ms(), self._reported_ms) <= self.limit_s * 1000


class Supervisor:
    """Starts tasks, starts them again when they die, and feeds the watchdog for them."""

    def __init__(self, watchdog: "Watchdog | None") -> None:
        self._watchdog = watchdog
        self.tasks: list[Task] = []
        self.feeds = 0

    def start(
        self, name: str, factory: "Callable[[Task], Coroutine[None, None, None]]", limit_s: int = 0
    ) -> Task:
        """Run `factory(task)` for ever; `limit_s` is the longest silence the watchdog bears."""
        task = Task(name, factory, limit_s)
        self.tasks.append(task)
        asyncio.create_task(self._guard(task))
        return task

    def restarts(self) -> int:
        """Return how often any task was started again."""
        return sum(task.restarts for task in self.tasks)

    def silent(self) -> "list[str]":
        """Return the names of the tasks that have not reported in time."""
        return [task.name for task in self.tasks if not task.alive()]

    async def feed(self) -> None:
        """Feed the watchdog for ever, as long as all tasks report."""
        while True:
            if not self.silent():
                self.feeds += 1
                if self._watchdog is not None:
                    self._watchdog.feed()
            await asyncio.sleep_ms(_FEED_PERIOD_MS)

    async def _guard(self, task: Task) -> None:
        pause_ms = _FIRST_PAUSE_MS
        while True:
            started_ms = time.ticks_ms()
            try:
                await task.factory(task)
                task.last_error = "ended"
            except Exception as error:
                task.last_error = repr(error)
                print("task", task.name, "stopped:", task.last_error)  # noqa: T201
                sys.print_exception(error)
            task.restarts += 1
            if time.ticks_diff(time.ticks_ms(), started_ms) > _LONGEST_PAUSE_MS:
                pause_ms = _FIRST_PAUSE_MS
            task.resting = True
            await asyncio.sleep_ms(pause_ms)
            task.resting = False
            task.report()
            pause_ms = min(2 * pause_ms, _LONGEST_PAUSE_MS)
