"""Keeping the newest frames, and looking for harmonics in them: viper, by the rules of kernel.py.

waveform.py owns the buffers. `keep` runs once a block of frames, the rest only when someone asks.
"""

import micropython
from micropython import const

# Layout of the ring for `keep`: a head, then words of frames
_SIZE = const(0)  # words of frames it holds
_AT = const(1)  # word that the next frame begins at
_RING = const(2)

# Layout of `state` for `spread` and `correlate`: one channel of a capture
_STRIDE = const(0)  # words of a frame
_CHANNEL = const(1)
_ZERO = const(2)  # code of zero input + 2**23
_SHIFT = const(3)  # codes are divided by 2**shift, so that they lie within 2**17,
_SCALE = const(4)  # and windowed ones by 2**scale, so that they lie within 2**17 again
_SINE = const(5)  # the sums: parts in 4096 and below, each
_COSINE = const(7)

# Layout of `state` for `thin`
_WORDS = const(0)  # words of a frame
_TAKEN = const(1)  # of them kept, from the first on
_EVERY = const(2)  # frames from one that is kept to the next
_LEFT = const(3)  # frames to pass over before that
_SLOTS = const(4)  # frames the ring holds
_SLOT = const(5)  # where the next one goes
_KEPT = const(6)  # frames in the ring that follow each other
_GO = const(7)  # one more than frames still to be kept, 0: for ever


@micropython.viper
def keep(frames: ptr32, target: ptr32, words: int):
    """Copy `words` words of frames into the ring `target` behind the newest; the oldest go."""
    ring = target
    size = int(ring[_SIZE])
    at = int(ring[_AT])
    while words:
        run = size - at
        if run > words:
            run = words
        words -= run
        target = ptr32(int(ring) + ((at + _RING) << 2))
        at += run
        if at == size:
            at = 0
        while run >= 8:
            target[0] = frames[0]
            target[1] = frames[1]
            target[2] = frames[2]
            target[3] = frames[3]
            target[4] = frames[4]
            target[5] = frames[5]
            target[6] = frames[6]
            target[7] = frames[7]
            frames = ptr32(int(frames) + 32)
            target = ptr32(int(target) + 32)
            run -= 8
        while run:
            target[0] = frames[0]
            frames = ptr32(int(frames) + 4)
            target = ptr32(int(target) + 4)
            run -= 1
    ring[_AT] = at


@micropython.viper
def spread(word: int, frames: ptr32, state: ptr32) -> int:
    """Return the bits that any of a channel's `word` codes has set, its sign made positive."""
    stride = int(state[_STRIDE]) << 2
    zero = int(state[_ZERO])
    frames = ptr32(int(frames) + (int(state[_CHANNEL]) << 2))
    bits = 0
    while word:
        x = ((int(frames[0]) ^ 0x800000) & 0xFFFFFF) - zero
        if x < 0:
            x = 0 - x
        bits |= x
        frames = ptr32(int(frames) + stride)
        word -= 1
    return bits


@micropython.viper
def correlate(word: int, frames: ptr32, state: ptr32, pairs: ptr32):
    """Sum a channel's `word` codes, each with its weight, times a sine and a cosine.

    `pairs` holds the references as kernel.references writes them, then the weights, 0..8190. A
    shifted code is within 2**17, with its weight within 2**30, scaled within 2**17; times a
    reference (4095) it is within 2**29; parts of up to 2**12 frames add up to less than 2**30.
    """
    stride = int(state[_STRIDE]) << 2
    zero = int(state[_ZERO])
    shift = int(state[_SHIFT])
    scale = int(state[_SCALE])
    frames = ptr32(int(frames) + (int(state[_CHANNEL]) << 2))
    weights = ptr32(int(pairs) + (word << 3))
    left = word
    s_high = s_low = c_high = c_low = 0
    while left:
        x = (((int(frames[0]) ^ 0x800000) & 0xFFFFFF) - zero) >> shift
        x = (x * int(weights[0])) >> scale
        word = (int(pairs[0]) - 4096) * x
        s_high += word >> 12
        s_low += word & 4095
        word = (int(pairs[1]) - 4096) * x
        c_high += word >> 12
        c_low += word & 4095
        frames = ptr32(int(frames) + stride)
        weights = ptr32(int(weights) + 4)
        pairs = ptr32(int(pairs) + 8)
        left -= 1
    state[_SINE] = s_high
    state[_SINE + 1] = s_low
    state[_COSINE] = c_high
    state[_COSINE + 1] = c_low


@micropython.viper
def thin(word: int, frames: ptr32, state: ptr32, target: ptr16):
    """Keep every so many-th of `word` frames in the ring `target`: the upper 16 bits of a code.

    Stops when as many frames as _GO says have been kept. An even number of words is kept of one.
    """
    left = int(state[_LEFT])
    go = int(state[_GO])
    at = int(state[_SLOT])
    kept = int(state[_KEPT])
    block = int(frames)
    ring = int(target)
    while left < word and go != 1:
        frames = ptr32(block + left * (int(state[_WORDS]) << 2))
        k = int(state[_TAKEN])
        target = ptr16(ring + ((at * k) << 1))
        while k:
            target[0] = int(frames[0]) >> 8
            target[1] = int(frames[1]) >> 8
            frames = ptr32(int(frames) + 8)
            target = ptr16(int(target) + 4)
            k -= 2
        at += 1
        if at == int(state[_SLOTS]):
            at = 0
        kept += 1
        if go:
            go -= 1
        left += int(state[_EVERY])
    if left < word:
        left = word
    if kept > int(state[_SLOTS]):
        kept = int(state[_SLOTS])
    state[_LEFT] = left - word
    state[_GO] = go
    state[_SLOT] = at
    state[_KEPT] = kept
