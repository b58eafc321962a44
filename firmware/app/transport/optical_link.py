"""Moves octets between the optical head's UART, its IEC 62056-21 session and its HDLC link.

Between sessions both listen, and whoever understands answers: a sign-on, or HDLC directly. Once
one of them has the line, the other hears nothing until it is free again. The UART gets the rate
and format that the session asks for when everything said before has left.
"""

import asyncio

from micropython import const

from app import ticks
from app.transport.patient_link import finish

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.transport.hdlc import HdlcLink
    from app.transport.iec62056_21 import Session
    from hal import Serial

_READ_SIZE = const(256)
_HUNG_UP_MS = const(10)  # pause after a read that gave nothing, so that a dead port costs little
_SENDING_MS = const(1)  # pause between two looks whether the last octet has left


class OpticalLink:
    """The optical head, served for ever by `run`."""

    def __init__(self, port: "Serial", session: "Session", link: "HdlcLink") -> None:
        self.session = session
        self.link = link
        self.octets_in = 0
        self.octets_out = 0
        self._port = port
        self._line: tuple[int, int, int | None] = (0, 0, None)  # as the port stands
        self._reader = asyncio.StreamReader(port)
        self._writer = asyncio.StreamWriter(port, {})
        self._buffer = memoryview(bytearray(link.frame_max))
        self._woken = asyncio.Event()
        self._turn = asyncio.Lock()  # the line belongs to one task at a time

    async def run(self) -> None:
        """Serve the port until cancelled; session and link are lost then."""
        await self._set_line()
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                octets = await self._reader.read(_READ_SIZE)
                if octets:
                    async with self._turn:
                        await self._serve(octets)
                    self._woken.set()
                else:
                    await asyncio.sleep_ms(_HUNG_UP_MS)
        finally:
            watch.cancel()
            self.link.lost()
            self.session.lost()

    async def _serve(self, octets: bytes) -> None:
        self.octets_in += len(octets)
        view = memoryview(octets)
        while view:
            taken = len(view)
            if self.link.connected or self.session.hdlc:
                await self._serve_link(view)
            else:
                taken = self.session.receive(view, ticks.now_ms())
                if self.session.idle:
                    await self._serve_link(view[:taken])
            await self._speak()
            view = view[taken:]

    async def _serve_link(self, view: memoryview) -> None:
        """Give octets to the HDLC link, send its answers; mode E ends with the link."""
        link = self.link
        was_connected = link.connected
        while view:
            view = view[link.receive(view, ticks.now_ms()) :]
            length = link.output(self._buffer)
            while length or link.working:
                if link.working:
                    length = await finish(link, self._buffer)
                    continue
                self.session.hdlc_heard(ticks.now_ms())
                await self._send(length)
                length = link.output(self._buffer)
        if was_connected and not link.connected and self.session.hdlc:
            self.session.hdlc_ended()

    async def _speak(self) -> None:
        """Send what the session has to say, in its time, and set the port as it wants it."""
        session = self.session
        wait_ms = session.wait_ms(ticks.now_ms())
        while wait_ms >= 0:
            if wait_ms:
                await asyncio.sleep_ms(wait_ms)
            if session.changes_first:
                await self._set_line()
            length = session.output(self._buffer, ticks.now_ms())
            if length:
                await self._send(length)
            wait_ms = session.wait_ms(ticks.now_ms())
        await self._set_line()

    async def _send(self, length: int) -> None:
        self.octets_out += length
        self._writer.write(self._buffer[:length])
        await self._writer.drain()

    async def _set_line(self) -> None:
        """Bring the port to the session's rate and format once all that was sent has left."""
        line = self.session.line()
        if line == self._line:
            return
        while not self._port.txdone():
            await asyncio.sleep_ms(_SENDING_MS)
        self._line = line
        self._port.init(baudrate=line[0], bits=line[1], parity=line[2], stop=1)

    async def _watch(self) -> None:
        """Sleep until the next time-out, and without any until something happens."""
        while True:
            async with self._turn:
                wait_ms = self._time_out()
                await self._speak()
            self._woken.clear()
            if wait_ms < 0:
                await self._woken.wait()
                continue
            try:
                await asyncio.wait_for_ms(self._woken.wait(), wait_ms)
            except asyncio.TimeoutError:
                continue

    def _time_out(self) -> int:
        """Let time-outs pass that are due; return the ms until the next, -1 if there is none."""
        now_ms = ticks.now_ms()
        if self.link.connected:
            wait_ms = self.link.poll(now_ms)
            if not self.link.connected and self.session.hdlc:
                self.session.hdlc_ended()
            return wait_ms if self.link.connected else 0
        return self.session.poll(now_ms)
