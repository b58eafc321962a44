"""The flash's model against the data sheet W25Q128JV revision F."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, File, Spi, command
from devices.w25q import W25q

SIZE = 1 << 24


class Rig:
    def __init__(self):
        self.bench = Bench()
        self.file = File(SIZE)
        self.chip = W25q(self.file, self.bench.now_us, self.bench.at)
        self.spi = Spi(self.chip)

    def send(self, out, answer=0):
        return command(self.spi, out, answer)

    def addressed(self, opcode, address, data=b"", answer=0):
        return self.send([opcode, *address.to_bytes(3, "big"), *data], answer)

    def change(self, opcode, address, data=b""):
        self.send([0x06])
        self.addressed(opcode, address, data)

    def status(self):
        return self.send([0x05], 1)[0]


@pytest.fixture
def rig():
    return Rig()


def test_identities(rig):
    assert rig.send([0x9F], 3) == b"\xef\x40\x18"
    assert rig.send([0x90, 0, 0, 0], 3) == b"\xef\x17\xef"
    assert rig.send([0x90, 0, 0, 1], 2) == b"\x17\xef"
    assert rig.send([0xAB, 0, 0, 0], 1) == b"\x17"


def test_programming_needs_the_latch_takes_its_time_and_only_clears_bits(rig):
    rig.addressed(0x02, 0x100, b"\x0f")
    assert rig.status() == 0
    rig.send([0x06])
    assert rig.status() == 0x02
    rig.addressed(0x02, 0x100, b"\x0f")
    assert rig.status() == 0x03
    assert rig.addressed(0x03, 0x100, answer=1) == b"\xff"  # ignored while busy
    rig.bench.run(399)
    assert rig.status() == 0x03
    rig.bench.run(1)
    assert rig.status() == 0x00
    assert rig.addressed(0x03, 0x100, answer=2) == b"\x0f\xff"
    rig.change(0x02, 0x100, b"\xf5")
    rig.bench.run(400)
    assert rig.file.data[0x100] == 0x05


def test_address_wraps_inside_the_page(rig):
    rig.change(0x02, 0x1FE, b"\x01\x02\x03\x04")
    rig.bench.run(400)
    assert rig.file.data[0x1FE:0x200] == b"\x01\x02"
    assert rig.file.data[0x100:0x102] == b"\x03\x04"
    assert rig.file.data[0x200] == 0xFF
    rig.change(0x02, 0x400, bytes(range(256)) + b"\xab\xcd")  # the last 256 bytes count
    rig.bench.run(400)
    assert rig.file.data[0x400:0x500] == b"\xab\xcd" + bytes(range(2, 256))


@pytest.mark.parametrize(
    ("opcode", "size", "us"),
    [(0x20, 4096, 45_000), (0x52, 32768, 120_000), (0xD8, 65536, 150_000)],
)
def test_erase(rig, opcode, size, us):
    rig.file.data[:] = bytes(SIZE)
    rig.change(opcode, 0x1FFFF)
    rig.bench.run(us - 1)
    assert rig.status() & 1
    rig.bench.run(1)
    assert rig.status() == 0
    first = 0x1FFFF & ~(size - 1)
    assert rig.file.data[first : first + size] == b"\xff" * size
    assert rig.file.data[first - 1] == 0
    assert rig.file.data[first + size] == 0


def test_whole_chip_is_erased(rig):
    rig.file.data[:] = bytes(SIZE)
    rig.send([0x06])
    rig.send([0xC7])
    rig.bench.run(40_000_000)
    assert rig.status() == 0
    assert rig.file.data == b"\xff" * SIZE


def test_incomplete_commands_do_nothing(rig):
    rig.send([0x06])
    rig.send([0x20, 0, 0])  # address too short
    rig.addressed(0x20, 0, b"\x00")  # a byte too many
    rig.addressed(0x02, 0)  # no data
    assert rig.status() == 0x02


def test_busy_chip_ignores_all_but_status_and_reset(rig):
    rig.change(0x20, 0)
    assert rig.send([0x9F], 3) == b"\xff\xff\xff"
    rig.change(0x02, 0x2000, b"\x00")
    rig.bench.run(45_000)
    assert rig.status() == 0
    assert rig.file.data[0x2000] == 0xFF
    rig.change(0x20, 0)
    rig.send([0x99])  # without its enable
    assert rig.status() == 3
    rig.send([0x66])
    rig.send([0x99])
    rig.bench.run(30)
    assert rig.status() == 0


def test_power_down_is_left_by_its_release_only(rig):
    rig.send([0xB9])
    assert rig.send([0x9F], 3) == b"\xff\xff\xff"
    rig.send([0xAB])
    assert rig.send([0x9F], 3) == b"\xef\x40\x18"


@pytest.mark.parametrize(
    ("status", "inside", "outside"),
    [
        (0x04, 0xFC0000, 0xFBFF00),  # upper 64th
        (0x18, 0x800000, 0x7FFF00),  # upper half
        (0x24, 0x03FF00, 0x040000),  # lower 64th
        (0x44, 0xFFF000, 0xFFEF00),  # upper sector
        (0x74, 0x007F00, 0x008000),  # lower 32 KiB
        (0x1C, 0x000000, None),
    ],
)
def test_block_protection(rig, status, inside, outside):
    rig.send([0x06])
    rig.send([0x01, status])
    rig.bench.run(10_000)
    assert rig.status() == status
    rig.change(0x02, inside, b"\x00")
    assert rig.status() == status
    assert rig.file.data[inside] == 0xFF
    if outside is not None:
        rig.change(0x02, outside, b"\x00")
        assert rig.status() == status | 3
        rig.bench.run(400)
        assert rig.file.data[outside] == 0


def test_power_loss_tears_a_page(rig):
    rig.change(0x02, 0x300, bytes(100))
    rig.bench.run(200)  # half of the time
    rig.chip.power(False)
    rig.chip.power(True)
    assert rig.status() == 0
    page = rig.file.data[0x300:0x400]
    assert page[:50] == bytes(50)
    assert page[50] == 0x55
    assert page[51:] == b"\xff" * 205


def test_power_loss_tears_an_erase(rig):
    rig.file.data[:8192] = bytes(8192)
    rig.change(0x20, 0x0000)
    rig.bench.run(22_500)
    rig.chip.power(False)
    sector = rig.file.data[:4096]
    assert sector[:2048] == b"\xff" * 2048
    assert sector[2048] == 0xAA
    assert sector[2049:] == bytes(2047)
    assert rig.file.data[4096:8192] == bytes(4096)


def test_orderly_end_finishes_what_is_under_way(rig):
    rig.change(0x02, 0, b"\x12")
    rig.chip.close()
    assert rig.file.data[0] == 0x12


def test_reading_rolls_over(rig):
    rig.file.data[-1] = 0x11
    rig.file.data[0] = 0x22
    assert rig.addressed(0x03, SIZE - 1, answer=2) == b"\x11\x22"
    assert rig.addressed(0x0B, SIZE - 1, b"\x00", answer=2) == b"\x11\x22"


def test_an_erase_is_suspended_and_resumed(rig):
    rig.file.data[:] = bytes(SIZE)
    rig.change(0x20, 0x1000)
    rig.bench.run(20_000)
    rig.send([0x75])
    assert rig.status() & 1
    rig.bench.run(20)
    assert rig.status() & 1 == 0
    assert rig.send([0x35], 1)[0] & 0x80
    assert rig.addressed(0x03, 0x8000, answer=1) == b"\0"
    rig.bench.run(100_000)
    assert rig.file.data[0x1000] == 0  # it stands still
    rig.change(0x20, 0x3000)  # no second erase meanwhile
    assert rig.status() & 1 == 0
    rig.send([0x7A])
    assert rig.status() & 1
    assert not rig.send([0x35], 1)[0] & 0x80
    rig.bench.run(24_999)
    assert rig.status() & 1
    rig.bench.run(1)
    assert rig.status() & 1 == 0
    assert rig.file.data[0x1000:0x2000] == b"\xff" * 4096
    assert rig.file.data[0x3000] == 0
    rig.send([0x75])  # nothing to suspend, nothing to resume
    rig.send([0x7A])
    assert rig.status() & 1 == 0


def test_power_loss_tears_a_suspended_erase(rig):
    rig.file.data[:4096] = bytes(4096)
    rig.change(0x20, 0)
    rig.bench.run(22_500)
    rig.send([0x75])
    rig.bench.run(1000)
    rig.chip.power(False)
    assert rig.file.data[:2048] == b"\xff" * 2048
    assert rig.file.data[2049:4096] == bytes(2047)
    rig.chip.power(True)
    assert not rig.send([0x35], 1)[0] & 0x80


def test_faults_of_cells_and_state_machine(rig):
    rig.chip.fault("worn", sector=2)
    for address in (0x1FFF, 0x2000, 0x2FFF, 0x3000):
        rig.change(0x02, address, b"\x00")
        rig.bench.run(400)
    assert [rig.file.data[a] for a in (0x1FFF, 0x2000, 0x2FFF, 0x3000)] == [0, 255, 255, 0]
    with pytest.raises(ValueError, match="worn"):
        rig.chip.fault("worn", sector=4096)
    rig.chip.fault("protect")
    rig.change(0x20, 0x1000)
    assert rig.status() == 0x1C
    rig.chip.fault("clear")
    rig.chip.fault("busy")
    rig.bench.run(10_000_000)
    assert rig.status() == 1
    assert rig.send([0x9F], 3) == b"\xff\xff\xff"
    rig.chip.fault("clear")
    assert rig.status() == 0
    assert rig.send([0x9F], 3) == b"\xef\x40\x18"


def test_faults(rig):
    rig.chip.fault("bit_flip", at=7, bit=0)
    assert rig.file.data[7] == 0xFE
    rig.chip.fault("slow", percent=750)
    rig.change(0x02, 0, b"\x00")
    rig.bench.run(2999)
    assert rig.status() & 1
    rig.bench.run(1)
    assert rig.status() == 0
    rig.chip.fault("clear")
    rig.chip.fault("stuck")
    rig.change(0x20, 0)
    rig.bench.run(45_000)
    assert rig.file.data[0] == 0
    rig.chip.fault("dead")
    assert rig.send([0x9F], 3) == b"\xff\xff\xff"
    with pytest.raises(ValueError, match="flash has no fault 'flood', only"):
        rig.chip.fault("flood")
    with pytest.raises(ValueError, match="percent"):
        rig.chip.fault("slow", percent=0)
