"""SPI, I2C and the frame capture of the simulated processor; part of `machine`.

Transfers go at once and whole to the chip that the board's wires lead to, in zero virtual time;
only while the supply fails they take their time on the wire, so that it can end in the middle of
one.
"""

# ruff: noqa: PLR0913 - MicroPython's constructors have so many arguments

import errno

import host
import timeline
import wiring
from machine_pin import dispatch, pin_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from machine_pin import Pin
    from power import Supply
    from wiring import Converter, I2cChip

    Buffer = bytes | bytearray | memoryview
    Fillable = bytearray | memoryview

supply: "Supply | None" = None  # once the board is assembled
captures: "list[SpiCapture]" = []  # every capture that runs, for leaps
on_capture: "list[Callable[[], None]]" = []  # called when one has been started

_BLOCK_US = 10_000


def _clock_number(pin: "Pin | int | None") -> "int | None":
    return None if pin is None else pin_number(pin)


class SPI:
    """A hardware SPI controller; the chip whose select pin is low hears it."""

    LSB = 0
    MSB = 1
    CONTROLLER = 0

    def __init__(
        self,
        id: int,  # noqa: A002 - the name MicroPython has
        baudrate: int = 1_000_000,
        *,
        polarity: int = 0,
        phase: int = 0,
        bits: int = 8,
        firstbit: int = 1,
        sck: "Pin | None" = None,
        mosi: "Pin | None" = None,
        miso: "Pin | None" = None,
    ) -> None:
        self._bus = wiring.spi_bus(id, None)
        self._set(baudrate, polarity, phase, bits, firstbit)

    def init(
        self,
        baudrate: int = 1_000_000,
        *,
        polarity: int = 0,
        phase: int = 0,
        bits: int = 8,
        firstbit: int = 1,
    ) -> None:
        """Change how the bus is clocked."""
        self._set(baudrate, polarity, phase, bits, firstbit)

    def _set(self, baudrate: int, polarity: int, phase: int, bits: int, firstbit: int) -> None:
        if baudrate <= 0:
            raise ValueError("baudrate must be positive")
        if polarity not in (0, 1) or phase not in (0, 1):
            raise ValueError("invalid polarity or phase")
        if bits != 8:
            raise ValueError("bits must be 8")
        if firstbit != SPI.MSB:
            raise NotImplementedError("LSB")
        self.baudrate = baudrate
        self._byte_ns = max(1, 8_000_000_000 // baudrate)

    def deinit(self) -> None:
        """Switch the controller off; a later transfer switches it on."""

    def write(self, buf: "Buffer") -> None:
        """Send a buffer."""
        self._transfer(buf, None, len(buf))

    def read(self, nbytes: int, write: int = 0) -> bytes:
        """Read bytes while sending one value."""
        answer = bytearray(nbytes)
        self.readinto(answer, write)
        return bytes(answer)

    def readinto(self, buf: "Fillable", write: int = 0) -> None:
        """Fill a buffer while sending one value."""
        out = None if write == 0 else bytes((write,)) * len(buf)
        self._transfer(out, buf, len(buf))

    def write_readinto(self, write_buf: "Buffer", read_buf: "Fillable") -> None:
        """Send a buffer and fill another of the same length."""
        if len(write_buf) != len(read_buf):
            raise ValueError("buffers must be the same length")
        self._transfer(write_buf, read_buf, len(write_buf))

    def _transfer(self, out: "Buffer | None", answer: "Fillable | None", count: int) -> None:
        timeline.stall()
        device = wiring.spi_device(self._bus)
        if supply is not None and supply.watching:
            writing = out is not None
            allowed = supply.allow(device, count, self._byte_ns, writing)
            if allowed and device is not None:
                if allowed == count:
                    device.transfer(out, answer)
                else:
                    device.transfer(
                        None if out is None else memoryview(out)[:allowed],
                        None if answer is None else memoryview(answer)[:allowed],
                    )
            supply.spend(device, allowed, count, self._byte_ns, writing)
        elif device is not None:
            device.transfer(out, answer)
        elif answer is not None:
            for index in range(count):
                answer[index] = 0xFF


class SoftSPI(SPI):
    """An SPI bus on any pins: it is known by its clock pin."""

    def __init__(
        self,
        baudrate: int = 500_000,
        *,
        polarity: int = 0,
        phase: int = 0,
        bits: int = 8,
        firstbit: int = 1,
        sck: "Pin | None" = None,
        mosi: "Pin | None" = None,
        miso: "Pin | None" = None,
    ) -> None:
        self._bus = wiring.spi_bus(None, _clock_number(sck))
        self._set(baudrate, polarity, phase, bits, firstbit)


class I2C:
    """A hardware I2C controller."""

    def __init__(
        self,
        id: int,  # noqa: A002 - the name MicroPython has
        *,
        scl: "Pin | None" = None,
        sda: "Pin | None" = None,
        freq: int = 400_000,
        timeout: int = 50_000,
    ) -> None:
        self._bus = wiring.i2c_bus(id, None)
        self.init(freq=freq)

    def init(
        self, *, scl: "Pin | None" = None, sda: "Pin | None" = None, freq: int = 400_000
    ) -> None:
        """Change the clock."""
        if freq <= 0:
            raise ValueError("freq must be positive")
        self._byte_ns = 9_000_000_000 // freq

    def scan(self) -> "list[int]":
        """Return the addresses that acknowledge."""
        devices = wiring.i2c_devices(self._bus)
        return [one for one in sorted(devices) if devices[one].i2c_write(one, b"") >= 0]

    def writeto(self, addr: int, buf: "Buffer", stop: bool = True) -> int:
        """Send a buffer; returns how many of its bytes were acknowledged."""
        return self._write(addr, buf)

    def writevto(self, addr: int, vector: "Sequence[Buffer]", stop: bool = True) -> int:
        """Send several buffers in one transfer."""
        whole = b""
        for buf in vector:
            whole += bytes(buf)
        return self._write(addr, whole)

    def readfrom(self, addr: int, nbytes: int, stop: bool = True) -> bytes:
        """Read bytes."""
        answer = bytearray(nbytes)
        self._read(addr, answer)
        return bytes(answer)

    def readfrom_into(self, addr: int, buf: "Fillable", stop: bool = True) -> None:
        """Fill a buffer."""
        self._read(addr, buf)

    def readfrom_mem(self, addr: int, memaddr: int, nbytes: int, *, addrsize: int = 8) -> bytes:
        """Read from a register of the chip on."""
        answer = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, answer, addrsize=addrsize)
        return bytes(answer)

    def readfrom_mem_into(
        self, addr: int, memaddr: int, buf: "Fillable", *, addrsize: int = 8
    ) -> None:
        """Fill a buffer from a register of the chip on."""
        self._write_all(addr, self._memory(memaddr, addrsize))
        self._read(addr, buf)

    def writeto_mem(self, addr: int, memaddr: int, buf: "Buffer", *, addrsize: int = 8) -> None:
        """Write to a register of the chip on."""
        self._write_all(addr, self._memory(memaddr, addrsize) + bytes(buf))

    def _memory(self, memaddr: int, addrsize: int) -> bytes:
        if addrsize % 8 or not 0 <= addrsize <= 32:
            raise ValueError("invalid addrsize")
        return memaddr.to_bytes(4, "big")[4 - addrsize // 8 :]

    def _write_all(self, address: int, data: "Buffer") -> None:
        if self._write(address, data) != len(data):
            raise host.os_error(errno.EIO)

    def _write(self, address: int, data: "Buffer") -> int:
        device = self._device(address)
        count = len(data)
        allowed = self._allow(device, count, True)
        acknowledged = device.i2c_write(address, data if allowed == count else data[:allowed])
        self._spend(device, allowed, count, True)
        if acknowledged < 0:
            raise host.os_error(errno.ENODEV)
        return acknowledged

    def _read(self, address: int, buf: "Fillable") -> None:
        device = self._device(address)
        count = len(buf)
        allowed = self._allow(device, count, False)
        part = buf if allowed == count else memoryview(buf)[:allowed]
        acknowledged = device.i2c_read(address, part)
        self._spend(device, allowed, count, False)
        if acknowledged < 0:
            raise host.os_error(errno.ENODEV)

    def _device(self, address: int) -> "I2cChip":
        timeline.stall()
        device = wiring.i2c_devices(self._bus).get(address)
        if device is None:
            raise host.os_error(errno.ENODEV)
        return device

    def _allow(self, device: "I2cChip", count: int, writing: bool) -> int:
        if supply is None or not supply.watching:
            return count
        return supply.allow(device, count, self._byte_ns, writing)

    def _spend(self, device: "I2cChip", allowed: int, count: int, writing: bool) -> None:
        if supply is not None and supply.watching:
            supply.spend(device, allowed, count, self._byte_ns, writing)


class SoftI2C(I2C):
    """An I2C bus on any pins: it is known by its clock pin."""

    def __init__(
        self, scl: "Pin", sda: "Pin", *, freq: int = 400_000, timeout: int = 50_000
    ) -> None:
        self._bus = wiring.i2c_bus(None, _clock_number(scl))
        self.init(freq=freq)


class SpiCapture:
    """Reads every frame of a converter into a ring, as DMA behind its data-ready line does."""

    def __init__(self, spi: SPI, cs: "Pin", drdy: "Pin | None" = None) -> None:
        chip: Converter = wiring.spi_chip(pin_number(cs))  # pyright: ignore[reportAssignmentType]
        self._chip = chip
        self._ring: bytearray | None = None
        self._frame_bytes = 0
        self._frames = 0  # frames that the ring holds
        self._count = 0
        self._handler: Callable[[object], None] | None = None
        self._event: object = None
        self._held = False

    def start(self, ring: bytearray, frame_bytes: int) -> None:
        """Capture for ever into `ring`, a whole number of frames long."""
        if frame_bytes <= 0 or not len(ring) or len(ring) % frame_bytes:
            raise ValueError("the ring must hold whole frames")
        self.stop()
        self._ring = ring
        self._frame_bytes = frame_bytes
        self._frames = len(ring) // frame_bytes
        self._count = 0
        self._held = False
        self._chip.skip()
        captures.append(self)
        self._event = timeline.after(_BLOCK_US, self._block)
        for callback in on_capture:
            callback()

    def stop(self) -> None:
        """End the capture."""
        if self._event is not None:
            timeline.cancel(self._event)
            self._event = None
            captures.remove(self)

    def count(self) -> int:
        """Return the frames captured since start, modulo 2**30."""
        return self._count & 0x3FFFFFFF

    def missed(self) -> int:
        """Return the conversions that were not read in time: none."""
        return 0

    def irq(self, handler: "Callable[[object], None]") -> None:
        """Call `handler(capture)` every 10 ms, frames or not; held, only for what is delivered."""
        self._handler = handler

    def hold(self) -> None:
        """Capture no frames: they stay due in the chip. Leaps do this."""
        self._held = True
        if self._event is not None:
            timeline.cancel(self._event)  # a hundred events a second are dear in a leap

    def freeze(self) -> None:
        """Do nothing more until it is started anew: a fault."""
        self._handler = None
        self._ring = None
        self.hold()

    def due(self) -> int:
        """Return how many frames are converted and not captured."""
        return self._chip.frames_due()

    def drop(self, count: int) -> None:
        """Let `count` of the frames due pass without being captured."""
        self._chip.pass_by(count)

    def deliver(self, count: int) -> int:
        """Capture up to `count` of the frames due now; returns how many, 0 if the chip is mute."""
        if self._ring is None:
            return 0
        due = min(count, self._chip.frames_due())
        left = due
        while left > 0:
            place = self._count % self._frames
            wanted = min(left, self._frames - place)
            done = self._chip.clock_frames(self._ring, place * self._frame_bytes, wanted)
            if not done:
                break
            self._count += done
            left -= done
        if due > left:
            self._call_handler()
        return max(0, due - left)

    def release(self) -> None:
        """Capture again, from the first frame that is due."""
        if self._held and self._event is not None:
            self._event = timeline.after(_BLOCK_US, self._block)
        self._held = False

    def _block(self) -> None:
        self._event = timeline.after(_BLOCK_US, self._block)
        if not self.deliver(self._chip.frames_due()):
            self._call_handler()

    def _call_handler(self) -> None:
        if self._handler is not None and not dispatch(self._handler, self):
            self._handler = None


def reset_buses() -> None:
    """End every capture, as a processor in reset does."""
    for capture in list(captures):
        capture.stop()
