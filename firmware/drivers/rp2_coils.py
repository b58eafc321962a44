"""The two coils of a latching relay on a PIO state machine of an RP2040 or RP2350.

Once an order is in its FIFO the state machine gives the coil 51 ms and keeps half a second of
pause, and the processor has no part in it. Whatever the program does then, also nothing any more,
no coil is driven for longer, and never both. After a reset the pins float: the coils' drivers need
pull-downs. The two pins are neighbours, the opening coil's first. drivers/timed_relay.py makes
a `hal.Relay` of it.
"""

# The stubs leave the types of the assembler's operands open.
# pyright: reportUnknownVariableType=false

import rp2
from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import Pin
    from rp2.asm_pio import (
        block,
        jmp,
        label,
        out,
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

_OPEN = const(1)  # an order is the level of both pins
_CLOSE = const(2)
_FREQUENCY_HZ = const(20_000)


@rp2.asm_pio(
    out_init=[rp2.PIO.OUT_LOW, rp2.PIO.OUT_LOW],
    set_init=[rp2.PIO.OUT_LOW, rp2.PIO.OUT_LOW],
    out_shiftdir=rp2.PIO.SHIFT_RIGHT,
)
def drive_coil() -> None:
    """Take an order, drive its coil for 1025 cycles, let both rest for 9246."""
    wrap_target()
    pull(block)
    out(pins, 2)
    set(x, 31)
    label("pulse")
    jmp(x_dec, "pulse")[31]
    set(pins, 0)
    set(y, 8)
    label("pause")
    set(x, 31)
    label("rest")
    jmp(x_dec, "rest")[31]
    jmp(y_dec, "pause")
    wrap()


class Rp2Coils:
    """The coils on state machine `machine_id` (0..7, or 11 on an RP2350)."""

    def __init__(self, machine_id: int, pin_open: "Pin", pin_close: "Pin") -> None:
        pin_open.value(0)
        pin_close.value(0)
        self._machine = rp2.StateMachine(
            machine_id, drive_coil, freq=_FREQUENCY_HZ, out_base=pin_open, set_base=pin_open
        )
        self._machine.active(1)

    def pulse(self, closing: bool) -> None:
        """Begin a pulse; one that is under way is ended first, with its pause."""
        self._machine.put(_CLOSE if closing else _OPEN)
