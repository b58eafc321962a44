"""The last two cycles as a profile, and their harmonics as another: 1-0:99.140.0 and .1.

Both are class 7 without memory: reading the buffer captures what is measured now and makes the
rows one by one while they are sent. A row of the first is one frame; 0-0:128.50.0 tells how many
come in 1000 seconds. Row n of the second is the RMS of harmonic n, as far as the frame rate tells
them (the first row is the fundamental). The columns are the meter's voltages and currents; they
name the RMS registers, whose scaler and unit they have. Manufacturer-specific names; the buffer is
empty until two cycles have been measured.
"""

from micropython import const

from app.attributes import SCOPE_OF_ACCESS_VIOLATED
from app.axdr import UINT32
from app.cosem import access
from app.cosem.data import Data
from app.cosem.profile_generic import ProfileGeneric
from app.cosem.values import Simple
from app.errors import AccessRefused
from app.rows import RowSource, pack_objects

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.axdr import Writer
    from app.clock import Clock
    from app.cosem.base import Key, Selection, Session
    from app.cosem.objects import Objects
    from app.rows import CaptureObject
    from hal import FrameSource
    from metrology.engine import Engine
    from metrology.waveform import Capture

_WAVE = const(0)
_HARMONICS = const(1)
_UV_PER_STEP = const(10_000)  # of 1-0:32.7.0
_UA_PER_STEP = const(1_000)  # of 1-0:31.7.0
_NO_ROWS = RowSource()


class WaveformProfile(ProfileGeneric):
    """Profile generic without rows of its own; the key of an instance says which of the two it is.

    Each reading has its own capture, so that it is of one piece however long it takes.
    """

    def __init__(self, clock: "Clock", engine: "Engine", channels: int) -> None:
        super().__init__(clock)
        self._engine = engine
        self._channels = channels

    def get(
        self, writer: "Writer", key: "Key", index: int, session: "Session"
    ) -> "Iterator[None] | None":
        """Encode an attribute."""
        if index == 2:
            return self._rows(writer, key)
        if index == 3:
            writer.raw(self._columns())
        elif index >= 7:
            writer.uint32(_count(self._capture(), key))
        else:
            return super().get(writer, _NO_ROWS, index, session)
        return None

    def select(
        self,
        writer: "Writer",
        key: "Key",
        index: int,
        session: "Session",
        selection: "Selection",
    ) -> "Iterator[None]":
        """Refuse: what is captured anew at each reading has no entries to choose from."""
        raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)

    def _capture(self) -> "Capture | None":
        try:
            return self._engine.capture()
        except ValueError:
            return None

    def _columns(self) -> bytes:
        objects: list[CaptureObject] = []
        for channel in range(self._channels):
            c = 32 - channel % 2 + channel // 2 * 20  # U is 32, 52, 72; I is 31, 51, 71
            if channel == self._channels - 1 and self._channels % 2:
                c = 91
            objects.append((3, bytes((1, 0, c, 7, 0, 255)), 2, 0))
        return pack_objects(objects)

    def _rows(self, writer: "Writer", key: int) -> "Iterator[None]":
        capture = self._capture()
        count = _count(capture, key)
        writer.array(count)
        if capture is None:
            return
        primary = self._engine.energies.primary  # currents before a transformer, as registers
        yield
        for row in range(count):
            writer.structure(self._channels)
            for channel in range(self._channels):
                if key == _WAVE:
                    micro = capture.micro(channel, row)
                else:
                    micro = capture.harmonic(channel, row + 1)
                if channel % 2 == 0 and channel < self._channels - self._channels % 2:
                    writer.int32((micro + _UV_PER_STEP // 2) // _UV_PER_STEP)
                else:
                    writer.int32((primary(micro) + _UA_PER_STEP // 2) // _UA_PER_STEP)
            yield


def _count(capture: "Capture | None", key: int) -> int:
    if capture is None:
        return 0
    return capture.count if key == _WAVE else capture.orders


def add(objects: "Objects", clock: "Clock", engine: "Engine", frames: "FrameSource") -> None:
    """Put both profiles, and the frame rate in millihertz, into the catalogue."""
    profile = WaveformProfile(clock, engine, frames.channels)
    for key in (_WAVE, _HARMONICS):
        objects.add((1, 0, 99, 140, key), profile, key, access.READINGS)
    rate = Simple(UINT32, lambda: frames.rate_mhz)
    objects.add((0, 0, 128, 50, 0), Data(), rate, access.READINGS)
