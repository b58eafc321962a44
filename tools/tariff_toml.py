"""A tariff's file, written from what a meter has: `load` of it gives the same tables again."""

from __future__ import annotations

import datetime
import re

import tariff_dates as dates
from tariff_model import SCRIPTS, Action, Tariff, name_text
from tariff_reader import CONTINUE


def text(tariff: Tariff, heading: str) -> str:
    """Return the file; `heading` stands above it as a comment."""
    tables = tariff.tables
    lines = [*(f"# {line}".rstrip() for line in heading.split("\n")), ""]
    lines.append(f"name = {quoted(name_text(tables.name))}")
    if tariff.description:
        lines.append(f"description = {quoted(tariff.description)}")
    if tariff.currency:
        lines.append(f"currency = {quoted(tariff.currency)}")
    if isinstance(tariff.activate, datetime.datetime):
        lines.append(f"activate = {tariff.activate.isoformat()}")
    elif tariff.activate is None:
        lines.append('activate = "never"')
    lines += ["", "[rates]"]
    for rate in tariff.rates:
        price = "" if rate.price is None else f", price = {rate.price!r}"
        color = "" if rate.color is None else f', color = "{rate.color}"'
        lines.append(f"{_key(rate.name)} = {{ number = {rate.number}{price}{color} }}")
    return "\n".join(lines + _days(tariff) + _weeks_and_seasons(tariff) + _holidays(tariff)) + "\n"


def _days(tariff: Tariff) -> list[str]:
    lines: list[str] = []
    for day in tariff.tables.days:
        lines += ["", f"[days.{_key(tariff.day_names[day.id])}]", f"id = {day.id}"]
        if not day.actions or day.actions[0].second:
            lines.append(f'"00:00" = "{CONTINUE}"')
        for second in dict.fromkeys(action.second for action in day.actions):
            what = [_action(tariff, action) for action in day.actions if action.second == second]
            value = f"[{', '.join(what)}]" if what[1:] else what[0]
            lines.append(f'"{dates.time_text(second)}" = {value}')
    return lines


def _weeks_and_seasons(tariff: Tariff) -> list[str]:
    tables = tariff.tables
    lines = ["", "[weeks]"]
    for name, day_ids in tables.weeks.items():
        names = [_day(tariff, day_id) for day_id in day_ids]
        lines.append(f"{_key(name_text(name))} = {{ {_week(names)} }}")
    lines += ["", "[seasons]"]
    for season in tables.seasons:
        start, week = dates.start_text(season.start), quoted(name_text(season.week))
        lines.append(f'{_key(name_text(season.name))} = {{ start = "{start}", week = {week} }}')
    return lines


def _holidays(tariff: Tariff) -> list[str]:
    lines = ["", "[holidays]"]
    taken: set[str] = set()
    for entry in tariff.tables.special_days:
        name = tariff.holiday_names.get(entry.index, f"special day {entry.index}")
        if name in taken:
            name += f" ({entry.index})"
        taken.add(name)
        lines.append(
            f'{_key(name)} = {{ date = "{dates.date_text(entry.date)}",'
            f" day = {_day(tariff, entry.day_id)}, index = {entry.index} }}"
        )
    return lines


def quoted(text: str) -> str:
    """Return a basic string of TOML."""
    words = ""
    for letter in text:
        if letter in '"\\':
            words += "\\" + letter
        elif letter < " " or letter == "\x7f":
            words += f"\\u{ord(letter):04x}"
        else:
            words += letter
    return f'"{words}"'


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else quoted(text)


def _action(tariff: Tariff, action: Action) -> str:
    rate = next((rate for rate in tariff.rates if rate.number == action.rate), None)
    if rate is not None:
        return quoted(rate.name)
    script = "" if action.script == SCRIPTS else f'script = "{action.script}", '
    return f"{{ {script}selector = {action.selector} }}"


def _day(tariff: Tariff, day_id: int) -> str:
    name = tariff.day_names.get(day_id)
    return str(day_id) if name is None else quoted(name)


def _week(names: list[str]) -> str:
    """Return the weekdays, runs of one day type as monday-friday."""
    parts: list[str] = []
    first = 0
    for n in range(1, 8):
        if n < 7 and names[n] == names[first]:
            continue
        last = "" if n - 1 == first else "-" + dates.WEEKDAYS[n - 1]
        key = "every-day" if n - first == 7 else dates.WEEKDAYS[first] + last
        parts.append(f"{key} = {names[first]}")
        first = n
    return ", ".join(parts)
