"""Who may write through the optical head: the password and one of four keys (row OPT-08)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from iec_line import PASSWORD, Head, command

BREAK = command(b"B0")
KEYS = b"11111111,22222222,33333333,44444444"
WRITE = b"0-0:96.1.1(Cellar)"


@pytest.fixture
def head():
    head = Head()
    head.settings.set_password(1, KEYS)
    return head


def give(head, kind, secret):
    return head.send(command(kind, b"(" + secret + b")"))


@pytest.mark.row("OPT-08")
@pytest.mark.parametrize("key", KEYS.split(b","))
def test_writing_needs_the_password_and_one_of_the_keys(head, key):
    assert head.open() == b"\x06"
    assert head.ask(b"R1", b"0-0:96.1.1()") == b"0-0:96.1.1()"
    assert head.ask(b"W1", WRITE) == b"(ER05)"
    assert give(head, b"P2", key) == b"\x06"
    assert head.ask(b"W1", WRITE) == b"\x06"
    assert head.ask(b"R1", b"0-0:96.1.1()") == WRITE
    # in the other order too, and anew in every session
    head.send(BREAK)
    assert head.open(key, b"P2") == b"\x06"
    assert head.ask(b"W1", WRITE) == b"(ER05)"
    assert give(head, b"P1", PASSWORD) == b"\x06"
    assert head.ask(b"W1", WRITE) == b"\x06"


@pytest.mark.row("OPT-08")
@pytest.mark.parametrize(
    "key", [b"55555555", b"11111111,22222222", KEYS, b"", b",", b"1111111", PASSWORD]
)
def test_a_wrong_key_breaks_off(head, key):
    assert head.open() == b"\x06"
    assert give(head, b"P2", key) == (b"\x06" if key == KEYS else BREAK)
    if key != KEYS:
        assert head.session.idle
        assert head.send(command(b"W1", WRITE)) == b""
        assert head.open() == b"\x06"
        assert head.ask(b"W1", WRITE) == b"(ER05)"


def test_wrong_keys_lock_the_head_like_wrong_passwords(head):
    for _ in range(3):
        assert head.open(b"55555555", b"P2") == BREAK
    assert head.open() == BREAK
    head.wait(61_000)
    assert head.open() == b"\x06"


def test_a_new_meters_one_password_is_both():
    head = Head()
    head.open()
    assert head.ask(b"W1", WRITE) == b"\x06"


def test_partial_block_commands_carry_whole_values():
    head = Head()
    head.open()
    assert head.ask(b"W3", WRITE) == b"\x06"
    assert head.ask(b"R3", b"0-0:96.1.1()") == WRITE
    assert head.ask(b"R4", b"0-0:96.1.1()") == b"0-0:96.1.1(090643656c6c6172)"
    assert head.ask(b"W4", b"0-0:96.1.1(090141)") == b"\x06"
    assert head.ask(b"R3", b"0-0:96.1.1()") == b"0-0:96.1.1(A)"
    assert head.ask(b"R3", b"1.8.0()") == b"1.8.0(000001.725*kWh)"
    assert head.ask(b"W4", b"0-0:96.1.1(0905)") == b"(ER06)"
