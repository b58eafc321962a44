"""A tariff as the meter has it, with the names and prices that only people need."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

RATES_MAX = 8
SCRIPTS = "0-0:10.0.100"  # its script n switches to rate n


@dataclass(frozen=True)
class Rate:
    """One of the meter's rates; the price is for a kilowatt hour."""

    name: str
    number: int
    price: float | None = None
    color: str | None = None


@dataclass(frozen=True)
class Action:
    """What happens at a second of the day: script `selector` of a script table."""

    second: int
    selector: int
    script: str = SCRIPTS

    @property
    def rate(self) -> int:
        """Number of the rate that begins, 0 if the script is another one."""
        known = self.script == SCRIPTS and 1 <= self.selector <= RATES_MAX
        return self.selector if known else 0


@dataclass(frozen=True)
class Day:
    """A day profile; without an action at 00:00 it goes on with what the day before ended with."""

    id: int
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Season:
    """From its start (twelve octets, see tariff_dates) on a week holds."""

    name: bytes
    start: bytes
    week: bytes


@dataclass(frozen=True)
class SpecialDay:
    """A date (five octets) whose day is not the one of its weekday."""

    index: int
    date: bytes
    day_id: int


@dataclass
class Tables:
    """Everything that goes to the meter; two that are equal make the same tariff."""

    name: bytes = b""
    seasons: list[Season] = field(default_factory=list[Season])
    weeks: dict[bytes, tuple[int, ...]] = field(default_factory=dict[bytes, "tuple[int, ...]"])
    days: list[Day] = field(default_factory=list[Day])
    special_days: list[SpecialDay] = field(default_factory=list[SpecialDay])

    def day(self, day_id: int) -> Day | None:
        """Return the day profile of an id."""
        return next((day for day in self.days if day.id == day_id), None)

    def rates_used(self) -> list[int]:
        """Return the numbers of the rates that occur, rising."""
        return sorted({a.rate for day in self.days for a in day.actions if a.rate})


@dataclass
class Tariff:
    """Tables, and what people call things."""

    tables: Tables
    description: str = ""
    currency: str = ""
    rates: list[Rate] = field(default_factory=list[Rate])
    day_names: dict[int, str] = field(default_factory=dict[int, str])
    holiday_names: dict[int, str] = field(default_factory=dict[int, str])  # by index
    activate: datetime.datetime | str | None = "now"
    easter_until: int = 0  # last year whose Easter is in the table, 0: none is needed

    def rate(self, number: int) -> Rate:
        """Return a rate, a nameless one if the file has none of this number."""
        found = next((rate for rate in self.rates if rate.number == number), None)
        return found or Rate(f"rate {number}", number)


def name_text(octets: bytes) -> str:
    """Return a name's octets as text; those that are no text as 0x and hexadecimal digits."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return "0x" + octets.hex()
    plain = text.isprintable() and not text.startswith("0x") and text == text.strip()
    return text if plain else "0x" + octets.hex()


def name_octets(text: str) -> bytes:
    """Return the octets of a name. Raises ValueError for 0x and what is no hexadecimal."""
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()
