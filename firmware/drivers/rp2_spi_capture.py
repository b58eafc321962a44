"""Frames of an SPI converter into a ring by PIO and DMA: `hal.FrameCapture` of RP2040 and RP2350.

A state machine waits for the falling edge of data-ready, pulls chip select low, clocks one frame
in SPI mode 1 (the chip puts a bit out as the clock rises, it is taken as the clock falls) and
pushes each byte; drivers/rp2_dma_ring.py moves the bytes into the driver's ring. The chip hears
zeros, which is its NULL command. A timer gives the driver its beat: the processor has no part in
the capture itself.

The chip's registers are written over the ordinary SPI controller, on the same pins: `start` takes
clock and chip select over, `stop` gives them back.
"""

# The stubs leave the types of the assembler's operands open.
# pyright: reportUnknownVariableType=false

import rp2
from micropython import const

from drivers.rp2_dma_ring import BYTES, DmaRing

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from collections.abc import Callable

    from machine import Pin, Timer
    from rp2.asm_pio import (
        in_,
        jmp,
        label,
        mov,
        nop,
        pin,
        pins,
        set,  # noqa: A004 - the assembler's own word
        wrap,
        wrap_target,
        x,
        x_dec,
        y,
    )

_PIO_BASE = const(0x50200000)  # PIO0; the next one follows at the distance
_PIO_DISTANCE = const(0x100000)
_RXF0 = const(0x20)
_TREQ_RX0 = const(4)  # PIO0's first receive request; eight a PIO
_PULL = const(0x80A0)  # instructions as the data sheet encodes them: no assembler at run time
_MOV_Y_OSR = const(0xA047)
_CYCLES_PER_BIT = const(4)
_BEAT_MS = const(10)
_COUNT_MASK = const(0x3FFFFFFF)


@rp2.asm_pio(
    set_init=rp2.PIO.OUT_HIGH,
    sideset_init=rp2.PIO.OUT_LOW,
    in_shiftdir=rp2.PIO.SHIFT_LEFT,
    autopush=True,
    push_thresh=8,
)
def read_frames() -> None:
    """Clock one frame of Y + 1 bits at each falling edge of the jump pin.

    The edge counts, not the level: data-ready stays low when a conversion was missed, and the
    driver brings the chip back in step before it starts. Pins: set = chip select, side = clock,
    in = MISO, jump = data-ready.
    """
    wrap_target()
    label("low")  # the edge of the frame before, or a conversion that nobody has read
    jmp(pin, "high").side(0)
    jmp("low").side(0)
    label("high")
    jmp(pin, "high").side(0)
    set(pins, 0).side(0)
    mov(x, y).side(0)
    label("bit")
    nop().side(1)[1]
    in_(pins, 1).side(0)
    jmp(x_dec, "bit").side(0)
    set(pins, 1).side(0)
    wrap()


class Rp2SpiCapture:
    """Capture by state machine `machine_id` (0..7, or 11 on an RP2350)."""

    def __init__(  # noqa: PLR0913, PLR0917 - the pins, each from the board
        self,
        machine_id: int,
        sck: "Pin",
        mosi: "Pin",
        miso: "Pin",
        cs: "Pin",
        drdy: "Pin",
        timer: "Timer",
        sck_hz: int = 8_000_000,
    ) -> None:
        self._machine_id = machine_id
        self._sck = sck
        self._mosi = mosi
        self._miso = miso
        self._cs = cs
        self._drdy = drdy
        self._timer = timer
        self._sck_hz = sck_hz
        self._machine: rp2.StateMachine | None = None
        self._ring: DmaRing | None = None
        self._frame_bytes = 1
        self._frames = 0  # captured since start, modulo 2**30
        self._seen = 0  # of them, modulo the ring's span: when it was looked at last
        self._handler: Callable[[object], None] | None = None
        self._tick = self._beat  # bound once: a timer's callback must not allocate

    def start(self, ring: bytearray, frame_bytes: int) -> None:
        """Take the pins over and capture for ever into `ring`, a whole number of frames long.

        Raises ValueError if it is not.
        """
        if frame_bytes <= 0 or not ring or len(ring) % frame_bytes:
            raise ValueError("the ring must hold whole frames")
        self.stop()
        self._frame_bytes = frame_bytes
        self._frames = 0
        self._seen = 0
        self._mosi.init(self._mosi.OUT, value=0)
        machine = rp2.StateMachine(
            self._machine_id,
            read_frames,
            freq=_CYCLES_PER_BIT * self._sck_hz,
            in_base=self._miso,
            set_base=self._cs,
            sideset_base=self._sck,
            jmp_pin=self._drdy,
        )
        machine.put(8 * frame_bytes - 1)
        machine.exec(_PULL)
        machine.exec(_MOV_Y_OSR)
        pio = self._machine_id >> 2
        number = self._machine_id & 3
        self._ring = DmaRing(
            ring,
            _PIO_BASE + _PIO_DISTANCE * pio + _RXF0 + 4 * number,
            _TREQ_RX0 + 8 * pio + number,
            BYTES,
        )
        self._machine = machine
        machine.active(1)
        self._timer.init(mode=self._timer.PERIODIC, period=_BEAT_MS, callback=self._tick)

    def stop(self) -> None:
        """End the capture and give the pins back to the SPI controller; harmless before start."""
        if self._machine is None or self._ring is None:
            return
        self._timer.deinit()
        self._machine.active(0)
        self._ring.close()
        self._machine = None
        self._ring = None
        self._cs.init(self._cs.OUT, value=1)
        self._sck.init(self._sck.ALT, alt=self._sck.ALT_SPI)
        self._mosi.init(self._mosi.ALT, alt=self._mosi.ALT_SPI)

    def count(self) -> int:
        """Frames captured since start, modulo 2**30. Allocates nothing.

        Not for interrupts. Ask once in 16 rings at least (two seconds of the driver's), or whole
        laps go unseen.
        """
        ring = self._ring
        if ring is not None:
            frames = ring.transferred() // self._frame_bytes
            new = frames - self._seen
            if new < 0:
                new += ring.span() // self._frame_bytes
            self._seen = frames
            self._frames = (self._frames + new) & _COUNT_MASK
        return self._frames

    def missed(self) -> int:
        """Conversions that were not read: none, the state machine never waits for anything."""
        return 0

    def irq(self, handler: "Callable[[object], None]") -> None:
        """Call `handler(capture)` every 10 ms, also when no frame has come."""
        self._handler = handler

    def _beat(self, _timer: object) -> None:
        if self._handler is not None:
            self._handler(self)
