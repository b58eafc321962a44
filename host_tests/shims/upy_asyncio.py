"""MicroPython's asyncio on CPython, for the virtual meter: the same names, in virtual time.

It runs on the queues of boards/sim/loop.py, which installs it as `asyncio` (and as asyncio.core
and asyncio.event). Only what firmware and microdot use of MicroPython's asyncio is here; CPython's
own asyncio cannot serve, because its loop owns the time.
"""

import sys
import types

import host
import loop
import net
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


@types.coroutine
def _readable(stream):
    _io_queue.queue_read(stream)
    yield


@types.coroutine
def _writable(stream):
    _io_queue.queue_write(stream)
    yield


class Stream:
    """Reads and writes a socket or a UART without blocking."""

    def __init__(self, s, e=None):
        self.s = s
        self.e = e or {}
        self.out_buf = b""

    def get_extra_info(self, name):
        return self.e[name]

    def close(self):
        pass

    async def wait_closed(self):
        self.s.close()

    aclose = wait_closed

    async def read(self, n=-1):
        """Return up to `n` bytes, all up to the end of the stream for -1."""
        whole = b""
        while True:
            await _readable(self.s)
            some = self.s.read(n)
            if some is None:
                continue
            if n >= 0:
                return some
            if not some:
                return whole
            whole += some

    async def readinto(self, buf):
        await _readable(self.s)
        return self.s.readinto(buf)

    async def readexactly(self, n):
        whole = b""
        while len(whole) < n:
            await _readable(self.s)
            some = self.s.read(n - len(whole))
            if some is None:
                continue
            if not some:
                raise EOFError
            whole += some
        return whole

    async def readline(self):
        line = b""
        while True:
            await _readable(self.s)
            some = self.s.readline()
            if some is None:
                continue
            line += some
            if not some or line.endswith(b"\n"):
                return line

    def write(self, buf):
        if not self.out_buf:
            done = self.s.write(buf)
            if done == len(buf):
                return
            buf = buf[done or 0 :]
        self.out_buf += bytes(buf)

    async def drain(self):
        if not self.out_buf:
            await sleep_ms(0)
            return
        while self.out_buf:
            await _writable(self.s)
            self.out_buf = self.out_buf[self.s.write(self.out_buf) or 0 :]

    async def awrite(self, buf, off=0, sz=-1):
        if isinstance(buf, str):
            buf = buf.encode()
        self.write(buf[off:] if sz < 0 else buf[off : off + sz])
        await self.drain()


StreamReader = StreamWriter = Stream


async def open_connection(host_name, port, ssl=None, server_hostname=None):
    """Connect; returns a reader and a writer."""
    family, kind, protocol, address = host.resolve(host_name, port)
    one = net.socket(family, kind, protocol)
    try:
        one.connect(address)
    except BlockingIOError:
        pass
    stream = Stream(one)
    await _writable(one)
    return stream, stream


class Server:
    """A listening socket and the task that accepts."""

    def __init__(self, listener, callback):
        self._listener = listener
        self._closing = False
        self.task = create_task(self._serve(callback))

    def close(self):
        self._closing = True
        self.task.cancel()

    async def wait_closed(self):
        await self.task

    async def _serve(self, callback):
        try:
            while True:
                await _readable(self._listener)
                try:
                    one, address = self._listener.accept()
                except OSError:
                    continue
                stream = Stream(one, {"peername": address})
                create_task(callback(stream, stream))
        except CancelledError:
            if not self._closing:
                raise
        finally:
            self._listener.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, traceback):
        self.close()
        await self.wait_closed()


async def start_server(callback, host_name, port, backlog=5, ssl=None):
    """Accept connections; a task runs `callback(reader, writer)` for each."""
    family, kind, protocol, address = host.resolve(host_name, port)
    listener = net.socket(family, kind, protocol)
    listener.setsockopt(net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(backlog)
    server = Server(listener, callback)
    await sleep_ms(0)
    return server


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
