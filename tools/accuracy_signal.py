"""What the mains and the load do at a test point, as exact phasors, and the true energy of it.

Every voltage and current is a sum of harmonics of one pattern: a cycle, or four of them for the
bursts. So the true power is a finite sum, and a sensor is a factor for each harmonic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALL = (0, 1, 2)
BURST_CYCLES = 4  # two on, two off
HIGHEST_HZ = 5000.0  # harmonics of chopped currents are followed so far
_DENSE = 1 << 16  # points of a pattern that is transformed
_FEW = 4  # harmonics that are computed for every sample; more of them go through a table

Phasors = dict[float, complex]  # frequency in Hz: RMS value and angle

SINE = "sine"
FIFTH = "fifth"
HALF_WAVE = "half-wave"
FIRED = "fired"
BURST = "burst"
WAVES = (SINE, FIFTH, HALF_WAVE, FIRED, BURST)


@dataclass(frozen=True)
class Condition:
    """All that is physically the same about a run; equal conditions are measured once."""

    current_a: float  # RMS of the sine a phase's load would draw, before it is chopped
    lag_deg: float = 0.0  # of the current behind the voltage
    loaded: tuple[int, ...] = ALL  # phases with a load
    u_rel: float = 1.0  # of Un
    f_rel: float = 1.0  # of the nominal frequency
    wave: str = SINE
    reversed_order: bool = False
    missing: tuple[int, ...] = ()  # phases whose voltage is missing
    kelvin: float = 0.0  # from the temperature of calibration


@dataclass
class Signal:
    """Phasors of each phase."""

    f_hz: float
    base_hz: float  # of the pattern
    u: list[Phasors] = field(default_factory=list[Phasors])
    i: list[Phasors] = field(default_factory=list[Phasors])

    def power(self) -> float:
        """Active power of all phases and harmonics in W."""
        total = 0.0
        for u, i in zip(self.u, self.i, strict=True):
            total += sum((u[f] * i[f].conjugate()).real for f in u if f in i)
        return total

    def reactive_power(self) -> float:
        """Fundamental reactive power in var, positive when currents lag."""
        total = 0.0
        for u, i in zip(self.u, self.i, strict=True):
            total += (u.get(self.f_hz, 0j) * i.get(self.f_hz, 0j).conjugate()).imag
        return total


def _chopped(wave: str) -> tuple[NDArray[np.complex128], int]:
    """Harmonics (RMS) of a chopped sine of 1 A RMS, and the cycles of its pattern."""
    cycles = BURST_CYCLES if wave == BURST else 1
    turns = (np.arange(_DENSE) + 0.5) / _DENSE * cycles
    sine = math.sqrt(2) * np.sin(2 * math.pi * turns)
    if wave == HALF_WAVE:
        keep = turns % 1 < 0.5
    elif wave == FIRED:
        keep = turns % 0.5 >= 0.25
    else:
        keep = turns < cycles / 2
    spectrum = np.fft.rfft(sine * keep) / _DENSE
    # Of the midpoints the samples are: turn every harmonic back by half a step
    orders = np.arange(len(spectrum))
    spectrum *= np.exp(-1j * math.pi * orders / _DENSE)
    spectrum[1:] *= math.sqrt(2)
    # A sine's phasor is -j of a cosine's; angles count from the sine
    return spectrum, cycles


_SPECTRA = {wave: _chopped(wave) for wave in (HALF_WAVE, FIRED, BURST)}


def _current(condition: Condition, f_hz: float, angle: float) -> Phasors:
    """Phasors of a current whose sine stands at `angle` (radian)."""
    amperes = condition.current_a
    if amperes == 0:
        return {}
    own = {f_hz: amperes * complex(math.cos(angle), math.sin(angle))}
    if condition.wave == SINE:
        return own
    if condition.wave == FIFTH:
        own[5 * f_hz] = 0.4 * amperes * complex(math.cos(5 * angle), math.sin(5 * angle))
        return own
    spectrum, cycles = _SPECTRA[condition.wave]
    result: Phasors = {}
    for order in range(min(len(spectrum), int(HIGHEST_HZ * cycles / f_hz))):
        value = complex(spectrum[order]) * amperes
        if abs(value) < 1e-9 * amperes:
            continue
        # e**(j w t) of a sine at angle 0 is -j; shifted in time by angle / w
        shift = angle * order / cycles
        turned = value * complex(math.cos(shift), math.sin(shift))
        at = f_hz * order / cycles if order != cycles else f_hz
        result[at] = turned * 1j
    return result


def make(condition: Condition, phases: int, nominal_v: float, nominal_hz: float) -> Signal:
    """The signals of a condition at a meter of 1 or 3 phases; u L1 is a sine at angle 0."""
    f_hz = nominal_hz * condition.f_rel
    signal = Signal(f_hz, f_hz / (BURST_CYCLES if condition.wave == BURST else 1))
    for phase in range(phases):
        turn = (2 if condition.reversed_order else -2) * math.pi / 3 * phase
        volts = nominal_v * condition.u_rel
        u: Phasors = {}
        if phase not in condition.missing:
            u[f_hz] = volts * complex(math.cos(turn), math.sin(turn))
            if condition.wave == FIFTH:
                u[5 * f_hz] = 0.1 * volts * complex(math.cos(5 * turn), math.sin(5 * turn))
        loaded = phase in condition.loaded
        lag = math.radians(condition.lag_deg)
        signal.u.append(u)
        signal.i.append(_current(condition, f_hz, turn - lag) if loaded else {})
    return signal


def render(
    phasors: Phasors,
    times: NDArray[np.floating[Any]],
    gains: dict[float, complex],
    base_hz: float,
) -> NDArray[np.float64]:
    """The wave at `times` behind a sensor: sqrt(2) * sum of |X| sin(w t + angle) * gain.

    base_hz: how often the pattern repeats; all frequencies are multiples of it
    """
    if len(phasors) > _FEW:
        # Harmonics of one pattern: its wave in a table, 1e-9 of the fundamental from the truth
        return _by_table(phasors, times, gains, base_hz)
    wave = np.zeros(len(times))
    for f_hz, value in phasors.items():
        factor = value * gains[f_hz]
        turn = 2 * math.pi * f_hz * times
        wave += math.sqrt(2) * (factor.real * np.sin(turn) + factor.imag * np.cos(turn))
    return wave


def _by_table(
    phasors: Phasors,
    times: NDArray[np.floating[Any]],
    gains: dict[float, complex],
    base_hz: float,
) -> NDArray[np.float64]:
    spectrum = np.zeros(_DENSE // 2 + 1, complex)
    for f_hz, value in phasors.items():
        # sin(w t + angle) is the real part of -j e**(j (w t + angle)); a constant has no root 2
        part = -1j * value * gains[f_hz]
        spectrum[round(f_hz / base_hz)] = part * _DENSE * (1 if f_hz == 0 else math.sqrt(0.5))
    table = np.fft.irfft(spectrum)
    return np.interp(times * base_hz * _DENSE, np.arange(_DENSE), table, period=_DENSE)
