"""MicroPython's cryptolib on CPython, over the `cryptography` package: AES in mode ECB.

An object serves one direction only, that of its first call, as on MicroPython.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_MODE_ECB = 1


class aes:  # noqa: N801 - MicroPython's name
    """AES with one key."""

    def __init__(self, key, mode, iv=None):
        if mode != _MODE_ECB or iv is not None:
            raise ValueError("mode")
        self._cipher = Cipher(algorithms.AES(bytes(key)), modes.ECB())
        self._stream = None
        self._direction = ""

    def encrypt(self, source, target=None):
        return self._run("encrypt", source, target)

    def decrypt(self, source, target=None):
        return self._run("decrypt", source, target)

    def _run(self, direction, source, target):
        if self._direction not in ("", direction):
            raise ValueError("can't encrypt & decrypt")
        if not self._direction:
            self._direction = direction
            self._stream = getattr(self._cipher, direction + "or")()
        if len(source) % 16:
            raise ValueError("blksize % 16")
        octets = self._stream.update(bytes(source))
        if target is None:
            return octets
        if len(target) < len(source):
            raise ValueError("output too small")
        target[: len(octets)] = octets
        return target
