"""Records of the waves at sags, swells and cuts: what the engine saw, kept in flash."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

from flash_fake import Flash
from log_rig import LogRig
from metrology_bench import Bench, Mains, Phase

from app.axdr import Writer
from app.cosem.snapshot_profiles import Frames, Newest
from app.quality import limits
from app.quality.limits import Limits
from app.quality.waveforms import Record, Waveforms

RATE_HZ = 4000
SECTORS = 1200


class Rig:
    """A three-phase engine on frames, with rings in a flash of RAM."""

    def __init__(self, phases=3):
        self.logs = LogRig()
        self.logs.flash = Flash(SECTORS)
        self.logs.boot()
        self.supply = True
        self.mains = Mains([Phase(230, 5, 30) for _ in range(phases)], 50.0, RATE_HZ)
        self.bench = Bench(self.mains)
        self.bench.source.block = 40
        self.limits = Limits(self.logs.settings, 230)
        self.truth = []
        self.boot()

    def boot(self):
        self.bench.engine.on_window.clear()
        self.waveforms = Waveforms(
            self.logs.rings,
            self.logs.clock,
            self.limits,
            self.bench.engine,
            self.bench.source.channels,
            lambda: self.supply,
        )
        self.record = Record(self.waveforms)
        self.drain()

    def play(self, seconds, *volts):
        for phase, u in zip(self.mains.phases, volts, strict=False):
            phase.u = u
        frames = self.mains.frames(round(seconds * RATE_HZ))
        self.truth += frames
        self.bench.source.frames, self.bench.source.at = frames, 0
        while self.bench.engine.poll():
            pass
        self.drain()

    def drain(self):
        while self.logs.rings.step():
            pass

    def newest(self):
        assert self.record.load(self.record.next - 1)
        return [self.record.field(place) for place in range(6)]


@pytest.fixture
def rig():
    rig = Rig()
    rig.play(1, 230, 230, 230)
    return rig


def test_a_sag_leaves_the_waves_before_and_after_its_beginning(rig):
    begins = len(rig.truth)
    rig.play(0.06, 230, 120, 230)
    rig.play(0.6, 230, 230, 230)
    assert rig.record.next - rig.record.first == 1
    code, worst_mv, rate_mhz, count, before, hundredths = rig.newest()
    assert (code, rate_mhz, hundredths) == (77, 2_000_000, 0)
    assert abs(worst_mv - 120_000) < 1200
    assert count == rig.waveforms.slots == 329
    assert before == count - count * 5 // 8
    assert rig.record.utc_s() == rig.logs.now_s
    micros = [rig.record.micro(frame) for frame in range(count)]
    assert rig.record.micro(count) == []
    # every other frame of the truth, wherever the record begins in it
    at = min(
        range(begins - 2 * before - 90, begins),
        key=lambda at: sum(
            abs(micros[k][2] - rig.truth[at + 2 * k][2] * 60) for k in range(0, count, 7)
        ),
    )
    for k in range(count):
        frame = rig.truth[at + 2 * k]
        for channel in range(6):
            step = 60 if channel % 2 == 0 else 18
            assert abs(micros[k][channel] - frame[channel] * step) <= step * 130
    # what was seen is a cycle and a half cycle's wait after the beginning at most
    assert 0 < at + 2 * before - begins <= 2 * RATE_HZ // 50


def test_swells_cuts_and_longer_sags_are_one_record_each(rig):
    rig.play(0.1, 270, 230, 230)
    rig.play(0.4, 230, 230, 230)
    assert rig.newest()[0] == 79
    assert abs(rig.newest()[1] - 270_000) < 600
    rig.play(0.3, 230, 230, 0)
    rig.play(0.4, 230, 230, 230)
    assert rig.newest()[0] == 78
    assert rig.newest()[1] < 3000
    rig.play(1, 150, 150, 150)
    rig.play(0.2, 230, 230, 230)
    assert rig.record.next == 3
    rig.play(0.4, 185, 230, 230)  # above the limit
    assert rig.record.next == 3
    rig.limits.set(limits.SAG, 2000)
    rig.play(0.4, 185, 230, 230)
    assert rig.record.next == 4


def test_a_voltage_at_its_limit_does_not_begin_again_and_again(rig):
    for _ in range(4):
        rig.play(0.3, 183, 230, 230)
        rig.play(0.3, 186, 230, 230)
    assert rig.record.next == 1


def test_records_outlast_a_power_cut_and_the_oldest_go(rig):
    rig.play(0.1, 100, 230, 230)
    rig.play(0.5, 230, 230, 230)
    rig.logs.boot()
    rig.boot()
    assert rig.newest()[0] == 76
    ring = rig.waveforms.ring
    for _ in range(ring.capacity + 20):
        ring.append(rig.waveforms._row_view)
        rig.drain()
    assert ring.next - ring.first == ring.capacity == 125


def test_nothing_is_written_while_the_supply_fails(rig):
    rig.supply = False
    rig.play(0.2, 100, 100, 100)
    rig.play(1, 0, 0, 0)
    assert rig.record.next == 0
    rig.supply = True
    rig.play(0.4, 230, 230, 230)
    assert rig.record.next == 1


def test_flicker_without_end_is_bounded(rig):
    assert rig.waveforms._saved == 30
    rig.waveforms._saved = 2
    for _ in range(4):
        rig.play(0.1, 150, 230, 230)
        rig.play(0.3, 230, 230, 230)
    assert rig.record.next == 3  # saved up, and one for the first minute
    assert rig.waveforms.missed == 1
    rig.logs.later(60)
    rig.play(0.3, 150, 230, 230)
    rig.play(0.3, 230, 230, 230)
    assert rig.record.next == 4


def test_a_flash_that_takes_nothing_disturbs_nobody(rig):
    rig.logs.flash.dead = True
    rig.play(0.6, 150, 230, 230)
    assert rig.waveforms.missed == 1
    rig.logs.flash.dead = False
    rig.drain()
    rig.play(0.2, 230, 230, 230)
    rig.play(0.3, 150, 230, 230)
    rig.play(1, 230, 230, 230)
    assert rig.newest()[0] == 76


class SlowRing:
    """A ring whose next sector is blank when the test says so."""

    def __init__(self, ring):
        self.ring = ring
        self.blank = False

    def prepared(self):
        return self.blank

    def __getattr__(self, name):
        return getattr(self.ring, name)


def test_a_sector_that_is_not_blank_yet_is_waited_for_in_bounds(rig):
    ring = rig.waveforms.ring = SlowRing(rig.waveforms.ring)
    rig.play(0.1, 150, 230, 230)
    rig.play(0.5, 230, 230, 230)
    assert rig.record.next == rig.waveforms.missed == 0
    ring.blank = True
    rig.waveforms.window()
    assert rig.record.next == 1
    ring.blank = False
    rig.play(0.1, 150, 230, 230)
    rig.play(0.3, 230, 230, 230)
    for _ in range(60):
        rig.waveforms.window()
    assert rig.waveforms.missed == 1
    assert not rig.waveforms._waves.still


def test_after_lost_frames_the_record_holds_what_follows_them(rig):
    rig.bench.source.lost += 5
    rig.play(0.02, 230, 230, 230)
    rig.play(0.3, 150, 230, 230)
    rig.play(0.5, 230, 230, 230)
    _, _, _, count, before, _ = rig.newest()
    assert count < rig.waveforms.slots
    assert count - before == rig.waveforms.slots * 5 // 8
    assert len(rig.record.micro(count - 1)) == 6
    assert rig.record.micro(count) == []


def test_frames_as_rows_are_dated_and_numbered(rig):
    rig.play(0.3, 150, 230, 230)
    rig.play(0.5, 230, 230, 230)
    rows = Frames(rig.waveforms, lambda micro: 10 * micro)
    now_s = rig.logs.now_s
    found = list(rows.span(now_s, now_s))
    assert found == list(range(329))
    assert list(rows.span(now_s + 1, now_s + 9)) == []
    assert rows.load(123)
    writer = Writer(bytearray(200))
    for column in range(8):
        rows.write(writer, column)
    assert writer.buffer[:2] == b"\x09\x0c"
    micro = rows.micro(123)
    for place, (channel, step) in enumerate(((0, 10_000), (1, 100))):
        at = 19 + 5 * place
        value = int.from_bytes(writer.buffer[at + 1 : at + 5], "big", signed=True)
        assert value == (micro[channel] + step // 2) // step
    assert int.from_bytes(writer.buffer[15:19], "big", signed=True) == 123 - rig.newest()[4]
    assert not rows.load(329)
    assert rows.load(0)
    writer = Writer(bytearray(80))
    Newest(rig.waveforms).read(writer)
    assert writer.buffer[:7] == bytes((2, 6, 6, 0, 0, 0, 76))


def test_a_damaged_record_is_shown_without_time(rig):
    rig.play(0.3, 150, 230, 230)
    rig.play(0.5, 230, 230, 230)
    ring = rig.waveforms.ring
    at = (ring.sector + ring._head) * 4096 + 1000
    rig.logs.flash.octets[at] &= 0x0F
    rig.logs.flash.octets[at + 1] &= 0x0F
    rows = Frames(rig.waveforms, int)
    assert not rows.load(0)
    writer = Writer(bytearray(80))
    rows.write(writer, 0)
    rows.write(writer, 2)
    assert writer.buffer[:6] == b"\x09\x0c\xff\xff\xff\xff"
    assert writer.at == 15
    assert not rig.record.load(0)


@pytest.mark.parametrize("phases", [1])
def test_one_phase_has_a_longer_record(phases):
    rig = Rig(phases)
    rig.play(1, 230)
    rig.play(0.3, 150)
    rig.play(0.6, 230)
    assert rig.newest()[3] == rig.waveforms.slots == 995
