"""`GET /api/waveform`: the meter's last two cycles and their harmonics, for people and scripts.

A choice of parts without the quality of the supply keeps no waves until somebody asks for them:
the first call waits for the frames that it wants.
"""

import asyncio

import timeline
from micropython import const

from faceplate.bench import NoMeterError

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from faceplate.bench import Bench
    from metrology.waveform import Capture

    Answer = dict[str, object]

_MICRO = 1e-6
_HARMONICS = const(40)
# As for the distortion: below these, harmonics would be those of the converter's noise
_FROM_UV = const(5_000_000)
_FROM_UA = const(5_000)
_STEP_MS = const(20)
_STEPS = const(50)  # a second of the meter's time: a whole window lasts 0.2 s


async def waveform(bench: "Bench") -> "Answer":
    """Return time base, voltages and currents, and harmonics in percent of the fundamental.

    Waits up to a second of the meter's time for two cycles; raises NoMeterError if none come.
    """
    reason = ""
    for _ in range(_STEPS):
        try:
            return _waves(bench)
        except ValueError as error:
            reason = str(error)
        bench.leap.finish()  # frames come again, for a window at least
        if not (timeline.rate or timeline.leaping()):
            reason += ", and time stands still"
            break
        await asyncio.sleep_ms(_STEP_MS)
    raise NoMeterError(reason)


def _waves(bench: "Bench") -> "Answer":
    """Return what is measured now. Raises ValueError if two cycles have not been."""
    engine = bench.meter().engine
    capture = engine.capture()
    phases = range(engine.quantities.elements)
    rate_hz = capture.rate_mhz / 1000
    answer: Answer = {
        "rate_hz": rate_hz,
        "f": capture.f_uhz * _MICRO,
        "t_ms": [round(1000 * k / rate_hz, 4) for k in range(capture.count)],
        "u": [_wave(capture, 2 * k) for k in phases],
        "i": [_wave(capture, 2 * k + 1) for k in phases],
        "harmonics_u": [_harmonics(capture, 2 * k, _FROM_UV) for k in phases],
        "harmonics_i": [_harmonics(capture, 2 * k + 1, _FROM_UA) for k in phases],
    }
    if capture.channels % 2:
        answer["in"] = _wave(capture, capture.channels - 1)
    return answer


def _wave(capture: "Capture", channel: int) -> "list[float]":
    return [round(capture.micro(channel, k) * _MICRO, 6) for k in range(capture.count)]


def _harmonics(capture: "Capture", channel: int, least: int) -> "list[float | None]":
    """Orders 1 to 40; null where the frame rate ends, and all of them without a fundamental."""
    found: list[float | None] = [None] * _HARMONICS
    first = capture.harmonic(channel, 1)
    if first >= least:
        for order in range(1, capture.orders + 1):
            found[order - 1] = round(100 * capture.harmonic(channel, order) / first, 4)
    return found
