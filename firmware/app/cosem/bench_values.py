"""The calibration bench as objects of class 1 (docs/calibration.md).

app.production checks and keeps what is written and refuses it while the parameter switch is
closed. Rows PRD-01, PRD-02, PRD-08, IDN-10.
"""

from micropython import const

from app import axdr
from app.cosem import access
from app.cosem.data import Data
from app.cosem.factory_values import BENCH, moment
from app.cosem.values import Value
from metrology.calibration import Calibration

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.axdr import Reader, Writer
    from app.clock import Clock
    from app.cosem.catalogue import Catalogue
    from app.production import Production


class ReferenceLoad(Value):
    """What the bench gives: voltage, current and angle of each phase, current of the neutral."""

    def __init__(self, production: "Production") -> None:
        self._production = production

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        load = self._production.load
        writer.structure(2)
        writer.array(load.phases)
        for phase in range(load.phases):
            writer.structure(3)
            writer.uint32(load.u_uv[phase])
            writer.uint32(load.i_ua[phase])
            writer.int32(load.phi_udeg[phase])
        writer.uint32(load.neutral_ua)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        from metrology.calibration_step import Load  # only a bench writes it

        load = Load(self._production.load.phases)
        reader.structure(2)
        if reader.array() != load.phases:
            raise ValueError("as many phases as the meter has")
        for phase in range(load.phases):
            reader.structure(3)
            load.u_uv[phase] = reader.number(axdr.UINT32)
            load.i_ua[phase] = reader.number(axdr.UINT32)
            load.phi_udeg[phase] = reader.number(axdr.INT32)
        load.neutral_ua = reader.number(axdr.UINT32)
        self._production.set_load(load)


class WindowsToAverage(Value):
    """How many windows a step averages."""

    def __init__(self, production: "Production") -> None:
        self._production = production

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint16(self._production.windows)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._production.set_windows(reader.number(axdr.UINT16))


class Step(Value):
    """The step of the procedure; writing one starts it."""

    def __init__(self, production: "Production") -> None:
        self._production = production

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.enum(self._production.step)

    def write(self, reader: "Reader") -> None:
        """Start a step."""
        self._production.start(reader.number(axdr.ENUM))


class Progress(Value):
    """Step, state, windows done and wanted, reason of a refusal."""

    def __init__(self, production: "Production") -> None:
        self._production = production

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        production = self._production
        writer.structure(5)
        writer.enum(production.step)
        writer.enum(production.state)
        writer.uint16(production.windows_done)
        writer.uint16(production.windows)
        writer.string(axdr.VISIBLE_STRING, production.reason.encode())


class Corrections(Value):
    """The calibration: gains, delay and offsets of each phase, gain of the neutral."""

    def __init__(self, production: "Production") -> None:
        self._production = production

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        record = self._production.stored.calibration
        writer.structure(2)
        writer.array(record.phases)
        for phase in range(record.phases):
            writer.structure(5)
            writer.int32(record.u_gain_ppb[phase])
            writer.int32(record.i_gain_ppb[phase])
            writer.int32(record.delay_ns[phase])
            writer.int32(record.p_offset_uw[phase])
            writer.int32(record.q_offset_uvar[phase])
        writer.int32(record.i_gain_ppb[record.phases])

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        record = Calibration(self._production.stored.calibration.phases)
        reader.structure(2)
        if reader.array() != record.phases:
            raise ValueError("as many phases as the meter has")
        for phase in range(record.phases):
            reader.structure(5)
            record.u_gain_ppb[phase] = reader.number(axdr.INT32)
            record.i_gain_ppb[phase] = reader.number(axdr.INT32)
            record.delay_ns[phase] = reader.number(axdr.INT32)
            record.p_offset_uw[phase] = reader.number(axdr.INT32)
            record.q_offset_uvar[phase] = reader.number(axdr.INT32)
        record.i_gain_ppb[record.phases] = reader.number(axdr.INT32)
        self._production.set_calibration(record)


class Measured(Value):
    """Averages of the last step: U, I, P, Q of each phase, current of the neutral, frequency."""

    def __init__(self, production: "Production") -> None:
        self._production = production

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        averages = self._production.averages
        writer.structure(3)
        writer.array(averages.phases)
        for phase in range(averages.phases):
            writer.structure(4)
            writer.uint32(averages.u_uv(phase))
            writer.uint32(averages.i_ua(phase))
            writer.int64(averages.p_uw(phase))
            writer.int64(averages.q_uvar(phase))
        writer.uint32(averages.neutral_ua())
        writer.uint32(averages.f_uhz())


class CalibrationState(Value):
    """How often the meter was calibrated, whether the record is damaged, and in words how."""

    def __init__(self, production: "Production") -> None:
        self._production = production

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        stored = self._production.stored
        writer.structure(3)
        writer.uint32(stored.count)
        writer.boolean(stored.damaged)
        writer.string(axdr.VISIBLE_STRING, stored.problem.encode())


class Ramp(Value):
    """What the linearity step counts: first and last code, number of the input."""

    def __init__(self, production: "Production") -> None:
        self._production = production

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        linearity = self._production.linearity
        if linearity is not None:
            writer.structure(3)
            writer.uint16(linearity.first)
            writer.uint16(linearity.last)
            writer.uint8(linearity.place)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        reader.structure(3)
        first = reader.number(axdr.UINT16)
        last = reader.number(axdr.UINT16)
        self._production.set_ramp(first, last, reader.number(axdr.UINT8))


class LinearityState(Value):
    """Whether a table serves, and in words what is wrong."""

    def __init__(self, production: "Production") -> None:
        self._production = production

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        linearity = self._production.linearity
        if linearity is not None:
            writer.structure(2)
            writer.boolean(not linearity.damaged)
            writer.string(axdr.VISIBLE_STRING, linearity.problem.encode())


class CalibrationDate(Value):
    """When the meter was calibrated last (row IDN-10)."""

    def __init__(self, production: "Production", clock: "Clock") -> None:
        self._production = production
        self._clock = clock

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(moment(self._clock, self._production.stored.calibrated_utc_s))


def add_bench(catalogue: "Catalogue", production: "Production", clock: "Clock") -> None:
    """Add the objects of the calibration bench."""
    data = Data()
    for e, value, group in (
        (0, ReferenceLoad, access.SETTINGS),
        (1, WindowsToAverage, access.SETTINGS),
        (2, Step, access.SETTINGS),
        (3, Progress, access.READINGS),
        (4, Corrections, access.SETTINGS),
        (5, Measured, access.READINGS),
        (6, CalibrationState, access.READINGS),
        (8, Ramp, access.SETTINGS),
        (9, LinearityState, access.READINGS),
    ):
        if e < 8 or production.linearity is not None:
            catalogue.add((0, 0, 128, BENCH, e), data, value(production), group)
    date = CalibrationDate(production, clock)
    catalogue.add((0, 0, 96, 2, 5), data, date, access.READINGS)
