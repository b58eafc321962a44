"""Factory parameters and the calibration bench as objects: classes 1 and 3 (docs/calibration.md).

app.parameters and app.production check and keep what is written; both refuse while the parameter
switch is closed. Rows LED-03, LED-06 to LED-08, TRF-01 to TRF-03, MET-08, PRD-01, PRD-02, IDN-10,
INP-03, SEC-50.
"""

import struct

from micropython import const

from app import axdr
from app.cosem import access
from app.cosem.base import NO_ACCESS, READ, READ_WRITE, InterfaceClass
from app.cosem.data import Data
from app.cosem.values import Value
from app.parameters import (
    CT_DENOMINATOR,
    CT_NUMERATOR,
    LED_1_ENERGY,
    LED_2_ENERGY,
    LED_CONSTANT_ACTIVE,
    MEASUREMENT_TYPE,
    OUTPUT_CONSTANT_ACTIVE,
    OUTPUT_ENERGY,
    OUTPUT_WIDTH,
    REGISTRATION_MODE,
)
from metrology.calibration import Calibration
from metrology.calibration_step import Load

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from app.axdr import Reader, Writer
    from app.clock import Clock
    from app.cosem.base import Session
    from app.cosem.catalogue import Catalogue
    from app.parameters import Parameters
    from app.production import Production
    from hal import Input

# Units 45 to 47 of the Blue Book, imp/Wh, imp/varh, imp/VAh: imp/kWh have scaler -3
_IMPULSES_PER_WH = const(45)
_IMPULSE_SCALER = const(-3)

# D and E of 0-0:128.D.E: parameters of class 1 with their type
_PARAMETERS = (
    (0, 1, REGISTRATION_MODE, axdr.ENUM),
    (60, 1, OUTPUT_ENERGY, axdr.ENUM),
    (60, 2, OUTPUT_WIDTH, axdr.UINT8),
    (60, 3, LED_1_ENERGY, axdr.ENUM),
    (60, 4, LED_2_ENERGY, axdr.ENUM),
)
_NEVER = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00\xff"  # nothing specified
_BENCH = const(66)  # D of the calibration bench's objects

# Bits of the input state word, table 11.3
_SCROLL_KEY = const(0x2000)
_RESET_KEY = const(0x4000)
_LOCKED = const(0x8000)


class Parameter(Value):
    """One number of app.parameters."""

    def __init__(self, parameters: "Parameters", parameter: int, tag: int) -> None:
        self._parameters = parameters
        self._parameter = parameter
        self._tag = tag

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.number(self._tag, self._parameters.get(self._parameter))

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._parameters.put(self._parameter, reader.number(self._tag))


class FixedNumber(Value):
    """A number that never changes."""

    def __init__(self, tag: int, number: int) -> None:
        self._tag = tag
        self._number = number

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.number(self._tag, self._number)


class Constants(InterfaceClass):
    """Register, version 0: impulse constants; the key is (parameter, unit)."""

    CLASS_ID = 3
    VERSION = 0
    ATTRIBUTES = (
        (1, "logical_name", axdr.OCTET_STRING, READ),
        (2, "value", axdr.UINT32, READ_WRITE),
        (3, "scaler_unit", axdr.STRUCTURE, READ),
    )
    METHODS = ((1, "reset", NO_ACCESS),)

    def __init__(self, parameters: "Parameters") -> None:
        self._parameters = parameters

    def get(
        self, writer: "Writer", key: "tuple[int, int]", index: int, session: "Session"
    ) -> None:
        """Encode an attribute."""
        if index == 2:
            writer.uint32(self._parameters.get(key[0]))
        else:
            writer.structure(2)
            writer.int8(_IMPULSE_SCALER)
            writer.enum(key[1])

    def put(
        self, reader: "Reader", key: "tuple[int, int]", index: int, session: "Session"
    ) -> None:
        """Set the value."""
        self._parameters.put(key[0], reader.number(axdr.UINT32))


class Changes(Value):
    """How often factory parameters were changed, and when last."""

    def __init__(self, parameters: "Parameters", clock: "Clock") -> None:
        self._parameters = parameters
        self._clock = clock

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.structure(2)
        writer.uint32(self._parameters.changes)
        writer.octet_string(_moment(self._clock, self._parameters.changed_utc_s))


class InputState(Value):
    """Keys and parameter switch in one word (row INP-03)."""

    def __init__(self, parameters: "Parameters", key_scroll: "Input", key_reset: "Input") -> None:
        self._lock = parameters.lock
        self._key_scroll = key_scroll
        self._key_reset = key_reset

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        word = _LOCKED if self._lock.locked() else 0
        if not self._key_scroll.value():
            word |= _SCROLL_KEY
        if not self._key_reset.value():
            word |= _RESET_KEY
        writer.uint16(word)


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
        writer.uint16(production.averages.windows)
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


class CalibrationDate(Value):
    """When the meter was calibrated last (row IDN-10)."""

    def __init__(self, production: "Production", clock: "Clock") -> None:
        self._production = production
        self._clock = clock

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(_moment(self._clock, self._production.stored.calibrated_utc_s))


def add_parameters(
    catalogue: "Catalogue",
    parameters: "Parameters",
    clock: "Clock",
    keys: "tuple[Input, Input]",
    transformer: bool,
) -> None:
    """Add the objects of the factory parameters; `keys` are the scroll and the reset key."""
    data = Data()
    for d, e, parameter, tag in _PARAMETERS:
        key = Parameter(parameters, parameter, tag)
        catalogue.add((0, 0, 128, d, e), data, key, access.SETTINGS)
    constants = Constants(parameters)
    for e in range(6):  # three of the LEDs, then three of the output; active, reactive, apparent
        first = LED_CONSTANT_ACTIVE if e < 3 else OUTPUT_CONSTANT_ACTIVE
        key = (first + e % 3, _IMPULSES_PER_WH + e % 3)
        catalogue.add((1, 0, 0, 3, e), constants, key, access.SETTINGS)
    if transformer:
        key = Parameter(parameters, MEASUREMENT_TYPE, axdr.ENUM)
        catalogue.add((0, 0, 128, 0, 2), data, key, access.SETTINGS)
        for e, parameter in ((2, CT_NUMERATOR), (5, CT_DENOMINATOR)):
            key = Parameter(parameters, parameter, axdr.UINT16)
            catalogue.add((1, 0, 0, 4, e), data, key, access.SETTINGS)
        for e in (3, 6):  # voltage transformers, which this meter is not made for
            catalogue.add((1, 0, 0, 4, e), data, FixedNumber(axdr.UINT16, 1), access.READINGS)
    changes = Changes(parameters, clock)
    catalogue.add((0, 0, 128, _BENCH, 7), data, changes, access.READINGS)
    catalogue.add((0, 0, 96, 3, 1), data, InputState(parameters, *keys), access.READINGS)


def add_bench(catalogue: "Catalogue", production: "Production", clock: "Clock") -> None:
    """Add the objects of the calibration bench."""
    data = Data()
    for e, key in enumerate(
        (
            ReferenceLoad(production),
            WindowsToAverage(production),
            Step(production),
            Progress(production),
            Corrections(production),
            Measured(production),
            CalibrationState(production),
        )
    ):
        group = access.READINGS if e in (3, 5, 6) else access.SETTINGS
        catalogue.add((0, 0, 128, _BENCH, e), data, key, group)
    date = CalibrationDate(production, clock)
    catalogue.add((0, 0, 96, 2, 5), data, date, access.READINGS)


def _moment(clock: "Clock", utc_s: int) -> bytes:
    """Return a date-time of 12 octets; all of it is not specified for never, which is 0."""
    if not utc_s:
        return _NEVER
    year, month, day, weekday, hour, minute, second, deviation_min, status = clock.local_at(utc_s)
    return struct.pack(
        ">HBBBBBBBhB", year, month, day, weekday, hour, minute, second, 0, deviation_min, status
    )
