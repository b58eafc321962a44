"""Drivers of glass and relay on their models."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, Pin, Spi
from devices import latching_relay as relay_model
from devices import st7567 as glass_model

from drivers import st7567
from drivers.latching_relay import LatchingRelay


class Glass:
    def __init__(self, monkeypatch, rotated=False):
        self.bench = Bench()
        monkeypatch.setattr(st7567, "time", self.bench)
        self.chip = glass_model.St7567(rotated)
        self.chip.power(False)
        self.chip.power(True)
        self.spi = Spi(self.chip)
        self.driver = st7567.St7567(
            self.spi,
            self.spi.cs,
            Pin(self.chip.set_dc, level=0),
            Pin(self.chip.set_reset),
            Pin(self.chip.set_backlight),
            flipped=rotated,
        )

    def dots(self):
        return {(x, y) for y in range(64) for x in range(128) if self.chip.pixel(x, y)}


@pytest.mark.parametrize("rotated", [False, True])
def test_picture_stands_upright_on_the_glass(monkeypatch, rotated):
    rig = Glass(monkeypatch, rotated)
    rig.driver.start()
    assert rig.chip.visible()
    assert rig.dots() == set()
    rng = random.Random(7)
    for index in range(1024):
        rig.driver.buffer[index] = rng.randrange(256)
    rig.driver.show()
    wanted = {
        (x, 8 * page + bit)
        for page in range(8)
        for x in range(128)
        for bit in range(8)
        if rig.driver.buffer[128 * page + x] >> bit & 1
    }
    assert rig.dots() == wanted


@pytest.mark.parametrize("fault", [True, False])
def test_glass_is_refreshed_without_a_blank_and_after_a_discharge(monkeypatch, fault):
    rig = Glass(monkeypatch)
    rig.driver.start()
    rig.driver.buffer[77] = 0x3C
    rig.driver.show()
    wanted = rig.dots()
    assert len(wanted) == 4
    if fault:
        rig.chip.set_reset(0)
        rig.chip.set_reset(1)
        rig.driver.show()
        assert not rig.chip.visible()
    seen = []
    taken = rig.driver._cs.value
    monkeypatch.setattr(
        rig.driver, "_cs", Pin(lambda level: (taken(level), seen.append(rig.dots())))
    )
    rig.driver.refresh()
    assert rig.chip.visible() and rig.dots() == wanted
    if not fault:
        assert seen and all(dots == wanted for dots in seen)


def test_only_the_pages_asked_for_are_sent(monkeypatch):
    rig = Glass(monkeypatch)
    rig.driver.start()
    for index in range(1024):
        rig.driver.buffer[index] = 1
    sent = rig.chip.writes
    rig.driver.show(3, 4)
    assert rig.chip.writes - sent == 256
    assert rig.dots() == {(x, y) for x in range(128) for y in (24, 32)}
    for pages in ((-1, 0), (0, 8), (5, 4)):
        with pytest.raises(ValueError, match="pages"):
            rig.driver.show(*pages)


def test_contrast_and_backlight(monkeypatch):
    rig = Glass(monkeypatch)
    assert rig.chip.backlight == 0
    rig.driver.start()
    rig.driver.contrast(63)
    rig.driver.backlight(True)
    assert (rig.chip.contrast, rig.chip.backlight) == (63, 1)
    rig.driver.backlight(False)
    assert rig.chip.backlight == 0
    for level in (-1, 64):
        with pytest.raises(ValueError, match="contrast"):
            rig.driver.contrast(level)


def test_start_again_after_power_loss(monkeypatch):
    rig = Glass(monkeypatch)
    rig.driver.start()
    rig.chip.power(False)
    rig.chip.power(True)
    assert not rig.chip.visible()
    rig.driver.start()
    assert rig.chip.visible()
    assert rig.dots() == set()


class Timer:
    """machine.Timer on the bench."""

    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, bench):
        self._bench = bench
        self._life = 0

    def init(self, *, mode, period, callback, hard=False):
        assert hard, "a coil must be switched off even if the program hangs"
        self._life += 1
        self._next(self._life, mode, period, callback)

    def deinit(self):
        self._life += 1

    def _next(self, life, mode, period, callback):
        def fire():
            if life == self._life:
                if mode == self.PERIODIC:
                    self._next(life, mode, period, callback)
                callback(self)

        self._bench.at(self._bench.us + period * 1000, fire)


class Relay:
    def __init__(self, sensed=True):
        self.bench = Bench()
        self.chip = relay_model.LatchingRelay(None, self.bench.now_us, self.bench.at)
        self.edges = []
        sense = Pin(read=self.chip.sense) if sensed else None
        self.driver = LatchingRelay(
            Pin(self.follow("open", self.chip.set_open), level=1),
            Pin(self.follow("close", self.chip.set_close), level=1),
            sense,
            Timer(self.bench),
        )
        self.edges.clear()

    def follow(self, name, setter):
        def driven(level):
            setter(level)
            self.edges.append((self.bench.us, name, level))

        return driven

    def run_ms(self, ms):
        self.bench.run(ms * 1000)


def test_pulse_ends_by_itself_and_the_contact_is_confirmed():
    rig = Relay()
    assert rig.driver.closed()
    assert rig.driver.confirmed()
    rig.driver.open()
    assert rig.chip.energised()
    assert not rig.driver.confirmed()
    rig.run_ms(1000)
    assert rig.edges == [(0, "open", 1), (50_000, "open", 0)]
    assert not rig.driver.closed()
    assert rig.driver.confirmed()
    assert not rig.driver.busy()


def test_second_request_waits_for_the_pause_and_the_last_one_counts():
    rig = Relay()
    rig.driver.open()
    rig.run_ms(20)
    rig.driver.close()
    rig.driver.open()
    rig.driver.close()
    rig.run_ms(479)
    assert rig.driver.busy()
    assert not rig.driver.closed()
    rig.run_ms(1)
    rig.run_ms(1000)
    assert rig.edges == [
        (0, "open", 1),
        (50_000, "open", 0),
        (500_000, "close", 1),
        (550_000, "close", 0),
    ]
    assert rig.driver.closed()
    assert rig.driver.confirmed()
    assert not rig.driver.busy()


@pytest.mark.parametrize("seed", range(20))
def test_no_storm_of_requests_harms_the_coils(seed):
    print("seed", seed)
    rng = random.Random(seed)
    rig = Relay()
    last = None
    for _ in range(100):
        last = rng.choice((rig.driver.open, rig.driver.close))
        last()
        rig.run_ms(rng.choice((0, 1, 49, 50, 51, 499, 500, 501, rng.randrange(1200))))
    rig.run_ms(2000)
    assert rig.driver.closed() == (last == rig.driver.close)
    assert rig.driver.confirmed()
    assert (rig.chip.both_coils, rig.chip.hurried, rig.chip.burnt) == (0, 0, False)
    assert not rig.chip.energised()


def test_welded_contact_is_not_confirmed():
    rig = Relay()
    rig.chip.fault("stuck")
    rig.driver.open()
    rig.run_ms(1000)
    assert rig.driver.closed()
    assert not rig.driver.confirmed()


def test_without_sense_contact_the_last_order_stands():
    rig = Relay(sensed=False)
    assert not rig.driver.closed()
    rig.driver.close()
    assert rig.driver.closed()
    rig.run_ms(600)
    rig.driver.open()
    assert not rig.driver.closed()
