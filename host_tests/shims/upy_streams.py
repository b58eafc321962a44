"""The streams of MicroPython's asyncio on CPython: a part of upy_asyncio, which exports them."""

import types

import host
import net
import upy_asyncio as core


@types.coroutine
def _readable(stream):
    core._io_queue.queue_read(stream)
    yield


@types.coroutine
def _writable(stream):
    core._io_queue.queue_write(stream)
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
            await core.sleep_ms(0)
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
        self.task = core.create_task(self._serve(callback))

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
                core.create_task(callback(stream, stream))
        except core.CancelledError:
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
    await core.sleep_ms(0)
    return server
