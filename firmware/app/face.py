"""The face of the meter: the display, what it shows beside values, and the keys."""

import asyncio

from micropython import const

import version
from app import factory, ticks
from app.display import keys, languages, menu_tree, options, words
from app.display.display import Display
from app.display.display_list import DisplayList
from app.display.privacy import Privacy
from app.display.status import MeterStatus

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.clock import Clock
    from app.device_test import DeviceTest
    from app.display.fields import Fields
    from app.display.reading import Read
    from app.registers import RegisterFile
    from app.settings import Settings
    from app.tasks import Supervisor
    from hal import Board
    from metrology.engine import Engine

    class Parts(Protocol):
        """The parts of a meter that its face shows."""

        board: Board
        clock: Clock
        engine: Engine
        registers: RegisterFile
        settings: Settings


_CURRENT = const(255)  # value group F
_CORE = (b"\x00\x02\x00", b"\x00\x02\x08")  # identification and signature
_DISPLAY_LIMIT_S = const(60)


class Face:
    """Display and keys of a meter; `read` reads what its lists name, menus reach what is given."""

    def __init__(self, meter: "Parts", read: "Read") -> None:
        board, engine = meter.board, meter.engine
        self._settings = meter.settings
        nominal_v = board.variant.nominal_voltage_v
        # the factory's, as attribute 3 of class 7 is encoded
        self.general_list = factory.general_list()
        self.alternate_list = factory.alternate_list(board.variant)
        self.status = MeterStatus(engine.quantities, engine.energies, nominal_v, meter.clock)
        self.display = display = Display(
            _view(board),
            self._list("general_list", self.general_list),
            self._list("alternate_list", self.alternate_list),
            read,
            self.status,
        )
        display.times.version = version.APPLICATION
        display.formats.fetch = meter.settings.get
        display.formats.transformer = board.variant.transformer
        display.relevant = lambda name: _is_relevant(meter.registers, name)
        self.options = options.Options(meter.settings)
        self.options.on_change = self._apply
        self.options.clicks = board.sounder is not None
        self._sounder = board.sounder
        self._privacy = Privacy(meter.settings, lambda: self._bit(menu_tree.PRIVACY), self.tell)
        display.item.hides = self._privacy.hides
        self._apply()
        self.keys = [
            keys.Key(board.key_scroll, keys.SCROLL, display.on_key),
            keys.Key(board.key_reset, keys.RESET, display.on_key),
        ]
        console = display.console
        console.privacy = self._privacy
        console.click = self._click
        console.options = lambda: self.options.values[options.CONSOLE]
        console.cover_open = lambda: bool(board.terminal_cover.value())
        console.device_test = lambda: _test(meter)
        for word in range(words.IN_ENGLISH, len(words.ENGLISH)):
            console.functions[word] = lambda word=word: self._speak(word - words.IN_ENGLISH)

    def _apply(self) -> None:
        """Let the display obey its options."""
        display = self.display
        values = self.options.values
        display.on = values[options.ON] != 0
        display.console.words.table = languages.table(values[options.LANGUAGE])
        if not self._bit(menu_tree.PRIVACY):
            try:
                self._privacy.forget()
            except OSError:
                pass  # it is not asked for; forgotten at the next start
        times = display.times
        times.auto_scroll_s, times.exit_s, times.backlight_s = values[: options.ON]
        display.wake()

    def start(self, supervisor: "Supervisor") -> None:
        """Start the tasks of display and keys."""
        supervisor.start("display", self.display.run, _DISPLAY_LIMIT_S)
        for key in self.keys:
            supervisor.start("key", lambda _task, key=key: key.run())

    def _speak(self, language: int) -> None:
        """Choose the language, and tell so in it (row DSP-33)."""
        try:
            self.options.put(options.LANGUAGE, language)
            self.tell(words.DONE)
        except OSError:
            self.tell(words.FAILED)

    def _bit(self, bit: int) -> bool:
        """Tell whether a bit of the console's configuration is set (row DSP-25)."""
        return self.options.values[options.CONSOLE] & bit != 0

    def _click(self) -> None:
        if self._sounder is not None and self._bit(menu_tree.KEY_CLICK):
            self._sounder.click()

    def tell(self, word: int) -> None:
        """Show a word for a while."""
        display = self.display
        display.tell(display.console.words(word), ticks.now_ms())

    def _list(self, key: str, factory_list: bytes) -> DisplayList:
        return DisplayList(lambda: self._settings.get(key) or factory_list)


def _view(board: "Board") -> "Fields":
    """Return what draws on the board's kind of glass."""
    layout = board.segments
    if layout is None:
        from app.display.view import View

        return View(board.lcd)
    from app.display.segment_view import SegmentView

    return SegmentView(board.lcd, layout)


def _test(meter: "Parts") -> "DeviceTest":
    """Begin the test of the device's parts."""
    from app.device_test import DeviceTest, say

    test = DeviceTest(meter.board, say)
    asyncio.create_task(test.run(meter.engine))
    return test


def _is_relevant(registers: "RegisterFile", name: bytes) -> bool:
    """Tell whether a value comes from the legally relevant part: metrology and its name."""
    if name[:2] != b"\x01\x00" or name[5] != _CURRENT:
        return False
    return name[2:5] in _CORE or registers.find(name[2], name[3], name[4]) >= 0
