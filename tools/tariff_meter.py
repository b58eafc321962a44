"""Writes a tariff to a meter and reads it back, so that a broken line never leaves half of one.

Everything goes to the half of the calendar that waits, is read back and compared, and only then
becomes active, by a single call or by the meter's clock. The special days have no half that waits:
they are written last before that, and put back if the activation is refused.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TextIO

import tariff_cosem as cosem
import tariff_dates as dates
from gurux_dlms.enums import DataType
from meter_link import Link, LinkError, Progress, Refused
from tariff_model import SpecialDay, Tables, Tariff, name_text
from tariff_rates import Rates

_ACTIVATE = 1
_CLOCK_CLASS = 8
_CLOCK = "0-0:1.0.0"
_NAME = "0-0:42.0.0"
_INVALID_CLOCK = 1  # bit of the clock's status
_FARTHEST_MIN = 720  # a deviation from UTC
_LISTED = 12  # differences that are told one by one


class Console:
    """Where a person sees what goes on: lines, and one that changes if there is a terminal."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err
        self._moving = err.isatty()

    def say(self, text: str) -> None:
        """Print a line."""
        self._wipe()
        print(text, file=self._out, flush=True)

    def progress(self, text: str) -> Progress:
        """Return what shows how far a step has come."""

        def show(done: int, parts: int) -> None:
            if self._moving:
                far = f"{done} of {parts}" if parts else f"part {done}"
                print(f"\r{text}: {far}".ljust(60), end="", file=self._err, flush=True)

        if self._moving:
            print(f"\r{text}".ljust(60), end="", file=self._err, flush=True)
        return show

    def _wipe(self) -> None:
        if self._moving:
            print("\r" + " " * 60 + "\r", end="", file=self._err, flush=True)


class Writer:
    """One writing of a tariff; `state` tells at any moment what the meter goes by."""

    def __init__(self, link: Link, tariff: Tariff, console: Console) -> None:
        self._link = link
        self._tariff = tariff
        self._tables = tariff.tables
        self._console = console
        self.state = "nothing was changed in the meter"

    def write(self, when: datetime.datetime | str | None, *, repair: bool) -> list[str]:
        """Do all of it; return what differs in the end. Raises LinkError, Refused.

        `when` is a local moment, "now" or None for no activation; `repair` lets scripts and masks
        that do something else be overwritten.
        """
        clock = self._greet()
        if isinstance(when, datetime.datetime) and clock is not None and when <= clock:
            self._console.say(f"{when} has passed in the meter: the tariff begins now")
            when = dates.NOW
        self._see_to_rates(repair)
        old_name = cosem.name_of(self._link, cosem.ACTIVE)
        in_force = (
            f'"{name_text(old_name)}" is still in force' if old_name else "no tariff was active"
        )
        self.state = f"{in_force}, the calendar that waits is not complete; write again"
        self._put_calendar()
        self.state = f"{in_force}, the new calendar waits; write again to activate it"
        old_days = cosem.read_special_days(self._link, self._console.progress)
        changed = old_days != self._tables.special_days
        if changed:
            self._put_special_days()
            self.state = f"{in_force}, but the special days are new already; write again"
        self._activate(when, old_days if changed else None)
        half = cosem.ACTIVE if when == dates.NOW else cosem.PASSIVE
        self.state = "the new tariff is in the meter, but was not read back"
        found = cosem.read(self._link, half, self._console.progress)
        wrong = differences(self._tables, found)
        wrong += self._wrong_activation(when)
        if not wrong:
            self._console.say("read back: the meter has what the file says")
        return wrong

    def _greet(self) -> datetime.datetime | None:
        """Say which meter it is, and what its clock says; None if that is not to be trusted."""
        name = self._link.get(1, _NAME, 2)
        octets = self._link.get(_CLOCK_CLASS, _CLOCK, 2)
        if (
            not isinstance(octets, bytes)
            or len(octets) != 12
            or not isinstance(name, (bytes, str))
        ):
            raise LinkError("the meter tells no name or no time")
        clock = dates.activation_of(octets)
        doubtful = clock is None or octets[11] & _INVALID_CLOCK
        text = name.decode("latin-1") if isinstance(name, bytes) else name
        shown = f"{clock}{_zone(octets)}" if clock else "no time"
        self._console.say(f"meter {text}, its clock: {shown}")
        if doubtful:
            self._console.say("note: the meter does not trust its clock; set it, rates go by it")
        return None if doubtful else clock

    def _see_to_rates(self, repair: bool) -> None:
        rates = Rates(self._link)
        wrong = {rate: rates.trouble(rate) for rate in self._tables.rates_used()}
        wrong = {rate: text for rate, text in wrong.items() if text}
        if not wrong:
            return
        foreign = [text for rate, text in wrong.items() if not rates.missing(rate)]
        if foreign and not repair:
            raise Refused("; ".join(foreign) + "; --repair gives it the factory's script and mask")
        rates.repair(list(wrong))
        for text in wrong.values():
            self._console.say(f"repaired: {text}")
        self.state = "scripts or masks were repaired, the tariff was not written"
        after = Rates(self._link)
        left = [after.trouble(rate) for rate in wrong if after.trouble(rate)]
        if left:
            raise Refused("; ".join(left) + "; the meter did not take the repair")

    def _put_calendar(self) -> None:
        """Write the half that waits, and compare it."""
        # an activation that was set before must not take a half-written calendar
        self._set_activation(None)
        parts = cosem.attributes(self._tables)
        for number, (what, tag, value) in enumerate(parts):
            self._link.set(
                cosem.CALENDAR_CLASS, cosem.CALENDAR, cosem.PASSIVE + number, tag, value,
                self._console.progress(f"writing {what}"),
            )  # fmt: skip
        found = cosem.read(self._link, cosem.PASSIVE, self._console.progress)
        found.special_days = self._tables.special_days
        wrong = differences(self._tables, found)
        if wrong:
            raise LinkError("the meter keeps another calendar than was written: " + wrong[0])
        switches = sum(len(day.actions) for day in self._tables.days)
        self._console.say(
            f'calendar "{name_text(self._tables.name)}" written:'
            f" {_count(len(self._tables.seasons), 'season')},"
            f" {_count(len(self._tables.weeks), 'week')},"
            f" {_count(len(self._tables.days), 'day type')},"
            f" {_count(switches, 'switching time')}"
        )

    def _put_special_days(self, entries: list[SpecialDay] | None = None) -> None:
        tables = self._tables if entries is None else Tables(special_days=entries)
        self._link.set(
            cosem.SPECIAL_DAYS_CLASS, cosem.SPECIAL_DAYS, cosem.ENTRIES, DataType.ARRAY,
            cosem.special_days(tables), self._console.progress("writing special days"),
        )  # fmt: skip
        if entries is None:
            self._console.say(f"{_count(len(tables.special_days), 'special day')} written")

    def _activate(
        self, when: datetime.datetime | str | None, old_days: list[SpecialDay] | None
    ) -> None:
        if when == dates.NOW:
            before = self.state
            self.state = "whether the new calendar is in force is not known: read tells"
            try:
                self._link.call(cosem.CALENDAR_CLASS, cosem.CALENDAR, _ACTIVATE, DataType.INT8, 0)
            except Refused:
                self.state = before
                if old_days is not None:
                    self._put_special_days(old_days)
                    self.state = "the special days were put back, the old calendar is in force"
                raise
            self._console.say("active from now on")
            return
        moment = when if isinstance(when, datetime.datetime) else None
        self._set_activation(moment)
        self._console.say(
            f"becomes active on {moment}" if moment else "waits; nothing activates it"
        )
        if old_days is not None:
            self._console.say(
                "note: the special days hold at once, with the day types of the calendar in force"
            )

    def _set_activation(self, moment: datetime.datetime | None) -> None:
        self._link.set(
            cosem.CALENDAR_CLASS, cosem.CALENDAR, cosem.ACTIVATION_TIME, DataType.OCTET_STRING,
            bytearray(dates.activation_octets(moment)),
        )  # fmt: skip

    def _wrong_activation(self, when: datetime.datetime | str | None) -> list[str]:
        moment = when if isinstance(when, datetime.datetime) else None
        found = self._link.get(cosem.CALENDAR_CLASS, cosem.CALENDAR, cosem.ACTIVATION_TIME)
        if dates.activation_of(found) != moment:
            return [f"activation: {moment or 'never'} was written, the meter has {found.hex()}"]
        return []


def _zone(octets: bytes) -> str:
    """Return what a date-time says of its distance from UTC, which it counts westwards."""
    east_min = -int.from_bytes(octets[9:11], "big", signed=True)
    if abs(east_min) > _FARTHEST_MIN:
        return ""  # not specified
    return f" (UTC{'-' if east_min < 0 else '+'}{abs(east_min) // 60:02}:{abs(east_min) % 60:02})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def differences(wanted: Tables, found: Tables) -> list[str]:
    """Return what a meter has otherwise than a file, in sentences; none if all is equal."""
    wrong: list[str] = []

    def compare(what: str, theirs: dict[object, object], ours: dict[object, object]) -> None:
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            name = f"{what} {name_text(key) if isinstance(key, bytes) else key}"
            if key not in theirs:
                wrong.append(f"{name} is not in the meter")
            elif key not in ours:
                wrong.append(f"{name} is in the meter only")
            elif theirs[key] != ours[key]:
                wrong.append(f"{name} is another one in the meter")

    if wanted.name != found.name:
        wrong.append(f'the name is "{name_text(found.name)}", not "{name_text(wanted.name)}"')
    compare(
        "season",
        {season.name: season for season in found.seasons},
        {season.name: season for season in wanted.seasons},
    )
    compare("week", {**found.weeks}, {**wanted.weeks})
    compare(
        "day type",
        {day.id: day.actions for day in found.days},
        {day.id: day.actions for day in wanted.days},
    )
    compare(
        "special day",
        {entry.index: entry for entry in found.special_days},
        {entry.index: entry for entry in wanted.special_days},
    )
    if not wrong and wanted != found:
        wrong.append("the order of the entries is another one")
    if len(wrong) > _LISTED:
        wrong[_LISTED:] = [f"and {len(wrong) - _LISTED} differences more"]
    return wrong


def read(link: Link, half: int, progress: Callable[[str], Progress]) -> Tariff:
    """Return the tariff in a meter, with names made up where it has none."""
    tariff = Tariff(cosem.read(link, half, progress))
    tariff.rates = [tariff.rate(number) for number in tariff.tables.rates_used()]
    tariff.day_names = {day.id: f"day-{day.id}" for day in tariff.tables.days}
    if half == cosem.PASSIVE:
        octets = link.get(cosem.CALENDAR_CLASS, cosem.CALENDAR, cosem.ACTIVATION_TIME)
        tariff.activate = dates.activation_of(octets)
    return tariff


def borrow_names(tariff: Tariff, known: Tariff) -> None:
    """Let a tariff have the names and prices of another one, where both have the same thing."""
    tariff.description, tariff.currency = known.description, known.currency
    used = tariff.tables.rates_used()
    tariff.rates = [known.rate(number) for number in used]
    for day in tariff.tables.days:
        if known.tables.day(day.id) == day and day.id in known.day_names:
            tariff.day_names[day.id] = known.day_names[day.id]
    theirs = {entry.index: entry for entry in known.tables.special_days}
    for entry in tariff.tables.special_days:
        if theirs.get(entry.index) == entry:
            tariff.holiday_names[entry.index] = known.holiday_names[entry.index]
