"""A frame's products shared between two windows, limb by limb: viper, by the rules of kernel.py.

What lies at the end of a window belongs in part to the next one. In Python's integers its sums
would leave kilobytes for the garbage collector at every window; here they stay limbs. `state` is
that of kernel.accumulate, `parked` has the window that ends and then the next one, laid out alike.
`places` names the sums: how many, words of one layout, then the place of each as 4 * its first
limb + its limbs of 12 bits, which a limb of 24 bits and a signed one follow.
"""

import micropython


@micropython.viper
def move(back: int, state: ptr32, parked: ptr32, places: ptr32):
    """Move all sums from `state` to the window that ends; `back`: from the next one to `state`."""
    left = int(places[0])
    source = int(state)
    target = int(parked)
    if back:
        source = target + (int(places[1]) << 2)
        target = int(state)
    while left:
        place = int(places[2])
        start = place & 0x3FFFFFFC
        state = ptr32(source + start)
        parked = ptr32(target + start)
        limbs = (place & 3) + 2
        while limbs:
            limbs -= 1
            parked[limbs] = int(state[limbs])
            state[limbs] = 0
        places = ptr32(int(places) + 4)
        left -= 1


@micropython.viper
def share(weight: int, state: ptr32, parked: ptr32, places: ptr32):
    """Share what `state` has of one frame: `weight` / 65536 to what ends, the rest to the next.

    A sum is taken in digits of 12 bits. A digit times at most 2**16 and a carry is below 2**29;
    the signed limb of a frame is within 2**11, as products are below 2**48 and those with a
    reference below 2**39.
    """
    left = int(places[0])
    size = int(places[1]) << 2
    base = int(state)
    while left:
        place = int(places[2])
        low = place & 3
        start = place & 0x3FFFFFFC
        state = ptr32(base + start)
        m = ptr32(int(parked) + start)
        n = ptr32(int(m) + size)
        d0 = d1 = 0
        if low > 1:
            d0 = int(state[0])
        if low:
            d1 = int(state[low - 1])
        t = int(state[low])
        r = ((int(state[low + 1]) & 0xFFFFFF) ^ 0x800000) - 0x800000
        # the share: the product's bits from 16 on, again in digits
        word = ((d0 * weight) >> 12) + d1 * weight
        k = word & 4095
        word = (word >> 12) + (t & 4095) * weight
        s0 = (k >> 4) | ((word & 15) << 8)
        k = word & 4095
        word = (word >> 12) + (t >> 12) * weight
        s1 = (k >> 4) | ((word & 15) << 8)
        k = word & 4095
        word = (word >> 12) + r * weight
        st = (k >> 4) | ((word & 0xFFFF) << 8)
        sr = word >> 16
        more = rest = 0
        if low > 1:
            word = int(m[0]) + s0
            m[0] = word & 4095
            more = word >> 12
            word = int(n[0]) + d0 - s0
            n[0] = word & 4095
            rest = word >> 12
            state[0] = 0
        if low:
            k = low - 1
            word = int(m[k]) + s1 + more
            m[k] = word & 4095
            more = word >> 12
            word = int(n[k]) + d1 - s1 + rest
            n[k] = word & 4095
            rest = word >> 12
            state[k] = 0
        word = int(m[low]) + st + more
        m[low] = word & 0xFFFFFF
        more = word >> 24
        word = int(n[low]) + t - st + rest
        n[low] = word & 0xFFFFFF
        rest = word >> 24
        state[low] = 0
        k = low + 1
        m[k] = int(m[k]) + sr + more
        n[k] = int(n[k]) + r - sr + rest
        state[k] = 0
        places = ptr32(int(places) + 4)
        left -= 1
