"""How tools sign on at an optical head that does not hear everything (IEC 62056-21, 6)."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("gurux_dlms")
sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))

from meter_link import LinkError, sign_on, with_parity

REQUEST = with_parity(b"/?!\r\n")
IDENTIFICATION = b"/FRS5\\2Ferraris-103\r\n"


class Head:
    """A wire to a head that is deaf to the first requests; `echoes`: it hears itself."""

    name = "head"
    hdlc = True

    def __init__(self, deaf, echoes=False, confirms=True):
        self.deaf = deaf
        self.echoes = echoes
        self.confirms = confirms
        self.requests = 0
        self.baud = 300
        self.answers = []

    def send(self, octets):
        if self.echoes:
            self.answers.append(octets)
        if octets == REQUEST:
            self.requests += 1
            if self.requests > self.deaf:
                self.answers += [with_parity(IDENTIFICATION[:5]), with_parity(IDENTIFICATION[5:])]
        elif self.confirms:
            assert bytes(octet & 0x7F for octet in octets) == b"\x06252\r\n"
            self.answers.append(with_parity(b"\x06252\r\n"))

    def receive(self):
        if not self.answers:
            raise TimeoutError("no answer at 300 baud")
        return self.answers.pop(0)

    def to_hdlc(self, baud):
        self.baud = baud


@pytest.mark.parametrize("deaf", [0, 1, 2])
def test_a_head_that_does_not_hear_at_once_is_asked_again(deaf):
    head = Head(deaf)
    sign_on(head)
    assert (head.requests, head.baud) == (deaf + 1, 9600)


@pytest.mark.parametrize("deaf", [0, 1])
def test_a_head_may_hear_itself(deaf):
    head = Head(deaf, echoes=True, confirms=False)  # the echo is what confirms it
    sign_on(head)
    assert (head.requests, head.baud) == (deaf + 1, 9600)


def test_a_head_that_never_answers_is_given_up():
    head = Head(99)
    with pytest.raises(LinkError, match=r"^head: no answer at 300 baud$"):
        sign_on(head)
    assert (head.requests, head.baud) == (3, 300)


def test_who_does_not_confirm_is_not_asked_from_the_start():
    head = Head(0, confirms=False)
    with pytest.raises(LinkError, match="no answer at 300 baud"):
        sign_on(head)
    assert head.requests == 1, "it may be reading out by now"
