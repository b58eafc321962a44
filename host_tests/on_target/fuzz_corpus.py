"""Valid requests and values, and how the fuzzer changes them."""

import random

from app.dlms.server import MAX_PDU

INTERESTING = (0, 1, 2, 6, 9, 12, 0x7E, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFE, 0xFF)

AARQ = bytes.fromhex(
    "6036a1090607608574050801018a0207808b0760857405080201ac0a8008"
    "3132333435363738be10040e01000000065f1f040060fe5f0400"
)
AARQ_PUBLIC = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f040060fe5f0400")
AARQ_CIPHERED = bytes.fromhex(
    "6042a109060760857405080103a60a040854535400000000018a0207808b0760857405080201ac0a8008"
    "3132333435363738be10040e01000000065f1f040060fe5f0400"
)
AARQ_GMAC = bytes.fromhex(
    "6042a109060760857405080101a60a040854535400000000018a0207808b0760857405080205ac0a8008"
    "4142434445464748be10040e01000000065f1f040060fe5f0400"
)
NAME = bytes.fromhex("c001c1000100002a0000ff0200")
ENERGY = bytes.fromhex("c001c100030100010800ff0200")
APDUS = [
    bytes.fromhex(text)
    for text in (
        "6203800100",
        "c001c1000f0000280000ff0200",
        "c001c100070000150001ff0200",
        "c001c100070000150001ff0201010204020412000809060000010000ff0f02120000"
        + "090c07ea0101ffffffffff800000090c07ea0201ffffffffff8000000100",
        "c001c100070000150001ff020202040600000001060000000a120001120000",
        "c001c100070000636200ff0200",
        "c001c100070000636200ff0201010204020412000809060000010000ff0f02120000"
        + "090c07ea0101ffffffffff800000090c07ea0301ffffffffff8000000101"
        + "020412000109060000600b00ff0f02120000",
        "c001c100070000636200ff02010102040204120001090600"
        + "00600b00ff0f02120000"
        + "1102"
        + "15ffffffffffffffff"
        + "0100",
        "c001c100070000636200ff020102020406000000030600000005120002120002",
        "c301c100070000636201ff01010f00",
        "c101c100010000616100ff02000600000000",
        "c001c1004000002b0000ff0200",
        "c002c100000001",
        "c003c10300030100010800ff0200000f0000280000ff020000080000010000ff0200",
        "c101c100080000010000ff0200090c07ea0201ff003b32ffffc400",
        "c101c1000f0000280001ff070009083837363534333231",
        "c101c1000f0000280001ff0600090760857405080201",
        "c101c100130000140000ff060009083030303030303031",
        "c101c100170001160000ff0900120011",
        "c101c100290000190000ff06001200b4",
        "c102c100010000600101ff02000000000001020902",
        "c103c101000000020141",
        "c104c10200080000010000ff030000080000010000ff07000210ffc40f3c",
        "c105c10200080000010000ff030000080000010000ff07000100000001060210ffc40f3c",
        "c101c100070000150001ff03000101020412000309060001010800ff0f02120000",
        "c301c100080000010000ff0601100000",
        "c301c100080000010000ff05010203090c07ea0101ff00000000800000"
        + "090c07ea0101ff00000000800000090c07ea0201ff00000000800000",
        "c301c1000f0000280000ff01010911" + "10000000010102030405060708090a0b0c",
        "c301c1004000002b0000ff02010101020216000918" + "00" * 24,
        "c302c100000001",
        "c303c10200080000010000ff0600080000010000ff0602100000100000",
        "c304c100080000010000ff060000000001021000",
        "c305c10100080000010000ff0600000000010401100000",
        "c306c101000000020100",
        "d80101",
        "d90000000000000101",
        "e080000001" + "00" * 8,
        "e083000100000d" + "c001c1000f0000280000ff0200",
        "e0830001000100",
        "e0830002000300",
        "e0430001000007" + "c101c100080000",
        "e0830002000009" + "010000ff0300100000",
        "e0c300030001" + "00",
        "e0800000000000",
        "c001c1000f0000280000ff02" + "0102" + "0102" + "120008" + "120003",
        "c001c1000f0000280000ff02" + "0103" + "0101" + "0202" + "120008" + "09060000010000ff",
        "c003c1020003" + "0100010800ff0200" + "000f0000280000ff02" + "010100",
        "d94000000100"
        + "03"
        + "01"
        + "00030100010800ff02"
        + "02"
        + "00080000010000ff03"
        + "03"
        + "00080000010000ff06"
        + "03"
        + "00"
        + "100000"
        + "100000",
        "d97000000200"
        + "02"
        + "01"
        + "000f0000280000ff02"
        + "04"
        + "000f0000280000ff02"
        + "0100"
        + "02"
        + "00"
        + "00",
        "0f00000001000201",
    )
] + [AARQ, AARQ_PUBLIC, AARQ_CIPHERED, AARQ_GMAC, NAME, ENERGY]
VALUES = [
    bytes.fromhex(text)
    for text in (
        "00ff0300",
        "0405f8",
        "0481ff" + "00" * 32,
        "0982000461626364",
        "0a0461626364",
        "0c02c3a9",
        "0102020312000109060000010000ff11ff0203060000000105fffffffe15" + "00" * 8,
        "1907ea0101ff000000008000001a07ea0101ff1b00000000",
        "173f80000018" + "3ff0000000000000" + "0d1914" + "ff" * 8 + "1600",
        "0101" * 15 + "00",
        "1302120001040000",
    )
]


def choice(items):
    return items[random.getrandbits(16) % len(items)]


def below(limit):
    return random.getrandbits(24) % limit


def mutated(octets, corpus):
    """`octets` after none to six changes; the generator is `random`."""
    octets = bytearray(octets)
    steps = choice((0, 1, 1, 1, 2, 2, 3, 6))
    for _ in range(steps):
        size = len(octets)
        if not size:
            octets = bytearray((below(256),))
            continue
        at = below(size)
        kind = below(9)
        if kind == 0:
            octets[at] ^= 1 << below(8)
        elif kind == 1:
            octets[at] = below(256)
        elif kind == 2:
            octets[at] = choice(INTERESTING)
        elif kind == 3:
            octets = octets[:at] + octets[at + 1 + below(4) :]
        elif kind == 4:
            octets = octets[:at] + os_free(1 + below(6)) + octets[at:]
        elif kind == 5:
            octets = octets[: at + below(16)] + octets[at:]
        elif kind == 6:
            octets = octets[:at]
        elif kind == 7:
            other = choice(corpus)
            octets = octets[:at] + other[below(len(other)) :]
        else:
            octets[at] = (octets[at] + choice((1, 255))) & 0xFF
    return bytes(octets[: MAX_PDU + 64])


def os_free(count):
    """Octets of the seeded generator."""
    return bytes([random.getrandbits(8) for _ in range(count)])
