"""The command line of the virtual meter, checked: virtual-meter.md of the user's documentation.

Everything wrong with an option is an `OptionError` with one line of text.
"""

import os

import host

MODELS = ("3ph", "1ph", "ct", "twin")
PARTS = ("full", "standard", "basic", "look")  # of app.parts
GLASSES = ("st7567", "ssd1306", "ht1621", "ht1622")
SCENARIOS = ("household",)
DETAILS = ("auto", "frames", "windows")
_CHOICES = {
    "--model": MODELS,
    "--glass": GLASSES,
    "--parts": PARTS,
    "--detail": DETAILS,
    "--scenario": SCENARIOS,
}
_PORTS = 6
_MAX_RATE = 1_000_000
_MAX_SEED = 0xFFFFFFFF
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

HELP = """\
usage: run.py [options]

The virtual meter: the unmodified firmware on simulated chips.

  --host A       address that every port binds (127.0.0.1)
  --ports N      first of six consecutive TCP ports: COSEM, RS485, optical, P1, M-Bus, modem (4059)
  --http N       port of the faceplate and its API, 0: none (8080)
  --model NAME   3ph three-phase direct, 1ph single-phase with neutral current,
                 ct three-phase on 5 A transformers, twin single-phase with two elements (3ph)
  --glass NAME   the display: st7567 LCD and ssd1306 OLED of dots, ht1621 and ht1622 LCD of
                 segments (st7567)
  --parts NAME   what the firmware has: full, standard without the quality of the supply, basic
                 without tariff, demand, billing and IEC 62056-21 as well, look without
                 ports, logs and profiles too (full)
  --state DIR    folder of the non-volatile chips' contents (.state/NAME)
  --fresh        start from blank chips
  --time T       set the simulated clock chip to T in UTC, such as 2026-01-31T23:59:50
                 (the host's time, if the chip lost power)
  --rate R       simulated seconds in a real second, 0: stand still (1)
  --detail D     frames, windows or auto (auto)
  --replay FILE  take frames from a frame file instead of the simulated mains
  --scenario S   household: loads and a solar roof that change by the minute (a steady load)
  --seed N       seed of every random thing (1)
  --heap SIZE    heap of the interpreter, for the launcher (4M)
  --help         print this"""


class OptionError(Exception):
    """An option is wrong; the text says which and why."""


class Options:
    """What the command line asks for."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.ports = 4059
        self.http = 8080
        self.model = "3ph"
        self.glass = "st7567"
        self.parts = "full"
        self.state = ""
        self.fresh = False
        self.time_s: int | None = None  # UTC since 2000-01-01
        self.rate = 1.0
        self.detail = "auto"
        self.replay: str | None = None
        self.scenario: str | None = None
        self.seed = 1
        self.heap: str | None = None
        self.help = False


def _whole(name: str, text: str, low: int, high: int) -> int:
    digits = text[1:] if text[:1] == "-" else text
    if not digits or len(digits) > 12 or any(c not in "0123456789" for c in digits):
        raise OptionError(f"{name} {text}: not a whole number")
    value = int(text)
    if not low <= value <= high:
        raise OptionError(f"{name} {text}: must be {low} to {high}")
    return value


def _rate(name: str, text: str) -> float:
    if not text or any(c not in "0123456789.eE+-" for c in text):
        raise OptionError(f"{name} {text}: not a number")
    try:
        value = float(text)
    except ValueError:
        raise OptionError(f"{name} {text}: not a number") from None
    if not 0 <= value <= _MAX_RATE:
        raise OptionError(f"{name} {text}: must be 0 to {_MAX_RATE}")
    return value


def _choice(name: str, text: str, choices: "tuple[str, ...]") -> str:
    if text not in choices:
        raise OptionError(f"{name} {text}: must be one of " + ", ".join(choices))
    return text


def parse_time(text: str) -> int:
    """Return seconds since 2000-01-01 of "2026-01-31T23:59:50". Raises ValueError."""
    shape = "0000-00-00T00:00:00"
    if text[-1:] == "Z":
        text = text[:-1]
    if len(text) != len(shape):
        raise ValueError("not a time")
    for index in range(len(shape)):
        c, s = text[index], shape[index]
        if (s == "0") != (c in "0123456789") or s not in ("0", c):
            raise ValueError("not a time")
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:])
    leap = year % 4 == 0  # holds from 2000 to 2099
    if not 2000 <= year <= 2099 or not 1 <= month <= 12:
        raise ValueError("not a date from 2000 to 2099")
    last = _MONTH_DAYS[month - 1] + (1 if leap and month == 2 else 0)
    if not 1 <= day <= last or hour > 23 or minute > 59 or second > 59:
        raise ValueError("not a date and time")
    days = (year - 2000) * 365 + (year - 1997) // 4 + day - 1
    for index in range(month - 1):
        days += _MONTH_DAYS[index]
    if leap and month > 2:
        days += 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def _time(name: str, text: str) -> int:
    try:
        return parse_time(text)
    except ValueError:
        raise OptionError(
            f"{name} {text}: must be a time from 2000 to 2099 such as 2026-01-31T23:59:50"
        ) from None


def _address(name: str, text: str) -> str:
    try:
        host.resolve(text, 1)
    except (OSError, UnicodeError):
        raise OptionError(f"{name} {text}: no such address") from None
    return text


def _file(name: str, text: str) -> str:
    try:
        if os.stat(text)[0] & 0x4000:
            raise OptionError(f"{name} {text}: is a folder")
        with open(text, "rb"):
            pass
    except OSError as error:
        raise OptionError(f"{name} {text}: cannot be read ({error})") from None
    return text


def _folder(name: str, text: str) -> str:
    if not text:
        raise OptionError(name + ": needs a folder")
    return text.rstrip("/") or "/"


def _take(options: Options, name: str, value: str) -> None:
    """Check one option that takes a value, and keep it."""
    if name in _CHOICES:
        setattr(options, name[2:], _choice(name, value, _CHOICES[name]))
    elif name == "--host":
        options.host = _address(name, value)
    elif name == "--ports":
        options.ports = _whole(name, value, 1, 65536 - _PORTS)
    elif name == "--http":
        options.http = _whole(name, value, 0, 65535)
    elif name == "--state":
        options.state = _folder(name, value)
    elif name == "--time":
        options.time_s = _time(name, value)
    elif name == "--rate":
        options.rate = _rate(name, value)
    elif name == "--replay":
        options.replay = _file(name, value)
    elif name == "--seed":
        options.seed = _whole(name, value, 0, _MAX_SEED)
    else:
        options.heap = value


_WITH_VALUE = (
    "--host",
    "--ports",
    "--http",
    "--model",
    "--state",
    "--time",
    "--glass",
    "--parts",
    "--rate",
    "--detail",
    "--replay",
    "--scenario",
    "--seed",
    "--heap",
)


def parse(arguments: "list[str]") -> Options:
    """Return the options of a command line. Raises OptionError."""
    options = Options()
    index = 0
    while index < len(arguments):
        name = arguments[index]
        index += 1
        value = None
        if "=" in name and name.startswith("--"):
            name, value = name.split("=", 1)
        if name in ("--fresh", "--help", "-h"):
            if value is not None:
                raise OptionError(name + ": takes no value")
            options.fresh = options.fresh or name == "--fresh"
            options.help = options.help or name != "--fresh"
            continue
        if name not in _WITH_VALUE:
            raise OptionError(name + ": unknown option, --help lists them")
        if value is None:
            if index == len(arguments):
                raise OptionError(name + ": needs a value")
            value = arguments[index]
            index += 1
        _take(options, name, value)
    if options.scenario and options.replay:
        raise OptionError("--scenario and --replay: either a scenario or a recording")
    if options.ports <= options.http < options.ports + _PORTS:
        raise OptionError(f"--http {options.http}: is one of the meter's ports")
    if not options.state:
        options.state = ".state/" + options.model
    return options
