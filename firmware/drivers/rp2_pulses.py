"""Pulses on a pin by a PIO state machine: `hal.PulseOutput` of RP2040 and RP2350.

The state machine is given an order for each measuring window: how many pulses, how long until the
first, how long low and how long high. It needs no interrupt: its jitter is one tick of an eighth
of a microsecond, at any rate up to 2.5 kHz and whatever the processor does. While one order is
carried out its FIFO holds the next. An inverted output is inverted behind the state machine, by
the pin's output override.
"""

# The stubs leave the types of the assembler's operands open.
# pyright: reportUnknownVariableType=false

import time

import rp2
from micropython import const

from drivers.pulse_pace import Pace

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from machine import Pin
    from rp2.asm_pio import (
        block,
        isr,
        jmp,
        label,
        mov,
        osr,
        pins,
        pull,
        set,  # noqa: A004 - the assembler's own word
        wrap,
        wrap_target,
        x,
        x_dec,
        y,
        y_dec,
    )

    from hal import Registers

_TICK_HZ = const(8_000_000)
_TICK_SHIFT = const(5)  # from 1/256 of a microsecond
_HIGH_CYCLES = const(3)  # of a pulse besides the counted ones
_LOW_CYCLES = const(4)
_WORDS = const(4)  # of an order, and of the FIFO
_MOV_X_ONES = const(0xA02B)  # instructions as the data sheet encodes them
_MOV_ISR_X = const(0xA0C1)
_PUSH = const(0x8000)
_SET_LOW = const(0xE000)
_SET_HIGH = const(0xE001)
_OVERRIDE = const(3)  # of a pin's output, in its control register
_INVERT = const(1)
_BURST_US = const(200)  # half a period of the fastest output
_BURST_HIGH = const((_BURST_US << 8 >> _TICK_SHIFT) - _HIGH_CYCLES)
_BURST_LOW = const((_BURST_US << 8 >> _TICK_SHIFT) - _LOW_CYCLES)
_COUNT_MASK = 0xFFFFFFFF


@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def give_pulses() -> None:
    """Take count less one, ticks until the first, low and high; give the pulses; begin again."""
    wrap_target()
    pull(block)
    mov(x, osr)
    pull(block)
    mov(y, osr)
    pull(block)
    mov(isr, osr)
    pull(block)
    label("low")
    jmp(y_dec, "low")
    set(pins, 1)
    mov(y, osr)
    label("high")
    jmp(y_dec, "high")
    set(pins, 0)
    mov(y, isr)
    jmp(x_dec, "low")
    wrap()


class Rp2Pulses:
    """One output on state machine `machine_id` (0..7, or 11 on an RP2350).

    `control` is needed for an output that may be inverted: machine.mem32, the address of the pin's
    GPIOn_CTRL and the place of OUTOVER in it, 8 on an RP2040 and 12 on an RP2350.
    """

    def __init__(
        self, machine_id: int, pin: "Pin", control: "tuple[Registers, int, int] | None" = None
    ) -> None:
        self._machine_id = machine_id
        self._pin = pin
        self._control = control
        self._inverted = 0
        self._pace = Pace()
        self._start()

    def _start(self) -> None:
        self._owed = 0  # pulses that found no room
        self._last = 0  # pulses of the order last given
        self._idle = time.ticks_us()  # when the pin falls for the last time
        self._lit = False
        self._machine = rp2.StateMachine(
            self._machine_id, give_pulses, freq=_TICK_HZ, set_base=self._pin
        )
        if self._inverted:  # what the state machine has just reset
            self.invert(True)
        self._machine.exec(_MOV_X_ONES)  # no pulse is left, `flush` will read
        self._machine.active(1)

    def train(self, count: int, first_q8: int, step_q8: int, width_us: int, span_us: int) -> None:
        """Give pulses within the span that follows the last one (hal.PulseOutput)."""
        if not span_us:
            self._burst(self._stop() + count)
            return
        play_us = self._pace.span(span_us)
        count += self._owed
        if not count:
            return
        if self._machine.tx_fifo():
            self._owed = count  # spans came too fast; the next one makes up for it
            return
        first_q8 = first_q8 * play_us // span_us
        if self._owed:
            step_q8 = ((play_us << 8) - first_q8) // count
            width_us = min(width_us, step_q8 >> 9)
            self._owed = 0
        else:
            step_q8 = step_q8 * play_us // span_us
        if self._lit:
            self._level(False)
        now = time.ticks_us()
        idle_us = max(0, time.ticks_diff(self._idle, now))
        begin_us = time.ticks_diff(self._pace.begin, now)
        gap_q8 = max(0, (begin_us - idle_us << 8) + first_q8)
        high = max(1, (width_us << 8 >> _TICK_SHIFT) - _HIGH_CYCLES)
        low = (step_q8 >> _TICK_SHIFT) - _HIGH_CYCLES - high - _LOW_CYCLES
        for word in (count - 1, gap_q8 >> _TICK_SHIFT, max(1, low), high):
            self._machine.put(word)
        self._last = count
        self._idle = time.ticks_add(
            now, idle_us + (gap_q8 + (count - 1) * step_q8 >> 8) + width_us
        )

    def steady(self, lit: bool) -> None:
        """Hold this level while there is no pulse."""
        if time.ticks_diff(self._idle, time.ticks_us()) <= 0 and lit != self._lit:
            self._level(lit)

    def invert(self, inverted: bool) -> None:
        """Let a pulse be a low level, and rest high, or not.

        Raises ValueError if the board has not said how.
        """
        if self._control is None:
            if inverted:
                raise ValueError("a pulse output that cannot be inverted")
            return
        memory, address, shift = self._control
        self._inverted = _INVERT if inverted else 0
        memory[address] = memory[address] & ~(_OVERRIDE << shift) | self._inverted << shift

    def flush(self) -> None:
        """Give what is still to come now: there may be no later."""
        self._burst(self._stop())

    def _stop(self) -> int:
        """Begin anew; return how many pulses were still to come."""
        machine = self._machine
        machine.active(0)
        while machine.tx_fifo() % _WORDS:  # stopped while it took an order
            machine.active(1)
            machine.active(0)
        left = self._owed + (self._last if machine.tx_fifo() else 0)
        machine.exec(_MOV_ISR_X)
        machine.exec(_PUSH)
        high = 0 if self._lit else self._pin.value() ^ self._inverted
        left += (machine.get() + 1 - high) & _COUNT_MASK
        self._level(False)
        self._start()
        return left

    def _level(self, lit: bool) -> None:
        self._lit = lit
        self._machine.exec(_SET_HIGH if lit else _SET_LOW)

    def _burst(self, count: int) -> None:
        """Give pulses as fast as they can be told apart: before the power goes, after a leap.

        The processor does not wait: all outputs are at it together, while it keeps what counts.
        """
        if count:
            for word in (count - 1, 0, _BURST_LOW, _BURST_HIGH):
                self._machine.put(word)
            self._last = count
            self._idle = time.ticks_add(time.ticks_us(), 2 * _BURST_US * count)
