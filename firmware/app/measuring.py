"""The task that measures, and what it says when the converter does not do its part.

Frames that are lost are time that nobody measured: counted by their source, told here as an error
that lasts until none was lost for a while. When no window ends for two seconds, what was measured
last is shown no longer. A capture that freezes, so that nobody wakes the task any more, is set up
anew (row MET-35); what was counted before stays, and nothing is made up for the time between.
"""

import asyncio

from micropython import const

from app import event_codes, ticks

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.tasks import Task
    from hal import FrameSource
    from metrology.engine import Engine

SILENT = "metering converter does not answer"
LOST = "metering converter: frames are lost"
_CALM_MS = const(10_000)
_STALE_MS = const(2_000)
_WATCH_MS = const(1000)
_LOOKS = const(4)  # so often looked after in vain, the capture is frozen


class Measuring:
    """Runs the engine; `tell(text, event, lasts)` hears what is wrong and that it is no more.

    trouble: something is
    """

    def __init__(
        self,
        source: "FrameSource",
        engine: "Engine",
        tell: "Callable[[str, int, bool], None]",
    ) -> None:
        self._source = source
        self._engine = engine
        self._tell = tell
        self.trouble = False
        self._lost = source.lost
        self._calm_ms = 0
        self._fresh = False  # a window has ended since the last look
        self._stale_ms = 0
        self._woken_ms = 0  # when the capture last woke the task
        self._looks = 0  # since then
        self._running = False  # it is to wake it
        engine.on_window.append(self._window)

    async def run(self, task: "Task") -> None:
        """Measure for ever; OSError: the converter does not answer, to be tried again."""
        source = self._source
        try:
            source.start()
        except OSError as error:
            # Without its converter the meter still has to say so on every port.
            self.trouble = True
            self._tell(SILENT, event_codes.MEASUREMENT_ERROR, True)
            raise error
        self.trouble = False
        self._tell(SILENT, event_codes.MEASUREMENT_ERROR, False)
        self._woken_ms = ticks.now_ms()
        self._running = True
        try:
            while True:
                await source.wait()
                self._woken_ms = ticks.now_ms()
                self._looks = 0
                self._engine.poll()
                self.look(self._woken_ms)
                task.report()
        finally:
            self._running = False

    async def watch(self, task: "Task") -> None:
        """Look after the measuring task for ever."""
        while True:
            await asyncio.sleep_ms(_WATCH_MS)
            self.thaw(ticks.now_ms())
            task.report()

    def thaw(self, now_ms: int) -> None:
        """Set the capture up anew if it has not woken the task for too long."""
        self._looks += 1
        if not self._running or self._looks < _LOOKS:
            return
        self._looks = 0
        source = self._source
        frozen_ms = ticks.until_ms(now_ms, self._woken_ms)
        source.lost += source.rate_mhz * frozen_ms // 1_000_000
        self._woken_ms = now_ms
        try:
            source.start()
        except OSError:
            pass  # tried again; meanwhile the frames lost tell
        self.look(now_ms)

    def look(self, now_ms: int) -> None:
        """Compare how many frames are lost with the last look."""
        if self._fresh:
            self._fresh = False
            self._stale_ms = now_ms + _STALE_MS
        elif self.trouble and ticks.until_ms(self._stale_ms, now_ms) <= 0:
            self._engine.quantities.clear()
        lost = self._source.lost
        if lost != self._lost:
            self._lost = lost
            self._calm_ms = now_ms + _CALM_MS
            if not self.trouble:
                self.trouble = True
                self._tell(LOST, event_codes.MEASUREMENT_ERROR, True)
        elif self.trouble and ticks.until_ms(self._calm_ms, now_ms) <= 0:
            self.trouble = False
            self._tell(LOST, event_codes.MEASUREMENT_ERROR, False)

    def _window(self) -> None:
        self._fresh = True
