"""The meter's processor: boots the firmware, and boots it again after a reset or a power cut.

The simulation goes on meanwhile. Firmware is imported afresh at each boot, so that nothing of the
last life is left but what the chips hold.
"""

# ruff: noqa: ANN401 - modules have no other type

import gc
import sys

import host
import loop
import machine as _machine
import machine_bus
import pins
import power
import timeline
from devices.chip import Chip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Ours, not the one that the boards' type stubs describe.
machine: "Any" = _machine

_HANG_MAX_MS = 3_600_000
RUNNING = "running"
OFF = "off"
HALTED = "halted"


class Faults(Chip):
    """What the bench can do to the processor, as to any chip."""

    NAME = "processor"
    FAULTS = {
        "hang": ("hang", (("ms", 60_000),)),  # a task computes and lets no other run
        "capture_stops": ("stop_capture", ()),  # what moves frames stands still till set up anew
        "bit_flip": ("flip_bit", (("at", None), ("bit", 0))),  # in the flash that holds the code
        "ram": ("flip_ram", (("at", 0), ("bit", 20))),  # in a register of energy
    }

    def __init__(self) -> None:
        super().__init__()
        self._flipped: list[tuple[int, int]] = []

    def flip_bit(self, at: int, bit: int) -> None:
        """Turn one bit of the program memory over. Raises ValueError."""
        program = pins.program
        if program is None:
            raise ValueError("the code does not run from an image: there is no bit to flip")
        if not 0 <= at < len(program) or not 0 <= bit <= 7:
            raise ValueError("at must be below " + str(len(program)) + ", bit 0 to 7")
        program[at] ^= 1 << bit
        self._flipped.append((at, bit))

    def flip_ram(self, at: int, bit: int) -> None:
        """Turn one bit of energy register 0 to 11 over where it lies in RAM. Raises ValueError."""
        meter = getattr(sys.modules.get("main"), "meter", None)
        if meter is None:
            raise ValueError("the meter does not run")
        if not 0 <= at < len(meter.engine.energies.wh) or not 0 <= bit <= 62:
            raise ValueError("at must be below 12, bit 0 to 62")
        meter.engine.energies.wh[at] ^= 1 << bit

    def clear_faults(self) -> None:
        """Write the image anew."""
        super().clear_faults()
        flipped, self._flipped = self._flipped, []
        for at, bit in flipped:
            self.flip_bit(at, bit)
        self._flipped = []

    def hang(self, ms: int) -> None:
        """Block the firmware for so long, or until its watchdog bites. Raises ValueError."""
        if not 1 <= ms <= _HANG_MAX_MS:
            raise ValueError("hang needs ms from 1 to " + str(_HANG_MAX_MS))

        async def block() -> None:
            timeline.pass_us(ms * 1000)

        loop.create_task(block(), loop.METER)

    def stop_capture(self) -> None:
        """Freeze what moves frames; its interrupts end with it."""
        for capture in machine_bus.captures:
            capture.freeze()


class Processor:
    """Runs `main.start()` from the firmware's folders and everything that it starts."""

    def __init__(self, supply: power.Supply) -> None:
        self.supply = supply
        self.state = OFF
        self.error = ""  # why it is halted
        self.boots = 0
        self.boot_us = 0  # virtual time of the last boot
        # Called after main.start() has returned, and before the firmware of a life is dropped.
        self.on_boot: list[Callable[[Any], None]] = []
        self.on_down: list[Callable[[], None]] = []
        self._cause = machine.PWRON_RESET

    def run(self) -> None:
        """Run until nothing is left to run, or an exception other than a reset is raised."""
        while True:
            try:
                if self.state == OFF and self.supply.powered:
                    self._boot()
                loop.run()
                return
            except power.PowerReturned:
                self._end(machine.PWRON_RESET)
            except power.PowerLost:
                self._end(machine.PWRON_RESET)
            except power.MeterReset as reset:
                self._end(reset.cause)
            except SystemExit as error:
                self._halt(error)

    def stop(self) -> None:
        """End the firmware where it is; the chips keep their power."""
        self._end(machine.HARD_RESET)

    def module(self, name: str) -> "Any":
        """Return a module of the running firmware, None if it is not there."""
        return sys.modules.get(name) if self.state == RUNNING else None

    def uptime_s(self) -> int:
        """Return whole seconds since the last boot, 0 without power."""
        return (timeline.now_us - self.boot_us) // 1_000_000 if self.state != OFF else 0

    def _boot(self) -> None:
        machine.start(self._cause)
        self.boots += 1
        self.boot_us = timeline.now_us
        self.error = ""
        self.state = RUNNING
        loop.set_domain(loop.METER)
        try:
            import main

            main.start()
            loop.set_domain(loop.BENCH)
            for callback in self.on_boot:
                callback(main)
        except Exception as error:
            self._halt(error)
        finally:
            loop.set_domain(loop.BENCH)

    def _halt(self, error: BaseException) -> None:
        """The firmware has given up: say so and leave the bench alive."""
        self.error = type(error).__name__ + ": " + str(error)
        print("The meter has halted:", self.error, file=sys.stderr)
        host.print_exception(error)
        self._drop()
        self.state = HALTED

    def _end(self, cause: int) -> None:
        """End this life of the firmware."""
        self._drop()
        self.state = OFF
        self._cause = cause

    def _drop(self) -> None:
        if self.state == RUNNING:
            for callback in self.on_down:
                callback()
        loop.drop(loop.METER)
        machine.start(self._cause)
        for name in list(sys.modules):
            if self._is_firmware(name):
                del sys.modules[name]
        gc.collect()

    @staticmethod
    def _is_firmware(name: str) -> bool:
        """Tell whether a module came with the firmware: it is a file and not the simulation's."""
        if name in ("board", "main"):
            return True
        path = getattr(sys.modules[name], "__file__", None)
        return path is not None and "firmware" in path.replace("\\", "/").split("/")
