"""The simulated serial ports: TCP clients on the wire of a UART that firmware opens."""

# ruff: noqa: I001 - what is imported later depends on it

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, raises, report, soon
from host_ports import free_ports
from sim_checks import Stop, fresh, run  # puts virtual time in place

import asyncio

import loop
import machine
import net
import ports
import power
import processor
import timeline
import toy_state
import wiring
from machine import UART

_ADDRESS = "127.0.0.1"
_PORT = free_ports(1)


def wire():
    fresh()
    timeline.set_rate(1)
    port = ports.SerialPort(_ADDRESS, _PORT)
    wiring.uart(1, port)
    return port


def test_echo_to_two_clients():
    port = wire()

    def scenario():
        uart = UART(1, 300, bits=7, parity=0, stop=1)

        async def echo():
            reader = asyncio.StreamReader(uart)
            writer = asyncio.StreamWriter(uart)
            while True:
                data = await reader.read(100)
                writer.write(data)
                await writer.drain()

        asyncio.create_task(echo())

    toy_state.scenario = scenario
    supply = power.Supply()
    cpu = processor.Processor(supply)

    async def bench():
        await timeline.advance(0)
        check("open", port.is_open())
        first_in, first_out = await asyncio.open_connection(_ADDRESS, _PORT)
        second_in, second_out = await asyncio.open_connection(_ADDRESS, _PORT)
        check("both are on the wire", await soon(lambda: len(port.clients) == 2))
        first_out.write(b"hello")
        await first_out.drain()
        check("the sender hears it", await first_in.readexactly(5) == b"hello")
        check("so does the other", await second_in.readexactly(5) == b"hello")
        second_out.write(b"again\x00\xff")
        await second_out.drain()
        check("the other way", await first_in.readexactly(7) == b"again\x00\xff")
        state = port.state()
        check("rate and format", (state["baud"], state["format"]) == (300, "7E1"), state)
        check("counts", (state["bytes_in"], state["bytes_out"]) == (12, 12), state)
        check("nothing lost", state["overruns"] == 0 and state["clients"] == 2)

        supply.off(0)
        await timeline.advance(0.1)
        first_out.write(b"nobody")
        await first_out.drain()
        check("bytes without power", await soon(lambda: port.bytes_in == 18), port.bytes_in)
        supply.on()
        await timeline.advance(0.1)
        check("the wire outlives a power cut", len(port.clients) == 2)
        await second_in.readexactly(7)
        first_out.write(b"back")
        await first_out.drain()
        check("heard again, the old bytes not", await second_in.readexactly(4) == b"back")

        first_in.close()
        await first_in.wait_closed()
        check("one client goes", await soon(lambda: len(port.clients) == 1))
        second_out.write(b"alone")
        await second_out.drain()
        check("the other stays", await second_in.readexactly(5) == b"alone")
        second_in.close()
        await second_in.wait_closed()
        timeline.interrupt(Stop())

    loop.create_task(bench(), loop.BENCH)
    try:
        cpu.run()
    except Stop:
        cpu.stop()
    port.close()


def test_uart_methods():
    port = wire()
    uart = UART(1, baudrate=9600)
    check("nothing there", uart.any() == 0 and uart.read() is None and uart.readline() is None)
    heard = []
    uart.irq(lambda u: heard.append(u.any()), UART.IRQ_RXIDLE)
    port.receive(b"one\ntwo\nthree")
    check("interrupt", heard == [13], heard)
    check("any", uart.any() == 13)
    check("line", uart.readline() == b"one\n")
    check("some", uart.read(2) == b"tw")
    buf = bytearray(4)
    check("into", uart.readinto(buf) == 4 and buf == b"o\nth", buf)
    check("into, fewer", uart.readinto(buf, 1) == 1 and buf == b"r\nth", buf)
    check("the rest", uart.read() == b"ee" and uart.read(1) is None)
    port.receive(b"x" * (ports.FIFO_BYTES + 10))
    check("a full FIFO loses and counts", uart.any() == ports.FIFO_BYTES and port.overruns == 10)
    check("poll", uart.ioctl(3, 5) == 5 and uart.ioctl(3, 4) == 4)
    uart.read()
    check("poll when empty", uart.ioctl(3, 1) == 0)
    sent = []
    port.tap = sent.append
    check("write", uart.write(b"abc") == 3 and uart.txdone() and sent == [b"abc"])
    uart.init(2400, bits=8, parity=1, stop=2)
    check("settings", port.state()["format"] == "8O2" and port.baudrate == 2400)
    for bad in ({"bits": 9}, {"parity": 3}, {"stop": 3}, {"baudrate": 0}):
        check("bad settings", raises(ValueError, uart.init, **bad), bad)
    check("and nothing changed", port.state()["format"] == "8O2")
    uart.deinit()
    port.receive(b"lost")
    check("closed", uart.any() == 0)
    check("no such UART", raises(ValueError, UART, 7))
    port.close()


def test_floods():
    """A client that never reads, and one that writes without end."""
    port = wire()
    uart = UART(1, 9600)

    async def bench():
        deaf_in, _ = await asyncio.open_connection(_ADDRESS, _PORT)
        check("connected", await soon(lambda: len(port.clients) == 1))
        for _ in range(4000):
            uart.write(b"\x55" * 2048)
            if not port.clients:
                break
        check("a client that does not read is cut off", not port.clients)
        check("and counted", port.clients_lost == 1)
        deaf_in.close()
        await deaf_in.wait_closed()
        loud_in, loud_out = await asyncio.open_connection(_ADDRESS, _PORT)
        check("connected again", await soon(lambda: len(port.clients) == 1))
        for _ in range(20):
            loud_out.write(b"\xaa" * 1000)
            await loud_out.drain()
        check("all of it comes", await soon(lambda: port.bytes_in == 20_000), port.bytes_in)
        check("the FIFO is bounded", uart.any() == ports.FIFO_BYTES)
        check("the rest is counted", port.overruns == 20_000 - ports.FIFO_BYTES)
        loud_in.close()
        await loud_in.wait_closed()
        many = []
        for _ in range(12):
            many.append(await asyncio.open_connection(_ADDRESS, _PORT))
        refused = 0
        for reader, _ in many[8:]:
            refused += await reader.read(1) == b""
        check("clients are limited", len(port.clients) == 8 and refused == 4, len(port.clients))
        for reader, _ in many:
            reader.close()
            await reader.wait_closed()
        check("all go", await soon(lambda: not port.clients))

    run(bench())
    port.close()


def test_port_in_use():
    wire()
    blocker = net.listen(_ADDRESS, _PORT)
    try:
        UART(1, 9600)
        check("port in use", False)
    except net.PortError as error:
        check("port in use", str(error) == f"port {_ADDRESS}:{_PORT} is in use", str(error))

    async def serve():
        await asyncio.start_server(None, _ADDRESS, _PORT)

    try:
        run(serve())
        check("port in use by TCP", False)
    except net.PortError as error:
        check("port in use by TCP", str(error) == f"port {_ADDRESS}:{_PORT} is in use", str(error))
    blocker.close()


def test_network_port():
    fresh()
    port = ports.TcpPort(_PORT)
    check("closed", not port.is_open() and port.state()["clients"] == 0)

    async def answer(reader, writer):
        writer.write(b"<" + await reader.read(10) + b">")
        await writer.drain()

    async def bench():
        await asyncio.start_server(answer, _ADDRESS, _PORT)
        check("open", port.is_open())
        reader, writer = await asyncio.open_connection(_ADDRESS, _PORT)
        writer.write(b"abc")
        await writer.drain()
        check("answer", await reader.readexactly(5) == b"<abc>")
        state = port.state()
        check("counts", (state["bytes_in"], state["bytes_out"]) == (3, 5), state)
        check("clients", state["clients"] == 1, state)

    run(bench())
    loop.drop(loop.BENCH)
    check("closed again", not port.is_open() and port.state()["clients"] == 0)


machine.start(machine.PWRON_RESET)
for test in (
    test_echo_to_two_clients,
    test_uart_methods,
    test_floods,
    test_port_in_use,
    test_network_port,
):
    test()
report()
