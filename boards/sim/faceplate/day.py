"""`GET /api/day`, `GET /api/calendar`: today's energy by load profile 1, and the calendar's rates.

Both look at the meter's objects as a display list does, through the resolver; the profile's rows
and the calendar, which no list may hold, are asked for themselves. What has been read of a day is
kept, so that a page that asks again and again costs the new rows only.
"""

import struct

from micropython import const

import civil
from app.attributes import Reference
from app.axdr import Reader, Writer
from app.errors import MeterError
from app.rows import CLOCK, read_object
from app.tariff.control import TARIFF_SCRIPTS
from faceplate.bench import NoMeterError

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from app.clock import Clock
    from app.logs.captured import CapturedRows
    from app.meter import Meter
    from app.tariff.calendar import Calendar
    from app.tariff.parts import TariffParts
    from faceplate.bench import Bench

    Answer = dict[str, object]
    Row = tuple[int, int | None, int | None, int]  # UTC, import and export, status

_DATA = const(1)
_REGISTER = const(3)
_IMPORT = b"\x01\x00\x01\x08\x00\xff"  # 1-0:1.8.0.255
_EXPORT = b"\x01\x00\x02\x08\x00\xff"
_ACTIVE_RATE = b"\x00\x00\x60\x0e\x00\xff"  # 0-0:96.14.0.255
_STATUS = b"\x00\x00\x60\x0a\x01\xff"  # 0-0:96.10.1.255
_RATES = const(8)
_LONGEST_DAY_S = const(90_000)
_HOUR_S = const(3600)
_DECIDES = ("calendar", "inputs", "frequency")
_VALUE_MOST = const(64)
_TIME = ">HBBBBBBBhB"


class _Kept:
    """What was read for a day: of which meter and day, and the rows by their sequences."""

    def __init__(self) -> None:
        self.of: tuple[object, ...] = ()
        self.bands: list[tuple[int, int]] = []
        self.columns = b""
        self.rows: dict[int, Row] = {}


_kept = _Kept()


def day(bench: "Bench") -> "Answer":
    """Return today, local time: rates from when, and the energy of each period."""
    meter = bench.meter()
    if not hasattr(meter, "load_profiles"):
        raise NoMeterError("this meter was built without load profiles")
    clock = meter.clock
    now_s = clock.utc_s()
    begin_s, end_s = _ends_of_day(clock, now_s)
    _refresh(meter, begin_s, end_s)
    year, month, date = civil.parts(clock.zone.local_s(now_s))[:3]
    profile = meter.load_profiles.profiles[0]
    return {
        "date": f"{year}-{month:02}-{date:02}",
        "now_s": now_s - begin_s,
        "length_s": end_s - begin_s,
        "shifts": _shifts(clock, begin_s, end_s),
        "rate": _active_rate(meter),
        "decides": _decides(meter),
        "bands": [[at - begin_s, rate] for at, rate in _kept.bands],
        "period_s": profile.period_s,
        "rows": _periods(meter, begin_s, now_s),
    }


def calendar(bench: "Bench") -> "Answer":
    """Return the half of the calendar that is in force, and what it makes of today."""
    meter = bench.meter()
    tariff = _tariff(meter)
    if tariff is None:
        raise NoMeterError("this meter was built without a tariff")
    active = tariff.calendar
    half = active.active()
    local_s = meter.clock.zone.local_s(meter.clock.utc_s())
    season = active.season_at(half, local_s)
    special = tariff.special_days.entries()
    return {
        "name": _text(half.name),
        "damaged": active.damaged,
        "season": _text(season[0]) if season else None,
        "special_day": tariff.special_days.day_id(local_s // civil.DAY_S),
        "seasons": [
            [_text(name), _start(start), _text(week)] for name, start, week in half.seasons
        ],
        "weeks": [[_text(name), list(day_ids)] for name, day_ids in half.weeks],
        "days": [[day_id, _switches(half.actions(packed))] for day_id, packed in half.days],
        "special_days": [[list(date), day_id] for _, date, day_id in special],
    }


def _tariff(meter: "Meter") -> "TariffParts | None":
    """Return the tariff, None if the meter was built without one."""
    return getattr(meter, "tariff", None)


def _decides(meter: "Meter") -> "str | None":
    """Return what chooses the rate."""
    tariff = _tariff(meter)
    return None if tariff is None else _DECIDES[tariff.control.decides()]


def _refresh(meter: "Meter", begin_s: int, end_s: int) -> None:
    """Make what is kept that of this day, this meter and this calendar."""
    profile = meter.load_profiles.profiles[0]
    clock = meter.clock
    of = (
        id(meter),
        begin_s,
        end_s,
        clock.deviation_min(begin_s),
        meter.events.posted,  # a calendar that changes and a profile that is cleared post events
        profile.period_s,
    )
    if of != _kept.of:
        _kept.of = of
        _kept.rows = {}
        _kept.columns = profile.columns()
        tariff = _tariff(meter)
        _kept.bands = [] if tariff is None else _bands(clock, tariff.calendar, begin_s, end_s)


def _ends_of_day(clock: "Clock", now_s: int) -> tuple[int, int]:
    """Return UTC of the last and of the next local midnight."""
    zone = clock.zone
    begin_s = max(0, now_s - _LONGEST_DAY_S - 1)
    while True:
        end_s = zone.next_boundary(begin_s, civil.DAY_S)
        if end_s > now_s:
            return begin_s, end_s
        begin_s = end_s


def _shifts(clock: "Clock", begin_s: int, end_s: int) -> "list[list[int]]":
    """Return by how much the wall's clock is ahead of the seconds since midnight, from when on.

    Clocks are moved at whole hours of local time.
    """
    local_s = clock.zone.local_s(begin_s)
    found = [[0, 0]]
    for passed_s in range(0, end_s - begin_s, _HOUR_S):
        ahead_s = clock.zone.local_s(begin_s + passed_s) - local_s - passed_s
        if ahead_s != found[-1][1]:
            found.append([passed_s, ahead_s])
    return found


def _bands(
    clock: "Clock", active: "Calendar", begin_s: int, end_s: int
) -> "list[tuple[int, int]]":
    """Return (UTC, rate) of each change that the calendar asks for; rate 0: for none."""
    found: list[tuple[int, int]] = []
    utc_s = begin_s
    while utc_s < end_s:
        local_s = clock.zone.local_s(utc_s)
        rate = _rate_at(active, local_s)
        if not found or found[-1][1] != rate:
            found.append((utc_s, rate))
        # where the clock is moved on the way, the moment of that is looked at too
        change_s = utc_s + active.next_change(local_s) - local_s
        hour_s = utc_s + _HOUR_S - local_s % _HOUR_S
        moved = clock.deviation_min(change_s) != clock.deviation_min(utc_s)
        utc_s = min(change_s, hour_s) if moved else change_s
    return found


def _rate_at(active: "Calendar", local_s: int) -> int:
    for _, script, selector in active.dues_at(local_s):
        if script == TARIFF_SCRIPTS:
            return selector if selector <= _RATES else 0
    return 0


def _switches(actions: "list[tuple[int, bytes, int]]") -> "list[list[int]]":
    """Return (second, rate) of a day profile's actions that switch rates, rising."""
    found = [[at, n] for at, script, n in actions if script == TARIFF_SCRIPTS and n <= _RATES]
    found.sort()
    return found


def _periods(meter: "Meter", begin_s: int, now_s: int) -> "list[list[object]]":
    """Return [from, to, import, export, status]: seconds since midnight, energy in Wh.

    The last one is still running. null where the profile does not capture the register.
    """
    rows = sorted(_rows(meter.load_profiles.profiles[0], begin_s, now_s))
    scales = (_scale(meter, _IMPORT), _scale(meter, _EXPORT))
    rows.append((now_s, _total(meter, _IMPORT), _total(meter, _EXPORT), 0))
    found: list[list[object]] = []
    for before, after in zip(rows, rows[1:]):
        if after[0] > before[0]:
            found.append(
                [
                    before[0] - begin_s,
                    after[0] - begin_s,
                    _gain(before[1], after[1], scales[0]),
                    _gain(before[2], after[2], scales[1]),
                    after[3],
                ]
            )
    return found


def _gain(before: "int | None", after: "int | None", scale: float) -> "float | None":
    if before is None or after is None or after < before:
        return None
    return (after - before) * scale


def _rows(profile: "CapturedRows", begin_s: int, now_s: int) -> "list[Row]":
    """Return today's rows, the one of midnight with them; only new ones are read."""
    places = _places(_kept.columns)
    if CLOCK[1] not in places:
        return []
    for sequence in profile.span(begin_s, now_s):
        if sequence not in _kept.rows and profile.load(sequence):
            utc_s = _utc_s(_read(profile, places, CLOCK[1]))
            wh = [_number(_read(profile, places, name)) for name in (_IMPORT, _EXPORT)]
            status = _number(_read(profile, places, _STATUS))
            _kept.rows[sequence] = (utc_s, wh[0], wh[1], status or 0)
    return [row for row in _kept.rows.values() if row[0] >= begin_s]


def _read(profile: "CapturedRows", places: "dict[bytes, int]", name: bytes) -> object:
    """Return a value of the present row, None where there is none."""
    if name not in places:
        return None
    writer = Writer(bytearray(_VALUE_MOST))
    profile.write(writer, places[name])
    return Reader(writer.buffer, 0, writer.at).data()[1]


def _number(value: object) -> "int | None":
    return value if isinstance(value, int) else None


def _utc_s(time: object) -> int:
    """Return UTC of the twelve octets of class 8, -1 where they specify nothing."""
    if not isinstance(time, (bytes, bytearray, memoryview)):
        return -1
    year, month, date, _, hour, minute, second, _, deviation_min, _ = struct.unpack(_TIME, time)
    try:
        return civil.utc_s(year, month, date, hour, minute, second) + deviation_min * 60
    except ValueError:
        return -1


def _places(columns: bytes) -> "dict[bytes, int]":
    """Return the numbers of the columns by the logical names of their values."""
    reader = Reader(columns)
    found: dict[bytes, int] = {}
    for place in range(reader.array()):
        _, name, index, data_index = read_object(reader)
        if index == 2 and data_index == 0:
            found[name] = place
    return found


def _total(meter: "Meter", name: bytes) -> "int | None":
    return _number(meter.resolver.read(Reference(_REGISTER, name, 2))[1])


def _scale(meter: "Meter", name: bytes) -> float:
    """Return how many watt hours a unit of a register is."""
    scaler_unit = meter.resolver.read(Reference(_REGISTER, name, 3))[1]
    return 10.0 ** scaler_unit[0][1]


def _active_rate(meter: "Meter") -> str:
    """Return the name of the rate whose registers count: 1 to 8 for the factory's names."""
    try:
        name = bytes(meter.resolver.read(Reference(_DATA, _ACTIVE_RATE, 2))[1])
    except MeterError:
        return ""
    return str(name[1]) if len(name) == 2 and name[0] == 0 else _text(name)


def _start(start: bytes) -> "list[int]":
    """Return year, month, day, weekday as the octets have them, and the second of the day."""
    hour, minute, second = (0 if octet == 0xFF else octet for octet in start[5:8])
    at = hour * _HOUR_S + minute * 60 + second
    return [start[0] << 8 | start[1], start[2], start[3], start[4], at]


def _text(name: bytes) -> str:
    """Return a name for the page; what is no text in hexadecimal digits."""
    if all(0x20 <= octet < 0x7F for octet in name):
        return name.decode()
    return "0x" + name.hex()
