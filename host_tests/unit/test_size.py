"""Weighing the firmware (tools/size.py): the baseline file and what counts as growth."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import size


def test_baseline_is_written_and_read_back(tmp_path):
    path = tmp_path / "baseline.txt"
    size.write_baseline({"metrology": 9000, "app/cosem": 31000, "top": 12}, path)
    assert size.read_baseline(path) == {"app/cosem": 31000, "metrology": 9000, "top": 12}
    assert size.read_baseline(tmp_path / "missing.txt") == {}


@pytest.mark.parametrize("line", ["metrology", "metrology x", "metrology -4", "a 1 2"])
def test_a_broken_baseline_line_is_named(tmp_path, line):
    path = tmp_path / "baseline.txt"
    path.write_text("# remark\napp 3\n" + line + "\n")
    with pytest.raises(size.SizeError, match="line 3"):
        size.read_baseline(path)


def test_one_percent_more_passes_and_more_than_that_does_not():
    baseline = {"app": 100000, "top": 100}
    assert size.compare({"app": 101000, "top": 100}, baseline) == []
    assert size.compare({"app": 80000, "top": 164}, baseline) == []
    assert size.compare({"app": 101001, "top": 100}, baseline)[0].startswith("app grew")
    assert size.compare({"app": 80000, "top": 165}, baseline)[0].startswith("top grew")
    assert size.compare({"app": 100, "new": 5}, baseline) == ["new is not in size_baseline.txt"]


def test_the_whole_has_a_limit_of_its_own():
    sizes = {"app": size.LIMIT_BYTES, "top": 1}
    assert "exceed the limit" in size.compare(sizes, dict(sizes))[0]


def test_packages_are_folders_below_firmware():
    assert size.package_of(size.FIRMWARE / "hal.py") == "top"
    assert size.package_of(size.FIRMWARE / "app" / "storage" / "map.py") == "app/storage"
