"""The converters' model against the data sheets SBAS890 (M04) and SBAS950 (M08)."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, Spi
from devices.ads131m0x import Ads131m0x

CLOCK_HZ = 8_192_000
SEED = 20260131


def crc16(data, polynomial=0x1021):
    """Bit by bit, as the data sheet draws it."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ polynomial if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


class Provider:
    """Samples that depend on nothing but their index and word; checks that none is asked twice."""

    def __init__(self, words, span=0x7FFFFF):
        self.words = words
        self.span = span
        self.next_index = 0

    def value(self, index, word):
        return random.Random(SEED + index * 64 + word).randint(-self.span - 1, self.span)

    def samples(self, out, first_index, count):
        assert first_index >= self.next_index
        self.next_index = first_index + count
        for frame in range(count):
            for word in range(self.words):
                out[frame * self.words + word] = self.value(first_index + frame, word)


class Rig:
    def __init__(self, channels=8, words=7, inputs=None, clock_hz=CLOCK_HZ, span=0x7FFFFF):
        self.bench = Bench()
        self.provider = Provider(words, span)
        self.channels = channels
        self.inputs = inputs or [n if n < words else -1 for n in range(channels)]
        self.chip = Ads131m0x(
            channels, self.provider, words, self.inputs, clock_hz, self.bench.now_us, self.bench.at
        )
        self.spi = Spi(self.chip)

    def raw(self, out, length=None):
        """One transaction of `length` bytes, by default a frame."""
        length = length or (self.channels + 2) * 3
        out = bytes(out) + bytes(length - len(out))
        answer = bytearray(length)
        self.spi.cs.value(0)
        self.spi.write_readinto(out, answer)
        self.spi.cs.value(1)
        return bytes(answer)

    def send(self, *words):
        """One frame of 24-bit words; the answer's words, the first shortened to 16 bits."""
        out = b"".join((word << 8).to_bytes(3, "big") for word in words)
        answer = self.raw(out, max(len(out), (self.channels + 2) * 3))
        found = [int.from_bytes(answer[at : at + 3], "big") for at in range(0, len(answer), 3)]
        return [found[0] >> 8, *found[1:]]

    def read(self, address):
        self.send(0xA000 | address << 7)
        return self.send(0)[0]

    def write(self, address, *values):
        self.send(0x6000 | address << 7 | len(values) - 1, *values)
        return self.send(0)[0]

    def expected(self, index):
        return [
            self.provider.value(index, word) & 0xFFFFFF if word >= 0 else 0 for word in self.inputs
        ]


@pytest.mark.parametrize("channels", range(2, 9))
def test_defaults_after_power(channels):
    rig = Rig(channels, channels)
    assert rig.send(0)[0] == 0xFF20 | channels
    assert rig.read(0x00) >> 8 == 0x20 | channels
    assert rig.read(0x02) == 0x0510
    assert rig.read(0x03) == ((1 << channels) - 1) << 8 | 0x0E
    assert rig.read(0x06) == 0x0600
    assert rig.read(0x0C) == 0x8000
    assert rig.read(0x01) & 0xFF00 == 0x0500


def test_answer_comes_one_frame_late_and_status_when_nothing_was_asked():
    rig = Rig()
    rig.send(0)
    assert rig.send(0xA000)[0] == 0x0500  # STATUS: reset flag, 24-bit words
    assert rig.send(0)[0] == 0x2800
    assert rig.send(0)[0] == 0x0500


def test_multiple_read_and_that_no_command_is_taken_beside_its_answer():
    rig = Rig()
    rig.send(0xA002)
    words = rig.send(0xA080)
    assert words[0] == 0xE002
    assert [word >> 8 for word in words[1:4]] == [0x2800, 0x0500, 0x0510]
    frame = b"".join((word).to_bytes(3, "big") for word in [words[0] << 8, *words[1:4]])
    assert words[4] >> 8 == crc16(frame)
    assert rig.send(0)[0] == 0x0500


def test_writes_answer_with_the_number_written_and_spare_what_is_read_only():
    rig = Rig()
    rig.send(0)
    assert rig.write(0x04, 0x1111, 0x2222) == 0x4000 | 4 << 7 | 1
    assert (rig.read(0x04), rig.read(0x05)) == (0x1111, 0x2222)
    assert rig.write(0x00, 0xBEEF, 0xBEEF, 0x0110) == 0x4000 | 0 << 7 | 0
    assert rig.read(0x00) == 0x2800
    assert rig.read(0x02) == 0x0110
    assert rig.write(0x02, 0x0510) == 0x4100
    assert rig.read(0x02) == 0x0110  # the reset flag cannot be set
    four = Rig(4, 4)
    four.send(0)
    assert four.write(0x05, 0x1111) == 0x4000 | 5 << 7 | 0x7F
    assert four.read(0x05) == 0
    assert four.write(0x1D, 0x1111) == 0x4000 | 0x1D << 7 | 0x7F


def test_frames_carry_each_conversion_with_status_and_crc():
    rig = Rig()
    rig.send(0)
    for index in range(5):
        rig.bench.run(250)
        assert rig.chip.drdy() == 0
        frame = rig.raw(b"")
        assert frame[:3] == b"\x05\xff\x00"
        words = [int.from_bytes(frame[at : at + 3], "big") for at in range(3, 27, 3)]
        assert words == rig.expected(index)
        assert int.from_bytes(frame[27:29], "big") == crc16(frame[:27])
        assert frame[29] == 0
        assert rig.chip.drdy() == 1
    again = rig.raw(b"")
    assert again[:3] == b"\x05\x00\x00"  # nothing new
    assert again[3:27] == frame[3:27]


def test_two_conversions_wait_for_a_late_reader():
    rig = Rig()
    rig.send(0)
    rig.bench.run(2500)
    assert rig.chip.frames_due() == 10
    assert rig.send(0)[1:9] == rig.expected(8)
    assert rig.send(0)[1:9] == rig.expected(9)
    assert rig.chip.drdy() == 1


def test_rate_follows_clock_and_oversampling():
    rig = Rig()
    for code, oversampling in enumerate((128, 256, 512, 1024, 2048, 4096, 8192, 16256)):
        rig.write(0x03, 0xFF00 | code << 2 | 2)
        rig.chip.skip()
        before = rig.chip.frames_due()
        rig.bench.run(1_000_000)
        assert rig.chip.frames_due() - before == CLOCK_HZ // 2 // oversampling
    odd = Rig(clock_hz=62_888_436)  # a recording at 30707.244 Hz
    odd.bench.run(1_000_000)
    assert odd.chip.frames_due() == 30707


@pytest.mark.parametrize("mode", [0x0010, 0x0110, 0x0210, 0x0310])
def test_word_lengths(mode):
    rig = Rig(4, 4)
    rig.send(0)
    rig.write(0x02, mode)
    size = (2, 3, 4, 4)[mode >> 8]
    rig.bench.run(250)
    frame = rig.raw(b"", 6 * size)
    assert frame[:2] == ((mode & 0x0300) | 0x0F).to_bytes(2, "big")
    for channel, code in enumerate(rig.expected(0)):
        at = (1 + channel) * size
        word = int.from_bytes(frame[at : at + size], "big")
        signed = code - 0x1000000 if code & 0x800000 else code
        assert word == (code >> 8, code, code << 8, signed & 0xFFFFFFFF)[mode >> 8]
    assert int.from_bytes(frame[5 * size : 5 * size + 2], "big") == crc16(frame[: 5 * size])


def test_ansi_crc():
    rig = Rig(4, 4)
    rig.send(0)
    rig.write(0x02, 0x0910)
    frame = rig.raw(b"")
    assert int.from_bytes(frame[15:17], "big") == crc16(frame[:15], 0x8005)


def test_input_crc_spares_nothing_but_wreg():
    rig = Rig(4, 4)
    rig.send(0)
    rig.write(0x02, 0x1110)

    def with_crc(*words):
        out = b"".join((word << 8).to_bytes(3, "big") for word in words)
        return rig.send(*words, crc16(out))

    assert with_crc(0)[0] & 0x1000 == 0x1000  # the frame that read the answer had none
    assert with_crc(0xA000)[0] & 0x1000 == 0
    assert with_crc(0)[0] == 0x2400
    rig.send(0xA000, 0x1234)
    assert with_crc(0)[0] & 0xFF00 == 0x1100
    rig.send(0x6000 | 4 << 7, 0x0001, 0x1234)
    assert with_crc(0)[0] & 0xFF00 == 0x1100
    with_crc(0xA000 | 4 << 7)
    assert with_crc(0)[0] == 0x0001


def test_lock_leaves_null_unlock_and_rreg():
    rig = Rig(4, 4)
    rig.send(0)
    rig.send(0x0555)
    assert rig.send(0)[0] == 0x0555
    assert rig.write(0x04, 1) == 0x8500
    assert rig.read(0x04) == 0
    rig.send(0x0011)
    assert rig.send(0)[0] == 0x8500
    rig.send(0x0655)
    assert rig.send(0)[0] == 0x0655
    assert rig.write(0x04, 1) == 0x4000 | 4 << 7


def test_reset_command_needs_a_whole_frame():
    rig = Rig(4, 4)
    rig.send(0)
    rig.write(0x04, 1)
    rig.raw(b"\x00\x11\x00", 15)
    assert rig.send(0)[0] == 0x0500
    rig.raw(b"\x00\x11\x00", 18)
    assert rig.send(0)[0] == 0xFF24
    assert rig.read(0x04) == 0


def test_reset_pin_resets_or_synchronises_by_its_length():
    rig = Rig(4, 4)
    rig.send(0)
    rig.write(0x04, 1)
    rig.chip.set_reset(0)
    rig.bench.run(249)  # 2040 clocks
    assert rig.raw(b"")[:2] == b"\xff\xff"
    rig.chip.set_reset(1)
    assert rig.send(0)[0] == 0x4500
    assert rig.send(0)[0] == 0x0500
    assert rig.read(0x04) == 1
    rig.chip.set_reset(0)
    rig.bench.run(250)
    rig.chip.set_reset(1)
    assert rig.send(0)[0] == 0xFF24
    assert rig.read(0x04) == 0


def test_standby_stops_conversions():
    rig = Rig(4, 4)
    rig.send(0)
    rig.send(0x0022)
    assert rig.send(0)[0] == 0x0022
    rig.bench.run(10_000)
    assert rig.chip.drdy() == 1
    assert rig.chip.clock_frames(bytearray(18), 0, 1) == 0
    rig.send(0x0033)
    assert rig.send(0)[0] == 0x0033
    rig.bench.run(250)
    assert rig.chip.drdy() == 0


def test_gain_offset_calibration_multiplexer_and_disabled_channels():
    rig = Rig(8, 8, span=0x200000)
    rig.send(0)
    rig.write(0x04, 0x0321)  # gains 2, 4, 8, 1 for channels 0 to 3
    rig.write(0x0A + 15, 0xFFFF, 0xFF00)  # channel 3: offset -1
    rig.write(0x0C + 20, 0xC000, 0x0000)  # channel 4: gain 1.5
    rig.write(0x09 + 25, 0x0001)  # channel 5: shorted
    rig.write(0x09 + 30, 0x0002)  # channel 6: test signal
    rig.write(0x03, 0x7F0E)  # channel 7: off
    rig.bench.run(250)
    index = rig.chip._conversions.done() - 1
    rig.chip.skip()
    rig.bench.run(250)
    values = [rig.provider.value(index + 1, word) for word in range(8)]
    words = rig.send(0)
    assert words[0] == 0x057F

    def clipped(code):
        return max(-0x800000, min(0x7FFFFF, code)) & 0xFFFFFF

    assert words[1:9] == [
        clipped(values[0] * 2),
        clipped(values[1] * 4),
        clipped(values[2] * 8),
        clipped(values[3] + 1),
        clipped(values[4] * 3 // 2),
        0,
        1118481,
        0,
    ]


@pytest.mark.parametrize("seed", range(SEED, SEED + 6))
def test_whole_frames_equal_frame_by_frame_transfers(seed):
    """The capture peripheral's fast way and the bus's exact way carry the same bytes."""
    rng = random.Random(seed)
    print("seed", seed)
    channels = rng.randint(2, 8)
    words = rng.randint(1, channels)
    inputs = [rng.randint(-1, words - 1) for _ in range(channels)]
    span = rng.choice((100, 0x7FFFFF, 0x7FFFFFFF))
    rigs = [Rig(channels, words, inputs, span=span) for _ in "ab"]
    settings = [(0x04, rng.getrandbits(16)), (0x03, rng.getrandbits(8) << 8 | 0x0E)]
    settings.append((0x02, rng.choice((0x0110, 0x0510, 0x0910))))
    for channel in range(channels):
        base = 9 + 5 * channel
        settings.append((base, rng.randint(0, 3)))
        settings.append((base + 1, rng.choice((0, 0, rng.getrandbits(16)))))
        settings.append((base + 3, rng.choice((0x8000, 0x8000, rng.getrandbits(16)))))
        settings.append((base + 4, rng.getrandbits(16)))
    for rig in rigs:
        rig.send(0)
        for address, value in settings:
            rig.write(address, value)
        rig.bench.run(100)
        rig.chip.skip()
        rig.chip.set_reset(0)
        rig.bench.run(10)
        rig.chip.set_reset(1)  # the next status reports it once
    slow, fast = rigs
    frame_bytes = (channels + 2) * 3
    count = 150
    one_by_one = bytearray()
    for index in range(count):
        if index == 70:
            slow.chip.fault("crc_error", count=3)
        if index == 90:
            slow.chip.fault("stuck")
        if index == 100:
            slow.chip.fault("clear")
        slow.bench.run(250)
        one_by_one += slow.raw(b"")
    at_once = bytearray(7 + count * frame_bytes)
    done = 0
    for block in (1, 69, 20, 10, 50):
        if done == 70:
            fast.chip.fault("crc_error", count=3)
        if done == 90:
            fast.chip.fault("stuck")
        if done == 100:
            fast.chip.fault("clear")
        assert fast.chip.clock_frames(at_once, 7 + done * frame_bytes, block) == block
        done += block
    assert at_once[7:] == one_by_one


def test_drdy_callback_at_each_conversion():
    rig = Rig()
    times = []
    rig.chip.watch_drdy(lambda level: times.append((rig.bench.us, level)))
    rig.bench.run(1000)
    assert times == [(250, 0), (500, 0), (750, 0), (1000, 0)]


def test_faults():
    rig = Rig(4, 4)
    rig.send(0)
    rig.chip.fault("crc_error", count=2)
    for expected in (False, False, True):
        frame = rig.raw(b"")
        assert (int.from_bytes(frame[15:17], "big") == crc16(frame[:15])) is expected
    rig.chip.fault("dead")
    assert rig.raw(b"") == b"\xff" * 18
    assert rig.chip.drdy() == 1
    assert rig.chip.clock_frames(bytearray(180), 0, 10) == 0
    rig.chip.fault("clear")
    rig.chip.power(False)
    assert rig.raw(b"") == b"\xff" * 18
    rig.chip.power(True)
    assert rig.send(0)[0] == 0xFF24
    with pytest.raises(ValueError, match="adc has no fault 'explode', only"):
        rig.chip.fault("explode")
    with pytest.raises(ValueError, match="count"):
        rig.chip.fault("crc_error", count=0)


def test_constructor_refuses_wrong_wiring():
    for channels, words, inputs in (
        (1, 1, [0]),
        (9, 7, [0] * 9),
        (4, 4, [0]),
        (4, 2, [0, 1, 2, -1]),
    ):
        with pytest.raises(ValueError, match="inputs"):
            Ads131m0x(channels, None, words, inputs, CLOCK_HZ, lambda: 0)
