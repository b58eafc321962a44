"""Values that no calibration or factory parameter can have, from a real client: refused, said why.

Also the LEDs' errors by counting their pulses, as a test head does.
"""

import struct

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSScriptTable

SUCCESS, DENIED, TYPE_UNMATCHED, OTHER = 0, 3, 12, 250
NAN = b"\x17" + struct.pack(">f", float("nan"))
NAN_64 = b"\x18" + struct.pack(">d", float("nan"))
ONE_AND_A_HALF = b"\x17" + struct.pack(">f", 1.5)


def u8(value):
    return bytes((17, value))


def u16(value):
    return b"\x12" + struct.pack(">H", value)


def u32(value):
    return b"\x06" + struct.pack(">I", value)


def i32(value):
    return b"\x05" + struct.pack(">i", value)


def enum(value):
    return bytes((22, value))


def load(u=230_000_000, i=5_000_000, phi=0, neutral=0, phases=3):
    phase = b"\x02\x03" + u32(u) + u32(i) + i32(phi)
    return b"\x02\x02\x01" + bytes((phases,)) + phase * phases + u32(neutral)


def corrections(place=0, value=0, phases=3):
    values = [0] * 5
    values[place] = value
    phase = b"\x02\x05" + b"".join(i32(one) for one in values)
    return b"\x02\x02\x01" + bytes((phases,)) + phase * phases + i32(0)


# object, value, what the meter says of it (None: the result alone tells)
BAD = [
    ("0-0:128.66.0", load(u=0, i=0), "no phase has a voltage"),
    ("0-0:128.66.0", load(u=0), "no phase has a voltage"),
    ("0-0:128.66.0", load(u=1), "voltage out of range"),
    ("0-0:128.66.0", load(u=2**32 - 1), "voltage out of range"),
    ("0-0:128.66.0", load(i=0), "current out of range"),
    ("0-0:128.66.0", load(i=2**32 - 1), "current out of range"),
    ("0-0:128.66.0", load(phi=90_000_001), "angle out of range"),
    ("0-0:128.66.0", load(phi=-(2**31)), "angle out of range"),
    ("0-0:128.66.0", load(neutral=2**32 - 1), "neutral current out of range"),
    ("0-0:128.66.0", load(phases=2), "another form"),
    ("0-0:128.66.0", load()[:-5] + NAN, "another form"),
    ("0-0:128.66.0", load()[:-5] + i32(-1), "another form"),
    ("0-0:128.66.1", u16(0), "5 to 3000"),
    ("0-0:128.66.1", u16(4), "5 to 3000"),
    ("0-0:128.66.1", u16(3001), "5 to 3000"),
    ("0-0:128.66.1", NAN, None),
    ("0-0:128.66.1", u8(50), None),
    ("0-0:128.66.2", enum(2), "no phase has a voltage"),
    ("0-0:128.66.2", enum(5), "needs no linearity table"),
    ("0-0:128.66.2", enum(6), "no such step"),
    ("0-0:128.66.2", enum(255), "no such step"),
    ("0-0:128.66.2", NAN, None),
    *[
        ("0-0:128.66.4", corrections(place, sign * value), word + " out of range")
        for place, value, word in (
            (0, 200_000_001, "voltage gain"),
            (1, 200_000_001, "current gain"),
            (2, 250_001, "delay"),
            (3, 5_000_001, "power offset"),
            (4, 5_000_001, "reactive power offset"),
            (0, 2**31 - 1, "voltage gain"),
        )
        for sign in (1, -1)
    ],
    ("0-0:128.66.4", corrections(phases=1), "another form"),
    ("0-0:128.66.4", corrections()[:-5] + NAN, "another form"),
    ("0-0:128.66.4", corrections()[:-5] + NAN_64, "another form"),
    ("0-0:128.66.4", b"\x00", "another form"),
    ("0-0:128.66.4", b"\x09\x00", "another form"),
    ("0-0:128.0.1", enum(3), None),
    ("0-0:128.0.1", NAN, None),
    ("0-0:128.60.0", enum(7), None),
    ("0-0:128.60.1", enum(5), None),
    ("0-0:128.60.2", u8(0), None),
    ("0-0:128.60.2", u8(201), None),
    ("0-0:128.60.3", enum(0), None),
    ("0-0:96.34.10", u16(0), None),
    ("1-0:0.3.0", u32(0), None),
    ("1-0:0.3.0", u32(10_000), None),
    ("1-0:0.3.0", i32(-1000), None),
    ("1-0:0.3.0", ONE_AND_A_HALF, None),
    ("1-0:0.3.0", NAN_64, None),
]


def obis(text):
    """Octets of a code such as "1-0:1.8.0"."""
    a, _, rest = text.partition("-")
    b, _, rest = rest.partition(":")
    return bytes([int(a), int(b), *(int(group) for group in rest.split(".")), 255])


class Raw:
    """Requests octet by octet in an association that a real client has made."""

    def __init__(self, meter):
        self.client = Gurux(Socket(meter.ports["cosem"]), MANAGEMENT, SECRET).connect()

    def ask(self, apdu):
        head = struct.pack(">HHHH", 1, MANAGEMENT, 1, len(apdu))
        self.client.transport.send(head + apdu)
        received = b""
        while len(received) < 8 or len(received) < 8 + struct.unpack(">H", received[6:8])[0]:
            received += self.client.transport.receive()
        return received[8:]

    def put(self, code, value):
        class_id = 3 if code.startswith("1-0:0.3") else 1
        name = struct.pack(">H", class_id) + obis(code)
        answer = self.ask(b"\xc1\x01\xc1" + name + b"\x02\x00" + value)
        assert answer[:3] == b"\xc5\x01\xc1", answer.hex()
        return answer[3]

    def get(self, code):
        class_id = 3 if code.startswith("1-0:0.3") else 1
        answer = self.ask(b"\xc0\x01\xc1" + struct.pack(">H", class_id) + obis(code) + b"\x02\x00")
        assert answer[:4] == b"\xc4\x01\xc1\x00", answer.hex()
        return answer[4:]

    def reason(self):
        return self.client.read(GXDLMSData("0.0.128.66.3.255"), 2)[4]


@pytest.fixture(scope="module")
def raw(meter):
    meter.post("/api/cover", cover="meter", open=True)
    meter.post("/api/lock", locked=False)
    yield Raw(meter)
    meter.post("/api/lock", locked=True)
    meter.post("/api/cover", cover="meter", open=False)


@pytest.mark.parametrize(
    ("code", "value", "words"), BAD, ids=[f"{k}-{code}" for k, (code, _, _) in enumerate(BAD)]
)
def test_a_bad_value_is_refused_with_a_reason_and_changes_nothing(raw, code, value, words):
    before = raw.get(code)
    result = raw.put(code, value)
    assert result not in (SUCCESS, DENIED)
    if words is not None:
        reason = raw.reason()
        assert words in (reason if isinstance(reason, str) else bytes(reason).decode())
    # a step that was refused is still the one that was asked for last
    assert raw.get(code) == before
    assert raw.put("0-0:128.66.1", u16(50)) == SUCCESS  # the next good request is served


@pytest.mark.row("PRD-05")
@pytest.mark.parametrize("constant", [1000, 3200, 4000])
def test_the_error_by_counting_pulses_over_25_seconds(start_meter, constant):
    meter = start_meter("--rate", "0", "--detail", "frames")
    meter.post("/api/cover", cover="meter", open=True)
    meter.post("/api/lock", locked=False)
    assert Raw(meter).put("1-0:0.3.0", u32(constant)) == SUCCESS
    meter.post("/api/mains", phases=[{"u": 230, "i": 100, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=2)
    count = meter.get("/api/state")["leds"]["active"]
    meter.post("/api/advance", seconds=25)
    count = meter.get("/api/state")["leds"]["active"] - count
    true = 3 * 230 * 100 / 1000 * 25 / 3600 * constant
    assert abs(count - true) <= 1 + 0.001 * true


@pytest.mark.row("LED-05")
def test_a_client_chooses_what_the_led_follows_by_script(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/cover", cover="meter", open=True)
    meter.post("/api/lock", locked=False)
    client = Raw(meter).client
    meter.post("/api/mains", phases=[{"u": 230, "i": 50, "phi_deg": 90}] * 3)
    meter.post("/api/advance", seconds=5)
    scripts = GXDLMSScriptTable("0.0.10.0.104.255")

    def pulses():
        before = meter.get("/api/state")["leds"]["active"]
        meter.post("/api/advance", seconds=20)
        return meter.get("/api/state")["leds"]["active"] - before

    assert pulses() <= 1
    client.call(scripts, 1, 2, DataType.UINT16)
    meter.post("/api/advance", seconds=2)
    assert pulses() == pytest.approx(3 * 230 * 50 / 1000 * 20 / 3600 * 1000, abs=5)
    client.call(scripts, 1, 1, DataType.UINT16)
    meter.post("/api/advance", seconds=2)
    assert pulses() <= 1
