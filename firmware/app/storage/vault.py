"""Secrets at rest: sealed under a key that the processor alone knows (row SEC-61).

The device key comes from the processor's unique number, so a copy of the FRAM, or the chip put
into another meter, shows no secret. It does not protect against someone who runs code on this
very processor or reads its number: a microcontroller without a secure element cannot. Each record
has a key of its own, made from the device key and the record's name, so that records cannot be
exchanged; AES key wrap needs no nonce and tells of every changed octet.
"""

import hashlib

from micropython import const

from app.crypto import key_wrap

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import BlockCipher, Buffer

_UNIT = const(8)
_SHORTEST = const(16)
_LENGTH_SIZE = const(2)


class Vault:
    """Seals and opens values; `block_cipher(key)` is the board's AES-128."""

    def __init__(self, block_cipher: "Callable[[bytes], BlockCipher]", unique_id: bytes) -> None:
        self._block_cipher = block_cipher
        self._device_key = hashlib.sha256(b"Ferraris device key " + unique_id).digest()

    def seal(self, name: str, value: "Buffer") -> bytes:
        """Return `value` as it may stand in the record called `name`."""
        plain = bytearray(len(value).to_bytes(_LENGTH_SIZE, "big"))
        plain += bytes(value)
        plain += bytes(max(_SHORTEST - len(plain), -len(plain) % _UNIT))
        return key_wrap.wrap(self._cipher(name), plain)

    def open(self, name: str, sealed: "Buffer") -> bytes:
        """Return the value. Raises ValueError if it was not sealed here under this name."""
        plain = key_wrap.unwrap(self._cipher(name), sealed)
        size = int.from_bytes(plain[:_LENGTH_SIZE], "big")
        if size > len(plain) - _LENGTH_SIZE:
            raise ValueError("a sealed value is shorter than it says")
        return plain[_LENGTH_SIZE : _LENGTH_SIZE + size]

    def _cipher(self, name: str) -> "BlockCipher":
        key = hashlib.sha256(self._device_key + name.encode()).digest()
        return self._block_cipher(key[:16])


def sealed_size(size: int) -> int:
    """Return the octets that a sealed value of up to `size` octets takes."""
    plain = max(_SHORTEST, size + _LENGTH_SIZE)
    return plain + -plain % _UNIT + _UNIT
