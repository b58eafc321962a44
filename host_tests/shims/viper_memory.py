"""Pointers and the decorator of MicroPython's viper compiler, in plain Python for CPython.

In compiled viper code `ptr32(buffer)` is a machine address: indexing reads signed 32-bit words,
`ptr8` and `ptr16` read unsigned bytes and halfwords, a store keeps the low bits, and
`ptr32(int(p) + 24)` walks on. Here an address is a number that this module hands out: each buffer
seen during a viper call gets a range of its own, which ends with the outermost call.
An access outside the buffer raises IndexError, where the machine would corrupt memory.
"""

import bisect
import functools
import inspect

_PAGE = 1 << 20  # ranges start at multiples of this
_SLACK = 64  # bytes of the longest frame
_FORMAT = {1: "B", 2: "H", 4: "i"}


class _Buffer:
    """A buffer that running viper code knows, and its range of addresses."""

    __slots__ = ("base", "cells", "owner", "size", "view")

    def __init__(self, owner, base):
        self.owner = owner  # kept alive, so that its identity stays its own
        self.view = memoryview(owner).cast("B")
        self.size = len(self.view)
        self.base = base
        self.cells = {}  # by width: as many as are whole

    def of_width(self, width):
        cells = self.cells.get(width)
        if cells is None:
            cells = self.view[: self.size // width * width].cast(_FORMAT[width])
            self.cells[width] = cells
        return cells


class _Memory:
    """The ranges of the buffers that running viper code knows."""

    def __init__(self):
        self.depth = 0
        self.clear()

    def clear(self):
        self.bases = []
        self.buffers = []
        self.by_identity = {}
        self.last = None

    def address_of(self, buffer):
        """The address of the buffer's first byte; the same buffer keeps its range."""
        known = self.by_identity.get(id(buffer))
        if known is not None:
            return known.base
        last = self.buffers[-1].base + self.buffers[-1].size if self.buffers else 0
        added = _Buffer(buffer, (last // _PAGE + 1) * _PAGE)
        self.bases.append(added.base)
        self.buffers.append(added)
        self.by_identity[id(buffer)] = added
        return added.base

    def locate(self, address):
        """The buffer that `address` points into.

        A pointer may walk a frame past the end; reading or writing there is the error.
        """
        at = bisect.bisect_right(self.bases, address) - 1
        if at < 0 or address - self.bases[at] > self.buffers[at].size + _SLACK:
            raise IndexError(f"address {address:#x} points to no buffer")
        self.last = self.buffers[at]
        return self.last


_memory = _Memory()


class Pointer:
    """A typed pointer; words are signed, the others unsigned."""

    __slots__ = ("address", "cells", "first")
    width = 1
    mask = 0xFF

    def __init__(self, target):
        if isinstance(target, int):
            address = target
        elif isinstance(target, Pointer):
            address = target.address
        else:
            address = _memory.address_of(target)
        buffer = _memory.last  # a pointer mostly walks on where it is
        if buffer is None or not 0 <= address - buffer.base <= buffer.size:
            buffer = _memory.locate(address)
        first = address - buffer.base
        if first % self.width:
            raise ValueError(f"address {address:#x} is not aligned to {self.width} bytes")
        self.cells = buffer.cells.get(self.width) or buffer.of_width(self.width)
        self.first = first // self.width
        self.address = address

    def __int__(self):
        return self.address

    def __getitem__(self, index):
        if index < 0:
            raise IndexError("index before the pointer")
        return self.cells[self.first + index]

    def __setitem__(self, index, value):
        if index < 0:
            raise IndexError("index before the pointer")
        value &= self.mask
        if self.width == 4 and value & 0x8000_0000:
            value -= 0x1_0000_0000
        self.cells[self.first + index] = value


class ptr8(Pointer):  # noqa: N801 - viper's name
    """Unsigned bytes at a buffer, an address or another pointer."""

    __slots__ = ()


class ptr16(Pointer):  # noqa: N801
    __slots__ = ()
    width = 2
    mask = 0xFFFF


class ptr32(Pointer):  # noqa: N801
    __slots__ = ()
    width = 4
    mask = 0xFFFF_FFFF


ptr = ptr8


def uint(value):
    """The value as the unsigned register of a 64-bit machine holds it."""
    return int(value) & 0xFFFF_FFFF_FFFF_FFFF


def _as_int(value):
    value = int(value)
    if not -(1 << 63) <= value < 1 << 64:
        raise OverflowError(f"{value} does not fit a register")
    return value


_CONVERT = {
    "ptr": ptr, "ptr8": ptr8, "ptr16": ptr16, "ptr32": ptr32,
    "int": _as_int, "uint": uint, "bool": bool,
}  # fmt: skip


def _kind(annotation):
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")


def viper(function):
    """Call `function` with its arguments converted as their annotations say."""
    parameters = inspect.signature(function).parameters.values()
    converters = tuple(_CONVERT.get(_kind(p.annotation)) for p in parameters)
    count = len(converters)

    @functools.wraps(function)
    def call(*arguments):
        if len(arguments) != count:
            raise TypeError(f"{function.__name__} takes {count} arguments, {len(arguments)} given")
        _memory.depth += 1
        try:
            return function(
                *[
                    convert(value) if convert else value
                    for convert, value in zip(converters, arguments)
                ]
            )
        finally:
            _memory.depth -= 1
            if not _memory.depth:
                _memory.clear()

    return call
