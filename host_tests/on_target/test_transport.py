"""Links and their tasks on MicroPython: several clients on real sockets, a serial port, silence.

The channel echoes in small letters; the serial port is one end of a socket pair on this machine.
"""
# row: HDL-05 HDL-06 TCP-01 TCP-02 TCP-03

import asyncio
import gc
import io
import select
import socket

from checks import check, report, soon
from host_ports import free_ports

from app import port_settings, ticks
from app.transport import hdlc, hdlc_frame, hdlc_parameters, serial_link, tcp_link, wrapper

_PORT = free_ports(3)
_LINE = _PORT + 1
_ELSEWHERE = _PORT + 2
_HOST = "127.0.0.1"


class Clock:
    """The links' time; it passes when the test says so, however busy the machine."""

    ms = 0


ticks.now_ms = lambda: Clock.ms


class EchoChannel:
    opened = 0
    lost_count = 0

    def __init__(self, max_pdu=0):
        self.answer = None
        EchoChannel.opened += 1

    def request(self, client_sap, server_sap, apdu, reply, now_ms):
        if bytes(apdu) == b"RAISE":
            raise ValueError("asked for")
        answer = bytes(apdu).lower() if self.answer is None else self.answer
        if bytes(apdu[:4]) == b"LONG":
            answer = bytes(1000)
        reply[: len(answer)] = answer
        return len(answer)

    def more(self, reply):
        return 0

    def lost(self):
        EchoChannel.lost_count += 1


def wrap(apdu, version=1):
    return bytes([0, version, 0, 16, 0, 1, len(apdu) >> 8, len(apdu) & 0xFF]) + apdu


def wrapped(apdu):
    return bytes([0, 1, 0, 1, 0, 16, len(apdu) >> 8, len(apdu) & 0xFF]) + apdu


async def connect(port=_PORT):
    return await asyncio.open_connection(_HOST, port)


async def ask(stream, octets, length):
    reader, writer = stream
    writer.write(octets)
    await writer.drain()
    return await asyncio.wait_for(reader.readexactly(length), 30)


async def close(stream):
    stream[1].close()
    await stream[1].wait_closed()


async def closed(stream):
    """Tell whether the server ends the connection."""
    try:
        return await asyncio.wait_for(stream[0].read(1), 30) == b""
    except OSError:
        return True


async def test_tcp():
    EchoChannel.opened = EchoChannel.lost_count = 0
    settings = port_settings.TcpSettings(_PORT)
    settings.set("clients_max", 3)
    link = tcp_link.TcpLink(_HOST, settings, EchoChannel, 1024)
    task = asyncio.create_task(link.run())
    await asyncio.sleep_ms(20)

    streams = []
    for _ in range(3):
        streams.append(await connect())
    for count, stream in enumerate(streams):
        apdu = b"GET%d" % count
        check("several clients", await ask(stream, wrap(apdu), 12) == wrapped(apdu.lower()))
    check("three clients", link.clients == 3)
    fourth = await connect()
    check("one too many is closed", await closed(fourth))
    check("others go on", await ask(streams[0], wrap(b"STILL"), 13) == wrapped(b"still"))

    two = await ask(streams[1], wrap(b"A") + wrap(b"BC"), 19)
    check("two in one segment", two == wrapped(b"a") + wrapped(b"bc"))
    parts = wrap(b"SPLIT")
    for at in range(len(parts) - 1):
        streams[1][1].write(parts[at : at + 1])
        await streams[1][1].drain()
    check("single octets", await ask(streams[1], parts[-1:], 13) == wrapped(b"split"))

    streams[2][1].write(wrap(b"BAD", 2))
    await streams[2][1].drain()
    check("wrong version closes", await closed(streams[2]))
    streams[0][1].write(wrap(b"GET")[:9])
    await streams[0][1].drain()
    await close(streams[0])
    check("vanished clients are forgotten", await soon(lambda: link.clients == 1))

    dead = await connect()
    dead[1].write(wrap(b"RAISE"))
    await dead[1].drain()
    check("an error ends its own connection", await closed(dead))

    await close(streams[1])
    check("all gone", await soon(lambda: link.clients == 0))
    check("every channel is told", EchoChannel.opened == EchoChannel.lost_count)
    task.cancel()
    await asyncio.sleep_ms(20)


async def test_greedy_and_silent():
    settings = port_settings.TcpSettings(_PORT)
    settings.set("clients_max", 3)
    link = tcp_link.TcpLink(_HOST, settings, EchoChannel, 1024)
    task = asyncio.create_task(link.run())
    await asyncio.sleep_ms(20)
    other = await connect()
    # A client that asks and never reads holds up nobody.
    greedy = await connect()
    for _ in range(40):
        greedy[1].s.setblocking(False)
        try:
            greedy[1].s.write(wrap(b"LONG" + bytes(900)) * 20)
        except OSError:
            break
        await asyncio.sleep_ms(1)
    check("a greedy client", await ask(other, wrap(b"STILL"), 13) == wrapped(b"still"))
    await close(greedy)
    await close(other)
    check("greedy is gone", await soon(lambda: link.clients == 0))

    settings.set("inactivity_s", 1)
    idle = await connect()
    for _ in range(2):  # activity counts
        check("not idle yet", await ask(idle, wrap(b"GET"), 11) == wrapped(b"get"))
        Clock.ms += 999
        await close(await connect())  # whoever comes has the link look at its clients
    check("in time", link.clients == 1 and await soon(lambda: link.clients == 1))
    Clock.ms += 1
    check("idle is closed", await closed(idle))
    check("idle is forgotten", await soon(lambda: link.clients == 0))
    settings.set("inactivity_s", 180)

    mover = await connect()
    settings.set_port(_ELSEWHERE)
    check("the link stays to its end", await ask(mover, wrap(b"GET"), 11) == wrapped(b"get"))
    await close(mover)
    check("it has ended", await soon(lambda: link.clients == 0))
    await asyncio.sleep_ms(20)
    moved = await connect(_ELSEWHERE)
    check("listens at another port", await ask(moved, wrap(b"GET"), 11) == wrapped(b"get"))
    check("the old port is closed", await closed(await connect()))
    settings.set_port(_PORT)
    await close(moved)
    await asyncio.sleep_ms(50)

    task.cancel()
    await asyncio.sleep_ms(20)
    again = asyncio.create_task(link.run())
    await asyncio.sleep_ms(20)
    stream = await connect()
    check("listens again", await ask(stream, wrap(b"NEW"), 11) == wrapped(b"new"))
    again.cancel()
    check("given up with the port", await closed(stream))


def command(control, info=b""):
    head = bytes([0xA0, 8 if not info else 10 + len(info), 0x02, 0x23, 0x21, control])
    view = memoryview(bytearray(300))
    end = len(head)
    view[1 : 1 + end] = head
    if info:
        hdlc_frame.put_crc16(view, 1, end + 1)
        view[end + 3 : end + 3 + len(info)] = info
        end += 2 + len(info)
    hdlc_frame.put_crc16(view, 1, end + 1)
    view[0] = view[end + 3] = 0x7E
    return bytes(view[: end + 4])


class Port(io.IOBase):
    """A socket that can do what links ask of a UART."""

    settings = []

    def __init__(self, raw):
        self.raw = raw
        self.poll = select.poll()
        self.poll.register(raw, select.POLLIN | select.POLLOUT)

    def init(self, baudrate, bits, parity, stop):
        Port.settings.append((baudrate, bits, parity, stop))

    def txdone(self):
        return True

    def ioctl(self, request, argument):
        return self.poll.poll(0)[0][1] & argument if request == 3 else -1

    def read(self, count):
        return self.raw.read(count)

    def write(self, data):
        return self.raw.write(data)


async def test_serial():
    """The line is a TCP connection; the link end behaves as a UART's stream does."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(socket.getaddrinfo(_HOST, _LINE)[0][-1])
    listener.listen(1)
    reader, writer = await connect(_LINE)
    port = listener.accept()[0]
    port.setblocking(False)
    settings = hdlc_parameters.HdlcSettings()
    settings.inactivity_s = 1
    channel = EchoChannel()
    lost = EchoChannel.lost_count
    link = serial_link.SerialLink(Port(port), hdlc.HdlcLink(channel, settings, 1024), settings)
    task = asyncio.create_task(link.run())
    writer.write(b"noise~~\x00" + command(0x93))
    await writer.drain()
    ua = await asyncio.wait_for(reader.read(100), 30)
    check("UA", ua[7] == 0x73 or ua[6] == 0x73)
    check("connected", link.link.connected)
    writer.write(command(0x10, b"\xe6\xe6\x00GET"))
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(100), 30)
    check("information", answer[-9:-3] == b"\xe6\xe7\x00get")
    channel.answer = bytes(700)
    writer.write(command(0x32, b"\xe6\xe6\x00GET"))
    await writer.drain()
    got = 0
    number = 1
    while got < 703:
        answer = await asyncio.wait_for(reader.read(200), 30)
        got += len(answer) - 12
        number += 1
        if got < 703:
            writer.write(command((number & 7) << 5 | 0x11))
            await writer.drain()
    check("segments", got == 703)
    check("octets are counted", link.octets_in > 0 and link.octets_out > 700)
    Clock.ms += 999
    await asyncio.sleep_ms(20)
    check("a link lasts", link.link.connected)
    Clock.ms += 1
    check("silence ends it without any octet", await soon(lambda: not link.link.connected))
    check("speed", Port.settings == [(9600, 8, None, 1)])
    settings.set("speed", 7)
    writer.write(command(0x53))
    await writer.drain()
    await asyncio.wait_for(reader.read(100), 30)
    changed = await soon(lambda: len(Port.settings) > 1)
    check("speed changes without a link", changed and Port.settings[1:] == [(38400, 8, None, 1)])
    check("and the association", EchoChannel.lost_count == lost + 1)
    task.cancel()
    await asyncio.sleep_ms(10)
    writer.close()
    await writer.wait_closed()
    port.close()
    listener.close()


def test_no_growth():
    """Frames and APDUs leave nothing behind: the heap does not grow over many exchanges."""
    link = hdlc.HdlcLink(EchoChannel(), hdlc_parameters.HdlcSettings(), 1024)
    wrapped_link = wrapper.WrapperLink(EchoChannel(), 1024, 0)
    buffer = memoryview(bytearray(link.frame_max))
    snrm = command(0x93)
    frames = [command(n << 5 | 0x10 | n << 1, b"\xe6\xe6\x00GET") for n in range(8)]
    apdu = wrap(b"GET")
    gc.collect()
    before = 0
    for turn in range(50):
        link.receive(snrm, 0)
        while link.output(buffer):
            pass
        for frame in frames:
            link.receive(frame, 0)
            check("an answer", link.output(buffer) > 0)
            wrapped_link.receive(apdu, 0)
            check("an answer", wrapped_link.output(buffer) == 11)
        gc.collect()
        if turn == 10:
            before = gc.mem_alloc()
    check("the heap grew", gc.mem_alloc() <= before + 64)


async def main():
    test_no_growth()
    await test_serial()
    await test_tcp()
    await test_greedy_and_silent()


asyncio.run(main())
report()
