"""Driver of the metering front end on the converters' model."""

import asyncio
import sys
from array import array
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, Pin, Spi
from devices import ads131m0x as model

from drivers import ads131m0x

CLOCK_HZ = 8_192_000


class Flag:
    """asyncio.ThreadSafeFlag as far as the driver uses it."""

    def __init__(self):
        self.sets = 0

    def set(self):
        self.sets += 1

    async def wait(self):
        assert self.sets, "nothing would wake the waiting task"
        self.sets = 0


class Provider:
    """Word w of frame n is n * 10 + w."""

    def __init__(self, words):
        self.words = words

    def samples(self, out, first_index, count):
        for frame in range(count):
            for word in range(self.words):
                out[frame * self.words + word] = (first_index + frame) * 10 + word


class Capture:
    """Reads every frame of the model into the ring when the test says so."""

    def __init__(self, chip):
        self._chip = chip
        self._ring = None
        self._handler = None
        self.total = 0
        self.late = 0
        self.running = False

    def stop(self):
        self.running = False

    def missed(self):
        return self.late

    def start(self, ring, frame_bytes):
        assert not self.running
        self.running = True
        assert len(ring) % frame_bytes == 0
        self._ring = ring
        self._frame_bytes = frame_bytes
        self._chip.skip()

    def count(self):
        return self.total & 0x3FFFFFFF

    def irq(self, handler):
        self._handler = handler

    def beat(self, times=1):
        """About 10 ms without a frame."""
        for _ in range(times):
            self._handler(self)

    def frames(self, count):
        frames = len(self._ring) // self._frame_bytes
        while count:
            place = self.total % frames
            block = min(count, frames - place)
            done = self._chip.clock_frames(self._ring, place * self._frame_bytes, block)
            if not done:
                return
            self.total += done
            count -= done
        self._handler(self)


class Rig:
    def __init__(
        self,
        monkeypatch,
        channels=8,
        roles=(0, 1, 2, 3, 4, 5, 6),
        clock_hz=CLOCK_HZ,
        fitted=None,
        gains=None,
        **more,
    ):
        self.bench = Bench()
        monkeypatch.setattr(ads131m0x, "time", self.bench)
        monkeypatch.setattr(asyncio, "ThreadSafeFlag", Flag, raising=False)
        fitted = fitted or channels
        self.bench.ticks_ms = lambda: self.bench.us // 1000
        self.bench.ticks_diff = lambda a, b: a - b
        self.chip = model.Ads131m0x(
            fitted,
            Provider(fitted),
            fitted,
            list(range(fitted)),
            clock_hz,
            self.bench.now_us,
            self.bench.at,
        )
        self.spi = Spi(self.chip)
        self.capture = Capture(self.chip)
        self.reset = Pin(self.chip.set_reset)
        self.driver = ads131m0x.Ads131m0x(
            self.spi,
            self.spi.cs,
            self.reset,
            Pin(read=self.chip.drdy),
            self.capture,
            channels,
            clock_hz,
            list(roles),
            gains,
            **more,
        )
        self.frames = array("i", [0] * (64 * len(roles)))

    def take(self, limit=64):
        count = self.driver.take(self.frames, limit)
        words = self.driver.channels
        return [list(self.frames[at * words : (at + 1) * words]) for at in range(count)]


def test_start_configures_the_chip_and_frames_come_in_their_roles(monkeypatch):
    rig = Rig(monkeypatch, roles=(6, 0, 3))
    rig.chip._registers.write(4, 0x1111)  # what an earlier life has left
    rig.driver.start()
    assert rig.driver.rate_mhz == 4_000_000
    assert rig.driver.channels == 3
    assert [rig.chip._registers[address] for address in (2, 3, 4)] == [0x0110, 0xFF0E, 0]
    assert rig.take() == []
    rig.capture.frames(40)
    frames = rig.take()
    assert len(frames) == 40
    first = frames[0][1] // 10
    assert frames == [[(first + n) * 10 + w for w in (6, 0, 3)] for n in range(40)]
    assert rig.take() == []
    assert (rig.driver.lost, rig.driver.errors) == (0, 0)


def test_negative_codes_keep_their_sign(monkeypatch):
    rig = Rig(monkeypatch)
    rig.driver.start()
    rig.chip._provider = type(
        "Negative",
        (),
        {"samples": lambda _s, out, _f, n: [out.__setitem__(k, -k - 1) for k in range(8 * n)]},
    )()
    rig.capture.frames(1)
    assert rig.take() == [[-1, -2, -3, -4, -5, -6, -7]]


@pytest.mark.parametrize(("channels", "fitted"), [(8, 4), (4, 8), (8, 6)])
def test_another_chip_is_refused(monkeypatch, channels, fitted):
    rig = Rig(monkeypatch, channels, (0, 1, 2), fitted=fitted)
    with pytest.raises(OSError, match=f"ADS131M0{channels}: identity"):
        rig.driver.start()


def test_dead_chip_is_refused(monkeypatch):
    rig = Rig(monkeypatch)
    rig.chip.fault("dead")
    with pytest.raises(OSError, match="ADS131M08: identity ffff"):
        rig.driver.start()


def test_register_that_does_not_hold_its_value_is_noticed(monkeypatch):
    rig = Rig(monkeypatch)
    rig.chip._registers.write = lambda _address, _value: None
    with pytest.raises(OSError, match="ADS131M08: register 2 is 0510"):
        rig.driver.start()


def test_limit_and_the_ring_s_end(monkeypatch):
    rig = Rig(monkeypatch, 4, (0, 1, 2))
    rig.driver.start()
    taken = []
    for _ in range(60):
        rig.capture.frames(37)
        while True:
            frames = rig.take(20)
            if not frames:
                break
            assert len(frames) <= 20
            taken.extend(frame[0] // 10 for frame in frames)
    assert taken == list(range(taken[0], taken[0] + 60 * 37))
    assert rig.driver.lost == 0


@pytest.mark.parametrize(("ring", "least"), [({}, 450), ({"ring_frames": 256}, 200)])
def test_overrun_is_counted_and_the_newest_frames_are_kept(monkeypatch, ring, least):
    rig = Rig(monkeypatch, **ring)
    rig.driver.start()
    rig.capture.frames(1)
    first = rig.take()[0][0] // 10
    rig.capture.frames(2000)
    taken = []
    while frames := rig.take():
        taken.extend(frame[0] // 10 for frame in frames)
    assert rig.driver.lost + len(taken) == 2000
    assert least <= len(taken) <= ring.get("ring_frames", 512)
    assert taken == list(range(first + 2001 - len(taken), first + 2001))
    assert rig.driver.errors == 0


def test_ring_outlasts_100_ms(monkeypatch):
    rig = Rig(monkeypatch)
    rig.driver.start()
    rig.capture.frames(400 + 40)
    while rig.take():
        pass
    assert rig.driver.lost == 0


def test_count_of_frames_wraps(monkeypatch):
    rig = Rig(monkeypatch)
    rig.capture.total = (1 << 30) - 20
    rig.driver.start()
    rig.capture.frames(40)
    assert len(rig.take()) == 40
    assert rig.driver.lost == 0


def test_broken_frames_repeat_the_one_before_and_are_counted(monkeypatch):
    rig = Rig(monkeypatch)
    rig.driver.start()
    rig.capture.frames(3)
    before = rig.take()
    rig.chip.fault("crc_error", count=2)
    rig.capture.frames(4)
    after = rig.take()
    assert after[:2] == [before[2], before[2]]
    assert after[2][0] == before[2][0] + 30
    assert rig.driver.errors == 2
    assert rig.driver.lost == 0


def test_chip_that_falls_silent_gives_no_frames(monkeypatch):
    rig = Rig(monkeypatch)
    rig.driver.start()
    rig.chip.fault("dead")
    rig.capture.frames(40)
    assert rig.take() == []


def test_waiting_ends_with_the_capture_s_interrupt(monkeypatch):
    rig = Rig(monkeypatch)
    rig.driver.start()
    rig.capture.frames(40)
    asyncio.run(rig.driver.wait())


@pytest.mark.parametrize(
    ("oversampling", "rate_hz", "register"),
    [(1024, 4000, 0xFF0E), (512, 8000, 0xFF0A), (256, 16000, 0xFF06), (128, 32000, 0xFF02)],
)
def test_less_oversampling_gives_more_frames(monkeypatch, oversampling, rate_hz, register):
    """TI SBAS950, CLOCK register: OSR in bits 4 to 2, 000 is 128."""
    rig = Rig(monkeypatch, oversampling=oversampling)
    rig.driver.start()
    assert rig.driver.rate_mhz == rate_hz * 1000
    assert rig.chip._registers[3] == register
    rig.bench.run(10_000)
    assert rig.chip.frames_due() == pytest.approx(rate_hz // 100, abs=1)
    with pytest.raises(ValueError):
        Rig(monkeypatch, oversampling=2048)


def test_rate_of_an_odd_crystal(monkeypatch):
    rig = Rig(monkeypatch, clock_hz=62_888_436)
    assert rig.driver.rate_mhz == 30_707_244
