"""`make accuracy` with --host: a person at a virtual meter, played by a script."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")
pytest.importorskip("gurux_dlms")

import accuracy
import accuracy_host as host
import running_meter


class Person:
    """Does what the program asks, at the virtual meter's bench, and reads a wrong reference."""

    def __init__(self, meter, reading):
        self.meter = meter
        self.reading = reading
        self.said = ""

    def hears(self, text):
        """Act once a prompt is complete."""
        self.said += text
        if self.said.endswith("q to end: "):
            point = self.said.rsplit("[", 1)[1]
            volts, amperes, degrees = (
                float(point.split(unit)[0].split()[-1]) for unit in (" V,", " A,", " degrees")
            )
            mains = {"f": 50, "phases": [{"u": volts, "i": amperes, "phi_deg": degrees}]}
            self.meter.call("/api/mains", mains)
            self.meter.call("/api/advance", {"seconds": 1.5})  # windows of the mains before pass
            return "\n"
        if self.said.endswith("since Enter): "):
            power = self.meter.call("/api/quantities", None)["p_total"]
            return self.reading(power) + "\n"
        return ""


@pytest.fixture(scope="module")
def meter():
    if not running_meter.LAUNCHER.exists():
        pytest.skip("run `make setup` first")
    with running_meter.RunningMeter("--model", "1ph", "--rate", "0") as one:
        yield one


def sweep(meter, tmp_path, reading, points):
    """Run the program with a person who ends after `points` readings; status and words."""
    command = [sys.executable, str(ROOT / "tools" / "accuracy.py"), "--quick", "--model", "1ph"]
    command += ["--class", "1", "--seconds", "0.6", "--out", str(tmp_path)]
    command += ["--host", f"127.0.0.1:{meter.cosem_port}"]
    left = [points]

    def limited(power):
        left[0] -= 1
        return reading(power)

    person = Person(meter, limited)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        try:
            while octets := process.stdout.read(1):
                answer = person.hears(octets.decode())
                if answer == "\n" and left[0] == 0:
                    answer = "q\n"
                process.stdin.write(answer.encode())
            return process.wait(120), person.said
        finally:
            process.kill()


def test_readings_that_agree_pass(meter, tmp_path):
    status, said = sweep(meter, tmp_path, lambda power: f"{power:.4f}", 3)
    assert status == 0, said
    assert said.count("error ") >= 3
    assert "IEC 62053-21 class 1 (required): pass" in said
    assert "a real meter" in said.lower()
    page = (tmp_path / "accuracy.html").read_text()
    assert "reference readings typed in" in page
    assert page.count("<svg") >= 1


def test_a_reference_that_disagrees_fails(meter, tmp_path):
    status, said = sweep(meter, tmp_path, lambda power: f"{power / 1.03:.4f} W", 2)
    assert status == 1, said
    assert "FAIL  load" in said
    assert "error +3.0" in said


def test_nobody_there_ends_with_2(tmp_path, capsys):
    options = ["--model", "1ph", "--out", str(tmp_path), "--host"]
    assert accuracy.main([*options, "127.0.0.1:1"]) == 2
    assert "127.0.0.1:1: " in capsys.readouterr().err
    assert accuracy.main([*options, "nowhere:x"]) == 2
    assert "no address with a port" in capsys.readouterr().err
    assert accuracy.main([*options[:-1], "--serial", "/dev/ttyNONE"]) == 2
    assert "/dev/ttyNONE: there is no such port" in capsys.readouterr().err


def test_a_wrong_password_ends_with_2(meter, tmp_path, capsys):
    options = ["--model", "1ph", "--out", str(tmp_path), "--password", "87654321"]
    assert accuracy.main([*options, "--host", f"127.0.0.1:{meter.cosem_port}"]) == 2
    assert "does not let us in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("1150.2\n", (1150.2, False)),
        ("1150,2 W\n", (1150.2, False)),
        ("38.25wh\n", (38.25, True)),
        ("38.25 Wh\n", (38.25, True)),
        ("x\n0\nnan\n5 kW\n12\n", (12.0, False)),
        ("s\n", None),
    ],
)
def test_readings_as_they_are_typed(typed, expected, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert host.Bench(input, 1).reference(False) == expected


def test_the_end_of_input_ends_the_sweep():
    def ask(text):
        raise EOFError

    with pytest.raises(host.QuitError):
        host.Bench(ask, 1).set_up("x")
