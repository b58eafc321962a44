"""The converters of the front ends as models, with what is wrong with each of them."""

from __future__ import annotations

import math

import numpy as np
from accuracy_frontend import FULL_CODE, Codes, FrontEnd, Nameplate, Sensors, Wave
from accuracy_signal import Signal


def _sinc(f_hz: float, rate_hz: float, order: int, ratio: int) -> float:
    """Gain of a decimation filter of `order` boxes over `ratio` samples each."""
    x = math.pi * f_hz / rate_hz
    if x == 0:
        return 1.0
    return (math.sin(x) / (ratio * math.sin(x / ratio))) ** order


class Ads131m0x(FrontEnd):
    """Simultaneous 24-bit converters, 4 kHz."""

    name = "ads131m0x"
    about = "ADS131M08/M04, 24 bits, 4 kHz, all channels at once"
    models = ("3ph", "1ph", "ct")
    # Direct meters need transformers that bear DC, and those lead; small ones behind others do not
    sensors = {
        "3ph": Sensors(600, 210, 2.0, 0.02, 0.02),
        "1ph": Sensors(600, 210, 2.0, 0.02, 0.02),
        "ct": Sensors(600, 18, 0.15, 0.01, 0.01),
    }
    rate_mhz = 4_000_000
    _OVERSAMPLING = 1024
    _NOISE_V = 5.35e-6
    _OFFSET_V = 175e-6
    _CROSSTALK = 1e-6
    _NONLINEARITY = 6e-6

    def __init__(self, model: str, seed: int) -> None:
        super().__init__(model, seed)
        rng = self._rng
        self._crystal = 1 + rng.uniform(-30e-6, 30e-6)
        self._reference_per_k = rng.uniform(-1, 1) * 20e-6
        self._offset = rng.uniform(-1, 1, self.channels) * self._OFFSET_V / self.full_scale_v
        self._from_u = rng.uniform(-1, 1, self.phases) * self._CROSSTALK
        self._bend = rng.uniform(-1, 1, self.channels) * self._NONLINEARITY

    @property
    def true_rate_hz(self) -> float:
        """Frames a second."""
        return self.rate_mhz / 1000 * self._crystal

    def assumptions(self) -> list[tuple[str, str]]:
        """What the report says about this specimen's kind."""
        return [
            *super().assumptions(),
            ("noise", "5.35 uV rms at gain 1"),
            ("offset", "up to 175 uV"),
            ("crosstalk", "up to -120 dB from a phase's voltage to its current"),
            ("non-linearity", "up to 6 ppm of full scale, third order"),
            ("decimation", "sinc3 over 1024 samples, aliasing included"),
            ("reference", "up to 20 ppm/K"),
            ("quartz", "within 30 ppm"),
        ]

    def codes(self, signal: Signal, seconds: float, run: int, kelvin: float) -> Codes:
        """Frames of a run."""
        rng = np.random.default_rng([self._seed, run])
        times = np.arange(round(seconds * self.true_rate_hz)) / self.true_rate_hz
        waves = np.empty((len(times), self.channels))
        for channel in range(self.channels):
            waves[:, channel] = self._channel(signal, channel, times, kelvin)
        for phase in range(self.phases):
            waves[:, 2 * phase + 1] += self._from_u[phase] * waves[:, 2 * phase]
        waves += self._bend * (waves**3 - waves)
        waves *= 1 + self._reference_per_k * kelvin
        waves += self._offset
        waves += rng.standard_normal(waves.shape) * (self._NOISE_V / self.full_scale_v)
        return np.rint(waves * FULL_CODE).clip(-FULL_CODE, FULL_CODE - 1).astype("<i4")

    def _filtered(self, gains: dict[float, complex]) -> dict[float, complex]:
        rate = self.true_rate_hz
        return {f: gain * _sinc(f, rate, 3, self._OVERSAMPLING) for f, gain in gains.items()}


class Rp2040(FrontEnd):
    """The processor's own converter: 12 bits, one input after the other, wide codes."""

    name = "rp2040"
    about = "RP2040's ADC, 12 bits, 3 inputs in turn, with the chip's linearity table"
    models = ("1ph",)
    sensors = {"1ph": Sensors(460, 105, 2.0, 0.02, 0.02)}
    _STEPS = (512, 1536, 2560, 3584)
    _BIAS = 2300
    _TURN_HZ = 500_000
    _INPUTS = 4
    _MEANS_OF = 32
    _NOISE_LSB = 0.6
    _TABLE_ERROR_LSB = 0.1
    rate_mhz = _TURN_HZ * 1000 // (_INPUTS * _MEANS_OF)
    table = True
    bias = _BIAS

    def __init__(self, model: str, seed: int) -> None:
        super().__init__(model, seed)
        rng = self._rng
        self._crystal = 1 + rng.uniform(-30e-6, 30e-6)
        self._reference_per_k = rng.uniform(-1, 1) * 50e-6
        self._thresholds = self._chip(rng)
        # The table gives each code the middle of what yields it, as far as production can tell
        middle = (self._thresholds[1:] + self._thresholds[:-1]) / 2
        middle = np.concatenate(([self._thresholds[0] - 0.5], middle))
        middle = np.append(middle, self._thresholds[-1] + 0.5)
        error = rng.normal(0, self._TABLE_ERROR_LSB, len(middle))
        self._worth = middle + error if self.table else np.arange(4096.0)

    def _nameplate(self, model: str) -> Nameplate:
        # Twelve bits do not reach from the smallest current to 100 A
        return Nameplate(model, 1, 230, 50, 5.0, 60.0, False, 1000)

    def _chip(self, rng: np.random.Generator) -> Wave:
        """Inputs (in LSB) at which one code gives way to the next: 4095 of them."""
        widths = np.ones(4096)
        for code in self._STEPS:
            widths[code - 1] += rng.uniform(6, 9)
        widths[2047] += rng.uniform(1.5, 2.5)
        x = np.arange(4096) / 4096
        bow = 0.004 * sum(rng.uniform(-1, 1) * np.cos(2 * math.pi * k * x) for k in (1, 2, 3))
        widths += bow
        widths *= 4096 / widths.sum()
        return np.cumsum(widths)[:-1] - 0.5

    @property
    def true_rate_hz(self) -> float:
        """Frames a second."""
        return self.rate_mhz / 1000 * self._crystal

    def assumptions(self) -> list[tuple[str, str]]:
        """What the report says about this specimen's kind."""
        table = "measured in production within 0.1 LSB rms a code" if self.table else "none"
        return [
            *super().assumptions(),
            ("noise", "0.6 LSB of 12 bits, 32 conversions a frame"),
            ("wide codes", "512, 1536, 2560, 3584 by 6..9 LSB, 2047 by about 2; a bow besides"),
            ("linearity table", table),
            ("bias", f"code {self.bias}"),
            ("sampling", "one input 2 us after the other"),
            ("reference", "up to 50 ppm/K"),
            ("quartz", "within 30 ppm"),
        ]

    def codes(self, signal: Signal, seconds: float, run: int, kelvin: float) -> Codes:
        """Frames of a run."""
        rng = np.random.default_rng([self._seed, run])
        frames = round(seconds * self.true_rate_hz)
        raw_hz = self.true_rate_hz * self._MEANS_OF
        first = np.arange(frames * self._MEANS_OF) / raw_hz
        result = np.empty((frames, self.channels), dtype="<i4")
        for channel in range(self.channels):
            times = first + channel / (raw_hz * self._INPUTS)
            lsb = self._channel(signal, channel, times, kelvin)
            lsb *= 2048 * (1 + self._reference_per_k * kelvin)
            lsb += self.bias + rng.standard_normal(len(lsb)) * self._NOISE_LSB
            worth = self._worth[np.searchsorted(self._thresholds, lsb)]
            means = worth.reshape(frames, self._MEANS_OF).mean(axis=1) - 2048
            result[:, channel] = np.rint(means * 4096).clip(-FULL_CODE, FULL_CODE - 1)
        return result


class Rp2040Raw(Rp2040):
    """The same without a table, biased at mid scale as anyone would."""

    name = "rp2040-raw"
    about = "RP2040's ADC as it is: no linearity table, biased at mid scale"
    table = False
    bias = 2048


class Ads1115(FrontEnd):
    """One slow converter for both inputs: 860 conversions a second, voltage and current in turn.

    Samples of each input are joined by straight lines to have both at the same time, and often
    enough for the meter's windows.
    """

    name = "ads1115"
    about = "ADS1115, 16 bits, 860 conversions a second at best, voltage and current in turn"
    models = ("1ph",)
    sensors = {"1ph": Sensors(600, 210, 2.0, 0.02, 0.02)}
    _CONVERSIONS_HZ = 860
    _FRAMES = 2  # for each conversion
    _NOISE_LSB = 1.0
    rate_mhz = _CONVERSIONS_HZ * _FRAMES * 1000

    def __init__(self, model: str, seed: int) -> None:
        super().__init__(model, seed)
        self._oscillator = 1 + self._rng.uniform(-0.1, 0.1)
        self._reference_per_k = self._rng.uniform(-1, 1) * 7e-6

    @property
    def true_rate_hz(self) -> float:
        """Frames a second: the chip's own oscillator makes them."""
        return self.rate_mhz / 1000 * self._oscillator

    def assumptions(self) -> list[tuple[str, str]]:
        """What the report says about this specimen's kind."""
        return [
            *super().assumptions(),
            ("noise", "1 LSB of 16 bits rms"),
            ("conversion", "mean over 1/860 s, aliasing above 215 Hz included"),
            ("frames", "1720 a second, by straight lines between each input's conversions"),
            (
                "oscillator",
                (
                    f"within 10 % ({self._oscillator - 1:+.1%} here), so frequency is "
                    "read wrong; its share in energy goes into the gain"
                ),
            ),
            ("reference", "up to 7 ppm/K"),
        ]

    def codes(self, signal: Signal, seconds: float, run: int, kelvin: float) -> Codes:
        """Frames of a run."""
        rng = np.random.default_rng([self._seed, run])
        frames = round(seconds * self.true_rate_hz)
        step_s = self._FRAMES / self.true_rate_hz  # of a conversion
        turns = frames // (2 * self._FRAMES) + 3
        at = (np.arange(frames) / self.true_rate_hz) + 2 * step_s
        result = np.empty((frames, self.channels), dtype="<i4")
        for channel in range(self.channels):
            # The neutral is not measured: its channel repeats the current's turn
            times = (2.0 * np.arange(turns) + min(channel, 1)) * step_s
            lsb = self._channel(signal, channel, times, kelvin) * 32768
            lsb *= 1 + self._reference_per_k * kelvin
            lsb = np.rint(lsb + rng.standard_normal(turns) * self._NOISE_LSB).clip(-32768, 32767)
            result[:, channel] = np.rint(np.interp(at, times, lsb) * 256)
        return result

    def _filtered(self, gains: dict[float, complex]) -> dict[float, complex]:
        rate = self.true_rate_hz / self._FRAMES
        return {f: gain * float(np.sinc(f / rate)) for f, gain in gains.items()}


FRONT_ENDS: dict[str, type[FrontEnd]] = {
    one.name: one for one in (Ads131m0x, Rp2040, Rp2040Raw, Ads1115)
}
