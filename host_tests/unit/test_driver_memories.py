"""Drivers of F-RAM and flash on the models of their chips."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, File, Spi
from devices import fm25v20 as fram_model
from devices import w25q as flash_model

from drivers import w25q
from drivers.fm25v20 import Fm25v20

SEED = 4711


class Fram:
    def __init__(self):
        bench = Bench()
        self.file = File(0x40000, 0)
        self.chip = fram_model.Fm25v20(self.file, bench.now_us, bench.at)
        spi = Spi(self.chip)
        self.driver = Fm25v20(spi, spi.cs)


class Flash:
    def __init__(self, monkeypatch):
        self.bench = Bench()
        monkeypatch.setattr(w25q, "time", self.bench)
        self.file = File(1 << 24)
        self.chip = flash_model.W25q(self.file, self.bench.now_us, self.bench.at)
        self.spi = Spi(self.chip)
        self.driver = w25q.W25q(self.spi, self.spi.cs)

    def finish(self):
        polls = 0
        while self.driver.busy():
            self.bench.run(100)
            polls += 1
            assert polls < 10_000
        return polls


def test_fram_reads_what_was_written():
    rig = Fram()
    rig.driver.check()
    rng = random.Random(SEED)
    print("seed", SEED)
    mirror = bytearray(0x40000)
    for _ in range(300):
        length = rng.choice((0, 1, 2, 16, 200, 3000))
        address = rng.randint(0, 0x40000 - length)
        data = rng.randbytes(length)
        rig.driver.write(address, data)
        mirror[address : address + length] = data
        at = rng.randint(0, 0x40000 - 64)
        buffer = bytearray(64)
        rig.driver.read_into(at, buffer)
        assert buffer == mirror[at : at + 64]
    assert rig.file.data == mirror


def test_fram_takes_views_and_keeps_both_ends():
    rig = Fram()
    rig.driver.write(0, memoryview(b"\x01"))
    rig.driver.write(0x3FFFF, bytearray(b"\x02"))
    view = memoryview(bytearray(4))
    rig.driver.read_into(0x3FFFF, view[1:2])
    assert bytes(view) == b"\x00\x02\x00\x00"
    assert rig.driver.size == 0x40000


@pytest.mark.parametrize(
    ("address", "length"), [(-1, 1), (0x40000, 1), (0x3FFFF, 2), (0, 0x40001)]
)
def test_fram_refuses_what_is_out_of_range(address, length):
    rig = Fram()
    with pytest.raises(ValueError, match="FM25V20"):
        rig.driver.read_into(address, bytearray(length))
    with pytest.raises(ValueError, match="FM25V20"):
        rig.driver.write(address, bytes(length))
    assert rig.chip.answers()
    rig.driver.check()


def test_fram_that_is_dead_does_not_pass_for_blank():
    rig = Fram()
    rig.chip.fault("dead")
    with pytest.raises(OSError, match="FM25V20: identity ffff"):
        rig.driver.read_into(0, bytearray(1))
    with pytest.raises(OSError, match="FM25V20: identity ffff"):
        rig.driver.write(0, b"x")
    rig.chip.fault("clear")
    rig.driver.write(0, b"x")
    assert rig.file.data[0] == ord("x")


def test_fram_write_is_cut_off_by_power_loss_and_nothing_else():
    rig = Fram()
    rig.driver.write(100, b"old old old")
    rig.chip.fault("tear", after=4)
    rig.driver.write(100, b"new new new")
    assert rig.file.data[100:111] == b"new old old"


def test_flash_programs_and_erases_without_waiting(monkeypatch):
    rig = Flash(monkeypatch)
    rig.driver.check()
    assert rig.driver.size == 1 << 24
    rig.driver.program(0x1234, b"hello")
    assert rig.driver.busy()
    with pytest.raises(OSError, match="busy"):
        rig.driver.erase_sector(0x1000)
    assert rig.finish() == 4
    buffer = bytearray(7)
    rig.driver.read_into(0x1233, buffer)
    assert buffer == b"\xffhello\xff"
    rig.driver.erase_sector(0x1FFF)
    with pytest.raises(OSError, match="busy"):
        rig.driver.erase_sector(0x3000)
    assert rig.finish() == 450
    assert rig.file.data[0x1000:0x2000] == b"\xff" * 4096


def test_flash_is_programmed_page_after_page_and_while_a_sector_is_erased(monkeypatch):
    rig = Flash(monkeypatch)
    rig.file.data[0x1000:0x2000] = bytes(4096)
    rig.driver.check()
    rig.driver.program(0x4000, b"one")
    rig.driver.program(0x4100, b"two")  # waits for the first
    rig.finish()
    rig.driver.erase_sector(0x1000)
    for place in range(10):
        rig.bench.run(1000)
        before_us = rig.bench.us
        rig.driver.program(0x5000 + place, bytes([place]))
        assert rig.bench.us - before_us <= 600
        assert rig.driver.busy()  # the erase goes on
    buffer = bytearray(1)
    rig.driver.read_into(0x5003, buffer)
    assert buffer == b"\x03"
    assert 300 <= rig.finish() <= 360
    assert rig.file.data[0x1000:0x2000] == b"\xff" * 4096
    assert rig.file.data[0x4000:0x4003] + rig.file.data[0x4100:0x4103] == b"onetwo"
    assert rig.file.data[0x5000:0x500A] == bytes(range(10))


def test_flash_programming_clears_bits_only(monkeypatch):
    rig = Flash(monkeypatch)
    rig.driver.check()
    for byte in (0xF0, 0x3C):
        rig.driver.program(0, bytes([byte]))
        rig.finish()
    assert rig.file.data[0] == 0x30


@pytest.mark.parametrize(
    ("address", "length"), [(0, 0), (0, 257), (255, 2), (-1, 1), (1 << 24, 1), ((1 << 24) - 1, 2)]
)
def test_flash_refuses_to_program_across_pages_and_out_of_range(address, length, monkeypatch):
    rig = Flash(monkeypatch)
    rig.driver.check()
    with pytest.raises(ValueError, match="W25Q"):
        rig.driver.program(address, bytes(length))
    assert not rig.driver.busy()


@pytest.mark.parametrize("address", [-1, 1 << 24])
def test_flash_refuses_to_erase_or_read_out_of_range(address, monkeypatch):
    rig = Flash(monkeypatch)
    rig.driver.check()
    with pytest.raises(ValueError, match="W25Q"):
        rig.driver.erase_sector(address)
    with pytest.raises(ValueError, match="W25Q"):
        rig.driver.read_into(address, bytearray(1))


def test_flash_that_still_erases_after_a_restart_is_waited_for(monkeypatch):
    rig = Flash(monkeypatch)
    rig.driver.check()
    rig.driver.erase_sector(0)
    again = w25q.W25q(rig.spi, rig.spi.cs)
    assert again.size == 1 << 24
    assert rig.bench.us >= 45_000


def test_flash_is_missed_when_dead_and_woken_when_asleep(monkeypatch):
    rig = Flash(monkeypatch)
    rig.chip.fault("dead")
    with pytest.raises(OSError, match="W25Q: no answer"):
        rig.driver.check()
    rig.chip.fault("clear")
    rig.spi.cs.value(0)
    rig.spi.write(b"\xb9")
    rig.spi.cs.value(1)
    rig.driver.check()


@pytest.mark.parametrize(
    "identity", [b"\xc2\x20\x18", b"\xef\x40\x0b", b"\xef\x40\x19", b"\0\0\0"]
)
def test_flash_of_another_make_or_size_is_refused(identity, monkeypatch):
    rig = Flash(monkeypatch)
    monkeypatch.setattr(flash_model, "_JEDEC", identity)
    with pytest.raises(OSError, match="W25Q: identity " + identity.hex()):
        rig.driver.check()


def test_flash_that_falls_silent_is_told_from_a_busy_one(monkeypatch):
    rig = Flash(monkeypatch)
    rig.driver.check()
    rig.chip.fault("dead")
    for access in (
        lambda: rig.driver.program(0, b"x"),
        lambda: rig.driver.erase_sector(0),
        lambda: rig.driver.read_into(0, bytearray(1)),
        rig.driver.busy,
    ):
        with pytest.raises(OSError, match="W25Q: no answer"):
            access()
    rig.chip.fault("clear")
    rig.chip.fault("busy")
    before_us = rig.bench.us
    with pytest.raises(OSError, match="W25Q: busy"):
        rig.driver.read_into(0, bytearray(1))
    assert rig.bench.us - before_us <= 4000  # a reader is not held up for long
    assert rig.driver.busy()
    assert rig.file.data[0] == 0xFF


def test_flash_is_read_while_a_sector_is_erased_and_the_erase_comes_to_its_end(monkeypatch):
    rig = Flash(monkeypatch)
    rig.file.data[0x1000:0x2000] = bytes(4096)
    rig.file.data[0x4000] = 0x42
    rig.driver.check()
    rig.driver.erase_sector(0x1000)
    buffer = bytearray(1)
    for _ in range(20):
        rig.bench.run(1000)
        before_us = rig.bench.us
        rig.driver.read_into(0x4000, buffer)
        assert buffer[0] == 0x42
        assert rig.bench.us - before_us <= 100
        assert rig.driver.busy()
    assert 200 <= rig.finish() <= 270  # tenths of a millisecond; nothing was done twice
    assert rig.file.data[0x1000:0x2000] == b"\xff" * 4096


def test_flash_whose_erase_ends_just_then_is_read_as_well(monkeypatch):
    rig = Flash(monkeypatch)
    rig.driver.check()
    buffer = bytearray(1)
    for lead_us in range(45):
        rig.file.data[0x1000:0x2000] = bytes(4096)
        rig.driver.erase_sector(0x1000)
        rig.bench.run(45_000 - lead_us)
        rig.driver.read_into(0x4000, buffer)
        rig.finish()
        assert rig.file.data[0x1000:0x2000] == b"\xff" * 4096
    rig.driver.program(0, b"x")


def test_flash_that_was_suspended_when_the_processor_was_reset_goes_on(monkeypatch):
    rig = Flash(monkeypatch)
    rig.file.data[0x1000:0x2000] = bytes(4096)
    rig.driver.check()
    rig.driver.erase_sector(0x1000)
    rig.bench.run(1000)
    rig.driver._interrupt()
    again = w25q.W25q(rig.spi, rig.spi.cs)
    again.check()
    assert rig.file.data[0x1000:0x2000] == b"\xff" * 4096


def test_flash_that_is_write_protected_says_so(monkeypatch):
    rig = Flash(monkeypatch)
    rig.driver.check()
    rig.chip.fault("protect")
    for access in (lambda: rig.driver.program(0, b"x"), lambda: rig.driver.erase_sector(0)):
        with pytest.raises(OSError, match="W25Q: status 1e"):
            access()
    rig.driver.read_into(0, bytearray(1))


def test_fram_that_dies_or_is_protected_later_says_so():
    rig = Fram()
    rig.driver.write(0, b"x")
    rig.chip.fault("dead")
    with pytest.raises(OSError, match="FM25V20: no answer"):
        rig.driver.read_into(0, bytearray(1))
    with pytest.raises(OSError, match="FM25V20: status ff"):
        rig.driver.write(0, b"y")
    rig.chip.fault("clear")
    rig.chip.fault("protect")
    with pytest.raises(OSError, match="FM25V20: status 4e"):
        rig.driver.write(0, b"y")
    rig.driver.read_into(0, bytearray(1))
    assert rig.file.data[0] == ord("x")
