"""What every chip model shares: power and the faults that a test or the bench may ask for."""

from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable
    from typing import Protocol

    Clock = Callable[[], int]  # virtual time in microseconds
    Schedule = Callable[[int, Callable[[], None]], object]  # call at that time

    class Content(Protocol):
        """The file of a non-volatile chip."""

        def read(self, offset: int, n: int) -> bytes:
            """Bytes from `offset` on."""
            ...

        def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
            """Store through to the file."""
            ...

    class Provider(Protocol):
        """The analogue side of a converter."""

        def samples(self, out: array[int], first_index: int, count: int) -> None:
            """Fill `out` with `count` frames from conversion `first_index` on."""
            ...


class Chip:
    """A powered part with named faults.

    `FAULTS` of a model maps each name to its method and the arguments that this takes, each a
    whole number with its default (None: the caller must give it).
    `dead` and `clear` are known to all: a dead chip drives nothing and hears nothing.
    """

    NAME = "chip"
    FAULTS: "dict[str, tuple[str, tuple[tuple[str, int | None], ...]]]" = {}

    def __init__(self) -> None:
        self.powered = True
        self.dead = False
        self.stuck = False
        self.line_broken = False

    def power(self, on: bool) -> None:
        """Give or take the supply. Models extend it by what their registers do then."""
        self.powered = on

    def answers(self) -> bool:
        """Tell whether anything on the bus reaches the chip."""
        return self.powered and not self.dead

    def counts(self) -> "dict[str, int]":
        """What was written to the chip since the program began; empty if nobody asks."""
        return {}

    def fault(self, name: str, **arguments: object) -> None:
        """Start the fault `name`; ValueError for a name or an argument that is not known."""
        if name == "clear":
            self.clear_faults()
            return
        if name == "dead":
            self.dead = True
            return
        if name not in self.FAULTS:
            known = ", ".join(sorted(list(self.FAULTS) + ["clear", "dead"]))
            raise ValueError(f"{self.NAME} has no fault {name!r}, only {known}")
        method, needed = self.FAULTS[name]
        values: list[int] = []
        for key, default in needed:
            value = arguments.pop(key, default)
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(f"fault {name!r} needs a whole number {key!r}")
            values.append(value)
        if arguments:
            raise ValueError(f"fault {name!r} does not know {sorted(arguments)[0]!r}")
        getattr(self, method)(*values)

    def clear_faults(self) -> None:
        """End every fault; what it has already destroyed stays so."""
        self.dead = False
        self.stuck = False
        self.line_broken = False

    def break_line(self) -> None:
        """Cut the line by which the chip says that it has something to read."""
        self.line_broken = True

    def set_stuck(self) -> None:
        """Freeze what the chip holds or measures."""
        self.stuck = True


def float_high(buffer: "bytearray | memoryview | None") -> None:
    """Fill `buffer` with what a master reads while nobody drives the line."""
    if buffer is not None:
        for index in range(len(buffer)):
            buffer[index] = 0xFF


def transfer_length(
    out_buf: "bytes | bytearray | memoryview | None", in_buf: "bytearray | memoryview | None"
) -> int:
    """How many bytes a transfer clocks; the two buffers must agree."""
    if out_buf is None:
        return 0 if in_buf is None else len(in_buf)
    if in_buf is not None and len(in_buf) != len(out_buf):
        raise ValueError("SPI buffers differ in length")
    return len(out_buf)
