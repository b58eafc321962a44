"""Single action schedules: a script at dates and times, with or without open parts (class 22).

Rows TOU-22, TOU-23, BIL-09 to BIL-12. However far the clock jumps, forward or back, and however
long power was away, a schedule acts once for all the moments it has missed, and says which was
the first of them. Only moments that come again are made up for when the clock goes back over
them: an exact one comes by itself.
"""

import struct

from micropython import const

import civil
from app.tariff import patterns

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.settings import Settings

    Moment = tuple[bytes, bytes]  # time of 4 octets, date of 5

MOMENTS_MAX = const(4)
FIRST_OF_MONTH = (b"\x00\x00\x00\x00", b"\xff\xff\xff\x01\xff")  # at midnight
_MOMENT_SIZE = const(9)
_SCRIPT = ">6sHB"  # script table, selector, type
_SCRIPT_SIZE = const(9)
_NO_SCRIPT = b"\x00\x00\x00\x00\x00\x00"
_TYPE_DEFAULT = const(5)
TYPE_MAX = const(5)
_SAME_TIME = (1, 2, 3)  # types whose entries have one time of day
_NO_WILDCARDS = (2, 4)  # types whose dates are exact


class SingleAction:
    """One schedule over a setting; `allowed` holds the scripts it may name, none: every one.

    `moments` are those of a new meter.
    """

    def __init__(
        self,
        settings: "Settings",
        key: str,
        factory: "tuple[bytes, int]",
        allowed: "tuple[tuple[bytes, int], ...]" = (),
        moments: "tuple[Moment, ...]" = (),
    ) -> None:
        self._settings = settings
        self._key = key
        self._allowed = allowed
        self.script, self.selector = factory
        self.type = _TYPE_DEFAULT
        self.moments: list[Moment] = list(moments)
        stored = settings.get(key)
        if len(stored) >= _SCRIPT_SIZE:
            self.moments = []
            self.script, self.selector, self.type = struct.unpack_from(_SCRIPT, stored)
            for at in range(_SCRIPT_SIZE, len(stored), _MOMENT_SIZE):
                self.moments.append((stored[at : at + 4], stored[at + 4 : at + _MOMENT_SIZE]))

    def set_script(self, script: bytes, selector: int) -> None:
        """Choose what is executed. Raises ValueError for what this schedule may not."""
        if self._allowed and (script, selector) not in self._allowed:
            raise ValueError("this schedule cannot execute that script")
        self._store(script, selector, self.type, self.moments)

    def set_type(self, number: int) -> None:
        """Set the type, 1 to 5. Raises ValueError if the present moments do not fit it."""
        _check_type(number, self.moments)
        self._store(self.script, self.selector, number, self.moments)

    def set_moments(self, moments: "list[Moment]") -> None:
        """Replace the moments; an empty or a wholly open one never comes (row TOU-23).

        Raises ValueError for more than four, what is no date or time, seconds that are not 0, or
        what the type forbids.
        """
        if len(moments) > MOMENTS_MAX:
            raise ValueError("a schedule has at most 4 moments")
        for time, date in moments:
            patterns.check_time(time)
            patterns.check_date(date)
            if time[2] not in (0, patterns.OPEN):
                raise ValueError("a schedule acts on the minute")
        _check_type(self.type, moments)
        self._store(self.script, self.selector, self.type, moments)

    def first_between(self, after_s: int, until_s: int, repeats: bool = False) -> int:
        """Return the first moment in (after_s, until_s] of local time, -1 if there is none.

        `repeats`: of those that come again.
        """
        first = -1
        for time, date in self.moments:
            if _is_disabled(time, date) or (repeats and not patterns.has_wildcard(date)):
                continue
            at = patterns.first_time(date, time, after_s, until_s)
            if at >= 0 and (first < 0 or at < first):
                first = at
        return first

    def _store(self, script: bytes, selector: int, number: int, moments: "list[Moment]") -> None:
        encoded = struct.pack(_SCRIPT, script, selector, number)
        for time, date in moments:
            encoded += time + date
        self._settings.put(self._key, encoded)
        self.script, self.selector, self.type = script, selector, number
        self.moments = moments


class Midnights:
    """Each local midnight, for a script that no client chooses."""

    def __init__(self, script: bytes, selector: int) -> None:
        self.script = script
        self.selector = selector

    def first_between(self, after_s: int, until_s: int, repeats: bool = False) -> int:
        """Return the first midnight in (after_s, until_s] of local time, -1 if there is none."""
        first_s = (after_s // civil.DAY_S + 1) * civil.DAY_S
        return first_s if first_s <= until_s else -1


def _is_disabled(time: bytes, date: bytes) -> bool:
    return patterns.is_open(date) and time[:3] == b"\xff\xff\xff"


def _check_type(number: int, moments: "list[Moment]") -> None:
    if not 1 <= number <= TYPE_MAX:
        raise ValueError("the type of a schedule is 1 to 5")
    if number == 1 and len(moments) > 1:
        raise ValueError("a schedule of type 1 has one moment")
    for time, date in moments:
        if number in _SAME_TIME and time != moments[0][0]:
            raise ValueError("the moments of this type have one time")
        repeats = patterns.has_wildcard(date) and not _is_disabled(time, date)
        if number in _NO_WILDCARDS and repeats:
            raise ValueError("the dates of this type are exact")
