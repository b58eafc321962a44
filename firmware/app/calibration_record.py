"""The stored calibration: which one the meter measures with, and what it measures without.

app.production makes and stores new ones. Rows PRD-02, MET-07.
"""

import struct

from micropython import const

from app.storage import record, regions
from metrology.calibration import PACKED_BYTES, Calibration, CalibrationError, unpack

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.linearity_record import LinearityRecord
    from hal import Memory
    from metrology.engine import Engine

_TAIL = "<II"  # number of calibrations, time of the last
_TAIL_BYTES = const(8)


class CalibrationRecord:
    """The stored calibration, its number and its date.

    problem: what was wrong at start, "" for nothing; design values serve if `damaged`, else the
    twin of the record does
    """

    def __init__(self, memory: "Memory", phases: int) -> None:
        self.calibration = Calibration(phases)
        self.count = 0
        self.calibrated_utc_s = 0
        self.problem = ""
        self.damaged = False
        self._record = regions.open_record(memory, "calibration")
        try:
            self._load(phases)
        except OSError:
            self._lost("cannot be read")
        except CalibrationError as error:
            self._lost(str(error))

    def save(self, calibration: Calibration, utc_s: int) -> None:
        """Store a calibration. Raises CalibrationError or OSError, and keeps the old one."""
        count = self.count + 1
        self._record.save(calibration.pack() + struct.pack(_TAIL, count, utc_s))
        self.calibration = calibration
        self.count = count
        self.calibrated_utc_s = utc_s
        self.problem = ""
        self.damaged = False

    def _load(self, phases: int) -> None:
        payload = self._record.load()
        if payload is None:
            if self._record.state >= record.LOST:
                self._lost("both copies are damaged")
            return
        self.calibration = unpack(payload[:PACKED_BYTES], phases)
        if len(payload) >= PACKED_BYTES + _TAIL_BYTES:
            self.count, self.calibrated_utc_s = struct.unpack_from(_TAIL, payload, PACKED_BYTES)
        if self._record.state == record.TWIN:
            self.problem = "calibration: one copy is damaged, the other one serves"

    def _lost(self, reason: str) -> None:
        self.damaged = True
        self.problem = "calibration: " + reason + ", the design values serve"


def defects(
    stored: CalibrationRecord, engine: "Engine", linearity: "LinearityRecord | None"
) -> list[str]:
    """Tell what the meter measures without."""
    found: list[str] = []
    if stored.damaged:
        found.append(stored.problem)
    if engine.undelayed:
        found.append("calibration: delays too long for this frame rate, measured without")
    if linearity is not None and linearity.damaged:
        found.append(linearity.problem)
    return found
