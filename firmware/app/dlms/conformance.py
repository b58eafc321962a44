"""The conformance block: services that client and server agree on (row SEC-69).

Bit 0 of the standard is the highest of 24 bits; here they are the bits of the 24-bit number.
"""

from micropython import const

GENERAL_PROTECTION = const(0x400000)
GENERAL_BLOCK_TRANSFER = const(0x200000)
PRIORITY_MANAGEMENT = const(0x4000)
BLOCK_TRANSFER_WITH_GET = const(0x1000)
BLOCK_TRANSFER_WITH_SET = const(0x0800)
BLOCK_TRANSFER_WITH_ACTION = const(0x0400)
MULTIPLE_REFERENCES = const(0x0200)
DATA_NOTIFICATION = const(0x0080)
ACCESS = const(0x0040)
GET = const(0x0010)
SET = const(0x0008)
SELECTIVE_ACCESS = const(0x0004)
EVENT_NOTIFICATION = const(0x0002)
ACTION = const(0x0001)

SERVICES = (
    GENERAL_PROTECTION
    | GENERAL_BLOCK_TRANSFER
    | PRIORITY_MANAGEMENT
    | BLOCK_TRANSFER_WITH_GET
    | BLOCK_TRANSFER_WITH_SET
    | BLOCK_TRANSFER_WITH_ACTION
    | MULTIPLE_REFERENCES
    | ACCESS
    | GET
    | SET
    | SELECTIVE_ACCESS
    | ACTION
)  # what this server offers
