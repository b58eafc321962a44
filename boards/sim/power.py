"""The meter's supply: mains, the hold-up time of its capacitor, and what happens when it is empty.

While the hold-up time runs, every bus transfer takes its wire time, and the transfer in which the
capacitor runs empty stops at the byte where it does: the chips see no more. `PowerLost` then
leaves the firmware wherever it is. `MeterReset` does the same for a reset of the processor.

Without mains the battery takes over when a key is pressed, and feeds processor and chips as long
as the key is down or the processor holds it. A change of a cover or of the field does as a short
press.
"""

import timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Powered(Protocol):
        """Whatever hangs on the supply."""

        def power(self, on: bool) -> None:
            """Give or take the supply."""
            ...


HOLDUP_MS = 50
_MAX_HOLDUP_MS = 3_600_000
_NUDGE_US = 300_000


class PowerLost(BaseException):
    """The processor and the chips have no power any more."""


class PowerReturned(BaseException):
    """The processor and the chips have power again."""


class MeterReset(BaseException):
    """The processor is reset; `cause` is what machine.reset_cause() tells afterwards."""

    def __init__(self, cause: int) -> None:
        super().__init__(cause)
        self.cause = cause


class Supply:
    """Mains, hold-up and the power of every chip.

    `on_good(level)` is told the level of the supply_good line.
    """

    def __init__(self, on_good: "Callable[[int], None] | None" = None) -> None:
        self.mains = True
        self.powered = True
        self.watching = False  # True: bus transfers must ask `allow`
        self.cuts = 0  # times that the power has gone
        self.battery = True  # it can feed the processor
        self._keys_down: set[str] = set()
        self._held = False  # the processor holds the battery
        self._on_good = on_good
        self._chips: list[Powered] = []
        self._deadline: object = None  # event in which the capacitor is empty
        self._deadline_us = 0
        self._armed: object = None  # chip in whose transfer the power is cut
        self._armed_bytes = 0
        self._spent_ns = 0

    def add(self, chip: "Powered") -> None:
        """Connect a chip: `chip.power(on)` follows the supply."""
        self._chips.append(chip)

    def off(self, holdup_ms: object = HOLDUP_MS) -> None:
        """Cut the mains: the power-fail line falls and the hold-up time runs."""
        if isinstance(holdup_ms, bool) or not isinstance(holdup_ms, (int, float)):
            raise ValueError("holdup_ms must be a number")
        if not 0 <= holdup_ms <= _MAX_HOLDUP_MS:
            raise ValueError("holdup_ms must be 0 to " + str(_MAX_HOLDUP_MS))
        if not self.mains:
            return
        self.mains = False
        self._good(0)
        if not self.powered:
            return
        self._deadline_us = timeline.now_us + int(holdup_ms * 1000)
        self.watching = True
        if self._deadline_us == timeline.now_us:
            self._vanish()
        else:
            self._deadline = timeline.at(self._deadline_us, self._vanish)

    def on(self) -> None:
        """Return the mains; without power until then, the chips and the processor start."""
        if self.mains:
            return
        self.mains = True
        if self._deadline is not None:
            timeline.cancel(self._deadline)
            self._deadline = None
        self.watching = self._armed is not None
        self._appear()
        self._good(1)

    def key(self, name: str, down: bool) -> None:
        """Take a key of the case: its press starts the processor on the battery."""
        if down:
            self._keys_down.add(name)
            if self.battery:
                self._appear()
        else:
            self._keys_down.discard(name)
            self._check_battery()

    def nudge(self) -> None:
        """Take a cover or magnet that moves: it starts the processor for a moment."""
        if not self.powered:
            self.key("nudge", True)
            timeline.after(_NUDGE_US, lambda: self.key("nudge", False))

    def hold(self, level: int) -> None:
        """Let the processor hold the battery, or let it go."""
        self._held = level != 0
        self._check_battery()

    def set_battery(self, present: bool) -> None:
        """Take or bring the battery."""
        self.battery = present
        self._check_battery()

    def on_battery(self) -> bool:
        """Tell whether the battery feeds the processor, not the mains or the capacitor."""
        return self.powered and not self.mains and self._deadline is None

    def cut_after(self, chip: object, count: int) -> None:
        """Cut the power without hold-up when `count` more bytes were written to `chip`."""
        if count < 0:
            raise ValueError("count must not be negative")
        self._armed = chip
        self._armed_bytes = count
        self.watching = True

    def allow(self, chip: object, count: int, byte_ns: int, writing: bool) -> int:
        """Return how many of the `count` bytes of a transfer to `chip` the power lasts for."""
        allowed = count
        if self._deadline is not None:
            left_ns = (self._deadline_us - timeline.now_us) * 1000 - self._spent_ns
            allowed = min(allowed, max(0, left_ns // byte_ns))
        if writing and chip is self._armed:
            allowed = min(allowed, self._armed_bytes)
        return allowed

    def spend(self, chip: object, count: int, wanted: int, byte_ns: int, writing: bool) -> None:
        """Account for `count` of `wanted` bytes that were transferred; raises PowerLost."""
        if writing and chip is self._armed:
            self._armed_bytes -= count
            if self._armed_bytes <= 0 and (count < wanted or self._armed_bytes == 0):
                self._vanish()
                timeline.raise_interrupt()
        if self._deadline is None:
            return
        if count < wanted:
            timeline.pass_us(max(0, self._deadline_us - timeline.now_us))
            return
        self._spent_ns += count * byte_ns
        us = self._spent_ns // 1000
        self._spent_ns -= us * 1000
        if us:
            timeline.pass_us(us)

    def _appear(self) -> None:
        if not self.powered:
            self.powered = True
            for chip in self._chips:
                chip.power(True)
            timeline.interrupt(PowerReturned())

    def _check_battery(self) -> None:
        """End the battery's supply when neither key nor processor holds it, or it is gone."""
        if self.on_battery() and not (self.battery and (self._keys_down or self._held)):
            self._vanish()

    def _good(self, level: int) -> None:
        if self._on_good is not None:
            self._on_good(level)

    def _vanish(self) -> None:
        if self._deadline is not None:
            timeline.cancel(self._deadline)
            self._deadline = None
        if self.mains:
            self.mains = False
            self._good(0)
        self._armed = None
        self.watching = False
        self._spent_ns = 0
        self.powered = False
        self.cuts += 1
        for chip in self._chips:
            chip.power(False)
        timeline.interrupt(PowerLost())
