"""The work on every ADC frame: decode, find zero crossings, multiply, sum. The one viper file.

Frames come from a driver's ring (`decode`) as signed 24-bit codes in 32-bit words, channels
interleaved; the exact sums leave through `state`, which accumulators.py lays out and reads.
Nothing here allocates, calls an object or knows a unit.

Rules that keep a 32-bit and a 64-bit processor at the same bits:

* every intermediate stays inside 32 bits; the bound stands beside it (B blocks of at most 64
  frames, |code| <= 2**23);
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
_SCAN_BEFORE = const(11)  # at a stop: filtered value before the crossing, negated (> 0)
_SCAN_AFTER = const(12)  # at a stop: filtered value after it (>= 0)

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
def decode(state: ptr32, ring: ptr8, frames: ptr32, count: int) -> int:
    """Unpack `count` chip frames of the ring into `frames`; return how many had a wrong CRC.

    A bad frame is replaced by the last good one. The ring is a whole number of frames long and
    the frames asked for may wrap round its end. The CRC runs over the whole frame, its own word
    included, and ends at zero; two bytes are taken at once, low byte first as the processor loads
    them, so its bytes are kept swapped (frame.py makes the tables to fit).
    """
    words = int(state[_DEC_WORDS])
    length = words * 3
    channels = int(state[_DEC_CHANNELS])
    ring_frames = int(state[_DEC_RING])
    frame = int(state[_DEC_FIRST])
    first = ptr16(int(state) + (_DEC_TABLE << 2))
    second = ptr16(int(state) + ((_DEC_TABLE + 128) << 2))
    good = ptr32(int(state) + (_DEC_GOOD << 2))
    errors = 0
    at = 0
    while at < count:
        chip = ptr8(int(ring) + frame * length)
        crc = 0xFFFF
        if words & 1:
            # Such a frame may begin at an odd address: bytes only.
            k = 0
            while k < length:
                crc = (crc >> 8) ^ second[(crc & 255) ^ chip[k]]
                k += 1
        else:
            h = ptr16(int(chip))
            k = words
            while k:
                crc ^= h[0]
                crc = first[crc & 255] ^ second[crc >> 8] ^ h[1]
                crc = first[crc & 255] ^ second[crc >> 8] ^ h[2]
                crc = first[crc & 255] ^ second[crc >> 8]
                h = ptr16(int(h) + 6)
                k -= 2
        out = frames
        k = channels
        if crc:
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
                b = ptr8(int(chip) + int(c[0]))
                out[0] = (((b[0] ^ 128) - 128) << 16) | (b[1] << 8) | b[2]
                out = ptr32(int(out) + 4)
                c = ptr32(int(c) + 4)
                k -= 1
        good = frames
        frames = out
        frame += 1
        if frame == ring_frames:
            frame = 0
        at += 1
    state[_DEC_FIRST] = frame
    if at:
        k = 0
        while k < channels:
            state[_DEC_GOOD + k] = good[k]
            k += 1
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
    mask = 0xFFFFFF
    sign = 0x800000
    stop = count
    for k in range(first, count):
        before = y
        # |16 x| <= 2**28, so is |y|, and their distance is below 2**30
        x = (((int(frames[at]) ^ sign) & mask) - zero) << 4
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
                crossings = int(state[_SCAN_COUNT]) + 1
                state[_SCAN_COUNT] = crossings
                if crossings >= int(state[_SCAN_TARGET]):
                    state[_SCAN_COUNT] = 0
                    state[_SCAN_BEFORE] = 0 - before
                    state[_SCAN_AFTER] = y
                    stop = k
                    break
    if since > 0xFFFFFF:
        since = 0xFFFFFF
    state[_SCAN_SINCE] = since
    state[_SCAN_ARMED] = armed
    state[_SCAN_FILTER] = y + 0x20000000
    return stop


@micropython.viper
def references(state: ptr32, table: ptr32, pairs: ptr32, count: int):
    """Write sine and cosine of the mains frequency for `count` frames, biased by 4096.

    `table` holds 256 + 64 + 1 values of a turn and a quarter, amplitude 4095 * 256, biased by
    2**20. Values between its points are interpolated: 7e-5 of the amplitude rms is all that is
    left, rounding included.
    """
    phase = int(state[_OSC_PHASE])
    step = int(state[_OSC_STEP])
    mask = 0x3FFFFFFF
    at = 0
    end = count << 1
    while at < end:
        k = phase >> 22
        part = (phase >> 11) & 2047
        a = int(table[k])
        # difference of neighbours at most 25735: times 2048 below 2**26
        pairs[at] = (a + (((int(table[k + 1]) - a) * part) >> 11) + 128) >> 8
        k += 64
        a = int(table[k])
        pairs[at + 1] = (a + (((int(table[k + 1]) - a) * part) >> 11) + 128) >> 8
        at += 2
        phase = (phase + step) & mask
    state[_OSC_PHASE] = phase


@micropython.viper
def accumulate(state: ptr32, frames: ptr32, pairs: ptr32, span: int):
    """Add a span of at most 64 frames to the sums of every phase.

    Voltage: delayed by 0 or 1 sample and a first-order all-pass of 0.5..1.5 samples, whose gain
    is 1 at every frequency; current: by 1 or 2 samples. Halves of 12 bits are multiplied: with
    |x| <= 2**23, the all-pass gives |y| <= 1.7 * 2**23 (coefficient within 0.35), so a high half
    is within 3482 and a low half in 0..4095. Products stand before the sum they are added to:
    that way round the compiler keeps them in a register.
    """
    first = span >> 8
    end = first + (span & 255)
    channels = int(state[_CHANNELS])
    phases = int(state[_PHASES])
    mask = 0xFFFFFF
    sign = 0x800000
    bias = 0x4000000
    low = 4095
    first_pair = int(pairs) + (first << 3)
    for phase in range(phases):
        p = ptr32(int(state) + ((_HEAD + phase * _SECTION) << 2))
        zero_u = int(p[_ZERO_U])
        zero_i = int(p[_ZERO_I])
        c = int(p[_ALLPASS]) - 65536
        late_u = int(p[_LATE_U])
        late_i = int(p[_LATE_I])
        x1 = int(p[_HISTORY]) - bias
        y = int(p[_HISTORY + 1]) - bias
        held = int(p[_HISTORY + 2]) - bias
        i1 = int(p[_HISTORY + 3]) - bias
        i2 = int(p[_HISTORY + 4]) - bias
        u_sum = i_sum = uu_h = uu_m = uu_l = ii_h = 0
        ii_m = ii_l = ui_h = ui_m = ui_l = us_h = 0
        us_l = uc_h = uc_l = is_h = is_l = ic_h = 0
        ic_l = 0
        at = first * channels + phase + phase
        pairs = ptr32(first_pair)
        for _ in range(end - first):
            x = ((int(frames[at]) ^ sign) & mask) - zero_u
            if late_u:
                t = held
                held = x
                x = t
            if c:
                # |x - y| < 2**25: high part within 2**13, c within 22938, product below 2**28
                t = x - y
                t = (t >> 12) * c + (((t & low) * c) >> 12)
                y = ((t + 8) >> 4) + x1
            else:
                y = x1
            x1 = x
            x = i1
            i1 = ((int(frames[at + 1]) ^ sign) & mask) - zero_i
            if late_i:
                t = i2
                i2 = x
                x = t
            # Sums of one block, all below 2**31 = 2.15e9: u, i 9.2e8; h*h 7.8e8; h*l + l*h
            # 1.83e9; l*l 1.08e9; h*s 9.2e8; l*s 1.08e9
            u_sum += y
            i_sum += x
            uh = y >> 12
            ul = y & low
            ih = x >> 12
            il = x & low
            uu_h = uh * uh + uu_h
            uu_m = uh * ul + uu_m
            uu_l = ul * ul + uu_l
            ii_h = ih * ih + ii_h
            ii_m = ih * il + ii_m
            ii_l = il * il + ii_l
            ui_h = uh * ih + ui_h
            ui_m = uh * il + ui_m
            ui_m = ul * ih + ui_m
            ui_l = ul * il + ui_l
            t = int(pairs[0]) - 4096
            us_h = uh * t + us_h
            us_l = ul * t + us_l
            is_h = ih * t + is_h
            is_l = il * t + is_l
            t = int(pairs[1]) - 4096
            uc_h = uh * t + uc_h
            uc_l = ul * t + uc_l
            ic_h = ih * t + ic_h
            ic_l = il * t + ic_l
            at += channels
            pairs = ptr32(int(pairs) + 8)
        p[_HISTORY] = x1 + bias
        p[_HISTORY + 1] = y + bias
        p[_HISTORY + 2] = held + bias
        p[_HISTORY + 3] = i1 + bias
        p[_HISTORY + 4] = i2 + bias
        # Limbs: the largest sum, 1.83e9, and a limb and a carry are still inside 31 bits
        t = int(p[_SUM_U]) + u_sum
        p[_SUM_U] = t & mask
        p[_SUM_U + 1] = int(p[_SUM_U + 1]) + (t >> 24)
        t = int(p[_SUM_U + 2]) + i_sum
        p[_SUM_U + 2] = t & mask
        p[_SUM_U + 3] = int(p[_SUM_U + 3]) + (t >> 24)
        # uu, ii, ui: base 2**12, 2**12, 2**24, rest; each moves up into the first's variables
        uu_m += uu_m
        ii_m += ii_m
        r = ptr32(int(p) + (_SUM_UU << 2))
        for _ in range(3):
            t = int(r[0]) + uu_l
            r[0] = t & 4095
            t = int(r[1]) + uu_m + (t >> 12)
            r[1] = t & 4095
            t = int(r[2]) + uu_h + (t >> 12)
            r[2] = t & mask
            r[3] = int(r[3]) + (t >> 24)
            uu_h, uu_m, uu_l = ii_h, ii_m, ii_l
            ii_h, ii_m, ii_l = ui_h, ui_m, ui_l
            r = ptr32(int(r) + 16)
        # us, uc, is, ic: base 2**12, 2**24, rest
        for _ in range(4):
            t = int(r[0]) + us_l
            r[0] = t & 4095
            t = int(r[1]) + us_h + (t >> 12)
            r[1] = t & mask
            r[2] = int(r[2]) + (t >> 24)
            us_h, uc_h, is_h = uc_h, is_h, ic_h
            us_l, uc_l, is_l = uc_l, is_l, ic_l
            r = ptr32(int(r) + 12)


@micropython.viper
def accumulate_shared(state: ptr32, frames: ptr32, pairs: ptr32, span: int):
    """Add the same span to what the phases share: reference sums and the neutral current."""
    first = span >> 8
    end = first + (span & 255)
    channels = int(state[_CHANNELS])
    neutral = int(state[_NEUTRAL])
    zero_n = int(state[_ZERO_N])
    mask = 0xFFFFFF
    sign = 0x800000
    s_sum = c_sum = ss = cc = sc = n_sum = 0
    nn_h = nn_m = nn_l = 0
    at = first * channels + neutral
    ref = first << 1
    for _ in range(end - first):
        # products of references below 2**24, sums of a block below 2**30
        s = int(pairs[ref]) - 4096
        c = int(pairs[ref + 1]) - 4096
        ref += 2
        s_sum += s
        c_sum += c
        ss = s * s + ss
        cc = c * c + cc
        sc = s * c + sc
        if neutral:
            x = ((int(frames[at]) ^ sign) & mask) - zero_n
            at += channels
            n_sum += x
            x += 2048
            h = x >> 12
            x = (x & 4095) - 2048
            nn_h = h * h + nn_h
            nn_m = h * x + nn_m
            nn_l = x * x + nn_l
    r = ptr32(int(state) + (_REFERENCE << 2))
    for _ in range(6):
        s_sum += int(r[0])
        r[0] = s_sum & mask
        r[1] = int(r[1]) + (s_sum >> 24)
        s_sum, c_sum, ss = c_sum, ss, cc
        cc, sc = sc, n_sum
        r = ptr32(int(r) + 8)
    x = int(state[_SUM_N + 2]) + nn_l
    state[_SUM_N + 2] = x & 4095
    x = int(state[_SUM_N + 3]) + nn_m + nn_m + (x >> 12)
    state[_SUM_N + 3] = x & 4095
    x = int(state[_SUM_N + 4]) + nn_h + (x >> 12)
    state[_SUM_N + 4] = x & mask
    state[_SUM_N + 5] = int(state[_SUM_N + 5]) + (x >> 24)
