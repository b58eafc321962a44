"""`tools/year.py` from outside: the year of the models runs, what cannot be is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*options):
    command = [sys.executable, str(ROOT / "tools" / "year.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_days_of_the_models_run_and_end_well():
    done = run("--days", "2", "--seed", "11")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("seed 11\n")
    assert done.stdout.rstrip().endswith("all right")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--days", "1"], "--days must be 2 or more, with --meter 1"),
        (["--resume"], "--state and --resume go with --meter"),
        (["--meter", "--resume"], "--resume with --state"),
        (["--clock", "--state", "x"], "--state and --resume go with --meter"),
        (["--meter", "--state", "x", "--resume", "--days", "3"], "no --days, --seed, --from"),
        (["--meter", "--from", "2025-01-01"], "the plan is that of 2026"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, words):
    done = run(*options)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_folder_without_a_year_and_one_with_another_are_told(tmp_path):
    done = run("--meter", "--resume", "--state", str(tmp_path))
    assert done.returncode == 2
    assert "holds no year to resume" in done.stderr
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "year.pickle").write_bytes(b"no pickle")
    done = run("--meter", "--resume", "--state", str(tmp_path))
    assert done.returncode == 2
    assert "holds no year to resume" in done.stderr
    done = run("--meter", "--days", "1", "--state", str(tmp_path))
    assert done.returncode == 2
    assert "holds a year: --resume goes on with it" in done.stderr
