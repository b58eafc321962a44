"""The choices of parts, of which a board takes one (`fitted.py`), and how they are put in."""

import sys

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from app.core import Core
    from app.cosem.objects import Build
    from hal import Board

    class Meter(Protocol):
        """What has chosen; each part says by itself what else it needs."""

        board: Board


# The module of each choice's composition root, then its parts in the order in which they are
# fitted; the choice that has most comes first.
CHOICES = {
    "full": ("meter", "parts.quality", "parts.tariff", "parts.readout"),
    "standard": ("meter", "parts.tariff", "parts.readout"),
    "basic": ("meter",),
    "look": ("first_look",),
}


def root(choice: str) -> "Callable[[Board], Core]":
    """Return the class of meter that a choice stands on. Raises ValueError for none of them."""
    return _module(_modules(choice)[0]).Meter


def fit(meter: "Meter") -> "list[Build]":
    """Build the parts that the board has chosen; return what adds their objects."""
    sections: list[Build] = []
    for name in _modules(meter.board.choice)[1:]:
        sections += _module(name).fit(meter)
    return sections


def join(meter: "Meter") -> None:
    """Tie the parts to what has been built since."""
    for name in _modules(meter.board.choice)[1:]:
        _module(name).join(meter)


def _modules(choice: str) -> "tuple[str, ...]":
    if choice not in CHOICES:
        raise ValueError("parts {} are none of {}".format(choice, ", ".join(sorted(CHOICES))))
    return CHOICES[choice]


def _module(name: str) -> "Any":  # noqa: ANN401 - each part has its own
    name = "app." + name
    __import__(name)
    return sys.modules[name]
