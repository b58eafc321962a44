"""AES, GCM, key wrap and comparison against published vectors and another implementation.

Vectors: FIPS 197 appendices B and C.1; the GCM specification of McGrew and Viega, test cases 1 to
4 (the vectors NIST took over); RFC 3394 section 4.1; the Green Book's example of a protected
get-request. Where `cryptography` is installed, hypothesis compares with it.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.crypto import key_wrap
from app.crypto.aes import SoftwareAes
from app.crypto.constant_time import equal
from app.crypto.gcm import Gcm


def hexes(*texts):
    return [bytes.fromhex(text) for text in texts]


def _cryptolib(key):
    pytest.importorskip("cryptography")
    import cryptolib

    return cryptolib.aes(key, 1)


CIPHERS = pytest.mark.parametrize("cipher", [SoftwareAes, _cryptolib], ids=["ours", "port"])

AES_VECTORS = [
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "3243f6a8885a308d313198a2e0370734",
        "3925841d02dc09fbdc118597196a0b32",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "00112233445566778899aabbccddeeff",
        "69c4e0d86a7b0430d8cdb78070b4c55a",
    ),
]

_TEXT = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
_ENCRYPTED = (
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
)
GCM_VECTORS = [  # key, nonce, text, associated, encrypted, tag of 16 octets
    ("00" * 16, "00" * 12, "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
    (
        "00" * 16,
        "00" * 12,
        "00" * 16,
        "",
        "0388dace60b6a392f328c2b971b2fe78",
        "ab6e47d42cec13bdf53a67b21257bddf",
    ),
    (
        "feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        _TEXT,
        "",
        _ENCRYPTED,
        "4d5c2af327cd64a62cf35abd2ba6fab4",
    ),
    (
        "feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        _TEXT[:120],
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        _ENCRYPTED[:120],
        "5bc94fbc3221a5db94fae95ae7121a47",
    ),
]

GREEN_BOOK_KEY, GREEN_BOOK_AK, GREEN_BOOK_NONCE, GREEN_BOOK_APDU = hexes(
    "000102030405060708090a0b0c0d0e0f",
    "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
    "4d4d4d0000bc614e01234567",
    "c0010000080000010000ff0200",
)


@CIPHERS
@pytest.mark.parametrize(("key", "plain", "encrypted"), AES_VECTORS)
def test_aes_vectors(cipher, key, plain, encrypted):
    key, plain, encrypted = hexes(key, plain, encrypted)
    block = bytearray(32)
    cipher(key).encrypt(plain * 2, block)
    assert block == encrypted * 2
    cipher(key).decrypt(encrypted * 2, block)
    assert block == plain * 2
    block = bytearray(plain)
    cipher(key).encrypt(block, block)  # in place
    assert block == encrypted


def test_our_aes_refuses_what_is_no_key_and_no_block():
    for size in (0, 15, 17, 32):
        with pytest.raises(ValueError, match="16 octets"):
            SoftwareAes(bytes(size))
    for call in (SoftwareAes(bytes(16)).encrypt, SoftwareAes(bytes(16)).decrypt):
        with pytest.raises(ValueError, match="whole blocks"):
            call(bytes(15), bytearray(16))


@CIPHERS
@pytest.mark.row("SEC-32")
@pytest.mark.parametrize(("key", "nonce", "text", "extra", "encrypted", "tag"), GCM_VECTORS)
def test_gcm_vectors(cipher, key, nonce, text, extra, encrypted, tag):
    key, nonce, text, extra, encrypted, tag = hexes(key, nonce, text, extra, encrypted, tag)
    gcm = Gcm(cipher(key))
    target = bytearray(3) + bytearray(len(text)) + b"end"
    gcm.encrypt(nonce, text, target, 3)
    assert target == bytes(3) + encrypted + b"end"
    assert gcm.tag(nonce, extra, encrypted) == tag[:12]
    assert gcm.verify(nonce, extra, memoryview(encrypted), tag[:12])
    gcm.encrypt(nonce, memoryview(encrypted), target, 3)
    assert target == bytes(3) + text + b"end"
    for wrong in (tag, tag[:11], b"", bytes((tag[0] ^ 1,)) + tag[1:12]):
        assert not gcm.verify(nonce, extra, encrypted, wrong)


@CIPHERS
@pytest.mark.row("SEC-32")
def test_the_green_book_s_protected_get_request(cipher):
    gcm = Gcm(cipher(GREEN_BOOK_KEY))
    # authenticated: 10 01234567 APDU tag
    tag = gcm.tag(GREEN_BOOK_NONCE, b"\x10" + GREEN_BOOK_AK + GREEN_BOOK_APDU, b"")
    assert tag.hex() == "06725d910f9221d263877516"
    # encrypted and authenticated: 30 01234567 text tag
    text = bytearray(len(GREEN_BOOK_APDU))
    gcm.encrypt(GREEN_BOOK_NONCE, GREEN_BOOK_APDU, text, 0)
    assert text.hex() == "411312ff935a47566827c467bc"
    tag = gcm.tag(GREEN_BOOK_NONCE, b"\x30" + GREEN_BOOK_AK, text)
    assert tag.hex() == "7d825c3be4a77c3fcc056b6b"


@CIPHERS
@pytest.mark.row("SEC-32")
def test_key_wrap_vector(cipher):
    kek, key, wrapped = hexes(
        "000102030405060708090a0b0c0d0e0f",
        "00112233445566778899aabbccddeeff",
        "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
    )
    assert key_wrap.wrap(cipher(kek), key) == wrapped
    assert key_wrap.unwrap(cipher(kek), wrapped) == key
    for at in range(len(wrapped)):
        wrong = bytearray(wrapped)
        wrong[at] ^= 0x10
        with pytest.raises(ValueError, match="does not verify"):
            key_wrap.unwrap(cipher(kek), wrong)
    with pytest.raises(ValueError, match="does not verify"):
        key_wrap.unwrap(cipher(bytes(16)), wrapped)
    for size in (0, 8, 15, 16, 23, 25):
        with pytest.raises(ValueError, match="units"):
            key_wrap.unwrap(cipher(kek), bytes(size))


@given(key=st.binary(min_size=16, max_size=16), plain=st.binary(min_size=16, max_size=48))
@settings(max_examples=60)
def test_our_aes_is_aes(key, plain):
    pytest.importorskip("cryptography")
    import cryptolib

    plain = plain[: len(plain) // 16 * 16]
    ours = bytearray(len(plain))
    SoftwareAes(key).encrypt(plain, ours)
    assert ours == cryptolib.aes(key, 1).encrypt(plain)
    SoftwareAes(key).decrypt(bytes(ours), ours)
    assert ours == plain


@given(
    key=st.binary(min_size=16, max_size=16),
    nonce=st.binary(min_size=12, max_size=12),
    text=st.binary(max_size=400),
    extra=st.binary(max_size=60),
)
@settings(max_examples=60)
def test_our_gcm_is_gcm(key, nonce, text, extra):
    aead = pytest.importorskip("cryptography.hazmat.primitives.ciphers.aead")
    import cryptolib

    expected = aead.AESGCM(key).encrypt(nonce, text, extra)
    gcm = Gcm(cryptolib.aes(key, 1))
    target = bytearray(len(text))
    gcm.encrypt(nonce, text, target, 0)
    assert bytes(target) + gcm.tag(nonce, extra, target) == expected[: len(text) + 12]


@given(
    key=st.binary(min_size=16, max_size=16),
    plain=st.binary(min_size=16, max_size=120).map(lambda octets: octets[: len(octets) & ~7]),
)
@settings(max_examples=30)
def test_our_key_wrap_is_rfc_3394(key, plain):
    keywrap = pytest.importorskip("cryptography.hazmat.primitives.keywrap")
    wrapped = key_wrap.wrap(SoftwareAes(key), plain)
    assert wrapped == keywrap.aes_key_wrap(key, plain)
    assert key_wrap.unwrap(SoftwareAes(key), wrapped) == plain


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_comparison(a, b):
    assert equal(a, b) == (a == b)
    assert equal(a, a)
