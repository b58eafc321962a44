"""Small viper functions whose results are known by hand: the harness is tested on them.

`overflow` is meant to differ between a 32-bit and a 64-bit processor; a harness that calls it
equal proves nothing.
"""

import micropython


@micropython.viper
def total(values: ptr32, count: int) -> int:
    """Sum of `count` words."""
    s = 0
    for i in range(count):
        s += values[i]
    return s


@micropython.viper
def overflow(values: ptr32, count: int):
    """Squares in place, kept above bit 31 only where integers are wider than 32 bits."""
    for i in range(count):
        values[i] = (values[i] * values[i]) >> 16


@micropython.viper
def mix(words: ptr32, octets: ptr8, shift: int, mask: uint) -> int:
    """One of everything: both pointer kinds, signed and unsigned shift, division, modulo."""
    a = words[0] >> shift
    b = int(uint(words[1]) & mask)
    words[2] = a * 3 + octets[1]
    words[3] = a // 7
    words[4] = a % 7
    octets[0] = b >> 3
    return a - b


@micropython.viper
def beyond(values: ptr32, index: int):
    """Write one word anywhere, to see the guards bite."""
    values[index] = 1


@micropython.viper
def divide(a: int, b: int) -> int:
    """Floor division."""
    return a // b


@micropython.viper
def object_code(values: ptr32, count: int):
    """Call a built-in function, which integer code must not do."""
    values[0] = count
    print(count)
