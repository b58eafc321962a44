"""When the pulses of a measuring window are played: one window after the other, without a gap.

Windows are measured in blocks and by a loop with other work, so they arrive some milliseconds
early or late; played as they arrive their pulses would jitter by as much. Here each window's span
begins where the one before ended, and the reserve that this takes is kept near 10 ms by playing
a little faster or slower.
"""

import time

from micropython import const

_RESERVE_US = const(10_000)  # a block of frames
_PULL = const(8)  # a span bends by an eighth at most,
_SPREAD = const(16)  # and takes up a sixteenth of what the reserve is off
_LONGEST_US = const(1_000_000)  # more than that ahead is no reserve but a mistake


class Pace:
    """Lays spans end to end. `begin` is the last one's begin in `time.ticks_us`."""

    def __init__(self) -> None:
        self.begin = time.ticks_us()
        self._end = self.begin

    def span(self, span_us: int) -> int:
        """Return how long a span of `span_us` shall take; `begin` says from when."""
        now = time.ticks_us()
        ahead_us = time.ticks_diff(self._end, now)
        if not 0 <= ahead_us <= _LONGEST_US:  # the first one, or the loop stood still: begin anew
            self.begin = time.ticks_add(now, _RESERVE_US)
        else:
            self.begin = self._end
            off_us = (ahead_us - _RESERVE_US) // _SPREAD
            most_us = span_us // _PULL
            span_us -= max(-most_us, min(most_us, off_us))
        self._end = time.ticks_add(self.begin, span_us)
        return span_us
