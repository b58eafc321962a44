"""The last two cycles and their harmonics, by the HTTP API and by a foreign DLMS client."""

import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister

I_HARMONICS = {"3": [0.3, 20], "5": [0.2, 0], "37": [0.05, 90]}
PHASES = [
    {"u": 231, "i": 5, "phi_deg": 60, "u_harmonics": {"5": [0.1, 0]}, "i_harmonics": I_HARMONICS},
    {"u": 229, "i": 20, "phi_deg": -30, "u_harmonics": {}, "i_harmonics": {}},
    {"u": 230, "i": 0.1, "phi_deg": 180, "u_harmonics": {}, "i_harmonics": {}},
]


@pytest.fixture
def distorted(meter):
    """The meter with three different phases at 50.6 Hz; the usual mains again afterwards."""
    meter.post("/api/mains", f=50.6, phases=PHASES)
    meter.post("/api/advance", seconds=4)
    yield meter
    plain = {"u": 230, "i": 5, "phi_deg": 0, "u_harmonics": {}, "i_harmonics": {}}
    meter.post("/api/mains", f=50.0, phases=[plain] * 3)


def rms(values):
    return math.sqrt(sum(value * value for value in values) / len(values))


def test_the_api_gives_two_cycles_and_the_harmonics(distorted):
    wave = distorted.get("/api/waveform")
    assert abs(wave["f"] - 50.6) < 1e-3
    count = len(wave["t_ms"])
    assert count == math.floor(2 * wave["rate_hz"] / wave["f"]) + 1
    assert abs(wave["t_ms"][-1] - 2000 / 50.6) < 0.26
    for k, phase in enumerate(PHASES):
        u = phase["u"] * math.sqrt(1 + sum(r * r for r, _ in phase["u_harmonics"].values()))
        i = phase["i"] * math.sqrt(1 + sum(r * r for r, _ in phase["i_harmonics"].values()))
        assert len(wave["u"][k]) == len(wave["i"][k]) == count
        assert abs(rms(wave["u"][k]) / u - 1) < 0.01  # a fraction of a frame is over
        assert abs(rms(wave["i"][k]) / i - 1) < 0.01
        for name in ("u", "i"):
            shown = wave["harmonics_" + name][k]
            assert len(shown) == 40
            assert shown[39] is None  # 40 * 50.6 Hz lies above half the frame rate
            assert shown[0] == 100
            for order in range(2, 40):
                ratio = phase[name + "_harmonics"].get(str(order), [0, 0])[0]
                noise = 0.1 if phase[name] > 1 else 0.6  # percent, of the converter
                assert abs(shown[order - 1] - 100 * ratio) < noise, (name, k, order)
    assert 0 <= wave["u"][0][0] < 40 < wave["u"][0][6]  # it begins where U1 rises
    measured = distorted.get("/api/quantities")
    by_harmonics = math.hypot(*[h for h in wave["harmonics_i"][0][1:] if h])
    assert abs(measured["thd_i"][0] - by_harmonics) < 0.1


def test_without_a_current_there_are_no_harmonics_but_a_wave(distorted):
    distorted.post("/api/mains", phases=[None, None, {"i": 0}])
    distorted.post("/api/advance", seconds=1)
    wave = distorted.get("/api/waveform")
    assert wave["harmonics_i"][2] == [None] * 40
    assert max(map(abs, wave["i"][2])) < 0.01
    assert wave["harmonics_u"][2][0] == 100


def test_the_wave_stands_with_the_time(distorted):
    distorted.post("/api/rate", rate=0)
    try:
        first = distorted.get("/api/waveform")
        assert distorted.get("/api/waveform") == first
        distorted.post("/api/mains", phases=[{"i": 1, "i_harmonics": {}}])
        distorted.post("/api/advance", seconds=2)
        assert abs(rms(distorted.get("/api/waveform")["i"][0]) - 1) < 0.02
    finally:
        distorted.post("/api/rate", rate=1)


@pytest.mark.parametrize("options", [(), ("--rate", "600")], ids=["frames", "windows"])
@pytest.mark.parametrize("parts", ["basic", "look"])
def test_who_wants_the_waves_first_waits_for_them(start_meter, parts, options):
    meter = start_meter("--parts", parts, *options)
    wave = meter.get("/api/waveform")  # which nobody had kept before
    assert abs(rms(wave["u"][0]) - 230) < 2
    assert wave["harmonics_u"][0][0] == 100


def test_waves_that_do_not_come_are_refused(start_meter):
    meter = start_meter("--parts", "basic", "--rate", "0")
    with pytest.raises(AssertionError, match=r"503.*not been measured yet, and time stands still"):
        meter.get("/api/waveform")
    meter.post("/api/advance", seconds=1)
    assert abs(rms(meter.get("/api/waveform")["u"][0]) - 230) < 2
    meter.post("/api/chip", chip="adc", fault="dead")
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=1)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=5)
    meter.post("/api/rate", rate=1)
    with pytest.raises(AssertionError, match=r'503.*measured yet"'):
        meter.get("/api/waveform")


@pytest.mark.parametrize("route", ["cosem", "rs485"])
def test_a_foreign_client_reads_wave_and_harmonics_as_profiles(distorted, route):
    wire = clients.Socket(distorted.ports[route])
    try:
        session = clients.Gurux(
            wire, clients.MANAGEMENT, clients.SECRET, hdlc=route == "rs485"
        ).connect()
        rate = GXDLMSData("0.0.128.50.0.255")
        session.read(rate, 2)
        assert rate.value == 4_000_000
        profiles = []
        for e in (0, 1):
            profile = GXDLMSProfileGeneric(f"1.0.99.140.{e}.255")
            for index in (3, 7, 8, 2):
                session.read(profile, index)
            names = [column[0].logicalName for column in profile.captureObjects]
            assert names == [
                *("1.0.32.7.0.255", "1.0.31.7.0.255", "1.0.52.7.0.255", "1.0.51.7.0.255"),
                *("1.0.72.7.0.255", "1.0.71.7.0.255", "1.0.91.7.0.255"),
            ]
            assert profile.entriesInUse == len(profile.buffer)
            profiles.append(profile.buffer)
        wave, harmonics = profiles
        assert len(wave) == math.floor(8000 / 50.6) + 1
        assert len(harmonics) == 39
        for k, phase in enumerate(PHASES):
            for column, name, unit in ((2 * k, "u", 0.01), (2 * k + 1, "i", 0.001)):
                fundamental = harmonics[0][column] * unit
                assert abs(fundamental / phase[name] - 1) < 0.01
                for order in range(2, 40):
                    ratio = phase[name + "_harmonics"].get(str(order), [0, 0])[0]
                    got = harmonics[order - 1][column] * unit
                    assert abs(got - ratio * phase[name]) < 0.001 * phase[name] + unit
        total = 231 * math.sqrt(1.01)
        assert abs(rms([row[0] / 100 for row in wave]) / total - 1) < 0.01
    finally:
        wire.close()


@pytest.mark.row("MET-26")
def test_a_foreign_client_reads_the_phase_angles(distorted):
    wire = clients.Socket(distorted.ports["cosem"])
    try:
        session = clients.Gurux(wire, clients.MANAGEMENT, clients.SECRET).connect()
        for code, degrees in (("10", 120), ("20", 240), ("4", 60), ("15", 330), ("26", 180)):
            register = GXDLMSRegister(f"1.0.81.7.{code}.255")
            for index in (3, 2):
                session.read(register, index)
            assert abs(register.value - degrees) <= 0.11
    finally:
        wire.close()
