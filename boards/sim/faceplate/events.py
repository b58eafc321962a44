"""`GET /api/events`: the last entries of the event logs, in words, and the error registers.

The words are those of the one table of events, firmware/app/logs/events.csv. It is read when an
entry comes up that was not told before; only the words of such entries are kept.
"""

from micropython import const

import civil
from app.logs.events import LOGS
from faceplate.bench import NoMeterError

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from typing import TextIO

    from app.logs.event_log import EventLog
    from faceplate.bench import Bench

    Answer = dict[str, object]
    Entry = tuple[int, int, int, str]  # UTC, its place in the log, code, letter of the log

_SHOWN = const(30)
_TABLE = "/firmware/app/logs/events.csv"
_LETTERS = "SFDMQKLUYP"  # by which the table names the logs, in the order of LOGS
_CODE, _NAMED_LOGS, _EVENT = 0, 3, 10  # columns of the table

_texts: "dict[tuple[int, str], str]" = {}  # by code and letter of the log


def events(bench: "Bench") -> "Answer":
    """Return the newest entries of all logs, the newest first."""
    bench.meter()
    book = bench.logs()
    if book is None:
        raise NoMeterError("this meter was built without logs")
    found: list[Entry] = []
    for log, letter in zip(book.logs, _LETTERS):
        found += _newest(log, letter)
    found.sort(reverse=True)
    del found[_SHOWN:]
    _read_texts(bench.root + _TABLE, [(code, letter) for _, _, code, letter in found])
    return {
        "events": [
            {
                "time": time_text(utc_s),
                "log": LOGS[_LETTERS.index(letter)][0].replace("_log", ""),
                "code": code,
                "text": _texts[code, letter],
            }
            for utc_s, _, code, letter in found
        ],
        "errors": [book.errors.value(register) for register in range(3)],
        "posted": book.posted,
        "lost": book.lost,
    }


def _open(table: str) -> "TextIO":
    return open(table)  # pyright: ignore[reportUnknownVariableType] - the stubs' gap


def _read_texts(table: str, wanted: "list[tuple[int, str]]") -> None:
    """Look up the words of entries; none for a code that the table does not have."""
    new = [key for key in wanted if key not in _texts]
    if not new:
        return
    with _open(table) as file:
        for line in file:
            columns = line.rstrip().split(",", _EVENT)
            for key in new:
                if columns[_CODE] == str(key[0]) and key[1] in columns[_NAMED_LOGS]:
                    _texts.setdefault(key, columns[_EVENT].strip('"'))
    for key in new:
        _texts.setdefault(key, "")


def time_text(utc_s: int) -> str:
    """Return UTC seconds since 2000 as ISO 8601."""
    year, month, day, _, hour, minute, second = civil.parts(utc_s)
    return f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"


def _newest(log: "EventLog", letter: str) -> "list[Entry]":
    entries: list[Entry] = []
    for sequence in range(max(log.first, log.next - _SHOWN), log.next):
        if log.load(sequence):
            row = log.row()
            entries.append((int(row[0]), sequence, int(row[3]), letter))
    return entries
