"""Interface class 20, Activity calendar, version 0 (rows TOU-02 to TOU-06).

Only the passive half can be written; activation copies it. A table is checked as a whole before it
takes the old one's place.
"""

from micropython import const

from app import event_codes
from app.attributes import OBJECT_CLASS_INCONSISTENT, OBJECT_UNDEFINED
from app.axdr import ARRAY, OCTET_STRING, UINT8, UINT16
from app.cosem.base import EXECUTE, PART_SIZE, READ, READ_WRITE, InterfaceClass
from app.errors import AccessRefused
from app.tariff import tables

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.attributes import Find
    from app.axdr import Reader, Writer
    from app.cosem.base import Key, Session
    from app.tariff.calendar import Calendar

_SCRIPT_TABLE = const(9)
_FIRST_PASSIVE = const(6)
_NAME = const(0)  # of the four attributes of a half
_SEASONS = const(1)
_WEEKS = const(2)
_ANY_NAME_MAX = const(32)  # what is too long for the tables is theirs to refuse
_ACTION_SIZE = const(19)  # an encoded action of a day


class ActivityCalendar(InterfaceClass):
    """The calendar; `on_change` is called after it, `post` takes event codes.

    `find` is the catalogue's: what a day profile executes must be a script table.
    """

    CLASS_ID = 20
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (OCTET_STRING, READ),  # 2 calendar_name_active
        (ARRAY, READ),  # 3 season_profile_active
        (ARRAY, READ),  # 4 week_profile_table_active
        (ARRAY, READ),  # 5 day_profile_table_active
        (OCTET_STRING, READ_WRITE),  # 6 calendar_name_passive
        (ARRAY, READ_WRITE),  # 7 season_profile_passive
        (ARRAY, READ_WRITE),  # 8 week_profile_table_passive
        (ARRAY, READ_WRITE),  # 9 day_profile_table_passive
        (OCTET_STRING, READ_WRITE),  # 10 activate_passive_calendar_time
    )
    METHODS = (
        EXECUTE,  # 1 activate_passive_calendar
    )

    def __init__(
        self,
        calendar: "Calendar",
        find: "Find",
        on_change: "Callable[[], None]",
        post: "Callable[[int], None]",
    ) -> None:
        self._calendar = calendar
        self._find = find
        self._on_change = on_change
        self._post = post

    def get(
        self, writer: "Writer", key: "Key", index: int, session: "Session"
    ) -> "Iterator[None] | None":
        """Encode an attribute, the long tables in parts."""
        if index == 10:
            writer.octet_string(self._calendar.start)
            return None
        passive = index >= _FIRST_PASSIVE
        half = self._calendar.passive() if passive else self._calendar.active()
        table = index - (_FIRST_PASSIVE if passive else 2)
        if table == _NAME:
            writer.octet_string(half.name)
            return None
        if table == _SEASONS:
            return _season_parts(writer, half)
        return _week_parts(writer, half) if table == _WEEKS else _day_parts(writer, half)

    def put(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Set a part of the passive half, or the time of its activation."""
        if index == 10:
            self._calendar.set_start(
                reader.octet_string(tables.DATE_TIME_SIZE, tables.DATE_TIME_SIZE)
            )
        else:
            half = self._calendar.passive()
            table = index - _FIRST_PASSIVE
            if table == _NAME:
                half.set_name(reader.octet_string(0, _ANY_NAME_MAX))
            elif table == _SEASONS:
                half.set_seasons([_season(reader) for _ in range(reader.array())])
            elif table == _WEEKS:
                half.set_weeks([_week(reader) for _ in range(reader.array())])
            else:
                half.set_days([_day(reader) for _ in range(reader.array())])
                for script in half.scripts:
                    self._check_table(script)
            self._calendar.put_passive(half)
        self._post(event_codes.CALENDAR_CHANGED)
        self._on_change()

    def _check_table(self, script: bytes) -> None:
        found = self._find(script)
        if found is None:
            raise AccessRefused(OBJECT_UNDEFINED)
        if found[0].CLASS_ID != _SCRIPT_TABLE:
            raise AccessRefused(OBJECT_CLASS_INCONSISTENT)

    def act(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Let the passive half be the active one."""
        reader.data()
        self._calendar.activate()
        self._post(event_codes.CALENDAR_ACTIVATED)
        self._on_change()


def _season(reader: "Reader") -> "tables.Season":
    reader.structure(3)
    name = reader.octet_string(0, _ANY_NAME_MAX)
    start = reader.octet_string(tables.DATE_TIME_SIZE, tables.DATE_TIME_SIZE)
    return name, start, reader.octet_string(0, _ANY_NAME_MAX)


def _week(reader: "Reader") -> "tables.Week":
    reader.structure(8)
    name = reader.octet_string(0, _ANY_NAME_MAX)
    return name, bytes([reader.number(UINT8) for _ in range(7)])


def _day(reader: "Reader") -> "tuple[int, list[tables.Action]]":
    reader.structure(2)
    day_id = reader.number(UINT8)
    return day_id, [_action(reader) for _ in range(reader.array())]


def _action(reader: "Reader") -> "tables.Action":
    reader.structure(3)
    start = reader.octet_string(4, 4)
    if start[0] > 23 or start[1] > 59 or start[2] > 59 or start[3] not in (0, 0xFF):
        raise ValueError("an action begins at a second of the day")
    script = reader.octet_string(6, 6)
    return start[0] * 3600 + start[1] * 60 + start[2], script, reader.number(UINT16)


def _season_parts(writer: "Writer", half: "tables.Tables") -> "Iterator[None]":
    writer.array(len(half.seasons))
    for name, start, week in half.seasons:
        yield
        writer.structure(3)
        writer.octet_string(name)
        writer.octet_string(start)
        writer.octet_string(week)


def _week_parts(writer: "Writer", half: "tables.Tables") -> "Iterator[None]":
    writer.array(len(half.weeks))
    for name, day_ids in half.weeks:
        yield
        writer.structure(8)
        writer.octet_string(name)
        for day_id in day_ids:
            writer.uint8(day_id)


def _day_parts(writer: "Writer", half: "tables.Tables") -> "Iterator[None]":
    writer.array(len(half.days))
    for day_id, packed in half.days:
        yield
        actions = half.actions(packed)
        writer.structure(2)
        writer.uint8(day_id)
        writer.array(len(actions))
        room = PART_SIZE // _ACTION_SIZE - 1
        for number, (second, script, selector) in enumerate(actions):
            if number % room == 0:
                yield
            writer.structure(3)
            writer.octet_string(bytes((second // 3600, second // 60 % 60, second % 60, 0)))
            writer.octet_string(script)
            writer.uint16(selector)
