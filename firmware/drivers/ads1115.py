"""ADS1115 (TI SBAS444): slow auxiliary inputs, and an entry-level single-phase front end.

The chip is driven by Adafruit's ADS1x15 driver, which the board puts on drivers/busio_adapter.py.
Mux numbers are the chip's own: 0 is AIN0 against AIN1, 3 is AIN2 against AIN3, 4 to 7 are AIN0 to
AIN3 against ground.

One converter at 860 conversions a second measures voltage and current in turns, some 350 times a
second each. docs/front-ends.md says what that can measure and what it cannot: it is right for the
fundamental alone.
"""

import asyncio
import math
import time
from array import array

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Chip(Protocol):
        """adafruit_ads1x15.ads1115.ADS1115, as far as it is used here."""

        gain: float
        data_rate: int
        mode: int

        def read(self, pin: int) -> int:
            """Convert the mux setting once and return the signed code; waits for the result."""
            ...

    class Bus(Protocol):
        """drivers.busio_adapter.BusI2c."""

        def allow(self, transfers: int) -> None:
            """Bound the transfers of what follows."""
            ...


_SINGLE = const(0x0100)  # one conversion when asked: adafruit_ads1x15's Mode.SINGLE
_FASTEST = const(860)
# A conversion takes 1.2 ms, 1.3 with a slow oscillator; a poll at least 0.1 ms on a 400 kHz bus.
_TRANSFERS = const(100)
_SLOW_TRANSFERS = const(4000)

# Full scale in microvolt by gain (data sheet, PGA)
_FULL_SCALE_UV = {
    2 / 3: 6_144_000,
    1: 4_096_000,
    2: 2_048_000,
    4: 1_024_000,
    8: 512_000,
    16: 256_000,
}

_RATE_HZ = const(1000)  # of the frames that are made
_FRAME_US = const(1000)
_QUEUE = const(64)
_BATCH = const(8)
_SINE_STEP_US = const(2)  # 5 KB of table; a step is 0.03 degrees at 50 Hz
_SINE_ONE = const(16384)
_PAUSE_MS = const(100)


def full_scale_uv(gain: float) -> int:
    """Input that gives the highest code. Raises ValueError for a gain the chip has not."""
    if gain not in _FULL_SCALE_UV:
        raise ValueError("ADS1115: gain")
    return _FULL_SCALE_UV[gain]


class AuxiliaryInputs:
    """Slow voltages around the meter: battery, temperature. Each reading waits for the chip."""

    def __init__(self, chip: "Chip", bus: "Bus") -> None:
        self._chip = chip
        self._bus = bus

    def microvolt(self, mux: int, gain: float = 1) -> int:
        """Return the voltage at the chip's pins. Raises OSError if the chip does not answer."""
        scale = full_scale_uv(gain)
        if not 0 <= mux <= 7:
            raise ValueError("ADS1115: mux")
        self._bus.allow(_SLOW_TRANSFERS)
        if self._chip.gain != gain:
            self._chip.gain = gain
        return self._chip.read(mux) * scale // 32768

    def battery_mv(self, mux: int, upper_ohm: int, lower_ohm: int) -> int:
        """Return a battery's voltage behind a divider."""
        return self.microvolt(mux) * (upper_ohm + lower_ohm) // (lower_ohm * 1000)

    def temperature_cdeg(self, mux: int, zero_uv: int = 500_000, per_k_uv: int = 10_000) -> int:
        """Return hundredths of a degree Celsius of a linear sensor, by default an MCP9700."""
        return (self.microvolt(mux) - zero_uv) * 100 // per_k_uv


class Ads1115Frames:
    """Frames u, i at 1 kHz out of alternating conversions, each set in place by the time it began.

    Between two samples of a channel the mains' own sine is drawn through both: exact for the
    fundamental at any spacing, wrong for everything else.

    `connect` makes Adafruit's driver, which asks for the chip at once: ValueError, there is none.
    """

    def __init__(
        self,
        connect: "Callable[[], Chip]",
        bus: "Bus",
        voltage_mux: int = 0,
        current_mux: int = 3,
        gain: float = 2,
        mains_hz: int = 50,
    ) -> None:
        full_scale_uv(gain)
        if not 0 <= voltage_mux <= 7 or not 0 <= current_mux <= 7:
            raise ValueError("ADS1115: mux")
        if mains_hz not in (50, 60):
            raise ValueError("ADS1115: mains frequency")
        self.rate_mhz = _RATE_HZ * 1000
        self.channels = 2
        self.lost = 0
        self.errors = 0
        self.skew_ns = [0]  # frames are drawn for one time
        self._connect = connect
        self._chip: Chip | None = None
        self._bus = bus
        self._gain = gain
        self._mux = (voltage_mux, current_mux)
        quarter_us = 250_000 // mains_hz
        self._gap_max_us = quarter_us  # farther apart, two samples do not tell the sine
        self._sine = array(
            "h",
            [
                round((_SINE_ONE - 1) * math.sin(math.pi / 2 * k * _SINE_STEP_US / quarter_us))
                for k in range(quarter_us // _SINE_STEP_US + 2)
            ],
        )
        # The last two samples of each channel and when their conversions began
        self._codes = [0, 0, 0, 0]
        self._times_us = [0, 0, 0, 0]
        self._known = 0  # samples since the start or the last failure
        self._frame_us = 0  # time of the next frame, relative to the base
        self._base_us = time.ticks_us()
        self._queue = array("i", bytes(8 * _QUEUE))
        self._queued = 0

    def start(self) -> None:
        """Configure the chip. Raises OSError if it does not answer."""
        self._known = 0
        self._queued = 0
        self._base_us = time.ticks_us()
        self._frame_us = 0
        self._bus.allow(_SLOW_TRANSFERS)
        try:
            chip = self._connect()
        except ValueError:
            raise OSError("ADS1115: no answer") from None
        chip.mode = _SINGLE
        chip.data_rate = _FASTEST
        chip.gain = self._gain
        self._chip = chip

    async def wait(self) -> None:
        """Convert until some frames are ready; each conversion keeps the processor 1.4 ms.

        Returns without any, after a while, if the chip does not answer: that time is lost.
        """
        while self._queued < _BATCH:
            try:
                self._sample(self._known & 1)
            except OSError:
                self.errors += 1
                self._known = 0
                await asyncio.sleep_ms(_PAUSE_MS)
                self._skip(self._now_us())
                return
            self._make_frames()
            await asyncio.sleep_ms(0)

    def take(self, frames: "array[int]", limit: int) -> int:
        """Move up to `limit` frames into `frames` and return how many; 0 if none is ready."""
        count = min(limit, self._queued)
        queue = self._queue
        for k in range(2 * count):
            frames[k] = queue[k]
        left = self._queued - count
        for k in range(2 * left):
            queue[k] = queue[2 * count + k]
        self._queued = left
        return count

    def _now_us(self) -> int:
        """Time since the base, which follows so that it never grows large."""
        return time.ticks_diff(time.ticks_us(), self._base_us)

    def _sample(self, channel: int) -> None:
        if self._chip is None:
            raise OSError("ADS1115: not started")
        self._bus.allow(_TRANSFERS)
        began_us = self._now_us()
        code = self._chip.read(self._mux[channel])
        at = 2 * channel
        self._codes[at] = self._codes[at + 1]
        self._times_us[at] = self._times_us[at + 1]
        self._codes[at + 1] = code
        self._times_us[at + 1] = began_us
        self._known += 1

    def _make_frames(self) -> None:
        """Frames of the time that both channels' last two samples enclose."""
        times = self._times_us
        if self._known < 4:
            return  # nothing to draw a sine through; the time that passes is counted below
        # after a pause, and at the very start, the frames before cannot be known
        self._skip(max(times[0], times[2]))
        if times[1] - times[0] > self._gap_max_us or times[3] - times[2] > self._gap_max_us:
            return  # too far apart: lost when the next pair comes
        end_us = min(times[1], times[3])
        while self._frame_us <= end_us and self._queued < _QUEUE:
            at = 2 * self._queued
            self._queue[at] = self._between(0) << 8
            self._queue[at + 1] = self._between(2) << 8
            self._queued += 1
            self._frame_us += _FRAME_US
        self._follow(min(times[0], times[2], self._frame_us))

    def _skip(self, until_us: int) -> None:
        """Count the frames before this time as lost."""
        missing = (until_us - self._frame_us + _FRAME_US - 1) // _FRAME_US
        if missing > 0:
            self.lost += missing
            self._frame_us += missing * _FRAME_US
            if not self._known:
                self._follow(self._frame_us)

    def _follow(self, shift_us: int) -> None:
        """Move the base by whole frames, so that times stay small for ever."""
        shift_us -= shift_us % _FRAME_US
        self._base_us = time.ticks_add(self._base_us, shift_us)
        self._frame_us -= shift_us
        for k in range(4):
            self._times_us[k] -= shift_us

    def _between(self, at: int) -> int:
        """The channel's code at the next frame's time, limited to 16 bits."""
        first_us = self._times_us[at]
        second_us = self._times_us[at + 1]
        sine = self._sine
        half = _SINE_STEP_US // 2
        below = sine[(self._frame_us - first_us + half) // _SINE_STEP_US]
        above = sine[(second_us - self._frame_us + half) // _SINE_STEP_US]
        whole = sine[(second_us - first_us + half) // _SINE_STEP_US]
        code = (self._codes[at] * above + self._codes[at + 1] * below) // whole
        return max(-32768, min(32767, code))
