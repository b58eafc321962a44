"""The elliptic curve P-256: signatures, shared secrets, derived keys, and what must be refused."""

import hashlib
import os
import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from app.crypto import p256
from app.crypto.p256 import finish

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF

# RFC 6979 A.2.5, SHA-256
PRIVATE = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
PUBLIC = bytes.fromhex(
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
)
SIGNATURES = (
    (
        b"sample",
        (
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
        ),
    ),
    (
        b"test",
        (
            "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
            "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"
        ),
    ),
)

# NIST CAVS ECC CDH primitive, P-256, COUNT = 0
CDH_PUBLIC = bytes.fromhex(
    "700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
    "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac"
)
CDH_PRIVATE = bytes.fromhex("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534")
CDH_SECRET = "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"


def reference(private):
    return ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())


def octets(number):
    return number.to_bytes(32, "big")


def test_public_key_and_signatures_of_rfc_6979():
    assert finish(p256.public_key(PRIVATE)) == PUBLIC
    for message, signature in SIGNATURES:
        signed = finish(p256.sign(PRIVATE, message))
        assert signed.hex().upper() == signature
        assert finish(p256.verify(PUBLIC, message, signed))


def test_shared_secret_of_nist():
    assert finish(p256.shared_secret(CDH_PRIVATE, CDH_PUBLIC)).hex() == CDH_SECRET


def test_shared_secret_and_key_of_the_green_book():
    """Green Book ed. 9 annex C.2: one-pass Diffie-Hellman, client to server."""
    ephemeral = bytes.fromhex("47DAB03842E5B6E74828EF4F449B378D7DD1A5DAE1FFCA5AE0B0BE0AD18EC57E")
    server = bytes.fromhex(
        "A653565B0E06070BAE9FBE140A5D2156812AEE2DD525053E3EFC850BF13BFDFF"
        "CB240BC7B77BFF5883344E7275908D2287BEFA3725017295A096989D2338290B"
    )
    secret = finish(p256.shared_secret(ephemeral, server))
    assert secret.hex().upper() == (
        "0D4385BA0DD756CBCAB9887EB538396EE8F090A14C1079B4359F115B977F4615"
    )
    client_title = bytes.fromhex("4D4D4D0000BC614E")
    server_title = bytes.fromhex("4D4D4D0000000001")
    key = p256.derive(secret, p256.AES_GCM_128, client_title, server_title)
    assert key.hex().upper() == "59A71FD81C929A86A99438DA17A66C05"


def test_keys_secrets_and_signatures_are_those_of_cryptography():
    seed = random.randrange(1 << 32)
    print("seed", seed)
    numbers = random.Random(seed)
    privates = [octets(n) for n in (1, 2, 3, 7, 8, 15, 16, 17, N - 1, N - 2, N - 16, N // 2)]
    privates += [octets(numbers.randrange(1, N)) for _ in range(20)]
    for index, private in enumerate(privates):
        key = reference(private)
        point = key.public_key().public_numbers()
        public = finish(p256.public_key(private))
        assert public == octets(point.x) + octets(point.y)
        other = reference(privates[index - 1])
        assert finish(p256.shared_secret(privates[index - 1], public)) == other.exchange(
            ec.ECDH(), key.public_key()
        )
        message = numbers.randbytes(index)
        signed = finish(p256.sign(private, message))
        numbers_of = int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:], "big")
        key.public_key().verify(
            utils.encode_dss_signature(*numbers_of), message, ec.ECDSA(hashes.SHA256())
        )
        r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        assert finish(p256.verify(public, message, octets(r) + octets(s)))
        assert not finish(p256.verify(public, message + b"!", octets(r) + octets(s)))


def test_signatures_that_are_none():
    message = SIGNATURES[0][0]
    good = bytes.fromhex(SIGNATURES[0][1])
    r, s = good[:32], good[32:]
    zero = bytes(32)
    for wrong in (
        b"", good[:-1], good + b"\0", zero + s, r + zero, zero + zero, octets(N) + s,
        r + octets(N), b"\xff" * 64, s + r, octets(1) + octets(1),
        octets(int.from_bytes(r, "big") + 1) + s, r + octets(int.from_bytes(s, "big") ^ 1),
    ):  # fmt: skip
        assert not finish(p256.verify(PUBLIC, message, wrong))
    # s and n - s are both signatures of ECDSA, as any other verifier finds
    assert finish(p256.verify(PUBLIC, message, r + octets(N - int.from_bytes(s, "big"))))
    for public in (b"", PUBLIC[:-1], bytes(64), PUBLIC[:63] + b"\x98", octets(P) + PUBLIC[32:]):
        assert not finish(p256.verify(public, message, good))
    with pytest.raises(InvalidSignature):
        reference(PRIVATE).public_key().verify(
            utils.encode_dss_signature(1, 1), message, ec.ECDSA(hashes.SHA256())
        )


def test_a_hash_that_stands_for_zero_verifies_nothing():
    """u1 = 0 leaves one product only; nothing may break, nothing may pass."""

    class Zero:
        def __init__(self, _message):
            pass

        def digest(self):
            return bytes(32)

    real = p256.hashlib.sha256
    p256.hashlib.sha256 = Zero
    try:
        assert not finish(p256.verify(PUBLIC, b"", octets(5) + octets(7)))
    finally:
        p256.hashlib.sha256 = real
    assert hashlib.sha256 is real


@pytest.mark.parametrize(
    "public",
    [
        b"",
        CDH_PUBLIC[:-1],
        CDH_PUBLIC + b"\0",
        bytes(64),
        CDH_PUBLIC[:-1] + b"\xad",
        CDH_PUBLIC[32:] + CDH_PUBLIC[:32],
        octets(P + 5) + CDH_PUBLIC[32:],
        b"\xff" * 64,
    ],
)
def test_points_off_the_curve_are_refused(public):
    """Such points would give the private key away bit by bit."""
    with pytest.raises(ValueError, match="not a point"):
        finish(p256.shared_secret(CDH_PRIVATE, public))
    with pytest.raises(ValueError, match="not a point"):
        p256.check_public(public)


def test_private_keys_are_in_range_whatever_the_random_octets():
    for random_octets in (bytes(40), b"\xff" * 40, os.urandom(40), octets(N - 1), octets(N - 2)):
        assert 1 <= int.from_bytes(p256.private_key(random_octets), "big") < N


def test_the_work_comes_in_many_small_steps():
    for steps, least in (
        (p256.sign(PRIVATE, b""), 80),
        (p256.verify(PUBLIC, b"sample", bytes.fromhex(SIGNATURES[0][1])), 80),
        (p256.shared_secret(CDH_PRIVATE, CDH_PUBLIC), 72),
    ):
        assert sum(1 for _ in steps) >= least


def test_equal_work_for_every_scalar():
    """The doublings and additions do not depend on the bits of a private key."""
    counted = []
    double, add = p256._double, p256._add
    calls = []
    p256._double = lambda point: (calls.append("d"), double(point))[1]
    p256._add = lambda one, two: (calls.append("a"), add(one, two))[1]
    try:
        for private in (octets(1), octets(2), octets(N - 1), PRIVATE, CDH_PRIVATE, b"\x0f" * 32):
            calls.clear()
            finish(p256.public_key(private))
            counted.append("".join(calls))
    finally:
        p256._double, p256._add = double, add
    assert counted[3] == counted[4] == counted[5]
    # the top digits of very small scalars meet the point at infinity or the point itself once
    assert {len(calls) for calls in counted} <= {len(counted[3]), len(counted[3]) + 1}
