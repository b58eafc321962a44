"""asyncio in virtual time: the queues underneath MicroPython's own event loop.

`install` runs before anything imports asyncio. MicroPython's asyncio then finds our TaskQueue and
Task where its compiled ones would be, and waits in our IoQueue, which moves virtual time, lets
events happen and serves the host's sockets. Every task belongs to a domain, "meter" or "bench",
which it inherits from the task that made it; a reset of the meter drops the tasks of one domain.
"""

import host
import net
import timeline
import vtime

METER = "meter"
BENCH = "bench"

_POLL_PERIOD_US = 1000  # sockets are looked at no more often than this while there is work
_TURNS = 16  # tasks or events between two looks at the host's clock
_SPIN_TURNS = 4000  # turns of tasks in one instant: somebody waits by sleep_ms(0)
_LONGEST_WAIT_MS = 1000
_POLL = 3  # MicroPython's MP_STREAM_POLL

domain = BENCH  # of tasks that are not made by a task
core = None  # the module that holds cur_task and _task_queue: asyncio.core


class TaskQueue:
    """Tasks in the order of their time, and of their coming where that is the same."""

    def __init__(self) -> None:
        self.tasks = []

    def peek(self):
        """Return the first task, None if there is none."""
        return self.tasks[0] if self.tasks else None

    def push(self, task, key=None) -> None:
        """Let `task` run at the tick `key` in milliseconds, by default now."""
        task.data = None
        due_us = timeline.now_us
        ticks = (due_us // 1000) & 0x3FFFFFFF
        if key is None:
            task.ph_key = ticks
        else:
            task.ph_key = key
            ahead = ((key - ticks + 0x20000000) & 0x3FFFFFFF) - 0x20000000
            if ahead > 0:
                due_us += ahead * 1000 - due_us % 1000
        task.due_us = due_us
        # A list kept in order allocates nothing; what is ready is at the front.
        tasks = self.tasks
        index = 0
        for other in tasks:
            if other.due_us > due_us:
                break
            index += 1
        tasks.insert(index, task)

    def pop(self):
        """Take the first task."""
        return self.tasks.pop(0)

    def remove(self, task) -> None:
        """Take `task` out."""
        self.tasks.remove(task)


class Task:
    """A coroutine under way, as asyncio.core knows it, with its domain."""

    def __init__(self, coro, globals=None) -> None:  # noqa: A002 - the name MicroPython has
        self.coro = coro
        self.data = None  # the queue it waits on; once done, what it returned or raised
        self.state = True  # running; None: done; False: done and awaited; a queue: awaited
        self.ph_key = 0
        self.due_us = 0
        current = core.cur_task
        self.domain = domain if current is None else current.domain
        host.remember(self)

    def __await__(self):
        return iter(self)

    def __iter__(self):
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = TaskQueue()
        elif type(self.state) is not TaskQueue:
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if not self.state:
            if self.data is None:
                raise StopIteration
            raise self.data
        current = core.cur_task
        self.state.push(current)
        current.data = self

    def done(self) -> bool:
        """Tell whether the task has ended."""
        return not self.state

    def remove(self, task) -> None:
        """Forget a task that waited for this one: it was cancelled."""
        self.state.remove(task)

    def cancel(self) -> bool:
        """Raise CancelledError inside the task; False if it has ended."""
        if not self.state:
            return False
        if self is core.cur_task:
            raise RuntimeError("can't cancel self")
        while isinstance(self.data, Task):
            self = self.data
        if hasattr(self.data, "remove"):
            self.data.remove(self)
            core._task_queue.push(self)
        elif self.due_us > timeline.now_us:
            core._task_queue.remove(self)
            core._task_queue.push(self)
        self.data = core.CancelledError
        return True


class ThreadSafeFlag:
    """asyncio's flag for interrupt handlers; it wakes its task without being polled."""

    notifies = True

    def __init__(self) -> None:
        self.state = 0
        self._waiting = None

    def ioctl(self, request: int, argument: int) -> int:
        """Answer a poll as the original does."""
        return self.state * argument if request == _POLL else -1

    def set(self) -> None:
        """Wake the waiting task; may be called from anywhere."""
        self.state = 1
        task = self._waiting
        if task is not None:
            self._waiting = None
            core._task_queue.push(task)

    def clear(self) -> None:
        """Forget that it was set."""
        self.state = 0

    def remove(self, task) -> None:
        """Forget the task that waits: it was cancelled."""
        if self._waiting is task:
            self._waiting = None

    @host.awaitable
    def wait(self):
        """Return when the flag is set, and clear it."""
        if not self.state:
            self._waiting = core.cur_task
            core.cur_task.data = self
            yield
        self.state = 0


class IoQueue:
    """Where the loop waits: for virtual time, for the board's streams, for the host's sockets."""

    def __init__(self) -> None:
        self._waiting = {}  # id(stream): [reading task, writing task, stream]
        self._raws = {}  # id(host socket): the same entry, or (host socket, callback)
        self._polled = 0  # streams in _waiting that cannot say when they are ready
        self._poller = host.Poll()
        self._ready = []
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

    def queue_read(self, stream) -> None:
        """Let the running task wait until `stream` can be read."""
        self._enqueue(stream, 0)

    def queue_write(self, stream) -> None:
        """Let the running task wait until `stream` can be written."""
        self._enqueue(stream, 1)

    def wake(self, stream, index: int) -> None:
        """`stream` can be read (0) or written (1): let the task go on that waits for it."""
        entry = self._waiting.get(id(stream))
        if entry is not None and entry[index] is not None:
            task = entry[index]
            entry[index] = None
            self._settle(entry)
            core._task_queue.push(task)

    def remove(self, task) -> None:
        """Forget what `task` waits for: it was cancelled."""
        for entry in list(self._waiting.values()):
            if entry[0] is task or entry[1] is task:
                if entry[0] is task:
                    entry[0] = None
                if entry[1] is task:
                    entry[1] = None
                self._settle(entry)

    def watch(self, raw, events: int, callback) -> None:
        """Call `callback(events)` whenever the host's socket is ready, until `unwatch`."""
        self._raws[id(raw)] = (raw, callback)
        self._poller.register(raw, events)

    def rewatch(self, raw, events: int) -> None:
        """Change the events that a watched socket is watched for."""
        self._poller.modify(raw, events)

    def unwatch(self, raw) -> None:
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
        core.cur_task = None
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
        tasks = core._task_queue.tasks
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
        """Nothing may happen before `target_us` (-1: ever): wait for the host's time or sockets."""
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

    def _enqueue(self, stream, index: int) -> None:
        task = core.cur_task
        raw = getattr(stream, "raw", None)
        if raw is None:
            mask = host.POLLOUT if index else host.POLLIN
            if stream.ioctl(_POLL, mask) & mask:
                core._task_queue.push(task)
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

    def _settle(self, entry) -> None:
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
            if len(entry) == 2:
                entry[1](events)
                continue
            for index, others in ((0, ~host.POLLOUT), (1, ~host.POLLIN)):
                if events & others and entry[index] is not None:
                    self.wake(entry[2], index)


io = IoQueue()


def current_domain() -> str:
    """Return the domain of what runs now."""
    current = None if core is None else core.cur_task
    return domain if current is None else current.domain


def create_task(coro, name: str):
    """Start a task of the domain `name`."""
    task = core.create_task(coro)
    task.domain = name
    return task


def drop(name: str) -> None:
    """Drop every task of the domain `name`, running or waiting, and close its sockets."""
    core.cur_task = None
    host.bury(name)
    tasks = core._task_queue.tasks
    for index in range(len(tasks) - 1, -1, -1):
        if tasks[index].domain == name:
            tasks.pop(index)
    io.drop(name)
    net.drop(name)


def run() -> None:
    """Run every task until none is left or something leaves the loop; that is raised."""
    try:
        core.run_until_complete()
    finally:
        core.cur_task = None


def _ticks() -> int:
    # The loop's own look at the time is not the firmware's: it lets no time pass.
    return (timeline.now_us // 1000) & 0x3FFFFFFF


def install() -> None:
    """Put virtual time and these queues underneath asyncio; later calls change nothing."""
    global core
    if core is not None:
        return
    vtime.install()
    net.io = io
    net.current_domain = current_domain
    core = host.load_asyncio(TaskQueue, Task, net)
    core._io_queue = io
    core.IOQueue = _same_queue
    core.ticks = _ticks
    import asyncio
    import asyncio.event

    asyncio.event.ThreadSafeFlag = ThreadSafeFlag
    asyncio.ThreadSafeFlag = ThreadSafeFlag


def _same_queue():
    return io
