"""`make measure` (tools/measure.py) on recordings made here, against sums over their samples."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

np = pytest.importorskip("numpy")  # not part of what the oldest interpreters test with
pytest.importorskip("matplotlib")

import frames
import interpreter
import measure

KEYS = ["u", "i", "p", "q", "s", "pf", "f", "thd_u", "thd_i", "p_total", "energy_wh"]
SQRT2 = 2**0.5


def wave(rms, f_hz, rate_hz, count, degrees=0.0, harmonics=(), dc=0.0):
    """Sine of `rms` with harmonics (order, ratio, degrees) and DC."""
    turn = 2 * np.pi * f_hz * np.arange(count) / rate_hz
    result = np.full(count, float(dc))
    for order, ratio, shift in ((1, 1.0, degrees), *harmonics):
        result += rms * ratio * SQRT2 * np.sin(order * turn + np.radians(shift))
    return result


def write_csv(path, rate_hz, channels):
    names = list(channels)
    lines = [",".join(["t", *names])]
    for k in range(len(channels[names[0]])):
        cells = [f"{k / rate_hz:.9f}"] + [f"{channels[name][k]:.7g}" for name in names]
        lines.append(",".join(cells))
    path.write_text("\n".join(lines) + "\n")
    return path


def run(path, *options):
    """Measure through the command line, as `make measure` does."""
    assert measure.main([str(path), "--no-picture", *options]) == 0
    return json.loads(path.with_name(path.name + ".measured.json").read_text())


def close(value, expected, part):
    return abs(value - expected) <= part * abs(expected)


def check_whole(result, channels, rate_hz, part=2e-6):
    """U, I, P, S and net energy are of every sample, DC and all."""
    phases = len(result["u"])
    total_wh = 0.0
    for n in range(phases):
        u, i = channels[f"u{n + 1}"], channels[f"i{n + 1}"]
        u_rms, i_rms, p = np.sqrt(np.mean(u * u)), np.sqrt(np.mean(i * i)), np.mean(u * i)
        assert close(result["u"][n], u_rms, part)
        assert close(result["i"][n], i_rms, part)
        assert close(result["s"][n], u_rms * i_rms, 2 * part)
        assert abs(result["p"][n] - p) <= 2 * part * u_rms * i_rms
        assert abs(result["pf"][n] - p / (u_rms * i_rms)) <= 3e-6
        total_wh += np.sum(u * i) / rate_hz / 3600
    assert close(result["p_total"], sum(result["p"]), 1e-6)
    energies = result["energy_wh"]
    assert abs(energies["1.8.0"] - energies["2.8.0"] - total_wh) <= 1e-5 * abs(total_wh) + 1e-8
    assert close(energies["16.8.0"], total_wh, 2e-5)


@pytest.mark.row("MET-25")
def test_three_phases_with_harmonics_and_dc(tmp_path):
    rate_hz, count, f_hz = 4000, 4321, 49.87
    third = ((3, 0.10, 0),)
    channels = {}
    for n, (u_rms, i_rms, lag) in enumerate(((230, 5, 60), (228, 10, -36.87), (233, 0.5, 0))):
        shift = -120 * n
        channels[f"u{n + 1}"] = wave(u_rms, f_hz, rate_hz, count, shift, third, dc=0.5)
        fifth_of_i = ((5, 0.40, 25),)
        channels[f"i{n + 1}"] = wave(i_rms, f_hz, rate_hz, count, shift - lag, fifth_of_i, dc=0.02)
    result = run(write_csv(tmp_path / "a.csv", rate_hz, channels))
    assert list(result) == KEYS
    check_whole(result, channels, rate_hz)
    assert result["f"] == pytest.approx(f_hz, abs=1e-3)
    expected_q = [230 * 5 * np.sin(np.radians(60)), -228 * 10 * np.sin(np.radians(36.87)), 0]
    for n, apparent in enumerate((1150, 2280, 116.5)):
        assert abs(result["q"][n] - expected_q[n]) < 2e-4 * apparent
        assert result["thd_u"][n] == pytest.approx(10, abs=0.1)
        assert result["thd_i"][n] == pytest.approx(40, abs=0.1)


@pytest.mark.parametrize("start", [0, 77, 180, 301])
def test_four_cycles_of_60_hz_with_24_samples_each(tmp_path, start):
    rate_hz, count = 1440, 96
    third = ((3, 0.2, 10),)
    channels = {
        "u1": wave(120, 60, rate_hz, count, start, dc=-0.3),
        "i1": wave(15, 60, rate_hz, count, start - 30, third, dc=0.1),
    }
    result = run(write_csv(tmp_path / "short.csv", rate_hz, channels))
    check_whole(result, channels, rate_hz)
    assert len(result["u"]) == 1
    assert result["f"] == pytest.approx(60, abs=0.02)
    assert result["q"][0] == pytest.approx(120 * 15 * 0.5, rel=1e-3)
    assert result["thd_i"][0] == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("start", [20, 110, 200, 290])
@pytest.mark.parametrize(("f_hz", "cycles"), [(47.0, 3.4), (50.0, 3.02), (62.5, 11.7), (50.3, 14)])
def test_odd_lengths_and_frequencies(tmp_path, f_hz, cycles, start):
    rate_hz = 8000
    count = round(cycles * rate_hz / f_hz)
    channels = {
        "u1": wave(230, f_hz, rate_hz, count, start),
        "i1": wave(2, f_hz, rate_hz, count, start - 45),
    }
    result = run(write_csv(tmp_path / "odd.csv", rate_hz, channels))
    check_whole(result, channels, rate_hz)
    assert result["f"] == pytest.approx(f_hz, rel=2e-4)
    assert result["q"][0] == pytest.approx(460 * np.sin(np.radians(45)), rel=5e-3)


def test_frame_file_of_primary_values_and_export(tmp_path):
    rate_hz, count = 3200, 3200
    channels = {}
    for n in range(3):
        channels[f"u{n + 1}"] = wave(63500, 50, rate_hz, count, -120 * n)
        channels[f"i{n + 1}"] = wave(800, 50, rate_hz, count, 160 - 120 * n)
    header, samples = frames.quantise(channels, rate_hz)
    frames.write(tmp_path / "plant.frames", header, samples)
    result = run(tmp_path / "plant.frames")
    check_whole(result, channels, rate_hz)
    apparent = 3 * 63500 * 800
    expected = -apparent * np.cos(np.radians(20)) / 3600
    assert result["energy_wh"]["2.8.0"] == pytest.approx(-expected, rel=1e-5)
    assert result["energy_wh"]["1.8.0"] == 0
    assert result["energy_wh"]["10.8.0"] == pytest.approx(apparent / 3600, rel=1e-3)


def test_small_signals_of_a_sensor(tmp_path):
    rate_hz, count = 4000, 2000
    channels = {
        "u1": wave(0.7, 50, rate_hz, count),
        "i1": wave(0.003, 50, rate_hz, count, -10),
    }
    check_whole(run(write_csv(tmp_path / "small.csv", rate_hz, channels)), channels, rate_hz)


def test_two_phases(tmp_path):
    rate_hz, count = 4000, 2400
    channels = {}
    for n in range(2):
        channels[f"u{n + 1}"] = wave(120, 60, rate_hz, count, 180 * n)
        channels[f"i{n + 1}"] = wave(20 + n, 60, rate_hz, count, 180 * n - 15)
    result = run(write_csv(tmp_path / "split.csv", rate_hz, channels))
    check_whole(result, channels, rate_hz)
    assert len(result["thd_i"]) == 2


def test_voltage_on_the_last_phase_only(tmp_path):
    rate_hz, count = 4000, 8000
    channels = {f"{kind}{n}": np.zeros(count) for n in (1, 2, 3) for kind in "ui"}
    channels["u3"] = wave(230, 50, rate_hz, count)
    channels["i3"] = wave(6, 50, rate_hz, count, -60)
    result = run(write_csv(tmp_path / "one.csv", rate_hz, channels))
    assert result["u"][2] == pytest.approx(230, rel=1e-5)
    assert result["p"][:2] == [0, 0]
    assert result["p_total"] == pytest.approx(690, rel=1e-4)
    assert result["f"] == pytest.approx(50, abs=1e-3)


def test_no_voltage_gives_zeros_and_a_note(tmp_path, capsys):
    rate_hz, count = 4000, 4000
    channels = {"u1": np.zeros(count), "i1": np.zeros(count)}
    result = run(write_csv(tmp_path / "dead.csv", rate_hz, channels))
    assert "no voltage" in capsys.readouterr().out
    assert result["f"] == result["p_total"] == 0
    for key in ("u", "i", "p", "q", "s", "thd_u", "thd_i"):
        assert result[key] == [0]
    assert set(result["energy_wh"].values()) == {0}


def test_current_without_voltage_is_still_measured(tmp_path):
    rate_hz, count = 4000, 4000
    channels = {"u1": np.zeros(count), "i1": wave(5, 50, rate_hz, count)}
    result = run(write_csv(tmp_path / "i.csv", rate_hz, channels))
    assert result["i"][0] == pytest.approx(5, rel=1e-5)


def test_dc_is_kept_unless_told_otherwise(tmp_path):
    rate_hz, count = 4000, 4000
    channels = {
        "u1": wave(230, 50, rate_hz, count, dc=30),
        "i1": wave(5, 50, rate_hz, count, -60, dc=-2),
    }
    path = write_csv(tmp_path / "dc.csv", rate_hz, channels)
    kept = run(path)
    check_whole(kept, channels, rate_hz)
    removed = run(path, "--ac")
    assert removed["u"][0] == pytest.approx(230, rel=1e-5)
    assert removed["i"][0] == pytest.approx(5, rel=1e-5)
    assert removed["p"][0] == pytest.approx(575, rel=1e-5)
    assert kept["p"][0] == pytest.approx(575 - 60, rel=1e-4)


def test_cpython_runs_the_same_code_to_the_same_numbers(tmp_path, monkeypatch, capsys):
    rate_hz, count = 4000, 1300
    channels = {
        "u1": wave(230, 50.1, rate_hz, count, 20, ((7, 0.05, 0),)),
        "i1": wave(5, 50.1, rate_hz, count, -40, ((3, 0.3, 0),)),
    }
    path = write_csv(tmp_path / "x.csv", rate_hz, channels)
    if not interpreter.choose().micropython:
        pytest.skip("no MicroPython here to compare with")
    usual = run(path)
    slow = interpreter._cpython("CPython runs the meter")
    monkeypatch.setattr(interpreter, "choose", lambda: slow)
    assert run(path) == usual
    assert "note: CPython runs the meter" in capsys.readouterr().out


def test_table_picture_and_json_are_written_beside_the_recording(tmp_path, capsys):
    rate_hz, count = 2000, 800
    channels = {
        "u1": wave(230, 50, rate_hz, count),
        "i1": wave(5, 50, rate_hz, count, -60),
    }
    path = write_csv(tmp_path / "load.csv", rate_hz, channels)
    assert measure.main([str(path)]) == 0
    told = capsys.readouterr().out
    for text in (
        "load.csv: 800 samples, 2000 Hz, 0.4 s",
        "U [V]",
        "1.8.0",
        "load.csv.measured.png",
    ):
        assert text in told
    assert (tmp_path / "load.csv.measured.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert list(json.loads((tmp_path / "load.csv.measured.json").read_text())) == KEYS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,u1,i1\n0,1,x\n", "line 2, column i1"),
        ("", "empty"),
        ("{}\n", "only 'frames-1' is known"),
        ('{"format": "frames-1"}\n', "rate_hz is not a number"),
        ("t,u1,i1\n" + "".join(f"{k / 300},1,1\n" for k in range(900)), "at least 500"),
        ("t,u1,i1\n" + "".join(f"{k / 90000},1,1\n" for k in range(9000)), "at most 32000"),
        ("t,u1,i1\n" + "".join(f"{k / 4000},1,1\n" for k in range(100)), "at least 200"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(tmp_path, capsys, text, message):
    path = tmp_path / "bad"
    path.write_text(text)
    assert measure.main([str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not list(tmp_path.glob("*.measured.*"))


def test_a_missing_file_and_a_folder_are_said_in_one_line(tmp_path, capsys):
    for path in (tmp_path / "none.csv", tmp_path):
        assert measure.main([str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
