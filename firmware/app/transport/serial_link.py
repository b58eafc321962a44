"""Moves octets between a UART and its HDLC link, and ends links that fell silent.

The only file that awaits a serial port. Back-pressure: nothing is read while an answer leaves.
"""

import asyncio

from micropython import const

from app import ticks
from app.transport.patient_link import finish

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.port_settings import HdlcSettings
    from app.transport.hdlc import HdlcLink
    from hal import Serial

_READ_SIZE = const(256)
_SENDING_MS = const(1)  # pause between two looks whether the last octet has left
_HUNG_UP_MS = const(10)  # pause after a read that gave nothing, so that a dead port costs little


class SerialLink:
    """One serial port, served for ever by `run`."""

    def __init__(self, port: "Serial", link: "HdlcLink", settings: "HdlcSettings") -> None:
        self.link = link
        self._port = port
        self._settings = settings
        self._baud_rate = 0  # as the port stands
        self.octets_in = 0
        self.octets_out = 0
        self._reader = asyncio.StreamReader(port)
        self._writer = asyncio.StreamWriter(port, {})
        self._buffer = memoryview(bytearray(link.frame_max))
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Serve the port until cancelled; the link is lost then."""
        await self._set_speed()
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                octets = await self._reader.read(_READ_SIZE)
                if octets:
                    await self._serve(octets)
                else:
                    await asyncio.sleep_ms(_HUNG_UP_MS)
        finally:
            watch.cancel()
            self.link.lost()

    async def _serve(self, octets: bytes) -> None:
        link = self.link
        self.octets_in += len(octets)
        view = memoryview(octets)
        while view:
            taken = link.receive(view, ticks.now_ms())
            view = view[taken:]
            length = link.output(self._buffer)
            while length or link.working:
                if link.working:
                    length = await finish(link, self._buffer)
                    continue
                self.octets_out += length
                self._writer.write(self._buffer[:length])
                await self._writer.drain()
                length = link.output(self._buffer)
        if link.connected:
            self._woken.set()
        else:
            await self._set_speed()

    async def _set_speed(self) -> None:
        """Bring the port to the speed of the set-up object; never while a link is open."""
        baud_rate = self._settings.baud_rate()
        if baud_rate == self._baud_rate:
            return
        while not self._port.txdone():
            await asyncio.sleep_ms(_SENDING_MS)
        self._baud_rate = baud_rate
        self._port.init(baudrate=baud_rate, bits=8, parity=None, stop=1)

    async def _watch(self) -> None:
        """Sleep until the link's time-out, and without a link until there is one."""
        while True:
            wait_ms = self.link.poll(ticks.now_ms())
            if wait_ms < 0:
                await self._set_speed()
                self._woken.clear()
                await self._woken.wait()
            else:
                await asyncio.sleep_ms(wait_ms)
