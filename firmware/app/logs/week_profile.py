"""The profile of weeks by EN 50160: each row is what 0-0:128.7.93 said of a week."""

from micropython import const

from app.logs.captured import IN_HEAD, SIZE_32, CapturedRows, column
from app.rows import CLOCK

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.logs.captured import Recorder

_COLUMNS_MOST = const(40)
_FIELDS = const(18)  # of the object's structure
_LAST_WEEK = b"\x00\x00\x80\x07\x5d\xff"


def open_profile(recorder: "Recorder") -> "tuple[CapturedRows, Callable[[int], None]]":
    """Return the profile, and what is to be called with the end of each week."""
    columns = column(CLOCK[0], CLOCK[1], CLOCK[2], IN_HEAD)
    for field in range(_FIELDS):
        columns += column(1, _LAST_WEEK, 2, SIZE_32, 1 + field)
    rows = CapturedRows(recorder, "weeks", "weeks_setup", columns, _COLUMNS_MOST)

    def end(utc_s: int) -> None:
        """Add a row; a week that a power cut lets end again has it already."""
        try:
            if rows.newest_utc_s() != utc_s:
                rows.capture_at(utc_s)
        except OSError:
            pass  # others tell of the flash; the object still has the week

    return rows, end
