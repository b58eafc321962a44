"""The front end's driver when its chip, its line or its supply fails, and its gains."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from test_driver_ads131m0x import Rig

FRAMES_A_BEAT = 40


def started(monkeypatch, **options):
    rig = Rig(monkeypatch, **options)
    rig.driver.start()
    rig.bench.run(10_000)
    rig.capture.frames(40)
    assert len(rig.take()) == 40
    return rig


def drain(rig):
    taken = []
    while frames := rig.take():
        taken.extend(frames)
    return taken


@pytest.mark.parametrize("channels", range(2, 9))
def test_gains_reach_their_channels(monkeypatch, channels):
    roles = list(range(channels))
    gains = [1 << (k % 8) for k in roles]
    rig = Rig(monkeypatch, channels, roles, gains=gains)
    rig.driver.start()
    assert [rig.chip._registers.channel(k)[2] for k in roles] == gains
    rig.capture.frames(1)
    (frame,) = rig.take()
    first = frame[0] // 10
    assert frame == [(first * 10 + k) * gains[k] for k in roles]


def test_gain_follows_the_role_not_the_word(monkeypatch):
    rig = Rig(monkeypatch, 4, (3, 0), gains=[32, 4])
    rig.driver.start()
    assert [rig.chip._registers.channel(k)[2] for k in range(4)] == [4, 1, 1, 32]
    # SBAS890 table 8: LSB = 1.2 V / gain / 2**23
    assert rig.driver.lsb_fv(0) == round(1.2e15 / 32 / 2**23)
    assert rig.driver.lsb_fv(1) == round(1.2e15 / 4 / 2**23)


@pytest.mark.parametrize("gains", [[3, 1], [0, 1], [256, 1], [-1, 1], [1]])
def test_gain_that_the_chip_has_not_is_refused(monkeypatch, gains):
    with pytest.raises(ValueError, match="gain"):
        Rig(monkeypatch, 4, (0, 1), gains=gains)


def test_brown_out_is_noticed_and_no_frame_of_the_wrong_gain_is_used(monkeypatch):
    rig = started(monkeypatch, channels=4, roles=(0, 1), gains=[1, 32])
    for _ in range(10):
        rig.bench.run(10_000)
        rig.capture.frames(40)
        assert len(rig.take()) == 40
    assert rig.driver.restarts == 0
    rig.chip.fault("brown_out")
    assert rig.chip._registers.channel(1)[2] == 1
    rig.bench.run(10_000)
    rig.capture.frames(40)
    assert drain(rig) == []
    assert rig.driver.restarts == 1
    assert rig.chip._registers.channel(1)[2] == 32
    # 40 frames not used, and the 2 ms of the new start
    assert rig.driver.lost == 40 + 8
    rig.bench.run(10_000)
    rig.capture.frames(40)
    frames = drain(rig)
    assert [frame[1] - 32 * frame[0] for frame in frames] == [32] * 40
    assert (rig.driver.lost, rig.driver.errors) == (48, 0)


def test_brown_out_in_the_middle_of_a_block_drops_the_block(monkeypatch):
    rig = started(monkeypatch)
    rig.capture.frames(20)
    rig.chip.fault("brown_out")
    rig.capture.frames(20)
    assert drain(rig) == []
    assert rig.driver.lost == 40  # and not a moment of the new start: the bench stood still
    assert rig.driver.restarts == 0  # it has only just been started: in 100 ms
    rig.capture.beat(10)
    assert drain(rig) == []
    assert rig.driver.restarts == 1
    rig.capture.frames(40)
    assert len(drain(rig)) == 40


def test_chip_without_supply_comes_back_with_it(monkeypatch):
    rig = started(monkeypatch, gains=[1, 2, 1, 2, 1, 2, 1])
    rig.chip.power(False)
    lost = rig.driver.lost
    for beats in range(1, 51):
        rig.capture.beat()
        assert rig.take() == []
        assert rig.driver.restarts == beats // 10
    # 500 ms by the beats, and 2 ms for each of the five attempts
    assert rig.driver.lost - lost == 50 * FRAMES_A_BEAT + 5 * 8
    rig.chip.power(True)
    rig.capture.beat(10)
    assert rig.take() == []
    assert rig.driver.restarts == 6
    rig.capture.frames(40)
    assert len(rig.take()) == 40
    assert rig.chip._registers.channel(1)[2] == 2


def test_stuck_data_ready_is_tried_again_without_end_and_counted(monkeypatch):
    rig = started(monkeypatch)
    rig.chip.fault("drdy_stuck")
    for _ in range(30):
        rig.bench.run(10_000)
        rig.capture.frames(40)
        rig.capture.beat()
        assert rig.take() == []
    assert rig.driver.restarts == 3
    assert rig.driver.lost == 30 * FRAMES_A_BEAT + 3 * 8
    rig.chip.fault("clear")
    rig.capture.beat(10)
    rig.take()
    rig.capture.frames(40)
    assert len(rig.take()) == 40


def test_short_silence_is_none(monkeypatch):
    rig = started(monkeypatch)
    rig.capture.beat(9)
    assert rig.take() == []
    assert (rig.driver.restarts, rig.driver.lost) == (0, 0)
    rig.capture.frames(1)
    rig.take()
    rig.capture.beat(9)
    rig.take()
    assert rig.driver.restarts == 0


def test_frames_that_have_slipped_by_a_byte_bring_a_resynchronisation(monkeypatch):
    rig = started(monkeypatch)
    rig.capture.beat(10)
    rig.capture.frames(40)
    # A disturbed clock line: everything from here on stands one byte too late.
    ring = rig.capture._ring
    ring[:] = ring[-1:] + ring[:-1]
    assert drain(rig) == []
    assert rig.driver.restarts == 1
    assert rig.driver.errors == 40
    assert rig.driver.lost == 40 + 8
    rig.capture.frames(40)
    assert len(drain(rig)) == 40
    assert rig.driver.errors == 40


def test_line_that_stays_broken_is_not_tried_more_often_than_ten_times_a_second(monkeypatch):
    rig = started(monkeypatch)
    lost = rig.driver.lost
    for _ in range(100):  # a second
        rig.chip.fault("crc_error", count=100)
        rig.bench.run(10_000)
        rig.capture.frames(40)
        drain(rig)
    assert 5 <= rig.driver.restarts <= 10
    missing = rig.driver.lost - lost - rig.driver.restarts * 8
    assert missing == 100 * FRAMES_A_BEAT


def test_single_bad_frames_do_not_bring_the_chip_down(monkeypatch):
    rig = started(monkeypatch)
    rig.capture.beat(10)
    for _ in range(5):
        rig.chip.fault("crc_error", count=15)
        rig.capture.frames(16)
        assert len(rig.take()) == 16
    assert (rig.driver.errors, rig.driver.restarts, rig.driver.lost) == (75, 0, 0)


def test_conversions_that_the_capture_missed_are_lost(monkeypatch):
    rig = started(monkeypatch)
    rig.capture.late = 3
    rig.capture.frames(1)
    rig.take()
    rig.take()
    assert rig.driver.lost == 3


def test_wrong_chip_after_a_restart_gives_no_frames(monkeypatch):
    """A chip that answers but cannot be configured: its frames are not believed."""
    rig = started(monkeypatch)
    original = rig.chip._registers.write
    rig.chip._registers.write = lambda _address, _value: None
    rig.chip.fault("brown_out")
    for _ in range(25):
        rig.capture.frames(40)
        assert drain(rig) == []
    assert rig.driver.restarts == 2
    assert rig.driver.lost == 25 * FRAMES_A_BEAT + 2 * 8
    rig.chip._registers.write = original
    rig.capture.beat(10)
    drain(rig)
    rig.capture.frames(40)
    assert len(drain(rig)) == 40
