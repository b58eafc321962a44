"""The points of `make accuracy` on a real meter: read over DLMS, driven by a person.

Before each point the person sets the source and presses Enter; the meter's power is then read for
some seconds, and the person types what the reference says: power, or energy since Enter. Errors
are held against the same limits. A line that fails costs the point, not the points before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import accuracy_limits as limits
import accuracy_points
from accuracy_frontend import NAMEPLATES, Nameplate
from accuracy_judge import judge, outcomes
from accuracy_limits import Limits
from accuracy_points import Point
from accuracy_report import Section
from accuracy_run import AccuracyError, Measured, Meter
from accuracy_signal import Condition, make
from meter_link import Link, LinkError, Refused
from meter_place import Place

_EVERY_S = 0.5
_DATA, _REGISTER = 1, 3  # classes
_BUILT = "0-0:128.0.0"  # model, phases, volts, hertz
# What a source of sines can set; waves and temperatures need more than one
_TABLES = (
    limits.LOAD, limits.ONE_PHASE, limits.REACTIVE, limits.VOLTAGE, limits.FREQUENCY,
    limits.ORDER, limits.MISSING,
)  # fmt: skip
_ACTIVE = ("1-0:1.7.0", "1-0:2.7.0", "1-0:1.8.0", "1-0:2.8.0")
_REACTIVE = ("1-0:3.7.0", "1-0:4.7.0", "1-0:3.8.0", "1-0:4.8.0")


def _text(told: object) -> str:
    return told.decode("ascii", "replace") if isinstance(told, bytes | bytearray) else str(told)


class QuitError(Exception):
    """The person has had enough."""


class Reader:
    """Registers of a meter through whichever port of it is at hand."""

    def __init__(self, place: Place) -> None:
        self.name = place.name
        self._place = place
        self._link: Link | None = None
        self._factors: dict[str, float] = {}

    def close(self) -> None:
        """Leave the meter; the next value is read by a new association."""
        if self._link is not None:
            self._link.__exit__(None, None, None)
            self._link = None

    def value(self, code: str) -> float:
        """A register in its unit. Raises LinkError."""
        if self._link is None:
            self._link = self._place.link().__enter__()
        if code not in self._factors:
            scaler_unit = self._link.get(_REGISTER, code, 3)
            if not isinstance(scaler_unit, list):
                raise LinkError(f"{self.name}: register {code} has no unit")
            self._factors[code] = 10.0 ** scaler_unit[0]
        number = self._link.get(_REGISTER, code, 2)
        if not isinstance(number, int):
            raise LinkError(f"{self.name}: register {code} holds no number")
        return number * self._factors[code]

    def plate(self, model: str, maximum_a: float) -> Nameplate:
        """What it says it was built as; `model` and `maximum_a` overrule, "" and 0: they do not.

        Raises AccuracyError if neither it nor `model` tells, LinkError if it does not answer.
        """
        if self._link is None:
            self._link = self._place.link().__enter__()
        try:
            told = self._link.get(_DATA, _BUILT, 2)
        except Refused:
            told = None
        if not isinstance(told, list) or len(told) != 4:
            if not model:
                raise AccuracyError(f"{self.name} does not say what it is ({_BUILT}): say --model")
            told = [model, 0, 0, 0]
        name = _text(told[0])
        if not model and name not in NAMEPLATES:
            raise AccuracyError(
                f"{self.name} says it is a {name!r}, for which there are no test points; "
                f"--model {' or '.join(NAMEPLATES)} takes those of another"
            )
        if model and model != name:
            print(f"note: the meter says it is a {name}; measured as {model}, as you said")
        plate = NAMEPLATES[model or name]
        return replace(
            plate,
            voltage_v=told[2] or plate.voltage_v,
            frequency_hz=told[3] or plate.frequency_hz,
            maximum_a=maximum_a or plate.maximum_a,
        )

    def step(self, code: str) -> float:
        """What the last digit of a register is worth."""
        self.value(code)
        return self._factors[code]


@dataclass
class Bench:
    """The person's side: how to say and to ask."""

    ask: Callable[[str], str]
    seconds: float

    def set_up(self, text: str) -> bool:
        """Wait until the source is set; False to skip the point. Raises QuitError."""
        answer = self._line(f"{text}\n  Enter when it is steady, s to skip, q to end: ")
        return answer not in ("s", "skip")

    def try_again(self) -> bool:
        """Ask after the line failed; False to skip the point. Raises QuitError."""
        return self._line("  Enter to try again, s to skip, q to end: ") not in ("s", "skip")

    def reference(self, reactive: bool) -> tuple[float, bool] | None:
        """The reference's reading and whether it is energy; None to skip. Raises QuitError."""
        power, energy = ("var", "varh") if reactive else ("W", "Wh")
        while True:
            answer = self._line(f"  reference reads ({power}, or {energy} since Enter): ")
            if answer in ("s", "skip"):
                return None
            number, _, unit = answer.replace(",", ".").partition(" ")
            for suffix in (energy, power):
                if not unit and number.lower().endswith(suffix.lower()):
                    number, unit = number[: -len(suffix)], suffix
            try:
                value = float(number)
            except ValueError:
                value = float("nan")
            known = unit.strip().lower() in ("", power.lower(), energy.lower())
            if known and 0 < abs(value) < 1e9:
                return value, unit.strip().lower() == energy.lower()
            print(f"  not understood: a number in {power} or {energy}, not 0; s skips, q ends")

    def _line(self, text: str) -> str:
        try:
            answer = self.ask(text).strip()
        except EOFError:
            raise QuitError from None
        if answer.lower() in ("q", "quit"):
            raise QuitError
        return answer.lower() if len(answer) < 5 and answer.isalpha() else answer


def describe(point: Point, condition: Condition, plate: Nameplate) -> str:
    """What is to be set at the source."""
    parts = [
        f"{plate.voltage_v * condition.u_rel:g} V",
        f"{plate.frequency_hz * condition.f_rel:g} Hz",
        f"{condition.current_a:g} A",
        f"current {condition.lag_deg:.4g} degrees behind",
    ]
    if plate.phases > 1:
        names = " ".join(f"L{phase + 1}" for phase in condition.loaded)
        parts.append(f"load on {names}")
        if condition.missing:
            missing = " ".join(f"L{phase + 1}" for phase in condition.missing)
            parts.append(f"no voltage on {missing}")
        if condition.reversed_order:
            parts.append("phase order L1 L3 L2")
    return f"{point.table}: " + ", ".join(parts)


def read_point(
    reader: Reader, bench: Bench, point: Point, condition: Condition, plate: Nameplate
) -> Measured | None:
    """Measure one condition with the person's help; None if it was skipped. Raises QuitError."""
    while True:
        try:
            return _read_once(reader, bench, point, condition, plate)
        except LinkError as error:
            reader.close()
            print(f"\n  {error}")
            if not bench.try_again():
                return None


def _read_once(
    reader: Reader, bench: Bench, point: Point, condition: Condition, plate: Nameplate
) -> Measured | None:
    if not bench.set_up(describe(point, condition, plate)):
        return None
    plus, minus, gained_plus, gained_minus = _REACTIVE if point.reactive else _ACTIVE
    begin = reader.value(gained_plus) - reader.value(gained_minus)
    values: list[float] = []
    end_s = time.monotonic() + bench.seconds
    while not values or time.monotonic() < end_s:
        values.append(reader.value(plus) - reader.value(minus))
        time.sleep(_EVERY_S)
    shown = sum(values) / len(values)
    step = reader.step(plus)
    given = bench.reference(point.reactive)
    if given is None:
        return None
    reference, energy = given
    if energy:
        shown = reader.value(gained_plus) - reader.value(gained_minus) - begin
        step = reader.step(gained_plus)
    error = 100 * (shown / reference - 1)
    digit = 100 * step / abs(reference)
    print(f"  meter {shown:g}, reference {reference:g}: error {error:+.3f} %")
    if digit > 0.05:
        print(f"  the meter's last digit is {digit:.2g} % here; measure energy for longer")
    signal = make(condition, plate.phases, plate.voltage_v, plate.frequency_hz)
    return Measured(
        condition,
        signal.power(),
        signal.reactive_power(),
        None if point.reactive else error,
        error if point.reactive else None,
        [0.0] * 12,
        bench.seconds,
        True,
    )


class RealMeter:
    """Stands where a front end's model stands in a section of the report."""

    def __init__(self, address: str, plate: Nameplate) -> None:
        self.plate = plate
        self.about = f"A real meter at {address}; reference readings typed in"

    def assumptions(self) -> list[tuple[str, str]]:
        """Nothing about a real meter is assumed."""
        return []


def run(
    reader: Reader, plate: Nameplate, classes: list[Limits], full: bool, bench: Bench
) -> Section:
    """Drive all points of a meter that a source of sines can set; q ends early."""
    points = [
        point
        for point in accuracy_points.sweep(plate, set(), full)
        if point.table in _TABLES
        and any(one.allowed(point.table, point.factor, point.rel) is not None for one in classes)
    ]
    # A condition is active or reactive by the table that asks for it first
    asked: dict[tuple[Condition, bool], Measured | None] = {}
    done: list[Point] = []
    print(
        f"{plate.model}, {plate.phases} x {plate.voltage_v} V, {plate.frequency_hz} Hz, "
        f"{plate.reference_a:g} ({plate.maximum_a:g}) A: {len(points)} points"
    )
    try:
        for number, point in enumerate(points, 1):
            print(f"[{number}/{len(points)}]", end=" ")
            whole = True
            for condition in (point.base, point.condition):
                if condition is None:
                    continue
                key = (condition, point.reactive)
                if key not in asked:
                    asked[key] = read_point(reader, bench, point, condition, plate)
                whole = whole and asked[key] is not None
            if whole:
                done.append(point)
            else:
                print("  skipped")
    except QuitError:
        print("\nended")
    meter = Meter("real", plate.model, 0)
    section = Section(meter, RealMeter(reader.name, plate), classes, None, [], [])
    for reactive in (False, True):
        found = {key[0]: one for key, one in asked.items() if one and key[1] == reactive}
        mine = [point for point in done if point.reactive == reactive]
        section.outcomes += outcomes(mine, found, plate)
    section.verdicts = [
        verdict for one in classes if (verdict := judge(section.outcomes, one)).tables
    ]
    if not section.outcomes:
        section.refused = "no point was measured"
    return section
