"""What is shown when: start-up test, automatic scroll, the list by key, and back.

`tick` and `key` are the machine, time is given to them; `run` is the task around it. Items come
from two lists of references and are read by a callable (reading.Read), the cursors by another.
"""

import asyncio

from micropython import const

from app import ticks
from app.display import keys
from app.display.fields import VALUE_CELLS
from app.display.formats import Formats
from app.display.indicators import Indicators
from app.display.reading import Item

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from app.attributes import Reference
    from app.display.display_list import DisplayList
    from app.display.fields import Fields
    from app.display.reading import Read
    from app.tasks import Task

# What is shown.
_TEST = const(0)  # all segments (row DSP-02)
_NAME = const(1)  # name and version of the meter
_AUTO = const(2)  # items of the general list, one after the other
_MANUAL = const(3)  # items of the alternate list, one a key press
_END = const(4)  # behind its last

# What happens.
_OVER = const(0)  # the time of the picture is over
_NEXT = const(1)  # short press
_LAST = const(2)  # the alternate list has no further item
_LEAVE = const(3)  # a longer press
_IDLE = const(4)  # no key for so long that nobody is there
_TOLD = const(5)  # there is something to be told

# What follows, and what is done; whatever is not named here changes nothing.
_TABLE = {
    (_TEST, _OVER): (_NAME, "_show_name"),
    (_TEST, _NEXT): (_AUTO, "_first"),
    (_NAME, _OVER): (_AUTO, "_first"),
    (_NAME, _NEXT): (_AUTO, "_first"),
    (_AUTO, _OVER): (_AUTO, "_next"),
    (_AUTO, _NEXT): (_MANUAL, "_first"),
    (_AUTO, _TOLD): (_AUTO, "_show_news"),
    (_MANUAL, _TOLD): (_AUTO, "_show_news"),
    (_END, _TOLD): (_AUTO, "_show_news"),
    (_MANUAL, _NEXT): (_MANUAL, "_next"),
    (_MANUAL, _LAST): (_END, "_show_end"),
    (_MANUAL, _LEAVE): (_AUTO, "_first"),
    (_MANUAL, _IDLE): (_AUTO, "_first"),
    (_END, _NEXT): (_MANUAL, "_first"),
    (_END, _LEAVE): (_AUTO, "_first"),
    (_END, _IDLE): (_AUTO, "_first"),
}

_REFRESH_MS = const(1000)  # while somebody looks at an item
_REFRESH_AUTO_MS = const(2000)
_BLINK_MS = const(500)  # half of the period (table 15.1)
_NEWS_MS = const(3000)
_STEP_MS = const(1000)  # a step of a long string (row DSP-14)
_EMPTY = "--------"  # stands for a list without items


class Times:
    """Times that can be set (row DSP-13), and what the start shows."""

    def __init__(self) -> None:
        self.test_s = 5
        self.name_s = 2
        self.auto_scroll_s = 10
        self.exit_s = 120
        self.backlight_s = 30
        self.name = "FErrAriS"
        self.version = ""


class Display:
    """The display of one meter."""

    def __init__(
        self,
        view: "Fields",
        general: "DisplayList",
        alternate: "DisplayList",
        read: "Read",
        status: "Callable[[Indicators], None]",
    ) -> None:
        self.times = Times()
        self.formats = Formats()
        self._view = view
        self._general = general
        self._alternate = alternate
        self._read = read
        self._status = status
        self._indicators = Indicators()
        self._item = Item(self.formats)
        self._state = _TEST  # set by begin and _apply alone
        self._index = 0
        self._reference: Reference | None = None
        self._news = ""
        self._shift = 0  # characters by which a long string has moved
        self._lit = False  # backlight
        self._dark = False  # stopped
        # When the picture is over, the item is read again, the last key was used.
        self._over_ms = self._refresh_ms = self._key_ms = 0

    async def run(self, task: "Task") -> None:
        """Show for ever, from the start-up test on."""
        self.begin(ticks.now_ms())
        while True:
            await asyncio.sleep_ms(self.tick(ticks.now_ms()))
            task.report()

    def stop(self) -> None:
        """Clear the glass for good: the battery is about to go."""
        self._dark = True
        self._view.start()
        self._view.backlight(False)

    def on_key(self, number: int, kind: int) -> None:
        """Take what a key does, now (keys.Key's handler)."""
        self.key(number, kind, ticks.now_ms())

    def begin(self, now_ms: int) -> None:
        """Show the start-up test from a blank glass on."""
        self._state = _TEST
        self._reference = None
        self._view.start()
        self._over_ms = now_ms + self.times.test_s * 1000
        self._refresh_ms = now_ms
        self._light(now_ms)
        self._view.test(0)
        self._view.flush()

    def key(self, number: int, kind: int, now_ms: int) -> None:
        """Take what a key does: any key gives light, scroll leads through the lists."""
        if self._dark:
            return
        self._light(now_ms)
        if number == keys.SCROLL and kind != keys.DOWN:
            self._apply(_NEXT if kind == keys.SHORT else _LEAVE, now_ms)
        self._indicate(now_ms)
        self._view.flush()

    def tell(self, text: str, now_ms: int) -> None:
        """Show what a key has brought about, for three seconds."""
        self._news = text
        self._apply(_TOLD, now_ms)
        self._view.flush()

    def tick(self, now_ms: int) -> int:
        """Do what is due; return the ms until something is due again."""
        if self._dark:
            return _REFRESH_AUTO_MS
        times = self.times
        unused_ms = -ticks.until_ms(self._key_ms, now_ms)
        if self._lit and unused_ms >= times.backlight_s * 1000:
            self._lit = False
            self._view.backlight(False)
        if self._state in (_MANUAL, _END):
            if unused_ms >= times.exit_s * 1000:
                self._apply(_IDLE, now_ms)
        elif ticks.until_ms(self._over_ms, now_ms) <= 0:
            self._apply(_OVER, now_ms)
        if ticks.until_ms(self._refresh_ms, now_ms) <= 0:
            self._refresh(now_ms)
        self._indicate(now_ms)
        self._view.flush()
        wait_ms = ticks.until_ms(self._refresh_ms, now_ms)
        if self._state not in (_MANUAL, _END):
            wait_ms = min(wait_ms, ticks.until_ms(self._over_ms, now_ms))
        if self._indicators.blinking:
            wait_ms = min(wait_ms, _BLINK_MS - now_ms % _BLINK_MS)
        return max(wait_ms, 1)

    def _apply(self, event: int, now_ms: int) -> None:
        """Do what the table says; only a new start sets the state besides."""
        row = _TABLE.get((self._state, event))
        if row is not None:
            self._state = row[0]
            getattr(self, row[1])(now_ms)

    # -- actions of the table --------------------------------------------------------------

    def _show_name(self, now_ms: int) -> None:
        self._view.clear()
        self._view.value(self.times.name)
        self._view.code(self.times.version)
        self._over_ms = now_ms + self.times.name_s * 1000

    def _show_end(self, _now_ms: int) -> None:
        self._reference = None
        self._message("End")

    def _show_news(self, now_ms: int) -> None:
        self._reference = None
        self._message(self._news)
        self._over_ms = now_ms + _NEWS_MS

    def _first(self, now_ms: int) -> None:
        self._select(0, now_ms)

    def _next(self, now_ms: int) -> None:
        self._select(self._index + 1, now_ms)

    # -- parts of the actions --------------------------------------------------------------

    def _select(self, index: int, now_ms: int) -> None:
        """Show an item of the list in use; it may have changed meanwhile."""
        manual = self._state == _MANUAL
        references = (self._alternate if manual else self._general).references()
        if index >= len(references):
            if manual:
                self._apply(_LAST, now_ms)
                return
            index = 0
        self._index = index
        self._shift = 0
        self._over_ms = now_ms + self.times.auto_scroll_s * 1000
        if not references:
            self._reference = None
            self._message(_EMPTY)
            return
        self._reference = references[index]
        self._item.refresh(self._reference, self._read, True)
        self._show()
        self._refresh_ms = now_ms + self._period_ms()
        if self._overhang():
            # A long string stays until its end has been seen (row DSP-14).
            whole_ms = (self._overhang() + 2) * _STEP_MS
            self._over_ms = now_ms + max(whole_ms, self.times.auto_scroll_s * 1000)

    def _refresh(self, now_ms: int) -> None:
        """Read the item again, and move a long string on."""
        self._refresh_ms = now_ms + self._period_ms()
        if self._reference is None:
            return
        changed = self._item.refresh(self._reference, self._read, False)
        if self._overhang():
            self._shift = (self._shift + 1) % (self._overhang() + 2)
            changed = True
        if changed:
            self._show()

    def _period_ms(self) -> int:
        if self._state == _AUTO and not self._overhang():
            return _REFRESH_AUTO_MS
        return _REFRESH_MS

    def _overhang(self) -> int:
        """Return how many characters do not fit the value field."""
        if not self._item.is_text:
            return 0
        return max(0, len(self._item.value) - self._item.value.count(".") - VALUE_CELLS)

    def _show(self) -> None:
        item = self._item
        shift = min(self._shift, self._overhang())
        self._view.value(item.value[shift:], item.is_text)
        self._view.code(item.code)
        self._view.unit(item.unit)

    def _message(self, text: str) -> None:
        self._view.value(text, True)
        self._view.code("")
        self._view.unit("")

    def _indicate(self, now_ms: int) -> None:
        """Show the meter's state beside the items, not over a test picture."""
        if self._state in (_TEST, _NAME):
            return
        self._indicators.clear()
        self._status(self._indicators)
        self._view.indicate(self._indicators.lit(now_ms // _BLINK_MS & 1 == 0))

    def _light(self, now_ms: int) -> None:
        self._key_ms = now_ms
        if not self._lit:
            self._lit = True
            self._view.backlight(True)
