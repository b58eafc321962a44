"""A method that takes long: its answer comes in steps, on every link, protected or not."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import hdlc_line
from cipher_client import Client, element
from dlms_rig import Rig

from app.cosem import access
from app.cosem.base import EXECUTE, InterfaceClass
from app.dlms.server import WORKING
from app.port_settings import HdlcSettings
from app.transport import hdlc, patient_link
from app.transport.wrapper import WrapperLink

SLOW = bytes.fromhex("c301c1") + bytes.fromhex("2000 0000800900ff 01 00")
STEPS = 5


class Slow(InterfaceClass):
    CLASS_ID = 0x2000
    METHODS = (EXECUTE,)
    value = b"\x09\x03abc"
    error: Exception | None = None
    steps = 0

    def act(self, reader, key, index, session):
        reader.skip()
        return self.work()

    def work(self):
        for _ in range(STEPS):
            self.steps += 1
            yield
        if self.error is not None:
            raise self.error
        return self.value


@pytest.fixture
def rig():
    rig = Rig()
    rig.slow = Slow()
    rig.catalogue.add((0, 0, 128, 9, 0), rig.slow, None, access.SETTINGS)
    return rig


def answer(rig, octets, sap=1):
    """The answer, and how many steps it took."""
    length = rig.channel.request(sap, 1, memoryview(octets), rig.reply, rig.now_ms)
    steps = 0
    while length == WORKING:
        steps += 1
        length = rig.channel.proceed(rig.reply)
    return bytes(rig.reply[:length]), steps


def test_the_answer_comes_after_the_last_step(rig):
    rig.associate()
    assert answer(rig, SLOW) == (bytes.fromhex("c701c1000100 0903 616263"), STEPS + 1)
    rig.slow.value = None
    assert answer(rig, SLOW)[0].hex() == "c701c10000"
    rig.slow.error = ValueError("out of range")
    assert answer(rig, SLOW)[0].hex() == "c701c1fa00"
    rig.slow.error = ZeroDivisionError()
    rig.server.on_defect = lambda _error: None
    assert answer(rig, SLOW)[0].hex() == "d80101"
    assert rig.server.defects == 1
    # without somebody who waits for it, it is done all the same
    rig.slow.error = None
    rig.slow.steps = 0
    assert answer(rig, SLOW[:2] + b"\x81" + SLOW[3:]) == (b"", STEPS + 1)
    assert rig.slow.steps == STEPS
    assert rig.channel.proceed(rig.reply) == 0


def test_the_answer_is_protected_as_the_request_was(rig):
    client = Client(rig).log_in()
    protected, _ = answer(rig, client.glo(SLOW))
    assert protected[0] == 0xCF
    assert client.unprotect(protected[2:]).hex() == "c701c10001000903616263"


def test_in_a_list_it_is_refused(rig):
    rig.associate()
    listed = bytes.fromhex("c303c101") + SLOW[3:12] + b"\x01\x00"
    assert answer(rig, listed)[0].hex() == "c703c1010d00"
    assert answer(rig, SLOW)[1] == STEPS + 1


def test_an_answer_too_long_for_the_client_goes_in_blocks_or_is_told(rig):
    value = rig.slow.value = element(9, bytes(range(100)))
    rig.associate(pdu_size=64)
    joined = b""
    reply = answer(rig, SLOW)[0]
    while True:
        assert reply[:3].hex() == "c702c1"
        joined += reply[9:]
        if reply[3]:
            break
        reply = rig.apdu(b"\xc3\x02\xc1" + reply[4:8])
    assert joined == value
    assert rig.apdu("c302c100000001").hex() == "c701c11000"  # no long transfer in progress
    rig.associate(pdu_size=64, services=0x001A1F)
    assert answer(rig, SLOW)[0].hex() == "d80104"


def test_a_link_that_goes_ends_the_work(rig):
    rig.associate()
    assert rig.channel.request(1, 1, memoryview(SLOW), rig.reply, 0) == WORKING
    rig.channel.lost()
    assert rig.channel.proceed(rig.reply) == 0
    assert rig.slow.steps == 0
    rig.associate()
    assert answer(rig, SLOW)[1] == STEPS + 1


def test_a_wrapper_link_takes_nothing_meanwhile(rig):
    rig.associate()
    link = WrapperLink(rig.channel, rig.max_pdu, 0)
    frame = bytes.fromhex("000100010001") + len(SLOW).to_bytes(2, "big") + SLOW
    buffer = memoryview(bytearray(256))
    assert link.receive(frame + frame, 0) == len(frame)
    assert link.working
    assert link.output(buffer) == 0
    assert link.receive(frame, 0) == 0
    other = asyncio.run(finish_beside_another(link, buffer))
    assert bytes(buffer[:19]).hex() == "000100010001000b" + "c701c10001000903616263"
    assert other >= STEPS
    assert link.receive(frame, 0) == len(frame)
    link.lost()
    assert not link.working


async def finish_beside_another(link, buffer):
    """Finish, and tell how often another task had its turn meanwhile."""
    turns = 0

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    length = await patient_link.finish(link, buffer)
    other.cancel()
    assert length == 19
    return turns


@pytest.mark.parametrize("control", [0x10, hdlc_line.UI])
def test_an_hdlc_link_holds_its_answer_back(rig, control):
    """Information frames and unnumbered ones; what comes meanwhile waits."""
    rig.associate()
    link = hdlc.HdlcLink(rig.channel, HdlcSettings(), rig.max_pdu)
    buffer = memoryview(bytearray(link.frame_max))
    link.receive(hdlc_line.command(hdlc_line.SNRM, client=1), 0)
    assert link.output(buffer)
    rig.associate()
    frame = hdlc_line.command(control, hdlc_line.LLC + SLOW, client=1)
    poll = hdlc_line.ready(0 if control == hdlc_line.UI else 1, client=1)
    link.receive(frame + poll, 0)
    assert link.output(buffer) == 0
    assert link.working
    steps = 0
    while link.working:
        assert link.output(buffer) == 0
        link.work()
        steps += 1
    assert steps == STEPS + 1
    given = hdlc_line.Answer(bytes(buffer[: link.output(buffer)]), 2)
    assert given.info == hdlc_line.LLC_RESPONSE + bytes.fromhex("c701c10001000903616263")
    assert given.final
    length = link.output(buffer)
    assert length  # the poll that waited: RR
    assert hdlc_line.Answer(bytes(buffer[:length]), 2).info == b""
    assert link.output(buffer) == 0
