"""A UART made of PIO state machines, as a `hal.Serial`: for ports beyond the two of the chip.

One machine sends, one receives, either may be absent. Both work at eight cycles a bit. The
receiver looks again in the middle of the start bit, so that a glitch is none, samples each bit
near its middle and waits for a high line after a break. DMA moves characters: into a ring that
outlasts a collection, and out of a buffer, without the processor and without a gap. Parity and
stop bits are looked at when the ring is read (serial_frame.py); what is wrong is left out and
counted.

A line that is inverted, as P1's, is inverted by the pins' overrides. The clock's divider takes
300 baud to a million; it errs by less than 0.02 % there, and by less than 0.002 % at 115200.
"""

# The stubs leave the types of the assembler's operands open.
# pyright: reportUnknownVariableType=false

import io
import time
from array import array

import rp2
import uctypes
from micropython import const

from drivers.rp2_dma_ring import HALF_WORDS, DmaRing
from drivers.serial_frame import BREAK, PARITY_ERROR, SerialFrame

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import Pin
    from rp2.asm_pio import (
        block,
        in_,
        jmp,
        label,
        mov,
        nop,
        out,
        pin,
        pins,
        pull,
        wait,
        wrap,
        wrap_target,
        x,
        x_dec,
        y,
    )

    from drivers.rp2_dma_ring import Channel
    from hal import Buffer, Registers

_PIO_BASE = const(0x50200000)  # PIO0; the next one follows at the distance
_PIO_DISTANCE = const(0x100000)
_TXF0 = const(0x10)
_RXF0_HIGH = const(0x22)  # the upper half: what is shifted in from the left stands there
_TREQ_RX0 = const(4)  # after the four that send; eight a PIO
_PULL = const(0x80A0)  # instructions as the data sheet encodes them: no assembler at run time
_MOV_Y_OSR = const(0xA047)
_CYCLES_PER_BIT = const(8)
_HALF_BITS = const(16)
_SECOND_US = const(1_000_000)
_POLL = const(3)  # MP_STREAM_POLL and its flags
_READABLE = const(1)
_WRITABLE = const(4)
_INVERT = const(1)  # of an override


@rp2.asm_pio(out_init=rp2.PIO.OUT_HIGH, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def send_characters() -> None:
    """Send Y + 2 bits of each word; the last one lasts until the next word, 8 cycles at least."""
    wrap_target()
    pull(block)
    mov(x, y)
    label("bit")
    out(pins, 1)[6]
    jmp(x_dec, "bit")
    out(pins, 1)[5]
    wrap()


@rp2.asm_pio(in_shiftdir=rp2.PIO.SHIFT_RIGHT, autopush=True)
def hear_characters() -> None:
    """Push the Y + 2 bits that follow each start bit, the stop bit among them.

    A character takes three cycles less than its bits, so that one after the other is caught from
    a sender that is 3 % faster, too. Pins: in = jump = the line.
    """
    wrap_target()
    label("start")
    wait(0, pin, 0)
    mov(x, y)[2]
    jmp(pin, "start")  # the middle of the start bit: high is a glitch
    label("bit")
    nop()[5]
    in_(pins, 1)
    jmp(x_dec, "bit")
    nop()[5]
    in_(pins, 1)
    jmp(pin, "start")
    wait(1, pin, 0)  # no stop bit: nothing begins before the line is high
    wrap()


class Rp2PioUart(io.IOBase):
    """The port of a sender and a receiver, each (state machine 0..7 or 11, pin) or None.

    `inverted`: for each pin whose line is inverted machine.mem32, the address of its GPIOn_CTRL
    and the place there of OUTOVER (8 on an RP2040, 12 on an RP2350) or INOVER (16). A message of
    up to `send_buffer` octets leaves without a pause.
    """

    def __init__(
        self,
        sender: "tuple[int, Pin] | None",
        receiver: "tuple[int, Pin] | None",
        inverted: "tuple[tuple[Registers, int, int], ...]" = (),
        send_buffer: int = 272,
        receive_buffer: int = 512,
    ) -> None:
        self._inverted = inverted
        self._frame = SerialFrame(8, None, 1)
        self._frame_us = 0
        self.overruns = 0  # octets that nobody read in time
        self.parity_errors = 0
        self.framing_errors = 0
        self.breaks = 0
        self._sending = False
        self._last = time.ticks_us()  # when the FIFO was first seen empty, if it was
        self._emptied = False
        self._sender: rp2.StateMachine | None = None
        self._receiver: rp2.StateMachine | None = None
        self._ring: DmaRing | None = None
        if sender is not None:
            self._send_pin = sender[1]
            self._sender = rp2.StateMachine(
                sender[0], send_characters, freq=_CYCLES_PER_BIT * 9600, out_base=sender[1]
            )
            self._out = array("H", bytes(2 * send_buffer))
            self._dma: Channel = rp2.DMA()  # pyright: ignore[reportAttributeAccessIssue]
            self._fifo = _PIO_BASE + _PIO_DISTANCE * (sender[0] >> 2) + _TXF0 + 4 * (sender[0] & 3)
            self._control = self._dma.pack_ctrl(
                size=HALF_WORDS,
                inc_read=True,
                inc_write=False,
                treq_sel=8 * (sender[0] >> 2) + (sender[0] & 3),
                irq_quiet=True,
            )
        if receiver is not None:
            pio, number = receiver[0] >> 2, receiver[0] & 3
            self._hear_pin = receiver[1]
            self._receiver = rp2.StateMachine(
                receiver[0],
                hear_characters,
                freq=_CYCLES_PER_BIT * 9600,
                in_base=receiver[1],
                jmp_pin=receiver[1],
            )
            self._in = array("H", bytes(2 * receive_buffer))
            self._line = bytearray(receive_buffer)
            self._ring = DmaRing(
                self._in,
                _PIO_BASE + _PIO_DISTANCE * pio + _RXF0_HIGH + 4 * number,
                8 * pio + _TREQ_RX0 + number,
                HALF_WORDS,
            )
            self._taken = 0  # of the ring's transfers, modulo its span

    def init(
        self, baudrate: int, bits: int = 8, parity: "int | None" = None, stop: int = 1
    ) -> None:
        """Set rate and format; what is on its way is lost. Raises ValueError for no format."""
        if baudrate <= 0:
            raise ValueError("no such rate")
        frame = self._frame = SerialFrame(bits, parity, stop)
        self._frame_us = frame.sent_bits * _SECOND_US // baudrate + 1
        frequency_hz = _CYCLES_PER_BIT * baudrate
        sender, receiver, ring = self._sender, self._receiver, self._ring
        if sender is not None:
            sender.active(0)
            self._dma.active(0)
            self._sending = False
            sender.init(send_characters, freq=frequency_hz, out_base=self._send_pin)
            _count_bits(sender, frame.sent_bits - 2)
        if receiver is not None and ring is not None:
            receiver.active(0)
            receiver.init(
                hear_characters,
                freq=frequency_hz,
                in_base=self._hear_pin,
                jmp_pin=self._hear_pin,
                push_thresh=frame.heard_bits,
            )
            self._taken = ring.transferred()
        for memory, address, place in self._inverted:  # the machines' start has undone it
            memory[address] = memory[address] | _INVERT << place
        if receiver is not None:
            _count_bits(receiver, frame.heard_bits - 2)

    def any(self) -> int:
        """Return how many characters wait, the wrong ones too. Allocates nothing."""
        ring = self._ring
        if ring is None:
            return 0
        now = ring.transferred()
        waiting = now - self._taken
        if waiting < 0:
            waiting += ring.span()
        if waiting > ring.transfers:
            self.overruns += waiting
            self._taken = now
            return 0
        return waiting

    def read(self, count: int) -> "bytes | None":
        """Return up to `count` octets that came without an error, None if there are none.

        Ask at least once in 16 buffers: what comes beyond goes unseen.
        """
        left = self.any()
        length = 0
        while left and length < count:
            found = self._in[self._taken % len(self._in)] >> _HALF_BITS - self._frame.heard_bits
            self._taken += 1
            left -= 1
            octet = self._frame.decode(found)
            if octet >= 0:
                self._line[length] = octet
                length += 1
            elif octet == PARITY_ERROR:
                self.parity_errors += 1
            elif octet == BREAK:
                self.breaks += 1
            else:
                self.framing_errors += 1
        if self._ring is not None:
            self._taken %= self._ring.span()
        return bytes(memoryview(self._line)[:length]) if length else None

    def write(self, data: "Buffer") -> "int | None":
        """Send what fits into the buffer; returns how many octets, None while others leave."""
        if self._sender is None or not self.txdone():
            return None
        count = min(len(data), len(self._out))
        for k in range(count):
            self._out[k] = self._frame.encode(data[k])
        if count:
            self._sending = True
            self._emptied = False
            self._dma.config(
                read=uctypes.addressof(self._out),
                write=self._fifo,
                count=count,
                ctrl=self._control,
                trigger=True,
            )
        return count

    def txdone(self) -> bool:
        """Tell whether the last stop bit has left. Allocates nothing, for hard interrupts too."""
        sender = self._sender
        if not self._sending or sender is None:
            return True
        if self._dma.count or sender.tx_fifo():
            return False
        if not self._emptied:  # the last character has begun by now
            self._emptied = True
            self._last = time.ticks_us()
        elif time.ticks_diff(time.ticks_us(), self._last) >= self._frame_us:
            self._sending = False
        return not self._sending

    def ioctl(self, request: int, flags: int) -> int:
        """Answer asyncio's poll; MicroPython calls it."""
        if request != _POLL:
            return 0
        ready = _READABLE if flags & _READABLE and self.any() else 0
        if flags & _WRITABLE and self.txdone():
            ready |= _WRITABLE
        return ready


def _count_bits(machine: "rp2.StateMachine", y: int) -> None:
    """Load Y and let the machine run."""
    machine.put(y)
    machine.exec(_PULL)
    machine.exec(_MOV_Y_OSR)
    machine.active(1)
