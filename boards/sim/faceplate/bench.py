"""What the HTTP calls reach: the world, the chips and ports, and the meter's own figures.

The assembly fills it in. The meter is looked at, never called to do anything: its objects die
with each reset, so they are asked for anew each time.
"""

import loop
import machine_bus
import timeline
from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from typing import Protocol

    from devices.chip import Chip
    from devices.ds3231 import Ds3231
    from devices.led import Led
    from devices.piezo import Piezo
    from display_glass import Glass
    from leap import Leap
    from processor import Processor
    from world import World

    from app.logs.event_book import EventBook
    from app.meter import Meter

    class PortState(Protocol):
        """A port that can tell what it does."""

        def state(self) -> "dict[str, object]":
            """Return what `GET /api/ports` tells of it."""
            ...


_HDLC_PORTS = ("rs485", "optical")  # the order of Meter.channels


class NoMeterError(Exception):
    """The meter does not run: it has no power, or it has halted. The text says which."""


class Bench:
    """The bench around one meter."""

    def __init__(
        self,
        world: "World",
        leap: "Leap",
        processor: "Processor",
        chips: "dict[str, Chip]",
        ports: "dict[str, PortState]",
        root: str = ".",
    ) -> None:
        """`chips` by the name that `POST /api/chip` takes; lcd, rtc, led_* are looked at too.

        `root` is the folder of the sources.
        """
        self.world = world
        self.leap = leap
        self.processor = processor
        self.chips = chips
        self.ports = ports
        self.root = root
        self._glass_key: tuple[object, ...] = ()
        self._serial = 0
        self._rows: list[str] = []
        self._face: dict[str, object] = {}

    def meter(self) -> "Meter":
        """The running firmware's meter. Raises NoMeterError."""
        module = self.processor.module("main")
        meter = getattr(module, "meter", None)
        if meter is None:
            raise NoMeterError(self.processor.error or "the meter has no power")
        return meter

    def logs(self) -> "EventBook | None":
        """The meter's event logs; None if it was built without, or does not run."""
        return getattr(self.meter(), "events", None) if self.running() else None

    def running(self) -> bool:
        """Tell whether the firmware runs."""
        return getattr(self.processor.module("main"), "meter", None) is not None

    def utc_s(self) -> int:
        """Time of the meter, that of its clock chip while it has no power; UTC since 2000."""
        if self.running():
            return self.meter().clock.utc_s()
        return self.rtc().utc_s()

    def world_utc_s(self) -> int:
        """True time, which no client sets and no chip loses; UTC since 2000."""
        return (self.world.epoch_us + timeline.now_us) // 1_000_000

    def seconds_until(self, moment: object) -> float:
        """Return how far true time is from a moment as `--time` has it. Raises ValueError."""
        from options import parse_time

        try:
            utc_s = parse_time(str(moment))
        except ValueError:
            raise ValueError("until must be a time such as 2026-01-31T23:59:50") from None
        ahead_us = utc_s * 1_000_000 - self.world.epoch_us - timeline.now_us
        if ahead_us < 0:
            raise ValueError("until: that time has passed")
        return ahead_us / 1_000_000

    def rtc(self) -> "Ds3231":
        """The clock chip."""
        return self.chips["rtc"]  # pyright: ignore[reportReturnType]

    def led(self, name: str) -> "Led":
        """The diode `active` or `reactive`."""
        return self.chips["led_" + name]  # pyright: ignore[reportReturnType]

    def sounder(self) -> "Piezo":
        """The disc that clicks as keys go down."""
        return self.chips["sounder"]  # pyright: ignore[reportReturnType]

    def pulse_output_state(self, number: str = "") -> "dict[str, object]":
        """What a counter behind the OptoMOS has seen: pulses, and how long the last one was.

        `number`: behind that pulse output.
        """
        output: Led = self.chips["pulse_output" + number]  # pyright: ignore[reportAssignmentType]
        return {
            "pulses": output.pulses,
            "width_ms": output.last_width_us / 1000,
            "conducting": bool(output.lit),
        }

    def glass(self) -> "tuple[int, list[str], dict[str, object]]":
        """Serial number of the picture, its 64 rows, and what it says.

        Rows are made and read again only when the controller got something new.
        """
        lcd: Glass = self.chips["lcd"]  # pyright: ignore[reportAssignmentType]
        key = lcd.appearance()
        if key != self._glass_key:
            from faceplate import glass

            self._glass_key = key
            self._serial += 1
            self._rows, self._face = glass.read(lcd)
        return self._serial, self._rows, self._face

    def backlight(self) -> bool:
        """Tell whether the glass is lit."""
        lcd: Glass = self.chips["lcd"]  # pyright: ignore[reportAssignmentType]
        return bool(lcd.backlight and lcd.answers())

    async def advance(self, seconds: float) -> None:
        """Let simulated time pass as fast as the machine can. Raises ValueError."""
        await timeline.advance(seconds)
        self.leap.finish()  # whoever asked for the time wants all of it measured

    def set_rate(self, rate: float) -> None:
        """Set the simulated seconds in a real second. Raises ValueError."""
        timeline.set_rate(rate)
        if not self.leap.wanted():
            self.leap.finish()

    def rate(self) -> float:
        """Simulated seconds in a real second."""
        return timeline.rate

    def longest_loop_us(self) -> int:
        """Longest time that the tasks kept the loop from its next turn, host's microseconds."""
        return loop.io.longest_turn_us

    def frames_taken(self) -> int:
        """Frames that the capture peripheral has put into the meter's ring since it booted."""
        return sum([capture.count() for capture in machine_bus.captures])

    def associations(self) -> "dict[str, int]":
        """COSEM associations that are open, by port; empty while no meter serves them."""
        if not self.running():
            return {}
        meter = self.meter()
        if not hasattr(meter, "server"):  # it was built without
            return {}
        found: dict[str, int] = {}
        for name, channel in zip(_HDLC_PORTS, meter.channels):
            found[name] = 1 if channel.association.state else 0
        found["cosem"] = meter.server.associations() - sum(found.values())
        return found
