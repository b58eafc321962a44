"""Frames of an SPI converter into a ring by its data-ready interrupt: `hal.FrameCapture`.

For processors without PIO (STM32). A hard interrupt handler reads one frame with one SPI transfer
straight into its place in the ring. It runs with the heap locked: every object it touches exists
before, numbers stay small integers.

A handler that comes too late is noticed by time: data-ready falls once in `frame_us`. The chip
holds the last two conversions (TI SBAS890, "Collecting data for the first time or after a pause"),
so a second frame is read then, and kept if its status word says that it is a new one; what the
chip held no more is counted. That also brings the chip back in step.
"""

import time

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from collections.abc import Callable

    from machine import SPI, Pin, Timer

_BEAT_MS = const(10)
_COUNT_MASK = const(0x3FFFFFFF)
_DRIFT_US = const(1)  # a frame: far more than two crystals differ
_FRESH = const(1)  # byte of a frame whose bits tell which channels are new


class IrqSpiCapture:
    """Capture from the chip behind `cs` on `spi`, a conversion every `frame_us`."""

    def __init__(self, spi: "SPI", cs: "Pin", drdy: "Pin", timer: "Timer", frame_us: int) -> None:
        self._spi = spi
        self._cs = cs
        self._drdy = drdy
        self._timer = timer
        self._frame_us = frame_us
        self._places: list[memoryview] = []
        self._place = 0
        self._count = 0
        self._missed = 0
        self._next_us = time.ticks_us()  # next fall of data-ready, the earliest of late
        self._running = False
        self._handler: Callable[[object], None] | None = None
        self._edge = self._data_ready  # bound once: doing it in the interrupt would allocate
        self._tick = self._beat

    def start(self, ring: bytearray, frame_bytes: int) -> None:
        """Capture for ever into `ring`, a whole number of frames long, else ValueError."""
        if frame_bytes <= _FRESH or not ring or len(ring) % frame_bytes:
            raise ValueError("the ring must hold whole frames")
        self.stop()
        view = memoryview(ring)
        self._places = [view[at : at + frame_bytes] for at in range(0, len(ring), frame_bytes)]
        self._place = 0
        self._count = 0
        self._missed = 0
        self._next_us = time.ticks_add(time.ticks_us(), self._frame_us)
        self._running = True
        self._drdy.irq(self._edge, trigger=self._drdy.IRQ_FALLING, hard=True)
        self._timer.init(mode=self._timer.PERIODIC, period=_BEAT_MS, callback=self._tick)

    def stop(self) -> None:
        """End the capture; harmless before start."""
        if self._running:
            self._running = False
            self._drdy.irq(None)
            self._timer.deinit()

    def count(self) -> int:
        """Frames captured since start, modulo 2**30."""
        return self._count

    def missed(self) -> int:
        """Conversions since start that nobody read in time."""
        return self._missed

    def irq(self, handler: "Callable[[object], None]") -> None:
        """Call `handler(capture)` every 10 ms, also when no frame has come."""
        self._handler = handler

    def _beat(self, _timer: object) -> None:
        if self._handler is not None:
            self._handler(self)

    def _data_ready(self, _pin: object) -> None:
        """Read the frame that waits. Hard interrupt: allocates nothing."""
        if not self._running:
            return
        frame_us = self._frame_us
        now_us = time.ticks_us()
        late_us = time.ticks_diff(now_us, self._next_us)
        conversions = 1
        if late_us < 0:
            self._next_us = time.ticks_add(now_us, frame_us)
        else:
            if late_us >= frame_us:
                conversions += late_us // frame_us
            self._next_us = time.ticks_add(self._next_us, conversions * frame_us + _DRIFT_US)
        self._read()
        if conversions > 1:
            # The chip's second one, if it is new; an old one is overwritten by the next frame.
            if self._read_ahead()[_FRESH]:
                self._advance()
                conversions -= 1
            self._missed += conversions - 1

    def _read(self) -> None:
        self._read_ahead()
        self._advance()

    def _read_ahead(self) -> memoryview:
        """Read a frame into the next place of the ring."""
        place = self._places[self._place]
        self._cs.value(0)
        self._spi.readinto(place)
        self._cs.value(1)
        return place

    def _advance(self) -> None:
        """Let the frame in the next place count."""
        place = self._place + 1
        self._place = place if place < len(self._places) else 0
        count = self._count
        self._count = count + 1 if count < _COUNT_MASK else 0  # 2**30 would be no small integer
