"""Disturbances of the mains: a state that holds for a time and goes by itself, once or in a row.

What the bench had set before, or a scenario sets meanwhile, waits beneath and holds again after.
Times are simulated ones, so a sag of 200 ms is one at any rate and in a leap.
"""

import fields
import timeline
from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mains import Mains

    Course = tuple[int, int, int]  # for_ms, times, every_ms

_LONGEST_MS = const(3_600_000)
_MOST_TIMES = const(1000)
_MS_US = const(1000)


def parse(request: object) -> "tuple[dict[str, object], Course | None]":
    """Take `for_ms`, `times` and `every_ms` out of a request for the mains. Raises ValueError."""
    rest = dict(fields.as_object(request, "the mains"))
    row = [name for name in ("times", "every_ms") if name in rest]
    if "for_ms" not in rest:
        if row:
            raise ValueError(row[0] + " belongs to for_ms")
        return rest, None
    for_ms = fields.as_whole(rest.pop("for_ms"), 1, _LONGEST_MS, "for_ms")
    if len(row) == 1:
        raise ValueError("times and every_ms belong together")
    times = fields.as_whole(rest.pop("times", 1), 1, _MOST_TIMES, "times")
    every_ms = fields.as_whole(rest.pop("every_ms", for_ms + 1), 1, _LONGEST_MS, "every_ms")
    if every_ms <= for_ms:
        raise ValueError("every_ms must be longer than for_ms")
    if not rest:
        raise ValueError("for_ms: say what shall hold so long")
    return rest, (for_ms, times, every_ms)


class Disturbance:
    """Lets a disturbed mains come and go; `take` is told the mains that holds from now on."""

    def __init__(self, take: "Callable[[Mains], None]") -> None:
        self._take = take
        self._event: object = None
        self._course: Course = (0, 0, 0)
        self._left = 0  # how often it still comes, the one that holds included
        self._holds = False
        self._disturbed: Mains | None = None
        self.beneath: Mains | None = None  # what holds after and between, None: nothing runs

    def begin(self, disturbed: "Mains", beneath: "Mains", course: "Course") -> None:
        """Begin now; one that runs is over."""
        self.drop()
        self._course, self._left = course, course[1]
        self._disturbed, self.beneath = disturbed, beneath
        self._come()

    def drop(self) -> None:
        """Forget what runs; the mains stays as it is."""
        timeline.cancel(self._event)
        self._event = self._disturbed = self.beneath = None
        self._holds = False

    def under(self, beneath: "Mains") -> bool:
        """Let another state wait beneath; False if nothing covers it at this moment."""
        if self.beneath is not None:
            self.beneath = beneath
        return self._holds

    def _come(self) -> None:
        assert self._disturbed is not None
        for_ms, _, _ = self._course
        self._holds = True
        self._event = timeline.after(for_ms * _MS_US, self._go)
        self._take(self._disturbed)

    def _go(self) -> None:
        assert self.beneath is not None
        for_ms, _, every_ms = self._course
        self._holds = False
        self._left -= 1
        beneath = self.beneath
        if self._left:
            self._event = timeline.after((every_ms - for_ms) * _MS_US, self._come)
        else:
            self.drop()
        self._take(beneath)
