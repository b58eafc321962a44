"""Watches the order of the phases (row MET-31): L2 must follow L1, and L3 follow L2.

Asked after every window of the metrology; measuring itself does not depend on the order. A wrong
order counts when it has lasted, so that a fault that comes and goes makes no event.
"""

from micropython import const

from app import event_codes

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from metrology.engine import Engine

_WINDOWS = const(10)  # 2 s


class PhaseSequence:
    """Made once for an engine, it follows each of its windows."""

    def __init__(self, engine: "Engine", on_event: "Callable[[int], None]") -> None:
        self._wrong = False
        self._quantities = engine.quantities
        self._on_event = on_event
        self._windows = 0  # in a row that say otherwise than `_wrong`
        engine.on_window.append(self.window)

    def is_wrong(self) -> bool:
        """Tell whether the phases follow each other in the wrong order."""
        return self._wrong

    def window(self) -> None:
        """Look at the window that has just been measured."""
        wrong = self._quantities.rotation() < 0
        if wrong == self._wrong:
            self._windows = 0
            return
        self._windows += 1
        if self._windows >= _WINDOWS:
            self._windows = 0
            self._wrong = wrong
            if wrong:
                self._on_event(event_codes.PHASE_SEQUENCE_REVERSED)
