"""The DLMS server on MicroPython: answers, memory of an answer, mutated requests.

What CPython cannot show: struct, memoryview and integers as the meter's interpreter has them, and
what an answer costs on its heap.
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
from app.dlms import conformance
from app.dlms.server import MAX_PDU, Server
from app.identification import Identification
from app.registers import RegisterFile
from app.security import Security
from app.settings import Settings
from app.storage.vault import Vault

SEED = 20260131
MUTATIONS = 4000
HEAP_OF_A_LONG_ANSWER = 4096
HEAP_OF_A_GET = 1024

AARQ = (
    "6036a1090607608574050801018a0207808b0760857405080201ac0a8008"
    "3132333435363738be10040e01000000065f1f0400007e1f{:04x}"
)
ENERGY = "c001c100030100010800ff0200"
OBJECT_LIST = "c001c1000f0000280000ff0200"
CORPUS = (
    AARQ.format(0xFFFF),
    "6203800100",
    ENERGY,
    OBJECT_LIST,
    "c002c100000001",
    "c003c10300030100010800ff0200000f0000280000ff020000080000010000ff0200",
    "c101c100080000010000ff0200090c07ea0201ff003b32ffffc400",
    "c101c100070000150001ff030001010204120003090601000108 00ff0f02120000".replace(" ", ""),
    "c102c100010000600101ff02000000000001020902",
    "c103c101000000020141",
    "c104c10200080000010000ff030000080000010000ff07000210ffc40f3c",
    "c105c10200080000010000ff030000080000010000ff07000100000001060210ffc40f3c",
    "c301c100080000010000ff0601100000",
    "c303c10200080000010000ff0600080000010000ff0602100000100000",
    "c304c100080000010000ff060000000001021000",
    "c306c101000000020100",
)


def aes(key):
    return cryptolib.aes(key, 1)


class Rig:
    def __init__(self):
        memory = SparseMemory()
        self.settings = Settings(memory, Vault(aes, b"unique"))
        clock = Clock(Rtc(), self.settings)
        registers = RegisterFile(Quantities(), Energies(), True)
        identification = Identification(bytes((0, 0, 0, 1)), Variant(), self.settings)
        title = identification.system_title()
        security = Security(memory, self.settings, aes, os.urandom, clock.utc_s, title)
        parts = common_objects.Parts(
            registers, clock, self.settings, identification, Variant(), security
        )
        objects = common_objects.build(parts, Resolver(), conformance.SERVICES, MAX_PDU)
        self.server = Server(objects, security)
        self.channel = self.server.open_channel(MAX_PDU)
        self.reply = bytearray(MAX_PDU)

    def apdu(self, octets):
        if isinstance(octets, str):
            octets = bytes.fromhex(octets)
        length = self.channel.request(1, 1, memoryview(octets), self.reply, 0)
        while length < 0:
            length = self.channel.proceed(self.reply)
        return bytes(memoryview(self.reply)[:length])


def heap_of(action):
    """How much the heap grows while nothing is collected, and what is left of it afterwards."""
    action()
    gc.collect()
    before = gc.mem_alloc()
    gc.disable()
    action()
    used = gc.mem_alloc() - before
    gc.enable()
    gc.collect()
    return used, gc.mem_alloc() - before


def test_answers(rig):
    check("AARQ", rig.apdu(AARQ.format(1024))[17] == 0)
    check("uint64", rig.apdu(ENERGY).hex() == "c401c1001500000000000006bd")
    sixth = rig.apdu("c001c100030100060800ff0200").hex()
    check("over 32 bits", sixth == "c401c10015000000012a05f200")
    net = rig.apdu("c001c100030100100800ff0200").hex()
    check("negative 64 bits", net == "c401c10014ffffffff1194d800")
    check("type unmatched", rig.apdu("c101c100080000010000ff030006000000ff")[3] == 12)
    check("out of range", rig.apdu("c101c100080000010000ff0300107fff")[3] == 250)
    check("time set", rig.apdu("c101c100080000010000ff0200090c07ea0701ff0c0000ffff8880")[3] == 0)
    # noon at two hours from UTC is eleven o'clock in this meter's zone, which is one hour from it
    time_read = rig.apdu("c001c100080000010000ff0200")[4:].hex()
    check("time read", time_read[:20] + time_read[22:] == "090c07ea0701030b0000ffc480")
    check("unknown APDU", rig.apdu("c8010203").hex() == "d80202")
    check("no defect", rig.server.defects == 0)


def read_object_list(rig):
    """Read the object list and return its length."""
    size = 0
    answer = rig.apdu(OBJECT_LIST)
    while True:
        at = {0x81: 11, 0x82: 12}.get(answer[9], 10)
        size += len(answer) - at
        if answer[3]:
            return size
        answer = rig.apdu(b"\xc0\x02\xc1" + answer[4:8])


def test_blocks(rig):
    sizes = []
    for pdu_size in (12, 64, 300, 1024):
        rig.apdu(AARQ.format(pdu_size))
        sizes.append(read_object_list(rig))
    check("the same list in blocks of every size", min(sizes) == max(sizes) > 4000)


def test_memory(rig):
    rig.apdu(AARQ.format(1024))
    request = memoryview(bytes.fromhex(ENERGY))
    used, left = heap_of(lambda: rig.channel.request(1, 1, request, rig.reply, 0))
    print("heap of a GET:", used, "bytes")
    check("a GET takes little of the heap", used <= HEAP_OF_A_GET)
    check("a GET leaves nothing behind", left == 0)

    def peak():
        # what is alive in the middle of the transfer
        rig.apdu(OBJECT_LIST)
        rig.apdu("c002c100000001")

    gc.collect()
    rig.apdu(ENERGY)
    gc.collect()
    before = gc.mem_alloc()
    peak()
    gc.collect()
    alive = gc.mem_alloc() - before
    print("heap of the object list under way:", alive, "bytes")
    check("the object list never lies in RAM whole", alive <= HEAP_OF_A_LONG_ANSWER)
    rig.apdu(ENERGY)
    gc.collect()
    check("an ended transfer leaves nothing behind", gc.mem_alloc() - before <= 64)


def mutated(octets):
    for _ in range(random.randint(0, 3)):
        at = random.randrange(len(octets))
        kind = random.randint(0, 3)
        if kind == 0:
            octets[at] = random.randint(0, 255)
        elif kind == 1 and len(octets) > 1:
            octets = octets[:at] + octets[at + 1 :]
        elif kind == 2:
            octets = octets[:at] + bytearray((random.randint(0, 255),)) + octets[at:]
        else:
            octets = octets[:at]
            if not octets:
                octets = bytearray(1)
    return octets


def test_mutations(rig):
    print("seed", SEED)
    random.seed(SEED)
    good = bytes.fromhex(AARQ.format(1024))
    corpus = [bytes.fromhex(text) for text in CORPUS]
    unanswered = 0
    for number in range(MUTATIONS):
        if number % 4 == 0:
            rig.settings.put("lls", b"12345678")
            rig.apdu(good)
            if rig.apdu(ENERGY)[:4] != b"\xc4\x01\xc1\x00":
                unanswered += 1
        answer = rig.apdu(mutated(bytearray(random.choice(corpus))))
        if answer and answer[0] not in (0x61, 0x63, 0xC4, 0xC5, 0xC7, 0xD8):
            unanswered += 1
    check("the next good request is answered", unanswered == 0)
    check("no mutation finds a defect", rig.server.defects == 0)
    gc.collect()


for test in (test_answers, test_blocks, test_memory, test_mutations):
    gc.collect()  # the rig before this one
    attempt(test, Rig())
report()
