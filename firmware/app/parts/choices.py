"""The choices of parts, of which a board takes one (`fitted.py`), and how they are put in."""

import sys

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from app.cosem.objects import Build
    from hal import Board

    class Meter(Protocol):
        """What has chosen; each part says by itself what else it needs."""

        board: Board


# the parts of each choice, in the order in which they are fitted
CHOICES = {
    "full": ("quality", "tariff", "readout"),
    "standard": ("tariff", "readout"),
    "basic": (),
}


def fit(meter: "Meter") -> "list[Build]":
    """Build the parts that the board has chosen; return what adds their objects.

    Raises ValueError for a choice that there is not.
    """
    sections: list[Build] = []
    for part in _parts(meter.board.choice):
        sections += part.fit(meter)
    return sections


def join(meter: "Meter") -> None:
    """Tie the parts to what has been built since."""
    for part in _parts(meter.board.choice):
        part.join(meter)


def _parts(choice: str) -> "Iterator[Any]":
    if choice not in CHOICES:
        raise ValueError("parts {} are none of {}".format(choice, ", ".join(sorted(CHOICES))))
    for part in CHOICES[choice]:
        name = "app.parts." + part
        __import__(name)
        yield sys.modules[name]
