"""Ciphering on MicroPython: vectors, a whole ciphered session, its heap, mutated APDUs.

What CPython cannot show: long integers, cryptolib and buffers as the meter's interpreter has them.
"""
# heap: 768k

import gc
import os
import random

import cryptolib
from checks import attempt, check, report
from meter_doubles import Energies, Quantities, Rtc, Variant
from sparse_memory import SparseMemory

from app.attributes import Resolver
from app.clock import Clock
from app.cosem import common_objects
from app.crypto import key_wrap
from app.crypto.aes import SoftwareAes
from app.crypto.gcm import Gcm
from app.dlms import conformance
from app.dlms.server import MAX_PDU, Server
from app.identification import Identification
from app.registers import RegisterFile
from app.security import Security
from app.settings import Settings
from app.storage.vault import Vault

SEED = 20260131
MUTATIONS = 3000
HEAP_OF_A_GET = 24576  # objects of 64 bits; a board's are half the size

GUEK = bytes(range(16))
GAK = bytes(range(0xD0, 0xE0))
TITLE = b"TST\x00\x00\x00\x00\x01"
ENERGY = bytes.fromhex("c001c100030100010800ff0200")
INITIATE = bytes.fromhex("01000000065f1f0400407e1fffff")


def port_aes(key):
    return cryptolib.aes(key, 1)


class Rig:
    """A server and a client of it."""

    def __init__(self):
        memory = SparseMemory()
        settings = Settings(memory, Vault(port_aes, b"unique"))
        clock = Clock(Rtc(), settings)
        registers = RegisterFile(Quantities(), Energies(), True)
        identification = Identification(bytes((0, 0, 0, 1)), Variant(), settings)
        self.meter = identification.system_title()
        security = Security(memory, settings, port_aes, os.urandom, clock.utc_s, self.meter)
        parts = common_objects.Parts(
            registers, clock, settings, identification, Variant(), security
        )
        objects = common_objects.build(parts, Resolver(), conformance.SERVICES, MAX_PDU)
        self.security = security
        self.server = Server(objects, security)
        self.channel = self.server.open_channel(MAX_PDU)
        self.reply = bytearray(MAX_PDU)
        self.cipher = Gcm(port_aes(GUEK))
        self.counter = 1

    def apdu(self, octets):
        length = self.channel.request(1, 1, memoryview(octets), self.reply, 0)
        while length < 0:
            length = self.channel.proceed(self.reply)
        return bytes(memoryview(self.reply)[:length])

    def protect(self, plain):
        number = self.counter.to_bytes(4, "big")
        self.counter += 1
        text = bytearray(len(plain))
        self.cipher.encrypt(TITLE + number, plain, text, 0)
        tag = self.cipher.tag(TITLE + number, b"\x30" + GAK, text)
        return bytes((17 + len(plain),)) + b"\x30" + number + bytes(text) + tag

    def glo(self, plain):
        return bytes((plain[0] + 8,)) + self.protect(plain)

    def unprotect(self, octets):
        """The plain APDU of glo-ciphering with a length in one octet."""
        nonce = self.meter + octets[3:7]
        text = octets[7:-12]
        if not self.cipher.verify(nonce, b"\x30" + GAK, text, octets[-12:]):
            return b""
        plain = bytearray(len(text))
        self.cipher.encrypt(nonce, text, plain, 0)
        return bytes(plain)

    def aarq(self):
        initiate = b"\x21" + self.protect(INITIATE)
        body = (
            bytes.fromhex("a109060760857405080103a60a0408")
            + TITLE
            + bytes.fromhex("8a0207808b0760857405080205ac128010")
            + bytes(range(0x30, 0x40))
            + bytes((0xBE, len(initiate) + 2, 4, len(initiate)))
            + initiate
        )
        return bytes((0x60, len(body))) + body

    def associate(self):
        """All four passes; returns what the meter proved itself with."""
        answer = self.apdu(self.aarq())
        at = answer.find(b"\xaa\x22\x80\x20")
        number = self.counter.to_bytes(4, "big")
        self.counter += 1
        challenge = answer[at + 4 : at + 36]
        tag = self.cipher.tag(TITLE + number, b"\x10" + GAK + challenge, b"")
        reply = bytes.fromhex("c301c1000f0000280000ff01010911")
        return self.unprotect(self.apdu(self.glo(reply + b"\x10" + number + tag)))


def test_vectors(_rig):
    # FIPS 197 C.1, RFC 3394 4.1, and the GCM specification's test case 4
    key = bytes(range(16))
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    wrapped = "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"
    gcm_key = bytes.fromhex("feffe9928665731c6d6a8f9467308308")
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    text = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    for name, aes in (("ours", SoftwareAes), ("port", port_aes)):
        block = bytearray(16)
        aes(key).encrypt(plain, block)
        check("AES " + name, block.hex() == "69c4e0d86a7b0430d8cdb78070b4c55a")
        aes(key).decrypt(block, block)
        check("AES back " + name, block == plain)
        check("key wrap " + name, key_wrap.wrap(aes(key), plain).hex() == wrapped)
        unwrapped = key_wrap.unwrap(aes(key), bytes.fromhex(wrapped))
        check("key unwrap " + name, unwrapped == plain)
        gcm = Gcm(aes(gcm_key))
        target = bytearray(len(text))
        gcm.encrypt(nonce, text, target, 0)
        check("GCM text " + name, target[:8].hex() == "42831ec221777424")
        tag = gcm.tag(nonce, associated, target)
        check("GCM tag " + name, tag.hex() == "5bc94fbc3221a5db94fae95a")


def test_session(rig):
    check("four passes", rig.associate()[:6].hex() == "c701c1000100")
    request = rig.glo(ENERGY)
    check("GET", rig.unprotect(rig.apdu(request)).hex() == "c401c1001500000000000006bd")
    expected = f"d80106{rig.counter:08x}"
    check("replay", rig.apdu(request).hex() == expected)
    wrong = bytearray(rig.glo(ENERGY))
    wrong[-1] ^= 1
    check("wrong tag", rig.apdu(wrong).hex() == "d80105")
    check("no defect", rig.server.defects == 0)


def test_heap(rig):
    rig.associate()
    requests = [rig.glo(ENERGY) for _ in range(2)]
    rig.apdu(requests[0])
    gc.collect()
    before = gc.mem_alloc()
    gc.disable()
    rig.channel.request(1, 1, requests[1], rig.reply, 0)
    used = gc.mem_alloc() - before
    gc.enable()
    print("heap of a ciphered GET:", used, "bytes")
    check("a ciphered GET takes little of the heap", used <= HEAP_OF_A_GET)
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(20):
        rig.associate()
        rig.apdu(rig.glo(ENERGY))
    gc.collect()
    check("log-ins leave nothing behind", gc.mem_alloc() - before <= 1024)


def mutated(octets):
    octets = bytearray(octets)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(octets))
        kind = random.randint(0, 3)
        if kind == 0:
            octets[at] = random.randint(0, 255)
        elif kind == 1 and len(octets) > 1:
            octets = octets[:at] + octets[at + 1 :]
        elif kind == 2:
            octets = octets[:at] + bytes((random.randint(0, 255),)) + octets[at:]
        elif at:
            octets = octets[:at]
    return octets


def test_mutations(rig):
    print("seed", SEED)
    random.seed(SEED)
    rig.security.lockout.set_limit(20)
    unanswered = 0
    for number in range(MUTATIONS):
        if number % 50 == 0:
            rig.security.lockout.succeeded()
            rig.counter = rig.security.counters.expected(0)
            rig.associate()
        kind = random.randint(0, 4)
        if kind == 0:  # noise inside a good protection
            apdu = bytes((0xC8,)) + rig.protect(mutated(ENERGY))
        elif kind == 1:
            apdu = mutated(rig.aarq())
        elif kind == 2:
            release = b"\x21" + rig.protect(mutated(INITIATE))
            body = bytes((0x80, 1, 0, 0xBE, len(release) + 2, 4, len(release))) + release
            apdu = bytes((0x62, len(body))) + body
        elif kind == 3:
            apdu = mutated(b"\xdb\x08" + TITLE + rig.protect(ENERGY))
        else:
            apdu = mutated(rig.glo(ENERGY))
        rig.apdu(apdu)
        if number % 50 == 49:
            rig.security.lockout.succeeded()
            rig.counter = rig.security.counters.expected(0)
            if rig.associate()[:4].hex() != "c701c100":
                unanswered += 1
    check("the next good log-in succeeds", unanswered == 0)
    check("no mutation finds a defect", rig.server.defects == 0)


for test in (test_vectors, test_session, test_heap, test_mutations):
    attempt(test, Rig())
report()
