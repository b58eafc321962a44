"""AES-128 in plain Python for boards whose MicroPython was built without cryptolib (FIPS 197).

It is called as cryptolib's objects are: `encrypt` and `decrypt` take whole blocks from one buffer
to another. The tables are made once at import; none of their look-ups leaves the RAM, so on the
processors this is meant for their time does not tell what was looked up.
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

_BLOCK = const(16)
_ROUNDS = const(10)


def _doubled(value: int) -> int:
    """Multiply by x in GF(2**8) modulo x**8 + x**4 + x**3 + x + 1."""
    value <<= 1
    return value ^ 0x11B if value & 0x100 else value


def _make_boxes() -> tuple[bytes, bytes]:
    """Return the S-box and its inverse, from the powers of the generator 3."""
    powers = bytearray(256)
    value = 1
    for exponent in range(255):
        powers[exponent] = value
        value ^= _doubled(value)
    box = bytearray(256)
    inverse_box = bytearray(256)
    box[0] = 0x63
    inverse_box[0x63] = 0
    for exponent in range(255):
        # the inverse of g**n is g**(255 - n); then the affine map, a sum of five rotations
        inverse = powers[(255 - exponent) % 255]
        spread = inverse ^ inverse << 1 ^ inverse << 2 ^ inverse << 3 ^ inverse << 4
        image = (spread ^ (spread >> 8)) & 0xFF ^ 0x63
        box[powers[exponent]] = image
        inverse_box[image] = powers[exponent]
    return bytes(box), bytes(inverse_box)


_BOX, _INVERSE_BOX = _make_boxes()
_DOUBLE = bytes([_doubled(_value) for _value in range(256)])


class SoftwareAes:
    """One key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _BLOCK:
            raise ValueError("an AES-128 key has 16 octets")
        self._keys = _expand(key)
        self._state = bytearray(_BLOCK)
        self._moved = bytearray(_BLOCK)

    def encrypt(self, source: "Buffer", target: "bytearray | memoryview") -> None:
        """Encrypt the whole blocks of `source` into `target`, each by itself."""
        for at in range(0, _whole(source), _BLOCK):
            self._encrypt_block(source, target, at)

    def decrypt(self, source: "Buffer", target: "bytearray | memoryview") -> None:
        """Decrypt the whole blocks of `source` into `target`, each by itself."""
        for at in range(0, _whole(source), _BLOCK):
            self._decrypt_block(source, target, at)

    def _encrypt_block(self, source: "Buffer", target: "bytearray | memoryview", at: int) -> None:
        keys, state, moved, box, double = self._keys, self._state, self._moved, _BOX, _DOUBLE
        for i in range(_BLOCK):
            state[i] = source[at + i] ^ keys[i]
        for place in range(_BLOCK, _ROUNDS * _BLOCK, _BLOCK):
            for i in range(_BLOCK):
                moved[i] = box[state[(i * 5) & 15]]  # SubBytes and ShiftRows
            for i in range(0, _BLOCK, 4):
                a, b, c, d = moved[i], moved[i + 1], moved[i + 2], moved[i + 3]
                whole = a ^ b ^ c ^ d
                key = place + i
                state[i] = a ^ whole ^ double[a ^ b] ^ keys[key]
                state[i + 1] = b ^ whole ^ double[b ^ c] ^ keys[key + 1]
                state[i + 2] = c ^ whole ^ double[c ^ d] ^ keys[key + 2]
                state[i + 3] = d ^ whole ^ double[d ^ a] ^ keys[key + 3]
        for i in range(_BLOCK):
            target[at + i] = box[state[(i * 5) & 15]] ^ keys[_ROUNDS * _BLOCK + i]

    def _decrypt_block(self, source: "Buffer", target: "bytearray | memoryview", at: int) -> None:
        keys, state, moved, double = self._keys, self._state, self._moved, _DOUBLE
        for i in range(_BLOCK):
            moved[(i * 5) & 15] = _INVERSE_BOX[source[at + i] ^ keys[_ROUNDS * _BLOCK + i]]
        for place in range((_ROUNDS - 1) * _BLOCK, 0, -_BLOCK):
            for i in range(0, _BLOCK, 4):
                key = place + i
                a, b = moved[i] ^ keys[key], moved[i + 1] ^ keys[key + 1]
                c, d = moved[i + 2] ^ keys[key + 2], moved[i + 3] ^ keys[key + 3]
                # InvMixColumns is MixColumns after adding 4(a + c), 4(b + d)
                even, odd = double[double[a ^ c]], double[double[b ^ d]]
                a, b, c, d = a ^ even, b ^ odd, c ^ even, d ^ odd
                whole = a ^ b ^ c ^ d
                state[i] = a ^ whole ^ double[a ^ b]
                state[i + 1] = b ^ whole ^ double[b ^ c]
                state[i + 2] = c ^ whole ^ double[c ^ d]
                state[i + 3] = d ^ whole ^ double[d ^ a]
            for i in range(_BLOCK):
                moved[(i * 5) & 15] = _INVERSE_BOX[state[i]]
        for i in range(_BLOCK):
            target[at + i] = moved[i] ^ keys[i]


def _whole(source: "Buffer") -> int:
    """Return the length, which must be that of whole blocks."""
    size = len(source)
    if size % _BLOCK:
        raise ValueError("AES takes whole blocks of 16 octets")
    return size


def _expand(key: bytes) -> bytearray:
    """Return the eleven round keys."""
    keys = bytearray(key) + bytearray(_ROUNDS * _BLOCK)
    constant = 1
    for at in range(_BLOCK, (_ROUNDS + 1) * _BLOCK, 4):
        a, b, c, d = keys[at - 4], keys[at - 3], keys[at - 2], keys[at - 1]
        if at % _BLOCK == 0:
            a, b, c, d = _BOX[b] ^ constant, _BOX[c], _BOX[d], _BOX[a]
            constant = _doubled(constant)
        keys[at] = keys[at - 16] ^ a
        keys[at + 1] = keys[at - 15] ^ b
        keys[at + 2] = keys[at - 14] ^ c
        keys[at + 3] = keys[at - 13] ^ d
    return keys
