"""Frame files (tools/frames.py): written and read back, and every way to be broken."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

np = pytest.importorskip("numpy")  # not part of what the oldest interpreters test with

import frames

THREE = frames.Header(
    4000, ["u1", "i1", "u2", "i2", "u3", "i3"], [5e-5, 6e-5, 7e-5], [1e-5, 2e-5, 3e-5]
)
HEADER = {
    "format": "frames-1",
    "rate_hz": 4000,
    "channels": ["u1", "i1"],
    "u_volt_per_lsb": [5e-5],
    "i_ampere_per_lsb": [1e-5],
}


def file_of(tmp_path, header, body=b"\x01\x00\x00\x00\xff\xff\xff\xff"):
    path = tmp_path / "x.frames"
    line = header if isinstance(header, bytes) else json.dumps(header).encode() + b"\n"
    path.write_bytes(line + body)
    return path


def test_what_is_written_is_read_back(tmp_path):
    samples = np.arange(-30, 30, dtype=np.int32).reshape(10, 6)
    samples[3] = [frames.CODE_MIN, frames.CODE_MAX, 0, -1, 1, 77]
    frames.write(tmp_path / "a", THREE, samples)
    header, again = frames.read(tmp_path / "a")
    assert header == THREE
    assert (again == samples).all()
    assert header.phases() == [1, 2, 3]
    assert header.scale_of("u3") == 7e-5
    assert header.scale_of("i2") == 2e-5


def test_the_file_is_one_line_of_json_and_little_endian_words(tmp_path):
    header = frames.Header(8000.5, ["u1", "i1"], [1e-4], [1e-5], uncalibrated=True)
    frames.write(tmp_path / "a", header, np.array([[1, -2], [256, 3]]))
    line, body = (tmp_path / "a").read_bytes().split(b"\n", 1)
    assert json.loads(line) == {
        "format": "frames-1",
        "rate_hz": 8000.5,
        "channels": ["u1", "i1"],
        "u_volt_per_lsb": [1e-4],
        "i_ampere_per_lsb": [1e-5],
        "uncalibrated": True,
    }
    assert body == bytes.fromhex("01000000 feffffff 00010000 03000000")


def test_reads_raw_words_and_signs(tmp_path):
    _, samples = frames.read(file_of(tmp_path, HEADER))
    assert samples.tolist() == [[1, -1]]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"format": "frames-2"}, "only 'frames-1' is known"),
        ({"format": None}, "only 'frames-1' is known"),
        ({"rate_hz": 0}, "rate_hz is 0"),
        ({"rate_hz": -4000}, "above zero"),
        ({"rate_hz": float("nan")}, "not finite"),
        ({"rate_hz": "4000"}, "not a number"),
        ({"rate_hz": True}, "not a number"),
        ({"rate_hz": 1e9}, "at most"),
        ({"channels": []}, "channels is missing"),
        ({"channels": "u1i1"}, "not a list"),
        ({"channels": ["u1", "i9"]}, "unknown channel 'i9'"),
        ({"channels": ["u1", 3]}, "unknown channel 3"),
        ({"channels": ["u1", "u1"]}, "listed twice"),
        ({"channels": ["u1", "i2"]}, "phase 1 needs both"),
        ({"channels": ["u2", "i2"]}, "start at u1"),
        ({"u_volt_per_lsb": [0]}, r"u_volt_per_lsb\[0\] is 0"),
        ({"u_volt_per_lsb": [-5e-5]}, "above zero"),
        ({"i_ampere_per_lsb": [float("inf")]}, "not finite"),
        ({"i_ampere_per_lsb": [1, 2]}, "2 factors for 1 channels"),
        ({"i_ampere_per_lsb": 1}, "not a list"),
        ({"uncalibrated": 1}, "neither true nor false"),
    ],
)
def test_a_wrong_header_is_named(tmp_path, change, text):
    with pytest.raises(frames.FrameFileError, match=text) as caught:
        frames.read(file_of(tmp_path, {**HEADER, **change}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "empty"),
        (b"{", "not ended by a newline"),
        (b"no json\n", "not a line of JSON"),
        (b"[1]\n", "not a JSON object"),
        (b"\xff\xfe\n", "not a line of JSON"),
        (b"{" + b" " * 70000, "too long"),
    ],
)
def test_a_broken_header_line_is_named(tmp_path, raw, text):
    with pytest.raises(frames.FrameFileError, match=text):
        frames.read(file_of(tmp_path, raw, b""))


def test_a_cut_frame_and_a_missing_body_are_named(tmp_path):
    with pytest.raises(frames.FrameFileError, match="3 of 8 bytes after frame 0"):
        frames.read(file_of(tmp_path, HEADER, bytes(11)))
    with pytest.raises(frames.FrameFileError, match="no frames"):
        frames.read(file_of(tmp_path, HEADER, b""))


@pytest.mark.parametrize("code", [1 << 23, -(1 << 23) - 1, 2**31 - 1, -(2**31)])
def test_codes_beyond_24_bits_are_named_by_frame_and_channel(tmp_path, code):
    body = np.array([[0, 0], [0, code]], dtype="<i4").tobytes()
    with pytest.raises(frames.FrameFileError, match=r"frame 1, channel i1: .* 24 bits"):
        frames.read(file_of(tmp_path, HEADER, body))


@given(peak=st.floats(1e-6, 1e6), seed=st.integers(0, 2**32 - 1))
def test_quantised_waves_come_back_within_a_ten_millionth(peak, seed):
    wave = peak * np.random.default_rng(seed).uniform(-1, 1, 50)
    wave[7] = -peak
    header, samples = frames.quantise({"u1": wave, "i1": np.zeros(50)}, 4000)
    frames.check_codes(header, samples)
    error = np.abs(samples[:, 0] * header.u_volt_per_lsb[0] - wave).max()
    assert error <= header.u_volt_per_lsb[0] * 0.501
    assert header.u_volt_per_lsb[0] <= peak * 1.28e-7 + 1.001e-12
    assert not samples[:, 1].any()
