"""The work on every ADC frame: decode, find zero crossings, multiply, sum. Viper.

Frames come from a driver's ring (`decode`) as signed 24-bit codes in 32-bit words, channels
interleaved; the exact sums leave through `state`, which accumulators.py lays out and reads.
Nothing here allocates, calls an object or knows a unit.

Rules that keep a 32-bit and a 64-bit processor at the same bits:

* every intermediate stays inside 32 bits; the bound stands beside it (B blocks of at most 64
  frames, |code| <= 2**23);
* the compiler keeps a function's first two arguments in registers and no other local: what the
  loops use most is written into them, an integer into the first and a pointer into the second;
* a word read through ptr32 is signed on a 32-bit processor and zero-extended on a 64-bit one, so a
  signed word is stored with a bias, or made signed by mask and subtraction after it is read;
* a limb (part of a long sum) is 24 or 12 bits and never negative; only the highest limb of a sum
  has a sign, and it is only ever added to.

A span of frames is passed as `first * 256 + count`, both at most 64.
"""

import micropython
from micropython import const

# Layout of `state` for `accumulate`: a head, then one section a phase. Public through
# accumulators.py, which must hold the same numbers (a test compares them).
_CHANNELS = const(0)  # words of a frame
_PHASES = const(1)
_NEUTRAL = const(2)  # word of the neutral current in a frame, 0: none
_ZERO_N = const(3)  # code of zero input + 2**23
_REFERENCE = const(4)  # limbs of the sums of s, c, ss, cc, sc: two each
_SUM_N = const(14)  # limbs of the sums of n: two, and nn: four
_HEAD = const(20)
_SECTION = const(38)
# Offsets in a phase's section
_ZERO_U = const(0)  # code of zero input + 2**23
_ZERO_I = const(1)
_ALLPASS = const(2)  # coefficient of the fractional delay, q16 + 65536
_LATE_U = const(3)  # 1: the voltage is delayed by one more sample
_LATE_I = const(4)  # 1: the current is
_HISTORY = const(5)  # u one frame ago, filter's output, u held, i one and two frames ago; biased
_SUM_U = const(10)  # two limbs; i likewise
_SUM_UU = const(14)  # four limbs; ii and ui likewise
_SUM_US = const(26)  # three limbs; uc, is and ic likewise

# Layout of `state` for `scan`
_SCAN_CHANNELS = const(0)
_SCAN_CHANNEL = const(1)  # the voltage that is watched
_SCAN_ZERO = const(2)  # its code of zero input + 2**23
_SCAN_SHIFT = const(3)  # low pass: each frame closes 1/2**shift of the distance
_SCAN_LEVEL = const(4)  # hysteresis, codes times 16
_SCAN_HOLD_OFF = const(5)  # frames after a crossing in which none is believed
_SCAN_TARGET = const(6)  # crossings after which scan stops
_SCAN_FILTER = const(7)  # codes times 16, biased
_SCAN_ARMED = const(8)  # 1: the voltage was below -level since the last crossing
_SCAN_SINCE = const(9)  # frames since the last crossing
_SCAN_COUNT = const(10)  # crossings since the last stop
_SCAN_BEFORE = const(11)  # filtered value before the last crossing, negated (> 0)
_SCAN_AFTER = const(12)  # filtered value after it (>= 0)

# Layout of `state` for `references`
_OSC_PHASE = const(0)  # 2**30 is a whole turn
_OSC_STEP = const(1)  # turn of one frame, below 2**28

# Layout of `state` for `decode`
_DEC_WORDS = const(0)  # words of a chip frame, 3 bytes each, CRC last
_DEC_CHANNELS = const(1)
_DEC_FIRST = const(2)  # frame of the ring to begin with
_DEC_RING = const(3)  # frames in the ring
_DEC_STATUS = const(4)  # status word of the last good frame
_DEC_BAD = const(5)  # frames with a wrong CRC without a good one since
_DEC_CHANNEL = const(8)  # byte offsets of the channels in a chip frame: up to 8
_DEC_GOOD = const(16)  # values of the last good frame: up to 8
_DEC_TABLE = const(24)  # CRC-16 of a first and of a second byte: 256 half words each


@micropython.viper
def decode(word: int, table: ptr16, ring: ptr8, frames: ptr32) -> int:
    """Unpack `word` chip frames of the ring into `frames`; return how many had a wrong CRC.

    `table` is the state. A bad frame is replaced by the last good one. The ring is a whole number
    of frames long and the frames asked for may wrap round its end. The CRC runs over the whole
    frame, its own word included, and ends at zero; two bytes are taken at once, low byte first as
    the processor loads them, so its bytes are kept swapped (frame.py makes the tables to fit).
    """
    left = word
    state = ptr32(int(table))
    words = int(state[_DEC_WORDS])
    length = words * 3
    channels = int(state[_DEC_CHANNELS])
    frame = int(state[_DEC_FIRST])
    # 256 CRCs of a first byte, then 256 of a second one
    table = ptr16(int(state) + (_DEC_TABLE << 2))
    good = ptr32(int(state) + (_DEC_GOOD << 2))
    errors = 0
    while left:
        chip = ptr8(int(ring) + frame * length)
        word = 0xFFFF
        if words & 1:
            # Such a frame may begin at an odd address: bytes only.
            for k in range(length):
                word = (word >> 8) ^ table[((word & 255) ^ chip[k]) + 256]
        else:
            h = ptr16(int(chip))
            k = words
            while k:
                word ^= h[0]
                word = table[word & 255] ^ table[(word >> 8) + 256] ^ h[1]
                word = table[word & 255] ^ table[(word >> 8) + 256] ^ h[2]
                word = table[word & 255] ^ table[(word >> 8) + 256]
                h = ptr16(int(h) + 6)
                k -= 2
        out = frames
        k = channels
        if word:
            errors += 1
            state[_DEC_BAD] = (int(state[_DEC_BAD]) + 1) & 0xFFFFFF
            while k:
                out[0] = good[0]
                out = ptr32(int(out) + 4)
                good = ptr32(int(good) + 4)
                k -= 1
        else:
            state[_DEC_STATUS] = (chip[0] << 8) | chip[1]
            state[_DEC_BAD] = 0
            c = ptr32(int(state) + (_DEC_CHANNEL << 2))
            while k:
                b = ptr8(int(c[0]) + int(chip))
                out[0] = (((((b[0] ^ 128) - 128) << 8) | b[1]) << 8) | b[2]
                out = ptr32(int(out) + 4)
                c = ptr32(int(c) + 4)
                k -= 1
        good = frames
        frames = out
        frame += 1
        if frame == int(state[_DEC_RING]):
            frame = 0
        left -= 1
    state[_DEC_FIRST] = frame
    for k in range(channels):
        state[_DEC_GOOD + k] = good[k]
    return errors


@micropython.viper
def scan(state: ptr32, frames: ptr32, first: int, count: int) -> int:
    """Watch one voltage for rising zero crossings in frames `first`..`count` - 1.

    Returns the frame after the crossing that completes the target, or `count` if there is none;
    call again from the following frame. A low pass keeps noise and notches from being taken for
    crossings; its delay is the same for all of them.
    """
    channels = int(state[_SCAN_CHANNELS])
    zero = int(state[_SCAN_ZERO])
    shift = int(state[_SCAN_SHIFT])
    level = int(state[_SCAN_LEVEL])
    hold_off = int(state[_SCAN_HOLD_OFF])
    since = int(state[_SCAN_SINCE])
    armed = int(state[_SCAN_ARMED])
    y = int(state[_SCAN_FILTER]) - 0x20000000
    at = first * channels + int(state[_SCAN_CHANNEL])
    stop = count
    for k in range(first, count):
        before = y
        # |16 x| <= 2**28, so is |y|, and their distance is below 2**30
        x = (((int(frames[at]) ^ 0x800000) & 0xFFFFFF) - zero) << 4
        y += (x - y) >> shift
        at += channels
        since += 1
        if y < 0:
            if y < 0 - level:
                armed = 1
        elif armed:
            armed = 0
            if since > hold_off:
                since = 0
                state[_SCAN_BEFORE] = 0 - before
                state[_SCAN_AFTER] = y
                crossings = int(state[_SCAN_COUNT]) + 1
                state[_SCAN_COUNT] = crossings
                if crossings >= int(state[_SCAN_TARGET]):
                    state[_SCAN_COUNT] = 0
                    stop = k
                    break
    if since > 0xFFFFFF:
        since = 0xFFFFFF
    state[_SCAN_SINCE] = since
    state[_SCAN_ARMED] = armed
    state[_SCAN_FILTER] = y + 0x20000000
    return stop


@micropython.viper
def references(k: int, table: ptr32, state: ptr32, pairs: ptr32):
    """Write sine and cosine of the mains frequency for `k` frames, biased by 4096.

    `table` holds 256 + 64 + 1 values of a turn and a quarter, amplitude 4095 * 256, biased by
    2**20. Values between its points are interpolated: 7e-5 of the amplitude rms is all that is
    left, rounding included.
    """
    left = k
    phase = int(state[_OSC_PHASE])
    step = int(state[_OSC_STEP])
    while left:
        k = phase
        part = (k >> 11) & 2047
        phase = (k + step) & 0x3FFFFFFF
        k >>= 22
        a = int(table[k])
        # difference of neighbours at most 25735: times 2048 below 2**26
        pairs[0] = (((int(table[k + 1]) - a) * part >> 11) + a + 128) >> 8
        k += 64
        a = int(table[k])
        pairs[1] = (((int(table[k + 1]) - a) * part >> 11) + a + 128) >> 8
        pairs = ptr32(int(pairs) + 8)
        left -= 1
    state[_OSC_PHASE] = phase


@micropython.viper
def accumulate(word: int, frames: ptr32, state: ptr32, pairs: ptr32):
    """Add a span of at most 64 frames, given as `word`, to the sums of every phase.

    Voltage: delayed by 0 or 1 sample and a first-order all-pass of 0.5..1.5 samples, whose gain
    is 1 at every frequency; current: by 1 or 2 samples. Halves of 12 bits are multiplied: with
    |x| <= 2**23, the all-pass gives |y| <= 1.7 * 2**23 (coefficient within 0.35), so a high half
    is within 3482 and a low half in 0..4095. References are multiplied with their bias, 1..8191,
    which leaves the sums with the voltages' and currents' own.
    """
    count = word & 255
    word >>= 8
    stride = int(state[_CHANNELS]) << 2
    first_frame = int(frames) + word * stride
    first_pair = int(pairs) + (word << 3)
    mask = 0xFFFFFF
    p = ptr32(int(state) + (_HEAD << 2))
    phases = int(state[_PHASES])
    while phases:
        zero_u = int(p[_ZERO_U])
        zero_i = int(p[_ZERO_I])
        c = int(p[_ALLPASS]) - 65536
        late_u = int(p[_LATE_U])
        late_i = int(p[_LATE_I])
        x1 = int(p[_HISTORY]) - 0x4000000
        y = int(p[_HISTORY + 1]) - 0x4000000
        held = int(p[_HISTORY + 2]) - 0x4000000
        i1 = int(p[_HISTORY + 3]) - 0x4000000
        i2 = int(p[_HISTORY + 4]) - 0x4000000
        u_sum = i_sum = uu_h = uu_m = uu_l = ii_h = 0
        ii_m = ii_l = ui_h = ui_m = ui_l = us_h = 0
        us_l = uc_h = uc_l = is_h = is_l = ic_h = 0
        ic_l = 0
        frames = ptr32(first_frame)
        pairs = ptr32(first_pair)
        k = count
        while k:
            word = ((int(frames[0]) ^ 0x800000) & mask) - zero_u
            if late_u:
                word, held = held, word
            t = x1
            x1 = word
            if c:
                # |x - y| < 2**25: high part within 2**13, c within 22938, product below 2**28
                word -= y
                t += (((((word & 4095) * c) >> 12) + (word >> 12) * c) + 8) >> 4
            y = t
            word = i1
            i1 = ((int(frames[1]) ^ 0x800000) & mask) - zero_i
            if late_i:
                word, i2 = i2, word
            # Sums of one block, all below 2**31 = 2.147e9: u, i 9.2e8; h*h 7.8e8; h*l + l*h
            # 1.83e9; l*l 1.08e9; h*s 1.83e9; l*s 2.146e9
            i_sum += word
            ih = word >> 12
            il = word & 4095
            sine = int(pairs[0])
            cosine = int(pairs[1])
            word = y
            u_sum += word
            ul = word & 4095
            word >>= 12
            uu_h += word * word
            uu_m = ul * word + uu_m
            ui_h = ih * word + ui_h
            ui_m = il * word + ui_m
            us_h = sine * word + us_h
            uc_h = cosine * word + uc_h
            word = ul
            uu_l = word * word + uu_l
            ui_m = ih * word + ui_m
            ui_l = il * word + ui_l
            us_l = sine * word + us_l
            uc_l = cosine * word + uc_l
            word = ih
            ii_h = word * word + ii_h
            ii_m = il * word + ii_m
            is_h = sine * word + is_h
            ic_h = cosine * word + ic_h
            word = il
            ii_l = word * word + ii_l
            is_l = sine * word + is_l
            ic_l = cosine * word + ic_l
            pairs = ptr32(int(pairs) + 8)
            frames = ptr32(int(frames) + stride)
            k -= 1
        p[_HISTORY] = x1 + 0x4000000
        p[_HISTORY + 1] = y + 0x4000000
        p[_HISTORY + 2] = held + 0x4000000
        p[_HISTORY + 3] = i1 + 0x4000000
        p[_HISTORY + 4] = i2 + 0x4000000
        # The references' bias goes: 4096 times the sum, and a high half's unit is 4096
        us_h, uc_h = us_h - u_sum, uc_h - u_sum
        is_h, ic_h = is_h - i_sum, ic_h - i_sum
        # Limbs: 2.146e9 and a limb of 12 bits, 1.83e9 and one of 24 are still inside 31 bits
        word = int(p[_SUM_U]) + u_sum
        p[_SUM_U] = word & mask
        p[_SUM_U + 1] = int(p[_SUM_U + 1]) + (word >> 24)
        word = int(p[_SUM_U + 2]) + i_sum
        p[_SUM_U + 2] = word & mask
        p[_SUM_U + 3] = int(p[_SUM_U + 3]) + (word >> 24)
        # uu, ii, ui: base 2**12, 2**12, 2**24, rest; each moves up into the first's variables
        uu_m += uu_m
        ii_m += ii_m
        p = ptr32(int(p) + (_SUM_UU << 2))
        for _ in range(3):
            word = int(p[0]) + uu_l
            p[0] = word & 4095
            word = (word >> 12) + int(p[1]) + uu_m
            p[1] = word & 4095
            word = (word >> 12) + int(p[2]) + uu_h
            p[2] = word & mask
            p[3] = int(p[3]) + (word >> 24)
            uu_h, uu_m, uu_l = ii_h, ii_m, ii_l
            ii_h, ii_m, ii_l = ui_h, ui_m, ui_l
            p = ptr32(int(p) + 16)
        # us, uc, is, ic: base 2**12, 2**24, rest; they end the section
        for _ in range(4):
            word = int(p[0]) + us_l
            p[0] = word & 4095
            word = (word >> 12) + int(p[1]) + us_h
            p[1] = word & mask
            p[2] = int(p[2]) + (word >> 24)
            us_h, uc_h, is_h = uc_h, is_h, ic_h
            us_l, uc_l, is_l = uc_l, is_l, ic_l
            p = ptr32(int(p) + 12)
        first_frame += 8
        phases -= 1


@micropython.viper
def accumulate_shared(word: int, frames: ptr32, state: ptr32, pairs: ptr32):
    """Add the same span to what the phases share: reference sums and the neutral current."""
    count = word & 255
    word >>= 8
    stride = int(state[_CHANNELS]) << 2
    neutral = int(state[_NEUTRAL])
    zero_n = int(state[_ZERO_N])
    s_sum = c_sum = ss = cc = sc = n_sum = 0
    nn_h = nn_m = nn_l = 0
    frames = ptr32(int(frames) + word * stride + (neutral << 2))
    pairs = ptr32(int(pairs) + (word << 3))
    while count:
        # products of references below 2**24, sums of a block below 2**30
        s = int(pairs[0]) - 4096
        word = int(pairs[1]) - 4096
        pairs = ptr32(int(pairs) + 8)
        c_sum += word
        cc = word * word + cc
        sc = s * word + sc
        word = s
        s_sum += word
        ss = word * word + ss
        if neutral:
            word = ((int(frames[0]) ^ 0x800000) & 0xFFFFFF) - zero_n
            frames = ptr32(int(frames) + stride)
            n_sum += word
            word += 2048
            h = word >> 12
            word = (word & 4095) - 2048
            nn_l = word * word + nn_l
            nn_m = h * word + nn_m
            word = h
            nn_h = word * word + nn_h
        count -= 1
    r = ptr32(int(state) + (_REFERENCE << 2))
    count = 6
    while count:
        word = int(r[0]) + s_sum
        r[0] = word & 0xFFFFFF
        r[1] = int(r[1]) + (word >> 24)
        s_sum, c_sum, ss = c_sum, ss, cc
        cc, sc = sc, n_sum
        r = ptr32(int(r) + 8)
        count -= 1
    word = int(state[_SUM_N + 2]) + nn_l
    state[_SUM_N + 2] = word & 4095
    word = (word >> 12) + int(state[_SUM_N + 3]) + nn_m + nn_m
    state[_SUM_N + 3] = word & 4095
    word = (word >> 12) + int(state[_SUM_N + 4]) + nn_h
    state[_SUM_N + 4] = word & 0xFFFFFF
    state[_SUM_N + 5] = int(state[_SUM_N + 5]) + (word >> 24)
