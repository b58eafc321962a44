"""Security suite 1 on the running meter: gurux-dlms brings certificates and logs in by ECDSA.

Over every way in, and while the meter measures on.
"""

import threading

import certificates
import clients
import pytest
import secure_clients
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from gurux_dlms import GXDLMSException
from gurux_dlms.ecdsa import GXPrivateKey, GXPublicKey
from gurux_dlms.enums import Authentication, DataType, Security
from gurux_dlms.objects import GXDLMSData, GXDLMSRegister, GXDLMSSecuritySetup
from gurux_dlms.objects.enums import SecuritySuite
from secure_clients import METER_TITLE, TITLE
from secure_lines import Line

ROUTES = ("wrapper", "rs485", "mode E")


def with_suite_1(session):
    session.client.ciphering.securitySuite = SecuritySuite.SUITE_1
    return session


class Enrolled:
    """A meter whose management has put suite 1 to use, and the client's key."""

    def __init__(self, meter):
        self.meter = meter
        self.signing = ec.generate_private_key(ec.SECP256R1())
        authority = certificates.Authority()
        line = Line(meter, "wrapper")
        session = line.gurux().connect()
        profile = GXDLMSData("0.0.128.40.12.255")
        profile.value = 2
        profile.setDataType(2, DataType.UINT8)
        session.write(profile, 2)
        line.close()
        line = Line(meter, "wrapper")
        session = with_suite_1(line.gurux()).connect()
        setup = GXDLMSSecuritySetup("0.0.43.0.0.255")
        assert session.read(setup, 3) == 1
        public = self.signing.public_key()
        certificate = authority.sign(TITLE, public, certificates.SIGNATURE)
        self.bring(session, setup, authority.certificate)
        self.bring(session, setup, certificate)
        session.exchange(setup.generateKeyPair(session.client, 0))
        reply = session.exchange(setup.generateCertificate(session.client, 0))
        request = x509.load_der_x509_csr(bytes(reply.value))
        assert request.is_signature_valid
        self.public = request.public_key()
        own = authority.sign(METER_TITLE, self.public, certificates.SIGNATURE)
        self.bring(session, setup, own)
        session.read(setup, 6)
        found = {(one.entity, one.type_) for one in setup.certificates}
        assert found == {(2, 0), (1, 0), (0, 0)}
        line.close()

    def bring(self, session, setup, certificate):
        value = bytearray(certificate)
        session.exchange(session.client.method(setup, 6, value, DataType.OCTET_STRING))

    def session(self, line, key=None, public=None):
        session = with_suite_1(line.gurux(authentication=Authentication.HIGH_ECDSA))
        number = (key or self.signing).private_numbers().private_value
        raw = b"\x04" + certificates.raw(public or self.public)
        session.client.ciphering.signingKeyPair = (
            GXPublicKey.fromRawBytes(bytearray(raw)),
            GXPrivateKey.fromRawBytes(bytearray(number.to_bytes(32, "big"))),
        )
        return session


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory):
    from conftest import LAUNCHER, VirtualMeter

    if not LAUNCHER.exists():
        pytest.skip("run `make setup` first")
    meter = VirtualMeter(tmp_path_factory.mktemp("suite1") / "state").start()
    yield Enrolled(meter)
    assert meter.stop() == 0
    assert not [text for text in meter.lines if "Traceback" in text or "problem" in text]


@pytest.mark.parametrize("route", ROUTES)
def test_gurux_logs_in_by_ecdsa(enrolled, route):
    line = Line(enrolled.meter, route)
    session = enrolled.session(line).connect()
    energy = GXDLMSRegister("1.0.1.8.0.255")
    assert session.read(energy, 2) >= 0
    session.release()
    line.close()


@pytest.mark.parametrize("security", [Security.AUTHENTICATION, Security.ENCRYPTION])
def test_gurux_reads_at_the_other_levels(enrolled, security):
    line = Line(enrolled.meter, "wrapper")
    session = enrolled.session(line)
    session.client.ciphering.security = security
    session.connect()
    assert session.read(GXDLMSRegister("1.0.14.7.0.255"), 2) is not None
    line.close()


def test_another_key_opens_nothing(enrolled):
    line = Line(enrolled.meter, "wrapper")
    stranger = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises((GXDLMSException, ValueError)):
        enrolled.session(line, key=stranger).connect()
    line.close()
    line = Line(enrolled.meter, "wrapper")
    enrolled.session(line).connect()
    line.close()


def test_the_meter_measures_on_and_answers_others_meanwhile(enrolled):
    """Signatures on one link, reading on another: no frame of the converter is lost."""
    meter = enrolled.meter
    before = meter.get("/api/health")
    stop = threading.Event()
    read = []

    def reader():
        other = clients.Socket(meter.ports["rs485"])
        public = clients.Gurux(other, clients.PUBLIC, hdlc=True).connect()
        while not stop.is_set():
            read.append(public.read(GXDLMSData("0.0.43.1.0.255"), 2))
        other.close()

    thread = threading.Thread(target=reader)
    thread.start()
    logged_in = 0
    try:
        # each of the two goes on until the other has come to something
        while logged_in < 5 or (len(read) <= 5 and thread.is_alive()):
            line = Line(meter, "wrapper")
            enrolled.session(line).connect().release()
            line.close()
            logged_in += 1
    finally:
        stop.set()
        thread.join()
    after = meter.get("/api/health")
    assert len(read) > 5
    assert read == sorted(read)
    assert after["frames_lost"] == before["frames_lost"] == 0
    assert after["frames_taken"] > before["frames_taken"]


def test_keys_and_certificates_stay_and_do_not_show(enrolled):
    """After a power cut the same certificates serve; no chip holds a key of the meter."""
    meter = enrolled.meter
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=2)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=2)
    line = Line(meter, "wrapper")
    session = enrolled.session(line).connect()
    assert session.read(GXDLMSSecuritySetup("0.0.43.0.0.255"), 3) == 1
    line.close()
    factory = (secure_clients.GUEK, secure_clients.GAK, secure_clients.KEK, secure_clients.GBEK)
    for chip in meter.state.iterdir():
        octets = chip.read_bytes()
        for key in factory:
            assert key not in octets, chip.name
