"""Front ends as parametric models: from volts and amperes to the codes that a driver hands on.

A `FrontEnd` is one specimen: its tolerances are drawn once from a seed, as a factory would, and
stay; noise is new in every run. Nothing here is calibrated: that is the meter's business. Figures
are typical ones of data sheets and of measurements (docs/accuracy.md names them), and assumptions
about sensors stand in `assumptions`, which the report prints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import accuracy_paths  # noqa: F401 # pyright: ignore[reportUnusedImport] - where models look
import numpy as np
from accuracy_signal import Phasors, Signal, render
from numpy.typing import NDArray

FULL_CODE = 1 << 23
Codes = NDArray[np.int32]
Wave = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Nameplate:
    """What a model is sold as."""

    model: str
    phases: int
    voltage_v: int
    frequency_hz: int
    reference_a: float  # Ib of a direct meter, In behind transformers
    maximum_a: float
    transformer: bool
    pulses_per_kwh: int


NAMEPLATES = {
    "3ph": Nameplate("3ph", 3, 230, 50, 5.0, 120.0, False, 1000),
    "1ph": Nameplate("1ph", 1, 230, 50, 5.0, 100.0, False, 1000),
    "ct": Nameplate("ct", 3, 230, 50, 5.0, 10.0, True, 10_000),
}


@dataclass(frozen=True)
class Sensors:
    """Dividers and current transformers of a model, by design."""

    peak_v: float  # at the converter's full scale
    peak_a: float
    lead_deg: float  # of the transformers' current at 50 Hz
    lead_rise_deg: float  # more of it for every decade below the reference current
    ratio_loss_percent: float  # current lost for every such decade
    corner_hz: float = 15_900  # of the filter before the converter: 1 kOhm, 10 nF


class Sensor:
    """One channel's divider or transformer, and the filter before the converter."""

    def __init__(self, rng: np.random.Generator, sensors: Sensors, current: bool) -> None:
        self._sensors = sensors
        self._current = current
        self._gain = 1 + rng.uniform(-0.01, 0.01)
        self._gain_per_k = rng.uniform(-1, 1) * (30e-6 if current else 20e-6)
        self._corner_hz = sensors.corner_hz * (1 + rng.uniform(-0.05, 0.05))
        lead = math.radians(sensors.lead_deg * (1 + rng.uniform(-0.1, 0.1)))
        self._high_pass_hz = 50 * math.tan(lead) if current else 0.0

    def gains(self, phasors: Phasors, reference_a: float, kelvin: float) -> dict[float, complex]:
        """Gain and angle at each harmonic, for the current that flows."""
        high_pass_hz = self._high_pass_hz * (1 + 0.0039 * kelvin)  # copper's resistance
        gain = self._gain * (1 + self._gain_per_k * kelvin)
        if self._current and phasors:
            rms = math.sqrt(sum(abs(value) ** 2 for value in phasors.values()))
            decades = max(-1.5, min(3.0, math.log10(reference_a / rms)))
            high_pass_hz += 50 * math.radians(self._sensors.lead_rise_deg) * decades
            gain *= 1 - self._sensors.ratio_loss_percent / 100 * decades
        result: dict[float, complex] = {}
        for f_hz in phasors:
            value = gain / (1 + 1j * f_hz / self._corner_hz)
            if self._current:
                # What a transformer's winding resistance and inductance make of it: no DC at all
                value = value * f_hz / (f_hz - 1j * high_pass_hz) if f_hz else 0j
            result[f_hz] = value
        return result


class FrontEnd:
    """One specimen of a meter's analogue side. Subclasses convert."""

    name = ""
    about = ""
    models: tuple[str, ...] = ()
    sensors: dict[str, Sensors] = {}
    full_scale_v = 1.2
    rate_mhz = 0

    def __init__(self, model: str, seed: int) -> None:
        self.plate = self._nameplate(model)
        self.phases = self.plate.phases
        self.channels = 2 * self.phases + 1
        self._seed = seed
        rng = np.random.default_rng([seed, sum(model.encode()), sum(self.name.encode())])
        sensors = self.sensors[model]
        self.design = sensors
        self._u = [Sensor(rng, sensors, False) for _ in range(self.phases)]
        self._i = [Sensor(rng, sensors, True) for _ in range(self.phases + 1)]
        self.skew_ns = [0] * self.phases
        self._rng = rng
        self.u_pv_per_lsb = [round(sensors.peak_v * 1e12 / FULL_CODE)] * self.phases
        self.i_pa_per_lsb = [round(sensors.peak_a * 1e12 / FULL_CODE)] * (self.phases + 1)

    def _nameplate(self, model: str) -> Nameplate:
        return NAMEPLATES[model]

    @property
    def true_rate_hz(self) -> float:
        """Frames a second, which the meter's own quartz takes for `rate_mhz`."""
        raise NotImplementedError

    def assumptions(self) -> list[tuple[str, str]]:
        """What the report says about this specimen's kind."""
        design, plate = self.design, self.plate
        return [
            (
                "nameplate",
                (
                    f"{plate.phases} x {plate.voltage_v} V, {plate.reference_a:g} A "
                    f"({plate.maximum_a:g} A), {plate.frequency_hz} Hz"
                ),
            ),
            ("full scale", f"{design.peak_v:g} V, {design.peak_a:g} A (peak)"),
            ("divider", "1 % tolerance, up to 20 ppm/K"),
            (
                "current transformer",
                (
                    f"1 % tolerance, up to 30 ppm/K; lead {design.lead_deg:g} "
                    f"degrees within 10 %, {design.lead_rise_deg:g} degrees more and "
                    f"{design.ratio_loss_percent:g} % less current a decade below the reference "
                    "current; passes no DC and does not saturate"
                ),
            ),
            ("filter", f"first order at {design.corner_hz / 1000:.3g} kHz within 5 %"),
        ]

    def codes(self, signal: Signal, seconds: float, run: int, kelvin: float) -> Codes:
        """Frames of a run: one row a frame, one column a channel."""
        raise NotImplementedError

    def _channel(self, signal: Signal, channel: int, times: Wave, kelvin: float) -> Wave:
        """One channel at its converter's input, in parts of full scale."""
        phase = channel // 2
        reference_a = self.plate.reference_a
        if channel == 2 * self.phases:
            total = np.zeros(len(times))
            for of in signal.i:
                gains = self._i[self.phases].gains(of, reference_a, kelvin)
                total += render(of, times, self._filtered(gains), signal.base_hz)
            return total / self.design.peak_a
        of = signal.i[phase] if channel & 1 else signal.u[phase]
        sensor = self._i[phase] if channel & 1 else self._u[phase]
        gains = self._filtered(sensor.gains(of, reference_a, kelvin))
        peak = self.design.peak_a if channel & 1 else self.design.peak_v
        return render(of, times, gains, signal.base_hz) / peak

    def _filtered(self, gains: dict[float, complex]) -> dict[float, complex]:
        """The converter's own filter."""
        return gains
