"""A meter as it stands on somebody's bench: known by an address or a serial device, nothing else.

The meter is a virtual one; the programs are not told. What they say when the line is wrong, mute
or pulled is as much a part of it as what they do when all is well.
"""

import subprocess
import sys
from pathlib import Path

import meter_link
import meter_place
import pytest
from serial_line import SerialLine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PATIENCE_S = 300


def command(*words):
    return [sys.executable, *map(str, words)]


def run(*words):
    """Run a program to its end; (status, what it says)."""
    done = subprocess.run(
        command(*words), capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=ROOT
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def cases(*words):
    """Run some of the tests at the meter that the options name."""
    return run("-m", "pytest", "-p", "no:cacheprovider", *words)


@pytest.fixture
def cable(meter):
    """`cable("rs485")`: a serial device that leads to a port of the meter, at the meter's rate."""
    laid = []

    def lay(port):
        laid.append(SerialLine(meter.ports[port], lambda: meter.get("/api/ports")[port]["baud"]))
        return laid[-1]

    yield lay
    for one in laid:
        one.close()


@pytest.fixture(autouse=True)
def for_virtual_ones_only(meter):
    """This plays the real meter itself."""


def test_cases_over_the_network_and_those_that_change_nothing_unasked(meter):
    files = (HERE / "test_conformance_appl.py", HERE / "test_dlms_clients.py")
    some = ("-k", "open_1_declared or open_3 or a_wrong_password")
    at = ("--host", f"127.0.0.1:{meter.ports['cosem']}")
    status, said = cases(*files, *some, *at)
    assert status == 0, said
    assert "meter: FRS" in said
    assert "2 passed" in said, "open_1 twice, nothing that is logged"
    assert "needs the virtual meter" in said and "needs the meter's rs485 port" in said
    assert "4 changes what the meter keeps; CHANGE=1" in said
    status, said = cases(*files, *some, "--change", *at)
    assert status == 0 and "4 passed" in said, said


def test_cases_over_a_serial_line(cable):
    line = cable("rs485")
    status, said = run("tools/conformance.py", "HDLC", "--serial", line.name)
    assert "FRAME_P1" in said and "23 cases" in said
    assert status == 0 and "none bad" in said, said
    assert line.noise == 0


def test_the_optical_head_is_signed_on_at_and_its_rates_are_kept(cable, meter):
    line = cable("optical")
    options = ("--serial", line.name, "--optical")
    files = (HERE / "test_optical.py", HERE / "test_dlms_clients.py")
    status, said = cases(*files, "-k", "mode_e or directly or public", *options)
    assert status == 0 and "3 passed" in said, said
    # breaks of five octets that follow HDLC, while the rates differ: one a test at most
    assert line.noise in (0, 5, 10, 15)
    assert meter.get("/api/ports")["optical"]["baud"] == 300


@pytest.mark.parametrize("kind", [meter_place.WRAPPER, meter_place.RS485])
def test_a_silence_in_which_the_meter_hung_up_costs_nothing(meter, monkeypatch, kind):
    monkeypatch.setattr(meter_link, "_SILENCE_S", 0.0)
    with meter_place.Place(kind, port=meter.ports[kind]).link() as link:
        name = link.read("0-0:42.0.0")
        meter.post("/api/advance", seconds=300)  # its patience is 180 s, 120 s on the bus
        assert link.read("0-0:42.0.0") == name


def test_what_is_wrong_with_the_line_is_said(meter, cable):
    for options, words in (
        (("--serial", "/dev/ttyNONE"), "/dev/ttyNONE: there is no such port"),
        (("--host", "127.0.0.1:1"), "127.0.0.1:1: Connection refused"),
        (("--host", "127.0.0.1:x"), "is no address with a port"),
        (("--host", f"127.0.0.1:{meter.ports['cosem']}", "--password", "x"), "does not let us in"),
        (("--serial", cable("optical").name), "no answer at 9600 baud"),  # not signed on
    ):
        status, said = run("tools/read_meter.py", *options)
        assert (status, words in said) == (2, True), said
    status, said = cases(HERE / "test_interop.py", "--serial", "/dev/ttyNONE")
    assert status == 2 and "there is no such port" in said and "passed" not in said


def test_a_cable_that_is_pulled_ends_the_run(cable):
    line = cable("rs485")
    words = command(
        "-m", "pytest", "-v", "-p", "no:cacheprovider", HERE / "test_conformance_hdlc.py",
        "--serial", line.name,
    )  # fmt: skip
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as process:
        said = ""
        while "PASSED" not in said:
            octets = process.stdout.readline()
            assert octets, said
            said += octets
        line.close()
        said += process.communicate(timeout=PATIENCE_S)[0]
    assert process.returncode == 2, said
    assert "the line to the meter is lost: " in said


def test_a_meter_is_read_and_timed_by_its_own_list(cable):
    at = ("--serial", cable("rs485").name)
    status, said = run("tools/read_meter.py", "1-0:32.7.0", "0-0:42.0.0", *at)
    assert status == 0, said
    assert " V\n" in said and "L1 Voltage" in said and "FRS103" in said
    status, said = run("tools/read_meter.py", *at)  # everything, past values as well
    assert status == 0 and len(said.splitlines()) > 600, said
    status, said = run("tools/read_meter.py", "9-9:9.9.9", *at)
    assert status == 1 and "9-9:9.9.9 is not in the meter's list" in said
    status, said = run("tools/bench_dlms.py", *at)
    assert status == 0 and "GET of the device name, 100 times" in said, said


class Person:
    """Somebody who sits at a source and answers a program's questions."""

    def __init__(self, process):
        self._process = process
        self.said = ""

    def hears(self, words):
        begin = len(self.said)
        while not self.said[begin:].endswith(words):
            octets = self._process.stdout.read(1)
            assert octets, self.said
            self.said += octets.decode()
        return self.said[begin:]

    def types(self, words):
        self._process.stdin.write(words.encode() + b"\n")


def test_accuracy_over_a_serial_line_that_fails_in_the_middle(meter, cable, tmp_path):
    phase = {"u": 230, "i": 5, "phi_deg": 0, "u_harmonics": {}, "i_harmonics": {}}
    meter.post("/api/mains", f=50.0, phases=[phase] * 3)
    meter.post("/api/advance", seconds=2)
    power_w = meter.get("/api/quantities")["p_total"]
    line = cable("rs485")
    words = command(
        ROOT / "tools" / "accuracy.py", "--quick", "--model", "3ph", "--class", "1",
        "--seconds", "0", "--out", tmp_path, "--serial", line.name,
    )  # fmt: skip
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    ) as process:
        person = Person(process)
        person.hears("q to end: ")
        person.types("")
        person.hears("since Enter): ")
        person.types(f"{power_w:.3f}")
        assert "error " in person.hears("q to end: ")
        line.close()
        person.types("")
        told = person.hears("q to end: ")
        assert line.name in told and "Enter to try again" in told
        person.types("q")
        person.said += process.stdout.read().decode()
        assert process.wait(PATIENCE_S) == 0, person.said
    assert "class 1 (required): pass" in person.said
    assert f"A real meter at {line.name} (rs485)" in (tmp_path / "accuracy.html").read_text()
