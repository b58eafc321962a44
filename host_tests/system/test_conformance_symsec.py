"""The cases of symmetric security of the published abstract test suite, by their names.

A meter of its own for each way in: keys change here, and a policy is never lowered again.
"""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "unit"))

import raw_links
from cipher_client import ENERGY, GAK, GUEK, INITIATE, KEK, METER, Client, element
from conftest import VirtualMeter
from test_conformance_appl import RLRQ, Rig, next_number

from app.crypto import key_wrap
from app.crypto.aes import SoftwareAes
from app.crypto.gcm import Gcm

NEW = bytes(range(0x80, 0x90))
OTHER = bytes(range(0xA0, 0xB0))
SETUP = "004000002b0000ff"
NOT_POSSIBLE = "d80101"
DECIPHERING = "d80105"


class Bench:
    """A meter and one link of the management client at a time."""

    def __init__(self, meter, kind):
        self.meter = meter
        self._kind = kind
        self._link = None

    def client(self, **options):
        """A client on a new link that counts on from what the public client reads."""
        self.close()
        if "counter" not in options:
            options["counter"] = next_number(self.meter)
        self._link = raw_links.LINKS[self._kind](self.meter, 1)
        return Client(Rig(self._link), **options)

    def close(self):
        if self._link is not None:
            self._link.close()
            self._link = None


@pytest.fixture(scope="module", params=raw_links.LINKS)
def bench(request, tmp_path_factory):
    meter = VirtualMeter(tmp_path_factory.mktemp("symsec") / "state").start()
    yield Bench(meter, request.param)
    assert meter.stop() == 0


@pytest.fixture
def client(bench):
    yield bench.client().log_in()
    bench.close()


def reads(client):
    return client.get(ENERGY)[:5].hex() == "c401c10015"


def transfer(client, *keys, kek=KEK):
    body = bytes((1, len(keys)))
    for key_id, key in keys:
        wrapped = key_wrap.wrap(SoftwareAes(kek), key)
        body += bytes((2, 2, 0x16, key_id)) + element(9, wrapped)
    return client.get(bytes.fromhex("c301c1" + SETUP + "0201") + body).hex()


@pytest.mark.row("SEC-35")
@pytest.mark.parametrize("control", [0x10, 0x20, 0x30])
def test_symsec_replay(bench, control):
    client = bench.client(control=control).log_in()
    recorded = client.glo(ENERGY)
    assert client.send(recorded)[0] == 0xCC
    assert client.send(recorded).hex() == f"d80106{client.counter:08x}"
    assert client.get(counter=1).hex() == f"d80106{client.counter:08x}"
    assert client.get(counter=0xFFFFFFFF).hex() == f"d80106{client.counter:08x}"
    assert reads(client)
    replayed = bench.client()
    assert replayed.send(recorded).hex() == NOT_POSSIBLE
    replayed.log_in()
    assert replayed.send(recorded)[:3].hex() == "d80106"
    assert reads(replayed)
    bench.close()


def test_symsec_sending_counter(client):
    numbers = []
    for _ in range(5):
        answer = client.send(client.glo(ENERGY))
        numbers.append(int.from_bytes(answer[3:7], "big"))
        assert client.unprotect(answer[2:])[:4].hex() == "c401c100"
    assert all(later > earlier for earlier, later in zip(numbers, numbers[1:]))


def test_symsec_sending_counter_over_a_power_cut(bench):
    client = bench.client().log_in()
    before = int.from_bytes(client.send(client.glo(ENERGY))[3:7], "big")
    bench.close()
    bench.meter.post("/api/supply", on=False)
    bench.meter.post("/api/advance", seconds=2)
    bench.meter.post("/api/supply", on=True)
    bench.meter.post("/api/advance", seconds=2)
    client = bench.client().log_in()
    assert int.from_bytes(client.send(client.glo(ENERGY))[3:7], "big") > before
    bench.close()


def test_symsec_key_transfer_of_the_guek(bench, client):
    assert transfer(client, (0, NEW)) == "c701c10000"
    assert client.get(ENERGY).hex() == DECIPHERING, "the old key is gone"
    fresh = bench.client(guek=NEW).log_in()
    assert reads(fresh)
    assert transfer(fresh, (0, GUEK)) == "c701c10000"
    assert reads(bench.client().log_in())


def test_symsec_key_transfer_of_the_gak(bench, client):
    assert transfer(client, (2, NEW)) == "c701c10000"
    assert client.get(ENERGY).hex() == DECIPHERING
    fresh = bench.client(gak=NEW).log_in()
    assert transfer(fresh, (2, GAK)) == "c701c10000"
    assert reads(bench.client().log_in())


def test_symsec_key_transfer_of_both(bench, client):
    assert transfer(client, (0, NEW), (2, OTHER)) == "c701c10000"
    fresh = bench.client(guek=NEW, gak=OTHER).log_in()
    assert transfer(fresh, (0, GUEK), (2, GAK)) == "c701c10000"
    assert reads(bench.client().log_in())


def test_symsec_wrong_key_id(client):
    for keys in ([(4, NEW)], [(255, NEW)], [(0, NEW), (7, NEW)]):
        assert transfer(client, *keys) == "c701c1fa00"
    assert reads(client)


def test_symsec_wrong_wrapping(client):
    assert transfer(client, (0, NEW), kek=NEW) == "c701c1fa00"
    short = bytes.fromhex("c301c1" + SETUP + "0201" + "0101" + "02021600") + element(9, NEW)
    assert client.get(short)[:3].hex() == "c701c1"
    assert client.get(short)[3] != 0
    assert transfer(client, (0, NEW + NEW[:8])) == "c701c1fa00"
    assert reads(client)


def test_symsec_dedicated_key(bench):
    client = bench.client()
    initiate = b"\x01\x01\x10" + NEW + INITIATE[2:]
    assert client.associate(5, initiate=initiate) == (0, 14)
    assert client.get(client.reply(client.proof()))[:4].hex() == "c701c100"
    dedicated = Gcm(SoftwareAes(NEW))
    for number in (0, 1, 2):
        request = element(0xD0, client.protect(ENERGY, counter=number, cipher=dedicated))
        answer = client.send(request)
        assert answer[0] == 0xD4
        assert client.unprotect(answer[2:], cipher=dedicated)[:4].hex() == "c401c100"
    assert client.send(request).hex() == "d8010600000003"
    assert reads(client), "the global key stays good"
    other = bench.client().log_in()
    assert other.send(element(0xD0, other.protect(ENERGY, cipher=dedicated))).hex() == "d80102"
    bench.close()


@pytest.mark.parametrize("control", [0x10, 0x20, 0x30])
def test_symsec_protected_data(bench, control):
    client = bench.client(control=control).log_in()
    answer = client.send(client.glo(ENERGY))
    assert (answer[0], answer[2]) == (0xCC, control)
    assert client.unprotect(answer[2:])[:4].hex() == "c401c100"
    if control & 0x10:
        spoilt = bytearray(client.glo(ENERGY))
        spoilt[-1] ^= 1
        assert client.send(bytes(spoilt)).hex() == DECIPHERING
    assert reads(client)
    # set, action and an error under the same protection
    zone = bytes.fromhex("c101c1" + "00080000010000ff03" + "00")
    value = client.get(bytes.fromhex("c001c1" + "00080000010000ff03" + "00"))[4:]
    assert client.get(zone + value).hex() == "c501c100"
    assert client.get(bytes.fromhex("c301c1" + "00080000010000ff06" + "01" + "100000")).hex() == (
        "c701c10000"
    )
    assert client.get(bytes.fromhex("c001c1" + "00030100630000ff02" + "00")).hex() == "c401c10104"
    bench.close()


def test_symsec_badly_protected_rlrq(client):
    plain = element(0xBE, element(0x04, INITIATE))
    wrong = bytearray(client.glo_initiate())
    wrong[-1] ^= 1
    replayed = element(0xBE, element(0x04, client.glo_initiate(counter=1)))
    for information in (b"", plain, element(0xBE, element(0x04, bytes(wrong))), replayed):
        assert client.send(element(0x62, b"\x80\x01\x00" + information)).hex() == "6303800101"
        assert reads(client)
    assert client.send(RLRQ).hex() == "6303800101"
    good = element(0xBE, element(0x04, client.glo_initiate()))
    answer = client.send(element(0x62, b"\x80\x01\x00" + good))
    assert answer[0] == 0x63
    assert answer[4] == 0
    assert METER not in answer
    assert client.get(ENERGY).hex() == NOT_POSSIBLE


def holds(client, policy, number):
    """Activate a policy; what has less protection is refused, and there is no way back."""
    activate = bytes.fromhex("c301c1" + SETUP + "0101") + bytes((0x16, number))
    assert client.get(activate).hex() == "c701c10000"
    for control in (0x10, 0x20, 0x30):
        answer = client.send(client.glo(ENERGY, control=control))
        if control & policy == policy:
            assert client.unprotect(answer[2:])[:4].hex() == "c401c100"
        else:
            assert answer.hex() == NOT_POSSIBLE
    assert client.send(ENERGY).hex() == NOT_POSSIBLE
    lower = bytes.fromhex("c301c1" + SETUP + "0101") + b"\x16\x00"
    assert client.get(lower)[3] != 0
    assert client.get(bytes.fromhex("c001c1" + SETUP + "0200"))[-2:] == bytes((0x16, number))


@pytest.mark.parametrize("kind", raw_links.LINKS)
def test_symsec_security_policy_2(start_meter, kind):
    bench = Bench(start_meter(), kind)
    client = bench.client().log_in()
    holds(client, 0x20, 2)
    holds(client, 0x30, 3)
    bench.close()


@pytest.mark.row("SEC-31")
def test_symsec_each_security_policy(bench):
    """Policy by policy, the strongest last: none of them goes back."""
    assert bench.client(control=0).send(ENERGY).hex() == NOT_POSSIBLE
    client = bench.client().log_in()
    assert client.send(ENERGY)[:4].hex() == "c401c100", "policy 0 asks for nothing"
    for policy, number in ((0x10, 1), (0x30, 3)):
        holds(client, policy, number)
    # an AARQ without protection, and one in a context without ciphering
    assert bench.client(control=0).associate()[0] == 1
    assert bench.client().associate(1, context=1)[0] == 1
    assert reads(bench.client().log_in())
    bench.close()
