"""`GET /api/waveform`: the meter's last two cycles and their harmonics, for people and scripts."""

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


def waveform(bench: "Bench") -> "Answer":
    """Return time base, voltages and currents, and harmonics in percent of the fundamental."""
    engine = bench.meter().engine
    try:
        capture = engine.capture()
    except ValueError as error:
        raise NoMeterError(str(error))  # noqa: B904 - no chaining on target
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
