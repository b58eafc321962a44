"""The part of boards/sim/host.py that CPython needs: its clock, its poll, its asyncio."""

import os
import select
import sys
import time
import traceback
import types

awaitable = types.coroutine

_alive = []
_buried = []


def ticks_us():
    """Return the host's steadily rising microseconds."""
    return time.monotonic_ns() // 1000


def print_exception(error):
    """Print a traceback on the terminal."""
    traceback.print_exception(type(error), error, error.__traceback__)


class Poll:
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


def make_folder(path):
    """Create a folder and its parents; it may be there. Raises OSError if it cannot be."""
    os.makedirs(path, exist_ok=True)


def open_for_change(path):
    """Open a file that is there for reading and writing, without a buffer of its own."""
    return open(path, "r+b", buffering=0)


def os_error(number):
    """Return an OSError whose `errno` is set: with one argument CPython leaves it out."""
    return OSError(number, os.strerror(number))


def load_asyncio(task_queue, task, sockets):
    """Put MicroPython's asyncio in the place of CPython's; returns it."""
    import upy_asyncio

    for name in ("asyncio", "asyncio.core", "asyncio.event"):
        sys.modules[name] = upy_asyncio
    return upy_asyncio


def remember(task):
    """Take note of a task, see `bury`."""
    if len(_alive) > 200:
        _alive[:] = [one for one in _alive if not one.done()]
    _alive.append(task)


def bury(domain):
    """Keep the coroutines of a domain's tasks for ever.

    CPython would run their `finally` clauses when they are collected, in a meter without power.
    """
    _buried.extend(one.coro for one in _alive if one.domain == domain and not one.done())
    _alive[:] = [one for one in _alive if one.domain != domain]
