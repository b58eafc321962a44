"""The last tenths of a second of the waves, thinned out, for records of disturbances.

The engine lays every so many-th frame into a ring that its owner gives, 16 bits a channel; the
owner says when the ring is to stand still, some frames after what it saw. What lies above half of
the thinned rate folds back.
"""

from array import array

from micropython import const

from metrology import waveform_kernel

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from metrology.engine import Engine

_RATE_MHZ = const(2_000_000)  # of the frames that are kept, at least, if there are as many

# The kernel's state, see there
_WORDS = const(0)
_TAKEN = const(1)
_EVERY = const(2)
_LEFT = const(3)
_SLOTS = const(4)
_SLOT = const(5)
_KEPT = const(6)
_GO = const(7)
_STATE = const(8)
_FOR_EVER = const(0)
_STILL = const(1)


class Snapshot:
    """Voltages and currents of all phases in `ring`, 16-bit little-endian words.

    channels: u1 i1 u2 i2 u3 i3, or u1 i1; slots: frames the ring holds
    rate_mhz: frames kept in 1000 s
    """

    def __init__(self, engine: "Engine", words: int, ring: "memoryview") -> None:
        """Follow an engine whose frames have `words` words."""
        self.channels = 2 * engine.quantities.phases
        self.slots = len(ring) // (2 * self.channels)
        every = max(1, engine.rate_mhz // _RATE_MHZ)
        self.rate_mhz = engine.rate_mhz // every
        self._ring = ring
        self._state = array("i", bytes(4 * _STATE))
        self._state[_WORDS] = words
        self._state[_TAKEN] = self.channels
        self._state[_EVERY] = every
        self._state[_SLOTS] = self.slots
        engine.keepers.append(self)

    @property
    def kept(self) -> int:
        """How many frames in the ring follow each other; the newest lies before `slot`."""
        return self._state[_KEPT]

    @property
    def slot(self) -> int:
        """Where the next frame goes."""
        return self._state[_SLOT]

    @property
    def still(self) -> bool:
        """Tell whether the ring stands still."""
        return self._state[_GO] == _STILL

    def add(self, frames: "array[int]", count: int) -> None:
        """Keep what is to be kept of a block of frames. Allocates nothing."""
        waveform_kernel.thin(count, frames, self._state, self._ring)  # pyright: ignore[reportArgumentType]

    def stop_after(self, frames: int) -> None:
        """Let the ring stand still when it has taken so many frames more. Allocates nothing."""
        self._state[_GO] = frames + _STILL

    def clear(self) -> None:
        """Frames are missing: what was kept does not join what comes."""
        if not self.still:
            self._state[_KEPT] = 0

    def go_on(self) -> None:
        """Begin anew."""
        self._state[_KEPT] = 0
        self._state[_GO] = _FOR_EVER
