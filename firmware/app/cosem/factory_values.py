"""Factory parameters as objects: classes 1 and 3 (docs/calibration.md).

app.parameters checks and keeps what is written and refuses it while the parameter switch is
closed. Rows LED-03, LED-06 to LED-08, LED-10, TRF-01 to TRF-03, MET-08, PRD-01, INP-03, SEC-50.
"""

from micropython import const

from app import axdr, designation
from app.cosem import access
from app.cosem.base import NO_ACCESS, READ, READ_WRITE, InterfaceClass
from app.cosem.data import Data
from app.cosem.date_time import moment
from app.cosem.register import scaler_unit
from app.cosem.script_table import BuiltInScripts, ScriptTable
from app.cosem.values import Octets, Simple, Structure, Value
from app.parameters import (
    CT_DENOMINATOR,
    CT_NUMERATOR,
    LED_1_ENERGY,
    LED_2_ENERGY,
    LED_CONSTANT_ACTIVE,
    LED_ENERGIES,
    MEASUREMENT_TYPE,
    MEASURING_PERIOD_1,
    MEASURING_PERIOD_3,
    OUTPUT_CONSTANT_ACTIVE,
    OUTPUT_ENERGY,
    OUTPUT_WIDTH,
    REGISTRATION_MODE,
    SERVICE_FUNCTION,
    TEST_MODE_S,
)

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.axdr import Reader, Writer
    from app.clock import Clock
    from app.cosem.base import Key, Session
    from app.cosem.objects import Objects
    from app.parameters import ParameterLock, Parameters
    from app.pulse_outputs import PulseOutputs
    from app.settings import Settings
    from app.test_mode import TestMode
    from hal import Input, Variant

# Units 45 to 47 of the Blue Book, imp/Wh, imp/varh, imp/VAh: imp/kWh have scaler -3
_IMPULSES_PER_WH = const(45)
_IMPULSE_SCALER = const(-3)

# D and E of 0-0:128.D.E: parameters of class 1 with their type
_PARAMETERS = (
    (0, 1, REGISTRATION_MODE, axdr.ENUM),
    (60, 0, SERVICE_FUNCTION, axdr.ENUM),
    (60, 1, OUTPUT_ENERGY, axdr.ENUM),
    (60, 2, OUTPUT_WIDTH, axdr.UINT8),
    (60, 3, LED_1_ENERGY, axdr.ENUM),
    (60, 4, LED_2_ENERGY, axdr.ENUM),
)
_OUTPUT_TAGS = (axdr.ENUM, axdr.ENUM, axdr.UINT16, axdr.UINT8)  # of app.pulse_outputs
_CLASSES = ((b"2", b"1", b"0.5S"), (b"A", b"B", b"C"), (b"2", b"3"), (b"3",))
_TEST_STATE = (0, 0, 96, 34, 11)
BENCH = const(66)  # D of the calibration bench's objects

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


class OutputData(Data):
    """Data, version 0: settings of the pulse outputs; the key counts fields, then outputs."""

    def __init__(self, outputs: "PulseOutputs") -> None:
        self._outputs = outputs

    def get(self, writer: "Writer", key: "Key", index: int, session: "Session") -> None:
        """Encode an attribute."""
        field: int = key % len(_OUTPUT_TAGS)
        number = self._outputs.get(key // len(_OUTPUT_TAGS), field)
        writer.number(_OUTPUT_TAGS[field], number)

    def put(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Set an attribute."""
        field: int = key % len(_OUTPUT_TAGS)
        number = reader.number(_OUTPUT_TAGS[field])
        self._outputs.put(key // len(_OUTPUT_TAGS), field, number)


class AccuracyClass(Value):
    """Classes of the type plate: active energy, MID, reactive, apparent (row MET-04)."""

    def __init__(self, lock: "ParameterLock", settings: "Settings", transformer: bool) -> None:
        self._lock = lock
        self._settings = settings
        self._factory = bytes((2, 2, 0, 0) if transformer else (1, 1, 0, 0))

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.structure(len(_CLASSES))
        for name in self.names():
            writer.string(axdr.VISIBLE_STRING, name)

    def names(self) -> "list[bytes]":
        """Return the classes as the plate shows them."""
        chosen = self._settings.get("accuracy_class") or self._factory
        return [names[place] for names, place in zip(_CLASSES, chosen)]

    def write(self, reader: "Reader") -> None:
        """Take over other classes."""
        self._lock.require()
        reader.structure(len(_CLASSES))
        chosen = b""
        for names in _CLASSES:
            reader.expect(axdr.VISIBLE_STRING)
            name = reader.raw(reader.length())
            if name not in names:
                raise ValueError("no such accuracy class")
            chosen += bytes((names.index(name),))
        self._settings.put("accuracy_class", chosen)


class Constants(InterfaceClass):
    """Register, version 0: impulse constants; the key is (parameter, unit)."""

    CLASS_ID = 3
    VERSION = 0
    ATTRIBUTES = (
        (axdr.OCTET_STRING, READ),  # 1 logical_name
        (axdr.UINT32, READ_WRITE),  # 2 value
        (axdr.STRUCTURE, READ),  # 3 scaler_unit
    )
    METHODS = (
        NO_ACCESS,  # 1 reset
    )

    def __init__(self, parameters: "Parameters") -> None:
        self._parameters = parameters

    def get(
        self, writer: "Writer", key: "tuple[int, int]", index: int, session: "Session"
    ) -> None:
        """Encode an attribute."""
        if index == 2:
            writer.uint32(self._parameters.get(key[0]))
        else:
            scaler_unit(writer, _IMPULSE_SCALER, key[1])

    def put(
        self, reader: "Reader", key: "tuple[int, int]", index: int, session: "Session"
    ) -> None:
        """Set the value."""
        self._parameters.put(key[0], reader.number(axdr.UINT32))


def add_parameters(
    objects: "Objects",
    parameters: "Parameters",
    clock: "Clock",
    keys: "tuple[Input, Input]",
    transformer: bool,
) -> None:
    """Add the objects of the factory parameters; `keys` are the scroll and the reset key."""
    data = Data()
    for d, e, parameter, tag in _PARAMETERS:
        key = Parameter(parameters, parameter, tag)
        objects.add((0, 0, 128, d, e), data, key, access.SETTINGS)
    constants = Constants(parameters)
    for e in range(6):  # three of the LEDs, then three of the output; active, reactive, apparent
        first = LED_CONSTANT_ACTIVE if e < 3 else OUTPUT_CONSTANT_ACTIVE
        key = (first + e % 3, _IMPULSES_PER_WH + e % 3)
        objects.add((1, 0, 0, 3, e), constants, key, access.SETTINGS)
    for e, parameter in ((0, MEASURING_PERIOD_1), (2, MEASURING_PERIOD_3)):
        key = Parameter(parameters, parameter, axdr.UINT16)
        objects.add((1, 0, 0, 8, e), data, key, access.SETTINGS)
    if transformer:
        key = Parameter(parameters, MEASUREMENT_TYPE, axdr.ENUM)
        objects.add((0, 0, 128, 0, 2), data, key, access.SETTINGS)
        for e, parameter in ((2, CT_NUMERATOR), (5, CT_DENOMINATOR)):
            key = Parameter(parameters, parameter, axdr.UINT16)
            objects.add((1, 0, 0, 4, e), data, key, access.SETTINGS)
        one = Simple(axdr.UINT16, lambda: 1)
        for e in (3, 6):  # voltage transformers, which this meter is not made for
            objects.add((1, 0, 0, 4, e), data, one, access.READINGS)
    changes = Structure(  # how often factory parameters were changed, and when last
        (axdr.UINT32, axdr.OCTET_STRING),
        lambda: (parameters.changes, moment(clock, parameters.changed_utc_s)),
    )
    objects.add((0, 0, 128, BENCH, 7), data, changes, access.READINGS)

    def input_state() -> int:
        """Return keys and parameter switch in one word (row INP-03)."""
        key_scroll, key_reset = keys
        word = _LOCKED if parameters.lock.locked() else 0
        if not key_scroll.value():
            word |= _SCROLL_KEY
        if not key_reset.value():
            word |= _RESET_KEY
        return word

    objects.add((0, 0, 96, 3, 1), data, Simple(axdr.UINT16, input_state), access.READINGS)


def add_plate(
    objects: "Objects",
    lock: "ParameterLock",
    settings: "Settings",
    variant: "Variant",
    flags: "Callable[[], int]",
) -> None:
    """Add what stands on the plate: accuracy 0-0:128.0.3, features, type designation."""
    data = Data()
    classes = AccuracyClass(lock, settings, variant.transformer)
    objects.add((0, 0, 128, 0, 3), data, classes, access.SETTINGS)
    number = Simple(axdr.UINT32, flags)
    objects.add((0, 0, 128, 0, 20), data, number, access.READINGS)
    maximum_ma = variant.maximum_current_ma
    # the ordering code of the features that this meter has (row IDN-08)
    code = Octets(lambda: designation.designation(flags(), maximum_ma, classes.names()[0]))
    objects.add((0, 0, 96, 1, 10), data, code, access.READINGS)


def add_outputs(objects: "Objects", outputs: "PulseOutputs") -> None:
    """Add the pulse outputs, 0-n:128.61.1 to 4: energy, polarity, rate and width."""
    names = b""
    for number in range(outputs.count):
        for field in range(len(_OUTPUT_TAGS)):
            names += bytes((0, number + 1, 128, 61, field + 1, 255))
    objects.add_family(OutputData(outputs), names, access.SETTINGS)


def add_tests(
    objects: "Objects",
    parameters: "Parameters",
    mode: "TestMode",
    master_reset: "Callable[[], None]",
) -> None:
    """Add test mode, choice of the optical test output, master reset.

    Rows LED-05, PRD-03, PRD-04, PRD-07.
    """
    data = Data()
    state = Simple(axdr.BOOLEAN, mode.active, mode.set)  # writing begins or ends it
    duration = Parameter(parameters, TEST_MODE_S, axdr.UINT16)
    objects.add((0, 0, 96, 34, 10), data, duration, access.SETTINGS)
    objects.add(_TEST_STATE, data, state, access.SETTINGS)
    scripts = ScriptTable(objects)
    test = BuiltInScripts(1, lambda _number, _by_client: mode.set(True))
    normal = BuiltInScripts(1, lambda _number, _by_client: mode.set(False))
    choices = BuiltInScripts(
        len(LED_ENERGIES),
        lambda number, _by_client: parameters.put(LED_1_ENERGY, LED_ENERGIES[number - 1]),
    )
    reset = BuiltInScripts(1, lambda _number, _by_client: master_reset())
    objects.add((0, 0, 10, 0, 0), scripts, reset, access.SETTINGS)
    objects.add((0, 0, 10, 0, 101), scripts, test, access.SETTINGS)
    objects.add((0, 0, 10, 0, 102), scripts, normal, access.SETTINGS)
    objects.add((0, 0, 10, 0, 104), scripts, choices, access.SETTINGS)
