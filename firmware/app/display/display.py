"""What is shown when: start-up test, automatic scroll, menus by key, and back.

`tick` and `key` are the machine, its table stands in `menu_tree`, time is given to them; `run` is
the task around it. Values come from two lists of references and are read by a callable
(reading.Read), the cursors by another. What a held key would do if it were let go now is shown as
a tip over the picture. A press during which the other key is down too leads nowhere.
"""

from micropython import const

from app import ticks
from app.display import keys, layers, menu_tree, words
from app.display.console import Console
from app.display.formats import Formats
from app.display.indicators import Indicators
from app.display.light import Light
from app.display.menu_tree import AUTO, CHECK, INSIDE, MESSAGE, NAME, START, TEST
from app.display.reading import Item
from app.waker import Waker

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.display.display_list import DisplayList
    from app.display.fields import Fields
    from app.display.layers import Layer
    from app.display.message import Message
    from app.display.reading import Read
    from app.tasks import Task

_REFRESH_MS = const(1000)  # while somebody looks at an item
_REFRESH_AUTO_MS = const(2000)
_GLASS_MS = const(60_000)  # after a discharge has reset its controller the glass comes back
_BLINK_MS = const(500)  # half of the period (table 15.1)
_NEWS_MS = const(3000)
_STEP_MS = const(1000)  # a step of a long string (row DSP-14)
_PICTURE_MS = const(2000)  # of the check of the glass
_BY_ITSELF = (START, NAME, AUTO, CHECK)  # places that go on without a key
_WITHOUT_STATE = (START, NAME, TEST)  # nothing stands beside their pictures


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
    """The display of one meter.

    console: what the keys reach
    on: False: nothing is to be seen, and no key does anything (row DSP-26)
    relevant: tells whether an object belongs to the legally relevant part (row DSP-34)
    message: None, or the consumer's message
    close_billing: None, or called when the sealed key was held for five seconds
    """

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
        self.on = True
        self.relevant: Callable[[bytes], bool] = lambda _name: False
        self.light = Light(view)
        self.message: Message | None = None
        self.close_billing: Callable[[], None] | None = None
        self._view = view
        self._status = status
        self._indicators = Indicators()
        self.item = item = Item(self.formats)
        self.console = Console(alternate, read, item)
        self._auto = layers.Items(general, read, item)
        self._place = START  # set by begin and _apply alone
        self._layers: list[Layer] = []  # that are open, the lowest one last
        self._covered = False  # a tip or news stands over the picture
        self._timed = False  # and goes by itself
        self._news = ""
        self._down = 0  # keys that are pressed, a bit each
        self._void = 0  # of these, the ones that lead nowhere
        self._dark = False  # stopped
        self._hidden = False  # switched off
        self._waker = Waker()
        # When the picture is over, the item is read again, the last key was used, the glass due.
        self._over_ms = self._refresh_ms = self._key_ms = self._glass_ms = 0

    async def run(self, task: "Task") -> None:
        """Show for ever, from the start-up test on."""
        self.begin(ticks.now_ms())
        while True:
            await self._waker.wait_ms(self.tick(ticks.now_ms()))
            task.report()

    def stop(self) -> None:
        """Clear the glass for good: the battery is about to go."""
        self._dark = True
        self._blank()

    def wake(self) -> None:
        """Look at once at what has changed."""
        self._waker.wake()

    def on_key(self, number: int, kind: int) -> None:
        """Take what a key does, now (keys.Key's handler)."""
        self.key(number, kind, ticks.now_ms())
        self._waker.wake()

    def begin(self, now_ms: int) -> None:
        """Show the start-up test from a blank glass on."""
        self._hidden = not self.on
        if self._hidden:
            self._blank()
            return
        self._place = START
        self._layers.clear()
        self._covered = self._timed = False
        self._view.start()
        self._over_ms = now_ms + self.times.test_s * 1000
        self._refresh_ms = now_ms
        self._glass_ms = now_ms + _GLASS_MS
        self._used(now_ms)
        self._view.test(0)
        self._view.flush()

    def check(self, now_ms: int) -> None:
        """Show all test pictures and characters by themselves, for the eye (row DSP-32)."""
        self.begin(now_ms)
        self._place = CHECK
        self._layers.append(layers.Pictures(True))
        self._over_ms = now_ms + _PICTURE_MS

    def key(self, number: int, kind: int, now_ms: int) -> None:
        """Take what a key does: any key gives light, what else it does says the table."""
        if self._dark or self._hidden:
            return
        self._used(now_ms)
        bit = 1 << number
        if kind == keys.DOWN:
            self._down |= bit
            if self.console.click is not None:
                self.console.click()
        word = self._layer().key(number, kind, self._down)
        if word != layers.NOT_TAKEN:
            self._covered = self._timed = False
            self._draw(now_ms)
            if word:
                self._notice(self.console.words(word), now_ms)
        elif kind == keys.DOWN:
            if self._down != bit:
                self._void = self._down
                self._uncover(now_ms)
        elif not self._void & bit:
            event = self.console.event(self._place, number, kind & ~keys.HELD)
            if kind & keys.HELD:
                self._show_tip(event, now_ms)
            else:
                self._apply(event, now_ms)
        if not kind & keys.HELD and kind != keys.DOWN:
            self._down &= ~bit
            self._void &= ~bit
            if not self._timed:
                self._uncover(now_ms)
        self._indicate(now_ms)
        self._view.flush()

    def tell(self, text: str, now_ms: int) -> None:
        """Show what a key has brought about, for three seconds."""
        if self._hidden:
            return
        self._news = text
        self._apply(menu_tree.TOLD, now_ms)
        self._view.flush()

    def tick(self, now_ms: int) -> int:
        """Do what is due; return the ms until something is due again."""
        if self._dark:
            return _REFRESH_AUTO_MS
        if self._hidden == self.on:
            self.begin(now_ms)
        if self._hidden:
            return _REFRESH_AUTO_MS
        times = self.times
        self.light.tick(now_ms, times.backlight_s)
        if -ticks.until_ms(self._key_ms, now_ms) >= times.exit_s * 1000:
            self._void |= self._down  # a key that is stuck, or something leans on it
            self.console.rest()
            self._apply(menu_tree.IDLE, now_ms)
        if self._ends() and ticks.until_ms(self._over_ms, now_ms) <= 0:
            self._apply(menu_tree.OVER, now_ms)
        if self.message is not None:
            event = menu_tree.CALLED if self.message.pending() else menu_tree.GONE
            if not self._layer().bare:
                self._apply(event, now_ms)
        if ticks.until_ms(self._refresh_ms, now_ms) <= 0:
            self._refresh(now_ms)
        if ticks.until_ms(self._glass_ms, now_ms) <= 0:
            self._glass_ms = now_ms + _GLASS_MS
            self._view.refresh()
        self._indicate(now_ms)
        self._view.flush()
        wait_ms = ticks.until_ms(self._refresh_ms, now_ms)
        if self._ends():
            wait_ms = min(wait_ms, ticks.until_ms(self._over_ms, now_ms))
        if self._indicators.blinking or self._indicators.blinking_icons:
            wait_ms = min(wait_ms, _BLINK_MS - now_ms % _BLINK_MS)
        return max(wait_ms, 1)

    def _apply(self, event: int, now_ms: int) -> None:
        """Do what the table says; only a new start sets the place besides."""
        row = self.console.row(self._place, event)
        if row is None:
            return
        self._place, action, _ = row
        self._covered = self._timed = False
        opens = menu_tree.OPENS.get(action)
        if opens is None:
            getattr(self, action)(now_ms)
        else:
            self._layers.clear()
            self._enter_layer(self.console.open(*opens), now_ms)

    def _ends(self) -> bool:
        """Tell whether the picture ends by itself: not while a key is held."""
        by_itself = self._timed or self._place in _BY_ITSELF
        return by_itself and self._down == self._void

    # -- actions of the table --------------------------------------------------------------

    def _show_name(self, now_ms: int) -> None:
        self._view.clear()
        self._view.value(self.times.name)
        self._view.code(self.times.version)
        self._over_ms = now_ms + self.times.name_s * 1000

    def _show_test(self, _now_ms: int) -> None:
        self._view.test(0)

    def _show_news(self, now_ms: int) -> None:
        self._layers.clear()
        self._notice(self._news, now_ms)
        self._news = ""

    def _resume(self, now_ms: int) -> None:
        """Scroll again; what was told while the consumer's message stood there comes first."""
        if self._news:
            self._show_news(now_ms)
        else:
            self._first(now_ms)

    def _first(self, now_ms: int) -> None:
        self._scroll(0, now_ms)

    def _next(self, now_ms: int) -> None:
        self._scroll(self._auto.at + 1, now_ms)

    def _show_message(self, now_ms: int) -> None:
        self._layers.clear()
        self._enter_layer(self.message, now_ms)

    def _close(self, _now_ms: int) -> None:
        if self.close_billing is not None:
            self.close_billing()

    def _step(self, now_ms: int) -> None:
        self._over_ms = now_ms + _PICTURE_MS
        if self._layers[-1].step():
            self._draw(now_ms)
        else:
            self._up(now_ms)

    def _enter(self, now_ms: int) -> None:
        layer = self._layers[-1]
        if not layer.leads():
            self._up(now_ms)
            return
        self._enter_layer(layer.open(), now_ms)

    def _enter_layer(self, layer: "Layer | None", now_ms: int) -> None:
        if layer is None:
            self._apply(menu_tree.LEFT, now_ms)
        else:
            self._layers.append(layer)
            self._draw(now_ms)

    def _up(self, now_ms: int) -> None:
        self._layers.pop()
        if self._layers:
            self._draw(now_ms)
        else:
            self._apply(menu_tree.LEFT, now_ms)

    def _switch(self, now_ms: int) -> None:
        self._first(now_ms)
        self.console.function(words.NONE)

    # -- parts of the actions --------------------------------------------------------------

    def _notice(self, text: str, now_ms: int) -> None:
        """Show a text over the picture for three seconds."""
        self._covered = self._timed = True
        layers.show(self._view, text)
        self._over_ms = now_ms + _NEWS_MS

    def _show_tip(self, event: int, now_ms: int) -> None:
        """Show over the picture what letting go of the key would do now."""
        row = self.console.row(self._place, event)
        word = words.NONE if row is None else row[2]
        if word == menu_tree.OFFERED:
            word = self.console.offered()
        if word == menu_tree.LAYER:
            if event == menu_tree.ENTER and self._layers[-1].leads():
                word = words.ENTER
            else:
                word = words.LAYER_UP if len(self._layers) > 1 else words.ESCAPE
        self._uncover(now_ms)
        if word != words.NONE:
            self._covered = True
            layers.show(self._view, self.console.words(word))

    def _uncover(self, now_ms: int) -> None:
        """Show the picture again that something stands over."""
        if not self._covered:
            return
        self._covered = self._timed = False
        if self._place in (START, TEST):
            self._view.test(0)
        else:
            self._draw(now_ms)

    def _layer(self) -> "Layer":
        return self._layers[-1] if self._layers else self._auto

    def _scroll(self, at: int, now_ms: int) -> None:
        """Show an item of the general list; it may have changed meanwhile."""
        self._layers.clear()
        auto = self._auto
        auto.at = at if at < auto.length() else 0
        self._draw(now_ms)
        shown_ms = self.times.auto_scroll_s * 1000
        if not auto.at_end() and auto.overhang():
            # A long string stays until its end has been seen (row DSP-14).
            shown_ms = max(shown_ms, (auto.overhang() + 2) * _STEP_MS)
        self._over_ms = now_ms + shown_ms

    def _draw(self, now_ms: int, renew: bool = True) -> None:
        """Show the entry of the layer in use."""
        layer = self._layer()
        auto = layer is self._auto
        period_ms = _REFRESH_AUTO_MS if auto else _REFRESH_MS
        if layer.at_end():
            layers.show(self._view, self.console.words(words.EMPTY if auto else words.END))
        else:
            layer.draw(self._view, renew)
            if auto and self._auto.overhang():
                period_ms = _REFRESH_MS
        self._refresh_ms = now_ms + period_ms

    def _refresh(self, now_ms: int) -> None:
        """Read the item again, and move a long string on."""
        if self._covered or self._place not in (AUTO, INSIDE, MESSAGE):
            self._refresh_ms = now_ms + _REFRESH_MS
        else:
            self._draw(now_ms, False)

    def _indicate(self, now_ms: int) -> None:
        """Show the meter's state beside the items, not over a test picture."""
        if self._place in _WITHOUT_STATE or self._layer().bare:
            return
        self._indicators.clear()
        self._status(self._indicators)
        name = None if self._covered else self._layer().shown()
        if name is not None and self.relevant(name):
            self._indicators.set("LR")
        phase = now_ms // _BLINK_MS & 1 == 0
        self._view.indicate(self._indicators.lit(phase), self._indicators.lit_icons(phase))

    def _used(self, now_ms: int) -> None:
        self._key_ms = now_ms
        self.light.on(now_ms, self.times.backlight_s)

    def _blank(self) -> None:
        self._down = self._void = 0
        self._view.start()
        self.light.off()
