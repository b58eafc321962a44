"""Counts a PIO program's instructions and the pins it drives, for tools/board_machine.py.

The programs are written in MicroPython's assembler, whose words are ordinary functions: run
here, each one that makes an instruction counts.
"""

from __future__ import annotations

from typing import Any


class Pio:
    """Constants of rp2.PIO."""

    IN_LOW, IN_HIGH, OUT_LOW, OUT_HIGH = 0, 1, 2, 3
    SHIFT_LEFT, SHIFT_RIGHT = 0, 1
    JOIN_NONE, JOIN_TX, JOIN_RX = 0, 1, 2


class Program:
    """A program: its instructions, and how many pins it drives by `out`, `set` and side-set."""

    def __init__(self, words: list[str], options: dict[str, Any]) -> None:
        self.words = words
        self.driven: dict[str, int] = {}
        for word in ("out", "set", "sideset"):
            levels = options.get(word + "_init")
            if levels is not None:
                self.driven[word] = len(levels) if isinstance(levels, list | tuple) else 1


class _Instruction:
    """What an instruction's word returns: delays and side-set hang on it."""

    def side(self, _value: int) -> _Instruction:
        return self

    def __getitem__(self, _delay: int) -> _Instruction:
        return self


_INSTRUCTIONS = ("jmp", "wait", "in_", "out", "push", "pull", "mov", "irq", "set", "nop", "word")
_DIRECTIVES = ("wrap", "wrap_target", "label")
_OPERANDS = (
    *("pins", "x", "y", "null", "isr", "osr", "pin", "gpio", "pindirs", "status", "pc", "exec"),
    *("block", "noblock", "iffull", "ifempty", "not_x", "x_dec", "not_y", "y_dec", "x_not_y"),
    *("not_osre", "clear", "rel"),
)


def _directive(*_operands: object) -> None:
    """Make no instruction."""


def asm_pio(**options: Any) -> Any:
    """rp2.asm_pio: makes a Program of the function."""

    def assemble(function: Any) -> Program:
        words: list[str] = []

        def instruction(name: str) -> Any:
            def make(*_operands: object) -> _Instruction:
                words.append(name)
                return _Instruction()

            return make

        scope = function.__globals__
        kept = dict(scope)
        scope.update({name: name for name in _OPERANDS})
        scope.update({name: instruction(name) for name in _INSTRUCTIONS})
        scope.update(dict.fromkeys(_DIRECTIVES, _directive))
        scope["invert"] = _directive
        try:
            function()
        finally:
            scope.clear()
            scope.update(kept)
        return Program(words, options)

    return assemble
