"""What the year asks of a meter, through gurux-dlms: tables in, entries and registers out.

Every dialogue is an association of its own, because leaps of time outlast an idle one.
"""

import datetime
import struct

import clients
from gurux_dlms import GXDate, GXDateTime, GXTime, GXUInt32
from gurux_dlms.enums import DataType, DateTimeSkips
from gurux_dlms.objects import (
    GXDLMSActionSchedule,
    GXDLMSActivityCalendar,
    GXDLMSCaptureObject,
    GXDLMSClock,
    GXDLMSData,
    GXDLMSDayProfile,
    GXDLMSDayProfileAction,
    GXDLMSDemandRegister,
    GXDLMSExtendedRegister,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
    GXDLMSScriptTable,
    GXDLMSSeasonProfile,
    GXDLMSSpecialDay,
    GXDLMSSpecialDaysTable,
    GXDLMSWeekProfile,
)

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(2000, 1, 1, tzinfo=UTC)
TARIFFS = "0.0.10.0.100.255"
END_OF_BILLING = "0.0.10.0.1.255"
_CLASSES = {
    1: GXDLMSData,
    3: GXDLMSRegister,
    4: GXDLMSExtendedRegister,
    5: GXDLMSDemandRegister,
    8: GXDLMSClock,
}
_NO_DATE = (
    DateTimeSkips.YEAR
    | DateTimeSkips.MONTH
    | DateTimeSkips.DAY
    | DateTimeSkips.DAY_OF_WEEK
    | DateTimeSkips.DEVITATION
)


def utc_s(moment):
    """Return seconds since 2000 of an aware time."""
    return round((moment - EPOCH).total_seconds())


def _plain(value):
    """Return a column's value; a time as seconds since 2000, 0 for one that is not specified."""
    if isinstance(value, (bytes, bytearray)) and len(value) == 12:
        year, month, day, _, hour, minute, second, _, deviation, _ = struct.unpack(
            ">H6BBhB", value
        )
        if year == 0xFFFF:
            return 0
        local = datetime.datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return utc_s(local + datetime.timedelta(minutes=deviation))
    if isinstance(value, GXDateTime):
        return 0 if value.skip & DateTimeSkips.YEAR else utc_s(value.value)
    return value


class Client:
    """A management client of the meter on a port of this machine."""

    def __init__(self, port):
        self._port = port
        self.session = None

    def __enter__(self):
        socket = clients.Socket(self._port)
        self.session = clients.Gurux(socket, clients.MANAGEMENT, clients.SECRET).connect()
        return self

    def __exit__(self, *_):
        self.session.transport.close()

    # -- writing ----------------------------------------------------------------------------

    def central_europe(self):
        """Let local time be an hour before UTC, two in summer, as the EU has it."""
        clock = GXDLMSClock()
        clock.timeZone = -60
        self.session.write(clock, 3)
        clock.enabled = True
        self.session.write(clock, 8)

    def set_clock(self, moment):
        """Set the clock to an aware time."""
        clock = GXDLMSClock()
        clock.time = GXDateTime(moment)
        self.session.write(clock, 2)

    def special_days(self, special):
        """Write {(year or None, month, day): day id}."""
        table = GXDLMSSpecialDaysTable()
        for index, ((year, month, day), day_id) in enumerate(sorted(special.items(), key=str)):
            entry = GXDLMSSpecialDay()
            entry.index, entry.dayId = index + 1, day_id
            entry.date = GXDate(datetime.datetime(year or 2000, month, day))
            entry.date.skip |= DateTimeSkips.DAY_OF_WEEK
            if year is None:
                entry.date.skip |= DateTimeSkips.YEAR
            table.entries.append(entry)
        self.session.write(table, 2)

    def passive_calendar(self, tables):
        """Write a calendar of year_calendar's shape to the passive half."""
        calendar = GXDLMSActivityCalendar()
        calendar.calendarNamePassive = tables.name
        calendar.seasonProfilePassive = []
        calendar.weekProfileTablePassive = []
        calendar.dayProfileTablePassive = []
        for number, (month, day, week) in enumerate(tables.seasons):
            start = GXDateTime(datetime.datetime(2000, month, day, tzinfo=UTC))
            start.skip |= DateTimeSkips.YEAR | DateTimeSkips.DAY_OF_WEEK | DateTimeSkips.DEVITATION
            season = GXDLMSSeasonProfile(b"S%d" % number, start, week.encode())
            calendar.seasonProfilePassive.append(season)
        for name, days in tables.weeks.items():
            week = GXDLMSWeekProfile()
            week.name = name.encode()
            week.monday, week.tuesday, week.wednesday, week.thursday = days[:4]
            week.friday, week.saturday, week.sunday = days[4:]
            calendar.weekProfileTablePassive.append(week)
        for day_id, actions in tables.days.items():
            entries = [
                GXDLMSDayProfileAction(
                    GXTime("{:02}:{:02}:{:02}".format(*at), "%H:%M:%S"), TARIFFS, rate
                )
                for at, rate in actions
            ]
            calendar.dayProfileTablePassive.append(GXDLMSDayProfile(day_id, entries))
        for index in (6, 7, 8, 9):
            self.session.write(calendar, index)

    def activate_calendar(self):
        """Put the passive half into force now."""
        self.session.call(GXDLMSActivityCalendar(), 1, 0, DataType.INT8)

    def activate_calendar_at(self, local):
        """Put the passive half into force at a local time."""
        calendar = GXDLMSActivityCalendar()
        calendar.time = GXDateTime(local.replace(tzinfo=UTC))
        calendar.time.skip |= DateTimeSkips.DEVITATION | DateTimeSkips.DAY_OF_WEEK
        self.session.write(calendar, 10)

    def calendar_name(self):
        """Return the name of the active calendar."""
        name = self.session.read(GXDLMSActivityCalendar(), 2)
        return name if isinstance(name, str) else bytes(name).decode()

    def bill_monthly(self):
        """Let script 1 of the end of billing run at the begin of each month."""
        schedule = GXDLMSActionSchedule("0.0.15.0.0.255")
        schedule.target = GXDLMSScriptTable(END_OF_BILLING)
        schedule.executedScriptSelector = 1
        first = GXDateTime(datetime.datetime(2000, 1, 1, tzinfo=UTC))
        first.skip |= _NO_DATE & ~DateTimeSkips.DAY
        schedule.executionTime = [first]
        self.session.write(schedule, 2)
        self.session.write(schedule, 4)

    def measuring_period(self, name, period_s, periods):
        """Set period and number of periods of a demand register and its like."""
        register = GXDLMSDemandRegister(name)
        register.period, register.numberOfPeriods = period_s, periods
        self.session.write(register, 8)
        self.session.write(register, 9)

    def block_thresholds(self, thresholds):
        """Write {rate: Wh where a block ends, and so on}; what has none has no end."""
        data = GXDLMSData("0.0.128.10.6.255")
        limits = [[*thresholds.get(rate, ()), 0, 0, 0] for rate in range(1, 9)]
        data.value = [[GXUInt32(of_rate[place]) for of_rate in limits] for place in range(3)]
        data.setDataType(2, DataType.ARRAY)
        self.session.write(data, 2)

    def end_billing_period(self):
        """Execute script 1 of the end of billing."""
        self.session.call(GXDLMSScriptTable(END_OF_BILLING), 1, 1, DataType.UINT16)

    def capture(self, name, columns, period_s=None):
        """Let a profile capture columns (key, class, logical name, attribute)."""
        profile = GXDLMSProfileGeneric(name)
        for _, class_id, logical_name, index in columns:
            item = _CLASSES[class_id](logical_name)
            profile.captureObjects.append((item, GXDLMSCaptureObject(index, 0)))
        self.session.write(profile, 3)
        if period_s is not None:
            profile.capturePeriod = period_s
            self.session.write(profile, 4)

    # -- reading ----------------------------------------------------------------------------

    def entries(self, name, from_s, to_s):
        """Return the entries of a profile dated within the span: [(utc_s, local, row)]."""
        profile = GXDLMSProfileGeneric(name)
        self.session.read(profile, 3)
        client = self.session.client
        begin, end = (GXDateTime(EPOCH + datetime.timedelta(seconds=s)) for s in (from_s, to_s))
        reply = self.session.exchange(client.readRowsByRange(profile, begin, end))
        rows = client.updateValue(profile, 2, reply.value) or []
        return [
            (utc_s(row[0].value), row[0].value, [_plain(value) for value in row[1:]])
            for row in rows
        ]

    def value(self, class_id, logical_name, index=2):
        """Return an attribute of a register or of data."""
        item = _CLASSES[class_id](logical_name)
        if index == 2 and class_id in (3, 4):
            # gurux would scale only what it knows the scaler of
            return int(self.session.read(item, 2))
        if class_id == 5:
            self.session.read(item, index)
            return _plain(item.getValues()[index - 1])
        return self.session.read(item, index)
