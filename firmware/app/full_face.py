"""The full meter's face: all menus, the consumer's message, and what ports and logs say."""

from micropython import const

from app.display import options, words
from app.display.message import Message
from app.display.reading_objects import AttributeReader
from app.errors import AccessRefused
from app.face import Face

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from app import face
    from app.attributes import Resolver
    from app.battery import Battery
    from app.dlms.server import Server
    from app.logs.event_book import EventBook
    from app.logs.load_profiles import LoadProfiles
    from app.production import Production
    from app.program_memory import ProgramMemory
    from app.self_check import SelfCheck
    from app.test_mode import TestMode

    class Link(Protocol):
        """A port."""

        octets_in: int
        octets_out: int

    class Parts(face.Parts, Protocol):
        """What the face shows besides."""

        battery: Battery
        events: EventBook
        load_profiles: LoadProfiles
        production: Production
        program: ProgramMemory
        resolver: Resolver
        self_check: SelfCheck
        server: Server
        test_mode: TestMode

        @property
        def serial_links(self) -> "Sequence[Link]":
            """RS485 and, as the last, the optical head."""
            ...

        @property
        def tcp_link(self) -> "Link | None":
            """The network, where the board has one."""
            ...


_PROFILES = const(2)  # load profiles that the console shows


class FullFace(Face):
    """Display and keys, with all that the menus can reach."""

    def __init__(self, meter: "Parts") -> None:
        read = AttributeReader(meter.resolver)
        super().__init__(meter, read)
        display, status, board = self.display, self.status, meter.board
        battery = meter.battery
        status.battery_low = lambda: battery.low or battery.worn
        status.battery_dead = lambda: battery.dead
        status.fault = meter.events.errors.fault
        # the server and its ports come after the face
        status.connections = lambda: meter.server.associations()  # noqa: PLW0108
        status.octets = lambda: sum([link.octets_in + link.octets_out for link in _links(meter)])
        display.formats.testing = status.testing = meter.test_mode.active
        display.formats.percent = lambda: meter.program.percent
        self._optical_octets = lambda: meter.serial_links[-1].octets_in
        self._octets = 0
        display.light.wanted = self._optical_activity
        display.message = Message(meter.settings, read, display.item)
        console = display.console
        console.profiles = list(meter.load_profiles.profiles[:_PROFILES])
        mode = meter.test_mode
        production = meter.production
        console.master_reset = lambda: (
            _word_of(production.master_reset) if board.supply_good.value() else words.REJECTED
        )
        console.functions[words.TEST_MODE] = lambda: mode.set(not mode.active())
        console.functions[words.SELF_CHECK] = meter.self_check.start

    def _optical_activity(self) -> bool:
        """Tell whether the optical head has been spoken to, and that gives light."""
        octets = self._optical_octets()
        heard = octets != self._octets
        self._octets = octets
        return heard and self.options.values[options.OPTICAL_LIGHT] != 0


def _word_of(action: "Callable[[], None]") -> int:
    """Do what a key asks for; return the word that tells how it went (row KEY-09)."""
    try:
        action()
    except AccessRefused:
        return words.REJECTED
    except OSError:
        return words.FAILED
    return words.DONE


def _links(meter: "Parts") -> "list[Link]":
    """Return the ports whose octets make COM blink."""
    links = list(meter.serial_links)
    if meter.tcp_link is not None:
        links.append(meter.tcp_link)
    return links
