"""`make events`: the one table of events, made into the meter's own and into docs/events.md.

firmware/app/logs/events.csv is the table that people edit: code, cause, name in
app.event_codes, logs by letter, alarm as register.bit (a minus: the condition has gone), bits of
the three error registers, id of the alert it is besides, row of the feature list, what happened.
The meter carries it as packed octets (firmware/app/logs/event_table.py). `--check` compares both
with the table.
"""

from __future__ import annotations

import argparse
import csv
import re
import struct
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "firmware" / "app" / "logs" / "events.csv"
MODULE = TABLE.with_name("event_table.py")
DOCUMENT = ROOT / "docs" / "events.md"
COLUMNS = [
    "code",
    "cause",
    "name",
    "logs",
    "alarm",
    "idis",
    "st402",
    "ie",
    "alert",
    "row",
    "event",
]
# In the order of app.logs.events.LOGS; M-Bus control logs are one a channel.
LOGS = {
    "S": "standard",
    "F": "fraud detection",
    "D": "disconnector control",
    "M": "M-Bus event",
    "Q": "power quality",
    "K": "communication",
    "L": "load management",
    "U": "firmware update",
    "Y": "security",
    "P": "prepayment",
    "C": "M-Bus control",
}
ALL_LOGS = 255  # the code that every log has
NO_ALARM = 0xFF
GONE = 0x80
_ALARM = re.compile(r"(-?)([1234])\.(\d+)")  # the fourth has no register of its own
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


class TableError(Exception):
    """The table is wrong; the text says in which line and why."""


class Event(NamedTuple):
    """One row of the table."""

    number: int  # cause in the upper byte
    name: str
    logs: str
    alarm: int
    errors: tuple[int, int, int]
    alert: int  # 0: none
    row: str
    event: str


def alarm_of(text: str) -> int:
    """Return the octet of an alarm: 32 * register + bit, the condition's end with GONE."""
    if not text:
        return NO_ALARM
    found = _ALARM.fullmatch(text)
    if found is None or int(found[3]) > 31:
        raise ValueError(f"alarm {text!r} is not like 1.13 or -2.9")
    return (GONE if found[1] else 0) | 32 * (int(found[2]) - 1) + int(found[3])


def parse(line: dict[str, str]) -> Event:
    """Return the event of one line. Raises ValueError."""
    code, cause = int(line["code"]), int(line["cause"])
    if not (1 <= code <= 255 and 0 <= cause <= 255):
        raise ValueError("codes are 1 to 255, causes 0 to 255")
    if line["name"] and not _NAME.fullmatch(line["name"]):
        raise ValueError(f"{line['name']!r} is no name of a constant")
    if set(line["logs"]) - set(LOGS) or len(set(line["logs"])) != len(line["logs"]):
        raise ValueError(f"logs {line['logs']!r}: letters of {''.join(LOGS)}, each once")
    masks = [int(line[key] or "0", 16) for key in ("idis", "st402", "ie")]
    if max(masks) >= 1 << 32 or not line["event"] or not line["row"]:
        raise ValueError("masks have 32 bits; row and event are needed")
    errors = (masks[0], masks[1], masks[2])
    alert = int(line["alert"] or "0", 16)
    if alert > 0xFFFF:
        raise ValueError("ids of alerts have 16 bits")
    number = cause << 8 | code
    return Event(
        number, line["name"], line["logs"], alarm_of(line["alarm"]), errors, alert,
        line["row"], line["event"],
    )  # fmt: skip


def read(path: Path = TABLE) -> list[Event]:
    """Return all events by number. Raises TableError."""
    events: dict[int, Event] = {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            raise TableError(f"{path.name}: the columns are {','.join(COLUMNS)}")
        for line in reader:
            try:
                event = parse(line)
                if event.number in events:
                    raise ValueError("this code and cause stand there twice")
            except (ValueError, TypeError) as error:
                raise TableError(f"{path.name}, line {reader.line_num}: {error}") from None
            events[event.number] = event
    return [events[number] for number in sorted(events)]


def _literal(octets: bytes) -> str:
    return 'b"' + "".join(f"\\x{octet:02x}" for octet in octets) + '"'


def module(events: list[Event]) -> str:
    """Return the text of app.logs.event_table."""
    lines = [
        '"""The table of events as the meter carries it; made by `make events` from events.csv.',
        "",
        "EVENTS: code with its cause (u16), logs (u16, one bit each in the order of",
        "app.logs.events.LOGS), alarm (u8). ERRORS: code with its cause (u16), bits of the three",
        "error registers (u32). ALERTS: code with its cause, alert (u16). Little-endian, in",
        "rising order of the first.",
        '"""',
        "",
        "EVENTS = (",
    ]
    letters = list(LOGS)
    for event in events:
        logs = sum(1 << letters.index(letter) for letter in event.logs)
        octets = struct.pack("<HHB", event.number, logs, event.alarm)
        lines.append(f"    {_literal(octets)}  # {event.number & 0xFF} {event.event}"[:99])
    lines += [")", "ERRORS = ("]
    for event in events:
        if any(event.errors):
            octets = struct.pack("<H3I", event.number, *event.errors)
            lines.append(f"    {_literal(octets)}  # {event.number & 0xFF}")
    lines += [")", "ALERTS = ("]
    for event in events:
        if event.alert:
            octets = struct.pack("<HH", event.number, event.alert)
            lines.append(f"    {_literal(octets)}  # {event.number & 0xFF}")
    return "\n".join([*lines, ")", ""])


def _alarm_text(alarm: int) -> str:
    if alarm == NO_ALARM:
        return ""
    register, bit = divmod(alarm & ~GONE, 32)
    return f"{register + 1}.{bit}" + (" gone" if alarm & GONE else "")


def document(events: list[Event]) -> str:
    """Return the text of docs/events.md."""
    lines = [
        "# Events",
        "",
        "Written by `make events` from firmware/app/logs/events.csv; not edited by hand.",
        "",
        "Codes are those of the IDIS system. An event of the fraud log raises alarm 1.13 besides.",
        "Errors are bits of the registers 0-0:97.97.0, .1 and .2. 0-0:96.11.20 has the id of the",
        "latest alert. Alarm 4.8 is 2.8 of the IE system. A code with several causes is",
        "one code in the log. Events without a name cannot be posted by this version yet.",
        "",
        "Logs: " + ", ".join(f"{letter} {name}" for letter, name in LOGS.items()) + ".",
        "",
        "| Code | Log | Event | Alarm | Errors | Alert | Row | Name |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for event in events:
        errors = " ".join(f"{mask:x}" if mask else "-" for mask in event.errors)
        logs = event.logs or ("all" if event.number == ALL_LOGS else "-")
        lines.append(
            f"| {event.number & 0xFF} | {logs} | {event.event} "
            f"| {_alarm_text(event.alarm)} | {errors if any(event.errors) else ''} "
            f"| {f'{event.alert:04X}' if event.alert else ''} | {event.row} | {event.name} |"
        )
    return "\n".join([*lines, ""])


def main() -> int:
    """Write or compare both files; 1 if they differ, 2 if the table is wrong."""
    parser = argparse.ArgumentParser(description="The table of events for meter and reader.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    try:
        events = read()
    except (TableError, OSError) as error:
        print("events:", error, file=sys.stderr)
        return 2
    different = 0
    for path, text in ((MODULE, module(events)), (DOCUMENT, document(events))):
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"events: {path.relative_to(ROOT)} is not of today: make events")
            different = 1
    if not different:
        print(f"{len(events)} events, {sum(bool(event.name) for event in events)} can be posted")
    return different


if __name__ == "__main__":
    sys.exit(main())
