"""The kernel's sums, equal to the bit on 32-bit Arm, on the 64-bit host and by definition."""

import itertools
import math
import random

import pytest
from kernel_bench import (
    BLOCK,
    CODE_MAX,
    CODE_MIN,
    Engines,
    PhaseSetting,
    accumulate_state,
    accumulate_steps,
    decoder_state,
    expected_sums,
    kernel,
    limbs,
    sine_table,
    sums_of,
    unpack,
    words,
)

SEED = 20260131
# The largest coefficient that the accumulators let in: half a sample at 20 samples a cycle.
ALLPASS_MAX = 22938


@pytest.fixture(scope="module")
def engines():
    return Engines()


def sine_pairs(count, step=0.0123):
    return [
        (round(4095 * math.sin(6.2832 * step * k)), round(4095 * math.cos(6.2832 * step * k)))
        for k in range(count)
    ]


def check(engines, channels, frames, pairs, settings, zero_n=None):
    """Run everywhere; compare the state with the sums' definition; return the state."""
    phases = len(settings)
    state = accumulate_state(phases, channels, settings, zero_n)
    given = engines.agree(accumulate_steps(state, frames, channels, pairs))
    after = unpack(given[-1])
    for phase, setting in enumerate(settings):
        u = frames[2 * phase :: channels]
        i = frames[2 * phase + 1 :: channels]
        assert sums_of(after, phase) == expected_sums(u, i, pairs, setting), f"phase {phase}"
    return after


def test_random_frames_of_three_phases_and_neutral(engines):
    source = random.Random(SEED)
    count = 5 * BLOCK + 17
    frames = [source.randint(CODE_MIN, CODE_MAX) for _ in range(7 * count)]
    settings = [
        PhaseSetting(allpass=7001, late_u=1),
        PhaseSetting(allpass=-ALLPASS_MAX, late_i=1),
        PhaseSetting(zero_u=-3000, zero_i=12345, allpass=0),
    ]
    pairs = [(source.randint(-4095, 4095), source.randint(-4095, 4095)) for _ in range(count)]
    after = check(engines, 7, frames, pairs, settings, zero_n=-77)
    neutral = [code + 77 for code in frames[6::7]]
    assert limbs(after, kernel._SUM_N, (24, 32)) == sum(neutral)
    assert limbs(after, kernel._SUM_N + 2, (12, 12, 24, 32)) == sum(n * n for n in neutral)
    shared = [
        sum(s for s, _ in pairs),
        sum(c for _, c in pairs),
        sum(s * s for s, _ in pairs),
        sum(c * c for _, c in pairs),
        sum(s * c for s, c in pairs),
    ]
    found = [limbs(after, kernel._REFERENCE + 2 * k, (24, 32)) for k in range(5)]
    assert found == shared


@pytest.mark.parametrize("allpass", [0, ALLPASS_MAX, -ALLPASS_MAX])
def test_full_scale_square_waves_of_every_sign(engines, allpass):
    rails = (CODE_MAX, CODE_MIN)
    for u_high, i_high in itertools.product(rails, rails):
        # Half a period of one rail, then the other; the references follow with the same signs.
        frames, pairs = [], []
        for k in range(3 * BLOCK):
            first = k // 40 % 2 == 0
            u = u_high if first else sum(rails) - u_high
            i = i_high if first else sum(rails) - i_high
            frames += [u, i, i, u, u, u]
            sign = 4095 if first else -4095
            pairs.append((sign, -sign))
        settings = [PhaseSetting(allpass=allpass, late_u=p == 1, late_i=p == 2) for p in range(3)]
        check(engines, 6, frames, pairs, settings)


@pytest.mark.parametrize("u_code", [CODE_MAX, CODE_MIN])
@pytest.mark.parametrize("i_code", [CODE_MAX, CODE_MIN])
def test_inputs_stuck_at_a_rail(engines, u_code, i_code):
    pairs = [(4095, -4095)] * (2 * BLOCK)
    settings = [PhaseSetting(allpass=ALLPASS_MAX)]
    check(engines, 2, [u_code, i_code] * (2 * BLOCK), pairs, settings)


@pytest.mark.parametrize("allpass", [ALLPASS_MAX, -ALLPASS_MAX])
def test_worst_sequence_for_the_delay_filter(engines, allpass):
    # The filter's output is largest when the input's signs follow its own impulse response.
    response = [allpass]
    response.append(65536 - allpass * allpass // 65536)
    while len(response) < BLOCK:
        response.append(-response[-1] * allpass // 65536)
    worst = [CODE_MAX if value >= 0 else CODE_MIN for value in reversed(response)]
    codes = worst + [-1 - code for code in worst] + worst
    frames = [code for value in codes for code in (value, value)]
    pairs = [(4095, 4095)] * len(codes)
    check(engines, 2, frames, pairs, [PhaseSetting(allpass=allpass)])


def test_alternating_rails_every_sample(engines):
    codes = [CODE_MAX if k % 2 else CODE_MIN for k in range(4 * BLOCK)]
    frames = [code for value in codes for code in (value, -1 - value)]
    pairs = [((-1) ** k * 4095, (-1) ** k * 4095) for k in range(4 * BLOCK)]
    check(engines, 2, frames, pairs, [PhaseSetting(allpass=-ALLPASS_MAX, late_i=1)])


@pytest.mark.parametrize("zero", [CODE_MAX, CODE_MIN])
def test_rails_with_the_zero_at_the_other_rail(engines, zero):
    # A channel that sat at one rail for a window and jumps to the other in the next one.
    other = CODE_MIN if zero > 0 else CODE_MAX
    setting = PhaseSetting(zero_u=zero, zero_i=zero)
    pairs = [(4095, -4095)] * BLOCK
    check(engines, 2, [other, other] * BLOCK, pairs, [setting])


def test_longest_window_at_full_scale(engines):
    # Twelve cycles of 45 Hz at 30.7 kHz: the fastest recording known, far beyond 4 kHz.
    count = 128 * BLOCK
    codes = [
        CODE_MAX if math.sin(6.2832 * 45 / 30707 * k) >= 0 else CODE_MIN for k in range(count)
    ]
    frames = [code for value in codes for code in (value, value)]
    pairs = [(4095 if value > 0 else -4095,) * 2 for value in codes]
    after = check(engines, 2, frames, pairs, [PhaseSetting()])
    assert sums_of(after, 0)["uu"] > (count - 1) << 45


def test_blocks_cut_anywhere_give_the_same_sums(engines):
    source = random.Random(SEED + 1)
    frames = [source.randint(CODE_MIN, CODE_MAX) for _ in range(2 * BLOCK)]
    pairs = sine_pairs(BLOCK)
    flat = [value + 4096 for pair in pairs for value in pair]
    state = accumulate_state(1, 2, [PhaseSetting(allpass=999, late_u=1)])
    start = [("set", "f", words(frames)), ("set", "r", words(flat)), ("set", "s", words(state))]
    cut = list(start)
    for first, count in ((0, 1), (1, 0), (1, 30), (31, 33)):
        for name in ("accumulate", "accumulate_shared"):
            cut.append(("call", name, [first * 256 + count, "f", "s", "r"]))
    whole = [*start]
    for name in ("accumulate", "accumulate_shared"):
        whole.append(("call", name, [BLOCK, "f", "s", "r"]))
    get = ("get", "s", None)
    assert engines.agree([*cut, get])[-1] == engines.agree([*whole, get])[-1]


@pytest.mark.parametrize("step", [0, 1, 13421773, 16106127, (1 << 28) - 1])
def test_reference_oscillator(engines, step):
    state = [(1 << 30) - 5, step]
    steps = [("set", "s", words(state)), ("set", "t", words(sine_table()))]
    steps.append(("set", "p", bytes(8 * BLOCK)))
    for _ in range(6):
        steps += [("call", "references", [BLOCK, "t", "s", "p"]), ("get", "p", None)]
    given = [unpack(data) for data in engines.agree([*steps, ("get", "s", None)]) if data]
    phase = (1 << 30) - 5
    for k, value in enumerate(itertools.chain(*given[:-1])):
        turn = 2 * math.pi * ((phase + k // 2 * step) % (1 << 30)) / (1 << 30)
        exact = 4095 * (math.cos(turn) if k % 2 else math.sin(turn))
        assert abs(value - 4096 - exact) < 1.2, f"value {k}"
    assert given[-1][0] == (phase + 6 * BLOCK * step) % (1 << 30)


def scan_state(zero=0, shift=2, level=16000, hold_off=20, target=3):
    state = [0] * (kernel._SCAN_AFTER + 1)
    state[kernel._SCAN_CHANNELS] = 2
    state[kernel._SCAN_CHANNEL] = 0
    state[kernel._SCAN_ZERO] = (1 << 23) + zero
    state[kernel._SCAN_SHIFT] = shift
    state[kernel._SCAN_LEVEL] = level
    state[kernel._SCAN_HOLD_OFF] = hold_off
    state[kernel._SCAN_TARGET] = target
    state[kernel._SCAN_FILTER] = 0x20000000
    return state


def scan_slowly(codes, zero, shift, level, hold_off):
    """Say in which frames a rising crossing is believed, from the rule and not from the kernel."""
    y, armed, since, found = 0, False, 0, []
    for k, code in enumerate(codes):
        y += (16 * (code - zero) - y) >> shift
        since += 1
        if y < -level:
            armed = True
        elif y >= 0 and armed:
            armed = False
            if since > hold_off:
                since = 0
                found.append(k)
    return found


@pytest.mark.parametrize("kind", ["sine", "noise", "rails", "offset"])
def test_zero_crossings(engines, kind):
    source = random.Random(SEED + 2)
    zero = CODE_MAX - 200000 if kind == "offset" else 0
    codes = []
    for k in range(8 * BLOCK):
        wave = {
            "sine": 4000000 * math.sin(6.2832 * k / 80) + source.gauss(0, 300),
            "noise": source.uniform(CODE_MIN, CODE_MAX),
            "rails": CODE_MAX if k // 40 % 2 else CODE_MIN,
            "offset": CODE_MAX if k // 40 % 2 else CODE_MIN,
        }[kind]
        codes.append(max(CODE_MIN, min(CODE_MAX, int(wave))))
    found = scan_slowly(codes, zero, 2, 16000, 20)
    steps = [("set", "s", words(scan_state(zero=zero, target=1)))]
    expected = []
    for begin in range(0, len(codes), BLOCK):
        part = codes[begin : begin + BLOCK]
        steps.append(("set", "f", words([v for code in part for v in (code, 0)])))
        stops = [k - begin for k in found if begin <= k < begin + BLOCK] + [BLOCK]
        for first, stop in zip([0, *[stop + 1 for stop in stops]], stops, strict=False):
            steps.append(("call", "scan", ["s", "f", first, BLOCK]))
            expected.append(stop)
    given = engines.agree([*steps, ("get", "s", None)])
    assert given[:-1] == expected
    if kind == "sine":
        # The low pass comes four frames late, and the wave's first period was not seen from below.
        assert [k % 80 for k in found] == [found[0] % 80] * 6
        assert 1 <= found[0] % 80 <= 6
    else:
        assert len(found) > 4


def test_a_crossing_is_interpolated_from_the_values_on_both_sides(engines):
    slope = 30000
    codes = [slope * (k - 100) + 7000 for k in range(160)]
    state = scan_state(shift=0, target=1)
    steps = [("set", "s", words(state)), ("set", "f", words([v for c in codes for v in (c, 0)]))]
    stop, after = engines.agree([*steps, ("call", "scan", ["s", "f", 0, 160]), ("get", "s", None)])
    after = unpack(after)
    assert stop == 100
    assert after[kernel._SCAN_AFTER] == 16 * 7000
    assert after[kernel._SCAN_BEFORE] == 16 * (slope - 7000)


def crc16(data):
    """CRC-16/CCITT-FALSE: polynomial 0x1021, seed 0xFFFF; check value of '123456789': 0x29B1."""
    crc = 0xFFFF
    for octet in data:
        crc ^= octet << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1
    return crc


def chip_frame(values, status=0x0500):
    body = status.to_bytes(2, "big") + b"\0"
    body += b"".join((value & 0xFFFFFF).to_bytes(3, "big") for value in values)
    return body + crc16(body).to_bytes(2, "big") + b"\0"


def test_the_reference_crc_is_the_published_one():
    assert crc16(b"123456789") == 0x29B1


@pytest.mark.parametrize("channels", [8, 4, 3])  # frames of 10, 6 and, at odd addresses, 5 words
def test_decoding_of_chip_frames_with_and_without_errors(engines, channels):
    source = random.Random(SEED + 3)
    ring_frames = 24
    values = [
        [source.randint(CODE_MIN, CODE_MAX) for _ in range(channels)] for _ in range(ring_frames)
    ]
    values[0] = [CODE_MAX, CODE_MIN, 0, -1, 1, CODE_MAX, CODE_MIN, -2][:channels]
    ring = bytearray(b"".join(chip_frame(v, 0x0500 + k) for k, v in enumerate(values)))
    length = len(ring) // ring_frames
    bad = {3: 0, 7: length - 2, 8: 5, 9: length - 3, 15: 8}  # frame: octet with a flipped bit
    for frame, octet in bad.items():
        ring[frame * length + octet] ^= 1 << source.randrange(8)
    order = [*range(1, channels), 0]
    state = decoder_state(length // 3, [1 + channel for channel in order], ring_frames, first=20)
    steps = [
        ("set", "s", words(state)),
        ("set", "ring", bytes(ring)),
        ("set", "f", bytes(32 * 24)),
    ]
    asked = [10, 14, 24]
    for count in asked:
        steps += [("call", "decode", [count, "s", "ring", "f"]), ("get", "f", None)]
    given = engines.agree([*steps, ("get", "s", None)])
    good, frame = None, 20
    for index, count in enumerate(asked):
        errors, decoded = given[2 * index], unpack(given[2 * index + 1])
        wrong = 0
        for k in range(count):
            if frame in bad:
                wrong += 1
            else:
                good = [values[frame][channel] for channel in order]
            assert decoded[channels * k : channels * (k + 1)] == good, f"frame {frame}"
            frame = (frame + 1) % ring_frames
        assert errors == wrong
    after = unpack(given[-1])
    assert after[kernel._DEC_FIRST] == frame == 20
    assert after[kernel._DEC_STATUS] == 0x0500 + 19


@pytest.mark.parametrize("codes", [[1, -2, 300000], [5, -6, 7, -8]])
def test_every_flipped_bit_of_a_frame_is_found(engines, codes):
    frame = chip_frame(codes)
    ring = bytearray(frame)
    count = 8 * (len(frame) - 1)  # the last octet is padding behind the CRC
    for bit in range(count):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        ring += flipped
    state = decoder_state(len(frame) // 3, [1, 2, 3], count + 1)
    steps = [
        ("set", "s", words(state)),
        ("set", "ring", bytes(ring)),
        ("set", "f", bytes(12 * (count + 1))),
        ("call", "decode", [count + 1, "s", "ring", "f"]),
        ("get", "f", None),
    ]
    errors, decoded = engines.agree(steps)
    assert errors == count
    assert unpack(decoded) == codes[:3] * (count + 1)
