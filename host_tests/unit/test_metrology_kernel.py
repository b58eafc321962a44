"""The kernel's sums and decoder against the slow reference, bit for bit, on CPython.

What 32-bit registers make of the same steps is the matter of host_tests/arm.
"""

import importlib.util
import random
import re
from array import array
from pathlib import Path

import pytest

from metrology import kernel
from metrology.accumulators import Accumulators, RawSums
from metrology.frame import Decoder, crc16

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location(
    "reference_metrology", ROOT / "host_tests" / "reference" / "metrology.py"
)
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

TABLE = array("i", reference.sine_table())
LOW, HIGH = -(1 << 23), (1 << 23) - 1


def flat(frames):
    return array("i", [code for frame in frames for code in frame])


def run_kernel(phases, channels, frames, step, delays, block=64):
    accumulators = Accumulators(phases, channels)
    for k, delay in enumerate(delays):
        accumulators.set_delay(k, delay.c, delay.late_u, delay.late_i)
    pairs = array("i", bytes(4 * 128))
    oscillator = array("i", [12345, step])
    for first in range(0, len(frames), block):
        part = frames[first : first + block]
        kernel.references(len(part), TABLE, oscillator, pairs)
        cut = len(part) // 3  # two spans of one block must add up as one does
        data = flat(part)
        accumulators.accumulate(data, pairs, 0, cut)
        accumulators.accumulate(data, pairs, cut, len(part) - cut)
    out = RawSums(phases)
    accumulators.move_into(out)
    assert out.frames_q16 == len(frames) * 65536
    return out


def check(phases, neutral, frames, step, delays):
    out = run_kernel(phases, 2 * phases + neutral, frames, step, delays)
    pairs, _ = reference.reference_pairs(12345, step, len(frames))
    fresh = [reference.Delay(d.c, d.late_u, d.late_i) for d in delays]
    expected = reference.sums(frames, pairs, fresh, bool(neutral))
    assert (out.phases, out.reference, out.neutral) == expected


@pytest.mark.parametrize("neutral", [0, 1])
@pytest.mark.parametrize("phases", [1, 3])
def test_sums_of_random_frames_are_exact(phases, neutral):
    source = random.Random(20 * phases + neutral)
    for c, late_u, late_i in ((0, 0, 0), (22938, 1, 0), (-22938, 0, 1), (-377, 1, 1)):
        delays = [reference.Delay(c, late_u, late_i) for _ in range(phases)]
        frames = [
            tuple(source.randint(LOW, HIGH) for _ in range(2 * phases + neutral))
            for _ in range(150)
        ]
        check(phases, neutral, frames, source.randrange(1 << 28), delays)


@pytest.mark.parametrize("u_sign", [1, -1])
@pytest.mark.parametrize("i_sign", [1, -1])
@pytest.mark.parametrize("period", [1, 2, 7, 40, 10**9])
def test_sums_of_full_scale_square_waves_are_exact(u_sign, i_sign, period):
    def level(k, sign):
        return HIGH if (k // period % 2 == 0) == (sign > 0) else LOW

    frames = [(level(k, u_sign), level(k, i_sign)) * 3 + (level(k, 1),) for k in range(192)]
    delays = [reference.Delay(c) for c in (22938, -22938, 0)]
    check(3, 1, frames, 1 << 23, delays)


def test_the_longest_window_fits():
    # 0.3 s at 32 kHz of the worst input: every limb's carries have gone all the way up
    frames = [(LOW, LOW, LOW)] * 9600
    check(1, 1, frames, 1 << 20, [reference.Delay()])


def test_a_delay_outside_the_bounds_is_refused():
    with pytest.raises(ValueError, match="allpass"):
        Accumulators(1, 2).set_delay(0, 22939, False, False)


def test_kernel_and_accumulators_agree_on_the_layout():
    folder = ROOT / "firmware" / "metrology"
    names = [
        "CHANNELS",
        "PHASES",
        "NEUTRAL",
        "ZERO_N",
        "REFERENCE",
        "SUM_N",
        "HEAD",
        "SECTION",
        "ZERO_U",
        "ZERO_I",
        "ALLPASS",
        "LATE_U",
        "LATE_I",
        "HISTORY",
        "SUM_U",
        "SUM_UU",
        "SUM_US",
    ]
    texts = [(folder / name).read_text() for name in ("kernel.py", "accumulators.py")]
    for name in names:
        values = [re.search(rf"^_{name} = const\((\d+)\)", text, re.M).group(1) for text in texts]
        assert values[0] == values[1], name


def make_ring(source, count, channels, bad=()):
    codes = [[source.randint(LOW, HIGH) for _ in range(channels)] for _ in range(count)]
    codes[0][0], codes[1][0] = LOW, HIGH
    ring = bytearray()
    for k in range(count):
        ring += reference.chip_frame(0x0500 | k & 0xFF, codes[k], k not in bad)
    return codes, ring


def test_decodes_chosen_channels_round_the_end_of_the_ring():
    source = random.Random(131)
    codes, ring = make_ring(source, 20, 8)
    decoder = Decoder(10, [2, 1, 8])
    out = array("i", bytes(4 * 60))
    assert decoder.decode(ring, 15, 20, out) == 0
    order = list(range(15, 20)) + list(range(15))
    assert list(out) == [codes[k][c] for k in order for c in (1, 0, 7)]
    assert decoder.status == 0x050E


def test_a_frame_with_a_wrong_crc_repeats_the_last_good_one():
    source = random.Random(4)
    codes, ring = make_ring(source, 8, 4, bad=(2, 3, 7))
    decoder = Decoder(6, [1, 2, 3, 4])
    out = array("i", bytes(4 * 32))
    assert decoder.decode(ring, 0, 8, out) == 3
    seen = [list(out[4 * k : 4 * k + 4]) for k in range(8)]
    assert seen == [codes[k] for k in (0, 1, 1, 1, 4, 5, 6, 6)]
    assert decoder.bad_in_a_row == 1
    assert decoder.status == 0x0506
    # the next call goes on from the last good frame
    assert decoder.decode(ring, 2, 1, out) == 1
    assert list(out[:4]) == codes[6]


def test_every_single_bit_error_is_found():
    ring = bytearray(reference.chip_frame(0x0500, [1, -2, 3]))
    decoder = Decoder(5, [1, 2, 3])
    out = array("i", bytes(12))
    for bit in range(8 * 14):  # the CRC word's low byte is padding
        ring[bit // 8] ^= 1 << bit % 8
        assert decoder.decode(ring, 0, 1, out) == 1
        ring[bit // 8] ^= 1 << bit % 8
    assert decoder.decode(ring, 0, 1, out) == 0


def test_crc_is_the_published_one():
    # check value of CRC-16/CCITT-FALSE (catalogue of parametrised CRC algorithms, "123456789")
    assert crc16(b"123456789", 9) == reference.crc16(b"123456789") == 0x29B1


@pytest.mark.parametrize(
    ("words", "channels"), [(2, [1]), (11, [1]), (6, []), (6, [0]), (6, [5]), (6, [1] * 9)]
)
def test_a_layout_no_frame_can_have_is_refused(words, channels):
    with pytest.raises(ValueError):
        Decoder(words, channels)


@pytest.mark.parametrize(
    ("first", "count", "room"), [(-1, 1, 9), (3, 1, 9), (0, 4, 99), (0, 2, 5)]
)
def test_decode_stays_inside_its_buffers(first, count, room):
    decoder = Decoder(5, [1, 2, 3])
    with pytest.raises(ValueError):
        decoder.decode(bytearray(45), first, count, array("i", bytes(4 * room)))
