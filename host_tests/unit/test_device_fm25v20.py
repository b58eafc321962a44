"""The F-RAM's model against the data sheet 001-90261: latches, roll-over, protection, power."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, File, Spi, command
from devices.fm25v20 import Fm25v20


@pytest.fixture
def chip():
    bench = Bench()
    content = File(0x40000, 0)
    device = Fm25v20(content, bench.now_us, bench.at)
    spi = Spi(device)
    device.bench = bench
    return device, spi, content


def write(spi, address, data):
    command(spi, [0x06])
    command(spi, [0x02, *address.to_bytes(3, "big"), *data])


def read(spi, address, count):
    return command(spi, [0x03, *address.to_bytes(3, "big")], count)


def test_identity_of_the_data_sheet(chip):
    assert command(chip[1], [0x9F], 9).hex() == "7f7f7f7f7f7fc22508"


def test_write_needs_the_latch_and_clears_it(chip):
    _, spi, content = chip
    command(spi, [0x02, 0, 0, 5, 0xAA])
    assert content.data[5] == 0
    command(spi, [0x06])
    assert command(spi, [0x05], 1) == b"\x42"
    command(spi, [0x02, 0, 0, 5, 0xAA])
    assert content.data[5] == 0xAA
    assert command(spi, [0x05], 1) == b"\x40"
    command(spi, [0x06])
    command(spi, [0x04])
    assert command(spi, [0x05], 1) == b"\x40"


def test_address_rolls_over_and_its_upper_bits_do_not_count(chip):
    _, spi, content = chip
    write(spi, 0x3FFFE, b"\x01\x02\x03\x04")
    assert content.data[0x3FFFE:] == b"\x01\x02"
    assert content.data[:2] == b"\x03\x04"
    assert read(spi, 0x3FFFE, 4) == b"\x01\x02\x03\x04"
    assert read(spi, 0xFFFFFE, 4) == b"\x01\x02\x03\x04"
    fast = command(spi, [0x0B, 0x03, 0xFF, 0xFE, 0x00], 4)
    assert fast == b"\x01\x02\x03\x04"


def test_transfers_may_be_split_anywhere(chip):
    _, spi, content = chip
    command(spi, [0x06])
    spi.cs.value(0)
    for byte in (0x02, 0, 1, 0, 7, 8, 9):
        spi.write(bytes([byte]))
    spi.cs.value(1)
    assert content.data[0x100:0x104] == b"\x07\x08\x09\x00"


@pytest.mark.parametrize(
    ("bits", "first_protected"), [(0x04, 0x30000), (0x08, 0x20000), (0x0C, 0)]
)
def test_block_protection(chip, bits, first_protected):
    _, spi, content = chip
    command(spi, [0x06])
    command(spi, [0x01, bits])
    assert command(spi, [0x05], 1)[0] == 0x40 | bits
    write(spi, first_protected, b"\x55")
    assert content.data[first_protected] == 0
    if first_protected:
        write(spi, first_protected - 1, b"\x55\x55")
        assert content.data[first_protected - 1] == 0x55
        assert content.data[first_protected] == 0


def test_sleep_is_left_by_the_chip_select_after_the_recovery_time(chip):
    device, spi, _ = chip
    command(spi, [0xB9])
    assert command(spi, [0x05], 1) == b"\xff"
    device.bench.run(450)
    assert command(spi, [0x05], 1) == b"\x40"


@pytest.mark.parametrize("after", range(6))
def test_write_is_cut_off_between_two_bytes_when_the_supply_goes(chip, after):
    device, spi, content = chip
    device.fault("tear", after=after)
    write(spi, 0x10, b"\x01\x02\x03\x04\x05")
    assert content.data[0x10:0x15] == b"\x01\x02\x03\x04\x05"[:after] + bytes(5 - after)
    if after < 6:
        assert read(spi, 0x10, 1) == (b"\xff" if after < 6 else b"\x01")
    device.power(True)
    assert read(spi, 0x10, 5) == content.data[0x10:0x15]


def test_power_clears_the_latch_and_keeps_the_content(chip):
    device, spi, content = chip
    write(spi, 0, b"\x77")
    command(spi, [0x06])
    device.power(False)
    assert read(spi, 0, 1) == b"\xff"
    command(spi, [0x02, 0, 0, 0, 0x99])
    device.power(True)
    command(spi, [0x02, 0, 0, 0, 0x99])
    assert content.data[0] == 0x77
    assert read(spi, 0, 1) == b"\x77"


def test_faults(chip):
    device, spi, content = chip
    device.fault("bit_flip", at=4711, bit=3)
    assert content.data[4711] == 8
    device.fault("stuck")
    write(spi, 0, b"\x01")
    assert content.data[0] == 0
    device.fault("clear")
    write(spi, 0, b"\x01")
    assert content.data[0] == 1
    device.fault("dead")
    assert command(spi, [0x9F], 2) == b"\xff\xff"
    device.fault("clear")
    for name, arguments, text in (
        ("melt", {}, "bit_flip, clear, dead, protect, stuck, tear"),
        ("bit_flip", {}, "'at'"),
        ("bit_flip", {"at": "x"}, "'at'"),
        ("bit_flip", {"at": True}, "'at'"),
        ("bit_flip", {"at": 0x40000}, "outside"),
        ("bit_flip", {"at": 0, "bit": 8}, "outside"),
        ("bit_flip", {"at": 0, "byte": 1}, "'byte'"),
        ("tear", {"after": -1}, "after"),
    ):
        with pytest.raises(ValueError, match=text):
            device.fault(name, **arguments)
