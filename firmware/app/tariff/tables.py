"""The four tables of one half of the activity calendar, packed and unpacked (rows TOU-02, TOU-04).

Seasons name weeks, weeks name day profiles, a day profile lists which script runs when. A packed
calendar is a record's payload: every name with its length before it, 6 octets for an action of a
day, whose script table is a number in a list of the few that occur.
"""

import struct

from micropython import const

from app.tariff import patterns

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

    Season = tuple[bytes, bytes, bytes]  # name, start as date-time, week's name
    Week = tuple[bytes, bytes]  # name, day ids from Monday to Sunday
    Action = tuple[int, bytes, int]  # second of the day, script table, selector

SEASONS_MAX = const(12)
WEEKS_MAX = const(12)
DAYS_MAX = const(24)
ACTIONS_MAX = const(48)
NAME_MAX = const(8)
DATE_TIME_SIZE = const(12)
_CALENDAR_NAME_MAX = const(16)
_SCRIPT_TABLES_MAX = const(4)
_LOGICAL_NAME_SIZE = const(6)
_ACTION = "<HBBH"  # second of the day in its lower and upper part, table's number, selector
_ACTION_SIZE = const(6)
# name, seasons, weeks, script tables, days with their actions, and the number of each
PACKED_MAX = const(7600)


class Tables:
    """One half of a calendar. What is assigned must have passed the checks below."""

    def __init__(self) -> None:
        self.name = b""
        self.seasons: list[Season] = []
        self.weeks: list[Week] = []
        self.days: list[tuple[int, bytes]] = []  # day id, packed actions
        self.scripts: list[bytes] = []  # logical names of script tables, in order of their number

    def day(self, day_id: int) -> "bytes | None":
        """Return the packed actions of a day profile, None if there is none of this id."""
        for known, actions in self.days:
            if known == day_id:
                return actions
        return None

    def actions(self, packed: bytes) -> "list[Action]":
        """Return the actions of a day profile as (second of the day, script table, selector)."""
        unpacked: list[Action] = []
        for at in range(0, len(packed), _ACTION_SIZE):
            low, high, number, selector = struct.unpack_from(_ACTION, packed, at)
            script = self.scripts[int(number)]
            unpacked.append((high << 16 | low, script, selector))
        return unpacked

    def set_name(self, name: bytes) -> None:
        """Raises ValueError for a name of more than 16 octets."""
        if len(name) > _CALENDAR_NAME_MAX:
            raise ValueError("a calendar's name has at most 16 octets")
        self.name = name

    def set_seasons(self, seasons: "list[Season]") -> None:
        """Raises ValueError for too many, two of one name, or a start that is no date-time."""
        if len(seasons) > SEASONS_MAX:
            raise ValueError("a calendar has at most 12 seasons")
        _check_names([season[0] for season in seasons])
        for _, start, week in seasons:
            _check_names([week])
            patterns.check_date(start[:5])
            patterns.check_time(start[5:9])
        self.seasons = seasons

    def set_weeks(self, weeks: "list[Week]") -> None:
        """Raises ValueError for too many or two of one name."""
        if len(weeks) > WEEKS_MAX:
            raise ValueError("a calendar has at most 12 weeks")
        _check_names([week[0] for week in weeks])
        self.weeks = weeks

    def set_days(self, days: "list[tuple[int, list[Action]]]") -> None:
        """Raises ValueError for too many profiles or actions, two of one id, no time of day."""
        if len(days) > DAYS_MAX:
            raise ValueError("a calendar has at most 24 day profiles")
        if len({day_id for day_id, _ in days}) != len(days):
            raise ValueError("two day profiles have one id")
        scripts: list[bytes] = []
        packed = []
        for day_id, actions in days:
            if len(actions) > ACTIONS_MAX:
                raise ValueError("a day profile has at most 48 actions")
            octets = bytearray(_ACTION_SIZE * len(actions))
            for place, (second, script, selector) in enumerate(actions):
                if script not in scripts:
                    scripts.append(script)
                at = _ACTION_SIZE * place
                number = scripts.index(script)
                struct.pack_into(
                    _ACTION, octets, at, second & 0xFFFF, second >> 16, number, selector
                )
            packed.append((day_id, bytes(octets)))
        if len(scripts) > _SCRIPT_TABLES_MAX:
            raise ValueError("the actions of a calendar name at most 4 script tables")
        self.days = packed
        self.scripts = scripts

    def check_links(self) -> None:
        """Raise ValueError if a season names no week of this half, or a week no day profile."""
        weeks = [week[0] for week in self.weeks]
        for _, _, week in self.seasons:
            if week not in weeks:
                raise ValueError("a season names a week that does not exist")
        for _, day_ids in self.weeks:
            for day_id in day_ids:
                if self.day(day_id) is None:
                    raise ValueError("a week names a day profile that does not exist")

    def pack(self) -> bytearray:
        """Return the octets that `unpack` takes."""
        packed = bytearray((len(self.name),)) + self.name
        packed.append(len(self.seasons))
        for name, start, week in self.seasons:
            packed += bytes((len(name),)) + name + start + bytes((len(week),)) + week
        packed.append(len(self.weeks))
        for name, day_ids in self.weeks:
            packed += bytes((len(name),)) + name + day_ids
        packed.append(len(self.scripts))
        for script in self.scripts:
            packed += script
        packed.append(len(self.days))
        for day_id, actions in self.days:
            packed += bytes((day_id, len(actions) // _ACTION_SIZE)) + actions
        return packed


class _Unpacker:
    def __init__(self, packed: "Buffer") -> None:
        self._packed = packed
        self._at = 0

    def octet(self) -> int:
        return self.octets(1)[0]

    def octets(self, size: int) -> bytes:
        at = self._at
        self._at = at + size
        return bytes(self._packed[at : at + size])

    def name(self) -> bytes:
        return self.octets(self.octet())


def unpack(packed: "Buffer") -> Tables:
    """Return the tables of a payload; none at all for an empty one."""
    tables = Tables()
    if not packed:
        return tables
    source = _Unpacker(packed)
    tables.name = source.name()
    for _ in range(source.octet()):
        name = source.name()
        start = source.octets(DATE_TIME_SIZE)
        tables.seasons.append((name, start, source.name()))
    for _ in range(source.octet()):
        name = source.name()
        tables.weeks.append((name, source.octets(7)))
    for _ in range(source.octet()):
        tables.scripts.append(source.octets(_LOGICAL_NAME_SIZE))
    for _ in range(source.octet()):
        day_id = source.octet()
        tables.days.append((day_id, source.octets(_ACTION_SIZE * source.octet())))
    return tables


def _check_names(names: "list[bytes]") -> None:
    if len(set(names)) != len(names):
        raise ValueError("two entries have one name")
    for name in names:
        if not 1 <= len(name) <= NAME_MAX:
            raise ValueError("a name has 1 to 8 octets")
