"""The simulation on CPython: command line, chip files, and the on-target tests once more.

Virtual time must not get into pytest's own process, so whatever needs it runs in one of its own.
"""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
SIM = str(ROOT / "boards" / "sim")
if SIM not in sys.path:
    sys.path.append(SIM)

import chipfile
import host
import options

EPOCH_2000_S = 946684800
FIRST = datetime(2000, 1, 1)


class TestOptions:
    def test_defaults(self):
        """As the contract's table has them."""
        found = options.parse([])
        assert (found.host, found.ports, found.http) == ("127.0.0.1", 4059, 8080)
        assert (found.model, found.state, found.fresh) == ("3ph", ".state/3ph", False)
        assert (found.time_s, found.rate, found.detail) == (None, 1, "auto")
        assert (found.replay, found.seed, found.glass) == (None, 1, "st7567")

    def test_all(self, tmp_path):
        recording = tmp_path / "r.bin"
        recording.write_bytes(b"{}")
        found = options.parse(
            ["--host", "0.0.0.0", "--ports=5000", "--http", "0", "--model", "1ph"]
            + ["--state", str(tmp_path) + "/", "--fresh", "--rate", "0", "--detail", "windows"]
            + ["--replay", str(recording), "--seed", "77", "--time", "2026-01-31T23:59:50"]
            + ["--glass", "ht1622"]
        )
        assert (found.host, found.ports, found.http, found.model) == ("0.0.0.0", 5000, 0, "1ph")
        assert (found.state, found.fresh, found.rate) == (str(tmp_path), True, 0)
        assert (found.detail, found.replay, found.seed) == ("windows", str(recording), 77)
        assert found.glass == "ht1622"
        assert found.time_s == 1769903990 - EPOCH_2000_S  # date -u -d 2026-01-31T23:59:50 +%s

    def test_state_follows_the_model(self):
        assert options.parse(["--model", "ct"]).state == ".state/ct"

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--nonsense"],
            ["stray"],
            ["--ports"],
            ["--ports", "x"],
            ["--ports", "0"],
            ["--ports", "65531"],
            ["--ports", "50" * 10],
            ["--http", "-1"],
            ["--http", "65536"],
            ["--http", "4061"],
            ["--model", "2ph"],
            ["--model", ""],
            ["--glass", "ht1623"],
            ["--detail", "some"],
            ["--rate", "-1"],
            ["--rate", "fast"],
            ["--rate", "nan"],
            ["--rate", "inf"],
            ["--rate", "1e9"],
            ["--rate", ""],
            ["--seed", "1.5"],
            ["--seed", "-1"],
            ["--time", "yesterday"],
            ["--time", "2026-02-29T00:00:00"],
            ["--time", "2026-01-31 23:59:50"],
            ["--time", "2026-01-31T24:00:00"],
            ["--time", "1999-12-31T23:59:59"],
            ["--time", "2100-01-01T00:00:00"],
            ["--replay", "/does/not/exist"],
            ["--replay", "/"],
            ["--state", ""],
            ["--host", "no such host"],
            ["--fresh=yes"],
        ],
    )
    def test_wrong(self, arguments):
        with pytest.raises(options.OptionError) as caught:
            options.parse(arguments)
        assert "\n" not in str(caught.value)
        assert arguments[0].split("=")[0] in str(caught.value)

    @given(st.datetimes(FIRST, datetime(2099, 12, 31, 23, 59, 59)))
    def test_time(self, moment):
        text = moment.strftime("%Y-%m-%dT%H:%M:%S")
        seconds = int((moment.replace(microsecond=0) - FIRST).total_seconds())
        assert options.parse_time(text) == seconds
        assert options.parse_time(text + "Z") == seconds

    @given(st.text(max_size=25))
    def test_time_garbage(self, text):
        try:
            options.parse_time(text)
        except ValueError:
            pass


class TestChipFile:
    def test_new_is_erased(self, tmp_path):
        path = tmp_path / "chip.bin"
        chip = chipfile.ChipFile(str(path), 10_000)
        assert path.read_bytes() == b"\xff" * 10_000
        assert chip.read(9_998, 2) == b"\xff\xff"
        assert not (tmp_path / "chip.bin.new").exists()

    def test_written_through(self, tmp_path):
        path = tmp_path / "chip.bin"
        chip = chipfile.ChipFile(str(path), 100)
        chip.write(98, b"ab")
        chip.write(0, memoryview(b"xyz")[1:])
        assert path.read_bytes() == b"yz" + b"\xff" * 96 + b"ab"  # while it is still open
        assert chipfile.ChipFile(str(path), 100).read(98, 2) == b"ab"
        assert chipfile.ChipFile(str(path), 100, fresh=True).read(98, 2) == b"\xff\xff"

    @pytest.mark.parametrize(("offset", "count"), [(-1, 1), (100, 1), (99, 2), (0, 101)])
    def test_outside(self, tmp_path, offset, count):
        chip = chipfile.ChipFile(str(tmp_path / "chip.bin"), 100)
        with pytest.raises(ValueError, match="outside the chip"):
            chip.read(offset, count)
        with pytest.raises(ValueError, match="outside the chip"):
            chip.write(offset, bytes(count))

    def test_wrong_size(self, tmp_path):
        path = tmp_path / "chip.bin"
        path.write_bytes(bytes(99))
        with pytest.raises(chipfile.ChipFileError, match=r"99 bytes.*100.*--fresh"):
            chipfile.ChipFile(str(path), 100)
        assert chipfile.ChipFile(str(path), 100, fresh=True).read(0, 1) == b"\xff"

    def test_unusable(self, tmp_path):
        with pytest.raises(chipfile.ChipFileError, match="cannot be used"):
            chipfile.ChipFile(str(tmp_path / "none" / "chip.bin"), 100)
        (tmp_path / "folder").mkdir()
        with pytest.raises(chipfile.ChipFileError):
            chipfile.ChipFile(str(tmp_path / "folder"), 100)

    def test_clock_runs_on(self, tmp_path, monkeypatch):
        path = str(tmp_path / "rtc.bin")
        now_s = [1000]
        monkeypatch.setattr(host, "utc_s", lambda: now_s[0])
        first = chipfile.ClockFile(path, 64)
        assert first.blank
        assert first.away_s == 0
        first.write(0, b"registers")
        first.close()
        now_s[0] = 1077
        second = chipfile.ClockFile(path, 64)
        assert second.away_s == 77
        assert second.read(0, 9) == b"registers"
        second.stamp()
        now_s[0] = 900  # the host's clock was set back
        assert chipfile.ClockFile(path, 64).away_s == 0


def run_sim(*arguments):
    command = [sys.executable, str(ROOT / "boards" / "sim" / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


class TestProgram:
    def test_help(self):
        done = run_sim("--help")
        assert done.returncode == 0
        for option in ("--host", "--ports", "--http", "--model", "--state", "--fresh", "--time"):
            assert option in done.stdout
        for option in ("--rate", "--detail", "--replay", "--seed", "--heap", "--glass"):
            assert option in done.stdout

    def test_wrong_option(self):
        done = run_sim("--rate", "often")
        assert done.returncode == 2
        assert "virtual-meter: --rate often: not a number\n" in done.stderr
        assert "Traceback" not in done.stderr

    def test_broken_recording(self, tmp_path):
        recording = tmp_path / "broken.frames"
        recording.write_bytes(b"no json\n" + bytes(100))
        done = run_sim("--replay", str(recording), "--state", str(tmp_path / "s"), "--http", "0")
        assert done.returncode == 2
        assert str(recording) in done.stderr
        assert "Traceback" not in done.stderr

    def test_corrupt_chip_file(self, tmp_path):
        (tmp_path / "fram.bin").write_bytes(bytes(17))
        done = run_sim("--state", str(tmp_path), "--http", "0")
        assert done.returncode == 1
        assert "fram.bin has 17 bytes" in done.stderr
        assert "Traceback" not in done.stderr

    def test_state_is_a_file(self, tmp_path):
        (tmp_path / "file").write_bytes(b"")
        done = run_sim("--state", str(tmp_path / "file" / "x"), "--http", "0")
        assert done.returncode == 1
        assert "--state" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["time", "machine", "processor", "ports"])
def test_on_cpython(name):
    """The same scripts that MicroPython runs on target prove the fallback."""
    script = ROOT / "host_tests" / "on_target" / f"test_sim_{name}.py"
    runner = ROOT / "host_tests" / "shims" / "cpython.py"
    done = subprocess.run(
        [sys.executable, str(runner), str(script)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith(" 0 failed")
