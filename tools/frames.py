"""Frame files on the PC: the raw ADC frames that the virtual meter replays and `measure` reads.

One line of JSON, ended by a newline, then little-endian signed 32-bit integers, one per channel,
interleaved. The header's scale factors are the sensor's truth: what one code means at the mains
side. Codes stay within the 24 bits of the meter's converter; anything else is refused with the
frame and channel it stands in, because a meter could never have taken it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = "frames-1"
CODE_MIN = -(1 << 23)
CODE_MAX = (1 << 23) - 1
MAX_HEADER_BYTES = 65536
MAX_RATE_HZ = 1_000_000.0

# Channels in the order of a meter's frame, for one and for three phases; the neutral may follow.
ORDER = ("u1", "i1", "u2", "i2", "u3", "i3", "in")


class FrameFileError(Exception):
    """The file cannot be used; the text is one line and says where."""


@dataclass
class Header:
    """First line of a frame file; scale factors are listed in the order of the channels."""

    rate_hz: float
    channels: list[str]
    u_volt_per_lsb: list[float]
    i_ampere_per_lsb: list[float]
    uncalibrated: bool = False

    def phases(self) -> list[int]:
        """Numbers of the phases that have both voltage and current."""
        return [n for n in (1, 2, 3) if f"u{n}" in self.channels and f"i{n}" in self.channels]

    def scale_of(self, channel: str) -> float:
        """Volt or ampere that one code of `channel` means."""
        kind = [name for name in self.channels if name[0] == channel[0]]
        scales = self.u_volt_per_lsb if channel[0] == "u" else self.i_ampere_per_lsb
        return scales[kind.index(channel)]


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FrameFileError(f"header: {name} is not a number")
    number = float(value)
    if not math.isfinite(number):
        raise FrameFileError(f"header: {name} is not finite")
    if number <= 0:
        raise FrameFileError(f"header: {name} is {value}, it must be above zero")
    return number


def _scales(fields: dict[str, Any], name: str, count: int) -> list[float]:
    values = fields.get(name)
    if not isinstance(values, list):
        raise FrameFileError(f"header: {name} is missing or not a list")
    if len(values) != count:
        raise FrameFileError(f"header: {name} has {len(values)} factors for {count} channels")
    return [_number(value, f"{name}[{index}]") for index, value in enumerate(values)]


def _check_channels(channels: object) -> list[str]:
    if not isinstance(channels, list) or not channels:
        raise FrameFileError("header: channels is missing or not a list")
    for name in channels:
        if name not in ORDER:
            raise FrameFileError(f"header: unknown channel {name!r}, known are {', '.join(ORDER)}")
        if channels.count(name) > 1:
            raise FrameFileError(f"header: channel {name} is listed twice")
    for phase in (1, 2, 3):
        if (f"u{phase}" in channels) != (f"i{phase}" in channels):
            raise FrameFileError(f"header: phase {phase} needs both u{phase} and i{phase}")
    phases = [phase for phase in (1, 2, 3) if f"u{phase}" in channels]
    if phases != list(range(1, len(phases) + 1)) or not phases:
        raise FrameFileError("header: phases start at u1, i1 and leave no gap")
    return channels


def parse_header(line: bytes) -> Header:
    """Check the JSON line of a frame file."""
    try:
        fields = json.loads(line.decode("utf-8"))
    except ValueError as error:
        raise FrameFileError(f"header is not a line of JSON: {error}") from error
    if not isinstance(fields, dict):
        raise FrameFileError("header is not a JSON object")
    if fields.get("format") != FORMAT:
        raise FrameFileError(f"format is {fields.get('format')!r}, only {FORMAT!r} is known")
    rate_hz = _number(fields.get("rate_hz"), "rate_hz")
    if rate_hz > MAX_RATE_HZ:
        raise FrameFileError(f"header: rate_hz is {rate_hz:g}, at most {MAX_RATE_HZ:g}")
    channels = _check_channels(fields.get("channels"))
    voltages = sum(1 for name in channels if name[0] == "u")
    uncalibrated = fields.get("uncalibrated", False)
    if not isinstance(uncalibrated, bool):
        raise FrameFileError("header: uncalibrated is neither true nor false")
    return Header(
        rate_hz,
        channels,
        _scales(fields, "u_volt_per_lsb", voltages),
        _scales(fields, "i_ampere_per_lsb", len(channels) - voltages),
        uncalibrated,
    )


def check_codes(header: Header, samples: np.ndarray) -> None:
    """Refuse codes that a 24-bit converter cannot give."""
    wrong = (samples < CODE_MIN) | (samples > CODE_MAX)
    if wrong.any():
        frame, channel = (int(index) for index in np.argwhere(wrong)[0])
        raise FrameFileError(
            f"frame {frame}, channel {header.channels[channel]}: "
            f"{int(samples[frame, channel])} does not fit in 24 bits"
        )


def read(path: Path | str) -> tuple[Header, np.ndarray]:
    """Read a whole frame file: the header and an array of shape (frames, channels)."""
    with Path(path).open("rb") as file:
        line = file.readline(MAX_HEADER_BYTES + 1)
        if not line.endswith(b"\n"):
            what = "too long" if len(line) > MAX_HEADER_BYTES else "not ended by a newline"
            raise FrameFileError(f"header is {what}" if line else "file is empty")
        header = parse_header(line)
        body = file.read()
    size = 4 * len(header.channels)
    if len(body) % size:
        raise FrameFileError(
            f"last frame is cut: {len(body) % size} of {size} bytes after frame "
            f"{len(body) // size - 1}"
        )
    if not body:
        raise FrameFileError("no frames after the header")
    samples = np.frombuffer(body, dtype="<i4").reshape(-1, len(header.channels))
    check_codes(header, samples)
    return header, samples


def write(path: Path | str, header: Header, samples: np.ndarray) -> None:
    """Write a frame file; `samples` holds codes, shape (frames, channels)."""
    if samples.ndim != 2 or samples.shape[1] != len(header.channels):
        raise FrameFileError(f"samples do not have {len(header.channels)} channels")
    check_codes(header, samples)
    fields: dict[str, Any] = {
        "format": FORMAT,
        "rate_hz": header.rate_hz,
        "channels": header.channels,
        "u_volt_per_lsb": header.u_volt_per_lsb,
        "i_ampere_per_lsb": header.i_ampere_per_lsb,
    }
    if header.uncalibrated:
        fields["uncalibrated"] = True
    line = json.dumps(fields).encode() + b"\n"
    parse_header(line)  # what this module writes, it reads
    Path(path).write_bytes(line + samples.astype("<i4").tobytes())


def quantise(values: dict[str, np.ndarray], rate_hz: float) -> tuple[Header, np.ndarray]:
    """Turn volts and amperes into codes, each channel with a scale of its own.

    The largest value of a channel becomes 15/16 of full scale, so that rounding stays below one
    part in ten million of it; a channel without any signal gets a scale of one micro unit.
    """
    channels = [name for name in ORDER if name in values]
    columns, u_scales, i_scales = [], [], []
    for name in channels:
        peak = float(np.max(np.abs(values[name])))
        scale = peak / (CODE_MAX * 15 // 16) if peak > 0 else 1e-6
        # Whole picovolts or picoamperes, as the meter's own scale factors are, without loss.
        scale = max(math.ceil(scale * 1e12), 1) * 1e-12
        columns.append(np.rint(values[name] / scale).astype(np.int64))
        (u_scales if name[0] == "u" else i_scales).append(scale)
    header = Header(float(rate_hz), channels, u_scales, i_scales)
    return header, np.column_stack(columns)


def is_frame_file(path: Path | str) -> bool:
    """Tell whether the file starts as a frame file does; the rest may still be broken."""
    with Path(path).open("rb") as file:
        return file.read(1) == b"{"
