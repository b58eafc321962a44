"""Recordings as text (tools/measure_csv.py): forms that are read, and faults that are named."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

np = pytest.importorskip("numpy")  # not part of what the oldest interpreters test with

import measure_csv


def read(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "recording.csv"
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return measure_csv.read(path)


def lines(count, step=0.00025, form="{t:.6f},{u},{i}"):
    return "\n".join(form.format(t=k * step, u=k * 1.5, i=-k) for k in range(count)) + "\n"


def test_plain_recording(tmp_path):
    rate_hz, channels, left_out = read(tmp_path, "t,u1,i1\n" + lines(40))
    assert rate_hz == pytest.approx(4000, rel=1e-9)
    assert channels["u1"].tolist() == [k * 1.5 for k in range(40)]
    assert channels["i1"].tolist() == [-k for k in range(40)]
    assert left_out == []


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("t;u1;i1", "{t:.6f};{u};{i}"),
        ("t\tu1\ti1", "{t:.6f}\t{u}\t{i}"),
        (' "Time [s]" ; "U1 [V]" ; "I1 (A)" ', " {t:.6f} ; {u} ; {i} "),
        ("# a comment\n\nT , U1 , I1", "{t:.6f} , {u:+.3e} , {i}  "),
        ("t,u1,i1,", "{t:.6f},{u},{i},"),
        ("\ufefft,u1,i1", "{t:.6f},{u},{i}\n% remark"),
    ],
)
def test_usual_variations_give_the_same_samples(tmp_path, header, form):
    rate_hz, channels, _ = read(tmp_path, header + "\n" + lines(40, form=form))
    assert rate_hz == pytest.approx(4000, rel=1e-9)
    assert channels["u1"].tolist() == [k * 1.5 for k in range(40)]


def test_decimal_comma_with_semicolons(tmp_path):
    text = "t;u1;i1\n" + lines(40, form="{t:.6f};{u};{i}").replace(".", ",")
    assert read(tmp_path, text)[1]["u1"][1] == 1.5


def test_columns_in_any_order_and_unknown_ones_are_left_out(tmp_path):
    form = "{i},7,{t:.6f},{u}"
    _, channels, left_out = read(tmp_path, "i1,temp,t,u1\n" + lines(9, form=form))
    assert channels["u1"][2] == 3.0
    assert left_out == ["temp"]
    assert list(channels) == ["u1", "i1"]


def test_coarse_time_stamps_pass(tmp_path):
    rate_hz, _, _ = read(tmp_path, "t,u1,i1\n" + lines(4001, 1 / 7000, "{t:.5f},{u},{i}"))
    assert rate_hz == pytest.approx(7000, rel=2e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("u1\n1\n", "names no columns"),
        ("u1,i1\n1,2\n", "column t is missing"),
        ("0,1,2\n1,2,3\n", "column t, u1, i1 is missing"),
        ("t,u1\n0,1\n", "column i1 is missing"),
        ("t,u1,i1,u2\n", "column i2 is missing, u2 is there"),
        ("t,u1,i1,i3\n", "column u3 is missing, i3 is there"),
        ("t,u1,i1,u3,i3\n", "u2 and i2 are missing"),
        ("t,u1,i1,u1\n", "column u1 is named twice"),
        ("t,u1,i1\n", "too few samples: 0"),
        ("t,u1,i1\n0,1,2\n1,2,3\n", "too few samples: 2"),
        ("t,u1,i1\n0,1,2\n1,x7,3\n", "line 3, column u1: 'x7' is not a number"),
        ("t,u1,i1\n0,1,2\n\n1,2,\n", "line 4, column i1: '' is not a number"),
        ("t,u1,i1\n0,nan,2\n", "line 2, column u1: nan is not a finite number"),
        ("t,u1,i1\n0,1,1e999\n", "line 2, column i1: 1e999 is not a finite number"),
        ("t,u1,i1\n0,1\n", "line 2: 2 columns, the header has 3"),
        ("t,u1,i1\n0,1,2,3,4\n", "line 2: 5 columns"),
        ("t,u1,i1\n0,0,0\n0,0,0\n0,0,0\n", "time does not rise"),
        ("t,u1,i1\n3,0,0\n2,0,0\n1,0,0\n", "time does not rise"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path, text, message):
    with pytest.raises(measure_csv.CsvError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_missing_sample_is_found(tmp_path):
    rows = lines(200).splitlines(keepends=True)
    del rows[100]
    with pytest.raises(measure_csv.CsvError, match=r"line 102: time step 0\.0005 s"):
        read(tmp_path, "t,u1,i1\n" + "".join(rows))


def test_a_doubled_sample_is_found(tmp_path):
    rows = lines(200).splitlines(keepends=True)
    rows.insert(50, rows[50])
    with pytest.raises(measure_csv.CsvError, match=r"line 53: time step 0 s"):
        read(tmp_path, "t,u1,i1\n" + "".join(rows))


def test_a_drifting_rate_is_found(tmp_path):
    text = "".join(f"{k * 0.00025 + k * k * 1e-8},1,2\n" for k in range(2000))
    with pytest.raises(measure_csv.CsvError, match=r"off an even spacing|time step"):
        read(tmp_path, "t,u1,i1\n" + text)


def test_binary_data_is_refused(tmp_path):
    with pytest.raises(measure_csv.CsvError, match="not a text file"):
        read(tmp_path, b"t,u1,i1\n0,1,\xff\xfe\n")


def test_progress_is_told_on_long_recordings(tmp_path):
    told = []
    path = tmp_path / "long.csv"
    path.write_text("t,u1,i1\n" + lines(100001, 0.001))
    measure_csv.read(path, told.append)
    assert told == [100000]
