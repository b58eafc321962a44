"""Who decides the tariff: the calendar, two tariff inputs, or a mains that is about to fail.

The calendar decides unless a client chose the inputs (rows TOU-15, TOU-18). While the frequency is
low the special tariff overrides both (row TOU-19). Whoever decides does it by the scripts of the
tariff table, so relays follow; what the calendar asks of other tables is done in any case. What
ends hands over to what is in force then: the calendar's present action, the code at the inputs,
or, if nobody asks for anything, the masks that were active before.
"""

import struct

from micropython import const

from app import event_codes, ticks
from app.storage import regions
from app.tariff.rates import RATES

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.settings import Settings
    from app.tariff.activation import Activation
    from hal import Memory

    class Clockwork(Protocol):
        """What carries scripts out."""

        def carry_out(self, script: bytes, selector: int, utc_s: int, at_ms: int) -> bool: ...  # noqa: D102
        def at_ms(self, utc_s: int) -> int: ...  # noqa: D102
        def utc_s(self) -> int: ...  # noqa: D102
        def recall(self, script: bytes) -> bool: ...  # noqa: D102


TARIFF_SCRIPTS = b"\x00\x00\x0a\x00\x64\xff"  # 0-0:10.0.100.255

# Sources of the rate, and who decides
CALENDAR = const(0)
INPUTS = const(1)
FREQUENCY = const(2)

CODES = const(4)  # of two inputs
_FORM = "<BB4sHHHH"  # synchronisation, source, map, then threshold, delay, hysteresis, script
_LEAST_MHZ = const(40_000)
_DELAY_S = const(10)
_DELAY_MAX_S = const(3600)
_HYSTERESIS_MHZ = const(100)
_HYSTERESIS_MAX_MHZ = const(5000)
_BELOW_NOMINAL_MHZ = const(1000)


class Control:
    """Decides for the `masks`, which are switched together.

    has_inputs: without, the calendar is the only source
    code: what the inputs say, -1: nothing yet
    special: the mains is about to fail and its tariff is in force
    """

    def __init__(
        self,
        memory: "Memory",
        settings: "Settings",
        clockwork: "Clockwork",
        masks: "list[Activation]",
        nominal_frequency_hz: int,
    ) -> None:
        self.on_event: Callable[[int], None] | None = None
        self.has_inputs = False
        self.code = -1
        self.synchronised = 0
        self.source = CALENDAR
        self.map = b"\x01\x02\x03\x04"
        self.threshold_mhz = nominal_frequency_hz * 1000 - _BELOW_NOMINAL_MHZ
        self.delay_s = _DELAY_S
        self.hysteresis_mhz = _HYSTERESIS_MHZ
        self.script = 0  # of the special tariff; 0: there is none
        stored = settings.get("tariff_control")
        if len(stored) == struct.calcsize(_FORM):
            self._take(struct.unpack(_FORM, stored))
        self._settings = settings
        self._clockwork = clockwork
        self._masks = masks
        self._waits = False  # for the end of the measuring period, to obey the code
        self._low_ms = -1  # ticks since when the frequency is low
        self._record = regions.open_record(memory, "tariff_before")
        try:
            payload = bytes(self._record.load() or b"")
        except OSError:
            payload = b""
        # names of the masks that were active before the special tariff
        self._before: list[bytes] = []
        while payload:
            end = 1 + payload[0]
            self._before.append(payload[1:end])
            payload = payload[end:]
        self.special = bool(self._before)
        self._executed = False  # the special tariff's script, in this life

    def decides(self) -> int:
        """Return who decides now: CALENDAR, INPUTS or FREQUENCY."""
        return FREQUENCY if self.special else self.source

    def set_synchronised(self, mode: int) -> None:
        """Let the inputs' rates change at once (0) or at the end of a measuring period (1)."""
        self._put(mode, self.source, self.map, self.special_tariff())
        if self._waits:
            self._obey(ticks.now_ms())

    def set_source(self, source: int) -> None:
        """Let CALENDAR or INPUTS decide. Raises ValueError, as all of these, or OSError."""
        old = self.source
        if source == INPUTS and not self.has_inputs:
            raise ValueError("this meter has no tariff inputs")
        self._put(self.synchronised, source, self.map, self.special_tariff())
        if source != old:
            inner = source == CALENDAR
            self._post(event_codes.TARIFF_INTERNAL if inner else event_codes.TARIFF_EXTERNAL)
            if not self.special:
                self._hand_over(ticks.now_ms())

    def set_map(self, rates: bytes) -> None:
        """Set the rate of each of the codes 00, 01, 10, 11; input 1 is the last digit."""
        self._put(self.synchronised, self.source, rates, self.special_tariff())
        if self.source == INPUTS:
            self._obey(ticks.now_ms())

    def special_tariff(self) -> "tuple[int, int, int, int]":
        """Return threshold in mHz, delay in s, hysteresis in mHz, number of the script."""
        return self.threshold_mhz, self.delay_s, self.hysteresis_mhz, self.script

    def set_special_tariff(self, special: "tuple[int, int, int, int]") -> None:
        """Take what `special_tariff` returns."""
        self._put(self.synchronised, self.source, self.map, special)

    def input_changed(self, code: int, at_ms: int) -> None:
        """Take a new code of the inputs, which holds since `at_ms`; the first one counts at once.

        The measuring period begins anew with power, so a first code has nothing to wait for.
        """
        first = self.code < 0
        self.code = code
        if self.source == INPUTS:
            self._obey(at_ms, first)

    def period_ended(self, utc_s: int) -> None:
        """A measuring period has ended at `utc_s`: do what has waited for it."""
        if self._waits:
            self._waits = False
            if self.decides() == INPUTS:
                self._run(self.map[self.code], utc_s, self._clockwork.at_ms(utc_s))

    def window(self, frequency_mhz: int) -> None:
        """To be called after each measuring window; 0: no frequency could be measured."""
        if self.special:
            if not self.script or frequency_mhz >= self.threshold_mhz + self.hysteresis_mhz:
                self._end_special()
            elif not self._executed:  # power may have gone before it was, or whole
                self._execute_special()
        elif not self.script or not 0 < frequency_mhz < self.threshold_mhz:
            self._low_ms = -1
        elif self._low_ms < 0:
            self._low_ms = ticks.now_ms()
        elif ticks.until_ms(ticks.now_ms(), self._low_ms) >= self.delay_s * 1000:
            self._begin_special()

    def _begin_special(self) -> None:
        self._low_ms = -1
        self._keep_before([masks.active for masks in self._masks])
        self.special = True
        self._execute_special()

    def _execute_special(self) -> None:
        self._executed = True
        self._run(self.script, self._clockwork.utc_s(), ticks.now_ms())

    def _end_special(self) -> None:
        before = self._before
        self.special = False
        if not self._hand_over(ticks.now_ms()):
            for masks, name in zip(self._masks, before):
                try:
                    masks.activate(name)
                except (ValueError, OSError):
                    pass  # it was deleted meanwhile
        # after it is done: a cut in between ends the special tariff once more
        self._keep_before([])

    def _keep_before(self, names: "list[bytes]") -> None:
        self._before = names
        try:
            self._record.load()
            self._record.save(b"".join([bytes((len(name),)) + name for name in names]))
        except OSError:
            pass  # the calendar puts it right at the next start

    def _hand_over(self, at_ms: int) -> bool:
        """Let who decides now do so; False if nobody asks for any rate."""
        self._waits = False
        if self.source == INPUTS:
            return self._obey(at_ms, True)
        return self._clockwork.recall(TARIFF_SCRIPTS)

    def _obey(self, at_ms: int, at_once: bool = False) -> bool:
        """Do what the inputs ask for, or let it wait; False if they have not been read."""
        if self.code < 0:
            return False
        self._waits = self.synchronised == 1 and not at_once
        if not self._waits and not self.special:
            self._run(self.map[self.code], self._clockwork.utc_s(), at_ms)
        return True

    def _run(self, script: int, utc_s: int, at_ms: int) -> None:
        self._clockwork.carry_out(TARIFF_SCRIPTS, script, utc_s, at_ms)

    def _put(
        self, mode: int, source: int, rates: bytes, special: "tuple[int, int, int, int]"
    ) -> None:
        threshold_mhz, delay_s, hysteresis_mhz, _ = special
        if not 0 <= source <= INPUTS or not 0 <= mode <= 1:
            raise ValueError("tariff source and synchronisation: 0 or 1")
        if mode and source == CALENDAR:
            raise ValueError("rates wait for the measuring period with external source only")
        if len(rates) != CODES or not 1 <= min(rates) <= max(rates) <= RATES:
            raise ValueError("a map has four rates of 1 to 8")
        if threshold_mhz < _LEAST_MHZ or delay_s > _DELAY_MAX_S:
            raise ValueError("low frequency: from 40000 mHz, delay up to 3600 s")
        if hysteresis_mhz > _HYSTERESIS_MAX_MHZ:
            raise ValueError("hysteresis: up to 5000 mHz")
        values = (mode, source, rates) + special
        self._settings.put("tariff_control", struct.pack(_FORM, *values))
        self._take(values)

    def _take(self, values: "tuple[int, int, bytes, int, int, int, int]") -> None:
        self.synchronised, self.source, self.map = values[:3]
        self.threshold_mhz, self.delay_s, self.hysteresis_mhz, self.script = values[3:]

    def _post(self, code: int) -> None:
        if self.on_event is not None:
            self.on_event(code)
