"""Tasks and their queues, as MicroPython's asyncio.core wants them, in virtual time.

Every task belongs to a domain, "meter" or "bench", which it inherits from the task that made it.
"""

# ruff: noqa: ANN401 - coroutines have no other type

import host
import timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

METER = "meter"
BENCH = "bench"

_POLL = 3  # MicroPython's MP_STREAM_POLL


class Running:
    """What asyncio.core and the simulation share."""

    core: "Any" = None  # the module that holds cur_task and _task_queue: asyncio.core
    domain = BENCH  # of tasks that are not made by a task


class TaskQueue:
    """Tasks in the order of their time, and of their coming where that is the same."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def peek(self) -> "Task | None":
        """Return the first task, None if there is none."""
        return self.tasks[0] if self.tasks else None

    def push(self, task: "Task", key: "int | None" = None) -> None:
        """Let `task` run at the tick `key` in milliseconds, by default now."""
        task.data = None
        due_us = timeline.now_us
        counted_ms = timeline.processor_us() // 1000
        ticks = counted_ms & 0x3FFFFFFF
        if key is None:
            task.ph_key = ticks
        else:
            task.ph_key = key
            ahead = ((key - ticks + 0x20000000) & 0x3FFFFFFF) - 0x20000000
            if ahead > 0:
                due_us = timeline.when_processor((counted_ms + ahead) * 1000)
        task.due_us = due_us
        # A list kept in order allocates nothing; what is ready is at the front.
        tasks = self.tasks
        index = 0
        for other in tasks:
            if other.due_us > due_us:
                break
            index += 1
        tasks.insert(index, task)

    def pop(self) -> "Task":
        """Take the first task."""
        return self.tasks.pop(0)

    def remove(self, task: "Task") -> None:
        """Take `task` out."""
        self.tasks.remove(task)


class Task:
    """A coroutine under way, as asyncio.core knows it, with its domain."""

    def __init__(self, coro: "Any", globals: object = None) -> None:  # noqa: A002
        self.coro = coro
        self.data: Any = None  # the queue it waits on; once done, what it returned or raised
        # True: running; None: done; False: done and awaited; a queue: awaited; a callable: told
        self.state: Any = True
        self.ph_key = 0
        self.due_us = 0
        current = Running.core.cur_task
        self.domain: str = Running.domain if current is None else current.domain
        host.remember(self)

    def __await__(self) -> "Iterator[None]":
        return iter(self)

    def __iter__(self) -> "Iterator[None]":
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = TaskQueue()
        elif type(self.state) is not TaskQueue:
            raise RuntimeError("can't wait")
        return self

    def __next__(self) -> None:
        if not self.state:
            if self.data is None:
                raise StopIteration
            raise self.data
        current = Running.core.cur_task
        self.state.push(current)
        current.data = self

    def done(self) -> bool:
        """Tell whether the task has ended."""
        return not self.state

    def remove(self, task: "Task") -> None:
        """Forget a task that waited for this one: it was cancelled."""
        self.state.remove(task)

    def cancel(self) -> bool:
        """Raise CancelledError inside the task; False if it has ended."""
        if not self.state:
            return False
        if self is Running.core.cur_task:
            raise RuntimeError("can't cancel self")
        task = self
        while isinstance(task.data, Task):
            task = task.data
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            Running.core._task_queue.push(task)
        elif task.due_us > timeline.now_us:
            Running.core._task_queue.remove(task)
            Running.core._task_queue.push(task)
        task.data = Running.core.CancelledError
        return True


class ThreadSafeFlag:
    """asyncio's flag for interrupt handlers; it wakes its task without being polled."""

    notifies = True

    def __init__(self) -> None:
        self.state = 0
        self._waiting: Task | None = None

    def ioctl(self, request: int, argument: int) -> int:
        """Answer a poll as the original does."""
        return self.state * argument if request == _POLL else -1

    def set(self) -> None:
        """Wake the waiting task; may be called from anywhere."""
        self.state = 1
        task = self._waiting
        if task is not None:
            self._waiting = None
            Running.core._task_queue.push(task)

    def clear(self) -> None:
        """Forget that it was set."""
        self.state = 0

    def remove(self, task: "Task") -> None:
        """Forget the task that waits: it was cancelled."""
        if self._waiting is task:
            self._waiting = None

    @host.awaitable
    def wait(self) -> "Iterator[None]":
        """Return when the flag is set, and clear it."""
        if not self.state:
            self._waiting = Running.core.cur_task
            Running.core.cur_task.data = self
            yield
        self.state = 0
