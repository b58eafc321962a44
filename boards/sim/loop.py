"""asyncio in virtual time: where MicroPython's own event loop waits, and how it gets there.

`install` runs before anything imports asyncio. MicroPython's asyncio then finds our TaskQueue and
Task (loop_tasks.py) where its compiled ones would be, and waits in our IoQueue, which moves
virtual time, lets events happen and serves the host's sockets. A reset of the meter drops the
tasks of one domain.
"""

# ruff: noqa: ANN401 - coroutines have no other type

import host
import net
import timeline
import vtime
from loop_tasks import BENCH, METER, Running, Task, TaskQueue, ThreadSafeFlag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from host import RawSocket

    Stream = Any  # a net.Socket, or whatever has an ioctl as MicroPython's streams have
    Entry = list[Any]  # task that reads, task that writes, stream
    Watch = tuple[RawSocket, Callable[[int], None]]

__all__ = [
    "BENCH",
    "METER",
    "Task",
    "TaskQueue",
    "ThreadSafeFlag",
    "create_task",
    "current_domain",
    "drop",
    "install",
    "io",
    "run",
    "set_domain",
]

_POLL_PERIOD_US = 1000  # sockets are looked at no more often than this while there is work
_TURNS = 16  # tasks or events between two looks at the host's clock
_SPIN_TURNS = 4000  # turns of tasks in one instant: somebody waits by sleep_ms(0)
_LONGEST_WAIT_MS = 1000
_POLL = 3  # MicroPython's MP_STREAM_POLL


class IoQueue:
    """Where the loop waits: for virtual time, for the board's streams, for the host's sockets."""

    def __init__(self) -> None:
        self._waiting: dict[int, Entry] = {}  # by id of the stream
        self._raws: dict[int, Entry | Watch] = {}  # by id of the host's socket
        self._polled = 0  # streams in _waiting that cannot say when they are ready
        self._poller = host.Poll()
        self._ready: list[tuple[RawSocket, int]] = []
        self._turns = _TURNS
        self._spins = 0
        self._spin_us = -1
        self._last_poll_us = 0
        self.longest_turn_us = 0  # host time between two waits, for /api/health
        self._turn_start_us = 0

    @property
    def map(self) -> bool:
        """True while anything may wake a task; asyncio.core asks when it has none."""
        return bool(
            self._waiting
            or self._raws
            or timeline.leaping()
            or timeline.next_us() >= 0
            or timeline.interrupted is not None
        )

    def queue_read(self, stream: "Stream") -> None:
        """Let the running task wait until `stream` can be read."""
        self._enqueue(stream, 0)

    def queue_write(self, stream: "Stream") -> None:
        """Let the running task wait until `stream` can be written."""
        self._enqueue(stream, 1)

    def wake(self, stream: "Stream", index: int) -> None:
        """`stream` can be read (0) or written (1): let the task go on that waits for it."""
        entry = self._waiting.get(id(stream))
        if entry is not None and entry[index] is not None:
            task = entry[index]
            entry[index] = None
            self._settle(entry)
            Running.core._task_queue.push(task)

    def remove(self, task: "Task") -> None:
        """Forget what `task` waits for: it was cancelled."""
        for entry in list(self._waiting.values()):
            if entry[0] is task or entry[1] is task:
                if entry[0] is task:
                    entry[0] = None
                if entry[1] is task:
                    entry[1] = None
                self._settle(entry)

    def watch(self, raw: "RawSocket", events: int, callback: "Callable[[int], None]") -> None:
        """Call `callback(events)` whenever the host's socket is ready, until `unwatch`."""
        self._raws[id(raw)] = (raw, callback)
        self._poller.register(raw, events)

    def rewatch(self, raw: "RawSocket", events: int) -> None:
        """Change the events that a watched socket is watched for."""
        self._poller.modify(raw, events)

    def unwatch(self, raw: "RawSocket") -> None:
        """Forget a watched socket."""
        if self._raws.pop(id(raw), None) is not None:
            self._poller.unregister(raw)

    def drop(self, name: str) -> None:
        """Forget what the tasks of a domain wait for."""
        for entry in list(self._waiting.values()):
            for index in (0, 1):
                if entry[index] is not None and entry[index].domain == name:
                    entry[index] = None
            self._settle(entry)

    def wait_io_event(self, dt: int) -> None:
        """Wait until a task is ready: asyncio.core calls this before every task.

        `dt` is the ticks to the next task, 0 if it is ready, -1 if there is none.
        """
        if timeline.interrupted is not None:
            timeline.raise_interrupt()
        if dt == 0:
            self._turns -= 1
            if self._turns <= 0:
                self._turn()
            return
        Running.core.cur_task = None
        queue = Running.core._task_queue
        task = queue.peek()
        if dt > 0 and task is not None and task.due_us <= timeline.now_us:
            # The crystal has become slower since it was put here: its tick is still to come.
            queue.push(queue.pop(), task.ph_key)
        self._idle()

    def _turn(self) -> None:
        """Look at the sockets now and then, and keep time moving under tasks that spin."""
        self._turns = _TURNS
        self._poll_if_due()
        if self._spin_us != timeline.now_us:
            self._spin_us = timeline.now_us
            self._spins = 0
            return
        self._spins += _TURNS
        if self._spins > _SPIN_TURNS:
            timeline.settle()
            room_us = timeline.limit_us() - timeline.now_us
            if room_us > 0:
                timeline.pass_us(min(1000, room_us))
            else:
                self._poll(1)

    def _idle(self) -> None:
        tasks = Running.core._task_queue.tasks
        busy_us = host.ticks_us() - self._turn_start_us
        if self._turn_start_us and busy_us > self.longest_turn_us:
            self.longest_turn_us = busy_us
        while True:
            if timeline.interrupted is not None:
                timeline.raise_interrupt()
            if tasks and tasks[0].due_us <= timeline.now_us:
                break
            timeline.settle()
            if tasks and tasks[0].due_us <= timeline.now_us:
                break
            self._turns -= 1
            if self._turns <= 0:
                self._turns = _TURNS
                self._poll_if_due()
            target_us = tasks[0].due_us if tasks else -1
            event_us = timeline.next_us()
            if event_us >= 0 and (target_us < 0 or event_us < target_us):
                target_us = event_us
            limit_us = timeline.limit_us()
            if 0 <= target_us <= limit_us:
                timeline.step(target_us)
                if self._polled:
                    self._scan()
            elif timeline.leaping():
                timeline.step(limit_us)
            else:
                self._wait(target_us)
        self._turn_start_us = host.ticks_us()

    def _wait(self, target_us: int) -> None:
        """Wait for time or sockets: nothing may happen before `target_us` (-1: ever)."""
        wait_ms = _LONGEST_WAIT_MS
        if target_us >= 0:
            until_ms = timeline.host_ms_until(target_us)
            if 0 <= until_ms < wait_ms:
                wait_ms = until_ms
        self._collect(wait_ms)
        # What the sockets bring belongs to the moment it comes, not to the one the wait began in.
        limit_us = timeline.limit_us()
        if target_us < 0 or limit_us < target_us:
            timeline.step(limit_us)
        self._serve()

    def _enqueue(self, stream: "Stream", index: int) -> None:
        task = Running.core.cur_task
        raw = getattr(stream, "raw", None)
        if raw is None:
            mask = host.POLLOUT if index else host.POLLIN
            if stream.ioctl(_POLL, mask) & mask:
                Running.core._task_queue.push(task)
                return
        entry = self._waiting.get(id(stream))
        if entry is None:
            entry = [None, None, stream]
            self._waiting[id(stream)] = entry
            if raw is not None:
                self._raws[id(raw)] = entry
                self._poller.register(raw, host.POLLOUT if index else host.POLLIN)
            elif not getattr(stream, "notifies", False):
                self._polled += 1
        else:
            assert entry[index] is None
            if raw is not None:
                self._poller.modify(raw, host.POLLIN | host.POLLOUT)
        entry[index] = task
        task.data = self

    def _settle(self, entry: "Entry") -> None:
        """An entry lost a task: watch for the rest of it only."""
        stream = entry[2]
        raw = getattr(stream, "raw", None)
        if entry[0] is None and entry[1] is None:
            if self._waiting.pop(id(stream), None) is None:
                return
            if raw is not None:
                del self._raws[id(raw)]
                self._poller.unregister(raw)
            elif not getattr(stream, "notifies", False):
                self._polled -= 1
        elif raw is not None:
            self._poller.modify(raw, host.POLLOUT if entry[0] is None else host.POLLIN)

    def _scan(self) -> None:
        """Ask the streams that cannot say themselves when they are ready."""
        for entry in list(self._waiting.values()):
            stream = entry[2]
            if hasattr(stream, "raw") or getattr(stream, "notifies", False):
                continue
            for index, mask in ((0, host.POLLIN), (1, host.POLLOUT)):
                if entry[index] is not None and stream.ioctl(_POLL, mask) & mask:
                    self.wake(stream, index)

    def _poll_if_due(self) -> None:
        if host.ticks_us() - self._last_poll_us >= _POLL_PERIOD_US:
            self._poll(0)

    def _poll(self, timeout_ms: int) -> None:
        self._collect(timeout_ms)
        self._serve()

    def _collect(self, timeout_ms: int) -> None:
        ready = self._ready
        for raw, events in host.poll_ms(self._poller, timeout_ms):
            ready.append((raw, events))
        self._last_poll_us = host.ticks_us()

    def _serve(self) -> None:
        ready = self._ready
        while ready:
            raw, events = ready.pop(0)
            entry = self._raws.get(id(raw))
            if entry is None:
                continue
            if isinstance(entry, tuple):
                entry[1](events)
                continue
            for index, others in ((0, ~host.POLLOUT), (1, ~host.POLLIN)):
                if events & others and entry[index] is not None:
                    self.wake(entry[2], index)


io = IoQueue()


def current_domain() -> str:
    """Return the domain of what runs now."""
    current = None if Running.core is None else Running.core.cur_task
    return Running.domain if current is None else current.domain


def set_domain(name: str) -> None:
    """Set the domain of tasks that are not made by a task, from now on; none runs."""
    Running.core.cur_task = None
    Running.domain = name


def create_task(coro: "Any", name: str) -> "Task":
    """Start a task of the domain `name`."""
    task = Running.core.create_task(coro)
    task.domain = name
    return task


def drop(name: str) -> None:
    """Drop every task of the domain `name`, running or waiting, and close its sockets."""
    Running.core.cur_task = None
    host.bury(name)
    tasks = Running.core._task_queue.tasks
    for index in range(len(tasks) - 1, -1, -1):
        if tasks[index].domain == name:
            tasks.pop(index)
    io.drop(name)
    net.drop(name)


def run() -> None:
    """Run every task until none is left or something leaves the loop; that is raised."""
    try:
        Running.core.run_until_complete()
    finally:
        Running.core.cur_task = None


def _ticks() -> int:
    # The loop's own look at the time is not the firmware's: it lets no time pass.
    return (timeline.processor_us() // 1000) & 0x3FFFFFFF


def install() -> None:
    """Put virtual time and these queues underneath asyncio; later calls change nothing."""
    if Running.core is not None:
        return
    vtime.install()
    net.current_domain = current_domain
    Running.core = host.load_asyncio(TaskQueue, Task, net)
    Running.core._io_queue = io
    Running.core.IOQueue = _same_queue
    Running.core.ticks = _ticks
    import asyncio
    import asyncio.event  # pyright: ignore - the stubs leave it out

    whole: Any = asyncio
    whole.event.ThreadSafeFlag = ThreadSafeFlag
    whole.ThreadSafeFlag = ThreadSafeFlag


def _same_queue() -> IoQueue:
    return io
