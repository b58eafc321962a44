"""Parameters that are set at production and then locked: what pulses, registers and ratios obey.

One record in FRAM holds all of them; `put` checks, stores and applies one. It is possible only
while the parameter switch under the meter cover is open; each change is counted and dated, and
`before_change` and `on_change` hand it on. Rows MET-08, LED-01, LED-03, LED-06 to LED-08, TRF-01,
TRF-02, PRD-01, SEC-50.
"""

import struct

from micropython import const

from app.attributes import READ_WRITE_DENIED
from app.errors import AccessRefused
from app.storage import record, regions
from metrology import pulse
from metrology.energy import ABSOLUTE, TWO_WAY, check_ratio

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from hal import Buffer, Input, Memory, Variant
    from metrology.engine import Engine

# Parameters, by their place in the record
REGISTRATION_MODE = const(0)  # 0 one way, 1 two way, 2 absolute
MEASUREMENT_TYPE = const(1)  # 0 secondary values, 1 primary
CT_NUMERATOR = const(2)
CT_DENOMINATOR = const(3)
LED_CONSTANT_ACTIVE = const(4)  # imp/kWh
LED_CONSTANT_REACTIVE = const(5)  # imp/kvarh
LED_CONSTANT_APPARENT = const(6)  # imp/kVAh
LED_1_ENERGY = const(7)  # metrology.pulse
LED_2_ENERGY = const(8)
OUTPUT_CONSTANT_ACTIVE = const(9)  # 0 or more than a million: the output is off
OUTPUT_CONSTANT_REACTIVE = const(10)
OUTPUT_CONSTANT_APPARENT = const(11)
OUTPUT_ENERGY = const(12)
OUTPUT_WIDTH = const(13)  # ms
SERVICE_FUNCTION = const(14)  # of the output (rows LCR-20, LED-09, LED-11)
TEST_MODE_S = const(15)
MEASURING_PERIOD_1 = const(16)  # s, of demand
MEASURING_PERIOD_3 = const(17)  # s, of the limiter
PERIODS_1 = const(18)  # that a demand is averaged over: more than one, it slides
PERIODS_3 = const(19)
COUNT = const(20)

SWITCHING = const(0)
METROLOGICAL_PULSE = const(1)
END_OF_PERIOD = const(2)
TARIFF_INDICATION = const(3)

_FORMAT = "<BBHHIIIBBIIIBBBHHHBBII"  # the parameters, number of changes, time of the last
_FORMAT_2 = "<BBHHIIIBBIIIBBBHII"  # before the measuring periods
_FORMAT_1 = "<BBHHIIIBBIIIBBII"  # before the output had a function of its own
_TEST_MODE_S = const(3600)
_PERIODS = [900, 900, 1, 1]  # the measuring periods and how many
_PERIODS_S = (60, 300, 600, 900, 1800, 3600)
_PERIODS_MAX = const(15)
_LED_CONSTANTS_DIRECT = (1000, 3200, 4000)
_LED_CONSTANTS_TRANSFORMER = (10_000,)
_OUTPUT_CONSTANT = const(1000)
LED_ENERGIES = (pulse.ACTIVE, pulse.REACTIVE, pulse.APPARENT)
_UINT32_MAX = 0xFFFFFFFF
_CONSTANT = "constant of the pulse output"
_RANGES = (
    (REGISTRATION_MODE, 0, ABSOLUTE, "registration mode: 0 to 2"),
    (OUTPUT_CONSTANT_ACTIVE, 0, _UINT32_MAX, _CONSTANT),
    (OUTPUT_CONSTANT_REACTIVE, 0, _UINT32_MAX, _CONSTANT),
    (OUTPUT_CONSTANT_APPARENT, 0, _UINT32_MAX, _CONSTANT),
    (OUTPUT_WIDTH, pulse.WIDTH_MIN_MS, pulse.WIDTH_MAX_MS, "pulse width: 30 to 200 ms"),
    (SERVICE_FUNCTION, SWITCHING, TARIFF_INDICATION, "function of the service output: 0 to 3"),
    (TEST_MODE_S, 1, 0xFFFF, "test mode: 1 to 65535 s"),
    (PERIODS_1, 1, _PERIODS_MAX, "number of periods: 1 to 15"),
    (PERIODS_3, 1, _PERIODS_MAX, "number of periods: 1 to 15"),
)


class ParameterLock:
    """The switch under the meter cover; closed to ground, low, is locked."""

    def __init__(self, switch: "Input") -> None:
        self._switch = switch

    def locked(self) -> bool:
        """True while factory parameters cannot be changed."""
        return not self._switch.value()

    def require(self) -> None:
        """Raise AccessRefused while the parameters are locked."""
        if self.locked():
            raise AccessRefused(READ_WRITE_DENIED)


class Parameters:
    """The factory parameters of one meter.

    before_change: None, or called with (parameter, old value, new value) before a change is made;
    what it raises refuses the change
    on_change: the same after it was stored
    followers: called after that, to look at what they obey
    changes, changed_utc_s: how many changes, and when the last was
    damaged: both copies were unreadable at start, factory values serve
    """

    def __init__(
        self, memory: "Memory", variant: "Variant", lock: ParameterLock, clock: "Clock"
    ) -> None:
        self.lock = lock
        self.before_change: Callable[[int, int, int], None] | None = None
        self.on_change: Callable[[int, int, int], None] | None = None
        self.followers: list[Callable[[], None]] = []
        self.changes = 0
        self.changed_utc_s = 0
        self.damaged = False
        self.failed = False  # the memory did not answer
        self._transformer = variant.transformer
        self._clock = clock
        self._engine: Engine | None = None
        self._record = regions.open_record(memory, "parameters")
        constant = variant.pulses_per_kwh
        self._values = [TWO_WAY, 0, 1, 1, constant, constant, constant]
        self._values += [pulse.ACTIVE, pulse.REACTIVE]
        self._values += [_OUTPUT_CONSTANT] * 3 + [pulse.NO_ENERGY, pulse.WIDTH_MIN_MS]
        self._values += [SWITCHING, _TEST_MODE_S]
        self._values += _PERIODS
        self._factory = self._values
        self._load()

    def get(self, parameter: int) -> int:
        """Return the value of a parameter."""
        return self._values[parameter]

    def put(self, parameter: int, value: int) -> None:
        """Set a parameter, at once and for good.

        Raises AccessRefused under lock, ValueError for a value that the parameter cannot have,
        OSError if it could not be stored, what `before_change` raises; the old value stays then.
        """
        self.lock.require()
        values = list(self._values)
        old = values[parameter]
        values[parameter] = value
        self._check(values)
        if value == old:
            return
        if self.before_change is not None:
            self.before_change(parameter, old, value)
        self._save(values)
        self._values = values
        self._apply()
        for follower in self.followers:
            follower()
        if self.on_change is not None:
            self.on_change(parameter, old, value)

    def restore(self) -> None:
        """Set all to the factory's, one by one. Raises as `put` does, and stops there."""
        for parameter in range(COUNT - 1, -1, -1):  # a ratio goes down by its denominator first
            self.put(parameter, self._factory[parameter])

    def note_change(self, save: "Callable[[], None]", old: int, new: int) -> None:
        """Count the change of a parameter that another record holds, and let it be stored.

        Raises OSError if it could not be.
        """
        self._save(self._values)
        save()
        if self.on_change is not None:
            self.on_change(COUNT, old, new)

    def _save(self, values: "list[int]") -> None:
        now_utc_s = self._clock.utc_s()
        changes = (self.changes + 1) & _UINT32_MAX
        self._record.save(struct.pack(_FORMAT, *values, changes, now_utc_s & _UINT32_MAX))
        self.changes = changes
        self.changed_utc_s = now_utc_s

    def renew(self, payload: "Buffer") -> bool:
        """Take the record over again if RAM differs from it; True if it does not."""
        now = struct.pack(_FORMAT, *self._values, self.changes, self.changed_utc_s & _UINT32_MAX)
        if self.damaged or len(payload) != len(now) or bytes(payload) == now:
            return True
        self._load()
        self._apply()
        return False

    def apply_to(self, engine: "Engine") -> None:
        """Let an engine obey the parameters from now on."""
        self._engine = engine
        self._apply()

    def _load(self) -> None:
        try:
            payload = self._record.load()
        except OSError:
            self.failed = True
            return
        if payload is None:
            self.damaged = self._record.state >= record.LOST
            return
        if len(payload) == struct.calcsize(_FORMAT_1):
            values = list(struct.unpack(_FORMAT_1, payload))
            function = METROLOGICAL_PULSE if values[OUTPUT_ENERGY] else SWITCHING
            values[SERVICE_FUNCTION:SERVICE_FUNCTION] = [function, _TEST_MODE_S] + _PERIODS
        elif len(payload) == struct.calcsize(_FORMAT_2):
            values = list(struct.unpack(_FORMAT_2, payload))
            values[MEASURING_PERIOD_1:MEASURING_PERIOD_1] = _PERIODS
        elif len(payload) == struct.calcsize(_FORMAT):
            values = list(struct.unpack(_FORMAT, payload))
        else:
            self.damaged = True
            return
        changes, changed_utc_s = values[COUNT:]
        values = values[:COUNT]
        try:
            self._check(values)
        except ValueError:
            self.damaged = True
            return
        self._values = values
        self.changes = changes
        self.changed_utc_s = changed_utc_s

    def _check(self, values: list[int]) -> None:
        for parameter, least, most, text in _RANGES:
            if not least <= values[parameter] <= most:
                raise ValueError(text)
        if not 0 <= values[MEASUREMENT_TYPE] <= (1 if self._transformer else 0):
            raise ValueError("measurement type: 0, or 1 with transformers")
        for parameter in (MEASURING_PERIOD_1, MEASURING_PERIOD_3):
            if values[parameter] not in _PERIODS_S:
                raise ValueError("measuring period: " + str(_PERIODS_S))
        # Set one by one, a ratio goes up by its numerator first, down by its denominator first.
        check_ratio(values[CT_NUMERATOR], values[CT_DENOMINATOR])
        allowed = _LED_CONSTANTS_TRANSFORMER if self._transformer else _LED_CONSTANTS_DIRECT
        for parameter in (LED_CONSTANT_ACTIVE, LED_CONSTANT_REACTIVE, LED_CONSTANT_APPARENT):
            if values[parameter] not in allowed:
                raise ValueError("LED constant: " + str(allowed))
        for parameter in (LED_1_ENERGY, LED_2_ENERGY):
            if values[parameter] not in LED_ENERGIES:
                raise ValueError("energy of an LED: 23, 26 or 33")
        if values[OUTPUT_ENERGY] != pulse.NO_ENERGY and values[OUTPUT_ENERGY] not in LED_ENERGIES:
            raise ValueError("energy of the pulse output: 0, 23, 26 or 33")

    def _apply(self) -> None:
        engine = self._engine
        if engine is None:
            return
        values = self._values
        engine.energies.mode = values[REGISTRATION_MODE]
        if values[MEASUREMENT_TYPE]:
            engine.energies.set_ratio(values[CT_NUMERATOR], values[CT_DENOMINATOR])
        else:
            engine.energies.set_ratio(1, 1)
        pulses = engine.pulses
        for generator, energy in (
            (pulses.active, values[LED_1_ENERGY]),
            (pulses.reactive, values[LED_2_ENERGY]),
        ):
            constant = values[LED_CONSTANT_ACTIVE + LED_ENERGIES.index(energy)]
            generator.configure(energy, constant)
        energy = values[OUTPUT_ENERGY]
        constant = 0
        if energy != pulse.NO_ENERGY and values[SERVICE_FUNCTION] == METROLOGICAL_PULSE:
            constant = values[OUTPUT_CONSTANT_ACTIVE + LED_ENERGIES.index(energy)]
        if 0 < constant <= pulse.CONSTANT_MAX:
            pulses.output.configure(energy, constant)
        else:
            pulses.output.configure(pulse.NO_ENERGY, 1)
        pulses.output.set_width(values[OUTPUT_WIDTH])
