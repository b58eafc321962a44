"""The squares of every voltage, half cycle by half cycle: viper, by the rules of kernel.py.

Frames come from the engine's block; each half cycle of the mains ends in one value a phase in
`ring`, the RMS of the cycle that ends there in millivolts. half_cycle.py lays out `state`.
"""

import micropython
from micropython import const

# Layout of `state`: a head, then a section a phase
_CHANNELS = const(0)
_PHASES = const(1)
_SHIFT = const(2)  # codes are squared in units of 1 << shift
_HALF = const(3)  # frames of a half cycle at the present frequency, q8
_LEFT = const(4)  # frames until this half cycle ends, q8
_LENGTH = const(5)  # frames of this half cycle, q8
_BEFORE = const(6)  # frames of the one before, q8
_SLEW = const(7)  # what the next half cycle is longer than _HALF, q8 + 256; 256 again afterwards
_COUNT = const(8)  # half cycles ended, modulo 2**30
_SLOTS = const(9)  # half cycles in the ring, a power of two
_HEAD = const(10)
_ZERO = const(0)  # code of zero input + 2**23
_SUM = const(1)  # squares of this half cycle
_LAST = const(2)  # squares of the one before
_FACTOR = const(3)  # millivolts = root * factor >> shift, see below
_FACTOR_SHIFT = const(4)
_SECTION = const(5)


@micropython.viper
def half_cycles(word: int, frames: ptr32, state: ptr32, ring: ptr32) -> int:
    """Add a block of `word` frames; return how many half cycles ended in it.

    The frame in which a half cycle ends is shared between the two. With a zero of at most 2**22 a
    rounded code is within 3072 units and its square within 9.44e6; a half cycle has at most 102
    frames (shift 12; 406 frames and a quarter of that with shift 13): two of them are below 2**31.
    """
    left_frames = word
    stride = int(state[_CHANNELS]) << 2
    phases = int(state[_PHASES])
    shift = int(state[_SHIFT])
    half = 1 << (shift - 1)
    block = int(frames)
    ended = 0
    while left_frames:
        left = int(state[_LEFT])
        n = left >> 8
        if n > left_frames:
            n = left_frames
        p = ptr32(int(state) + (_HEAD << 2))
        at = block
        for _ in range(phases):
            zero = int(p[_ZERO]) - half
            squares = int(p[_SUM])
            frames = ptr32(at)
            k = n
            while k:
                word = (((int(frames[0]) ^ 0x800000) & 0xFFFFFF) - zero) >> shift
                squares = word * word + squares
                frames = ptr32(int(frames) + stride)
                k -= 1
            p[_SUM] = squares
            p = ptr32(int(p) + (_SECTION << 2))
            at += 8
        block += n * stride
        left_frames -= n
        left -= n << 8
        if left_frames:
            # the half cycle ends in this frame, `left` parts of 256 after its begin
            frames = ptr32(block)
            p = ptr32(int(state) + (_HEAD << 2))
            duration = int(state[_LENGTH]) + int(state[_BEFORE])
            slot = (int(state[_COUNT]) & (int(state[_SLOTS]) - 1)) * phases
            for phase in range(phases):
                word = (((int(frames[0]) ^ 0x800000) & 0xFFFFFF) - int(p[_ZERO]) + half) >> shift
                word = word * word
                t = ((word >> 1) * left) >> 7
                squares = int(p[_SUM]) + t
                p[_SUM] = word - t
                word = int(p[_LAST]) + squares
                p[_LAST] = squares
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
                ring[slot + phase] = (root * int(p[_FACTOR])) >> k
                frames = ptr32(int(frames) + 8)
                p = ptr32(int(p) + (_SECTION << 2))
            block += stride
            left_frames -= 1
            ended += 1
            state[_COUNT] = (int(state[_COUNT]) + 1) & 0x3FFFFFFF
            state[_BEFORE] = int(state[_LENGTH])
            t = int(state[_HALF]) + int(state[_SLEW]) - 256
            state[_LENGTH] = t
            state[_SLEW] = 256
            left = t + left - 256
        state[_LEFT] = left
    return ended
