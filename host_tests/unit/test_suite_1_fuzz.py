"""Mutated requests of suite 1: general-ciphering, general-signing, methods, log-ins by signature.

Whatever comes, no defect is counted and the next good log-in and request are answered.
"""

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cipher_client import ENERGY, ENERGY_ANSWER, TITLE
from suite_1_rig import SETUP, enrolled, field, octets
from test_general_ciphering import IDENTIFIED, protect, signed_request, wrapped

# isort: split
from certificates import SIGNATURE

ROUNDS = 500
LENGTHS = (0, 1, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF)
SEEDS = (1, 20260131, None)  # None: a new one


class Fuzz:
    def __init__(self, seed):
        self.numbers = random.Random(seed)
        self.rig, self.client, authority, _ = enrolled()
        self.defects = []
        self.rig.server.on_defect = self.defects.append
        mine = authority.sign(TITLE, self.client.signing.public_key(), SIGNATURE)
        self.parameters = (
            b"\x16\x00",
            b"\x16\x01",
            octets(authority.certificate),
            octets(mine),
            bytes.fromhex("0202160002031601160009085453540000000001"),
            b"\x01\x01\x02\x02\x16\x00" + octets(os.urandom(128)),
        )
        self.kinds = (
            self.identified, self.wrapped, self.signed, self.method, self.log_in, self.agreed,
        )  # fmt: skip

    def mutated(self, given):
        given = bytearray(given)
        below = self.numbers.randrange
        for _ in range(below(3)):
            if not given:
                break
            at = below(len(given))
            kind = below(4)
            if kind == 0:
                given[at] ^= 1 << below(8)
            elif kind == 1:
                del given[at : at + 1 + below(4)]
            elif kind == 2:
                given[at:at] = self.numbers.randbytes(1 + below(4))
            else:
                given[at] = self.numbers.choice(LENGTHS)
        return bytes(given)

    def general(self, info, key=None, counter=None):
        header = self.client.header()
        content = protect(self.client, self.mutated(ENERGY), header, key, counter)
        self.client.send(self.mutated(b"\xdd" + header + info + field(content)))

    def identified(self):
        self.general(IDENTIFIED)

    def wrapped(self):
        key = os.urandom(16)
        self.general(wrapped(key), key, 0)

    def agreed(self):
        self.general(b"\x01\x02\x01\x02\x00", os.urandom(16), 0)

    def signed(self):
        content = self.mutated(ENERGY) or b"\0"
        self.client.send(self.mutated(signed_request(self.client, content)))

    def method(self):
        index = bytes((self.numbers.randrange(2, 10),))  # 1 raises the policy for good
        parameter = self.mutated(self.numbers.choice(self.parameters))
        self.client.send(self.client.glo(b"\xc3\x01\xc1" + SETUP + index + b"\x01" + parameter))

    def log_in(self):
        client = self.client
        client.send(self.mutated(client.aarq(7, client.own_challenge)))
        client.send(client.glo(client.reply(self.mutated(bytes(64)))))

    def catch_up(self):
        """Count on from what the meter expects, whatever a mutation made of it."""
        security = self.rig.security
        security.lockout.succeeded()
        self.client.counter = max(self.client.counter, security.counters.expected(0))
        self.client.transaction = max(self.client.transaction, security.counters._transaction)


@pytest.mark.parametrize("seed", SEEDS)
def test_mutations(seed):
    seed = random.randrange(1 << 32) if seed is None else seed
    print("seed", seed)
    fuzz = Fuzz(seed)
    for number in range(ROUNDS):
        fuzz.numbers.choice(fuzz.kinds)()
        assert not fuzz.defects, (number, fuzz.defects)
        fuzz.catch_up()
        if number % 50 == 49:
            fuzz.client.log_in()
            assert fuzz.client.get() == ENERGY_ANSWER
