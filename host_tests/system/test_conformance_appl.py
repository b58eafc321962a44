"""The application layer's cases of the published abstract test suite, by their names.

Every octet is made by hand (raw_links.py) and every case runs over the TCP wrapper and RS485.
"""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "unit"))

import clients
import raw_links
from cipher_client import METER, Client, element

LN = "a109060760857405080101"
MECHANISM_LLS = "8a0207808b0760857405080201"
PASSWORD = element(0xAC, element(0x80, clients.SECRET)).hex()
INITIATE = "01000000065f1f0400207e5fffff"
NAME = bytes.fromhex("c001c1000100002a0000ff0200")
OBJECT_LIST = bytes.fromhex("c001c1000f0000280000ff0200")
ENERGY = bytes.fromhex("c001c100030100010800ff0200")
RLRQ = bytes.fromhex("6203800100")
NOT_ASSOCIATED = "d80101"
PUBLIC, MANAGEMENT = 16, 1


def user_information(initiate=INITIATE):
    return "be" + element(0, element(0x04, bytes.fromhex(initiate)))[1:].hex()


def aarq(*fields):
    return element(0x60, bytes.fromhex("".join(fields)))


def lls(initiate=INITIATE, *before):
    return aarq(*before, LN, MECHANISM_LLS, PASSWORD, user_information(initiate))


def public(initiate=INITIATE, *before):
    return aarq(*before, LN, user_information(initiate))


class Aare:
    """An AARE taken apart."""

    def __init__(self, octets):
        assert octets[0] == 0x61, octets.hex()
        assert octets[1] == len(octets) - 2
        self.fields = {}
        at = 2
        while at < len(octets):
            size = octets[at + 1]
            self.fields[octets[at]] = octets[at + 2 : at + 2 + size]
            at += 2 + size
        self.context = self.fields[0xA1][-1]
        self.result = self.fields[0xA2][-1]
        self.diagnostic = self.fields[0xA3][-1]
        self.source = self.fields[0xA3][0] & 0x0F
        self.information = self.fields[0xBE][2:]
        assert self.information, "user-information is always there"

    @property
    def granted(self):
        """Conformance, the meter's PDU size, DLMS version."""
        assert self.information[0] == 0x08
        assert self.information[3:7].hex() == "5f1f0400"
        assert self.information[-2:].hex() == "0007"
        size = int.from_bytes(self.information[10:12], "big")
        return int.from_bytes(self.information[7:10], "big"), size, self.information[2]


@pytest.fixture(params=raw_links.LINKS)
def link(request, wired):
    """`link(sap)`: a link of a client, closed after the test."""
    opened = []

    def connect(sap=PUBLIC):
        for one in opened:
            one.close()
        opened[:] = [raw_links.LINKS[request.param](wired, sap)]
        return opened[0]

    yield connect
    for one in opened:
        one.close()


def served(one):
    """The next good requests are answered."""
    answer = Aare(one.ask(public() if one.sap == PUBLIC else lls()))
    assert answer.result == 0
    assert one.ask(NAME)[:6].hex() == "c401c1000910"
    assert one.ask(RLRQ).hex() == "6303800100"


def refused(one, request, diagnostic, source=1):
    answer = Aare(one.ask(request))
    assert (answer.result, answer.source, answer.diagnostic) == (1, source, diagnostic)
    assert one.ask(NAME).hex() == NOT_ASSOCIATED
    served(one)
    return answer


@pytest.mark.parametrize("request_", [NAME, bytes.fromhex("c101c1000100002a0000ff02000900")])
def test_idle_n1_data_before_association(link, request_):
    one = link()
    assert one.ask(request_).hex() == NOT_ASSOCIATED
    served(one)


@pytest.mark.row("SEC-10")
@pytest.mark.parametrize(("sap", "request_"), [(PUBLIC, public()), (MANAGEMENT, lls())])
def test_open_1_declared_parameters(link, sap, request_):
    one = link(sap)
    answer = Aare(one.ask(request_))
    assert (answer.result, answer.diagnostic, answer.context) == (0, 0, 1)
    assert answer.granted == (0x205E5D, 1024, 6)
    assert one.ask(NAME)[:6].hex() == "c401c1000910"


def test_open_3_hls_pass_3_and_4(meter, link):
    one = link(MANAGEMENT)
    client = Client(Rig(one), counter=next_number(meter))
    client.log_in()  # which checks the meter's proof
    assert client.get(ENERGY)[:5].hex() == "c401c10015"
    # a wrong proof opens nothing
    assert client.associate() == (0, 14)
    answer = client.get(client.reply(client.proof(challenge=bytes(16))))
    assert answer.hex() in ("c701c10300", "c701c10d00")
    assert client.get(ENERGY).hex() == NOT_ASSOCIATED
    client.log_in()
    assert client.send(RLRQ).hex() == "6303800101", "without protection it goes on"
    protected = element(0xBE, element(0x04, client.glo_initiate()))
    assert client.send(element(0x62, b"\x80\x01\x00" + protected))[0] == 0x63


@pytest.mark.parametrize(("version", "good"), [("80020780", True), ("80020640", False)])
def test_open_4_protocol_version(link, version, good):
    one = link()
    if good:
        assert Aare(one.ask(public(INITIATE, version))).result == 0
    else:
        refused(one, public(INITIATE, version), 2, 2)


@pytest.mark.row("SEC-10")
@pytest.mark.parametrize("context", ["02", "04", "05", "00", "7f"])
def test_open_5_application_context(link, context):
    """Short names, short names with ciphering, and what is none of the standard's."""
    refused(link(), public().replace(bytes.fromhex(LN), bytes.fromhex(LN[:-2] + context)), 2)


@pytest.mark.parametrize(
    "fields",
    ["a203020101", "a2030201ffa303020102", "a60a04084142434445464748", "a803020100a903020100"],
)
def test_open_6_titles_and_qualifiers(link, fields):
    one = link()
    request = aarq(LN, fields, user_information())
    assert Aare(one.ask(request)).result == 0
    assert one.ask(NAME)[:6].hex() == "c401c1000910"


def test_open_7_authentication_functional_unit(link):
    one = link(MANAGEMENT)
    named = MECHANISM_LLS[8:]
    # not selected: mechanism and password count as not sent, and this client needs them
    refused(one, aarq(LN, "8a020700", named, PASSWORD, user_information()), 12)
    refused(one, aarq(LN, named, PASSWORD, user_information()), 12)
    refused(one, aarq(LN, "8a020780", user_information()), 12)
    answer = Aare(link(PUBLIC).ask(aarq(LN, "8a020700", named, PASSWORD, user_information())))
    assert answer.result == 0


def test_open_9_dedicated_key(link):
    one = link(MANAGEMENT)
    key = "0110" + "000102030405060708090a0b0c0d0e0f"
    answer = Aare(one.ask(lls("01" + key + INITIATE[4:])))
    assert answer.result == 0, "of no use without ciphering, and no fault"
    assert one.ask(ENERGY)[:5].hex() == "c401c10015"


@pytest.mark.parametrize("quality", ["0100", "0101", "01ff"])
def test_open_11_quality_of_service(link, quality):
    one = link()
    answer = Aare(one.ask(public("010000" + quality + INITIATE[8:])))
    assert answer.result == 0
    assert one.ask(NAME)[:6].hex() == "c401c1000910"


def test_open_12_dlms_version(link):
    one = link()
    for version in ("05", "00"):
        answer = refused(one, public(INITIATE[:8] + version + INITIATE[10:]), 1)
        assert answer.information.hex() == "0e010601"
    answer = Aare(one.ask(public(INITIATE[:8] + "07" + INITIATE[10:])))
    assert (answer.result, answer.granted[2]) == (0, 6)


def test_open_13_conformance(link):
    one = link()
    for proposed, granted in (
        ("ffffff", 0x205E5D),
        ("007e1f", 0x005E1D),
        ("001010", 0x001010),
        ("000010", 0x000010),
        ("200010", 0x200010),
    ):
        initiate = INITIATE[:18] + proposed + INITIATE[24:]
        answer = Aare(one.ask(public(initiate)))
        assert (answer.result, answer.granted[0]) == (0, granted)
        # 0-0:40.0.0 attribute 5 says the same
        info = one.ask(bytes.fromhex("c001c1000f0000280000ff0500"))
        assert info[4:11].hex() == f"02060418{granted:06x}"
    answer = refused(one, public(INITIATE[:18] + "000100" + INITIATE[24:]), 1)
    assert answer.information.hex() == "0e010602"


def test_open_14_client_maximum_pdu_size(link):
    one = link()
    for size in (1, 11):
        answer = refused(one, public(INITIATE[:-4] + f"{size:04x}"), 1)
        assert answer.information.hex() == "0e010603"
    for size in (0, 12, 13, 64, 1024, 65535):
        answer = Aare(one.ask(public(INITIATE[:-4] + f"{size:04x}")))
        assert answer.result == 0
        reply = one.ask(NAME)
        assert len(reply) <= (size or 65535)
        assert reply[:2].hex() == ("c401" if size not in (12, 13) else "c402")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("c000" + NAME.hex()[4:], "d80202"),
        ("c004" + NAME.hex()[4:], "d80202"),
        (NAME.hex()[:-2], "d80103"),
        (NAME.hex() + "00", "d80103"),
        (NAME.hex()[:-2] + "02", "d80103"),
        ("c001c1" + "000100002a0000ff09" + "00", "c401c10104"),
        ("c001c1" + "000300002a0000ff02" + "00", "c401c10109"),
        ("c001c1" + "00010000630000ff02" + "00", "c401c10104"),
        ("c0", "d80103"),
        ("", "d80103"),
    ],
)
def test_data_ln_n1_bad_get(link, request_, expected):
    one = link()
    assert Aare(one.ask(public())).result == 0
    assert one.ask(bytes.fromhex(request_)).hex() == expected
    assert one.ask(NAME)[:6].hex() == "c401c1000910"


DEVICE_ID = "00010000600108ff02"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("c101c1" + DEVICE_ID + "00" + "1101", "c501c10c"),
        ("c101c1" + DEVICE_ID + "00" + "0931" + "41" * 49, "c501c1fa"),
        ("c101c1" + DEVICE_ID + "00" + "0905" + "41", "d80103"),
        ("c101c1" + DEVICE_ID + "00", "d80103"),
        ("c101c1" + DEVICE_ID + "00" + "090141" + "00", "d80103"),
        ("c101c1" + DEVICE_ID + "02" + "090141", "d80103"),
        ("c101c1" + "000100002a0000ff02" + "00" + "0900", "c501c103"),
        ("c101c1" + "000300002a0000ff02" + "00" + "0900", "c501c109"),
        ("c101c1" + "00010000630000ff02" + "00" + "0900", "c501c104"),
        ("c103c1" + "01" + "00000001" + "0141", "c503c11200000001"),
        ("c107c1" + DEVICE_ID + "00" + "0900", "d80202"),
    ],
)
def test_data_ln_n3_bad_set(link, request_, expected):
    one = link(MANAGEMENT)
    assert Aare(one.ask(lls())).result == 0
    assert one.ask(bytes.fromhex(request_)).hex() == expected
    assert one.ask(bytes.fromhex("c001c1" + DEVICE_ID + "00"))[:4].hex() == "c401c100"


@pytest.mark.parametrize(
    ("missing", "request_"),
    [
        (0x000010, NAME.hex()),
        (0x000008, "c101c1" + DEVICE_ID + "00" + "090141"),
        (0x000001, "c301c1" + "00080000010000ff06" + "01" + "100000"),
        (0x000200, "c003c101" + NAME.hex()[6:]),
        (0x000800, "c102c1" + DEVICE_ID + "00" + "00" + "00000001" + "0109"),
        (0x001000, "c002c100000001"),
        (0x000400, "c304c1" + "00080000010000ff06" + "00" + "00000001" + "0110"),
        (0x000004, OBJECT_LIST.hex()[:-2] + "010100"),
        (0x000040, "d94000000100" + "01" + "01" + NAME.hex()[6:-2] + "0100"),
        (0x200000, "e0810001000001c0"),
    ],
)
def test_data_ln_n4_service_not_negotiated(link, missing, request_):
    one = link(MANAGEMENT)
    services = f"{0x207E5F & ~missing:06x}"
    assert Aare(one.ask(lls(INITIATE[:18] + services + INITIATE[24:]))).result == 0
    assert one.ask(bytes.fromhex(request_)).hex() == "d80102"
    served(one)


@pytest.mark.parametrize("rlrq", ["6203800100", "6200", "6203800101", "6203800120"])
def test_rel_p1_release(link, rlrq):
    one = link()
    assert one.ask(bytes.fromhex(rlrq)).hex() == "6303800100", "before any association"
    assert Aare(one.ask(public())).result == 0
    assert one.ask(bytes.fromhex(rlrq)).hex() == "6303800100"
    assert one.ask(NAME).hex() == NOT_ASSOCIATED
    assert one.ask(bytes.fromhex(rlrq)).hex() == "6303800100"
    served(one)


class Rig:
    """What Client of the unit tests asks, over a link."""

    def __init__(self, link):
        self.link = link

    def apdu(self, octets, sap, server):
        assert (sap, server) == (self.link.sap, 1)
        return self.link.ask(octets)


def next_number(meter):
    """What the public client reads as the number accepted last, and one more."""
    one = raw_links.WrapperLink(meter, PUBLIC)
    assert Aare(one.ask(public())).result == 0
    value = one.ask(bytes.fromhex("c001c1000100002b0100ff0200"))
    one.close()
    assert value[:5].hex() == "c401c10006"
    return int.from_bytes(value[5:9], "big") + 1


def test_open_1_the_system_title_is_the_factorys(meter, link):
    one = link(MANAGEMENT)
    client = Client(Rig(one), counter=next_number(meter))
    answer = Aare(one.ask(client.aarq()))
    assert answer.fields[0xA4][2:] == METER
