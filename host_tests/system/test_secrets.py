"""No secret shows anywhere: chips' files, console, bench, every readable attribute, refusals.

A meter of its own whose keys and passwords are all changed to random ones first.
"""

import binascii
import random
import secrets
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))

import clients
import pytest
from cipher_client import Client, element
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import ObjectType
from gurux_dlms.objects import (
    GXDLMSAssociationLogicalName,
    GXDLMSIECLocalPortSetup,
    GXDLMSSecuritySetup,
)
from gurux_dlms.objects.enums import GlobalKeyType
from secure_clients import KEK
from secure_lines import Line

PATHS = ("/api/state", "/api/lcd", "/api/quantities", "/api/ports", "/api/health")
PIECE = 6  # octets of a secret that may nowhere stand together
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def password(length):
    return "".join(random.SystemRandom().choice(LETTERS) for _ in range(length)).encode()


class Secrets:
    """What was set, and the search for it."""

    def __init__(self):
        self.keys = [secrets.token_bytes(16) for _ in range(4)]
        self.lls = password(12)
        self.optical = [password(10) for _ in range(3)]

    def found(self, octets, where):
        """Secrets in octets, as they are or in hexadecimal."""
        shown = []
        lower = octets.lower()
        for secret in [*self.keys, self.lls, *self.optical]:
            for at in range(len(secret) - PIECE + 1):
                piece = secret[at : at + PIECE]
                if piece in octets or binascii.hexlify(piece) in lower:
                    shown.append((where, secret.hex()))
        return shown


@pytest.fixture
def changed(start_meter):
    meter = start_meter()
    told = Secrets()
    line = Line(meter, "wrapper")
    session = line.gurux(counter=1).connect()
    manager = GXDLMSAssociationLogicalName("0.0.40.0.1.255")
    head = GXDLMSIECLocalPortSetup("0.0.20.0.0.255")
    put(session, manager, 7, told.lls)
    for index, text in zip((7, 8, 9), told.optical, strict=True):
        put(session, head, index, text)
    setup = GXDLMSSecuritySetup("0.0.43.0.0.255")
    kinds = (
        GlobalKeyType.UNICAST_ENCRYPTION, GlobalKeyType.BROADCAST_ENCRYPTION,
        GlobalKeyType.AUTHENTICATION, GlobalKeyType.KEK,
    )  # fmt: skip
    changes = list(zip(kinds, told.keys, strict=True))
    session.exchange(setup.globalKeyTransfer(session.client, KEK, changes))
    line.close()
    return meter, told


def put(session, item, index, text):
    """Write an octet string, encoded here: gurux knows the types of what it has read only."""
    name = bytes(int(part) for part in item.logicalName.split("."))
    apdu = b"\xc1\x01\xc1" + int(item.objectType).to_bytes(2, "big") + name + bytes((index, 0))
    answer = ciphered(session, apdu + b"\x09" + bytes((len(text),)) + text)
    assert answer[3] == 0, (item, index, answer.hex())


def ciphered(session, apdu):
    """One request of ours in the session of gurux, under its keys and numbers."""
    cipher = session.client.ciphering
    own = Client(None, counter=cipher.invocationCounter, guek=bytes(cipher.blockCipherKey))
    own.gak = bytes(cipher.authenticationKey)
    request = own.glo(apdu)
    cipher.invocationCounter = own.counter
    head = bytes.fromhex("000100010001") + len(request).to_bytes(2, "big")
    session.transport.send(head + request)
    received = b""
    while len(received) < 8 or len(received) < 8 + int.from_bytes(received[6:8], "big"):
        received += session.transport.receive()
    answer = received[8:]
    start = {0x81: 3, 0x82: 4}.get(answer[1], 2)
    assert answer == element(answer[0], answer[start:])
    return own.unprotect(answer[start:])


@pytest.mark.row("SEC-61")
def test_no_secret_shows(changed):
    meter, told = changed
    shown = []
    line = Line(meter, "wrapper")
    guek, _, gak, _ = told.keys
    session = line.gurux(guek=guek, gak=gak).connect()
    seen = 0
    for item in session.objects():
        for index in range(1, item.getAttributeCount() + 1):
            if item.objectType == ObjectType.PROFILE_GENERIC and index == 2:
                continue
            try:
                reply = session.exchange(session.client.read(item, index))
            except (GXDLMSException, ValueError):
                continue
            seen += 1
            octets = bytes(reply.data.array()) + repr(reply.value).encode()
            shown += told.found(octets, f"{item.logicalName}/{index}")
    assert seen > 200
    line.close()
    # refusals on every port, with secrets that are nearly right
    for route in ("wrapper", "rs485"):
        line = Line(meter, route)
        near = told.lls[:-1] + b"!"
        with pytest.raises(GXDLMSException):
            clients.Gurux(
                line.transport, clients.MANAGEMENT, near, hdlc=line.hdlc, server=line.server
            ).connect()
        line.close()
    for path in PATHS:
        shown += told.found(repr(meter.get(path)).encode(), path)
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=1)
    for chip in meter.state.iterdir():
        shown += told.found(chip.read_bytes(), chip.name)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=2)
    # damaged: what the start-up checks say of it
    meter.post("/api/chip", chip="fram", fault="bit_flip", at=4711)
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=1)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=2)
    assert meter.stop() == 0
    shown += told.found("\n".join(meter.lines).encode(), "console")
    for chip in meter.state.iterdir():
        shown += told.found(chip.read_bytes(), chip.name)
    assert not shown
    # the search does find what is there
    assert told.found(b"..." + told.lls + b"...", "here")
    assert told.found(told.keys[1].hex().upper().encode(), "here")
