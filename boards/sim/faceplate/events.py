"""`GET /api/events`: the last entries of the event logs, in words, and the error registers."""

from micropython import const

import civil
from app import event_codes
from app.logs.events import LOGS

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from app.logs.event_log import EventLog
    from faceplate.bench import Bench

    Answer = dict[str, object]
    Entry = tuple[int, int, int, str]  # UTC, its place in the log, code, log

_SHOWN = const(30)
_TEXTS = {
    value: name.replace("_", " ").lower()
    for name, value in ((name, getattr(event_codes, name)) for name in dir(event_codes))
    if isinstance(value, int) and 0 < value <= 0xFF
}


def events(bench: "Bench") -> "Answer":
    """Return the newest entries of all logs, the newest first."""
    book = bench.meter().events
    found: list[Entry] = []
    for log, (name, _) in zip(book.logs, LOGS):
        found += _newest(log, name.replace("_log", ""))
    found.sort(reverse=True)
    return {
        "events": [
            {"time": _time_text(utc_s), "log": log, "code": code, "text": _TEXTS.get(code, "")}
            for utc_s, _, code, log in found[:_SHOWN]
        ],
        "errors": [book.errors.value(register) for register in range(3)],
        "posted": book.posted,
        "lost": book.lost,
    }


def _time_text(utc_s: int) -> str:
    year, month, day, _, hour, minute, second = civil.parts(utc_s)
    return f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"


def _newest(log: "EventLog", name: str) -> "list[Entry]":
    entries: list[Entry] = []
    for sequence in range(max(log.first, log.next - _SHOWN), log.next):
        if log.load(sequence):
            row = log.row()
            entries.append((int(row[0]), sequence, int(row[3]), name))
    return entries
