"""The five pulse outputs of a running meter, set over DLMS and counted from outside."""

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSScriptTable

TAGS = (DataType.ENUM, DataType.ENUM, DataType.UINT16, DataType.UINT8)
# energy, polarity, rate, the register that tells what the output must have counted
OUTPUTS = (
    (1, 0, 500, "1.8.0"),
    (26, 1, 16000, None),
    (5, 0, 1000, "5.8.0"),
    (7, 0, 4000, "7.8.0"),
    (23, 1, 3200, "15.8.0"),
)


def session(meter):
    return Gurux(Socket(meter.ports["cosem"]), MANAGEMENT, SECRET).connect()


def write(client, n, e, value):
    item = GXDLMSData(f"0.{n}.128.61.{e}.255")
    item.value = value
    item.setDataType(2, TAGS[e - 1])
    client.write(item, 2)


def pulses(meter):
    return [output["pulses"] for output in meter.get("/api/state")["pulse_outputs"]]


@pytest.mark.row("LED-10")
def test_output_3_set_to_r1_pulses_only_in_quadrant_1(start_meter):
    meter = start_meter("--rate", "0")
    client = session(meter)
    with pytest.raises(GXDLMSException):  # locked
        write(client, 3, 1, 5)
    meter.post("/api/cover", cover="meter", open=True)
    meter.post("/api/lock", locked=False)
    for n, values in enumerate(OUTPUTS, 1):
        for e, value in enumerate(values[:3], 1):
            write(client, n, e, value)
    with pytest.raises(GXDLMSException):
        write(client, 3, 3, 499)
    # inverted: conducting at rest
    state = meter.get("/api/state")["pulse_outputs"]
    assert [output["conducting"] for output in state] == [False, True, False, False, True]
    for quadrant, phi_deg in enumerate((53.13, 126.87, 233.13, 306.87), 1):
        before = pulses(meter)
        energy = meter.get("/api/quantities")["energy_wh"]
        meter.post("/api/mains", phases=[{"u": 230, "i": 5, "phi_deg": phi_deg}] * 3)
        meter.post("/api/advance", seconds=600)
        meter.post("/api/mains", phases=[{"i": 0}] * 3)
        meter.post("/api/advance", seconds=2)  # the last window's are played
        grown = [b - a for a, b in zip(before, pulses(meter), strict=True)]
        gained = meter.get("/api/quantities")["energy_wh"]
        for n, (_, _, rate, register) in enumerate(OUTPUTS):
            if register is None:
                due = sum(gained[f"{c}.8.0"] - energy[f"{c}.8.0"] for c in (3, 4)) * rate / 1000
            else:
                due = (gained[register] - energy[register]) * rate / 1000
            assert grown[n] == pytest.approx(due, abs=1), (quadrant, n + 1)
        assert (grown[2] > 400) == (quadrant == 1)
        assert grown[2] == 0 or quadrant == 1
        assert (grown[3] > 1600) == (quadrant == 3)
    # the settings outlast the power
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=2)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=2)
    again = session(meter)
    read = [[again.read(GXDLMSData(f"0.{n}.128.61.{e}.255"), 2) for e in (1, 2, 3, 4)]
            for n in range(1, 6)]  # fmt: skip
    assert read == [[energy, polarity, rate, 30] for energy, polarity, rate, _ in OUTPUTS]


@pytest.mark.row("LED-11")
def test_the_optomos_closes_at_each_end_of_a_measuring_period_and_tells_the_tariff(start_meter):
    meter = start_meter("--rate", "0", "--time", "2026-01-31T10:00:20")
    meter.post("/api/cover", cover="meter", open=True)
    meter.post("/api/lock", locked=False)
    client = session(meter)

    def put(code, value, tag):
        item = GXDLMSData(code)
        item.value = value
        item.setDataType(2, tag)
        client.write(item, 2)

    def closed():
        return meter.get("/api/state")["pulse_output"]

    put("1.0.0.8.0.255", 60, DataType.UINT16)
    put("0.0.128.60.0.255", 2, DataType.ENUM)
    before = closed()["pulses"]
    meter.post("/api/advance", seconds=30)
    assert closed()["pulses"] == before
    meter.post("/api/advance", seconds=300)
    assert closed()["pulses"] == before + 5
    client = session(meter)
    put("1.0.0.8.0.255", 300, DataType.UINT16)
    meter.post("/api/advance", seconds=1200)
    assert closed()["pulses"] == before + 9
    client = session(meter)
    put("0.0.128.60.0.255", 3, DataType.ENUM)
    table = GXDLMSScriptTable("0.0.10.0.100.255")
    for rate in (2, 1, 5):
        client.call(table, 1, rate, DataType.UINT16)
        meter.post("/api/advance", seconds=2)
        assert closed()["conducting"] == (rate != 1)


@pytest.mark.row("LED-10")
def test_a_pulse_is_as_wide_as_it_was_set(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/cover", cover="meter", open=True)
    meter.post("/api/lock", locked=False)
    client = session(meter)
    for e, value in ((1, 1), (3, 16000), (4, 45)):
        write(client, 2, e, value)
    meter.post("/api/mains", phases=[{"u": 230, "i": 0.5, "phi_deg": 0}] * 3)  # 1.5 a second
    meter.post("/api/rate", rate=2)
    for _ in range(40):
        meter.get("/api/health")
        state = meter.get("/api/state")["pulse_outputs"][1]
        if state["pulses"] > 4:
            break
        meter.post("/api/advance", seconds=0.2)
    assert state["width_ms"] == pytest.approx(45, abs=1)
