"""A year of a tariff for the terminal: rates, and a line of the day for each kind of day."""

from __future__ import annotations

from collections.abc import Callable

import tariff_dates as dates
from tariff_model import Tariff, name_text
from tariff_year import DAY_S, DayOfYear, Year, spans

_CELLS = 48
_CELL_S = DAY_S // _CELLS
_NOTHING = "."
_RULE = "0     3     6     9     12    15    18    21    24"
# from cheap to dear, of the 256 colours that terminals have
_BACKGROUNDS = (24, 31, 73, 152, 229, 215, 166, 124)
_DARK_FROM = 3


def label(tariff: Tariff, number: int, hours: dict[int, float]) -> str:
    """Return a rate's line of the legend: name, price, hours and their share of the year."""
    rate = tariff.rate(number)
    words = rate.name
    if rate.price is not None:
        words += (
            f", {price_text(rate.price)}{' ' + tariff.currency if tariff.currency else ''}/kWh"
        )
    part = 100 * hours.get(number, 0) / sum(hours.values())
    share = "under 1" if 0 < part < 0.5 else f"{part:.0f}"
    return f"{words}, {hours.get(number, 0):.0f} h ({share} %)"


def price_text(price: float) -> str:
    """Return a price with the decimals it has, two at least."""
    text = f"{price:.6f}".rstrip("0")
    return text + "0" * (2 - len(text.partition(".")[2]))


def text(tariff: Tariff, year: Year, *, colored: bool) -> str:
    """Return the whole picture in words and lines."""
    hours = year.hours()
    paint = _painter(tariff, [rate for rate in hours if rate]) if colored else str
    lines = [f"{name_text(tariff.tables.name)}, {year.year}"]
    if tariff.description:
        lines.append(tariff.description)
    lines.append("")
    lines += [f"  {paint(_cell(rate))}  {label(tariff, rate, hours)}" for rate in hours if rate]
    if 0 in hours:
        lines.append(f"  {_NOTHING}  no rate, {hours[0]:.0f} h")
    lines.append("")
    lines += _days_by_season(tariff, year, paint)
    special = [day for day in year.days if day.special]
    if special:
        lines += ["", "special days"]
        for day in special:
            assert day.special is not None
            name = tariff.holiday_names.get(day.special.index, f"special day {day.special.index}")
            weekday = dates.WEEKDAYS[day.date.weekday()][:3]
            lines.append(f"  {day.date} {weekday}  {_day_name(tariff, day):<18}{name}")
    return "\n".join(lines)


def _days_by_season(tariff: Tariff, year: Year, paint: Callable[[str], str]) -> list[str]:
    """Return, season by season, which weekdays have which line."""
    lines = [" " * 28 + _RULE]
    begin = 0
    for end in range(1, len(year.days) + 1):
        if end < len(year.days) and year.days[end].season == year.days[begin].season:
            continue
        part = year.days[begin:end]
        name = name_text(part[0].season) if part[0].season else "no season"
        lines.append(f"{name}, {part[0].date} to {part[-1].date}")
        kinds: dict[tuple[str, tuple[tuple[int, int], ...]], set[int]] = {}
        for day in part:
            if day.special is None:
                kinds.setdefault((_day_name(tariff, day), day.switches), set()).add(
                    day.date.weekday()
                )
        for (day_name, switches), weekdays in sorted(kinds.items(), key=lambda kind: min(kind[1])):
            cells = "".join(paint(cell) for cell in _bar(switches))
            lines.append(f"  {_weekdays(weekdays):<8}{day_name[:17]:<18}{cells}")
        begin = end
    return lines


def _bar(switches: tuple[tuple[int, int], ...]) -> list[str]:
    """Return 48 half hours, each the rate that holds longest in it."""
    cells: list[str] = []
    for at in range(0, DAY_S, _CELL_S):
        lasts: dict[int, int] = {}
        for begin, end, rate in spans(switches):
            lasts[rate] = lasts.get(rate, 0) + max(0, min(end, at + _CELL_S) - max(begin, at))
        cells.append(_cell(max(lasts, key=lambda rate: lasts[rate])))
    return cells


def _cell(rate: int) -> str:
    return str(rate) if rate else _NOTHING


def _day_name(tariff: Tariff, day: DayOfYear) -> str:
    return tariff.day_names.get(day.day_id, f"day {day.day_id}" if day.day_id >= 0 else "none")


def _weekdays(numbers: set[int]) -> str:
    """Return Mon-Fri, Sat+Sun or Tue."""
    rising = sorted(numbers)
    names = [dates.WEEKDAYS[n][:3].capitalize() for n in rising]
    if len(rising) > 2 and rising[-1] - rising[0] == len(rising) - 1:
        return f"{names[0]}-{names[-1]}"
    return "+".join(names) if len(names) < 3 else "some"


def _painter(tariff: Tariff, rates: list[int]) -> Callable[[str], str]:
    rising = sorted(rates, key=lambda number: (tariff.rate(number).price or 0, -number))
    steps = max(1, len(rising) - 1)
    shades = {str(r): round(n * (len(_BACKGROUNDS) - 1) / steps) for n, r in enumerate(rising)}

    def paint(cell: str) -> str:
        if cell not in shades:
            return cell
        shade = shades[cell]
        ink = 16 if _DARK_FROM <= shade < len(_BACKGROUNDS) - 2 else 231
        return f"\x1b[48;5;{_BACKGROUNDS[shade]};38;5;{ink}m{cell}\x1b[0m"

    return paint
