"""The smallest choice from outside: what it shows and keeps, and that its ports are silent.

One meter serves all tests but those that change the choice. It runs in a heap that says that it is
small, too, with the simulation and the faceplate beside it.
"""

import socket

import pytest
from conftest import VirtualMeter
from patience import until
from test_parts import Reader

NOON = ("--time", "2026-01-31T12:00:00")
SILENCE_S = 1
ENERGY = "1.8.0"


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    meter = VirtualMeter(
        tmp_path_factory.mktemp("look"), ("--parts", "look", "--rate", "0", *NOON)
    )
    yield meter.start()
    health = meter.get("/api/health")
    assert (health["task_restarts"], health["tasks_silent"]) == (0, [])
    assert meter.stop() == 0
    assert not [line for line in meter.lines if "Traceback" in line]


def advance(meter, seconds):
    meter.post("/api/advance", seconds=seconds)


def load(meter, amperes):
    meter.post("/api/mains", phases=[{"u": 230, "i": amperes, "phi_deg": 0}] * 3)


def energy_wh(meter):
    return meter.get("/api/quantities")["energy_wh"][ENERGY]


def press(meter, seconds=0.5):
    meter.post("/api/key", key="scroll", down=True)
    advance(meter, seconds)
    meter.post("/api/key", key="scroll", down=False)
    advance(meter, 0.5)


def shown(meter):
    glass = meter.get("/api/lcd")
    return glass["code"], glass["value"], glass["unit"]


def walk(meter, presses):
    """What stands on the glass after each of so many short presses."""
    seen = []
    for _ in range(presses):
        press(meter)
        seen.append(shown(meter))
    return seen


def scrolled(meter, seconds):
    """The codes that come by themselves."""
    found = []
    for _ in range(seconds):
        advance(meter, 1)
        code = shown(meter)[0]
        if code not in found:
            found.append(code)
    return found


def test_it_measures_blinks_and_scrolls_the_general_list(look):
    load(look, 60)
    advance(look, 20)
    before_wh, before = energy_wh(look), look.get("/api/state")["leds"]
    advance(look, 600)
    gained_wh = energy_wh(look) - before_wh
    assert gained_wh == pytest.approx(3 * 230 * 60 / 6, rel=0.002)
    blinks = look.get("/api/state")["leds"]["active"] - before["active"]
    assert blinks == pytest.approx(gained_wh, abs=5)  # 1000 imp/kWh
    codes = scrolled(look, 75)
    assert codes == sorted(codes, key=codes.index)
    assert {"1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "0.9.2", "0.9.1"} == set(codes)
    glass = look.get("/api/lcd")
    assert glass["phases"] == ["L1", "L2", "L3"]
    assert "FF" not in glass["cursors"] and "COM" not in glass["cursors"]


def test_the_key_leads_through_the_alternate_list(look):
    load(look, 10)
    advance(look, 130)  # nobody at the keys: it scrolls
    press(look)  # all segments
    press(look)  # the menu's first entry
    assert shown(look)[1] == "Std dAtA"
    press(look, 3)
    items = {code: (value, unit) for code, value, unit in [shown(look), *walk(look, 40)]}
    assert items["0.0.0"][0] == look.get("/api/state")["meter"]["serial"]
    assert items["32.7.0"] == ("230.0", "V")
    assert items["31.7.0"] == ("10.00", "A")
    assert items["1.7.0"] == ("6.90", "kW")
    assert items["14.7.0"] == ("50.00", "Hz")
    assert not [code for code, (value, _) in items.items() if value.startswith("Error")]
    advance(look, 130)


def test_no_port_answers_and_none_of_them_disturbs_it(look):
    restarts = look.get("/api/health")["task_restarts"]
    for name in ("rs485", "optical"):
        with socket.create_connection(("127.0.0.1", look.ports[name]), SILENCE_S) as wire:
            wire.sendall(b"/?!\r\n" + bytes(range(256)) * 40)
            advance(look, 5)
            with pytest.raises(TimeoutError):
                wire.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", look.ports["cosem"]), SILENCE_S)
    advance(look, 20)
    health = look.get("/api/health")
    assert (health["task_restarts"], health["frames_lost"], health["problems"]) == (
        restarts,
        0,
        [],
    )


def test_the_api_says_what_it_was_built_without(look):
    for path, what in (
        ("events", "logs"),
        ("day", "load profiles"),
        ("calendar", "a tariff"),
        ("quality", "the quality of the supply"),
    ):
        with pytest.raises(AssertionError, match="503.*without " + what):
            look.get("/api/" + path)
    state = look.get("/api/state")
    assert (state["firmware"], state["events_posted"]) == ("running", None)
    assert {port["associations"] for port in look.get("/api/ports").values()} == {0}
    with pytest.raises(AssertionError, match=r"503.*two cycles have not been measured"):
        look.get("/api/waveform")  # which nobody had wanted before
    advance(look, 1)
    assert look.get("/api/waveform")["t_ms"]


@pytest.mark.parametrize("holdup_ms", [0, 30])
def test_a_power_cut_takes_no_counted_energy(look, holdup_ms):
    load(look, 60)
    advance(look, 61.3)
    before_wh = energy_wh(look)
    failures = look.get("/api/health")["power_failures"]
    look.post("/api/supply", on=False, holdup_ms=holdup_ms)
    advance(look, 60)
    assert not look.get("/api/state")["powered"]
    look.post("/api/supply", on=True)
    advance(look, 8)
    load(look, 0)
    health = look.get("/api/health")
    assert (health["power_failures"], health["problems"]) == (failures + 1, [])
    lost_wh = before_wh + 3 * 230 * 60 * 8 / 3600 - energy_wh(look)
    assert -1 < lost_wh < (15 if holdup_ms else 16)  # what ran while it started, and one unit


def test_a_key_wakes_the_glass_without_mains(look):
    look.post("/api/supply", on=False)
    advance(look, 10)
    look.post("/api/key", key="scroll", down=True)
    advance(look, 5)
    look.post("/api/key", key="scroll", down=False)
    advance(look, 10)
    assert look.get("/api/state")["powered"] and shown(look)[0]
    advance(look, 200)
    assert not look.get("/api/state")["powered"]
    look.post("/api/supply", on=True)
    advance(look, 10)


def test_a_fault_is_told_by_the_sign_and_on_the_console_and_goes(look):
    said = len(look.lines)
    look.post("/api/chip", chip="rtc", fault="dead")
    advance(look, 80)
    assert "clock chip does not answer" in look.get("/api/health")["problems"]
    assert "FF" in look.get("/api/lcd")["cursors"]
    told = "problem: clock chip does not answer"
    until(lambda: told in look.lines[said:], lambda: look.lines)  # by another way than HTTP
    look.post("/api/chip", chip="rtc", fault="clear")
    advance(look, 80)
    assert look.get("/api/health")["problems"] == []
    assert "FF" not in look.get("/api/lcd")["cursors"]


def test_from_full_to_the_first_look_and_back_nothing_is_lost(start_meter, tmp_path):
    state = tmp_path / "m"
    meter = start_meter("--parts", "full", "--rate", "0", *NOON, state=state)
    load(meter, 60)
    advance(meter, 1800)
    reader = Reader(meter)
    rows, objects = reader.rows(), len(reader.client.objects())
    reader.close()
    logged = meter.get("/api/events")["posted"]
    assert logged and rows
    total_wh = energy_wh(meter)
    meter.stop()
    meter = start_meter("--parts", "look", "--rate", "0", state=state)
    load(meter, 60)
    assert total_wh - 1 < energy_wh(meter)
    advance(meter, 1800)
    assert meter.get("/api/health")["problems"] == []
    total_wh = energy_wh(meter)
    assert total_wh > 3 * 230 * 60 - 100
    meter.stop()
    meter = start_meter("--parts", "full", "--rate", "0", state=state)
    load(meter, 0)
    assert total_wh - 1 < energy_wh(meter)
    health = meter.get("/api/health")
    assert (health["problems"], health["power_failures"]) == ([], 2)
    reader = Reader(meter)
    assert (len(reader.client.objects()), reader.rows() >= rows) == (objects, True)
    assert reader.energy_wh() >= int(total_wh)
    reader.close()
