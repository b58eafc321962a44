"""The error registers: what was found wrong, in three layouts, until a client clears it.

Registers 0-0:97.97.0 to 2 hold the same errors as tables 10.1 to 10.3 lay them out. A bit stays
after its cause has gone; one whose cause lasts comes back when the register is cleared (rows
ERR-01, ERR-02, ERR-12). The filters 0-0:196.97.0 to 2 hide bits, the display filter 196.97.10
keeps bits of the first register off the display's FF (rows ERR-03, ERR-04).

FF stands for any error, once: one that register 0 knows is judged there, so that the display
filter has the last word; others by register 1 and its filter. It stands for fraud as well, until
a client clears register 0 or 1, or bit 31 of the display filter hides it (rows ERR-13, FRD-05).
"""

import struct

from micropython import const

from app import event_codes as codes
from app.logs.events import FRAUD, all_error_bits, error_bits, meaning
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Memory

REGISTERS = const(3)
DISPLAY_FILTER = const(3)  # behind the filters of the registers
_SERIOUS = const(0xF00)  # IDIS: memory of program, RAM and data, measurement
_FRAUD_MARK = const(1)  # of the marks
_FRAUD_FILTER = 0x80000000  # bit of the display filter
_FORM = "<8I"  # registers, filters, marks
_FORM_1 = "<7I"  # without marks
_MARKS = const(7)

# what the storage's map calls it, or part of that: event
_DAMAGES = (
    ("energies", codes.BACKUP_DAMAGED),
    ("parameters", codes.PARAMETERS_DAMAGED),
    ("calibration", codes.CALIBRATION_DAMAGED),
    ("_log", codes.LOG_DAMAGED),
    ("profile", codes.PROFILE_DAMAGED),
    ("billing", codes.PROFILE_DAMAGED),
    ("flash", codes.FLASH_FAILED),
    ("sector", codes.FLASH_FAILED),
)


class ErrorRegisters:
    """The three registers and their filters, kept in FRAM.

    lasting: pairs (event code, callable that tells whether its cause lasts)
    on_serious: called when an error comes up, or again, that data have to be marked for
    """

    def __init__(self, memory: "Memory") -> None:
        self.lasting: list[tuple[int, Callable[[], bool]]] = []
        self.on_serious: Callable[[], None] | None = None
        self._record = regions.open_record(memory, "errors")
        self._values = [0] * (_MARKS + 1)
        self._only_second = _only_second()
        try:
            payload = self._record.load()
            for form in (_FORM, _FORM_1):
                if payload is not None and len(payload) == struct.calcsize(form):
                    values = struct.unpack(form, payload)
                    self._values[: len(values)] = values
        except OSError:
            pass  # it will be set again by whoever misses the memory

    def value(self, register: int) -> int:
        """Return a register as its filter lets it be seen."""
        return self._values[register] & ~self._values[REGISTERS + register]

    def fault(self) -> bool:
        """Tell whether the display shows FF."""
        shown = ~self._values[REGISTERS + DISPLAY_FILTER]
        if self.value(0) & shown or self.value(1) & self._only_second:
            return True
        return self._values[_MARKS] != 0 and shown & _FRAUD_FILTER != 0

    def filter(self, number: int) -> int:
        """Return a filter: 1 hides the bit."""
        return self._values[REGISTERS + number]

    def set_filter(self, number: int, mask: int) -> None:
        """Set a filter. Raises OSError, and keeps the old one."""
        values = list(self._values)
        values[REGISTERS + number] = mask
        self._save(values)
        self._values = values

    def stands(self, code: int) -> bool:
        """Tell whether all bits of an event's error are set; True for an event without."""
        return self._merged(code, True) == self._values[:REGISTERS]

    def serious(self) -> bool:
        """Tell whether the cause of a serious error lasts."""
        return any(lasts() for code, lasts in self.lasting if _is_serious(code))

    def set(self, code: int) -> None:
        """Set the bits of an event's error, and the mark of fraud."""
        marks = self._values[_MARKS] | (_FRAUD_MARK if meaning(code)[0] >> FRAUD & 1 else 0)
        self._change(self._merged(code, True), marks)
        if self.on_serious is not None and _is_serious(code):
            self.on_serious()

    def withdraw(self, code: int) -> None:
        """Take back the bits of an error whose end clears them, as the clock's (row ERR-11)."""
        self._change(self._merged(code, False), self._values[_MARKS])
        self._renew()

    def clear(self, register: int, kept: int) -> None:
        """Clear the bits of a register that `kept` has not; what lasts comes back.

        Bit 31 of register 0, and all of register 1, take the mark of fraud along.
        """
        registers = self._values[:REGISTERS]
        registers[register] &= kept
        forgives = not kept if register == 1 else not (register or kept & _FRAUD_FILTER)
        self._change(registers, 0 if forgives else self._values[_MARKS])
        self._renew()

    def _renew(self) -> None:
        for code, lasts in self.lasting:
            if lasts():
                self.set(code)

    def _merged(self, code: int, standing: bool) -> "list[int]":
        """Return the registers with an error's bits set, or cleared."""
        registers = self._values[:REGISTERS]
        for at, bits in enumerate(error_bits(code)):
            registers[at] |= bits
            if not standing:
                registers[at] ^= bits
        return registers

    def _change(self, registers: "list[int]", marks: int) -> None:
        if registers == self._values[:REGISTERS] and marks == self._values[_MARKS]:
            return
        self._values[:REGISTERS] = registers
        self._values[_MARKS] = marks
        try:
            self._save(self._values)
        except OSError:
            pass  # it holds as long as the meter has power

    def _save(self, values: "list[int]") -> None:
        self._record.save(struct.pack(_FORM, *values))


def _only_second() -> int:
    """Return the bits of register 1 that stand for errors which register 0 does not know.

    Those of fraud are not among them: that has a mark of its own.
    """
    alone = known = 0
    for code, first, second, _ in all_error_bits():
        if first:
            known |= second
        elif not meaning(code)[0] >> FRAUD & 1:
            alone |= second
    return alone & ~known


def _is_serious(code: int) -> bool:
    return error_bits(code)[0] & _SERIOUS != 0


def damage_of(part: str) -> int:
    """Return the event that tells of damage in a part of the storage, named as its map does."""
    for name, code in _DAMAGES:
        if name in part:
            return code
    return codes.MEMORY_ERROR
