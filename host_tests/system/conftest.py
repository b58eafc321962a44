"""The running virtual meter, as anyone outside has it: a launcher, ports and an HTTP API.

`meter` is one meter shared by the whole session: a test leaves it as it would like to find it, and
relies on differences instead of absolute energies. `start_meter` gives a test meters of its own.
`wired` is `meter` for tests that use its ports only; with --host or --serial (`make test-sim
HOST=...` or `PORT=...`) it is a real meter (real_meter.py), and all others are skipped.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))  # clients.py stands beside the tests
sys.path.insert(0, str(ROOT / "tools"))

import meter_options
import real_meter
from running_meter import LAUNCHER, free_ports, lost_a_port

PORTS = ("cosem", "rs485", "optical", "p1", "mbus", "modem")
START_TIMEOUT_S = 300  # the first start compiles everything, and others may, too
STOP_TIMEOUT_S = 180
CALL_TIMEOUT_S = 600  # of a day that passes at once
NOON = ("--time", "2026-03-02T12:00:00")  # no midnight, end of a month or summer time is near


class _Options:
    """pytest's options as argparse's."""

    def __init__(self, group):
        self.add_argument = group.addoption


def pytest_addoption(parser):
    group = parser.getgroup("a real meter instead of the virtual one")
    meter_options.add(_Options(group), None)
    group.addoption(
        "--change", action="store_true", help="run tests that change what the meter keeps, too"
    )


def pytest_configure(config):
    if not config.option.collectonly:
        real_meter.take(config.option)
    if real_meter.given:
        config.option.reportchars = "fE"  # hundreds are skipped, for three reasons


def pytest_report_header():
    if real_meter.given:
        return f"meter: {real_meter.given.name} at {real_meter.given.place.name}"
    return None


def pytest_runtest_setup(item):
    real_meter.look_before(item)


def pytest_runtest_logreport(report):
    if real_meter.given and report.failed:
        real_meter.given.doubted = True


def pytest_terminal_summary(terminalreporter):
    if real_meter.given:
        for line in real_meter.summary(terminalreporter.stats.get("skipped", ())):
            terminalreporter.write_line(line)


def pytest_unconfigure():
    if real_meter.given:
        real_meter.given.close()


class VirtualMeter:
    """One virtual meter: a process, its state folder, its addresses; it begins at `NOON`."""

    def __init__(self, state, options=()):
        self.state = state
        self.options = list(options)
        self.lines = []
        self._process = None
        self._known = False  # where it is: then it stays there
        self._place()

    def _place(self):
        base = free_ports(len(PORTS) + 1)
        self.ports = {name: base + offset for offset, name in enumerate(PORTS)}
        self.http = base + len(PORTS)
        self.url = f"http://127.0.0.1:{self.http}"

    def start(self, *options):
        """Start the meter and wait until it says `ready`; `options` are for this start only."""
        real_meter.needs_bench()
        assert LAUNCHER.exists(), "run `make setup` first"
        if not self._start(options) and not self._known and lost_a_port(self.lines):
            self._place()
            self._start(options)
        if "ready" not in self.lines:
            self.kill()
            raise AssertionError("the meter did not get ready:\n" + "\n".join(self.lines))
        self._known = True
        return self

    def _time(self, options):
        """The time of a clock that knows none: ours may be anything, five to midnight, too."""
        told = (*self.options, *options)
        known = "--time" in told or ("--fresh" not in told and (self.state / "rtc.bin").exists())
        return () if known else NOON

    def _start(self, options):
        """Start the process; True once it is ready, False if it ended or takes too long."""
        command = [str(LAUNCHER), "--ports", str(self.ports["cosem"]), "--http", str(self.http)]
        command += ["--state", str(self.state), *self._time(options), *self.options, *options]
        ready, self.lines = threading.Event(), []
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        )
        heard = (self._process, self.lines, ready)
        threading.Thread(target=_listen, args=heard, daemon=True).start()
        return ready.wait(START_TIMEOUT_S) and "ready" in self.lines

    def stop(self):
        """Ask the meter to end, as Ctrl-C or a service manager would; return its status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_TIMEOUT_S)

    def kill(self):
        """End the meter without a warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)

    def cpu_s(self):
        """Processor time that the meter's interpreter has used; a busy machine adds nothing."""
        own = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        fields = Path(f"/proc/{own.split()[0]}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def running(self):
        return self._process is not None and self._process.poll() is None

    def get(self, path):
        """GET of the API, decoded."""
        return self._call(urllib.request.Request(self.url + path))

    def post(self, path, **body):
        """POST of the API, decoded."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        return self._call(request)

    def _call(self, request):
        try:
            with urllib.request.urlopen(request, timeout=CALL_TIMEOUT_S) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code} {error.read().decode()}") from None


def _listen(process, lines, ready):
    """Keep what a meter says, until it ends."""
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if lines[-1] == "ready":
            ready.set()
    ready.set()


@pytest.fixture
def start_meter(tmp_path):
    """`start_meter("--rate", "0")`: a fresh meter of the test's own, ended after it."""
    meters = []

    def start(*options, state=None):
        meter = VirtualMeter(state or tmp_path / f"state{len(meters)}", options)
        meters.append(meter)
        return meter.start()

    yield start
    for meter in meters:
        if meter.running():
            meter.stop()


@pytest.fixture(scope="session")
def meter(tmp_path_factory):
    """The shared meter: three phases, fresh from the factory, running at rate 1."""
    shared = VirtualMeter(tmp_path_factory.mktemp("meter") / "state").start()
    yield shared
    assert shared.stop() == 0


@pytest.fixture(scope="session")
def wired(request):
    """A meter with ports and nothing else: the real one, or the shared virtual one."""
    return real_meter.given or request.getfixturevalue("meter")


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; where there is none, or nothing to drive it, the test is skipped."""
    from browser import NoBrowserError, open_browser

    try:
        with open_browser() as opened:
            yield opened
    except NoBrowserError as error:
        pytest.skip(str(error))


@pytest.fixture
def visit(browser):
    """`visit(meter, "/meters.html", size=(390, 844))`: windows that are closed after the test.

    No window may have asked anybody but its meters, nor have complained in its console; a test
    that expects complaints takes them out.
    """
    from visitor import Visitor

    visitors = []

    def open_window(meter, *arguments, **options):
        visitors.append(Visitor(browser, meter, *arguments, **options))
        return visitors[-1]

    yield open_window
    for visitor in visitors:
        visitor.close()
    for visitor in visitors:
        assert visitor.strangers == []
        assert visitor.complaints == []


@pytest.fixture(scope="module")
def window(browser):
    """`window(meter)`: the one window of a file, opened by its first test, judged after each."""
    from visitor import Visitor

    opened = {}

    def look(meter, path=""):
        if path not in opened:
            opened[path] = Visitor(browser, meter, path)
        return opened[path]

    yield look
    for visitor in opened.values():
        visitor.close()


@pytest.fixture
def judged():
    """`judged(visitor)`: after the test, the visitor's page must have behaved."""
    visitors = []
    yield lambda visitor: visitors.append(visitor) or visitor
    for visitor in visitors:
        assert visitor.strangers == []
        complaints, visitor.complaints = visitor.complaints, []
        assert complaints == []


@pytest.fixture(scope="session")
def sights(tmp_path_factory):
    """A meter whose mains are disturbed and looked at; its time stands still unless asked."""
    meter = VirtualMeter(
        tmp_path_factory.mktemp("sights") / "state",
        ["--rate", "0", "--time", "2027-03-01T21:30:00"],
    ).start()
    meter.post("/api/advance", seconds=1000)
    yield meter
    assert meter.stop() == 0


@pytest.fixture
def bench(sights):
    """That meter, its time standing still, an hour or more before midnight."""
    sights.post("/api/rate", rate=0)
    today = sights.get("/api/day")
    left_s = today["length_s"] - today["now_s"]
    if left_s < 3600:
        sights.post("/api/advance", seconds=left_s + 60)
    return sights


@pytest.fixture(scope="session")
def theatre(tmp_path_factory):
    """The meter on which all scenes are played."""
    from mains_scenes import Stage  # its clients are not everybody's

    shared = VirtualMeter(tmp_path_factory.mktemp("scenes") / "state", ["--rate", "0"])
    shared.start("--time", "2026-03-02T12:00:00")
    shared.post("/api/advance", seconds=10)
    yield Stage(shared)
    assert shared.stop() == 0


@pytest.fixture
def stage(theatre):
    """A scene begins (mains_scenes.py)."""
    theatre.begin()
    return theatre
