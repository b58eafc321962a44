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


class _Memory:
    """The ranges of the buffers that running viper code knows."""

    def __init__(self):
        self.depth = 0
        self.bases = []
        self.views = []
        self.owners = []  # keeps every buffer alive, so that its identity stays its own
        self.by_identity = {}

    def clear(self):
        self.bases.clear()
        self.views.clear()
        self.owners.clear()
        self.by_identity.clear()

    def address_of(self, buffer):
        """The address of the buffer's first byte; the same buffer keeps its range."""
        known = self.by_identity.get(id(buffer))
        if known is not None:
            return known
        view = memoryview(buffer).cast("B")
        last = self.bases[-1] + len(self.views[-1]) if self.bases else 0
        base = (last // _PAGE + 1) * _PAGE
        self.bases.append(base)
        self.views.append(view)
        self.owners.append(buffer)
        self.by_identity[id(buffer)] = base
        return base

    def locate(self, address):
        """Which bytes `address` points into, as (view, offset).

        A pointer may walk a frame past the end; reading or writing there is the error.
        """
        at = bisect.bisect_right(self.bases, address) - 1
        if at < 0 or address - self.bases[at] > len(self.views[at]) + _SLACK:
            raise IndexError(f"address {address:#x} points to no buffer")
        return self.views[at], address - self.bases[at]


_memory = _Memory()


class Pointer:
    """One typed pointer: `width` 1, 2 or 4 bytes; words are signed, the others unsigned."""

    __slots__ = ("address", "cells", "mask", "width")

    def __init__(self, target, width):
        if isinstance(target, Pointer):
            address = target.address
        elif isinstance(target, int):
            address = target
        else:
            address = _memory.address_of(target)
        view, offset = _memory.locate(address)
        if offset % width:
            raise ValueError(f"address {address:#x} is not aligned to {width} bytes")
        whole = max(0, len(view) - offset) // width * width
        self.cells = view[offset : offset + whole].cast(_FORMAT[width])
        self.address = address
        self.width = width
        self.mask = (1 << (8 * width)) - 1

    def __int__(self):
        return self.address

    def __getitem__(self, index):
        if index < 0:
            raise IndexError("index before the pointer")
        return self.cells[index]

    def __setitem__(self, index, value):
        if index < 0:
            raise IndexError("index before the pointer")
        value &= self.mask
        if self.width == 4 and value & 0x8000_0000:
            value -= 0x1_0000_0000
        self.cells[index] = value


def ptr8(target):
    """Unsigned bytes at `target`: a buffer, an address or another pointer."""
    return Pointer(target, 1)


def ptr16(target):
    return Pointer(target, 2)


def ptr32(target):
    return Pointer(target, 4)


def ptr(target):
    return Pointer(target, 1)


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
