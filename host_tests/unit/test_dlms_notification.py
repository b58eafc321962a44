"""Notifications as their receivers decode them: gurux-dlms, dlms-cosem, and octets by hand."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_cosem import utils
from dlms_cosem.protocol.xdlms import DataNotification
from dlms_rig import Rig
from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSRegister

from app.attributes import Reference
from app.dlms.notification import data_notification, event_notification

INVOKE = 0x40000007
TIME = bytes.fromhex("07ea011f06173b3200ffc400")
ENERGY = bytes.fromhex("0100010800ff")
ENERGY_VALUE = bytes.fromhex("1500000000000006bd")


def apdus(notification, size=1024):
    """Everything it says, each APDU checked for its length."""
    buffer = bytearray(size)
    said = []
    while True:
        length = notification.next(buffer)
        if not length:
            assert notification.next(buffer) == 0
            return said
        said.append(bytes(buffer[:length]))


def push_body(writer):
    """A structure in parts: the push object list's place, the time, a value."""
    writer.structure(3)
    writer.octet_string(ENERGY)
    yield
    writer.octet_string(TIME)
    yield
    writer.raw(ENERGY_VALUE)


def gurux():
    return GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.WRAPPER)


def gurux_decodes(said, client=None):
    client = client or gurux()
    notify, reply, received = GXReplyData(), GXReplyData(), GXByteBuffer()
    for apdu in said:
        received.set(bytes.fromhex("000100010010") + len(apdu).to_bytes(2, "big") + apdu)
        assert client.getData(received, reply, notify) or not notify.isMoreData()
    return notify


def test_a_data_notification_as_octets():
    said = apdus(data_notification(INVOKE, TIME, lambda writer: writer.raw(ENERGY_VALUE), 1024))
    assert said == [bytes.fromhex("0f400000070c") + TIME + ENERGY_VALUE]
    said = apdus(data_notification(INVOKE, b"", lambda writer: writer.raw(ENERGY_VALUE), 1024))
    assert said == [bytes.fromhex("0f4000000700") + ENERGY_VALUE]


def test_dlms_cosem_decodes_a_data_notification():
    [said] = apdus(data_notification(INVOKE, TIME, push_body, 1024))
    notification = DataNotification.from_bytes(said)
    assert notification.long_invoke_id_and_priority.long_invoke_id == 7
    assert notification.long_invoke_id_and_priority.confirmed
    assert notification.date_time.year == 2026
    name, time, energy = utils.parse_as_dlms_data(notification.body)
    assert (bytes(name), bytes(time), energy) == (ENERGY, TIME, 1725)


def test_gurux_decodes_a_data_notification():
    notify = gurux_decodes(apdus(data_notification(INVOKE, TIME, push_body, 1024)))
    assert [bytes(notify.value[0]), bytes(notify.value[1])] == [ENERGY, TIME]
    assert notify.value[2] == 1725
    assert notify.time.value.year == 2026


@pytest.mark.parametrize("size", [12, 20, 30, 64, 140])
def test_a_long_one_goes_in_blocks_that_nobody_acknowledges(size):
    rig = Rig()
    association, key, _ = rig.catalogue.find(bytes.fromhex("0000280001ff"))

    def object_list(writer):
        return association.get(writer, key, 2, None)

    [whole] = apdus(data_notification(INVOKE, TIME, object_list, 20_000), 20_000)
    said = apdus(data_notification(INVOKE, TIME, object_list, size), size)
    joined = b""
    for number, apdu in enumerate(said, 1):
        last = number == len(said)
        assert apdu[:6] == bytes((0xE0, 0x80 if last else 0x40)) + number.to_bytes(2, "big") + (
            b"\x00\x00"
        )
        at = 7 if apdu[6] < 0x80 else 7 + (apdu[6] & 0x7F)
        assert len(apdu) <= size
        joined += apdu[at:]
    assert joined == whole
    assert len(utils.parse_as_dlms_data(whole[18:])) > 80


def test_gurux_joins_the_blocks_of_a_data_notification():
    notify = gurux_decodes(apdus(data_notification(INVOKE, TIME, push_body, 30)))
    assert notify.value[2] == 1725


def test_an_event_notification_as_octets():
    reference = Reference(3, ENERGY, 2)
    said = apdus(event_notification(TIME, reference, lambda w: w.raw(ENERGY_VALUE), 1024))
    assert said == [
        bytes.fromhex("c2010c") + TIME + bytes.fromhex("0003") + ENERGY + b"\x02" + ENERGY_VALUE
    ]
    said = apdus(event_notification(b"", reference, lambda w: w.raw(ENERGY_VALUE), 1024))
    assert said == [bytes.fromhex("c2000003") + ENERGY + b"\x02" + ENERGY_VALUE]


def test_gurux_decodes_an_event_notification():
    reference = Reference(3, ENERGY, 2)
    said = apdus(event_notification(TIME, reference, lambda w: w.raw(ENERGY_VALUE), 1024))
    client = gurux()
    known = GXDLMSRegister("1.0.1.8.0.255")
    known.settings = client.settings  # gurux-dlms asks its object for what only a client has
    client.objects.append(known)
    items = []
    client.parseReport(gurux_decodes(said, client), items)
    assert items == [(known, 2)]


def test_an_object_that_fails_half_way_leaves_no_last_block():
    def body(writer):
        writer.structure(2)
        yield
        writer.raw(bytes(60))
        yield
        raise OSError("no answer")

    notification = data_notification(INVOKE, b"", body, 20)
    buffer = bytearray(64)
    with pytest.raises(OSError, match="no answer"):
        while notification.next(buffer):
            assert buffer[1] == 0x40
