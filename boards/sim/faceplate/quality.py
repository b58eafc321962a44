"""`GET /api/quality`, `POST /api/snapshot`: weeks by EN 50160, and the waves of disturbances."""

import fields
from micropython import const

from app.quality import weeks
from app.quality.waveforms import Record
from faceplate.bench import NoMeterError
from faceplate.events import time_text

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from app.quality.parts import QualityParts
    from faceplate.bench import Bench

    Answer = dict[str, object]

_SHOWN = const(20)
_MICRO = 1e-6
_MILLI = 1e-3
_SAG, _SWELL = const(76), const(79)  # events of L1
_BAD = (  # by bit of the verdict
    "voltage L1", "voltage L2", "voltage L3", "THD L1", "THD L2", "THD L3", "unbalance",
    "frequency",
)  # fmt: skip


def quality(bench: "Bench") -> "Answer":
    """Return this week and the one before, and the newest records."""
    part = _part(bench)
    record = Record(part.waveforms)
    first = max(record.first, record.next - _SHOWN)
    return {
        "weeks": [_week(part.weeks.values(back), part.waveforms.channels // 2) for back in (0, 1)],
        "records": [
            _about(record, number)
            for number in range(record.next - 1, first - 1, -1)
            if record.load(number)
        ],
        "missed": part.waveforms.missed,
    }


def snapshot(bench: "Bench", request: "dict[str, object]") -> "Answer":
    """Return the waves of a record; `number` is that of the list. Raises ValueError."""
    fields.check_keys(request, ("number",), 1)
    part = _part(bench)
    record = Record(part.waveforms)
    number = fields.as_whole(request["number"], 0, 0xFFFFFFFF, "number")
    if not record.load(number):
        raise ValueError(f"there is no record {number}")
    answer = _about(record, number)
    rate_mhz, count, before = record.field(2), record.field(3), record.field(4)
    answer["t_ms"] = [round((k - before) * 1e6 / rate_mhz, 3) for k in range(count)]
    frames = [record.micro(k) for k in range(count)]
    for name, first in (("u", 0), ("i", 1)):
        answer[name] = [
            [round(frame[channel] * _MICRO, 3) for frame in frames]
            for channel in range(first, record.channels, 2)
        ]
    return answer


def _part(bench: "Bench") -> "QualityParts":
    part = getattr(bench.meter(), "quality", None)
    if part is None:
        raise NoMeterError("this meter was built without the quality of the supply")
    return part


def _about(record: Record, number: int) -> "Answer":
    code = record.field(0)
    kind, first = ("swell", _SWELL) if code >= _SWELL else ("sag", _SAG)
    return {
        "number": number,
        "time": f"{time_text(record.utc_s())[:-1]}.{record.field(5):02}Z",
        "kind": kind,
        "phase": f"L{code - first + 1}",
        "worst_v": record.field(1) * _MILLI,
    }


def _week(values: "list[int]", phases: int) -> "Answer":
    """Shares in percent, null where nothing was measured."""
    means = values[weeks.MEANS]

    def share(place: int, of: int) -> "float | None":
        return round(100 * values[place] / of, 3) if of else None

    def of_phases(first: int) -> "list[float | None]":
        return [share(first + phase, means) for phase in range(phases)]

    frequencies = values[weeks.FREQUENCIES]
    sags, swells, failures = values[weeks.SAGS : weeks.SAGS + 3]
    bad = values[weeks.VERDICT]
    return {
        "means": means,
        "within_10": of_phases(weeks.WITHIN),
        "within_10_15": of_phases(weeks.WIDELY),
        "thd_8": of_phases(weeks.THD),
        "unbalance_2": share(weeks.UNBALANCE, means),
        "f_1": share(weeks.F_WITHIN, frequencies),
        "f_4_6": share(weeks.F_WIDELY, frequencies),
        "sags": sags,
        "swells": swells,
        "interruptions": failures,
        "bad": [name for place, name in enumerate(_BAD) if bad >> place & 1],
    }
