"""Long leaps: a steady mains repeats its last whole windows instead of every sample.

The metrology engine hands each closed window's raw sums to `tap`. When the mains has stood still
for `KEPT` of them and time is to fly (`--detail`, the rate, a leap), the capture of frames is
held, and once a virtual second the windows that fit into the time go into the engine again, in
their order, round and round, added up to about a second. What is left of the time stays due; at
the end, or before anything changes, single windows and then frames fill it after all. The waves
stand still while windows stand for them, so the engine's running window goes on without a seam,
and no sample's time is lost or counted twice.

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
# Windows to pass after a change: one holds frames from before it, and when the frequency jumps the
# engine believes the second window that says so, which leaves reactive power wrong until then.
_UNSETTLED = const(5)
_PERIOD_US = const(1_000_000)
_BLOCK_FRAMES = const(40)
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
        self._merged: list[RawSums] = []  # at k: `_stride` windows from k on as one
        self._stride = 0
        self._next = 0  # window to repeat next
        self._wait = _UNSETTLED  # windows still to pass before the next is kept
        self._event: object = None  # next second of a leap, None: every frame is captured
        self._owed_q16 = 0  # part of a frame that windows took and `drop` has not
        world.before_change.append(self.changed)

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
        self._forget()

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
        self._forget()

    def finish(self) -> None:
        """Measure what is due and capture every frame again."""
        if self._event is None or self._capture is None:
            return
        timeline.cancel(self._event)
        self._event = None
        self._repeat(True)
        while self._capture.due() > 0 and self._deliver():
            pass
        self._capture.release()

    def _forget(self) -> None:
        if self._event is not None:
            # Among the last frames a window may have closed and asked for the next leap.
            timeline.cancel(self._event)
            self._event = None
        self._kept = []
        self._merged = []
        self._wait = _UNSETTLED
        self._owed_q16 = 0

    def _tap(self, sums: "RawSums") -> None:
        """Keep a window that the engine has closed; called in the middle of its work."""
        if self._event is not None:
            return  # one that was repeated
        if self._wait:
            self._wait -= 1
            return
        kept = self._kept.pop(0) if len(self._kept) == KEPT else _empty(sums)
        kept.copy_from(sums)
        self._kept.append(kept)
        self._merged = []
        if len(self._kept) == KEPT and self.wanted():
            self._event = timeline.at(timeline.now_us, self._start)

    def _start(self) -> None:
        """Hold the capture; the engine has taken or will take what is captured so far."""
        assert self._capture is not None
        self._capture.hold()
        if not self._merged:
            self._merge()
        self._event = timeline.after(_PERIOD_US, self._second)

    def _merge(self) -> None:
        """Add up as many windows as a second holds, from each one on."""
        frames_q16 = sum([sums.frames_q16 for sums in self._kept])
        second_q16 = self._world.rate_mhz * _ONE_FRAME // 1000
        self._stride = min(KEPT, max(1, (second_q16 * KEPT + frames_q16 // 2) // frames_q16))
        self._next = 0
        for first in range(KEPT):
            merged = _empty(self._kept[first])
            for k in range(self._stride):
                merged.add(self._kept[(first + k) % KEPT])
            self._merged.append(merged)

    def _second(self) -> None:
        if not self.wanted():
            self.finish()
            return
        self._event = timeline.after(_PERIOD_US, self._second)
        # One frame goes its usual way: the firmware sees that its converter lives.
        assert self._capture is not None
        self._capture.deliver(1)
        self._repeat(False)

    def _repeat(self, last: bool) -> None:
        """Give the engine the windows that fit into the frames due.

        A second's worth at a time, for speed; `last`: single ones too.
        """
        assert self._capture is not None
        due_q16 = self._capture.due() * _ONE_FRAME - self._owed_q16
        taken_q16 = 0
        while True:
            sums = self._merged[self._next]
            windows = self._stride
            if last and due_q16 - taken_q16 < sums.frames_q16:
                sums = self._kept[self._next]
                windows = 1
            if due_q16 - taken_q16 < sums.frames_q16:
                break
            taken_q16 += sums.frames_q16
            self._next = (self._next + windows) % KEPT
            self.windows += windows
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
