"""Frames from a recording in place of the mains model (`--replay FILE`).

A frame file is a line of JSON and then little-endian signed 32-bit codes, one per channel,
interleaved. The header gives rate, channels and what a code means in volts and amperes; the
meter is calibrated to that unless `"uncalibrated": true`. The file is read block by block as
the converter asks for frames; after its end the inputs are zero.
"""

import json
from array import array

from fields import FrameFileError, as_bool, as_list, as_number, as_object, check_keys
from micropython import const
from sensors import CODE_MAX, CODE_MIN, SensorScale

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from typing import Protocol

    class _File(Protocol):
        def readline(self, limit: int) -> bytes: ...
        def readinto(self, buffer: memoryview[int]) -> int | None: ...
        def seek(self, offset: int, whence: int = 0) -> int: ...
        def tell(self) -> int: ...
        def close(self) -> None: ...


FORMAT = "frames-1"
_KEYS = (
    "format",
    "rate_hz",
    "channels",
    "u_volt_per_lsb",
    "i_ampere_per_lsb",
    "uncalibrated",
)
_REQUIRED_KEYS = const(5)
_HEADER_MAX = const(65536)
_RATE_MIN_HZ = 100.0
_RATE_MAX_HZ = 200_000.0
_SCALE_MIN = 1e-12  # the meter's scale factors are whole pico units
_SCALE_MAX = 1e6
_BLOCK_FRAMES = const(256)


def _open(path: str) -> "_File":
    return open(path, "rb")  # pyright: ignore[reportUnknownVariableType] - the stubs' gap


def _scale_factors(value: object, name: str, count: int) -> "list[int]":
    """Check a list of scale factors and give them in whole pico units."""
    factors = as_list(value, name)
    if len(factors) != count:
        raise ValueError(f"{name} has {len(factors)} factors for {count} channels")
    result: list[int] = []
    for index, factor in enumerate(factors):
        number = as_number(factor, 0.0, _SCALE_MAX, f"{name}[{index}]")
        if number < _SCALE_MIN:
            raise ValueError(f"{name}[{index}] must be above zero, at least {_SCALE_MIN:g}")
        result.append(int(number * 1e12 + 0.5))
    return result


def _channel_list(value: object, known: "tuple[str, ...]") -> "list[str]":
    """Check the list of channels against those of the meter."""
    names: list[str] = []
    for entry in as_list(value, "channels"):
        name = str(entry)
        if name not in known:
            raise ValueError("channel {} is none of {}".format(name, ", ".join(known)))
        if name in names:
            raise ValueError(f"channel {name} is listed twice")
        names.append(name)
    if not names:
        raise ValueError("channels is empty")
    return names


class Header:
    """First line of a frame file, checked against the channels of the meter."""

    def __init__(self, line: bytes, known: "tuple[str, ...]") -> None:
        try:
            parsed: object = json.loads(line.decode("utf-8"))
        except ValueError:  # UnicodeError is one
            raise ValueError("the first line is not JSON")  # noqa: B904 - no chaining on target
        fields = as_object(parsed, "the first line")
        if fields.get("format") != FORMAT:
            raise ValueError(f'format is {fields.get("format")}, only "{FORMAT}" can be replayed')
        check_keys(fields, _KEYS, _REQUIRED_KEYS)
        rate_hz = as_number(fields["rate_hz"], _RATE_MIN_HZ, _RATE_MAX_HZ, "rate_hz")
        self.rate_mhz = int(rate_hz * 1000 + 0.5)
        self.channels = _channel_list(fields["channels"], known)
        self.uncalibrated = as_bool(fields.get("uncalibrated", False), "uncalibrated")
        voltages = [name for name in self.channels if name[0] == "u"]
        currents = [name for name in self.channels if name[0] == "i"]
        self.u_pv = _scale_factors(fields["u_volt_per_lsb"], "u_volt_per_lsb", len(voltages))
        self.i_pa = _scale_factors(fields["i_ampere_per_lsb"], "i_ampere_per_lsb", len(currents))

    def scale(self, design: SensorScale) -> SensorScale:
        """Return what a code is worth: the header's factors, the design's where it has none."""
        u_pv, i_pa = list(design.u_pv_per_lsb), list(design.i_pa_per_lsb)
        factors_u, factors_i = list(self.u_pv), list(self.i_pa)
        for name in self.channels:
            place = -1 if name == "in" else int(name[1]) - 1
            if name[0] == "u":
                u_pv[place] = factors_u.pop(0)
            else:
                i_pa[place] = factors_i.pop(0)
        # What a recording holds of DC belongs to it; no sensor of ours added it.
        return SensorScale(u_pv, i_pa, True)


class Replay:
    """A frame file as the converter's inputs."""

    def __init__(self, path: str, known: "tuple[str, ...]", design: SensorScale) -> None:
        """Open and check the whole file. Raises FrameFileError, OSError if it cannot be read."""
        self.path = path
        self.channels = known
        self._begin = 0  # conversion that the recording begins with
        self._begun = False
        self._file = _open(path)
        try:
            line = self._file.readline(_HEADER_MAX)
            if not line.endswith(b"\n"):
                raise ValueError("no first line of JSON, ended by a newline")
            self.header = Header(line, known)
            self._start = len(line)
            self._places = [known.index(name) for name in self.header.channels]
            self._block = array("i", bytes(4 * _BLOCK_FRAMES * len(self._places)))
            self.frames = self._check_frames()
        except ValueError as error:
            self._file.close()
            raise FrameFileError(f"{path}: {error}")  # noqa: B904 - no chaining on target
        self.scale = self.header.scale(design)
        self.rate_mhz = self.header.rate_mhz
        self._next = -1  # frame that the file stands at

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def ended(self, frame: int) -> bool:
        """Tell whether `frame` lies behind the recording."""
        return frame >= self.frames

    def _check_frames(self) -> int:
        """Read the file once: whole frames, codes of 24 bits. Returns how many frames."""
        width = len(self._places)
        self._file.seek(0, 2)
        frames, rest = divmod(self._file.tell() - self._start, 4 * width)
        if rest:
            raise ValueError(f"the file ends in the middle of frame {frames}")
        if frames == 0:
            raise ValueError("no frames after the first line")
        self._next = -1
        done = 0
        while done < frames:
            count = min(_BLOCK_FRAMES, frames - done)
            self._read(done, count)
            codes = memoryview(self._block)[: count * width]
            if max(codes) > CODE_MAX or min(codes) < CODE_MIN:
                for index, code in enumerate(codes):
                    if not CODE_MIN <= code <= CODE_MAX:
                        frame, channel = divmod(index, width)
                        raise ValueError(
                            f"frame {done + frame}, {self.header.channels[channel]}: "
                            f"{code} does not fit in 24 bits"
                        )
            done += count
        return frames

    def _read(self, first: int, count: int) -> None:
        """Bring `count` frames of the file into the block. Raises OSError if they are gone."""
        width = len(self._places)
        if first != self._next:
            self._file.seek(self._start + 4 * width * first)
        # Every host that MicroPython's unix port or CPython is run on here is little-endian.
        got = self._file.readinto(memoryview(self._block)[: width * count])
        if got != 4 * width * count:
            raise OSError(f"{self.path} has become shorter while it was replayed")
        self._next = first + count

    def begin(self, first: int) -> None:
        """Let the recording begin with conversion `first`, the first that is captured.

        Later captures, after a reset of the meter, find the recording where time has brought it.
        """
        if not self._begun:
            self._begin = first
            self._begun = True

    def samples(self, out: "array[int]", first: int, count: int) -> None:
        """Fill `out` with the conversions `first`..: the recording's, zero where it has none."""
        width = len(self.channels)
        for index in range(width * count):
            out[index] = 0
        first -= self._begin
        position = width * min(count, max(0, -first))
        count += min(0, first)
        first = max(0, first)
        last = min(first + count, self.frames)
        while first < last:
            frames = min(_BLOCK_FRAMES, last - first)
            self._read(first, frames)
            for channel, place in enumerate(self._places):
                source = channel
                for target in range(position + place, position + width * frames, width):
                    out[target] = self._block[source]
                    source += len(self._places)
            position += width * frames
            first += frames
