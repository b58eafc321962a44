"""What a consumer has of the display: contact details, the PIN, the click of the keys."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from conftest import VirtualMeter
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData
from key_presses import BACK_S, ENTER_S, Front

CONFIGURATION, CONTACT = "0.0.196.1.3.255", "0.0.196.1.8.255"
PRIVATE = 0x11


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    meter = VirtualMeter(tmp_path_factory.mktemp("consumer") / "state", ["--rate", "0"])
    meter.start("--time", "2026-03-01T21:50:00")
    yield Front(meter)
    assert meter.stop() == 0


@pytest.fixture
def auto(front):
    front.wait(130)
    return front


def write(meter, name, kind, value):
    transport = clients.Socket(meter.ports["cosem"])
    wire = clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET).connect()
    item = GXDLMSData(name)
    item.setDataType(2, kind)
    item.value = value
    try:
        wire.write(item, 2)
        return wire.read(item, 2)
    finally:
        wire.release()


def configure(meter, bits):
    return write(meter, CONFIGURATION, DataType.UINT8, bits)


def menu(front, wanted):
    """Open an entry of the data menu from automatic scroll."""
    front.press()
    front.press()
    for _ in range(9):
        if front.value == wanted:
            return front.press(ENTER_S)
        front.press()
    raise AssertionError(f"no {wanted}")


def enter(front, digits):
    for digit in digits:
        for _ in range(int(digit)):
            front.press()
        front.press(ENTER_S)
    return front.value


@pytest.mark.row("DSP-31")
def test_contact_details_are_written_by_a_client_and_read_on_the_glass(auto):
    text = b"StrOn AG 0800 123"
    assert bytes(write(auto.meter, CONTACT, DataType.OCTET_STRING, text)) == text
    menu(auto, "ContACt")
    seen = []
    for _ in range(12):
        seen.append(auto.value)
        auto.wait(1)
    assert any(one.startswith("Stron") for one in seen) and any(
        one.endswith("123") for one in seen
    )
    with pytest.raises(GXDLMSException):
        write(auto.meter, CONTACT, DataType.OCTET_STRING, b"A" * 65)


@pytest.mark.row("DSP-25")
def test_keys_click_if_that_is_wanted(auto):
    meter = auto.meter

    def sounds():
        return meter.get("/api/state")["sounder"]["sounds"]

    before = sounds()
    auto.press()
    assert sounds() == before
    try:
        assert configure(meter, 0x0F) == 0x0F
        for count, key in ((1, "scroll"), (2, "reset"), (3, "scroll")):
            auto.press(key=key)
            assert sounds() == before + count
        assert meter.get("/api/state")["sounder"]["hz"] == 4000
        auto.press(BACK_S)  # held: one click, as it goes down
        assert sounds() == before + 4
    finally:
        configure(meter, 0x07)
    auto.press()
    assert sounds() == before + 4


@pytest.mark.row("DSP-31", "DSP-25")
def test_a_pin_hides_what_was_measured_over_a_power_cut_until_it_is_forgotten(auto):
    meter = auto.meter
    try:
        assert configure(meter, PRIVATE) == PRIVATE
        menu(auto, "SEt Pin")
        assert enter(auto, "1203" * 2) == "rSUCCESS"
        meter.post("/api/supply", on=False)
        auto.wait(5)
        meter.post("/api/supply", on=True)
        auto.wait(10)
        seen = {}
        for _ in range(60):
            glass = auto.glass
            seen.setdefault(glass["code"], set()).add(glass["value"])
            auto.wait(2)
        assert seen["1.8.0"] == {"Pin"} and "Pin" not in seen["0.9.1"]
        menu(auto, "Pin")
        assert enter(auto, "1204") == "rEJECtEd"
        auto.wait(4)
        menu(auto, "Pin")
        assert enter(auto, "1203") == "rSUCCESS"
        auto.wait(4)
        menu(auto, "Std dAtA")
        values = {code: value for code, value, _ in auto.layer()}
        assert values["1.8.0"].startswith("0000")
        auto.wait(150)
        # the supplier makes the meter forget it
        configure(meter, 0x01)
        configure(meter, PRIVATE)
        auto.press()
        auto.press()
        words = [value for _, value, _ in auto.layer()]
        assert "SEt Pin" in words and "Pin" not in words
    finally:
        configure(meter, 0x07)
