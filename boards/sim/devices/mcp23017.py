"""MCP23017, sixteen lines behind an I2C bus (Microchip DS20001952 revision D).

Registers as with IOCON.BANK clear: pairs of ports A and B, the address moves on by itself within
all of them (SEQOP clear). Interrupts on change compare with the last level (INTCON clear) and
latch the levels until GPIO or INTCAP is read. GPA7 and GPB7 give levels only; what reads them as
inputs gets nothing to rely on, here a zero.

Not modelled: IOCON.BANK and SEQOP, comparison with DEFVAL, separate interrupt pins. A driver that
sets these bits is refused.
"""

from micropython import const

from .chip import Chip, float_high

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

_ADDRESS = const(0x20)
_IODIR = const(0x00)
_IPOL = const(0x02)
_GPINTEN = const(0x04)
_INTCON = const(0x08)
_IOCON = const(0x0A)
_GPPU = const(0x0C)
_INTF = const(0x0E)
_INTCAP = const(0x10)
_GPIO = const(0x12)
_OLAT = const(0x14)
_REGISTERS = const(0x16)
_IOCON_KNOWN = const(0x46)  # MIRROR, ODR, INTPOL
_OUTPUT_ONLY = const(0x80)


class Mcp23017(Chip):
    """The chip with its lines; `interrupt()` is INTA with a pull-up at its end."""

    NAME = "expander"

    def __init__(self) -> None:
        super().__init__()
        self.on_interrupt: Callable[[], None] | None = None  # told when INTA falls
        self._outside: list[int | None] = [None] * 16  # levels from outside, None: an open wire
        self._registers = bytearray(_REGISTERS)
        self._last = [0, 0]  # levels that a change is held against
        self._pointer = 0
        self._reset()

    # Physical side.

    def drive(self, line: int, level: "int | None") -> None:
        """Put a level on line 0 (GPA0) to 15 (GPB7), None: leave it open."""
        self._outside[line] = level
        self._look()

    def output(self, line: int) -> "int | None":
        """Level that the chip gives on a line, None while it does not drive it."""
        port, bit = line >> 3, 1 << (line & 7)
        if not self.powered or self._registers[_IODIR + port] & bit:
            return None
        return 1 if self._registers[_OLAT + port] & bit else 0

    def interrupt(self) -> int:
        """Level of INTA: low while a change has not been read."""
        return (
            0 if self.answers() and (self._registers[_INTF] or self._registers[_INTF + 1]) else 1
        )

    def power(self, on: bool) -> None:
        """Power-on reset: inputs without pull-ups or interrupts."""
        if on and not self.powered:
            self._reset()
        super().power(on)
        self._look()

    # Bus side.

    def i2c_write(self, address: int, data: "bytes | bytearray | memoryview") -> int:
        """Take a write transaction: the first byte is the register pointer. See the protocol."""
        if address != _ADDRESS or not self.answers():
            return -1
        for index in range(len(data)):
            if not index:
                self._pointer = data[0] % _REGISTERS
                continue
            self._write(self._pointer, data[index])
            self._pointer = (self._pointer + 1) % _REGISTERS
        self._look()
        return len(data)

    def i2c_read(self, address: int, buf: "bytearray | memoryview") -> int:
        """Fill `buf` from the register pointer on; 0, or -1 if the chip does not answer."""
        if address != _ADDRESS or not self.answers():
            float_high(buf)
            return -1
        for index in range(len(buf)):
            buf[index] = self._read(self._pointer)
            self._pointer = (self._pointer + 1) % _REGISTERS
        self._look()
        return 0

    # What the chip does inside.

    def _reset(self) -> None:
        for index in range(_REGISTERS):
            self._registers[index] = 0xFF if index < _IPOL else 0
        self._pointer = 0
        self._last = [self._levels(0), self._levels(1)]

    def _levels(self, port: int) -> int:
        levels = 0
        for bit in range(8):
            mask = 1 << bit
            level = self._outside[8 * port + bit]
            if not self._registers[_IODIR + port] & mask:
                level = self._registers[_OLAT + port] & mask
            elif mask == _OUTPUT_ONLY:
                level = 0
            elif level is None:
                level = self._registers[_GPPU + port] & mask
            if level:
                levels |= mask
        return levels ^ self._registers[_IPOL + port] & self._registers[_IODIR + port]

    def _look(self) -> None:
        """Latch a change of a line whose interrupt is on."""
        if not self.answers():
            return
        before = self.interrupt()
        for port in range(2):
            levels = self._levels(port)
            changed = (levels ^ self._last[port]) & self._registers[_GPINTEN + port]
            if changed and not self._registers[_INTF + port]:
                self._registers[_INTF + port] = changed
                self._registers[_INTCAP + port] = levels
        if before and not self.interrupt() and self.on_interrupt:
            self.on_interrupt()

    def _read(self, register: int) -> int:
        if not _INTCAP <= register < _OLAT:
            return self._registers[register]
        port = register & 1
        value = self._levels(port) if register >= _GPIO else self._registers[register]
        # either of both clears the interrupt; from now on these levels are the old ones
        self._registers[_INTF + port] = 0
        self._last[port] = self._levels(port)
        return value

    def _write(self, register: int, value: int) -> None:
        port = register & 1
        if register in (_IOCON, _IOCON + 1):
            if value & ~_IOCON_KNOWN:
                raise ValueError("MCP23017: a mode that the model does not have")
            self._registers[_IOCON] = self._registers[_IOCON + 1] = value
        elif register in (_INTCON, _INTCON + 1) and value:
            raise ValueError("MCP23017: a mode that the model does not have")
        elif _GPIO <= register < _OLAT:
            self._registers[_OLAT + port] = value
        elif not _INTF <= register < _GPIO:  # flags and captures are read-only
            self._registers[register] = value
        if (
            register < _IPOL
            or _GPINTEN <= register < _GPINTEN + 2
            or register in (_GPPU, _GPPU + 1)
        ):
            self._last[port] = self._levels(port)
