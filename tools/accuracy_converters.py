"""The converters of the front ends as models, with what is wrong with each of them."""

from __future__ import annotations

import math
from array import array

import numpy as np
from accuracy_frontend import FULL_CODE, Codes, FrontEnd, Nameplate, Sensors, Wave
from accuracy_signal import Signal
from devices.rp2_adc import Transfer

from drivers import ads1115
from metrology import linearity


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
    """The processor's own converter as drivers/rp2_adc.py uses it, on the bus model's own curve.

    The linearity table is made as in production, from the counts of a ramp.
    """

    name = "rp2040"
    about = "RP2040's ADC, 12 bits, 3 inputs in turn, with the chip's linearity table"
    models = ("1ph",)
    # 1 kOhm and 47 nF: a converter that takes one sample a frame folds back what lies above 2 kHz
    sensors = {"1ph": Sensors(460, 105, 2.0, 0.02, 0.02, 3_400)}
    rate_mhz = 4_000_000
    table = True
    bias = 1792
    _CLOCKS = 48_000_000 // (4000 * 3)  # of a conversion
    _NOISE_LSB = 0.6
    _HITS = 64
    _FIRST, _LAST = 64, 4031

    def __init__(self, model: str, seed: int) -> None:
        super().__init__(model, seed)
        rng = self._rng
        self._crystal = 1 + rng.uniform(-30e-6, 30e-6)
        self._reference_per_k = rng.uniform(-1, 1) * 50e-6
        self._edges = np.array(Transfer(seed).edges[1:])
        self._worth = np.array(linearity.codes_table(self._linearity(rng)))
        # as the driver says it, which the meter takes into its delays
        self.skew_ns = [-self._CLOCKS * 125 // 6]

    def _nameplate(self, model: str) -> Nameplate:
        # Twelve bits do not reach from the smallest current to 100 A
        return Nameplate(model, 1, 230, 50, 5.0, 60.0, False, 1000)

    def _linearity(self, rng: np.random.Generator) -> linearity.Linearity | None:
        if not self.table:
            return None
        ramp = np.arange(4096 * self._HITS) / self._HITS
        ramp += rng.standard_normal(len(ramp)) * self._NOISE_LSB
        counts = np.bincount(self._codes(ramp), minlength=4096)
        made = linearity.from_histogram(counts.tolist(), self._FIRST, self._LAST)
        return linearity.unpack(made.pack())

    def _codes(self, lsb: Wave) -> Codes:
        return np.searchsorted(self._edges, lsb, side="right").astype(np.int32)

    @property
    def true_rate_hz(self) -> float:
        """Frames a second."""
        return self.rate_mhz / 1000 * self._crystal

    def assumptions(self) -> list[tuple[str, str]]:
        """What the report says about this specimen's kind."""
        table = f"from a ramp of {self._HITS} conversions a code" if self.table else "none"
        return [
            *super().assumptions(),
            ("noise", "0.6 LSB of 12 bits, one conversion a frame"),
            ("unevenness", "3 LSB rms, wide codes at 512, 1536, 2560, 3584, the middle by 2 LSB"),
            ("linearity table", table),
            ("bias", f"code {self.bias}"),
            ("sampling", "one input 83.3 us after the other, which the driver tells the meter"),
            ("reference", "up to 50 ppm/K"),
            ("quartz", "within 30 ppm"),
        ]

    def codes(self, signal: Signal, seconds: float, run: int, kelvin: float) -> Codes:
        """Frames of a run."""
        rng = np.random.default_rng([self._seed, run])
        frames = round(seconds * self.true_rate_hz)
        first = np.arange(frames) / self.true_rate_hz
        result = np.empty((frames, self.channels), dtype="<i4")
        for channel in range(self.channels):
            times = first + channel / (self.true_rate_hz * self.channels)
            lsb = self._channel(signal, channel, times, kelvin)
            lsb *= 2048 * (1 + self._reference_per_k * kelvin)
            lsb += self.bias + 0.5 + rng.standard_normal(len(lsb)) * self._NOISE_LSB
            result[:, channel] = self._worth[self._codes(lsb)]
        return result


class Rp2040Raw(Rp2040):
    """The same without a table, biased at mid scale as anyone would."""

    name = "rp2040-raw"
    about = "RP2040's ADC as it is: no linearity table, biased at mid scale"
    table = False
    bias = 2048


class _Chip:
    """Adafruit's driver object before a signal: each reading takes its time."""

    gain = 2.0
    data_rate = 860
    mode = 0

    def __init__(self, clock: _Clock, codes: list[list[int]]) -> None:
        self._clock = clock
        self._codes = codes

    def read(self, pin: int) -> int:
        """Convert; the result is that of the time at which it began."""
        code = self._codes[0 if pin == 0 else 1][self._clock.at]
        self._clock.at += 1
        return code


class _Clock:
    """Stands for `time` and `asyncio` in the driver: conversion `at` begins at its own time."""

    def __init__(self, begins_us: list[int]) -> None:
        self._begins_us = begins_us
        self.at = 0

    def ticks_us(self) -> int:
        return self._begins_us[min(self.at, len(self._begins_us) - 1)]

    def ticks_add(self, ticks: int, delta: int) -> int:
        return ticks + delta

    def ticks_diff(self, end: int, start: int) -> int:
        return end - start

    async def sleep_ms(self, _ms: int) -> None:
        return None


class _Bus:
    def allow(self, transfers: int) -> None:
        """Bound nothing: this bus does not hang."""


class Ads1115(FrontEnd):
    """One slow converter for both inputs, read by drivers/ads1115.py itself."""

    name = "ads1115"
    about = "ADS1115, 16 bits, 860 conversions a second at best, voltage and current in turn"
    models = ("1ph",)
    sensors = {"1ph": Sensors(600, 210, 2.0, 0.02, 0.02)}
    rate_mhz = 1_000_000
    _CONVERSION_S = 1 / 860
    _BUS_S = 0.25e-3  # configuration, polls, result
    _NOISE_LSB = 0.5
    _LATE = 0.02  # of the conversions wait for another task,
    _LATE_S = 1e-3  # so long at most

    def __init__(self, model: str, seed: int) -> None:
        super().__init__(model, seed)
        self.channels = 2
        self.i_pa_per_lsb = self.i_pa_per_lsb[:1]
        self._crystal = 1 + self._rng.uniform(-30e-6, 30e-6)
        self._oscillator = 1 + self._rng.uniform(-0.1, 0.1)
        self._reference_per_k = self._rng.uniform(-1, 1) * 7e-6

    @property
    def true_rate_hz(self) -> float:
        """Frames a second, by the processor's quartz."""
        return self.rate_mhz / 1000 * self._crystal

    def assumptions(self) -> list[tuple[str, str]]:
        """What the report says about this specimen's kind."""
        return [
            *super().assumptions(),
            ("noise", "0.5 LSB of 16 bits rms"),
            (
                "conversion",
                "mean over 1/860 s, the bus 0.25 ms more; of 2 % another task takes up to 1 ms",
            ),
            (
                "frames",
                "1000 a second, drawn by the driver through its samples as a sine would be",
            ),
            ("oscillator", f"within 10 % ({self._oscillator - 1:+.1%} here)"),
            ("reference", "up to 7 ppm/K"),
        ]

    def codes(self, signal: Signal, seconds: float, run: int, kelvin: float) -> Codes:
        """Frames of a run."""
        rng = np.random.default_rng([self._seed, run])
        frames = round(seconds * self.true_rate_hz)
        one_s = self._CONVERSION_S / self._oscillator
        count = round(seconds / (one_s + self._BUS_S)) + 40
        took_s = one_s + self._BUS_S * rng.uniform(0.8, 1.2, count)
        took_s += (rng.uniform(size=count) < self._LATE) * rng.uniform(0, self._LATE_S, count)
        begins_s = np.concatenate(([0.0], np.cumsum(took_s)))[:count]
        codes: list[list[int]] = []
        for channel in (0, 1):
            lsb = self._channel(signal, channel, begins_s + one_s / 2, kelvin) * 32768
            lsb *= 1 + self._reference_per_k * kelvin
            lsb += rng.standard_normal(count) * self._NOISE_LSB
            codes.append(np.rint(lsb).clip(-32768, 32767).astype(int).tolist())
        clock = _Clock(np.rint(begins_s * self._crystal * 1e6).astype(int).tolist())
        return self._driven(clock, codes, frames)

    def _driven(self, clock: _Clock, codes: list[list[int]], frames: int) -> Codes:
        """What the driver makes of the conversions."""
        ads1115.time = ads1115.asyncio = clock  # type: ignore[assignment,attr-defined]
        chip = _Chip(clock, codes)
        driver = ads1115.Ads1115Frames(lambda: chip, _Bus())
        driver.start()
        result = array("i")
        batch = array("i", bytes(8 * 64))
        while len(result) < 2 * frames and clock.at < len(codes[0]) - 40:
            try:
                driver.wait().send(None)
            except StopIteration:
                result.extend(batch[: 2 * driver.take(batch, 64)])
        return np.array(result, dtype="<i4").reshape(-1, 2)[:frames]

    def _filtered(self, gains: dict[float, complex]) -> dict[float, complex]:
        one_s = self._CONVERSION_S / self._oscillator
        return {f: gain * float(np.sinc(f * one_s)) for f, gain in gains.items()}


FRONT_ENDS: dict[str, type[FrontEnd]] = {
    one.name: one for one in (Ads131m0x, Rp2040, Rp2040Raw, Ads1115)
}
