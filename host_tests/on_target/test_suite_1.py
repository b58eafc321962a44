"""Security suite 1 on MicroPython: vectors, certificates, key pairs, steps, heap.

What CPython cannot show: long integers, generators and bytes as the meter's interpreter has them.
"""
# heap: 512k

import gc
import os
import time

from checks import attempt, check, report
from sparse_memory import SparseMemory
from suite_1_values import CERTIFICATE, ROOT

import civil
from app.credentials import AUTHORITY, SERVER, SIGNATURE, Credentials
from app.crypto import certificate, p256
from app.crypto.aes import SoftwareAes
from app.errors import AccessRefused
from app.settings import Settings
from app.storage.vault import Vault

METER = b"FRSg\x70\x00\x00\x01"
NOW_S = civil.utc_s(2026, 1, 31)
HEAP_OF_A_SIGNATURE = 300_000  # garbage of one signature, 64-bit objects

# RFC 6979 A.2.5, SHA-256, "sample"
PRIVATE = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
PUBLIC = bytes.fromhex(
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
)
SIGNED = bytes.fromhex(
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
)
# NIST CAVS ECC CDH primitive, P-256, COUNT = 0
CDH_PUBLIC = bytes.fromhex(
    "700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
    "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac"
)
CDH_PRIVATE = bytes.fromhex("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534")
CDH_SECRET = "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"

# of the certificate
KEY = bytes.fromhex("079aefe9bdcc62f2822a5304879f5648a7ef1b17025badd2019dc06544f4a35e")


def make(memory):
    settings = Settings(memory, Vault(SoftwareAes, b"\x01"))
    return Credentials(memory, settings, os.urandom, lambda: NOW_S, lambda: True, METER)


def test_vectors():
    check("public key", p256.finish(p256.public_key(PRIVATE)) == PUBLIC)
    check("signature", p256.finish(p256.sign(PRIVATE, b"sample")) == SIGNED)
    check("verified", p256.finish(p256.verify(PUBLIC, b"sample", SIGNED)))
    check("not verified", not p256.finish(p256.verify(PUBLIC, b"Sample", SIGNED)))
    check("secret", p256.finish(p256.shared_secret(CDH_PRIVATE, CDH_PUBLIC)).hex() == CDH_SECRET)


def test_certificates():
    own = certificate.Certificate(CERTIFICATE)
    root = certificate.Certificate(ROOT)
    check("title", own.title == METER)
    check("key", own.public == p256.finish(p256.public_key(KEY)))
    check("authority", root.authority and not own.authority)
    check("times", root.not_before_utc_s == civil.utc_s(2025, 1, 1) and root.valid(NOW_S))
    check("signed by the root", p256.finish(own.verify(root.public)))
    check("not signed by itself", not p256.finish(own.verify(own.public)))
    wrong = 0
    for size in range(len(CERTIFICATE)):
        try:
            certificate.Certificate(CERTIFICATE[:size])
        except ValueError:
            wrong += 1
    check("every prefix is refused", wrong == len(CERTIFICATE))


def test_credentials():
    memory = SparseMemory()
    credentials = make(memory)
    p256.finish(credentials.take(ROOT))
    try:
        p256.finish(credentials.take(CERTIFICATE))
        check("a key that is not here", False)
    except ValueError:
        check("a key that is not here", True)
    p256.finish(credentials.generate(SIGNATURE))
    request = p256.finish(credentials.request(SIGNATURE))
    check("request", request[0] == 0x30 and 200 < len(request) < 260)
    try:
        p256.finish(credentials.take(ROOT))
        check("another root under lock", False)
    except AccessRefused:
        check("another root under lock", True)
    # as if the key of the certificate had been generated here
    pair = bytes(32) + KEY + p256.finish(p256.public_key(KEY))
    credentials._settings.put("key_pairs", pair + bytes(128))
    p256.finish(credentials.take(CERTIFICATE))
    again = make(memory)
    check("private key", again.private_key(SIGNATURE) == KEY)
    check("kept", again.find(SERVER, SIGNATURE, METER).encoded == CERTIFICATE)
    check("root kept", again.find(AUTHORITY, SIGNATURE, b"") is not None)
    check("sealed", memory.dump().find(KEY[:8]) < 0)


def test_steps():
    longest_us = steps = 0
    gc.collect()
    work = p256.sign(PRIVATE, b"sample")
    before = gc.mem_alloc()
    start_us = now_us = time.ticks_us()
    while True:
        try:
            next(work)
        except StopIteration:
            break
        steps += 1
        step_us = time.ticks_diff(time.ticks_us(), now_us)
        longest_us = max(longest_us, step_us)
        now_us = time.ticks_us()
    whole_us = time.ticks_diff(time.ticks_us(), start_us)
    garbage = gc.mem_alloc() - before
    print("one signature:", whole_us, "us in", steps, "steps, the longest", longest_us, "us")
    check("steps are small", steps > 80)
    check("heap of a signature", garbage < HEAP_OF_A_SIGNATURE)


for test in (test_vectors, test_certificates, test_credentials, test_steps):
    attempt(test)
report()
