"""Virtual time: one count of microseconds, events on it, and how it follows the host's clock.

`now_us` never moves while firmware code runs. It moves when every task waits (loop.py asks
`step` and `limit_us`), when a driver sleeps, and, a guard against code that polls for ever, when
firmware asks for the time or uses a bus very often without letting time pass (`stall`).

Pacing: at rate R the count may rise R microseconds in each of the host's. Rate 0 stands still.
A leap (`advance`) runs as fast as the machine can. What happens is ordered by time and, at the
same time, by the order in which it was asked for, so that it is the same on every machine.
"""

import host

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    Event = tuple[int, Callable[[], None]]  # time and what happens then
    Leap = tuple[int, asyncio.Event]  # where it ends and who waits for that

MICROPYTHON = host.MICROPYTHON

now_us = 0
rate: float = 1.0
interrupted: "BaseException | None" = None  # leaves the loop at its next safe point

_MAX_RATE = 1_000_000
_MAX_LEAP_S = 100 * 366 * 86400
# A simulation slower than the wanted rate falls behind; it does not catch up on more than this.
_MAX_LAG_HOST_US = 1_000_000
# Calls in which firmware may ask for the time, or use a bus, before time passes under it.
_PATIENCE = 2000
_STALL_STEP_US = 20

# The processor's crystal: how fast it runs, how far its count was ahead at what time
_crystal_ppb = 0
_crystal_ahead_us = 0
_crystal_from_us = 0

_events: "list[Event]" = []  # in order; so few that a heap would not be faster
_leaps: "list[Leap]" = []  # in the order of their ends
_anchor_host_us = 0
_anchor_us = 0
_calls = 0


def reset() -> None:
    """Start again at zero: for tests."""
    global now_us, rate, interrupted, _calls
    now_us = 0
    rate = 1.0
    interrupted = None
    _calls = 0
    _events.clear()
    _leaps.clear()
    set_crystal(0)
    anchor()


def now() -> int:
    """Return the virtual time in microseconds."""
    return now_us


def set_crystal(ppb: int) -> None:
    """Let the processor's crystal run fast by parts in 10**9 from now on, slow below 0."""
    global _crystal_ppb, _crystal_ahead_us, _crystal_from_us
    _crystal_ahead_us = 0 if now_us == 0 else processor_us() - now_us
    _crystal_from_us = now_us
    _crystal_ppb = ppb


def processor_us() -> int:
    """Return the microseconds that the processor has counted."""
    if not _crystal_ppb:
        return now_us + _crystal_ahead_us
    return now_us + _crystal_ahead_us + (now_us - _crystal_from_us) * _crystal_ppb // 1_000_000_000


def when_processor(us: int) -> int:
    """Return the time at which the processor will have counted `us`."""
    ahead_us = us - _crystal_ahead_us - _crystal_from_us
    if _crystal_ppb:
        ahead_us = -(-ahead_us * 1_000_000_000 // (1_000_000_000 + _crystal_ppb))
    return _crystal_from_us + ahead_us


def at(us: int, callback: "Callable[[], None]") -> "Event":
    """Call `callback()` once the virtual time is `us`; at once if it has passed. A handle."""
    us = max(us, now_us)
    entry = (us, callback)
    index = len(_events)
    while index and _events[index - 1][0] > us:
        index -= 1
    _events.insert(index, entry)
    return entry


def after(us: int, callback: "Callable[[], None]") -> "Event":
    """Call `callback()` in `us` microseconds. A handle."""
    return at(now_us + us, callback)


def cancel(handle: object) -> None:
    """Take an event back; one that has happened or was cancelled may be given again."""
    if handle in _events:
        _events.remove(handle)  # pyright: ignore[reportArgumentType] - it is one of them


def next_us() -> int:
    """Return the time of the next event, -1 if there is none."""
    return _events[0][0] if _events else -1


def step(limit: int) -> bool:
    """Move to the next event up to `limit` and let it happen; else move to `limit`.

    Returns True if there was one.
    """
    global now_us, _calls
    _calls = 0
    if _events and _events[0][0] <= limit:
        when, callback = _events.pop(0)
        now_us = max(now_us, when)
        callback()
        return True
    now_us = max(now_us, limit)
    return False


def pass_us(us: int) -> None:
    """Let time pass under running code, as a blocking sleep does: events happen, no tasks run."""
    end = now_us + us
    while step(end):
        if interrupted is not None:
            raise_interrupt()
    if interrupted is not None:
        raise_interrupt()


def stall() -> None:
    """Count a call by which running code might wait for time to pass, and let it pass at last."""
    global _calls
    _calls += 1
    if _calls > _PATIENCE:
        pass_us(_STALL_STEP_US)
        _calls = _PATIENCE - 1


def interrupt(error: BaseException) -> None:
    """Make the loop, or a sleeping driver, raise `error` at its next safe point."""
    global interrupted
    interrupted = error


def raise_interrupt() -> None:
    """Raise what `interrupt` left, if anything."""
    global interrupted
    error = interrupted
    if error is not None:
        interrupted = None
        raise error


def anchor() -> None:
    """Let pacing start from this moment."""
    global _anchor_host_us, _anchor_us
    _anchor_host_us = host.ticks_us()
    _anchor_us = now_us


def set_rate(wanted: object) -> None:
    """Set the simulated seconds in a real second. Raises ValueError for a bad one."""
    global rate
    if isinstance(wanted, bool) or not isinstance(wanted, (int, float)):
        raise ValueError("rate must be a number")
    if not 0 <= wanted <= _MAX_RATE:
        raise ValueError("rate must be 0 to " + str(_MAX_RATE))
    rate = wanted
    anchor()


def leaping() -> bool:
    """Tell whether a leap is under way."""
    return len(_leaps) > 0


def limit_us() -> int:
    """Return how far time may go at this moment: by the leap, else by the host's clock."""
    if _leaps:
        return _leaps[-1][0]
    if rate == 0:
        return now_us
    allowed = _anchor_us + int((host.ticks_us() - _anchor_host_us) * rate)
    if allowed - now_us > _MAX_LAG_HOST_US * rate:
        anchor()
        allowed = now_us + int(_MAX_LAG_HOST_US * rate)
    return allowed


def host_ms_until(us: int) -> int:
    """Return the host's milliseconds until time may be `us`, rounded up; -1: not by itself."""
    if rate == 0:
        return -1
    remaining_us = _anchor_us + int((host.ticks_us() - _anchor_host_us) * rate)
    return max(0, int((us - remaining_us) / rate) // 1000 + 1)


def settle() -> None:
    """No task is ready: end the leaps whose time has come. The loop calls this."""
    while _leaps and _leaps[0][0] <= now_us:
        _leaps.pop(0)[1].set()
        if not _leaps:
            anchor()


async def advance(seconds: object) -> None:
    """Run `seconds` of simulated time as fast as the machine can; 0 waits until no task is ready.

    Leaps that overlap run one after the other. Raises ValueError for a bad time.
    """
    import asyncio

    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ValueError("seconds must be a number")
    if not 0 <= seconds <= _MAX_LEAP_S:
        raise ValueError("seconds must be 0 to " + str(_MAX_LEAP_S))
    done = asyncio.Event()
    start_us = _leaps[-1][0] if _leaps else now_us
    _leaps.append((start_us + int(seconds * 1_000_000 + 0.5), done))
    await done.wait()
