"""The reader in front of the bench's HTTP calls: pieces, floods, garbage."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent))

import bench_rig
import timeline
from faceplate import server
from faceplate.bench import Bench
from leap import Leap
from power import Supply
from world import World

FOLDER = bench_rig.ROOT / "boards" / "sim" / "faceplate" / "page"


@pytest.fixture
def bench():
    return bench_rig.make_bench()


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


def exchange(bench, data, piece=1024, folder=FOLDER):
    """Status, headers in small letters, and body of the answer to these bytes."""
    writer = Writer()
    asyncio.run(server.Server(bench, str(folder))._serve(Reader(data, piece), writer))
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


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        ("/", "index.html", "text/html"),
        ("/index.html", "index.html", "text/html"),
        ("/main.js", "main.js", "text/javascript"),
        ("/style.css", "style.css", "text/css"),
    ],
)
def test_the_page_and_its_type(bench, path, name, kind):
    status, head, body = exchange(bench, request("GET", path))
    assert status == 200
    assert f"content-type: {kind}; charset=utf-8" in head
    assert body == (FOLDER / name).read_bytes()


def test_a_file_is_sent_again_only_when_it_changed(bench, tmp_path):
    file = tmp_path / "main.js"
    file.write_text("1")
    head = exchange(bench, request("GET", "/main.js"), folder=tmp_path)[1]
    assert "cache-control: no-cache" in head
    tag = head.split("etag: ")[1].split("\r\n")[0]
    again = request("GET", "/main.js", extra=f"If-None-Match: {tag}\r\n")
    status, head, body = exchange(bench, again, folder=tmp_path)
    assert (status, body) == (304, b"")
    assert tag in head
    file.write_text("12")
    assert exchange(bench, again, folder=tmp_path)[::2] == (200, b"12")


@pytest.mark.parametrize(
    "path", ["/../server.py", "/..", "//etc/passwd", "/page", "/.", "/%2e%2e/api.py", "/main.py"]
)
def test_no_path_leads_out_of_the_folder(bench, tmp_path, path):
    (tmp_path / "main.py").write_text("secret")
    assert exchange(bench, request("GET", path), folder=tmp_path)[0] == 404


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


@pytest.mark.parametrize(
    ("origin", "lent"),
    [
        ("http://127.0.0.1:8081", True),
        ("http://localhost:8080", True),
        ("http://localhost", True),
        ("http://localhost.evil.example", False),
        ("http://evil.example:8080", False),
        ("http://127.0.0.1:80/../evil", False),
        ("https://127.0.0.1:8080", False),
        ("null", False),
    ],
)
def test_pages_of_meters_nearby_may_look_and_nothing_more(bench, origin, lent):
    asked = request("GET", "/api/ports", extra=f"Origin: {origin}\r\n")
    status, head, _ = exchange(bench, asked)
    assert status == 200
    assert (f"access-control-allow-origin: {origin}\r\n" in head) is lent
    assert ("access-control" in head) is lent
    wanted = request("POST", "/api/rate", b'{"rate": 7}', extra=f"Origin: {origin}\r\n")
    status, head, body = exchange(bench, wanted)
    assert status == 403
    assert "own page" in json.loads(body)["error"]
    assert "access-control" not in head
    assert timeline.rate == 1


@pytest.mark.parametrize(("path", "wanted"), [("/api/quantities", 503), ("/api/nothing", 404)])
def test_pages_of_meters_nearby_may_read_why_there_is_no_answer(bench, capsys, path, wanted):
    bench.processor.meter = None
    asked = request("GET", path, extra="Origin: http://127.0.0.1:8081\r\n")
    status, head, body = exchange(bench, asked)
    assert status == wanted
    assert json.loads(body)["error"]
    assert "access-control-allow-origin: http://127.0.0.1:8081\r\n" in head
    assert capsys.readouterr().out == ""  # a meter that is off is no fault of the simulation's


def test_the_meters_own_page_may_change_things(bench):
    own = request("POST", "/api/rate", b'{"rate": 7}', extra="Origin: http://x\r\n")
    assert exchange(bench, own)[0] == 200  # the host is x
    assert timeline.rate == 7


def test_a_client_that_says_nothing_gets_nothing(bench):
    assert exchange(bench, b"")[0] == 0


def test_a_query_is_ignored(bench):
    assert exchange(bench, b"GET /api/ports?%zz=1&b HTTP/1.0\r\n\r\n")[0] == 200


@given(st.binary(max_size=300))
def test_garbage_is_answered_or_dropped(data):
    world = World("1ph")
    supply = Supply()
    bench = Bench(world, Leap(world, "auto"), bench_rig.Processor(supply), {}, {})
    status, _, body = exchange(bench, data)
    assert status in (0, 400, 404, 405, 413)
    assert not body or json.loads(body)["error"]


def test_too_many_clients_are_told_so(bench):
    busy = server.Server(bench, str(FOLDER))
    busy.clients = 1000
    writer = Writer()
    asyncio.run(busy._serve(Reader(request("GET", "/"), 1024), writer))
    assert b" 503 " in writer.sent
    assert busy.clients == 1000
