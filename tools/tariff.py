"""Tariffs for the meter: checks a file, shows its year, writes it to a meter and reads it back.

    tariff.py check FILE                   every mistake, with its line
    tariff.py show FILE [-o year.png]      the year as text, and as a picture (.png, .svg, .pdf)
    tariff.py write FILE [--activate now]  to a meter, and compare what it has then
    tariff.py read [-o FILE]               what a meter has, as a file

docs/tariff.md explains the file; examples stand in tools/tariffs. Exit status: 0 done, 1 the file
is wrong or the meter refused or has something else, 2 it could not be done.
"""

from __future__ import annotations

import argparse
import datetime
import io
import sys
from pathlib import Path

import meter_options
import tariff_dates as dates
import tariff_file
import tariff_text
import tariff_toml
from tariff_model import Tariff
from tariff_year import Year

_SHOWN = 40  # problems; who made more reads no more


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may have letters that a terminal has not
            stream.reconfigure(errors="replace")
    options = _options(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("tariff: stopped", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone
        sys.stderr.close()
        return 2


def _load(path: Path) -> Tariff | None:
    """Return the tariff of a file; say what is wrong with it."""
    tariff, problems = tariff_file.load(path)
    for problem in problems[:_SHOWN]:
        print(f"{path}: {problem}", file=sys.stderr)
    if len(problems) > _SHOWN:
        print(f"{path}: and {len(problems) - _SHOWN} more", file=sys.stderr)
    return tariff


def _check(options: argparse.Namespace) -> int:
    status = 0
    for path in options.files:
        tariff = _load(path)
        if tariff is None:
            status = 1
            continue
        tables = tariff.tables
        print(
            f"{path}: good. Seasons {len(tables.seasons)} of 12, weeks {len(tables.weeks)} of 12,"
            f" day types {len(tables.days)} of 24, special days {len(tables.special_days)} of 64"
        )
        if tariff.easter_until:
            print(f"{path}: the days that move with Easter are known until {tariff.easter_until}")
    return status


def _show(options: argparse.Namespace) -> int:
    tariff = _load(options.file)
    if tariff is None:
        return 1
    year = Year(tariff.tables, options.year or _year_of(tariff))
    colored = options.color == "always" or (options.color == "auto" and sys.stdout.isatty())
    print(tariff_text.text(tariff, year, colored=colored))
    if options.output:
        import tariff_picture

        try:
            tariff_picture.draw(tariff, year, options.output)
        except (OSError, ValueError) as error:
            print(f"tariff: {options.output}: {error}", file=sys.stderr)
            return 2
        print(f"\nwritten: {options.output}")
    return 0


def _year_of(tariff: Tariff) -> int:
    if isinstance(tariff.activate, datetime.datetime):
        return tariff.activate.year
    return datetime.date.today().year


def _write(options: argparse.Namespace) -> int:
    tariff = _load(options.file)
    if tariff is None:
        return 1
    from meter_link import LinkError, Refused
    from tariff_meter import Console, Writer

    writer = None
    console = Console(sys.stdout, sys.stderr)
    try:
        with _link(options) as link:
            writer = Writer(link, tariff, console)
            when = getattr(options, "activate", tariff.activate)
            wrong = writer.write(when, repair=options.repair)
    except (LinkError, KeyboardInterrupt) as error:
        state = f"\n{writer.state}" if writer else ""
        refused = isinstance(error, Refused)
        text = str(error) or "stopped"
        print(f"{'refused' if refused else 'tariff'}: {text}{state}", file=sys.stderr)
        return 1 if refused else 2
    for text in wrong:
        print(f"differs: {text}", file=sys.stderr)
    return 1 if wrong else 0


def _read(options: argparse.Namespace) -> int:
    known = _load(options.names) if options.names else None
    if options.names and known is None:
        return 1
    import tariff_cosem
    import tariff_meter
    from meter_link import LinkError

    half = tariff_cosem.PASSIVE if options.passive else tariff_cosem.ACTIVE
    console = tariff_meter.Console(sys.stderr, sys.stderr)
    try:
        with _link(options) as link:
            tariff = tariff_meter.read(link, half, console.progress)
    except LinkError as error:
        print(f"tariff: {error}", file=sys.stderr)
        return 2
    if not tariff.tables.days and not tariff.tables.seasons:
        print("tariff: the meter has no such calendar", file=sys.stderr)
        return 1
    if known is not None:
        tariff_meter.borrow_names(tariff, known)
    which = "The calendar that waits" if options.passive else "The calendar in force"
    text = tariff_toml.text(tariff, f"{which}, read from {options.host_text}.")
    _, problems = tariff_file.parse(text)
    for problem in problems:
        console.say(f"note: {problem}")
    if options.output is None:
        console.say("")
        print(text, end="")
        return 0
    try:
        options.output.write_text(text)
    except OSError as error:
        print(f"tariff: {options.output}: {error.strerror}", file=sys.stderr)
        return 2
    console.say(f"written: {options.output}")
    return 0


def _link(options: argparse.Namespace):  # noqa: ANN202 - a Link; its library is loaded on demand
    """Connect as the options say. Raises LinkError."""
    import meter_place

    place = meter_place.of(options)
    options.host_text = place.name
    return place.link()


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="say everything that is wrong with files")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.set_defaults(run=_check)

    show = commands.add_parser("show", help="show a year, as text and as a picture")
    show.add_argument("file", type=Path, metavar="FILE")
    show.add_argument("-o", "--output", type=Path, help="picture to draw: .png, .svg or .pdf")
    show.add_argument("--year", type=_year, help="2000 to 2099 (that of the activation, or now)")
    show.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    show.set_defaults(run=_show)

    write = commands.add_parser("write", help="write a file to a meter and compare")
    write.add_argument("file", type=Path, metavar="FILE")
    write.add_argument(
        "--activate", type=_activation, default=argparse.SUPPRESS, metavar="WHEN",
        help="now, never, or a local time as 2027-01-01 (what the file says; now)",
    )  # fmt: skip
    write.add_argument(
        "--repair", action="store_true", help="overwrite scripts and masks that switch no rate"
    )
    write.set_defaults(run=_write)

    read = commands.add_parser("read", help="make a file of what a meter has")
    read.add_argument("-o", "--output", type=Path, help="file to write (the terminal)")
    read.add_argument("--passive", action="store_true", help="the calendar that waits")
    read.add_argument(
        "--names", type=Path, metavar="FILE", help="take names and prices from this file"
    )
    read.set_defaults(run=_read)
    for command in (write, read):
        meter_options.add(command.add_argument_group("the meter"))
    return parser.parse_args(arguments)


def _year(text: str) -> int:
    if not text.isdecimal() or not 2000 <= int(text) <= 2099:
        raise argparse.ArgumentTypeError("a year is 2000 to 2099")
    return int(text)


def _activation(text: str) -> datetime.datetime | str | None:
    try:
        return dates.parse_activation(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
