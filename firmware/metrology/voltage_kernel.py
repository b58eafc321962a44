"""The squares of every voltage, half cycle by half cycle: viper, by the rules of kernel.py.

Frames come from the engine's block; each half cycle of a voltage ends in one value in `ring`, the
RMS of the cycle that ends there in millivolts, -1 where that is no whole one. Every phase has its
own half cycles. half_cycle.py lays out `state`.
"""

import micropython
from micropython import const

# Layout of `state`: a head, then a section a phase
_CHANNELS = const(0)
_PHASES = const(1)
_SHIFT = const(2)  # codes are squared in units of 1 << shift
_SLOTS = const(3)  # half cycles in the ring, a power of two
_HEAD = const(4)
_ZERO = const(0)  # code of zero input + 2**23
_SUM = const(1)  # squares of this half cycle
_LAST = const(2)  # squares of the one before
_FACTOR = const(3)  # millivolts = root * factor >> shift, see below
_FACTOR_SHIFT = const(4)
_HALF = const(5)  # frames that a half cycle is to have, q8
_LEFT = const(6)  # frames until this one ends, q8
_LENGTH = const(7)  # frames of this one, q8
_BEFORE = const(8)  # frames of the one before, q8
_COUNT = const(9)  # half cycles ended, modulo 2**30
_WAIT = const(10)  # half cycles whose end is not that of a whole cycle
_SECTION = const(11)


@micropython.viper
def half_cycles(word: int, frames: ptr32, state: ptr32, ring: ptr32) -> int:
    """Add a block of `word` frames; return how many half cycles of all phases ended in it.

    The frame in which a half cycle ends is shared between the two. With a zero of at most 2**22 a
    rounded code is within 3072 units and its square within 9.44e6; a half cycle has at most 102
    frames (shift 12; 406 frames and a quarter of that with shift 13): two of them are below 2**31.
    """
    count = word
    stride = int(state[_CHANNELS]) << 2
    phases = int(state[_PHASES])
    shift = int(state[_SHIFT])
    half = 1 << (shift - 1)
    block = int(frames)
    ended = 0
    p = ptr32(int(state) + (_HEAD << 2))
    for phase in range(phases):
        frames = ptr32(block)
        block += 8
        left_frames = count
        left = int(p[_LEFT])
        zero = int(p[_ZERO]) - half
        while left_frames:
            n = left >> 8
            if n > left_frames:
                n = left_frames
            left_frames -= n
            left -= n << 8
            squares = int(p[_SUM])
            while n:
                word = (((int(frames[0]) ^ 0x800000) & 0xFFFFFF) - zero) >> shift
                squares = word * word + squares
                frames = ptr32(int(frames) + stride)
                n -= 1
            p[_SUM] = squares
            if left_frames:
                # the half cycle ends in this frame, `left` parts of 256 after its begin
                word = (((int(frames[0]) ^ 0x800000) & 0xFFFFFF) - zero) >> shift
                word = word * word
                t = ((word >> 1) * left) >> 7
                squares += t
                p[_SUM] = word - t
                word = int(p[_LAST]) + squares
                p[_LAST] = squares
                n = int(p[_LENGTH])
                duration = n + int(p[_BEFORE])
                p[_BEFORE] = n
                n = int(p[_HALF])
                p[_LENGTH] = n
                left += n - 256
                frames = ptr32(int(frames) + stride)
                left_frames -= 1
                ended += 1
                n = int(p[_COUNT])
                p[_COUNT] = (n + 1) & 0x3FFFFFFF
                n = (n & (int(state[_SLOTS]) - 1)) * phases + phase
                k = int(p[_WAIT])
                if k:
                    p[_WAIT] = k - 1
                    ring[n] = -1
                else:
                    # 16 times the mean square: quotient of q8 and twelve more bits, below 2**28
                    t = word // duration
                    word = (t << 12) + ((word - t * duration) << 12) // duration
                    k = int(p[_FACTOR_SHIFT])
                    t = 7
                    while t:
                        if word < 0x4000000:
                            # two bits more for the square, one for the root
                            word <<= 2
                            k += 1
                        t -= 1
                    root = 0
                    bit = 0x10000000
                    while bit:
                        t = root + bit
                        root >>= 1
                        if word >= t:
                            word -= t
                            root += bit
                        bit >>= 2
                    ring[n] = (root * int(p[_FACTOR])) >> k
        p[_LEFT] = left
        p = ptr32(int(p) + (_SECTION << 2))
    return ended
