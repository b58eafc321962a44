"""Production: calibrates the meter against a reference load, and keeps the calibration record.

The client (tools/calibrate.py) tells which load the test bench gives, then asks for a step; the
meter averages a number of its own windows, works out new corrections, checks them, stores them
in both copies of the record and measures with them from the next block on. Steps in the order of
metrology.md: gain at reference current, phase at 60 degrees, offset at the smallest current. All
of it needs the parameter switch open (rows PRD-01, PRD-02, PRD-08, IDN-10).
"""

from micropython import const

from app import calibration_record
from app.errors import AccessRefused
from metrology.calibration import PACKED_BYTES, Calibration, CalibrationError, unpack

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.calibration_record import CalibrationRecord
    from app.clock import Clock
    from app.linearity_record import LinearityRecord
    from app.parameters import ParameterLock
    from hal import Buffer, Variant
    from metrology.calibration_step import Averages, Load
    from metrology.engine import Engine

STOP = const(0)
LINEARITY = const(5)  # behind those of metrology.calibration_step

# State of the step
IDLE = const(0)
MEASURING = const(1)
DONE = const(2)
REFUSED = const(3)

WINDOWS_MIN = const(5)
WINDOWS_MAX = const(3000)  # ten minutes
_WINDOWS = const(50)
_SILENCE_WINDOWS = const(25)  # windows of no whole cycles in a row: there is no voltage
_CORRECTIONS = b"\x00\x00\x80\x42\x04\xff"  # the objects that the log names
_TABLE = b"\x00\x00\x80\x42\x08\xff"
_LOG_FULL = "the certification log is full"


class ProductionError(ValueError):
    """What the client asked for cannot be done; the text says why."""


class Production:
    """The bench procedure; at most one step at a time.

    step, state, reason: of the last step asked for; `reason` says why it was refused
    windows_done: for so many windows it has run
    linearity: the converter's table, None where the board's converter needs none
    before_change: None, or called with name, old and new checksum before corrections or the table
    change; what it raises refuses the change
    on_change: None, or called with 0 and both checksums after a change
    on_master_reset: does what `master_reset` is for, behind the lock
    """

    def __init__(
        self,
        engine: "Engine",
        stored: "CalibrationRecord",
        variant: "Variant",
        lock: "ParameterLock",
        clock: "Clock",
        linearity: "LinearityRecord | None" = None,
    ) -> None:
        self.stored = stored
        self.linearity = linearity
        self.lock = lock
        self.step = STOP
        self.state = IDLE
        self.reason = ""
        self.windows = _WINDOWS
        self.windows_done = 0
        self.before_change: Callable[[bytes, int, int], None] | None = None
        self.on_change: Callable[[int, int, int], None] | None = None
        self.on_master_reset: Callable[[], None] = _nothing
        self._load: Load | None = None
        self._averages: Averages | None = None
        self._engine = engine
        self._variant = variant
        self._clock = clock
        self._silence = 0
        self._lost = 0
        engine.on_window.append(self._window)

    # A meter in the field never steps: the arithmetic takes its heap when the bench asks first.

    @property
    def load(self) -> "Load":
        """What the bench gives; nothing before it is told."""
        if self._load is None:
            from metrology.calibration_step import Load as New

            self._load = New(self._engine.quantities.elements)
        return self._load

    @property
    def averages(self) -> "Averages":
        """What was measured in the last step."""
        if self._averages is None:
            from metrology.calibration_step import Averages as New

            self._averages = New(self._engine.quantities.elements)
        return self._averages

    def master_reset(self) -> None:
        """Make the meter new but for what makes it this one; it starts anew some seconds later.

        Raises AccessRefused under lock, or if the certification log is full; OSError. Rows PRD-07,
        KEY-09; app/master_reset.py tells what goes and what stays.
        """
        self.lock.require()
        self.on_master_reset()

    def set_load(self, load: "Load") -> None:
        """Tell what the bench gives. Raises AccessRefused, ProductionError."""
        self.lock.require()
        self._require_rest()
        try:
            load.check(self._variant)
        except CalibrationError as error:
            raise self._refusal(str(error)) from None
        self._load = load

    def set_windows(self, windows: int) -> None:
        """Set how many windows are averaged. Raises AccessRefused, ProductionError."""
        self.lock.require()
        self._require_rest()
        if not WINDOWS_MIN <= windows <= WINDOWS_MAX:
            raise self._refusal("windows to average: 5 to 3000")
        self.windows = windows

    def set_ramp(self, first: int, last: int, place: int) -> None:
        """Say what the linearity step counts. Raises AccessRefused, ProductionError."""
        self.lock.require()
        self._require_rest()
        try:
            if self.linearity is not None:
                self.linearity.set_ramp(first, last, place)
        except ValueError as error:
            raise self._refusal(str(error)) from None

    def start(self, step: int) -> None:
        """Begin a step, or STOP one. Raises AccessRefused, ProductionError."""
        self.lock.require()
        if step == STOP:
            self._end(IDLE, "")
            return
        self._require_rest()
        if not STOP < step <= LINEARITY:
            raise self._refusal("no such step")
        try:
            if step == LINEARITY:
                self._begin_linearity()
            else:
                self.load.check_step(step, self._variant)
        except ValueError as error:
            raise self._refusal(str(error)) from None
        self.step = step
        self.state = MEASURING
        self.reason = ""
        self.windows_done = 0
        self.averages.clear()
        self._silence = 0
        self._lost = self._engine.frames_lost()

    def set_calibration(self, calibration: Calibration) -> None:
        """Take over corrections that were worked out elsewhere, or kept from before a repair.

        Raises AccessRefused, ProductionError, OSError; the old ones stay then.
        """
        self.lock.require()
        self._require_rest()
        self.step = STOP
        try:
            self._take_over(calibration)
        except CalibrationError as error:
            raise self._refusal(str(error)) from None
        except AccessRefused:
            self._refusal(_LOG_FULL)
            raise
        self.state = DONE
        self.reason = ""

    def defects(self) -> list[str]:
        """Tell what the meter measures without; while that is so, data are to be marked."""
        return calibration_record.defects(self.stored, self._engine, self.linearity)

    def renew(self, payload: "Buffer") -> bool:
        """Take the stored corrections over again if RAM has lost them; True if it has not."""
        stored = self.stored
        if self.state == MEASURING or stored.damaged:
            return True
        sound = stored.calibration.pack() == bytes(payload[:PACKED_BYTES])
        if not sound:
            stored.calibration = unpack(payload[:PACKED_BYTES], self._engine.quantities.elements)
        return self._engine.renew(stored.calibration) and sound

    def _take_over(self, calibration: Calibration) -> None:
        present = self.stored.calibration
        old, new = present.pack(), calibration.pack()
        self._engine.recalibrate(calibration)
        try:
            sums = self._log(_CORRECTIONS, old, new)
            self.stored.save(calibration, self._clock.utc_s())
        except (OSError, AccessRefused):
            self._engine.recalibrate(present)
            raise
        self._tell(sums)

    def _take_over_table(self, linearity: "LinearityRecord") -> None:
        new = linearity.finish()
        old = b"" if linearity.table is None else linearity.table.pack()
        sums = self._log(_TABLE, old, new.pack())
        linearity.save(new)
        self._tell(sums)

    def _log(self, name: bytes, old: bytes, new: bytes) -> tuple[int, int]:
        # both records end with their CRC-32
        sums = int.from_bytes(old[-4:], "little"), int.from_bytes(new[-4:], "little")
        if self.before_change is not None:
            self.before_change(name, *sums)
        return sums

    def _tell(self, sums: tuple[int, int]) -> None:
        if self.on_change is not None:
            self.on_change(0, *sums)

    def _require_rest(self) -> None:
        if self.state == MEASURING:
            raise ProductionError("a step is under way")

    def _refusal(self, reason: str) -> ProductionError:
        """Note a reason where the client can read it; return the error to raise."""
        self.state = REFUSED
        self.reason = reason
        return ProductionError(reason)

    def _begin_linearity(self) -> None:
        if self.linearity is None:
            raise ProductionError("this converter needs no linearity table")
        self.linearity.begin()

    def _end(self, state: int, reason: str) -> None:
        if self.linearity is not None:
            self.linearity.stop()
        self.state = state
        self.reason = reason

    def _window(self) -> None:
        """Take in the window that the engine has just measured."""
        if self.state != MEASURING:
            return
        if self.lock.locked():
            self._end(REFUSED, "the parameter switch was locked")
        elif self._engine.frames_lost() != self._lost:
            self._end(REFUSED, "frames of the converter were lost")
        elif self.step == LINEARITY:
            self.windows_done += 1
            if self.windows_done >= self.windows:
                self._finish()
        elif not self._engine.last_whole:
            self._silence += 1
            if self._silence >= _SILENCE_WINDOWS:
                self._end(REFUSED, "no voltage")
        else:
            self._silence = 0
            self.averages.add(self._engine.quantities)
            self.windows_done = self.averages.windows
            if self.windows_done >= self.windows:
                self._finish()

    def _finish(self) -> None:
        from metrology.calibration_step import MEASURE, corrected

        step = self.step
        try:
            if self.linearity is not None and step == LINEARITY:
                self._take_over_table(self.linearity)
            else:
                new = corrected(self.stored.calibration, self.load, self.averages, step)
                if step != MEASURE:
                    self._take_over(new)
        except ValueError as error:
            self._end(REFUSED, str(error))
        except AccessRefused:
            self._end(REFUSED, _LOG_FULL)
        except OSError:
            self._end(REFUSED, "the memory does not answer")
        else:
            self._end(DONE, "")


def _nothing() -> None:
    """Stand in for a meter that can be reset."""
