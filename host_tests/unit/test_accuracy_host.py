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
    command = [sys.executable, str(ROOT / "tools" / "accuracy.py"), "--quick"]
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
    assert said.startswith("1ph, 1 x 230 V, 50 Hz, 5 (100) A: "), "as the meter says of itself"
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


def test_a_class_that_the_meter_cannot_be_of_is_said_once_it_has_told(meter, tmp_path, capsys):
    where = ["--host", f"127.0.0.1:{meter.cosem_port}", "--out", str(tmp_path)]
    assert accuracy.main(["--class", "0.5S", *where]) == 2
    assert "class 0.5S is for transformer meters, 1ph is a direct one" in capsys.readouterr().err


class Told:
    """A link to a meter that says it was built as that."""

    def __init__(self, told):
        self.told = told

    def __enter__(self):
        return self

    def link(self):
        return self

    name = "the meter"

    def get(self, class_id, code, index):
        assert (class_id, code, index) == (1, "0-0:128.0.0", 2)
        if self.told is None:
            raise host.Refused(code, "object undefined")
        return self.told


@pytest.mark.parametrize(
    ("told", "model", "maximum", "expected", "note"),
    [
        ([b"ct", 3, 230, 50], "", 0, ("ct", 3, 230, 50, 10), ""),
        (["1ph", 1, 120, 60], "", 60, ("1ph", 1, 120, 60, 60), ""),
        ([b"1ph", 1, 230, 50], "3ph", 0, ("3ph", 3, 230, 50, 120), "says it is a 1ph; measured a"),
        ([b"twin", 1, 230, 50], "1ph", 0, ("1ph", 1, 230, 50, 100), "says it is a twin; measured"),
        (None, "ct", 0, ("ct", 3, 230, 50, 10), ""),
        (7, "1ph", 0, ("1ph", 1, 230, 50, 100), ""),
    ],
)
def test_a_meter_is_what_it_says_unless_the_person_says_otherwise(
    told, model, maximum, expected, note, capsys
):
    plate = host.Reader(Told(told)).plate(model, maximum)
    found = plate.model, plate.phases, plate.voltage_v, plate.frequency_hz, plate.maximum_a
    assert found == expected
    assert note in capsys.readouterr().out


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        (None, r"the meter does not say what it is \(0-0:128.0.0\): say --model"),
        ([b"3ph", 3], "does not say what it is"),
        ([b"twin", 1, 230, 50], "'twin', for which there are no test points; --model 3ph or 1ph"),
        ([b"\xff", 1, 230, 50], "no test points"),
    ],
)
def test_a_meter_that_is_nothing_known_is_asked_about(told, complaint):
    with pytest.raises(host.AccuracyError, match=complaint):
        host.Reader(Told(told)).plate("", 0)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--host", "x", "--model", "1ph", "--model", "ct"], "a real meter is one --model"),
        (["--maximum", "60"], "--maximum is of a real meter"),
        (["--host", "x", "--maximum", "0"], "Imax is more than 5 A"),
        (["--host", "x", "--maximum", "all"], "Imax is more than 5 A"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, complaint, capsys):
    with pytest.raises(SystemExit):
        accuracy.parse(options)
    assert complaint in capsys.readouterr().err


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
