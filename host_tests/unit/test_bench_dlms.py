"""The parts of `make bench` that measure the DLMS server: they run, and count what they should."""

import sys

import pytest


@pytest.fixture(scope="module")
def bench(root):
    sys.path.insert(0, str(root / "tools"))
    import bench_dlms

    yield bench_dlms
    sys.path.remove(str(root / "tools"))


def test_the_repaired_python_server_answers_what_ours_does(bench):
    assert bench.gurux_server.plain_us(5) > 0  # which compares the octets
    assert bench.gurux_server.ciphering_us(2) > 0


@pytest.mark.parametrize("kind", ["plain", "ciphered"])
def test_our_server_is_measured_on_both_interpreters(bench, kind):
    for python in (False, True):
        _, arguments = bench.command(python)
        printed, _ = bench.run([*arguments, kind, "20"])
        assert float(printed.split()[-1]) > 0


def test_a_list_read_over_hdlc_is_whole_in_frames_of_every_size(bench):
    _, arguments = bench.command(False)
    contents = set()
    counts = []
    for size in (128, 2030):
        to_meter, from_meter, content, frames, _ = map(
            int, bench.run([*arguments, "line", str(size)])[0].split()
        )
        assert from_meter > content > to_meter
        contents.add(content)
        counts.append(frames)
    assert len(contents) == 1
    assert counts[0] > counts[1]
