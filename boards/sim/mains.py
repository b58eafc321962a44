"""The mains and its loads as the bench asks for them: steady voltages, currents and harmonics.

The state behind `POST /api/mains`. `apply()` checks a whole request before anything changes and
says in words what is wrong; `channel()` gives each sensor's wave as a list of components, from
which `synth.py` makes samples.

Phase k (0, 1, 2) lies at -120 k degrees unless `angle_deg` says otherwise:

    u(t) = sqrt2 U (sin(a)       + sum of ratio_n sin(n a + degrees_n)),       a = w t + angle
    i(t) = sqrt2 I (sin(a - phi) + sum of ratio_n sin(n (a - phi) + degrees_n))

So `u` and `i` are the RMS of the fundamental, a harmonic's degrees count from n times the phase
of its own fundamental (positive: leading), and `phi_deg` > 0 lets the current lag.
"""

import math

from fields import as_list, as_number, as_object
from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    Component = tuple[int, float, float]  # order, RMS in V or A, phase in radians
    Harmonics = dict[int, tuple[float, float]]  # order: ratio to the fundamental, degrees

# key: lowest, highest, default
_LIMITS = {
    "u": (0.0, 600.0, 230.0),
    "i": (0.0, 250.0, 5.0),
    "phi_deg": (-360.0, 360.0, 30.0),
    "angle_deg": (-360.0, 360.0, 0.0),
}
_ANGLES_DEG = (0.0, -120.0, -240.0)
_F_MIN_HZ = 40.0
_F_MAX_HZ = 70.0
_ORDERS = [str(order) for order in range(2, 51)]
_RATIO_MAX = 10.0


def _harmonics(value: object, name: str) -> "Harmonics":
    result: Harmonics = {}
    total = 0.0
    for key, pair in as_object(value, name).items():
        if key not in _ORDERS:
            raise ValueError(f"{name}: harmonics are numbered from 2 to 50")
        entry = as_list(pair, f"{name}.{key}")
        if len(entry) != 2:
            raise ValueError(f"{name}.{key} must be [ratio, degrees]")
        ratio = as_number(entry[0], 0.0, _RATIO_MAX, f"{name}.{key} ratio")
        degrees = as_number(entry[1], -360.0, 360.0, f"{name}.{key} degrees")
        result[int(key)] = (ratio, degrees)
        total += ratio
    if total > _RATIO_MAX:
        raise ValueError(f"{name}: the ratios add up to more than {_RATIO_MAX:g}")
    return result


class Phase:
    """One phase's voltage and load."""

    def __init__(self, index: int) -> None:
        self.u = _LIMITS["u"][2]
        self.i = _LIMITS["i"][2]
        self.phi_deg = _LIMITS["phi_deg"][2]
        self.angle_deg = _ANGLES_DEG[index]
        self.u_harmonics: Harmonics = {}
        self.i_harmonics: Harmonics = {}

    def with_changes(self, changes: object, name: str) -> "Phase":
        """Return a copy with the request's keys; the object itself stays. Raises ValueError."""
        new = Phase(0)
        new.u, new.i = self.u, self.i
        new.phi_deg, new.angle_deg = self.phi_deg, self.angle_deg
        new.u_harmonics, new.i_harmonics = self.u_harmonics, self.i_harmonics
        for key, value in as_object(changes, name).items():
            if key in _LIMITS:
                low, high, _ = _LIMITS[key]
                setattr(new, key, as_number(value, low, high, f"{name}.{key}"))
            elif key in ("u_harmonics", "i_harmonics"):
                setattr(new, key, _harmonics(value, f"{name}.{key}"))
            else:
                raise ValueError(f"{name}: unknown key {key}")
        return new

    def to_json(self) -> "dict[str, object]":
        """Return the state in the shape of the request."""
        return {
            "u": self.u,
            "i": self.i,
            "phi_deg": self.phi_deg,
            "angle_deg": self.angle_deg,
            "u_harmonics": {str(n): list(pair) for n, pair in self.u_harmonics.items()},
            "i_harmonics": {str(n): list(pair) for n, pair in self.i_harmonics.items()},
        }


def _wave(rms: float, angle_deg: float, harmonics: "Harmonics") -> "list[Component]":
    """Components of one wave; nothing at all for a wave of zero."""
    if rms == 0.0:
        return []
    parts = [(1, rms, math.radians(angle_deg))]
    for order in sorted(harmonics):
        ratio, degrees = harmonics[order]
        if ratio != 0.0:
            parts.append((order, rms * ratio, math.radians(order * angle_deg + degrees)))
    return parts


class Mains:
    """Steady state of the mains; the neutral carries the sum of the phases unless set."""

    def __init__(self, phases: int, one_voltage: bool = False) -> None:
        """`one_voltage`: they are loads of one phase; of the voltages only the first counts."""
        self.f = 50.0
        self.one_voltage = one_voltage
        self.phases = [Phase(0 if one_voltage else index) for index in range(phases)]
        self.neutral_i: float | None = None

    def copy(self) -> "Mains":
        """Return another mains in the same state; phases are shared, they never change."""
        other = Mains(0, self.one_voltage)
        other.f, other.phases, other.neutral_i = self.f, list(self.phases), self.neutral_i
        return other

    def apply(self, changes: object) -> None:
        """Take over a request of `POST /api/mains`. Raises ValueError and changes nothing.

        Keys left out keep their value, so does a phase that is null or beyond the list's end. A
        harmonics object replaces the one before. `neutral_i` null: the sum of the phases.
        """
        f, phases, neutral_i = self.f, list(self.phases), self.neutral_i
        for key, value in as_object(changes, "the mains").items():
            if key == "f":
                f = as_number(value, _F_MIN_HZ, _F_MAX_HZ, "f")
            elif key == "phases":
                phases = self._changed_phases(value)
            elif key == "neutral_i":
                low, high, _ = _LIMITS["i"]
                neutral_i = None if value is None else as_number(value, low, high, key)
            else:
                raise ValueError(f"unknown key {key}")
        self.f, self.phases, self.neutral_i = f, phases, neutral_i

    def check_below(self, limit_hz: float) -> None:
        """Raise ValueError for a harmonic that frames of twice this rate would show folded."""
        for index, phase in enumerate(self.phases):
            for name, harmonics in (("u", phase.u_harmonics), ("i", phase.i_harmonics)):
                for order, (ratio, _) in harmonics.items():
                    if ratio and order * self.f >= limit_hz:
                        raise ValueError(
                            f"phases[{index}].{name}_harmonics: harmonic {order} of {self.f:g} Hz "
                            f"is not below {limit_hz:g} Hz, half the converter's frame rate"
                        )

    def _changed_phases(self, entries: object) -> "list[Phase]":
        phases = list(self.phases)
        listed = as_list(entries, "phases")
        if len(listed) > len(phases):
            raise ValueError(f"phases: this meter has {len(phases)}")
        for index, entry in enumerate(listed):
            if entry is not None:
                phases[index] = phases[index].with_changes(entry, f"phases[{index}]")
        if self.one_voltage:
            first = phases[0]
            for index in range(1, len(phases)):
                phases[index] = other = phases[index].with_changes({}, "")
                other.u, other.angle_deg = first.u, first.angle_deg
                other.u_harmonics = first.u_harmonics
        return phases

    def to_json(self) -> "dict[str, object]":
        """Return the state in the shape of the request."""
        return {
            "f": self.f,
            "phases": [phase.to_json() for phase in self.phases],
            "neutral_i": self.neutral_i,
        }

    def voltage(self, index: int) -> "list[Component]":
        """Components of a phase voltage, V."""
        phase = self.phases[index]
        return _wave(phase.u, phase.angle_deg, phase.u_harmonics)

    def current(self, index: int) -> "list[Component]":
        """Components of a phase current, A."""
        phase = self.phases[index]
        return _wave(phase.i, phase.angle_deg - phase.phi_deg, phase.i_harmonics)

    def neutral(self) -> "list[Component]":
        """Components of the neutral current, A: a set one is a sine in phase with that of L1."""
        if self.neutral_i is not None:
            first = self.phases[0]
            return _wave(self.neutral_i, first.angle_deg - first.phi_deg, {})
        parts: list[Component] = []
        for index in range(len(self.phases)):
            parts.extend(self.current(index))
        return parts

    def channel(self, name: str) -> "list[Component]":
        """Components of an ADC channel: u1 i1 u2 i2 u3 i3 in."""
        if name == "in":
            return self.neutral()
        index = int(name[1]) - 1
        return self.voltage(index) if name[0] == "u" else self.current(index)
