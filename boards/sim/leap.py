"""Long leaps: a steady mains repeats its last whole windows instead of every sample.

The metrology engine hands each closed window's raw sums to `tap`. When the mains has stood still
for `KEPT` of them and time is to fly (`--detail`, the rate, a leap), the capture of frames is
held, and once a virtual second, in a leap every 2.5 s and later every 20 s, the windows that fit
into the time go into the engine again as one, in their order, round and round. That is a tenth of
a second before the world's full second, in a leap also between two of them, so that what the meter
does then finds its energies fresh. What is left of the time stays due; at the end, or before
anything changes, single windows and then frames fill it after all. The waves stand still while
windows stand for them, so the engine's running window goes on without a seam, and no sample's
time is lost or counted twice.

A load that steps while frequency and angles stay (a household's, scenario.py) disturbs one window
only, and three of them are enough to go on with.

Everything here acts on the engine's own terms: the windows are its raw sums, so calibration,
quantities, energies and pulses do their work as ever.
"""

import timeline
from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from typing import Protocol

    from world import World

    from metrology.accumulators import RawSums
    from metrology.engine import Engine

    class Capture(Protocol):
        """The part of machine.SpiCapture that a leap uses."""

        def hold(self) -> None:
            """Capture no frames by itself; they stay due."""
            ...

        def due(self) -> int:
            """Frames converted and not captured."""
            ...

        def drop(self, count: int) -> None:
            """Let so many due frames pass."""
            ...

        def deliver(self, count: int) -> int:
            """Capture up to so many due frames now; returns how many."""
            ...

        def release(self) -> None:
            """Capture by itself again, all that is due."""
            ...


DETAILS = ["frames", "windows", "auto"]
AUTO_RATE = 5  # up to this rate every frame is measured

KEPT = const(16)
_KEPT_OF_STEP = const(3)
# Windows to pass after a change: one holds frames from before it, and when the frequency jumps the
# engine believes the second window that says so, which leaves reactive power wrong until then.
_UNSETTLED = const(5)
_UNSETTLED_BY_STEP = const(1)
_PERIOD_US = const(1_000_000)
_BEFORE_SECOND_US = const(100_000)
_BLOCK_FRAMES = const(40)
_MOST = const(128)  # windows that are taken as one
_LEAP_US = const(2_500_000)  # in a leap windows are repeated so often
_FAR_US = const(20_000_000)  # and so often once they have been for half of that
_ONE_FRAME = const(65536)  # q16, as in metrology.accumulators


def _empty(sums: "RawSums") -> "RawSums":
    """Other sums of the same kind: the class belongs to the firmware, which each boot loads."""
    return sums.__class__(len(sums.phases))


class Leap:
    """Decides between frames and windows, and makes the windows."""

    def __init__(self, world: "World", detail: str) -> None:
        if detail not in DETAILS:
            raise ValueError("detail must be one of {}".format(", ".join(DETAILS)))
        self.detail = detail
        self.windows = 0  # windows that were repeated, for /api/health
        self._world = world
        self._engine: Engine | None = None
        self._capture: Capture | None = None
        self._kept: list[RawSums] = []
        self._merged: dict[int, RawSums] = {}  # at first * KEPT + count: so many windows as one
        self._needed = KEPT  # windows to keep before they are repeated
        self._next = 0  # window to repeat next
        self._wait = _UNSETTLED  # windows still to pass before the next is kept
        self._event: object = None  # when to come back, None: every frame is captured
        self._from_us = 0  # since when windows stand for frames
        self._owed_q16 = 0  # part of a frame that windows took and `drop` has not
        world.before_change.append(self.changed)
        world.before_step.append(self.stepped)

    def attach(self, engine: "Engine", capture: "Capture") -> None:
        """Take the engine of a meter that has booted and the capture that feeds it."""
        self.detach()
        self._engine = engine
        self._capture = capture
        if self.detail != "frames" and self._world.replay is None:
            engine.tap = self._tap

    def detach(self) -> None:
        """Forget the engine: the meter goes down, its capture with it."""
        self._engine = None
        self._capture = None
        self._forget(_UNSETTLED, KEPT)

    def wanted(self) -> bool:
        """Tell whether windows shall stand for frames, if the mains is steady."""
        if self.detail == "auto":
            return timeline.leaping() or timeline.rate > AUTO_RATE
        return self.detail == "windows"

    def flying(self) -> bool:
        """Tell whether windows stand for frames now."""
        return self._event is not None

    def changed(self) -> None:
        """Let the time so far be measured as it was; the mains is about to change."""
        self.finish()
        self._forget(_UNSETTLED, KEPT)

    def stepped(self) -> None:
        """Let the time so far be measured as it was; loads are about to step, no more."""
        self.finish()
        # what a change before has not settled is still to settle
        self._forget(max(self._wait, _UNSETTLED_BY_STEP), _KEPT_OF_STEP)

    def finish(self) -> None:
        """Measure what is due and capture every frame again."""
        if self._event is None or self._capture is None:
            return
        timeline.cancel(self._event)
        self._event = None
        self._repeat()
        while self._capture.due() > 0 and self._deliver():
            pass
        self._capture.release()

    def _forget(self, wait: int, needed: int) -> None:
        if self._event is not None:
            # Among the last frames a window may have closed and asked for the next leap.
            timeline.cancel(self._event)
            self._event = None
        self._kept = []
        self._merged = {}
        self._wait = wait
        self._needed = needed
        self._next = 0
        self._owed_q16 = 0

    def _tap(self, sums: "RawSums") -> None:
        """Keep a window that the engine has closed; called in the middle of its work."""
        if self._event is not None:
            return  # one that was repeated
        if self._wait:
            self._wait -= 1
            return
        kept = self._kept.pop(0) if len(self._kept) == self._needed else _empty(sums)
        kept.copy_from(sums)
        self._kept.append(kept)
        self._merged = {}
        if len(self._kept) == self._needed and self.wanted():
            self._event = timeline.at(timeline.now_us, self._start)

    def _start(self) -> None:
        """Hold the capture; the engine has taken or will take what is captured so far."""
        assert self._capture is not None
        self._capture.hold()
        self._next = 0
        self._from_us = timeline.now_us
        self._plan()

    def _plan(self) -> None:
        """Come back a little before the world's next full second, in a leap more seldom."""
        period_us = _LEAP_US if timeline.leaping() else _PERIOD_US
        past_us = (self._world.epoch_us + timeline.now_us + _BEFORE_SECOND_US) % period_us
        self._event = timeline.after(period_us - past_us, self._second)

    def _second(self) -> None:
        if not self.wanted():
            self.finish()
            return
        self._plan()
        # One frame goes its usual way: the firmware sees that its converter lives.
        assert self._capture is not None
        self._capture.deliver(1)
        if timeline.leaping() and timeline.now_us - self._from_us >= _FAR_US // 2:
            # minutes begin with the last of these moments
            past_us = (self._world.epoch_us + timeline.now_us + _BEFORE_SECOND_US) % _FAR_US
            if past_us >= _PERIOD_US:
                return
        self._repeat()

    def _windows(self, count: int) -> "RawSums":
        """Return the next `count` windows as one; most often they have been added up before."""
        if count == 1:
            return self._kept[self._next]
        place = self._next * _MOST + count
        merged = self._merged.get(place)
        if merged is None:
            kept = self._kept
            merged = _empty(kept[0])
            rounds = (count - 1) // len(kept)
            for _ in range(rounds):
                merged.add(self._windows(len(kept)))
            for k in range(count - rounds * len(kept)):
                merged.add(kept[(self._next + k) % len(kept)])
            self._merged[place] = merged
        return merged

    def _repeat(self) -> None:
        """Give the engine the windows that fit into the frames due.

        As many at a time as fit: the engine's work is the same for one and for many.
        """
        assert self._capture is not None
        due_q16 = self._capture.due() * _ONE_FRAME - self._owed_q16
        each_q16 = self._kept[0].frames_q16 + 1
        taken_q16 = 0
        while True:
            # windows differ by some frames: the last of them may not fit any more
            count = max(1, min(_MOST, (due_q16 - taken_q16) // each_q16))
            sums = self._windows(count)
            if due_q16 - taken_q16 < sums.frames_q16:
                sums = self._windows(1)
                count = 1
            if due_q16 - taken_q16 < sums.frames_q16:
                break
            taken_q16 += sums.frames_q16
            self._next = (self._next + count) % len(self._kept)
            self.windows += count
            self._engine_window(sums)
        taken_q16 += self._owed_q16
        frames = taken_q16 // _ONE_FRAME
        self._owed_q16 = taken_q16 % _ONE_FRAME
        self._capture.drop(frames)
        self._world.skip(frames)

    def _engine_window(self, sums: "RawSums") -> None:
        assert self._engine is not None
        self._engine.window(sums)

    def _deliver(self) -> int:
        """Let the engine take one block of the frames due."""
        assert self._capture is not None
        assert self._engine is not None
        count = self._capture.deliver(_BLOCK_FRAMES)
        self._engine.poll()
        return count
