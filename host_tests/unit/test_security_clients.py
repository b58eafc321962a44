"""Ciphered sessions of gurux-dlms and dlms-cosem against the server in the same process."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("gurux_dlms")
pytest.importorskip("dlms_cosem")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import clients
import secure_clients
from dlms_cosem import utils
from dlms_rig import NOW_UTC_S, Rig
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import Authentication, DataType, Security
from gurux_dlms.GXDLMSExceptionResponse import GXDLMSExceptionResponse
from gurux_dlms.objects import GXDLMSAssociationLogicalName, GXDLMSClock, GXDLMSRegister

LEVELS = [Security.AUTHENTICATION, Security.ENCRYPTION, Security.AUTHENTICATION_ENCRYPTION]
FORMS = {  # first octets of the requests and of their answers
    None: (0xDB, 0xDB),
    bytes(range(16, 32)): (0xDC, 0xDC),
}


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.row("SEC-09", "SEC-12", "SEC-32")
@pytest.mark.parametrize("dedicated", FORMS, ids=["global", "dedicated"])
@pytest.mark.parametrize("security", LEVELS, ids=["10", "20", "30"])
@pytest.mark.parametrize(
    ("authentication", "secret"),
    [(Authentication.LOW, clients.SECRET), (Authentication.HIGH_GMAC, None)],
    ids=["LLS", "GMAC"],
)
def test_gurux_at_every_level(rig, authentication, secret, security, dedicated):
    session = secure_clients.SecureGurux(
        rig.transport(),
        authentication=authentication,
        secret=secret,
        security=security,
        dedicated=dedicated,
    ).connect()
    objects = session.objects()
    assert len(objects) == rig.catalogue.visible(rig.catalogue.client(1))
    assert session.read(GXDLMSRegister("1.0.1.8.0.255"), 2) == 1725
    session.call(GXDLMSClock(), 6, 30, DataType.INT16)
    assert rig.clock.utc_s() == NOW_UTC_S + 30
    request, answer = session.transport.log[-1]
    assert (request[0], answer[0]) == FORMS[dedicated]
    assert answer[11 if len(answer) < 140 else 12] & 0x30 == security
    session.release()
    assert rig.server.associations() == 0
    assert rig.events == [249]


@pytest.mark.parametrize("pdu_size", [64, 96, 300, 1024])
def test_protected_blocks_fit_the_client_s_pdu(rig, pdu_size):
    session = secure_clients.SecureGurux(rig.transport())
    session.client.settings._GXDLMSSettings__maxPduSize = pdu_size
    session.client.settings.maxPduSize = pdu_size
    session.connect()
    assert len(session.objects()) == rig.catalogue.visible(rig.catalogue.client(1))
    answers = [answer for request, answer in session.transport.log if request[0] == 0xDB]
    assert max(len(answer) for answer in answers) <= pdu_size
    session.release()


def test_a_gmac_log_in_without_ciphering(rig):
    session = secure_clients.SecureGurux(rig.transport(), security=Security.NONE).connect()
    assert session.read(GXDLMSRegister("1.0.1.8.0.255"), 2) == 1725
    assert session.transport.log[-1][0][0] == 0xC0
    session.release()
    assert rig.server.associations() == 0


def test_the_counter_is_read_by_the_public_client_and_counted_on(rig):
    transport = rig.transport()
    assert secure_clients.next_counter(transport) == 1
    session = secure_clients.SecureGurux(transport, counter=1000).connect()
    session.read(GXDLMSRegister("1.0.1.8.0.255"), 2)
    last = session.counter - 1
    # the counter is read on the same link without a release before
    assert secure_clients.next_counter(transport) == last + 1
    again = secure_clients.SecureGurux(transport, counter=last + 1).connect()
    assert again.read(GXDLMSRegister("1.0.1.8.0.255"), 2) == 1725
    # a client that begins too low is told what to begin with
    low = secure_clients.SecureGurux(rig.transport(), counter=5)
    with pytest.raises(GXDLMSExceptionResponse, match="counter is invalid"):
        low.connect()
    answer = low.transport.log[-1][1]
    assert answer[:3].hex() == "d80106"
    assert int.from_bytes(answer[3:], "big") == again.counter
    assert rig.events[-1] == 50


@pytest.mark.parametrize(
    "wrong", [{"guek": bytes(16)}, {"gak": bytes(16)}, {"title": secure_clients.METER_TITLE}]
)
@pytest.mark.parametrize("security", [*LEVELS, Security.NONE], ids=["10", "20", "30", "00"])
def test_a_wrong_key_opens_nothing(rig, wrong, security):
    session = secure_clients.SecureGurux(rig.transport(), security=security, **wrong)
    with pytest.raises((GXDLMSException, ValueError)):
        session.connect()
    assert rig.server.associations() == 0
    assert 249 not in rig.events


def test_gurux_changes_all_four_keys(rig):
    from gurux_dlms.objects import GXDLMSSecuritySetup
    from gurux_dlms.objects.enums import GlobalKeyType

    session = secure_clients.SecureGurux(rig.transport()).connect()
    keys = {
        GlobalKeyType.UNICAST_ENCRYPTION: bytes(range(0x40, 0x50)),
        GlobalKeyType.BROADCAST_ENCRYPTION: bytes(range(0x50, 0x60)),
        GlobalKeyType.AUTHENTICATION: bytes(range(0x60, 0x70)),
    }
    setup = GXDLMSSecuritySetup("0.0.43.0.0.255")
    session.exchange(
        setup.globalKeyTransfer(session.client, secure_clients.KEK, list(keys.items()))
    )
    assert rig.events[-1] == 48
    assert [rig.security.key(key_id) for key_id in (0, 1, 2)] == list(keys.values())
    assert rig.security.key(3) == secure_clients.KEK
    with pytest.raises((GXDLMSException, ValueError)):
        secure_clients.SecureGurux(rig.transport(), counter=900).connect()
    renewed = {
        "guek": keys[GlobalKeyType.UNICAST_ENCRYPTION],
        "gak": keys[GlobalKeyType.AUTHENTICATION],
    }
    fresh = Rig(memory=rig.memory)  # the keys have survived
    # a new key, and its numbers begin again
    again = secure_clients.SecureGurux(fresh.transport(), counter=1, **renewed).connect()
    assert again.read(GXDLMSRegister("1.0.1.8.0.255"), 2) == 1725


@pytest.mark.row("SEC-30")
def test_gurux_raises_the_policy_and_cannot_lower_it(rig):
    from gurux_dlms.objects import GXDLMSSecuritySetup

    session = secure_clients.SecureGurux(rig.transport()).connect()
    setup = GXDLMSSecuritySetup("0.0.43.0.0.255")
    assert session.read(setup, 2) == 0
    assert session.read(setup, 3) == 0
    assert bytes(session.read(setup, 5)) == secure_clients.METER_TITLE
    for policy in (1, 3):
        session.call(setup, 1, policy, DataType.ENUM)
        assert session.read(setup, 2) == policy
    for policy in (0, 1, 2, 4):
        with pytest.raises(GXDLMSException):
            session.call(setup, 1, policy, DataType.ENUM)
    assert session.read(setup, 2) == 3
    session.release()
    fresh = Rig(memory=rig.memory)
    for security in (Security.NONE, Security.AUTHENTICATION, Security.ENCRYPTION):
        weak = secure_clients.SecureGurux(fresh.transport(), security=security, counter=500)
        with pytest.raises((GXDLMSException, ValueError)):
            weak.connect()
    with pytest.raises(GXDLMSException):
        clients.Gurux(fresh.transport(), clients.MANAGEMENT, clients.SECRET).connect()
    assert fresh.server.associations() == 0
    strong = secure_clients.SecureGurux(fresh.transport(), counter=900).connect()
    assert strong.read(setup, 2) == 3


@pytest.mark.parametrize("secret", [None, clients.SECRET], ids=["GMAC", "LLS"])
def test_dlms_cosem_reads_under_protection(rig, secret):
    client = secure_clients.secure_dlms_cosem(rig.transport(), secret=secret)
    with client.session():
        rows = utils.parse_as_dlms_data(client.get(clients.attribute(15, "0-0:40.0.0.255", 2)))
        assert len(rows) == rig.catalogue.visible(rig.catalogue.client(1))
        octets = client.get(clients.attribute(3, "1-0:1.8.0.255", 2))
        assert utils.parse_as_dlms_data(octets) == 1725
    assert rig.server.associations() == 0
    assert rig.events == [249]


def test_dlms_cosem_believes_the_meter_after_a_restart(rig):
    # it refuses numbers of the meter that do not rise
    for counter in (1, 100, 200):
        with secure_clients.secure_dlms_cosem(rig.transport(), counter).session() as client:
            client.get(clients.attribute(3, "1-0:1.8.0.255", 2))
            sent = client.dlms_connection.meter_invocation_counter
        rig = Rig(memory=rig.memory)
        assert rig.security.counters.send() > sent


@pytest.mark.row("SEC-09")
@pytest.mark.parametrize("mechanism", [2, 3, 4, 6], ids=["AES", "MD5", "SHA-1", "SHA-256"])
def test_weak_mechanisms_only_when_switched_on(rig, mechanism):
    kinds = {
        2: Authentication.HIGH,
        3: Authentication.HIGH_MD5,
        4: Authentication.HIGH_SHA1,
        6: Authentication.HIGH_SHA256,
    }

    def attempt(secret):
        return secure_clients.SecureGurux(
            rig.transport(),
            authentication=kinds[mechanism],
            secret=secret,
            security=Security.NONE,
        ).connect()

    with pytest.raises(GXDLMSException):
        attempt(clients.SECRET)
    rig.security.set_mechanism(0, mechanism)
    session = attempt(clients.SECRET)
    assert session.read(GXDLMSRegister("1.0.1.8.0.255"), 2) == 1725
    association = GXDLMSAssociationLogicalName("0.0.40.0.0.255")
    session.read(association, 6)
    assert association.authenticationMechanismName.mechanismId == kinds[mechanism]
    session.release()
    with pytest.raises(GXDLMSException):
        attempt(b"12345679")
    assert rig.server.associations() == 0
