"""`make device-test BOARD=sim` as its user has it: which line tells a chip's fault, and how."""

import subprocess
import sys

import pytest
import real_meter
from conftest import ROOT

# Chip, fault and when: the line that fails and what it says.
FAULTS = {
    "fram:dead": ("fram", "identity ffff"),
    "fram:stuck": ("fram", "does not keep what is written"),
    "fram:protect": ("fram", "status"),
    "flash:dead": ("flash", "no answer"),
    "flash:stuck": ("flash", "does not keep what is written"),
    "flash:protect": ("flash", "status"),
    "flash:busy": ("flash", "stays busy"),
    "rtc:dead": ("clock", "no answer"),
    "rtc:garbage": ("clock", "no BCD"),
    "adc:dead": ("adc", "identity ffff"),
    "adc:stuck": ("ch 6", "noise 0 LSB"),
    "adc:drdy_stuck": ("adc", "no frames come"),
    "adc:crc_error:count=50:after_ms=3000": ("adc", " wrong"),
    "adc:brown_out:after_ms=3000": ("adc", " lost"),
    "processor:capture_stops:after_ms=3000": ("adc", "no frames come"),
    "disconnector:stuck": ("coils", "does not open"),
}


def report(*options):
    """Status, what each line says, and what follows the lines."""
    real_meter.needs_bench()
    command = [sys.executable, str(ROOT / "tools" / "device_test.py"), "sim", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    before, end, after = done.stdout.partition("device test done\n")
    assert end, done.stdout + done.stderr
    lines = {
        line[:10].strip(): (line[11:21].strip(), line[22:]) for line in before.splitlines()[1:]
    }
    return done.returncode, lines, after


def test_a_sound_board_fails_nowhere_and_says_nothing_else():
    status, lines, after = report("--switch")
    assert status == 0
    assert not [part for part, (state, _) in lines.items() if state == "FAILED"]
    good = {"heap", "cpu", "fram", "flash", "clock", "cell", "mains", "coils", "adc"}
    assert {part for part, (state, _) in lines.items() if state == "good"} == good
    assert "ready" not in lines, "nobody is told the addresses of a meter that does not run"
    assert "What to do" not in after


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_chip_is_told_as_that_chip_with_what_to_do(fault):
    part, text = FAULTS[fault]
    status, lines, after = report("--switch", "--fault", fault)
    assert status == 1
    failed = {name for name, (state, _) in lines.items() if state == "FAILED"}
    family = {part} if not part.startswith("ch ") else {f"ch {word}" for word in range(7)}
    assert failed == family
    assert text in lines[part][1]
    advice = after.partition("What to do:\n")[2]
    assert advice.startswith(f"  {part.split(' ')[0]}: ")


def test_a_clock_that_stood_still_is_told_how_to_be_set():
    status, lines, after = report("--fault", "rtc:oscillator_stop")
    assert status == 0
    assert lines["clock"][0] == "look"
    assert "make flash, which sets a clock without a time" in after.replace("\n    ", " ")


def test_a_fault_that_there_is_not_is_refused():
    command = [sys.executable, str(ROOT / "tools" / "device_test.py"), "sim", "--fault", "fram:no"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert "fram has no fault 'no', only bit_flip" in done.stderr
