"""Frame files in place of the mains: scale, rate, channels, the end, and every broken file."""

import json
import struct
import sys
from array import array
from pathlib import Path

import pytest

SIM = str(Path(__file__).resolve().parents[2] / "boards" / "sim")
if SIM not in sys.path:
    sys.path.append(SIM)

import sensors
from replay import FrameFileError, Replay

CHANNELS = sensors.channels("3ph")
HEADER = {
    "format": "frames-1",
    "rate_hz": 4000,
    "channels": ["u1", "i1", "u2", "i2", "u3", "i3"],
    "u_volt_per_lsb": [1e-4, 2e-4, 3e-4],
    "i_ampere_per_lsb": [1e-6, 2e-6, 3e-6],
}


def write(path, codes, **changes):
    header = {key: value for key, value in {**HEADER, **changes}.items() if value is not None}
    body = struct.pack(f"<{len(codes)}i", *codes)
    path.write_bytes(json.dumps(header).encode() + b"\n" + body)
    return str(path)


def open_it(path, model="3ph"):
    return Replay(str(path), sensors.channels(model), sensors.scale(model))


def frames_of(replay, first, count):
    out = array("i", [99] * (len(replay.channels) * count))
    replay.samples(out, first, count)
    width = len(replay.channels)
    return [list(out[k * width : (k + 1) * width]) for k in range(count)]


def test_a_recording_begins_with_the_first_frame_that_is_captured(tmp_path):
    codes = [1 + k * 10 + c for k in range(3) for c in range(6)]
    replay = open_it(write(tmp_path / "a", codes))
    replay.begin(100)
    nothing = [0] * 7
    assert frames_of(replay, 98, 2) == [nothing, nothing]
    frames = frames_of(replay, 98, 7)
    assert frames[:2] == [nothing, nothing]
    assert [frame[0] for frame in frames] == [0, 0, 1, 11, 21, 0, 0]
    replay.begin(200)  # the capture starts again after a reset: the recording has gone on
    assert [frame[0] for frame in frames_of(replay, 101, 3)] == [11, 21, 0]


def test_frames_come_in_order_and_zero_after_the_end(tmp_path):
    codes = [k * 10 + c for k in range(5) for c in range(6)]
    replay = open_it(write(tmp_path / "a", codes))
    assert frames_of(replay, 0, 2) == [[0, 1, 2, 3, 4, 5, 0], [10, 11, 12, 13, 14, 15, 0]]
    assert frames_of(replay, 2, 5) == [
        [20, 21, 22, 23, 24, 25, 0],
        [30, 31, 32, 33, 34, 35, 0],
        [40, 41, 42, 43, 44, 45, 0],
        [0] * 7,
        [0] * 7,
    ]
    assert frames_of(replay, 1, 1) == [[10, 11, 12, 13, 14, 15, 0]]
    assert frames_of(replay, 1000, 1) == [[0] * 7]
    assert not replay.ended(4)
    assert replay.ended(5)


def test_a_long_file_is_read_in_blocks(tmp_path):
    codes = [(k * 7 + c) % 1000 - 500 for k in range(2000) for c in range(6)]
    replay = open_it(write(tmp_path / "a", codes))
    got = []
    for first in range(0, 2000, 125):
        got += frames_of(replay, first, 125)
    assert [value for frame in got for value in frame[:6]] == codes
    got = frames_of(replay, 0, 2000)
    assert [value for frame in got for value in frame[:6]] == codes


def test_fewer_channels_and_another_order(tmp_path):
    path = write(
        tmp_path / "a",
        [1, 2, 3, 4],
        channels=["i2", "u1"],
        u_volt_per_lsb=[0.5],
        i_ampere_per_lsb=[0.25],
    )
    replay = open_it(path)
    assert frames_of(replay, 0, 2) == [[2, 0, 0, 1, 0, 0, 0], [4, 0, 0, 3, 0, 0, 0]]
    assert replay.scale.u_pv_per_lsb[0] == 500_000_000_000
    assert replay.scale.i_pa_per_lsb[1] == 250_000_000_000
    assert replay.scale.u_pv_per_lsb[1] == sensors.scale("3ph").u_pv_per_lsb[1]


def test_the_header_is_the_sensors_truth(tmp_path):
    replay = open_it(write(tmp_path / "a", [0] * 6, rate_hz=30707.244140625))
    assert replay.rate_mhz == 30_707_244
    assert replay.scale.u_pv_per_lsb == [100_000_000, 200_000_000, 300_000_000]
    assert replay.scale.i_pa_per_lsb[:3] == [1_000_000, 2_000_000, 3_000_000]
    assert replay.scale.keep_dc
    assert not replay.header.uncalibrated
    assert open_it(write(tmp_path / "b", [0] * 6, uncalibrated=True)).header.uncalibrated


def test_the_neutral_channel_has_the_last_current_scale(tmp_path):
    path = write(
        tmp_path / "a",
        [5, 6, 7],
        channels=["u1", "i1", "in"],
        u_volt_per_lsb=[1],
        i_ampere_per_lsb=[2, 3],
    )
    replay = open_it(path, "1ph")
    assert frames_of(replay, 0, 1) == [[5, 6, 7]]
    assert replay.scale.i_pa_per_lsb == [2_000_000_000_000, 3_000_000_000_000]


BAD_HEADERS = [
    ({"format": "frames-2"}, "frames-1"),
    ({"format": None}, "frames-1"),
    ({"rate_hz": 99}, "rate_hz must lie from 100"),
    ({"rate_hz": 200001}, "rate_hz must lie"),
    ({"rate_hz": "4000"}, "rate_hz must be a number"),
    ({"rate_hz": float("nan")}, "rate_hz must lie"),
    ({"rate_hz": None}, "rate_hz is missing"),
    ({"channels": "u1"}, "channels must be a list"),
    ({"channels": []}, "channels is empty"),
    ({"channels": ["u4"]}, "channel u4"),
    ({"channels": [1]}, "channel 1"),
    ({"channels": ["u1", "u1"]}, "twice"),
    ({"channels": None}, "channels is missing"),
    ({"u_volt_per_lsb": [1, 1]}, "2 factors for 3"),
    ({"u_volt_per_lsb": [1, 0, 1]}, "above zero"),
    ({"u_volt_per_lsb": [1, -1, 1]}, "u_volt_per_lsb[1] must lie"),
    ({"i_ampere_per_lsb": [1, 1, "1"]}, "i_ampere_per_lsb[2] must be a number"),
    ({"i_ampere_per_lsb": [1, 1, float("inf")]}, "i_ampere_per_lsb[2] must lie"),
    ({"i_ampere_per_lsb": None}, "i_ampere_per_lsb is missing"),
    ({"uncalibrated": 1}, "uncalibrated must be true or false"),
    ({"colour": "red"}, "unknown key colour"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_HEADERS)
def test_a_wrong_header_is_refused_in_words(tmp_path, changes, words):
    path = write(tmp_path / "a", [0] * 6, **changes)
    with pytest.raises(FrameFileError) as error:
        open_it(path)
    assert words in str(error.value)
    assert str(error.value).startswith(path)


BAD_FILES = [
    (b"", "no first line"),
    (b"{}", "no first line"),
    (b"\n", "not JSON"),
    (b"[]\n", "must be a JSON object"),
    (b"{broken}\n", "not JSON"),
    (b"\xff\xfe\x80\n", "not JSON"),
    (b"x" * 100000, "no first line"),
    (json.dumps(HEADER).encode() + b"\n", "no frames"),
    (json.dumps(HEADER).encode() + b"\n" + bytes(23), "middle of frame 0"),
    (json.dumps(HEADER).encode() + b"\n" + bytes(24 * 3 + 1), "middle of frame 3"),
]


@pytest.mark.parametrize(("content", "words"), BAD_FILES)
def test_a_broken_file_is_refused_in_words(tmp_path, content, words):
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(FrameFileError) as error:
        open_it(path)
    assert words in str(error.value)


@pytest.mark.parametrize("code", [8_388_608, -8_388_609, 2**31 - 1, -(2**31)])
def test_a_code_beyond_24_bits_is_named(tmp_path, code):
    codes = [0] * 6 * 700
    codes[6 * 612 + 3] = code
    with pytest.raises(FrameFileError) as error:
        open_it(write(tmp_path / "a", codes))
    assert f"frame 612, i2: {code} does not fit in 24 bits" in str(error.value)


def test_the_largest_codes_are_taken(tmp_path):
    codes = [8_388_607, -8_388_608, 0, 0, 0, 0]
    assert frames_of(open_it(write(tmp_path / "a", codes)), 0, 1)[0][:2] == codes[:2]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match="nothing"):
        open_it(tmp_path / "nothing")


def test_a_channel_that_the_meter_has_not(tmp_path):
    with pytest.raises(FrameFileError, match="channel u2 is none of u1, i1, in"):
        open_it(write(tmp_path / "a", [0] * 6), "1ph")
