"""The Makefile's words: what is misspelled is said, what the shell has for itself is not taken."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="no make")


def make(*words, flag="-n", **environment):
    """What `make` would do: status, and all that it says."""
    # of the make that runs these tests
    others = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", flag, *words], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**others, **environment},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_board_and_its_port_are_handed_on():
    status, said = make("flash", "BOARD=pico_meter", "PORT=/dev/tty A", "ARGS=--fitted mine.py")
    assert status == 0
    assert "tools/flash.py 'pico_meter' --port '/dev/tty A' --fitted mine.py" in said


def test_a_misspelled_variable_is_named_with_those_that_there_are():
    status, said = make("flash", "BOARDS=pico_meter")
    assert status and "there is no BOARDS=, only" in said and "BOARD=" in said
    assert "flash.py" not in said


def test_the_help_names_the_words_that_targets_take():
    _, said = make("help", flag="-s")
    for word in ("BOARD=", "PORT=", "HOST=", "ARGS="):
        assert f"\n   {word}" in said


def test_a_target_that_there_is_not_leads_to_the_help():
    # said by a recipe, which -n prints
    assert "there is no 'flash-it'; make help lists what there is" in make("flash-it")[1]


def test_board_and_port_of_the_environment_mean_something_else():
    _, said = make("flash", BOARD="PYBV11", PORT="8080", PATH=os.environ["PATH"])
    assert "PYBV11" not in said and "8080" not in said
