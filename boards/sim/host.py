"""What the simulation needs from the interpreter it runs on, MicroPython's unix port or CPython.

This is the one place where the two differ for the simulation: the host's clock, its sockets and
its errors. It must be imported before `vtime` takes the place of the module `time`.
"""

import errno
import os
import select
import socket
import sys
import time

MICROPYTHON = sys.implementation.name == "micropython"

poll = select.poll
POLLIN = select.POLLIN
POLLOUT = select.POLLOUT
_WOULD_BLOCK = (errno.EAGAIN, getattr(errno, "EWOULDBLOCK", errno.EAGAIN))

if MICROPYTHON:
    # MicroPython's unix port counts from 1970 too, the boards from 2000.
    ticks_us = time.ticks_us

    def awaitable(generator):
        """Make a generator function usable with `await`; MicroPython's are."""
        return generator

    def print_exception(error: BaseException) -> None:
        """Print a traceback on the terminal."""
        sys.print_exception(error, sys.stderr)

    def poll_ms(poller, timeout_ms: int):
        """Wait for sockets; a negative time waits for ever. Pairs of socket and events."""
        return poller.ipoll(timeout_ms)

    def make_folder(path: str) -> None:
        """Create a folder and its parents; it may be there. Raises OSError if it cannot be."""
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            part = "/".join(parts[:count])
            if not part:
                continue
            try:
                os.mkdir(part)
            except OSError as error:
                if error.errno != errno.EEXIST:
                    raise
        if not os.stat(path)[0] & 0x4000:
            raise OSError(errno.EEXIST)

    class _Compiled:
        """Stands for MicroPython's compiled module _asyncio."""

    def load_asyncio(task_queue, task, sockets):
        """Import asyncio with these classes underneath; returns the module with the loop."""
        compiled = _Compiled()
        compiled.TaskQueue = task_queue
        compiled.Task = task
        sys.modules["_asyncio"] = compiled
        sys.modules["socket"] = sockets
        import asyncio

        return asyncio.core

    def remember(task) -> None:
        """Take note of a task; MicroPython needs none, its collector runs no code of ours."""

    def bury(domain: str) -> None:
        """Forget the tasks of a domain."""

else:
    import traceback
    import types

    _alive = []
    _buried = []

    def load_asyncio(task_queue, task, sockets):
        """Put MicroPython's asyncio in the place of CPython's; returns it."""
        import upy_asyncio

        for name in ("asyncio", "asyncio.core", "asyncio.event"):
            sys.modules[name] = upy_asyncio
        return upy_asyncio

    def remember(task) -> None:
        """Take note of a task, see `bury`."""
        if len(_alive) > 200:
            _alive[:] = [one for one in _alive if not one.done()]
        _alive.append(task)

    def bury(domain: str) -> None:
        """Keep the coroutines of a domain's tasks for ever.

        CPython would run their `finally` clauses when they are collected, in a meter without power.
        """
        _buried.extend(one.coro for one in _alive if one.domain == domain and not one.done())
        _alive[:] = [one for one in _alive if one.domain != domain]

    awaitable = types.coroutine

    def ticks_us() -> int:
        """Return the host's steadily rising microseconds."""
        return time.monotonic_ns() // 1000

    def print_exception(error: BaseException) -> None:
        """Print a traceback on the terminal."""
        traceback.print_exception(type(error), error, error.__traceback__)

    class poll:  # noqa: N801 - the name MicroPython has
        """MicroPython's poll object: sockets go in and come out, not file numbers."""

        def __init__(self):
            self._poll = select.poll()
            self._sockets = {}

        def register(self, one, events):
            number = one.fileno()
            self._sockets[number] = one
            self._poll.register(number, events)

        def modify(self, one, events):
            self._poll.modify(one.fileno(), events)

        def unregister(self, one):
            for number, known in list(self._sockets.items()):
                if known is one:
                    del self._sockets[number]
                    self._poll.unregister(number)

        def ipoll(self, timeout_ms):
            return [
                (self._sockets[number], events)
                for number, events in self._poll.poll(None if timeout_ms < 0 else timeout_ms)
                if number in self._sockets
            ]

    def poll_ms(poller, timeout_ms: int):
        """Wait for sockets; a negative time waits for ever. Pairs of socket and events."""
        return poller.ipoll(timeout_ms)

    def make_folder(path: str) -> None:
        """Create a folder and its parents; it may be there. Raises OSError if it cannot be."""
        os.makedirs(path, exist_ok=True)


def utc_s() -> int:
    """Return the host's UTC in seconds since 2000-01-01T00:00:00."""
    return int(time.time()) - 946684800


def os_error(number: int) -> OSError:
    """Return an OSError whose `errno` is set on both interpreters."""
    return OSError(number) if MICROPYTHON else OSError(number, os.strerror(number))


def would_block(error: OSError) -> bool:
    """Tell whether a socket only has nothing to give or to take right now."""
    return error.errno in _WOULD_BLOCK


def why_closed(error: OSError) -> str:
    """Return why a socket could not be bound, in words."""
    if error.errno == errno.EADDRINUSE:
        return "is in use"
    if error.errno == errno.EACCES:
        return "may not be opened by this user"
    return "cannot be opened (" + str(error) + ")"


def resolve(host: str, port: int) -> "tuple[int, int, int, object]":
    """Return family, type, protocol and address for a socket. Raises OSError for a bad name."""
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    return found[0], found[1], found[2], found[-1]
