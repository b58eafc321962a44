"""Keys and glass of a meter that has much else to do, and the meter reset by both keys."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from flood import Flood
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister
from key_presses import ENTER_S, Front

ALL = "8." * 8
PROFILE = "1.0.99.1.0.255"
AUTO_SCROLL, SERIAL, IMPORT = "1.0.129.1.10.255", "0.0.96.1.0.255", "1.0.1.8.0.255"


class Site(Front):
    """A meter, its keys and glass, and a client of its management."""

    def __enter__(self):
        transport = clients.Socket(self.meter.ports["cosem"])
        self._client = clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET).connect()
        return self._client

    def __exit__(self, *_):
        self._client.release()

    def read(self, name, kind=GXDLMSData):
        with self as client:
            return client.read(kind(name), 2)


@pytest.mark.row("KEY-09", "PRD-07")
def test_both_keys_make_an_unlocked_meter_new_again(start_meter):
    site = Site(start_meter("--rate", "0", "--fresh"))
    site.meter.post("/api/mains", phases=[{"u": 230, "i": 50, "phi_deg": 0}] * 3)
    site.wait(60)
    with site as client:
        item = GXDLMSData(AUTO_SCROLL)
        item.value = 3
        item.setDataType(2, DataType.UINT16)
        client.write(item, 2)
    serial = site.read(SERIAL)
    assert site.read(IMPORT, GXDLMSRegister) > 400
    site.meter.post("/api/mains", phases=[{"u": 230, "i": 0}] * 3)
    site.meter.post("/api/cover", cover="meter", open=True)
    site.meter.post("/api/lock", locked=False)
    site.wait(2)
    for on, seconds in ((False, 10), (True, 1)):  # it begins in the test of the segments
        site.meter.post("/api/supply", on=on)
        site.wait(seconds)
    assert site.value == ALL
    assert site.press(ENTER_S) == "rESEt"
    site.down("reset")
    site.wait(0.5)
    site.down()
    site.wait(5.1)
    assert site.value == "rELEASE"
    site.up("reset")
    assert site.value == "rELEASE"  # nothing is done before the other key is let go as well
    site.up()
    assert site.value == "rSUCCESS"
    site.wait(20)
    assert site.read(IMPORT, GXDLMSRegister) == 0
    assert site.read(AUTO_SCROLL) == 10
    assert site.read(SERIAL) == serial


def asking(session):
    """A turn of a client that reads a value, and the load profile that is being written."""

    def turn():
        session.read(GXDLMSRegister(IMPORT), 2)
        profile = GXDLMSProfileGeneric(PROFILE)
        session.read(profile, 3)
        session.read(profile, 2)

    return turn


def test_the_glass_answers_within_a_tenth_of_a_second_whatever_else_is_done(start_meter):
    site = Site(start_meter("--rate", "0", "--fresh", "--time", "2026-03-02T11:59:42"))
    meter = site.meter
    meter.post("/api/mains", phases=[{"u": 230, "i": 5, "phi_deg": 0}] * 3)
    site.wait(8)
    flood = Flood(meter, asking, browsers=1)
    try:
        assert site.press() == ALL
        assert site.press() == "Std dAtA"
        assert site.tip(2.1) == "EntEr"
        before = dict(flood.done)
        codes = [site.code]
        while site.press(0.4) != "End":  # every look is a tenth of a second after a press
            assert site.code not in codes
            codes.append(site.code)
        assert site.tip(2.1) == "LAYEr UP" and site.value == "Std dAtA"
        after = dict(flood.done)
    finally:
        flood.stop()
    assert flood.failed == []
    assert len(codes) > 25
    assert all(after[name] > before[name] for name in after), (before, after)
    with site as client:
        profile = GXDLMSProfileGeneric(PROFILE)
        client.read(profile, 3)
        client.read(profile, 2)
    assert [f"{row[0].value:%H:%M:%S}" for row in profile.buffer] == ["12:00:00"]
