"""Elliptic curve P-256: ECDSA, ECDH, key derivation (FIPS 186-4, NIST SP 800-56A, RFC 6979).

What takes long is a generator: it yields after every few milliseconds of an RP2040, so that the
rest of the meter goes on, and returns its result as the value of StopIteration; `finish` runs one
to its end. Points are Jacobian, X / Z**2 and Y / Z**3. A scalar is taken as 64 odd digits of four
bits, so that every one costs the same four doublings and one addition, whatever its bits; how long
MicroPython's long integers take for one product is not under our control.
"""

import hashlib

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeVar

    from hal import Buffer

    Result = TypeVar("Result")
    Steps = Generator[None, None, Result]
    Point = tuple[int, int, int]  # Z = 0: the point at infinity

SIZE = const(32)  # octets of a number, a private key, a hash
PUBLIC_SIZE = const(64)
SIGNATURE_SIZE = const(64)

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
_DIGITS = const(64)
_ODD_MULTIPLES = const(8)  # 1, 3, ... 15 times a point
_CHUNK = const(32)  # bits of an exponent that one step takes

# COSEM cryptographic algorithm ids: 2.16.756.5.8.3.x
AES_GCM_128 = b"\x60\x85\x74\x05\x08\x03\x00"
AES_WRAP_128 = b"\x60\x85\x74\x05\x08\x03\x02"


def finish(steps: "Steps[Result]") -> "Result":
    """Run a generator to its end and return its result."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def private_key(octets: bytes) -> bytes:
    """Return a private key made of 40 or more random octets, as FIPS 186-4 B.4.1 does."""
    return _octets(int.from_bytes(octets, "big") % (_N - 1) + 1)


def public_key(private: bytes) -> "Steps[bytes]":
    """Return the public key, x and y."""
    point = yield from _affine((yield from _combine(((_number(private), _G),))))
    return _octets(point[0]) + _octets(point[1])


def shared_secret(private: bytes, public: "Buffer") -> "Steps[bytes]":
    """Return the secret Z of Diffie and Hellman. Raises ValueError: no point of the curve."""
    point = _point(public)
    point = yield from _affine((yield from _combine(((_number(private), point),))))
    return _octets(point[0])


def derive(secret: bytes, algorithm: bytes, party_u: bytes, party_v: bytes) -> bytes:
    """Return the AES-128 key for `algorithm` that two parties derive from a shared secret."""
    source = b"\x00\x00\x00\x01" + secret + algorithm + party_u + party_v
    return hashlib.sha256(source).digest()[:16]


def sign(private: bytes, message: "Buffer") -> "Steps[bytes]":
    """Return the signature r, s of `message`; its nonce follows from key and message."""
    digest = hashlib.sha256(message).digest()
    number = int.from_bytes(digest, "big")
    for nonce in _nonces(private, _octets(number % _N)):
        point = yield from _affine((yield from _combine(((nonce, _G),))))
        r = point[0] % _N
        inverse = yield from _power(nonce, _N - 2, _N)
        s = inverse * (number + r * _number(private)) % _N
        if r and s:
            return _octets(r) + _octets(s)
    raise ValueError("no nonce")  # never: the nonces do not end


def verify(public: "Buffer", message: "Buffer", signature: "Buffer") -> "Steps[bool]":
    """Tell whether the signature is that of `message`."""
    if len(signature) != SIGNATURE_SIZE:
        return False
    r = _number(signature[:SIZE])
    s = _number(signature[SIZE:])
    if not (0 < r < _N and 0 < s < _N):
        return False
    try:
        point = _point(public)
    except ValueError:
        return False
    number = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = yield from _power(s, _N - 2, _N)
    pairs = [(number * inverse % _N, _G), (r * inverse % _N, point)]
    total = yield from _combine([pair for pair in pairs if pair[0]])
    if not total[2]:
        return False
    point = yield from _affine(total)
    return point[0] % _N == r


def check_public(public: "Buffer") -> None:
    """Raise ValueError unless the octets are a point of the curve."""
    _point(public)


def _octets(number: int) -> bytes:
    return number.to_bytes(SIZE, "big")


def _number(octets: "Buffer") -> int:
    return int.from_bytes(bytes(octets), "big")


def _point(public: "Buffer") -> "Point":
    x = _number(public[:SIZE])
    y = _number(public[SIZE:])
    if len(public) != PUBLIC_SIZE or x >= _P or y >= _P or (y * y - x * x * x + 3 * x - _B) % _P:
        raise ValueError("not a point of P-256")
    return x, y, 1


def _nonces(private: bytes, digest: bytes) -> "Generator[int, None, None]":
    """Yield the nonces of a signature (RFC 6979 3.2), of which nearly always the first serves."""
    value = b"\x01" * SIZE
    key = b"\x00" * SIZE
    for mark in (b"\x00", b"\x01"):
        key = _hmac(key, value + mark + private + digest)
        value = _hmac(key, value)
    while True:
        value = _hmac(key, value)
        nonce = _number(value)
        if 0 < nonce < _N:
            yield nonce
        key = _hmac(key, value + b"\x00")
        value = _hmac(key, value)


def _hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 with a key of 32 octets (RFC 2104)."""
    inner = bytes([octet ^ 0x36 for octet in key]) + b"\x36" * SIZE
    outer = bytes([octet ^ 0x5C for octet in key]) + b"\x5c" * SIZE
    return hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).digest()


def _combine(pairs: "list[tuple[int, Point]] | tuple[tuple[int, Point], ...]") -> "Steps[Point]":
    """Return the sum of the points, each multiplied by its scalar, 1 to n - 1."""
    tables: list[tuple[int, int, list[Point]]] = []
    for scalar, point in pairs:
        sign = 1 if scalar & 1 else -1  # n is odd: if the scalar is even, n minus it is not
        odd = scalar if scalar & 1 else _N - scalar
        double = _double(point)
        table = [point]
        while len(table) < _ODD_MULTIPLES:
            table.append(_add(table[-1], double))
        tables.append((odd, sign, table))
        yield
    total: Point = (1, 1, 0)
    for place in range(_DIGITS - 1, -1, -1):
        if total[2]:
            total = _double(_double(_double(_double(total))))
        for odd, sign, table in tables:
            # the odd digit of this place: what stands here, made odd by the places above
            digit = (odd >> (4 * place) & 15) | 1
            if odd >> (4 * place) & 31 < 16 and place < _DIGITS - 1:
                digit -= 16
            x, y, z = table[abs(digit) >> 1]
            if digit * sign < 0:
                y = _P - y
            total = _add(total, (x, y, z))
        yield
    return total


def _double(point: "Point") -> "Point":
    x, y, z = point
    delta = z * z % _P
    gamma = y * y % _P
    beta = x * gamma % _P
    alpha = 3 * (x - delta) * (x + delta) % _P
    new_x = (alpha * alpha - 8 * beta) % _P
    new_y = (alpha * (4 * beta - new_x) - 8 * gamma * gamma) % _P
    return new_x, new_y, 2 * y * z % _P


def _add(first: "Point", second: "Point") -> "Point":
    x1, y1, z1 = first
    x2, y2, z2 = second
    if not z1:
        return second
    square1 = z1 * z1 % _P
    square2 = z2 * z2 % _P
    u1 = x1 * square2 % _P
    s1 = y1 * z2 * square2 % _P
    h = (x2 * square1 - u1) % _P
    r = (y2 * z1 * square1 - s1) % _P
    if not h:
        return (1, 1, 0) if r else _double(first)
    square = h * h % _P
    cube = h * square % _P
    v = u1 * square % _P
    x = (r * r - cube - 2 * v) % _P
    return x, (r * (v - x) - s1 * cube) % _P, z1 * z2 * h % _P


def _affine(point: "Point") -> "Steps[tuple[int, int]]":
    inverse = yield from _power(point[2], _P - 2, _P)
    square = inverse * inverse % _P
    return point[0] * square % _P, point[1] * square * inverse % _P


def _power(base: int, exponent: int, modulus: int) -> "Steps[int]":
    """Raise a number to a power, in steps."""
    result = 1
    for place in range(256 - _CHUNK, -1, -_CHUNK):
        part = exponent >> place & 0xFFFFFFFF
        result = pow(result, 1 << _CHUNK, modulus) * pow(base, part, modulus) % modulus
        yield
    return result
