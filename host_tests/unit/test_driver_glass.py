"""Drivers of the OLED and of the segment glasses on their models."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, I2c, Pin, Spi
from devices import ht1621 as ht1621_model
from devices import ht1622 as ht1622_model
from devices import ssd1306 as ssd1306_model

from drivers import ht1621, ht1622, ssd1306


class Segments:
    def __init__(self, monkeypatch, driver, model, light=True):
        bench = Bench()
        monkeypatch.setattr(ht1621, "time", bench)
        self.chip = model(bench.now_us)
        self.chip.power(False)
        self.chip.power(True)
        self.driver = driver(
            Pin(self.chip.set_cs),
            Pin(self.chip.set_wr),
            Pin(self.chip.set_data, level=0),
            Pin(self.chip.set_backlight, level=0) if light else None,
        )

    def lit(self):
        return {bit for bit in range(4 * self.chip.ADDRESSES) if self.chip.lit(bit)}

    def wanted(self):
        buffer = self.driver.buffer
        return {bit for bit in range(8 * len(buffer)) if buffer[bit >> 3] >> (bit & 7) & 1}


@pytest.fixture(
    params=[
        (ht1621.Ht1621, ht1621_model.Ht1621, 128),
        (ht1622.Ht1622, ht1622_model.Ht1622, 256),
    ],
    ids=["ht1621", "ht1622"],
)
def segments(request, monkeypatch):
    driver, model, bits = request.param
    rig = Segments(monkeypatch, driver, model)
    assert 8 * len(rig.driver.buffer) == bits
    return rig


@pytest.mark.row("DSP-01")
def test_every_segment_is_lit_by_its_bit(segments):
    segments.driver.buffer[0] = 0xFF  # start clears it
    segments.driver.start()
    assert segments.chip.visible() and segments.lit() == set()
    rng = random.Random(11)
    for _ in range(20):
        for index in range(len(segments.driver.buffer)):
            if rng.random() < 0.4:
                segments.driver.buffer[index] = rng.randrange(256)
        segments.driver.show()
        assert segments.lit() == segments.wanted()
    assert not segments.chip.lost_bits


def test_chip_is_set_up_as_the_glass_needs_it(segments):
    segments.chip.clock, segments.chip.testing = "crystal", True
    segments.driver.start()
    assert (segments.chip.clock, segments.chip.testing) == ("rc", False)
    if segments.chip.COMMONS == 4:
        assert (segments.chip.commons, segments.chip.bias) == (4, 3)


def test_only_nibbles_that_changed_are_sent(segments):
    segments.driver.start()
    clocks = []
    taken = segments.chip.set_wr
    segments.driver._wr = Pin(lambda level: (clocks.append(level), taken(level)))
    segments.driver.show()
    assert not clocks
    before = segments.chip.writes
    segments.driver.buffer[3] = 0x10
    segments.driver.buffer[9] = 0xFF
    segments.driver.buffer[10] = 0x01
    segments.driver.show()
    assert segments.chip.writes - before == 4  # half an octet, then three nibbles side by side
    assert clocks.count(1) == (3 + 6 + 4) + (3 + 6 + 12)
    assert segments.lit() == segments.wanted()


def test_nothing_flashes_up_before_the_ram_is_cleared(segments):
    seen = []
    taken = segments.chip.set_cs
    segments.driver._cs = Pin(lambda level: (taken(level), seen.append(len(segments.lit()))))
    segments.driver.start()
    assert set(seen) == {0}


def test_start_again_after_power_loss(segments):
    segments.driver.start()
    segments.driver.buffer[0] = 0x81
    segments.driver.show()
    segments.chip.power(False)
    segments.chip.power(True)
    segments.driver.show()
    assert not segments.chip.visible()
    segments.driver.start()
    assert segments.chip.visible() and segments.lit() == set()


def test_a_glass_that_a_discharge_has_reset_comes_back_with_its_picture(segments):
    segments.driver.start()
    segments.driver.buffer[0] = 0x81
    segments.driver.show()
    before = segments.lit()
    segments.chip.fault("reset")
    segments.chip.ram[3] ^= 5
    segments.driver.show()
    assert not segments.chip.visible()
    segments.driver.refresh()
    assert segments.chip.visible()
    assert segments.lit() == before == segments.wanted()


def test_refreshing_never_blanks_the_glass(segments):
    segments.driver.start()
    segments.driver.buffer[0] = 0x81
    segments.driver.show()
    seen = []
    taken = segments.chip.set_cs
    segments.driver._cs = Pin(lambda level: (taken(level), seen.append(frozenset(segments.lit()))))
    segments.driver.refresh()
    assert seen and set(seen) == {frozenset(segments.wanted())}


def test_backlight(segments, monkeypatch):
    assert segments.chip.backlight == 0
    segments.driver.backlight(True)
    assert segments.chip.backlight == 1
    segments.driver.backlight(False)
    assert segments.chip.backlight == 0
    bare = Segments(monkeypatch, ht1621.Ht1621, ht1621_model.Ht1621, light=False)
    bare.driver.backlight(True)
    assert bare.chip.backlight == 0


class Oled:
    def __init__(self, monkeypatch, by_spi=False, rotated=False):
        self.bench = Bench()
        monkeypatch.setattr(ssd1306, "time", self.bench)
        self.chip = ssd1306_model.Ssd1306(rotated)
        self.chip.power(False)
        self.chip.power(True)
        if by_spi:
            spi = Spi(self.chip)
            dc = Pin(self.chip.set_dc, level=0)
            reset = Pin(self.chip.set_reset)
            self.driver = ssd1306.Ssd1306Spi(spi, spi.cs, dc, reset, flipped=rotated)
        else:
            self.driver = ssd1306.Ssd1306I2c(I2c(self.chip), flipped=rotated)

    def dots(self):
        return {(x, y) for y in range(64) for x in range(128) if self.chip.pixel(x, y)}

    def wanted(self):
        return {
            (x, 8 * page + bit)
            for page in range(8)
            for x in range(128)
            for bit in range(8)
            if self.driver.buffer[128 * page + x] >> bit & 1
        }


@pytest.mark.row("DSP-01")
@pytest.mark.parametrize("by_spi", [False, True])
@pytest.mark.parametrize("rotated", [False, True])
def test_picture_stands_upright_on_the_glass(monkeypatch, by_spi, rotated):
    rig = Oled(monkeypatch, by_spi, rotated)
    rig.driver.buffer[5] = 1  # start clears it
    rig.driver.start()
    assert rig.chip.visible() and rig.dots() == set()
    rng = random.Random(7)
    for index in range(1024):
        rig.driver.buffer[index] = rng.randrange(256)
    rig.driver.show()
    assert rig.dots() == rig.wanted()


@pytest.mark.parametrize("by_spi", [False, True])
def test_only_the_pages_asked_for_are_sent(monkeypatch, by_spi):
    rig = Oled(monkeypatch, by_spi)
    rig.driver.start()
    for index in range(1024):
        rig.driver.buffer[index] = 1
    sent = rig.chip.writes
    rig.driver.show(3, 4)
    assert rig.chip.writes - sent == 256 + 6
    assert rig.dots() == {(x, y) for x in range(128) for y in (24, 32)}
    for pages in ((-1, 0), (0, 8), (5, 4)):
        with pytest.raises(ValueError, match="pages"):
            rig.driver.show(*pages)
    rig.driver.show(0, 0)
    assert len(rig.dots()) == 3 * 128


@pytest.mark.parametrize("by_spi", [False, True])
@pytest.mark.parametrize("fault", [True, False])
def test_an_oled_is_refreshed_without_a_blank_and_after_a_discharge(monkeypatch, by_spi, fault):
    rig = Oled(monkeypatch, by_spi)
    rig.driver.start()
    rig.driver.buffer[77] = 0x3C
    rig.driver.show()
    rig.driver.backlight(True)
    if fault:
        rig.chip.fault("reset")
        rig.driver.show()
        assert rig.dots() == set()
    send = rig.driver._send
    seen = []

    def look(control, octets):
        send(control, octets)
        seen.append(rig.dots())

    monkeypatch.setattr(rig.driver, "_send", look)
    rig.driver.refresh()
    assert rig.dots() == rig.wanted() != set()
    assert rig.chip.backlight
    if not fault:
        assert all(dots == rig.wanted() for dots in seen)


@pytest.mark.parametrize("by_spi", [False, True])
def test_garbage_of_power_on_is_never_seen(monkeypatch, by_spi):
    rig = Oled(monkeypatch, by_spi)
    send = rig.driver._send
    seen = []

    def look(control, octets):
        send(control, octets)
        seen.append(len(rig.dots()))

    monkeypatch.setattr(rig.driver, "_send", look)
    rig.driver.start()
    assert seen and set(seen) == {0} and rig.chip.visible()


def test_dim_without_backlight_and_never_dark(monkeypatch):
    rig = Oled(monkeypatch)
    rig.driver.start()
    assert not rig.chip.backlight and rig.chip.visible()
    rig.driver.backlight(True)
    assert rig.chip.backlight
    rig.driver.backlight(False)
    assert not rig.chip.backlight and rig.chip.visible()


def test_a_glass_that_comes_back_shows_everything_again(monkeypatch):
    """A plug that was pulled, a chip that came late: no error, and the whole picture at last."""
    rig = Oled(monkeypatch)
    rig.chip.fault("dead")
    rig.driver.start()
    rig.driver.backlight(True)
    rig.driver.buffer[0] = 1
    rig.driver.show(0, 1)
    rig.chip.fault("clear")
    rig.driver.show(7, 7)
    assert rig.chip.visible() and rig.chip.backlight
    assert rig.dots() == {(0, 0)}
    rig.chip.fault("dead")
    rig.driver.backlight(False)
    rig.driver.show(3, 3)
    rig.chip.power(False)
    rig.chip.power(True)
    rig.chip.fault("clear")
    rig.driver.buffer[1] = 1
    rig.driver.show(2, 2)
    assert rig.dots() == {(0, 0), (1, 0)} and not rig.chip.backlight
