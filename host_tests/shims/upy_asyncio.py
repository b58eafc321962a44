"""MicroPython's asyncio on CPython, for the virtual meter: the same names, in virtual time.

It runs on the queues of boards/sim/loop.py, which installs it as `asyncio` (and as asyncio.core
and asyncio.event). Only what firmware and microdot use of MicroPython's asyncio is here; CPython's
own asyncio cannot serve, because its loop owns the time.
"""

import sys
import types

import host
import loop
from vtime import ticks_add, ticks_diff

TaskQueue = loop.TaskQueue
Task = loop.Task
ThreadSafeFlag = loop.ThreadSafeFlag

cur_task = None
_task_queue = TaskQueue()
_io_queue = None  # loop.py puts its own in place, and `ticks` too
ticks = None
core = event = sys.modules[__name__]


class CancelledError(BaseException):
    """The task was cancelled."""


class TimeoutError(Exception):  # noqa: A001 - the name MicroPython has
    """It took too long."""


def create_task(coroutine):
    """Start a task."""
    if not hasattr(coroutine, "send"):
        raise TypeError("coroutine expected")
    task = Task(coroutine)
    _task_queue.push(task)
    return task


def current_task():
    """Return the running task."""
    if cur_task is None:
        raise RuntimeError("no running event loop")
    return cur_task


def run_until_complete(main_task=None):
    """Run tasks until `main_task` ends, whose value is returned; or until none is left."""
    global cur_task
    while True:
        wait = 1
        while wait > 0:
            task = _task_queue.peek()
            if task is None and not _io_queue.map:
                cur_task = None
                return None
            wait = -1 if task is None else max(0, ticks_diff(task.ph_key, ticks()))
            _io_queue.wait_io_event(wait)
        task = _task_queue.pop()
        cur_task = task
        thrown = task.data
        try:
            if not thrown:
                task.coro.send(None)
            else:
                task.data = None
                task.coro.throw(thrown)
        except (CancelledError, Exception) as error:
            if task is main_task:
                cur_task = None
                if isinstance(error, StopIteration):
                    return error.value
                raise
            _end(task, error, thrown)


def _end(task, error, thrown):
    """A task has ended with `error`: StopIteration, or what nobody in it caught."""
    if task.state is None:
        # It had ended before, and nobody came for its exception.
        task.data = thrown
        Loop.call_exception_handler({"exception": thrown, "future": task})
        return
    if not task.state:
        return
    awaited = False
    if task.state is True:
        task.state = None
    elif callable(task.state):
        task.state(task, error)
        task.state = False
        awaited = True
    else:
        waiting = task.state
        while waiting.peek():
            _task_queue.push(waiting.pop())
            awaited = True
        task.state = False
    if not awaited and not isinstance(error, (StopIteration, CancelledError)):
        _task_queue.push(task)
    task.data = error


def run(coroutine):
    """Run a coroutine to its end and return its value."""
    return run_until_complete(create_task(coroutine))


@types.coroutine
def sleep_ms(t):
    """Wait for milliseconds."""
    _task_queue.push(cur_task, ticks_add(ticks(), max(0, t)))
    yield


def sleep(t):
    """Wait for seconds."""
    return sleep_ms(int(t * 1000))


class Event:
    """Many tasks may wait until somebody sets it."""

    def __init__(self):
        self.state = False
        self.waiting = TaskQueue()

    def is_set(self):
        return self.state

    def set(self):
        while self.waiting.peek():
            _task_queue.push(self.waiting.pop())
        self.state = True

    def clear(self):
        self.state = False

    @types.coroutine
    def wait(self):
        if not self.state:
            self.waiting.push(cur_task)
            cur_task.data = self.waiting
            yield
        return True


class Lock:
    """One task at a time; the others come in turn."""

    def __init__(self):
        self.owner = None  # None, or the task that holds it or was given it
        self.waiting = TaskQueue()

    def locked(self):
        return self.owner is not None

    def release(self):
        if self.owner is None:
            raise RuntimeError("Lock not acquired")
        self.owner = None
        if self.waiting.peek():
            self.owner = self.waiting.pop()
            _task_queue.push(self.owner)

    @types.coroutine
    def acquire(self):
        if self.owner is not None:
            self.waiting.push(cur_task)
            cur_task.data = self.waiting
            try:
                yield
            except CancelledError:
                if self.owner is cur_task:
                    self.release()
                raise
        self.owner = cur_task
        return True

    async def __aenter__(self):
        await self.acquire()

    async def __aexit__(self, kind, error, traceback):
        self.release()


def _as_task(awaitable):
    return awaitable if isinstance(awaitable, Task) else create_task(awaitable)


async def wait_for_ms(awaitable, timeout):
    """Await it; after `timeout` milliseconds cancel it and raise TimeoutError."""
    import timeline

    task = _as_task(awaitable)
    if timeout is None:
        return await task
    expired = []

    def expire():
        expired.append(task.cancel())

    alarm = timeline.after(timeout * 1000, expire)
    try:
        return await task
    except CancelledError:
        if expired:
            raise TimeoutError from None
        raise
    finally:
        timeline.cancel(alarm)


def wait_for(awaitable, timeout):
    """Await it; after `timeout` seconds cancel it and raise TimeoutError."""
    return wait_for_ms(awaitable, None if timeout is None else int(timeout * 1000))


async def gather(*awaitables, return_exceptions=False):
    """Run all at once and return their values in order, or raise the first exception."""
    tasks = [_as_task(one) for one in awaitables]
    ended = Event()
    left = sum(1 for task in tasks if not task.done())
    failed = []

    def count(task, error):
        nonlocal left
        left -= 1
        if not isinstance(error, StopIteration):
            failed.append(error)
        if not left or (failed and not return_exceptions):
            ended.set()

    for task in tasks:
        if task.state is True:
            task.state = count
        elif not task.done():
            raise RuntimeError("can't gather")
    if left:
        try:
            await ended.wait()
        except CancelledError:
            for task in tasks:
                task.cancel()
            raise
    if failed and not return_exceptions:
        raise failed[0]
    return [
        task.data.value if isinstance(task.data, StopIteration) else task.data for task in tasks
    ]


class Loop:
    """The one event loop."""

    _handler = None

    @staticmethod
    def create_task(coroutine):
        return create_task(coroutine)

    @staticmethod
    def run_forever():
        run_until_complete()

    @staticmethod
    def run_until_complete(awaitable):
        return run_until_complete(_as_task(awaitable))

    @staticmethod
    async def run_in_executor(executor, function, *arguments):
        """Call it at once: there are no threads on the meter."""
        return function(*arguments)

    @staticmethod
    def set_exception_handler(handler):
        Loop._handler = handler

    @staticmethod
    def get_exception_handler():
        return Loop._handler

    @staticmethod
    def default_exception_handler(loop_, context):
        print("Task exception wasn't retrieved", file=sys.stderr)
        print("future:", context["future"], "coro=", context["future"].coro, file=sys.stderr)
        host.print_exception(context["exception"])

    @staticmethod
    def call_exception_handler(context):
        (Loop._handler or Loop.default_exception_handler)(Loop, context)


def get_event_loop():
    """Return the loop."""
    return Loop


get_running_loop = new_event_loop = get_event_loop

# The streams stand in a file of their own and need the names above.
from upy_streams import (
    Server,
    Stream,
    StreamReader,
    StreamWriter,
    open_connection,
    start_server,
)

__all__ = [
    "Server",
    "Stream",
    "StreamReader",
    "StreamWriter",
    "open_connection",
    "start_server",
]
