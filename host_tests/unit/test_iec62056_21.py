"""The optical head's session: sign-on, choices, read-out, passwords, commands (IEC 62056-21)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iec_line import PASSWORD, Head, bcc, command, lines, with_parity

from app.axdr import Reader
from app.port_settings import MODE_EITHER, MODE_HDLC
from app.transport import iec_message

IDENTIFICATION = b"/FRS5\\2Ferraris-103\r\n"
BREAK = command(b"B0")
READ_OUT = b"\x06050\r\n"
SEVEN_EVEN = (7, 0)
EIGHT_NONE = (8, None)


@pytest.fixture
def head():
    return Head()


@pytest.mark.row("OPT-04", "OPT-05")
def test_sign_on_is_answered_with_the_identification(head):
    assert head.sign_on() == IDENTIFICATION
    assert head.waited_ms == 200


@pytest.mark.row("OPT-07")
@pytest.mark.parametrize(
    ("address", "answered"),
    [
        (b"", True),
        (b"00000001", True),
        (b"1", True),
        (b"0001", True),
        (b"000000000001", True),
        (b"99999999", False),
        (b"11", False),
        (b"10", False),
        (b"0", False),
        (b"00000000", False),
        (b"?", False),
    ],
)
def test_device_address(head, address, answered):
    assert bool(head.sign_on(address)) == answered


@pytest.mark.parametrize(
    "text", [b"/?!\n", b"/!\r\n", b"/?1\r\n", b"?!\r\n", b"//?\r\n", b"/\r\n"]
)
def test_what_is_no_sign_on_gets_no_answer(head, text):
    assert head.send(text) == b""
    assert head.sign_on() == IDENTIFICATION


def test_sign_on_after_noise_and_wake_up_octets(head):
    assert head.send(bytes(100) + b"x/?/?!\r\n") == IDENTIFICATION


@pytest.mark.row("OPT-11")
def test_a_pause_inside_a_message_spoils_it(head):
    assert head.send(b"/?!", 1500) == b""
    assert head.send(b"\r\n") == IDENTIFICATION
    head = Head()
    assert head.send(b"/?!", 1501) == b""
    assert head.send(b"\r\n") == b""


def test_quick_meter_answers_after_20_ms_and_says_so(head):
    head.settings.set("response_time", 0)
    assert head.sign_on() == b"/FRs5\\2Ferraris-103\r\n"
    assert head.waited_ms == 20


@pytest.mark.row("OPT-09")
def test_data_read_out(head):
    head.sign_on()
    message = head.send(READ_OUT)
    listed = lines(message)
    assert listed[0] == "1-0:0.0.0(00000001)"
    assert "1-0:1.8.0(000001.725*kWh)" in listed
    assert "1-0:6.8.0(5000000.000*kvarh)" in listed
    assert "1-0:16.8.0(-4000000.000*kWh)" in listed
    assert "1-0:1.7.0(0.875*kW)" in listed
    assert "1-0:32.7.0(230.00*V)" in listed
    assert "1-0:31.7.0(5.000*A)" in listed
    assert "1-0:14.7.0(50.000*Hz)" in listed
    assert "1-0:0.9.1(005950)" in listed  # 23:59:50 UTC in Central Europe
    assert "1-0:0.9.2(260201)" in listed
    entries = Reader(head.list)
    assert len(listed) == entries.array()
    assert head.wait(2000) == b"" and head.session.idle


def test_read_out_leaves_in_pieces_of_a_line(head):
    head.sign_on()
    head.session.receive(READ_OUT, head.now_ms)
    longest = 0
    whole = b""
    head.buffer = memoryview(bytearray(4096))
    while True:
        length = head.session.output(head.buffer, head.now_ms)
        if not length:
            break
        longest = max(longest, length)
        whole += bytes(head.buffer[:length])
    assert longest < 60
    lines(whole)


def test_read_out_of_unreadable_and_foreign_objects(head):
    items = ((3, "0100630800ff", 2, 0), (1, "0000600101ff", 2, 0), (8, "0000010000ff", 2, 0))
    head.list = bytes((1, len(items))) + b"".join(
        bytes.fromhex(f"020412{class_id:04x}0906{name}0f{index:02x}12{element:04x}")
        for class_id, name, index, element in items
    )
    head.sign_on()
    assert lines(head.send(READ_OUT)) == [
        "1-0:99.8.0()",
        "0-0:96.1.1()",
        "0-0:1.0.0(260201005950)",
    ]


def test_damaged_read_out_is_asked_for_again(head):
    head.sign_on()
    first = head.send(READ_OUT)
    for _ in range(3):
        assert head.send(b"\x15") == first
    assert head.send(b"\x15") == b""


@pytest.mark.row("OPT-03")
@pytest.mark.parametrize(
    ("proposed", "chosen", "baud_rate"),
    [(5, b"5", 9600), (5, b"0", 300), (5, b"3", 2400), (5, b"6", 300), (9, b"9", 115200)],
)
def test_baud_rate_changes_behind_the_choice(head, proposed, chosen, baud_rate):
    head.settings.set("proposed_baud", proposed)
    assert head.session.line() == (300, *SEVEN_EVEN)
    head.sign_on()
    assert head.session.line() == (300, *SEVEN_EVEN)
    head.session.receive(b"\x060" + chosen + b"1\r", head.now_ms)
    assert head.session.line() == (300, *SEVEN_EVEN)
    head.session.receive(b"\n", head.now_ms)
    assert head.session.line() == (baud_rate, *SEVEN_EVEN)
    assert head.session.changes_first
    head.hear()
    head.send(BREAK)
    assert head.session.line() == (300, *SEVEN_EVEN)


@pytest.mark.row("OPT-06")
@pytest.mark.parametrize(
    "choice", [b"\x06052\r\n", b"\x06151\r\n", b"\x06250\r\n", b"\x0605\r\n", b"\x06053\r\n", b""]
)
def test_choice_not_understood_leads_to_a_read_out_at_the_first_rate(head, choice):
    head.sign_on()
    assert head.send(choice) == b""
    assert head.wait(1400) == b""
    assert lines(head.wait(700))
    assert head.session.line() == (300, *SEVEN_EVEN)


@pytest.mark.row("OPT-11")
def test_two_seconds_of_silence_end_the_choice(head):
    head.sign_on()
    head.wait(2000)
    assert head.send(b"\x06051\r\n") == b""
    assert head.send(b"\x06252\r\n") == b""


@pytest.mark.row("OPT-06")
def test_mode_e_is_confirmed_at_the_old_rate_and_goes_on_in_hdlc(head):
    head.sign_on()
    assert head.session.receive(b"\x06252\r\n~", head.now_ms) == 6
    assert not head.session.hdlc and not head.session.changes_first
    assert head.hear() == b"\x06252\r\n"
    assert head.session.hdlc
    assert head.session.line() == (9600, *EIGHT_NONE)
    head.session.hdlc_ended()
    assert head.session.idle
    assert head.session.line() == (300, *SEVEN_EVEN)


def test_mode_e_without_any_frame_ends(head):
    head.sign_on()
    head.send(b"\x06252\r\n")
    assert head.wait(119_000) == b""
    assert head.session.hdlc
    head.session.hdlc_heard(head.now_ms)
    head.wait(119_000)
    assert head.session.hdlc
    head.wait(2000)
    assert head.session.idle


def test_a_frame_like_a_commands_beginning_spoils_no_sign_on(head):
    """SNRM with parameters: SOH stands in it, and no octet behind that breaks the message off."""
    assert head.send(bytes.fromhex("7ea00a0321930181000101147e")) == b""
    head.session.hdlc_heard(head.now_ms)  # the link has answered
    assert head.sign_on() == IDENTIFICATION


@pytest.mark.row("OPT-10")
def test_parity_comes_and_goes_in_bit_7_or_not_at_all(head):
    assert head.send(with_parity(b"/?!\r\n")) == with_parity(IDENTIFICATION)
    answer = head.send(with_parity(b"\x06051\r\n"))
    assert answer == with_parity(command(b"P0", b"(00000001)"))
    assert head.send(with_parity(command(b"P1", b"(12345678)"))) == b"\x06"
    assert head.send(with_parity(BREAK)) == b""
    assert head.sign_on() == IDENTIFICATION


@pytest.mark.row("OPT-10")
def test_wrong_parity_is_ignored(head):
    sent = with_parity(b"/?!\r\n")
    for at in range(len(sent)):
        spoilt = bytearray(sent)
        spoilt[at] ^= 0x80
        assert head.send(bytes(spoilt)) == b"", at
        head.wait(2000)
    head.programming()
    good = command(b"P1", b"(12345678)")
    spoilt = bytearray(good)
    spoilt[6] ^= 0x80
    assert head.send(bytes(spoilt)) == b""
    assert head.send(good) == b"\x06"


def test_password_request_carries_the_serial_number(head):
    assert head.programming() == command(b"P0", b"(00000001)")


@pytest.mark.parametrize("kind", [b"P1", b"P2"])
def test_right_password_opens_and_wrong_one_breaks_off(head, kind):
    assert head.open(kind=kind) == b"\x06"
    assert head.ask(b"R1", b"1.8.0()") == b"1.8.0(000001.725*kWh)"
    head.send(BREAK)
    assert head.open(b"12345679", kind) == BREAK
    assert head.send(command(b"R1", b"1.8.0()")) == b""
    assert head.session.idle


@pytest.mark.row("FRD-06", "SEC-20")
def test_three_wrong_passwords_lock_the_head_for_a_minute(head):
    told = head.rig.events
    for password in (b"", b"1234567", b"123456789"):
        assert head.open(password) == BREAK
    assert told == [46]
    assert head.open() == BREAK  # the right one does not help now
    head.wait(58_000)
    assert head.open() == BREAK
    head.wait(3_000)
    assert head.open() == b"\x06"
    assert told == [46, 249, 53, 158]
    # the count begins anew with a right password
    for password in (b"1", b"2"):
        head.send(BREAK)
        assert head.open(password) == BREAK
    assert head.open() == b"\x06"


def test_an_empty_password_opens_nothing(head):
    head.settings.passwords = [b"", b"", b""]
    assert head.open(b"") == BREAK
    head.settings.passwords = []
    assert head.open(b"") == BREAK
    assert head.rig.security.lockout.count == 2


def test_nothing_is_read_without_a_password(head):
    head.programming()
    assert head.ask(b"R1", b"1.8.0()") == b"(ER05)"
    assert head.ask(b"W1", b"0-0:96.1.1(X)") == b"(ER05)"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (b"1.8.0()", b"1.8.0(000001.725*kWh)"),
        (b"1.8.0(1)", b"1.8.0(000001.725*kWh)"),
        (b"1-0:1.8.0()", b"1-0:1.8.0(000001.725*kWh)"),
        (b"1-0:1.8.0*255()", b"1-0:1.8.0*255(000001.725*kWh)"),
        (b"0.0.0()", b"0.0.0(00000001)"),
        (b"0-0:96.1.0()", b"0-0:96.1.0(00000001)"),
        (b"0-0:1.0.0()", b"0-0:1.0.0(260201005950)"),
        (b"9.9.9()", b"(ER03)"),
        (b"2-0:1.8.0()", b"(ER03)"),
        (b"0-0:40.0.0()", b"(ER03)"),  # a class without a single value
        (b"1-0:1.8.0*1()", b"(ER03)"),
        (b"300.8.0()", b"(ER03)"),
        (b"1.8()", b"(ER03)"),
        (b"a.b.c()", b"(ER03)"),
        (b"()", b"(ER03)"),
        (b"1.8.0", b"(ER02)"),
        (b"1.8.0(", b"(ER02)"),
        (b"", b"(ER02)"),
    ],
)
def test_reading(head, asked, answer):
    head.open()
    for kind in (b"R1", b"R5"):
        assert head.ask(kind, asked) == answer


def test_reading_in_the_formatted_coding(head):
    head.open()
    assert head.ask(b"R2", b"1.8.0()") == b"1.8.0(1500000000000006bd)"
    assert head.ask(b"W2", b"0-0:96.1.1(0903414243)") == b"\x06"
    assert head.ask(b"R1", b"0-0:96.1.1()") == b"0-0:96.1.1(ABC)"
    assert head.ask(b"W2", b"0-0:96.1.1(0903)") == b"(ER06)"
    assert head.ask(b"W2", b"0-0:96.1.1(xx)") == b"(ER06)"
    assert head.ask(b"W2", b"0-0:96.1.1(1105)") == b"(ER06)"


@pytest.mark.parametrize("kind", [b"W1", b"W5"])
def test_writing(head, kind):
    head.open()
    assert head.ask(kind, b"0-0:96.1.1(UTILITY 7)") == b"\x06"
    assert head.ask(b"R1", b"0-0:96.1.1()") == b"0-0:96.1.1(UTILITY 7)"
    assert head.ask(kind, b"0-0:1.0.0(260203040506)") == b"\x06"
    assert head.ask(b"R1", b"0-0:1.0.0()") == b"0-0:1.0.0(260203040506)"
    assert head.ask(kind, b"0-0:1.0.0(260230040506)") == b"(ER06)"
    assert head.ask(kind, b"0-0:1.0.0(yesterday)") == b"(ER06)"
    assert head.ask(kind, b"0-0:96.1.1(" + b"x" * 49 + b")") == b"(ER06)"
    assert head.ask(kind, b"1.8.0(0)") == b"(ER04)"
    assert head.ask(kind, b"0-0:96.1.0(00000002)") == b"(ER04)"
    assert head.ask(kind, b"0-0:42.0.0(FRS)") == b"(ER04)"
    assert head.ask(kind, b"0-0:250.0.0(1)") == b"(ER03)"


def test_w5_needs_its_own_password(head):
    head.settings.set_password(2, b"other")
    head.open()
    assert head.ask(b"W5", b"0-0:96.1.1(X)") == b"(ER04)"
    assert head.ask(b"W1", b"0-0:96.1.1(X)") == b"\x06"
    head.settings.set_password(0, b"other")
    head.settings.set_password(1, b"other")
    head.send(BREAK)
    head.open(b"other")
    assert head.ask(b"W5", b"0-0:96.1.1(Y)") == b"\x06"


def test_storing_that_fails_is_told(head):
    head.open()
    head.rig.memory.dead = True
    assert head.ask(b"W1", b"0-0:96.1.1(X)") == b"(ER07)"


@pytest.mark.parametrize("kind", [b"R0", b"R9", b"E2", b"X1", b"P3", b"W6", b"P0"])
def test_unknown_commands(head, kind):
    head.open()
    assert head.ask(kind, b"1.8.0()") == b"(ER01)"


def test_wrong_block_check_is_asked_for_again(head):
    head.open()
    good = command(b"R1", b"1.8.0()")
    assert head.send(good[:-1] + bytes([good[-1] ^ 1])) == b"\x15"
    answer = head.send(good)
    assert answer == b"\x02" + b"1.8.0(000001.725*kWh)\x03" + bcc(b"1.8.0(000001.725*kWh)\x03")
    assert head.send(b"\x15") == answer


def test_programming_mode_ends_after_a_minute_of_silence(head):
    head.open()
    head.wait(59_000)
    assert head.ask(b"R1", b"1.8.0()") == b"1.8.0(000001.725*kWh)"
    head.wait(61_000)
    assert head.session.idle
    assert head.send(command(b"R1", b"1.8.0()")) == b""
    assert head.session.line() == (300, *SEVEN_EVEN)


def test_longest_message_fits_and_a_longer_one_vanishes(head):
    head.open()
    limit = iec_message.MESSAGE_MAX - len(command(b"R1", b"()")) + 1
    assert head.ask(b"R1", b"x" * limit + b"()") == b"(ER03)"
    assert head.send(command(b"R1", b"x" * (limit + 1) + b"()")) == b""
    assert head.ask(b"R1", b"1.8.0()") == b"1.8.0(000001.725*kWh)"


def test_default_mode_decides_how_the_line_rests(head):
    head.settings.set("default_mode", MODE_HDLC)
    assert head.session.line() == (9600, *EIGHT_NONE)
    assert head.sign_on() == b""
    head.settings.set("default_mode", MODE_EITHER)
    head.settings.set("proposed_baud", 7)
    assert head.session.line() == (38400, *EIGHT_NONE)
    assert head.sign_on() == b"/FRS7\\2Ferraris-103\r\n"


def test_single_octets_and_one_segment_are_the_same(head):
    talk = b"/?!\r\n\x06051\r\n" + command(b"P1", b"(" + PASSWORD + b")")
    talk += command(b"R1", b"1.8.0()") + BREAK
    whole = head.send(talk)
    assert whole.endswith(b"kWh)\x03" + bcc(b"1.8.0(000001.725*kWh)\x03"))
    assert Head().send(talk, 1) == whole


@given(st.binary(max_size=200), st.sampled_from([b"", b"/?!\r\n", b"\x06051\r\n"]))
def test_no_octets_break_the_session(octets, before):
    head = _random_head()
    if before[:1] == b"\x06":
        head.sign_on()
    head.send(before)
    head.send(octets)
    head.session.lost()
    head.now_ms += 5000
    assert head.sign_on() == IDENTIFICATION
    head.session.lost()


_shared = []


def _random_head():
    if not _shared:
        _shared.append(Head())
    return _shared[0]
