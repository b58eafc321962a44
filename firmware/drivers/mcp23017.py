"""MCP23017: sixteen slow lines on an I2C bus (Microchip DS20001952), each as a `hal.Input`.

For boards with fewer pins than lines: keys, covers, switches, sense contacts, and two outputs that
nobody waits for. Lines 7 and 15 (GPA7, GPB7) are outputs only (data sheet revision D, errata of
the silicon); the others are inputs with the chip's pull-ups of 100 k.

The chip's interrupt pin (open drain) falls when a line changes; besides, a slow timer looks, so
that a chip which was away comes back. A chip that does not answer reads as lines that nobody
drives: high, as if their wires were cut.
"""

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from collections.abc import Callable

    from machine import I2C, Pin, Timer

_ADDRESS = const(0x20)  # A2 to A0 at ground
_IODIR = const(0x00)  # the first of fourteen registers that `_configure` writes in one go
_GPPU = const(0x0C)  # from here to GPIO: pull-ups, interrupt flags and captures, levels
_OLAT = const(0x14)
_IOCON_VALUE = const(0x44)  # one interrupt pin for both ports, open drain
_IOCON_AT = const(10)
_ALL = const(0xFFFF)
_OUTPUTS = const(0x8080)
_LOOKS = const(4)  # at most, while the interrupt pin stays low
_BEAT_MS = const(500)


class Mcp23017:
    """The chip on `i2c`; `interrupt` is the processor's pin with a pull-up, `timer` its own.

    errors: how often it did not answer, ever rising
    """

    def __init__(self, i2c: "I2C", interrupt: "Pin", timer: "Timer") -> None:
        self.errors = 0
        self._i2c = i2c
        self._interrupt = interrupt
        self._levels = _ALL  # as last read
        self._outputs = 0
        self._lines: list[ExpanderLine] = []  # that somebody watches
        self._settings = bytearray(14)
        for at, octet in ((0, 0x7F), (4, 0x7F), (_IOCON_AT, _IOCON_VALUE), (12, 0x7F)):
            self._settings[at] = self._settings[at + 1] = octet  # both ports alike
        self._seen = bytearray(8)
        self._two = bytearray(2)
        interrupt.irq(self._changed, trigger=interrupt.IRQ_FALLING)
        timer.init(mode=timer.PERIODIC, period=_BEAT_MS, callback=self._changed)

    def line(self, number: int) -> "ExpanderLine":
        """Return line 0 (GPA0) to 15 (GPB7). Raises ValueError for another."""
        if not 0 <= number <= 15:
            raise ValueError("MCP23017: line")
        return ExpanderLine(self, 1 << number)

    def check(self) -> None:
        """Raise OSError if the chip does not answer: then all lines read 1."""
        self._read()

    def levels(self) -> int:
        """Return the levels of all lines, and tell those who watch one that has changed."""
        before = self._levels
        try:
            self._read()
        except OSError:
            self.errors += 1
            self._levels = _ALL
        changed = before ^ self._levels
        if changed:
            for line in self._lines:
                if line.bit & changed:
                    line.moved(self._levels & line.bit)
        return self._levels

    def drive(self, bit: int, level: int) -> None:
        """Set an output; one that the chip does not take now it takes when it answers again."""
        self._outputs = self._outputs | bit if level else self._outputs & ~bit
        try:
            self._write_outputs()
        except OSError:
            self.errors += 1

    def watch(self, line: "ExpanderLine") -> None:
        """Tell `line` of its changes from now on."""
        if line not in self._lines:
            self._lines.append(line)
        self.levels()

    def _changed(self, _source: object) -> None:
        """Take the interrupt, or the timer's beat; both are soft ones."""
        for _ in range(_LOOKS):
            self.levels()
            if self._interrupt.value():
                break

    def _read(self) -> None:
        seen = self._seen
        self._i2c.readfrom_mem_into(_ADDRESS, _GPPU, seen)
        if seen[0] != 0x7F or seen[1] != 0x7F:  # a chip just switched on has no pull-ups
            self._i2c.writeto_mem(_ADDRESS, _IODIR, self._settings)
            self._write_outputs()
            self._i2c.readfrom_mem_into(_ADDRESS, _GPPU, seen)
        self._levels = seen[6] | seen[7] << 8 | _OUTPUTS

    def _write_outputs(self) -> None:
        self._two[0] = self._outputs & 0xFF
        self._two[1] = self._outputs >> 8
        self._i2c.writeto_mem(_ADDRESS, _OLAT, self._two)


class ExpanderLine:
    """One line, used as `machine.Pin` is."""

    IRQ_FALLING = 4
    IRQ_RISING = 8

    def __init__(self, chip: Mcp23017, bit: int) -> None:
        self.bit = bit
        self._chip = chip
        self._handler: Callable[[object], None] | None = None
        self._trigger = 0

    def value(self, level: "int | None" = None) -> int:
        """Return the level, or set that of an output."""
        if level is None:
            return 1 if self._chip.levels() & self.bit else 0
        self._chip.drive(self.bit, level)
        return level

    def irq(self, handler: "Callable[[object], None]", trigger: int) -> None:
        """Call `handler(line)` at the edges of `trigger`, soon after them."""
        self._handler = handler
        self._trigger = trigger
        self._chip.watch(self)

    def moved(self, high: int) -> None:
        """Take an edge from the chip."""
        edge = self.IRQ_RISING if high else self.IRQ_FALLING
        if self._handler is not None and self._trigger & edge:
            self._handler(self)
