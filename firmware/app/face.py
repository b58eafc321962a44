"""The face of the meter: the display, what it shows beside values, and the keys."""

import asyncio

from micropython import const

import version
from app import factory, ticks
from app.display import keys, languages, menu_tree, options, words
from app.display.display import Display
from app.display.display_list import DisplayList
from app.display.message import Message
from app.display.privacy import Privacy
from app.display.reading import AttributeReader
from app.display.status import MeterStatus
from app.errors import AccessRefused

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from app.attributes import Resolver
    from app.battery import Battery
    from app.clock import Clock
    from app.device_test import DeviceTest
    from app.display.fields import Fields
    from app.dlms.server import Server
    from app.logs.event_book import EventBook
    from app.logs.load_profiles import LoadProfiles
    from app.production import Production
    from app.program_memory import ProgramMemory
    from app.registers import RegisterFile
    from app.self_check import SelfCheck
    from app.settings import Settings
    from app.tasks import Supervisor
    from app.test_mode import TestMode
    from hal import Board
    from metrology.engine import Engine

    class Link(Protocol):
        """A port."""

        octets_in: int
        octets_out: int

    class Parts(Protocol):
        """The parts of a meter that its face shows."""

        battery: Battery
        board: Board
        clock: Clock
        engine: Engine
        events: EventBook
        load_profiles: LoadProfiles
        production: Production
        program: ProgramMemory
        registers: RegisterFile
        resolver: Resolver
        self_check: SelfCheck
        server: Server
        settings: Settings
        test_mode: TestMode

        @property
        def serial_links(self) -> "Sequence[Link]":  # noqa: D102
            ...

        @property
        def tcp_link(self) -> "Link | None":  # noqa: D102
            ...


_CURRENT = const(255)  # value group F
_CORE = (b"\x00\x02\x00", b"\x00\x02\x08")  # identification and signature
_DISPLAY_LIMIT_S = const(60)

_PROFILES = const(2)  # load profiles that the console shows


class Face:
    """Display and keys of a meter."""

    def __init__(self, meter: "Parts") -> None:
        board = meter.board
        self._settings = meter.settings
        self.status = status = _status(meter)
        read = AttributeReader(meter.resolver)
        self.display = display = Display(
            _view(board),
            self._list("general_list", factory.general_list()),
            self._list("alternate_list", factory.alternate_list(board.variant)),
            read,
            status,
        )
        display.times.version = version.APPLICATION
        display.formats.fetch = meter.settings.get
        display.formats.transformer = board.variant.transformer
        self.options = options.Options(meter.settings)
        self.options.on_change = self._apply
        self.options.clicks = board.sounder is not None
        self._optical_octets = lambda: meter.serial_links[-1].octets_in
        self._octets = 0
        self._sounder = board.sounder
        self._privacy = Privacy(meter.settings, lambda: self._bit(menu_tree.PRIVACY), self.tell)
        self._apply()
        display.light.wanted = self._optical_activity
        display.message = Message(meter.settings, read, display.item)
        display.relevant = lambda name: _is_relevant(meter.registers, name)
        display.formats.percent = lambda: meter.program.percent
        display.formats.testing = status.testing = meter.test_mode.active
        self.keys = [
            keys.Key(board.key_scroll, keys.SCROLL, display.on_key),
            keys.Key(board.key_reset, keys.RESET, display.on_key),
        ]
        display.item.hides = self._privacy.hides
        console = display.console
        console.privacy = self._privacy
        console.click = self._click
        console.profiles = list(meter.load_profiles.profiles[:_PROFILES])
        console.options = lambda: self.options.values[options.CONSOLE]
        console.cover_open = lambda: bool(board.terminal_cover.value())
        mode = meter.test_mode
        production = meter.production
        console.master_reset = lambda: (
            _word_of(production.master_reset) if board.supply_good.value() else words.REJECTED
        )
        console.functions[words.TEST_MODE] = lambda: mode.set(not mode.active())
        console.device_test = lambda: _test(meter)
        console.functions[words.SELF_CHECK] = meter.self_check.start
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

    def _optical_activity(self) -> bool:
        """Tell whether the optical head has been spoken to, and that gives light."""
        octets = self._optical_octets()
        heard = octets != self._octets
        self._octets = octets
        return heard and self.options.values[options.OPTICAL_LIGHT] != 0

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


def _word_of(action: "Callable[[], None]") -> int:
    """Do what a key asks for; return the word that tells how it went (row KEY-09)."""
    try:
        action()
    except AccessRefused:
        return words.REJECTED
    except OSError:
        return words.FAILED
    return words.DONE


def _status(meter: "Parts") -> MeterStatus:
    engine = meter.engine
    nominal_v = meter.board.variant.nominal_voltage_v
    status = MeterStatus(engine.quantities, engine.energies, nominal_v, meter.clock)
    battery = meter.battery
    status.battery_low = lambda: battery.low or battery.worn
    status.battery_dead = lambda: battery.dead
    status.fault = meter.events.errors.fault
    # the server comes after the face
    status.connections = lambda: meter.server.associations()  # noqa: PLW0108
    status.octets = lambda: sum([link.octets_in + link.octets_out for link in _links(meter)])
    return status


def _is_relevant(registers: "RegisterFile", name: bytes) -> bool:
    """Tell whether a value comes from the legally relevant part: metrology and its name."""
    if name[:2] != b"\x01\x00" or name[5] != _CURRENT:
        return False
    return name[2:5] in _CORE or registers.find(name[2], name[3], name[4]) >= 0


def _links(meter: "Parts") -> "list[Link]":
    """Return the ports whose octets make COM blink."""
    links = list(meter.serial_links)
    if meter.tcp_link is not None:
        links.append(meter.tcp_link)
    return links
