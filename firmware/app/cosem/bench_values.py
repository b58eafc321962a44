"""The calibration bench as objects of class 1 (docs/calibration.md).

app.production checks and keeps what is written and refuses it while the parameter switch is
closed. Rows PRD-01, PRD-02, PRD-08, IDN-10.
"""

from micropython import const

from app import axdr
from app.cosem import access
from app.cosem.data import Data
from app.cosem.date_time import moment
from app.cosem.factory_values import BENCH
from app.cosem.values import Octets, Simple, Structure, Value
from metrology.calibration import Calibration

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from app.axdr import Reader, Writer
    from app.clock import Clock
    from app.cosem.objects import Objects
    from app.production import Production

# step and its state, windows done and wanted, reason of a refusal
_PROGRESS = (axdr.ENUM, axdr.ENUM, axdr.UINT16, axdr.UINT16, axdr.VISIBLE_STRING)
# how often the meter was calibrated, whether the record is damaged, in words how
_STATE = (axdr.UINT32, axdr.BOOLEAN, axdr.VISIBLE_STRING)
# what the linearity step counts: first and last code, number of the input
_RAMP = (axdr.UINT16, axdr.UINT16, axdr.UINT8)
# what a client can read as the reason, unless the value is understood
_FORM = "a value of another form, or for another number of phases"


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
        self._production.reason = _FORM
        reader.structure(2)
        if reader.array() != load.phases:
            raise ValueError(_FORM)
        for phase in range(load.phases):
            reader.structure(3)
            load.u_uv[phase] = reader.number(axdr.UINT32)
            load.i_ua[phase] = reader.number(axdr.UINT32)
            load.phi_udeg[phase] = reader.number(axdr.INT32)
        load.neutral_ua = reader.number(axdr.UINT32)
        self._production.reason = ""
        self._production.set_load(load)


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
        self._production.reason = _FORM
        reader.structure(2)
        if reader.array() != record.phases:
            raise ValueError(_FORM)
        for phase in range(record.phases):
            reader.structure(5)
            record.u_gain_ppb[phase] = reader.number(axdr.INT32)
            record.i_gain_ppb[phase] = reader.number(axdr.INT32)
            record.delay_ns[phase] = reader.number(axdr.INT32)
            record.p_offset_uw[phase] = reader.number(axdr.INT32)
            record.q_offset_uvar[phase] = reader.number(axdr.INT32)
        record.i_gain_ppb[record.phases] = reader.number(axdr.INT32)
        self._production.reason = ""
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


def add_bench(objects: "Objects", production: "Production", clock: "Clock") -> None:
    """Add the objects of the calibration bench."""
    stored = production.stored
    linearity = production.linearity

    def progress() -> "Sequence[Any]":
        return (
            production.step,
            production.state,
            production.windows_done,
            production.windows,
            production.reason.encode(),
        )

    data = Data()
    for e, value, group in (
        (0, ReferenceLoad(production), access.SETTINGS),
        (
            1,
            Simple(axdr.UINT16, lambda: production.windows, production.set_windows),
            access.SETTINGS,
        ),
        (2, Simple(axdr.ENUM, lambda: production.step, production.start), access.SETTINGS),
        (3, Structure(_PROGRESS, progress), access.READINGS),
        (4, Corrections(production), access.SETTINGS),
        (5, Measured(production), access.READINGS),
        (
            6,
            Structure(_STATE, lambda: (stored.count, stored.damaged, stored.problem.encode())),
            access.READINGS,
        ),
    ):
        objects.add((0, 0, 128, BENCH, e), data, value, group)
    if linearity is not None:
        ramp = Structure(
            _RAMP,
            lambda: (linearity.first, linearity.last, linearity.place),
            production.set_ramp,
        )
        objects.add((0, 0, 128, BENCH, 8), data, ramp, access.SETTINGS)
        state = Structure(_STATE[1:], lambda: (not linearity.damaged, linearity.problem.encode()))
        objects.add((0, 0, 128, BENCH, 9), data, state, access.READINGS)
    date = Octets(lambda: moment(clock, stored.calibrated_utc_s))  # row IDN-10
    objects.add((0, 0, 96, 2, 5), data, date, access.READINGS)
