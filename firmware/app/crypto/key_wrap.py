"""AES key wrap: keys travel and rest encrypted under another key (RFC 3394)."""

from micropython import const

from app.crypto.constant_time import equal

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import BlockCipher, Buffer

_INITIAL = b"\xa6" * 8
_HALF = const(8)
_ROUNDS = const(6)


def wrap(cipher: "BlockCipher", plain: "Buffer") -> bytes:
    """Return `plain`, 16 octets or more in units of eight, wrapped; it grows by eight."""
    count = _units(len(plain))
    block = bytearray(_INITIAL + bytes(_HALF))
    wrapped = bytearray(_INITIAL) + bytes(plain)
    step = 0
    for _ in range(_ROUNDS):
        for unit in range(1, count + 1):
            step += 1
            place = unit * _HALF
            block[_HALF:] = wrapped[place : place + _HALF]
            cipher.encrypt(bytes(block), block)
            wrapped[place : place + _HALF] = block[_HALF:]
            _count(block, step)
    wrapped[:_HALF] = block[:_HALF]
    return bytes(wrapped)


def unwrap(cipher: "BlockCipher", wrapped: "Buffer") -> bytes:
    """Return what was wrapped. Raises ValueError if the key or an octet is wrong.

    `cipher` must not have been used to encrypt: cryptolib keeps the direction of its first use.
    """
    count = _units(len(wrapped) - _HALF)
    plain = bytearray(wrapped)
    block = bytearray(2 * _HALF)
    block[:_HALF] = plain[:_HALF]
    step = _ROUNDS * count
    for _ in range(_ROUNDS):
        for unit in range(count, 0, -1):
            place = unit * _HALF
            _count(block, step)
            block[_HALF:] = plain[place : place + _HALF]
            cipher.decrypt(bytes(block), block)
            plain[place : place + _HALF] = block[_HALF:]
            step -= 1
    if not equal(block[:_HALF], _INITIAL):
        raise ValueError("a wrapped key does not verify")
    return bytes(plain[_HALF:])


def _units(size: int) -> int:
    if size < 2 * _HALF or size % _HALF:
        raise ValueError("a wrapped key has units of 8 octets")
    return size // _HALF


def _count(block: bytearray, step: int) -> None:
    """Add the number of the step to the register, modulo 2."""
    block[7] ^= step & 0xFF
    block[6] ^= step >> 8
