"""What the simulation needs from the interpreter it runs on, MicroPython's unix port or CPython.

This is the one place where the two differ for the simulation: the host's clock, its sockets and
its errors. What CPython needs instead stands in host_tests/shims/host_cpython.py. It must be
imported before `vtime` takes the place of the module `time`.
"""

# ruff: noqa: ANN401 - the host's own objects have no other type

import errno
import os
import select
import socket  # pyright: ignore[reportMissingTypeStubs]
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    RawSocket = Any  # a socket of the host

MICROPYTHON = sys.implementation.name == "micropython"

sockets: "Any" = socket
POLLIN = select.POLLIN
POLLOUT = select.POLLOUT
Poll = select.poll

# Both interpreters' unix ports count from 1970, the boards from 2000.
_EPOCH_2000_S = 946684800
_FOLDER = 0x4000  # in st_mode


def ticks_us() -> int:
    """Return the host's steadily rising microseconds."""
    now: Any = time.ticks_us()
    return now


def awaitable(generator: "Callable[..., Any]") -> "Callable[..., Any]":
    """Make a generator function usable with `await`; MicroPython's are."""
    return generator


def print_exception(error: BaseException) -> None:
    """Print a traceback on the terminal."""
    terminal: Any = sys.stderr
    sys.print_exception(error, terminal)


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
    if not os.stat(path)[0] & _FOLDER:
        raise OSError(errno.EEXIST)


def open_for_change(path: str) -> "Any":
    """Open a file that is there for reading and writing; MicroPython's has no buffer."""
    return open(path, "r+b")  # pyright: ignore[reportUnknownVariableType]


def os_error(number: int) -> OSError:
    """Return an OSError whose `errno` is set."""
    return OSError(number)


class _Compiled:
    """Stands for MicroPython's compiled module _asyncio."""

    def __init__(self, task_queue: type, task: type) -> None:
        self.TaskQueue = task_queue
        self.Task = task


def load_asyncio(task_queue: type, task: type, sockets: "Any") -> "Any":
    """Import asyncio with these classes underneath; returns the module with the loop."""
    modules: Any = sys.modules
    modules["_asyncio"] = _Compiled(task_queue, task)
    modules["socket"] = sockets
    import asyncio

    whole: Any = asyncio
    return whole.core


def remember(task: object) -> None:
    """Take note of a task; MicroPython needs none, its collector runs no code of ours."""


def bury(domain: str) -> None:
    """Forget the tasks of a domain."""


if not MICROPYTHON:
    from host_cpython import *  # noqa: F403 # pyright: ignore


def poll_ms(poller: "Any", timeout_ms: int) -> "Iterable[tuple[RawSocket, int]]":
    """Wait for sockets; a negative time waits for ever. Pairs of socket and events."""
    return poller.ipoll(timeout_ms)


def utc_s() -> int:
    """Return the host's UTC in seconds since 2000-01-01T00:00:00."""
    return int(time.time()) - _EPOCH_2000_S


def would_block(error: OSError) -> bool:
    """Tell whether a socket only has nothing to give or to take right now."""
    return error.errno == errno.EAGAIN


def why_closed(error: OSError) -> str:
    """Return why a socket could not be bound, in words."""
    if error.errno == errno.EADDRINUSE:
        return "is in use"
    if error.errno == errno.EACCES:
        return "may not be opened by this user"
    return "cannot be opened (" + str(error) + ")"


def resolve(name: str, port: int) -> "tuple[int, int, int, Any]":
    """Return family, type, protocol and address for a socket. Raises OSError for a bad name."""
    found = sockets.getaddrinfo(name, port, 0, sockets.SOCK_STREAM)[0]
    return found[0], found[1], found[2], found[-1]
