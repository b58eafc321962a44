"""A task's wait for a time that others may end early, without a second task for it.

asyncio.wait_for_ms makes a task for what it waits for and drops it afterwards: three turns of the
loop and some hundred octets a wait, too much for what comes back every second.
"""

import asyncio

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Any


class Waker:
    """Where one task waits, and others let it go on. That task is not to be cancelled."""

    def __init__(self) -> None:
        self._task: Any = None  # that waits

    async def wait_ms(self, wait_ms: int) -> None:
        """Return after a time, or as soon as somebody wakes."""
        self._task = asyncio.current_task()
        await asyncio.sleep_ms(wait_ms)
        self._task = None

    def wake(self) -> None:
        """Let the task go on, if it waits."""
        task = self._task
        if task is not None:
            self._task = None
            # as asyncio's own Event moves a task; the stubs leave this module out
            queue: Any = asyncio.core._task_queue  # pyright: ignore
            queue.remove(task)
            queue.push(task)
