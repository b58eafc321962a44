"""What the simulated board's dividers and transformers put on the ADC: the sensors' truth.

`world.py` turns volts and amperes into ADC codes with it; `board.py` states the same figures as
the board's design scale, so a meter fresh from the factory is calibrated. A replayed recording
brings scale factors of its own (`replay.py`).
"""

from micropython import const

CODE_MAX = const(8_388_607)  # 24-bit two's complement, ADS131M0x data sheet 8.5.1.5
CODE_MIN = const(-8_388_608)
_HALF_RANGE = const(8_388_608)

# ADS131M0x data sheet, noise table: 5.35 uV rms at gain 1, 4 kHz; full scale is 1.2 V
NOISE_LSB = 5.35e-6 / 1.2 * 8_388_608

_CHANNELS_3PH = ("u1", "i1", "u2", "i2", "u3", "i3", "in")
_CHANNELS_1PH = ("u1", "i1", "in")
_CHANNELS_TWIN = ("u1", "i1", "i2", "in")  # two elements on one voltage

# model: channels, peak volts and peak amperes at the ADC's full scale
_MODELS = {
    "3ph": (_CHANNELS_3PH, 600, 210),
    "ct": (_CHANNELS_3PH, 600, 18),
    "1ph": (_CHANNELS_1PH, 600, 210),
    "twin": (_CHANNELS_TWIN, 600, 210),
}


class SensorScale:
    """Mains-side worth of one ADC code, in integers as the meter's calibration holds it."""

    def __init__(
        self, u_pv_per_lsb: "list[int]", i_pa_per_lsb: "list[int]", keep_dc: bool
    ) -> None:
        self.u_pv_per_lsb = u_pv_per_lsb  # one per phase
        self.i_pa_per_lsb = i_pa_per_lsb  # one per phase, then the neutral
        self.keep_dc = keep_dc


def models() -> "list[str]":
    """Names that `--model` takes."""
    return sorted(_MODELS)


def channels(model: str) -> "tuple[str, ...]":
    """Channels of a frame in their order."""
    return _MODELS[model][0]


def phases(model: str) -> int:
    """Measured phases, or elements of one phase: 1, 2 or 3."""
    return len(_MODELS[model][0]) // 2


def scale(model: str) -> SensorScale:
    """Design scale of a model, rounded to whole pico units: what the sensors do exactly."""
    count = phases(model)
    _, peak_v, peak_a = _MODELS[model]
    pv = (peak_v * 1_000_000_000_000 + _HALF_RANGE // 2) // _HALF_RANGE
    pa = (peak_a * 1_000_000_000_000 + _HALF_RANGE // 2) // _HALF_RANGE
    return SensorScale([pv] * count, [pa] * (count + 1), False)
