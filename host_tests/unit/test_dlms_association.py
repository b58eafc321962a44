"""Who is let in and how the others are told, by the cases of the published conformance suites
(names APPL_OPEN_n, APPL_IDLE_N1, APPL_REL_P1) and the examples of the Green Book, chapter 11."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import AARQ_LLS, AARQ_PUBLIC, Rig

CLOCK = "c001c100080000010000ff0200"
ENERGY = "c001c100030100010800ff0200"
NOT_ASSOCIATED = "d80101"
INITIATE = "01000000065f1f0400007e1fffff"
LN = "a109060760857405080101"
GRANTED = "be10040e0800065f1f0400005e1d04000007"
OFFERED = "be10040e0800065f1f0400205e5d04000007"  # to whom is refused


@pytest.fixture
def rig():
    return Rig()


def aarq(*fields):
    body = bytes.fromhex("".join(fields))
    return bytes((0x60, len(body))) + body


def user_information(initiate=INITIATE):
    octets = bytes.fromhex(initiate)
    return f"be{len(octets) + 2:02x}04{len(octets):02x}{initiate}"


def lls(secret=b"12345678", mechanism=1, requirements="8a020780"):
    return (
        f"{requirements}8b07608574050802{mechanism:02x}"
        f"ac{len(secret) + 2:02x}80{len(secret):02x}{secret.hex()}"
    )


def refused(answer, diagnostic, source=1):
    """Check an AARE that refuses; return its user information."""
    assert answer[0] == 0x61
    assert answer[1] == len(answer) - 2
    assert answer[2:13].hex() == LN
    assert answer[13:18].hex() == "a203020101", "rejected-permanent"
    assert answer[18:25].hex() == f"a305a{source}030201{diagnostic:02x}"
    return answer[25:].hex()


def test_open_1_the_green_books_aarq_without_security(rig):
    # Green Book 11.2, AARQ without security and its AARE
    answer = rig.apdu("601da109060760857405080101be10040e01000000065f1f0400007e1f04b0", sap=16)
    assert answer.hex() == "6129" + LN + "a203020100" + "a305a103020100" + GRANTED
    assert rig.apdu(CLOCK, sap=16)[3] == 0


def test_open_1_the_green_books_aarq_with_lls(rig):
    # Green Book 11.3, low level security with the secret 12345678
    answer = rig.apdu(
        "6036a1090607608574050801018a0207808b0760857405080201"
        "ac0a80083132333435363738be10040e01000000065f1f0400007e1f04b0"
    )
    assert answer.hex() == "6129" + LN + "a203020100" + "a305a103020100" + GRANTED
    assert rig.apdu(ENERGY)[3] == 0


@pytest.mark.parametrize(
    "secret", [b"12345679", b"1234567", b"123456789", b"", b"1234567812345678", b"\x00" * 8]
)
def test_a_wrong_password_is_told_as_such(rig, secret):
    answer = rig.apdu(aarq(LN, lls(secret), user_information()))
    assert refused(answer, 13) == OFFERED
    assert rig.apdu(ENERGY).hex() == NOT_ASSOCIATED
    assert rig.apdu(AARQ_LLS)[17] == 0


def test_the_management_client_needs_its_password(rig):
    assert refused(rig.apdu(AARQ_PUBLIC, sap=1), 12) == OFFERED
    assert refused(rig.apdu(aarq(LN, "8a020780", user_information())), 12) == OFFERED


@pytest.mark.parametrize("mechanism", [2, 3, 4, 6, 7, 9])
def test_mechanisms_that_are_not_there(rig, mechanism):
    answer = rig.apdu(aarq(LN, lls(b"12345678", mechanism), user_information()))
    assert refused(answer, 11) == OFFERED


def test_a_password_does_not_lift_the_public_client(rig):
    assert refused(rig.apdu(AARQ_LLS, sap=16), 11) == OFFERED


@pytest.mark.parametrize("sap", [0, 2, 15, 17, 33, 47, 65, 101, 0xFFFF])
def test_unknown_clients_are_not_let_in(rig, sap):
    assert refused(rig.apdu(AARQ_LLS, sap=sap), 3) == OFFERED
    assert rig.apdu(CLOCK, sap=sap).hex() == NOT_ASSOCIATED


def test_open_4_protocol_version(rig):
    assert rig.apdu(aarq("80020780", LN, lls(), user_information()))[17] == 0
    assert refused(rig.apdu(aarq("80020640", LN, lls(), user_information())), 2, 2) == OFFERED


@pytest.mark.row("SEC-10")
@pytest.mark.parametrize("context", ["02", "04", "05", "00"])
def test_open_5_other_application_contexts(rig, context):
    name = "a1090607608574050801" + context
    assert refused(rig.apdu(aarq(name, lls(), user_information())), 2) == OFFERED
    foreign = "a10906072a864886f70d01"
    assert refused(rig.apdu(aarq(foreign, lls(), user_information())), 2) == OFFERED
    assert refused(rig.apdu(aarq(lls(), user_information())), 2) == OFFERED


def test_open_6_titles_and_qualifiers_are_passed_over(rig):
    titles = "a203040101" + "a303020101" + "a60a0408" + "4652530000000001" + "a703020101"
    titles += "a803020101" + "a903020101"
    assert rig.apdu(aarq(LN, titles, lls(), "bd03040101", user_information()))[17] == 0


def test_open_7_without_the_authentication_unit_its_fields_do_not_count(rig):
    for requirements in ("", "8a020700"):
        fields = lls(requirements=requirements)
        assert refused(rig.apdu(aarq(LN, fields, user_information())), 12) == OFFERED
        assert rig.apdu(aarq(LN, fields, user_information()), sap=16)[17] == 0


def test_open_9_a_dedicated_key_is_of_no_use_here(rig):
    initiate = "0101" + "10" + "00" * 16 + "0000065f1f0400007e1fffff"
    assert rig.apdu(aarq(LN, lls(), user_information(initiate)))[17] == 0


def test_open_11_quality_of_service_and_response_allowed(rig):
    initiate = "0100" + "0101" + "0100" + "065f1f0400007e1fffff"
    assert rig.apdu(aarq(LN, lls(), user_information(initiate)))[17] == 0


@pytest.mark.parametrize("version", [0, 4, 5])
def test_open_12_an_older_dlms_version_is_refused(rig, version):
    initiate = INITIATE.replace("065f1f", f"{version:02x}5f1f")
    answer = rig.apdu(aarq(LN, lls(), user_information(initiate)))
    assert refused(answer, 1) == "be0604040e010601"


def test_open_12_a_newer_dlms_version_is_taken_as_six(rig):
    answer = rig.apdu(aarq(LN, lls(), user_information(INITIATE.replace("065f1f", "075f1f"))))
    assert answer.hex().endswith(GRANTED)


@pytest.mark.parametrize(
    ("proposed", "granted"),
    [("007e1f", "005e1d"), ("ffffff", "205e5d"), ("000010", "000010"), ("401e18", "001e18")],
)
def test_open_13_conformance_is_what_both_offer(rig, proposed, granted):
    initiate = INITIATE.replace("007e1f", proposed)
    answer = rig.apdu(aarq(LN, lls(), user_information(initiate)))
    assert answer.hex().endswith(f"5f1f0400{granted}04000007")


@pytest.mark.parametrize("proposed", ["000000", "001e00", "180000", "000006"])
def test_open_13_nothing_in_common(rig, proposed):
    initiate = INITIATE.replace("007e1f", proposed)
    answer = rig.apdu(aarq(LN, lls(), user_information(initiate)))
    assert refused(answer, 1) == "be0604040e010602"


def test_open_13_conformance_under_its_short_tag(rig):
    initiate = INITIATE.replace("5f1f04", "5f04")
    assert rig.apdu(aarq(LN, lls(), user_information(initiate)))[17] == 0


@pytest.mark.parametrize("size", [1, 11])
def test_open_14_a_pdu_of_eleven_octets_is_too_short(rig, size):
    initiate = INITIATE[:-4] + f"{size:04x}"
    answer = rig.apdu(aarq(LN, lls(), user_information(initiate)))
    assert refused(answer, 1) == "be0604040e010603"


@pytest.mark.parametrize(("size", "used"), [(12, 12), (500, 500), (1024, 1024), (0, 1024)])
def test_open_14_the_clients_pdu_size_bounds_answers(rig, size, used):
    initiate = INITIATE[:-4] + f"{size:04x}"
    assert rig.apdu(aarq(LN, lls(), user_information(initiate)))[17] == 0
    assert rig.channel.association.send_size == used
    assert 0 < used - len(rig.apdu("c001c1000f0000280000ff0200")) + 1 <= 3 or used == 12


@pytest.mark.parametrize(
    "initiate",
    ["", "02", "01", "0102", INITIATE[:-2], INITIATE + "00", "2100", INITIATE.replace("5f", "5e")],
)
def test_a_bad_initiate_is_blamed_in_the_user_information(rig, initiate):
    answer = rig.apdu(aarq(LN, lls(), user_information(initiate)))
    assert refused(answer, 1) == "be0604040e010600"


def test_an_aarq_without_initiate_is_refused(rig):
    assert refused(rig.apdu(aarq(LN, lls())), 1) == "be0604040e010600"


def test_idle_n1_no_service_before_the_association(rig):
    for request in (CLOCK, "c101c100080000010000ff03001000 00", "c301c100080000010000ff03010f00"):
        assert rig.apdu(request).hex() == NOT_ASSOCIATED


@pytest.mark.row("SEC-10")
@pytest.mark.parametrize("tag", ["c8", "cb", "d0", "db", "dd", "0f", "05", "06", "61", "ff"])
def test_unknown_apdus(rig, tag):
    protected = tag in ("c8", "cb", "d0", "db", "dd")
    before = NOT_ASSOCIATED if protected else "d80202"
    assert rig.apdu(tag + "0a300000000001").hex() == before
    rig.associate()
    assert rig.apdu(tag + "0a300000000001").hex() == "d80202"
    assert rig.apdu(ENERGY)[3] == 0


def test_an_exception_is_not_answered_by_an_exception(rig):
    assert rig.apdu("d80101") == b""


def test_an_apdu_of_no_octets_or_one_is_answered(rig):
    assert rig.apdu("").hex() == "d80103"
    assert rig.apdu("c0").hex() == NOT_ASSOCIATED
    rig.associate()
    for octets in ("", "c0", "c1", "c3", "c001"):
        assert rig.apdu(octets).hex() == "d80103", octets
    assert rig.apdu("", server=0x7F) == b""
    assert rig.apdu("", server=2) == b""
    assert rig.apdu(ENERGY)[3] == 0


@pytest.mark.parametrize(
    "rlrq", ["6203800100", "6200", "6203800101", "6215800100be10040e" + INITIATE]
)
def test_rel_p1_released_in_every_state(rig, rlrq):
    assert rig.apdu(rlrq).hex() == "6303800100"
    rig.associate()
    assert rig.apdu(ENERGY)[3] == 0
    assert rig.apdu(rlrq).hex() == "6303800100"
    assert rig.apdu(ENERGY).hex() == NOT_ASSOCIATED
    assert rig.apdu(rlrq).hex() == "6303800100"
    assert rig.server.associations() == 0


def test_another_client_takes_over_on_the_same_link(rig):
    """Read the counter as public client, then come as management without a release."""
    assert rig.apdu(AARQ_PUBLIC, sap=16)[17] == 0
    assert rig.apdu("c001c1000100002b0100ff0200", sap=16).hex() == "c401c1000600000000"
    assert rig.apdu(AARQ_LLS)[17] == 0
    assert rig.apdu(ENERGY)[3] == 0
    assert rig.apdu(CLOCK, sap=16).hex() == NOT_ASSOCIATED
    assert rig.server.associations() == 1


def test_a_refused_aarq_ends_the_old_association(rig):
    rig.associate()
    rig.apdu(aarq(LN, lls(b"wrong567"), user_information()))
    assert rig.apdu(ENERGY).hex() == NOT_ASSOCIATED
    assert rig.server.associations() == 0


def test_an_aarq_that_cannot_be_read_changes_nothing(rig):
    rig.associate()
    for octets in (AARQ_LLS[:-1], AARQ_LLS + b"\x00", b"\x60", b"\x60\x00", b"\x60\x80"):
        if octets == b"\x60\x00":
            continue  # an empty AARQ is readable: it lacks the context
        assert refused(rig.apdu(octets), 1, 2) == "be0604040e010600"
        assert rig.apdu(ENERGY)[3] == 0


def test_a_lost_link_ends_the_association(rig):
    rig.associate()
    assert rig.server.associations() == 1
    rig.channel.lost()
    assert rig.server.associations() == 0
    assert rig.apdu(ENERGY).hex() == NOT_ASSOCIATED
    rig.channel.lost()
    assert rig.server.associations() == 0


def test_channels_are_apart(rig):
    """Several clients on several links at a time, each with its own association."""
    rig.associate()
    second = rig.server.open_channel(1024)
    reply = bytearray(1024)
    assert second.request(1, 1, bytes.fromhex(ENERGY), reply, 0) == 3
    assert second.request(16, 1, AARQ_PUBLIC, reply, 0) == 43
    assert rig.server.associations() == 2
    second.lost()
    assert rig.apdu(ENERGY)[3] == 0


def test_other_logical_devices_are_silent(rig):
    for server in (0, 2, 16):
        assert rig.apdu(AARQ_LLS, server=server) == b""
    for server in (0x7F, 0x3FFF):
        assert rig.apdu(AARQ_LLS, server=server)[17] == 0


def test_a_request_longer_than_the_servers_pdu(rig):
    rig.associate()
    assert rig.apdu(bytes.fromhex(ENERGY) + bytes(1024)).hex() == "d80104"


def test_an_empty_secret_opens_nothing(rig):
    rig.settings.put("lls", b"")
    assert refused(rig.apdu(aarq(LN, lls(b""), user_information())), 13) == OFFERED
