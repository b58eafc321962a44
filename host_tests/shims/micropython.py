"""MicroPython's module `micropython` on CPython: decorators and heap calls that firmware uses.

`viper` functions run as plain Python. Their pointer arguments become `viper_memory.Pointer`
objects, so a kernel reads and writes its buffers with the widths the compiled code has; arithmetic
is Python's own and does not overflow. What 32-bit registers make of it is the matter of
host_tests/arm, which runs the compiled code.
"""

import viper_memory

__all__ = [
    "alloc_emergency_exception_buf",
    "const",
    "heap_lock",
    "heap_unlock",
    "mem_info",
    "native",
    "opt_level",
    "qstr_info",
    "schedule",
    "stack_use",
    "viper",
]

viper = viper_memory.viper


def const(value):
    return value


def native(function):
    return function


def opt_level(level=None):
    return 0 if level is None else None


def alloc_emergency_exception_buf(size):
    """Nothing to reserve: CPython raises in interrupt-like code as anywhere."""


_lock_depth = 0


def heap_lock():
    """CPython cannot lock its heap; only the depth is kept, so that callers balance."""
    global _lock_depth
    _lock_depth += 1
    return _lock_depth


def heap_unlock():
    global _lock_depth
    if _lock_depth == 0:
        raise RuntimeError("heap_unlock without heap_lock")
    _lock_depth -= 1
    return _lock_depth


def mem_info(verbose=0):
    """CPython has no such report."""


def qstr_info(verbose=0):
    """CPython has no such report."""


def stack_use():
    return 0


def schedule(function, argument):
    """Run `function` at once: on CPython nothing runs in interrupt context."""
    function(argument)
