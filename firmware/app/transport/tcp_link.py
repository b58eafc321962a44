"""COSEM over TCP: a listening socket, several clients at once, each with a channel of its own.

The only file that awaits a socket. Octets go through a `wrapper.WrapperLink`; a client that is
slow, silent, wrong or gone ends its own task only (rows TCP-02, TCP-03).
"""

import asyncio
import sys

from micropython import const

from app import ticks
from app.transport.patient_link import finish
from app.transport.wrapper import WrapperLink

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from asyncio import Server
    from collections.abc import Callable

    from app.port_settings import TcpSettings
    from app.transport.channel import Channel

_READ_SIZE = const(512)
_WRITE_SIZE = const(512)
_TCP = const(6)  # level of socket options
_NODELAY = const(1)


class _Client:
    """A connection and the task that serves it."""

    def __init__(self, link: WrapperLink) -> None:
        self.link = link
        self._task = asyncio.current_task()

    def cancel(self) -> None:
        """End the task, and the connection with it."""
        if self._task is not None:
            self._task.cancel()


class TcpLink:
    """The listening port; `open_channel(max_pdu)` gives each client what it talks to."""

    def __init__(
        self,
        host: str,
        settings: "TcpSettings",
        open_channel: "Callable[[int], Channel]",
        max_pdu: int,
    ) -> None:
        self.octets_in = 0
        self.octets_out = 0
        self._host = host
        self._settings = settings  # what changes in it holds for connections opened from then on
        self._port = 0  # where the link listens
        self._open_channel = open_channel
        self._max_pdu = max_pdu
        self._clients: list[_Client] = []
        self._woken = asyncio.Event()
        settings.on_change = self._woken.set

    @property
    def clients(self) -> int:
        """How many connections are open."""
        return len(self._clients)

    async def run(self) -> None:
        """Listen until cancelled. Raises OSError if the port cannot be had."""
        try:
            while True:
                server = await self._listen()
                try:
                    while self._port == self._settings.port:
                        await self._watch()
                finally:
                    server.close()
                await server.wait_closed()
        finally:
            for client in list(self._clients):
                client.cancel()

    async def _listen(self) -> "Server":
        """Open the port of the settings; the board's own if that one cannot be had."""
        settings = self._settings
        self._port = settings.port
        try:
            return await asyncio.start_server(self._accept, self._host, self._port)
        except OSError:
            if self._port == settings.factory_port:
                raise
        return await asyncio.start_server(self._accept, self._host, settings.factory_port)

    async def _watch(self) -> None:
        """Cancel silent clients, then sleep: the next may be one, one comes, or a port is set."""
        now_ms = ticks.now_ms()
        next_ms = -1
        for client in list(self._clients):
            left_ms = client.link.poll(now_ms)
            if client.link.closed:
                client.cancel()
            elif left_ms >= 0 and (next_ms < 0 or left_ms < next_ms):
                next_ms = left_ms
        self._woken.clear()
        if next_ms < 0:
            await self._woken.wait()
            return
        try:
            await asyncio.wait_for_ms(self._woken.wait(), next_ms)
        except asyncio.TimeoutError:
            return

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        client = None
        try:
            if len(self._clients) < self._settings.clients_max:
                link = WrapperLink(
                    self._open_channel(self._max_pdu),
                    self._max_pdu,
                    ticks.now_ms(),
                    self._settings.inactivity_s,
                )
                client = _Client(link)
                self._clients.append(client)
                self._woken.set()
                # Without it the second part of an answer waits until the first is acknowledged.
                writer.s.setsockopt(_TCP, _NODELAY, 1)  # pyright: ignore[reportAttributeAccessIssue]
                await self._serve(link, reader, writer)
        except asyncio.CancelledError:
            pass  # silent for too long, or the port is given up
        except OSError:
            pass  # the client vanished
        except Exception as error:  # an error of ours must cost one connection, not the port
            sys.print_exception(error)
        finally:
            if client is not None:
                self._clients.remove(client)
                client.link.lost()
            writer.close()
            await writer.wait_closed()

    async def _serve(
        self, link: WrapperLink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        buffer = memoryview(bytearray(_WRITE_SIZE))
        while not link.closed:
            octets = await reader.read(_READ_SIZE)
            if not octets:
                return
            self.octets_in += len(octets)
            view = memoryview(octets)
            while view and not link.closed:
                view = view[link.receive(view, ticks.now_ms()) :]
                length = link.output(buffer)
                if link.working:
                    length = await finish(link, buffer)
                while length:
                    self.octets_out += length
                    writer.write(buffer[:length])
                    await writer.drain()
                    length = link.output(buffer)
