"""The HTTP server of the bench: microdot behind a reader that believes nothing.

`start` opens the port. A request is read and checked as a whole, with limits, before microdot
sees it; so garbage, endless lines and slow clients cost a bounded piece of memory and a place,
and nobody else's time. What the calls do stands in `api.py`, the page's files in page/.
"""

import asyncio
import json

from microdot import Microdot, Request, Response
from micropython import const

from faceplate import api, files, origins
from faceplate.bench import NoMeterError

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from faceplate.bench import Bench

    Answer = tuple[str, int, dict[str, str]]

_HEAD_MAX = const(8192)
_BODY_MAX = const(16384)
_CLIENTS_MAX = const(24)
_DRAIN_MAX = const(0x400000)
_READ = const(1024)
_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_JSON = {"Content-Type": "application/json; charset=UTF-8", "Cache-Control": "no-store"}
_REASONS = {
    400: "the request is not HTTP",
    404: "there is no such page or call",
    405: "this call wants another method",
    413: "the request is too long",
    500: "the simulation has failed at this; its terminal says where",
    503: "too many connections",
}


def _answer(value: object, status: int = 200) -> "Answer":
    return json.dumps(value) + "\n", status, dict(_JSON)


def _error(status: int, text: str = "") -> "Answer":
    return _answer({"error": text or _REASONS.get(status, "error")}, status)


class _RefusedError(Exception):
    """A request that microdot shall not see; the argument is the status."""


class _Whole:
    """A request already read, as the stream that microdot reads from."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    async def readline(self) -> bytes:
        """Return the next line."""
        end = self._content.find(b"\n", self._position)
        return self._take(len(self._content) if end < 0 else end + 1)

    async def readexactly(self, n: int) -> bytes:
        """Return the next `n` bytes; all of them have come."""
        return self._take(self._position + n)

    async def read(self, n: int = -1) -> bytes:
        """Return up to `n` bytes, all for -1."""
        return self._take(len(self._content) if n < 0 else self._position + n)

    def _take(self, end: int) -> bytes:
        taken = self._content[self._position : end]
        self._position = min(end, len(self._content))
        return taken


def _body_length(head: bytes) -> int:
    """Check a request's head; return how long its body is. Raises _RefusedError."""
    try:
        lines = head.decode().split("\r\n" if b"\r\n" in head else "\n")
    except UnicodeError:
        raise _RefusedError(400)  # noqa: B904 - no chaining on target
    words = lines[0].split()
    if len(words) != 3 or words[0] not in _METHODS or not words[2].startswith("HTTP/1."):
        raise _RefusedError(400)
    if not words[1].startswith("/"):
        raise _RefusedError(400)
    length = 0
    for line in lines[1:]:
        if not line:
            continue
        if ":" not in line:
            raise _RefusedError(400)
        name, value = line.split(":", 1)
        name = name.strip().lower()
        if name == "transfer-encoding":
            raise _RefusedError(400)
        if name == "content-length":
            value = value.strip()
            if not value or any(c not in "0123456789" for c in value) or len(value) > 9:
                raise _RefusedError(400)
            length = int(value)
    if length > _BODY_MAX:
        raise _RefusedError(413)
    return length


async def _read_some(reader: "asyncio.StreamReader") -> bytes:
    """Return what has come, b"" if nothing more will."""
    try:
        return await reader.read(_READ)
    except OSError:
        return b""


async def _read_request(reader: "asyncio.StreamReader") -> bytes:
    """Read a whole request; b"" if the client says nothing or goes. Raises _RefusedError."""
    content = b""
    while True:
        end = content.find(b"\r\n\r\n")
        end = content.find(b"\n\n") + 2 if end < 0 else end + 4
        if end >= 4:
            break
        if len(content) > _HEAD_MAX:
            raise _RefusedError(413)
        more = await _read_some(reader)
        if not more:
            if content:
                raise _RefusedError(400)
            return b""
        content += more
    if end > _HEAD_MAX:
        raise _RefusedError(413)
    total = end + _body_length(content[:end])
    while len(content) < total:
        more = await _read_some(reader)
        if not more:
            raise _RefusedError(400)
        content += more
    return _without_query(content[:total])


def _without_query(content: bytes) -> bytes:
    """Drop what follows a question mark in the request line: no call has a query."""
    line = content[: content.find(b"\n")]
    start = line.find(b"?")
    if start < 0:
        return content
    return content[:start] + content[line.rfind(b" ") :]


async def _look(bench: "Bench", path: str) -> "Answer":
    """Answer what is asked for by GET."""
    try:
        answer = api.GET[path](bench)
        if not isinstance(answer, dict):
            answer = await answer
        return _answer(answer)
    except NoMeterError as error:
        return _error(503, str(error))


async def _change(bench: "Bench", request: Request) -> "Answer":
    """Do what is asked for by POST, and answer."""
    try:
        answer = api.POST[request.path](bench, api.parse(request.body))
        if not isinstance(answer, dict):
            answer = await answer
        return _answer(answer)
    except NoMeterError as error:
        return _error(503, str(error))
    except ValueError as error:
        return _error(400, str(error))


def make_app(bench: "Bench", folder: str) -> Microdot:
    """Return the web application; `folder` holds the page's files."""
    app = Microdot()

    async def page(request: Request) -> Response:
        return files.send(folder, request)

    def refuse(status: int) -> "Callable[[Request], Answer]":
        return lambda _request: _error(status)

    async def get(request: Request) -> "Answer":
        return await _look(bench, request.path)

    async def post(request: Request) -> "Answer":
        return await _change(bench, request)

    for path in files.paths(folder):
        app.get(path)(page)
    for path in api.GET:
        app.get(path)(get)
    for path in api.POST:
        app.post(path)(post)
    app.before_request(origins.guard)
    app.after_request(origins.lend)
    app.after_error_request(origins.lend)
    for status in (400, 404, 405, 413, 500):
        app.errorhandler(status)(refuse(status))
    return app


async def _drain(reader: "asyncio.StreamReader") -> None:
    """Take what a refused client still sends, within limits: unread, it would cost the answer."""
    left = _DRAIN_MAX
    while left > 0:
        more = await _read_some(reader)
        if not more:
            return
        left -= len(more)


async def _send(response: Response, writer: "asyncio.StreamWriter") -> None:
    """Send an answer to a client that may have gone."""
    try:
        await response.write(writer)
    except OSError:
        return


class Server:
    """The open port."""

    def __init__(self, bench: "Bench", folder: str) -> None:
        self._app = make_app(bench, folder)
        self.clients = 0
        self._silent: list[asyncio.Task[None]] = []  # whose requests have not come, oldest first

    async def start(self, address: str, port: int) -> None:
        """Open the port. net.PortError leaves the loop if it cannot be opened."""
        await asyncio.start_server(self._serve, address, port)

    async def _serve(self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter") -> None:
        self.clients += 1
        try:
            content = await self._request(reader)
            if content:
                request = _Whole(content)
                await self._app.handle_request(
                    request,  # pyright: ignore[reportArgumentType] - it reads lines and bytes
                    writer,
                )
        except _RefusedError as refused:
            response = Response(*_error(refused.args[0]))
            await _send(response, writer)
            await _drain(reader)
        except asyncio.CancelledError:
            return  # its place was needed
        finally:
            self.clients -= 1
            writer.close()
            await writer.wait_closed()

    async def _request(self, reader: "asyncio.StreamReader") -> bytes:
        """Read a request; who is too many takes the place of the one silent for longest."""
        if self.clients > _CLIENTS_MAX:
            if not self._silent:
                raise _RefusedError(503)
            self._silent.pop(0).cancel()
        task = asyncio.current_task()
        assert task is not None, "only tasks serve"
        self._silent.append(task)
        try:
            return await _read_request(reader)
        finally:
            if task in self._silent:
                self._silent.remove(task)
