"""The bench's HTTP calls: their shapes, their refusals, and the reader in front of them."""

import asyncio
import json
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "boards" / "sim", ROOT / ".venv" / "upylib"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

pytest.importorskip("microdot", reason="`make setup` puts microdot into .venv/upylib")

import fields
import timeline
from devices.ds3231 import Ds3231
from devices.key import Key
from devices.led import Led
from devices.st7567 import St7567
from faceplate import api, server
from faceplate.bench import Bench
from leap import Leap
from power import Supply
from world import World

PAGE = ROOT / "boards" / "sim" / "faceplate" / "index.html"


class Content:
    def __init__(self, size):
        self.data = bytearray(size)

    def read(self, offset, n):
        return bytes(self.data[offset : offset + n])

    def write(self, offset, data):
        self.data[offset : offset + len(data)] = data


class Processor:
    """A processor whose firmware runs, or does not."""

    def __init__(self, supply):
        self.supply = supply
        self.state = "running"
        self.error = ""
        self.boots = 1
        self.main = None

    def module(self, name):
        return self.main if name == "main" else None

    def uptime_s(self):
        return 7


class Thing:
    """An object with the given attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def metrology():
    """Figures of a meter, each different from all others."""
    quantities = Thing(
        phases=3,
        u_uv=[230_000_001, 231_000_002, 232_000_003],
        i_ua=[5_000_001, 6_000_002, 7_000_003],
        in_ua=1_234_567,
        p_uw=[-1_000_001, 2_000_002, 3_000_003],
        q_uvar=[11_000_001, -12_000_002, 13_000_003],
        s_uva=[21_000_001, 22_000_002, 23_000_003],
        pf_ppm=[-500_000, 866_025, 1_000_000],
        f_uhz=49_987_654,
        thd_u_ppm=[10_000, 20_000, 30_000],
        thd_i_ppm=[123_456, 0, 1],
        p_total_uw=4_000_004,
        q_total_uvar=12_000_002,
        s_total_uva=12_649_111,
    )
    energies = Thing(wh=list(range(100, 112)), residue=[1_800_000_000] * 12)
    return Thing(quantities=quantities, energies=energies, windows=3, frames=99)


@pytest.fixture
def bench():
    timeline.reset()
    world = World("3ph")
    supply = Supply()
    world.attach_supply(supply)
    processor = Processor(supply)
    clock = Ds3231(Content(64), timeline.now)
    clock.set_utc_s(0)
    chips = {
        "rtc": clock,
        "lcd": St7567(),
        "led_active": Led(timeline.now),
        "led_reactive": Led(timeline.now),
        "pulse_output": Led(timeline.now),
    }
    for name in ("scroll", "reset"):
        world.keys[name] = Key(timeline.now, timeline.at, 0)
    return Bench(world, Leap(world, "auto"), processor, chips, {})


def boot(bench):
    variant = Thing(
        phases=3,
        pulses_per_kwh=1000,
        nominal_voltage_v=230,
        reference_current_ma=5000,
        maximum_current_ma=120_000,
    )
    bench.processor.main = Thing(
        meter=Thing(
            engine=metrology(),
            clock=Thing(utc_s=lambda: 86_400 * 366 + 1),
            board=Thing(variant=variant, frames=Thing(lost=0, errors=0)),
            identification=Thing(serial_number=lambda: b"00000042"),
            supervisor=Thing(restarts=lambda: 2, feeds=5),
            problems=[],
            serial_links=[link(0), link(2)],
            server=Thing(associations=lambda: 4),
        )
    )


def link(state):
    """A serial link whose channel's association is in this state."""
    channel = Thing(association=Thing(state=state))
    return Thing(link=Thing(_channel=channel))


def post(bench, path, body):
    answer = api.POST[path](bench, body)
    if asyncio.iscoroutine(answer):
        answer = asyncio.run(answer)
    return answer


def test_every_call_of_the_contract_is_there():
    assert set(api.GET) == {
        "/api/state",
        "/api/lcd",
        "/api/quantities",
        "/api/ports",
        "/api/health",
    }
    assert set(api.POST) >= {
        "/api/mains",
        "/api/key",
        "/api/cover",
        "/api/magnet",
        "/api/input",
        "/api/lock",
        "/api/battery",
        "/api/supply",
        "/api/advance",
        "/api/rate",
        "/api/chip",
    }


def test_quantities_are_si_units_with_full_precision(bench):
    boot(bench)
    answer = api.quantities(bench)
    assert answer["u"] == pytest.approx([230.000001, 231.000002, 232.000003], abs=1e-9)
    assert answer["i"] == pytest.approx([5.000001, 6.000002, 7.000003], abs=1e-9)
    assert answer["p"] == pytest.approx([-1.000001, 2.000002, 3.000003], abs=1e-9)
    assert answer["q"] == pytest.approx([11.000001, -12.000002, 13.000003], abs=1e-9)
    assert answer["s"] == pytest.approx([21.000001, 22.000002, 23.000003], abs=1e-9)
    assert answer["pf"] == pytest.approx([-0.5, 0.866025, 1], abs=1e-9)
    assert answer["f"] == pytest.approx(49.987654, abs=1e-9)
    assert answer["thd_u"] == pytest.approx([1, 2, 3])  # percent
    assert answer["thd_i"][0] == pytest.approx(12.3456)
    assert answer["p_total"] == pytest.approx(4.000004, abs=1e-9)
    energies = answer["energy_wh"]
    assert len(energies) == 12
    assert energies["1.8.0"] == pytest.approx(100.5)
    assert energies["8.8.0"] == pytest.approx(107.5)
    assert energies["15.8.0"] == pytest.approx(110.5)
    assert energies["16.8.0"] == pytest.approx(111.5)
    json.dumps(answer)


def test_state_with_and_without_power(bench):
    state = api.state(bench)
    assert state["time"] == "2000-01-01T00:00:00Z"  # the clock chip's
    boot(bench)
    state = api.state(bench)
    assert state["time"] == "2001-01-01T00:00:01Z"
    assert state["uptime_s"] == 7
    assert state["powered"] is True
    assert state["disconnector"] == "closed"
    assert state["relays"] == []
    assert state["leds"] == {"active": 0, "reactive": 0}
    assert state["covers"] == {"terminal": "closed", "meter": "closed"}
    assert state["mains"]["f"] == 50
    assert state["meter"]["serial"] == "00000042"
    assert "rows" not in state["lcd"]
    json.dumps(state)


def test_glass_is_read_again_only_when_it_changed(bench):
    glass = api.lcd(bench)
    assert len(glass["rows"]) == 64
    assert {len(row) for row in glass["rows"]} == {128}
    assert set("".join(glass["rows"])) == {"."}
    assert {"code", "value", "unit", "cursors", "phases", "flow"} <= set(glass)
    serial, rows, _ = bench.glass()
    assert bench.glass()[0] == serial
    assert bench.glass()[1] is rows
    lcd = bench.chips["lcd"]
    lcd.on, lcd.power_control = 1, 7
    lcd.ram[0] = 1
    lcd.writes += 1
    assert bench.glass()[1][0].startswith("#.")
    assert bench.glass()[0] == serial + 1
    lcd.power(False)
    assert bench.glass()[0] == serial + 2
    assert set("".join(bench.glass()[1])) == {"."}


def test_a_meter_without_power_has_no_quantities(bench):
    with pytest.raises(server.NoMeterError, match="no power"):
        api.quantities(bench)
    bench.processor.error = "ValueError: broken"
    with pytest.raises(server.NoMeterError, match="broken"):
        api.quantities(bench)
    assert api.health(bench)["boots"] == 1


def test_ports_tell_their_associations(bench):
    for name in ("cosem", "rs485", "optical"):
        bench.ports[name] = Thing(state=lambda: {"baud": 9600})
    assert api.ports(bench)["cosem"] == {"baud": 9600, "associations": 0}
    boot(bench)
    told = {name: port["associations"] for name, port in api.ports(bench).items()}
    assert told == {"cosem": 3, "rs485": 0, "optical": 1}


def test_keys_are_pressed_and_held(bench):
    key = bench.world.keys["scroll"]
    post(bench, "/api/key", {"key": "scroll", "down": True})
    assert key.down
    post(bench, "/api/key", {"key": "scroll", "down": False})
    assert not key.down
    post(bench, "/api/key", {"key": "scroll", "ms": 500})
    assert key.down
    timeline.pass_us(499_000)
    assert key.down
    timeline.pass_us(2_000)
    assert not key.down
    assert not bench.world.keys["reset"].down


WRONG = [
    ("/api/key", {}),
    ("/api/key", {"key": "scroll"}),
    ("/api/key", {"key": "scroll", "ms": 500, "down": True}),
    ("/api/key", {"key": "scroll", "ms": 0}),
    ("/api/key", {"key": "scroll", "ms": True}),
    ("/api/key", {"key": "scroll", "ms": 1.5}),
    ("/api/key", {"key": "scroll", "down": 1}),
    ("/api/key", {"key": ["scroll"], "down": True}),
    ("/api/key", {"key": "scroll", "down": True, "x": 1}),
    ("/api/cover", {"cover": "terminal"}),
    ("/api/cover", {"cover": "terminal", "open": "true"}),
    ("/api/cover", {"cover": None, "open": True}),
    ("/api/magnet", {}),
    ("/api/magnet", {"on": 1}),
    ("/api/input", {"input": 0, "on": True}),
    ("/api/input", {"input": True, "on": True}),
    ("/api/input", {"input": 1}),
    ("/api/lock", {"locked": False}),
    ("/api/battery", {}),
    ("/api/battery", {"v": 5.1}),
    ("/api/battery", {"present": None}),
    ("/api/battery", {"v": 3, "charge": 1}),
    ("/api/temperature", {"celsius": 200}),
    ("/api/supply", {}),
    ("/api/supply", {"on": False, "holdup_ms": -1}),
    ("/api/supply", {"on": False, "holdup_ms": 1.5}),
    ("/api/supply", {"on": True, "holdup_ms": 5}),
    ("/api/advance", {}),
    ("/api/advance", {"seconds": float("nan")}),
    ("/api/advance", {"seconds": 1e12}),
    ("/api/rate", {"rate": "1"}),
    ("/api/rate", {"rate": float("inf")}),
    ("/api/chip", {}),
    ("/api/chip", {"chip": "lcd"}),
    ("/api/chip", {"chip": "lcd", "fault": 3}),
    ("/api/chip", {"chip": "lcd", "fault": "melt"}),
    ("/api/chip", {"chip": "rtc", "fault": "garbage", "register": "x"}),
    ("/api/mains", {"f": "x"}),
]


@pytest.mark.parametrize(("path", "body"), WRONG)
def test_wrong_requests_change_nothing(bench, path, body):
    before = bench.world.to_json()
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        post(bench, path, body)
    assert bench.world.to_json() == before
    assert timeline.rate == 1
    assert bench.processor.supply.mains
    assert not bench.world.keys["scroll"].down


def test_faults_reach_their_chip(bench):
    assert post(bench, "/api/chip", {"chip": "lcd", "fault": "dead"}) == {"ok": True}
    assert bench.chips["lcd"].dead
    post(bench, "/api/chip", {"chip": "lcd", "fault": "clear"})
    assert not bench.chips["lcd"].dead


def test_supply_battery_and_covers_move_the_world(bench):
    post(bench, "/api/cover", {"cover": "meter", "open": True})
    post(bench, "/api/lock", {"locked": False})
    post(bench, "/api/battery", {"present": False})
    post(bench, "/api/input", {"input": 3, "on": True})
    post(bench, "/api/magnet", {"on": True})
    post(bench, "/api/temperature", {"celsius": 40})
    state = api.state(bench)
    assert state["covers"]["meter"] == "open"
    assert state["locked"] is False
    assert state["battery"] == {"present": False, "v": 3.6}
    assert state["inputs"] == [False, False, True]
    assert state["magnet"] is True
    assert state["temperature_c"] == 40
    post(bench, "/api/battery", {"v": 2.5})
    assert api.state(bench)["battery"] == {"present": True, "v": 2.5}
    post(bench, "/api/supply", {"on": False, "holdup_ms": 0})
    assert api.state(bench)["powered"] is False
    timeline.interrupted = None  # nothing runs here that would take it


@given(st.integers(0, 3_155_759_999))
def test_times_are_written_as_iso_8601(utc_s):
    written = (datetime(2000, 1, 1) + timedelta(seconds=utc_s)).isoformat() + "Z"
    assert api.utc_text(utc_s) == written


@pytest.mark.parametrize("body", [b"", None, b"x", b"[]", b"null", b"1", b"\xff\xfe", b'{"a":}'])
def test_a_body_is_a_json_object_or_an_error(body):
    with pytest.raises(ValueError, match="body"):
        api.parse(body)


def test_field_checks_name_the_field():
    with pytest.raises(ValueError, match="ms must be a whole number"):
        fields.as_whole(1.0, 0, 5, "ms")
    with pytest.raises(ValueError, match="ms must lie from 0 to 5"):
        fields.as_whole(6, 0, 5, "ms")
    with pytest.raises(ValueError, match="unknown key b, known are a"):
        fields.check_keys({"b": 1}, ("a",))
    with pytest.raises(ValueError, match="a is missing"):
        fields.check_keys({}, ("a",), 1)


# The reader in front of microdot


class Reader:
    """A stream that gives its bytes in pieces and then ends."""

    def __init__(self, data, piece):
        self.data = data
        self.piece = piece

    async def read(self, n):
        size = min(n, self.piece)
        taken, self.data = self.data[:size], self.data[size:]
        return taken


class Writer:
    def __init__(self):
        self.sent = b""
        self.closed = False

    def get_extra_info(self, _name):
        return ("127.0.0.1", 1)

    async def awrite(self, data):
        self.sent += data.encode() if isinstance(data, str) else data

    async def aclose(self):
        self.closed = True

    def close(self):
        self.closed = True

    async def wait_closed(self):
        pass


def exchange(bench, data, piece=1024):
    """Status, headers in small letters, and body of the answer to these bytes."""
    writer = Writer()
    asyncio.run(server.Server(bench, str(PAGE))._serve(Reader(data, piece), writer))
    assert writer.closed
    if not writer.sent:
        return 0, "", b""
    head, body = writer.sent.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), head.decode().lower(), body


def request(method, path, body=b"", extra=""):
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize("piece", [1, 7, 1024])
def test_a_request_may_come_in_pieces(bench, piece):
    data = request("POST", "/api/rate", b'{"rate": 3}')
    status, head, body = exchange(bench, data, piece)
    assert (status, json.loads(body)) == (200, {"rate": 3.0})
    assert "application/json" in head
    assert timeline.rate == 3


def test_the_page_and_its_type(bench):
    status, head, body = exchange(bench, request("GET", "/"))
    assert status == 200
    assert "text/html; charset=utf-8" in head
    assert body == PAGE.read_bytes()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("GET", "/nothing"), 404),
        (request("POST", "/api/state"), 405),
        (request("GET", "/api/mains"), 405),
        (request("DELETE", "/api/state"), 405),
        (request("GET", "/api/quantities"), 503),
        (request("POST", "/api/rate", b"no"), 400),
        (request("POST", "/api/rate", b'{"rate": -1}'), 400),
        (request("POST", "/api/rate", b" " * 16385), 413),
        (request("GET", "/" + "a" * 9000), 413),
        (b"x" * 100_000, 413),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000, 413),
        (b"\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://x/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST /api/rate HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /api/rate HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /api/rate HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n", 400),
        (b"POST /api/rate HTTP/1.1\r\nContent-Length: 10\r\n\r\n{}", 400),
        (b"POST /api/rate HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost", 400),
        (b"\xff\xfe\xfd\r\n\r\n", 400),
    ],
)
def test_what_is_refused(bench, data, status):
    got, head, body = exchange(bench, data)
    assert got == status
    assert "application/json" in head
    assert json.loads(body)["error"]
    assert timeline.rate == 1


def test_a_client_that_says_nothing_gets_nothing(bench):
    assert exchange(bench, b"")[0] == 0


def test_a_query_is_ignored(bench):
    assert exchange(bench, b"GET /api/ports?%zz=1&b HTTP/1.0\r\n\r\n")[0] == 200


@given(st.binary(max_size=300))
def test_garbage_is_answered_or_dropped(data):
    world = World("1ph")
    supply = Supply()
    bench = Bench(world, Leap(world, "auto"), Processor(supply), {}, {})
    status, _, body = exchange(bench, data)
    assert status in (0, 400, 404, 405, 413)
    assert not body or json.loads(body)["error"]


def test_too_many_clients_are_told_so(bench):
    busy = server.Server(bench, str(PAGE))
    busy.clients = 1000
    writer = Writer()
    asyncio.run(busy._serve(Reader(request("GET", "/"), 1024), writer))
    assert b" 503 " in writer.sent
    assert busy.clients == 1000


# The page


def test_the_page_needs_nothing_from_elsewhere():
    page = PAGE.read_text()
    outside = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')\s>]+)", page)
    for target in outside:
        assert target.startswith(("data:", "#", "url(#")), target
    assert not re.findall(r"https?://(?!www\.w3\.org/)", page)
    assert "import(" not in page


def test_the_page_finds_its_own_parts():
    page = PAGE.read_text()
    ids = set(re.findall(r'\bid="([A-Za-z0-9-]+)"', page))
    for used in re.findall(r'\$\("([A-Za-z0-9-]+)"\)', page):
        assert used in ids, used
    assert len(re.findall(r'\bid="([A-Za-z0-9-]+)"', page)) == len(ids)


def test_every_control_of_the_page_has_a_name():
    page = PAGE.read_text()
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    for tag in re.findall(r"<(?:input|select)\b[^>]*>", page):
        number = re.search(r'id="([^"]+)"', tag)
        inside = re.search(r"<label[^>]*>[^<]*" + re.escape(tag), page)
        assert "aria-label" in tag or inside or (number is not None and number[1] in labelled), tag
    for tag in re.findall(r'<button class="key"[^>]*>', page):
        assert "aria-label" in tag
