"""The clock chip of a board that no meter runs on: looked at, and set from the PC's clock.

The board's own driver does it, so the chip holds what the meter would have written: UTC, and the
mark that it is known. The meter makes local time of it by the zone that it has stored.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import sleep, time
from typing import TYPE_CHECKING

from board_link import BoardError

if TYPE_CHECKING:
    from board_link import BoardLink

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EARLIEST_S = 26 * 365 * 86400  # 2026: a PC that says less does not know the time either
_AGREE_S = 2  # the chip tells whole seconds
_UNKNOWN = -1

_OPEN = "import board\nclock=board.parts().rtc"
# As app.clock looks at start-up.
_LOOK = f"""
clock.check()
try:
 print({_UNKNOWN} if clock.oscillator_stopped() else clock.utc_s())
except ValueError:
 print({_UNKNOWN})
"""


def now_s() -> float:
    """The PC's UTC in seconds since 2000."""
    return time() - _EPOCH.timestamp()


def _text(utc_s: int) -> str:
    return f"{_EPOCH + timedelta(seconds=utc_s):%Y-%m-%d %H:%M:%S} UTC"


def _next_second() -> int:
    """Wait until a second of the PC's begins, and return it: the chip begins one as it is set."""
    utc_s = now_s()
    sleep(1 - utc_s % 1)
    return int(utc_s) + 1


def tend(link: BoardLink, wanted: bool) -> str:
    """Set the clock if it does not know the time, or if that is `wanted`; a line that says so.

    Afterwards the board's parts are built: restart it before its program.
    """
    try:
        link.run(_OPEN)
    except BoardError as error:
        return f"clock: not looked at, the board says {error}"
    try:
        chip_s = int(link.run(_LOOK))
        found, right = _found(chip_s)
        if chip_s != _UNKNOWN and not wanted:
            hint = "" if right else "; left as it is, ARGS=--set-clock sets it"
            return f"clock: {found}{hint}"
        return f"clock: {found}; {_set(link)}"
    except BoardError as error:
        return (
            f"clock: the chip does not answer ({error}): make device-test says what to look at, "
            "then make flash again"
        )


def _found(chip_s: int) -> tuple[str, bool]:
    """What the chip says, in words, and whether it is right by this PC's clock."""
    if chip_s == _UNKNOWN:
        return "it did not know the time", False
    ahead_s = chip_s - int(now_s())
    if abs(ahead_s) <= _AGREE_S:
        return f"{_text(chip_s)}, as this PC's", True
    side = "ahead of" if ahead_s > 0 else "behind"
    return f"{_text(chip_s)}, {timedelta(seconds=abs(ahead_s))} {side} this PC's", False


def _set(link: BoardLink) -> str:
    """Set the chip; what came of it."""
    if now_s() < _EARLIEST_S:
        return f"not set, for this PC's {_text(int(now_s()))} cannot be right either"
    utc_s = _next_second()
    link.run(f"clock.set_utc_s({utc_s})")
    gone_s = int(link.run(_LOOK)) - utc_s
    if not 0 <= gone_s <= _AGREE_S + max(0, now_s() - utc_s):
        return "it does not keep what is set: make device-test says what to look at"
    return f"set from this PC: {_text(utc_s)}"
