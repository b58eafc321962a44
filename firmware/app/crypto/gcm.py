"""Galois/Counter Mode over AES-128: encryption and authentication of APDUs (NIST SP 800-38D).

GHASH multiplies 128-bit integers by H with tables of all multiples of H by four bits, without a
reduction at each step: 48 operations on long integers a block and one reduction at the end. An
integer's highest bit is the coefficient of x**0, as GCM orders them. Keystream is made for eight
blocks at a time, because a call costs as much as a block does in the port's cryptolib.
"""

import struct

from micropython import const

from app.crypto.constant_time import equal

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import BlockCipher, Buffer

TAG_SIZE = const(12)  # of DLMS security suite 0
NONCE_SIZE = const(12)
_BLOCK = const(16)
_CHUNK = const(128)
_REMEMBERED = const(17)  # security control byte and authentication key
_MASK = (1 << 128) - 1


class Gcm:
    """One key: its AES object and what GHASH needs of it."""

    def __init__(self, cipher: "BlockCipher") -> None:
        self._cipher = cipher
        self._counters = bytearray(_CHUNK)
        self._stream = bytearray(_CHUNK)
        cipher.encrypt(bytes(_BLOCK), self._stream)  # H, the hash key
        # shifted by one: the product of two numbers whose bits are reversed comes out one low
        h = int.from_bytes(self._stream[:_BLOCK], "big") << 1
        low = [0, h]
        for n in range(2, 16, 2):
            low.append(low[n >> 1] << 1)
            low.append(low[n] ^ h)
        self._low = low
        self._high = [value << 4 for value in low]
        # the state after the associated data met last: it is mostly the same, and half the work
        self._associated = b""
        self._associated_state = 0

    def encrypt(self, nonce: bytes, text: "Buffer", target: bytearray, at: int) -> None:
        """Put `text` encrypted (or decrypted, which is the same) at `target[at:]`.

        `text` must not lie in `target` where it would be overwritten.
        """
        counters, stream = self._counters, self._stream
        for place in range(0, _CHUNK, _BLOCK):
            counters[place : place + NONCE_SIZE] = nonce
        counter = 2  # 1 belongs to the tag
        for start in range(0, len(text), _CHUNK):
            for place in range(NONCE_SIZE, _CHUNK, _BLOCK):
                struct.pack_into(">I", counters, place, counter)
                counter += 1
            piece = text[start : start + _CHUNK]
            size = len(piece)
            self._cipher.encrypt(counters, stream)
            mixed = int.from_bytes(bytes(piece), "big") ^ int.from_bytes(stream[:size], "big")
            target[at + start : at + start + size] = mixed.to_bytes(size, "big")

    def tag(self, nonce: bytes, associated: "Buffer", text: "Buffer") -> bytes:
        """Return the 12 octets that authenticate `associated` and the encrypted `text`."""
        if len(associated) > _REMEMBERED:
            state = self._hash(0, associated)
        else:
            if associated != self._associated:
                self._associated_state = self._hash(0, associated)
                self._associated = bytes(associated)
            state = self._associated_state
        state = self._hash(state, text)
        state = self._times_h(state ^ (len(associated) << 67 | len(text) << 3))
        self._counters[:NONCE_SIZE] = nonce
        struct.pack_into(">I", self._counters, NONCE_SIZE, 1)
        self._cipher.encrypt(self._counters, self._stream)
        state ^= int.from_bytes(self._stream[:_BLOCK], "big")
        return state.to_bytes(_BLOCK, "big")[:TAG_SIZE]

    def verify(self, nonce: bytes, associated: "Buffer", text: "Buffer", tag: bytes) -> bool:
        """Tell whether the tag is that of `associated` and the encrypted `text`."""
        return equal(tag, self.tag(nonce, associated, text))

    def _hash(self, state: int, octets: "Buffer") -> int:
        """Take whole blocks into the state; the last one is filled up with zeros."""
        size = len(octets)
        for start in range(0, size, _BLOCK):
            block = int.from_bytes(bytes(octets[start : start + _BLOCK]), "big")
            if start + _BLOCK > size:
                block <<= 8 * (start + _BLOCK - size)
            state = self._times_h(state ^ block)
        return state

    def _times_h(self, state: int) -> int:
        low, high = self._low, self._high
        product = 0
        for octet in state.to_bytes(_BLOCK, "big"):
            product = (product << 8) ^ high[octet >> 4] ^ low[octet & 15]
        # x**128 = x**7 + x**2 + x + 1; what those four push below x**128 once more comes first
        rest = product & _MASK
        last = rest & 127
        rest ^= ((last << 6 ^ last << 5 ^ last) & 127) << 121
        return (product >> 128) ^ rest ^ (rest >> 1) ^ (rest >> 2) ^ (rest >> 7)
