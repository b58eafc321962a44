"""The device test on parts that answer, that are missing and that fail, and its tool."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
sys.path.append(str(Path(__file__).parent))

pytest.importorskip("mpremote", reason="`make setup` installs it")

import board_link
import device_test as tool
from board_list import named
from device_rig import FREE_SECTOR, Clock, Fram, Line, Parts, Port
from pretend_board import MICROPYTHON, PretendBoard, be_patient

from app import device_test
from app.device_test import ABSENT, FAILED, GOOD, LOOK, DeviceTest
from app.display import test_report, words
from app.storage import regions


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """MicroPython's asyncio and clock on CPython's, and spans short enough for a test."""
    for name, value in (
        ("sleep_ms", Clock.sleep_ms),
        ("wait_for_ms", Clock.wait_for_ms),
        ("TimeoutError", asyncio.TimeoutError),
    ):
        monkeypatch.setattr(asyncio, name, value, raising=False)
    monkeypatch.setattr(time, "sleep_ms", lambda _ms: None, raising=False)
    monkeypatch.setattr(time, "ticks_us", lambda: Clock.us, raising=False)
    monkeypatch.setattr(time, "ticks_diff", lambda later, sooner: later - sooner, raising=False)
    monkeypatch.setattr(device_test, "_SPAN_US", 200_000)
    monkeypatch.setattr(device_test, "_SETTLE_US", 20_000)
    monkeypatch.setattr(device_test.gc, "mem_free", lambda: 50_000, raising=False)


def lines_of(parts, **how):
    found = {}
    test = DeviceTest(parts, lambda part, state, text: found.__setitem__(part, (state, text)))
    asyncio.run(test.bench(how.get("switch", False), how.get("keys_s", 0)))
    assert test.done
    assert test.lines == [(part, state) for part, (state, _) in found.items()]
    return found


def test_a_sound_board_has_a_line_for_each_part_and_keeps_what_its_memory_held():
    parts = Parts()
    found = lines_of(parts, switch=True)
    good = {"heap", "cpu", "fram", "flash", "clock", "mains", "optic", "adc"}
    assert {part for part, (state, _) in found.items() if state == GOOD} == good | {"coils"}
    assert found["cell"] == (ABSENT, "")
    assert found["fram"][1] == "256 KB"
    assert found["clock"][1] == "21 C"
    levels = "scroll 1, reset 1, terminals 1, cover 1, magnet 1, lock 1, in1 0, in2 1"
    assert found["input"] == (LOOK, levels)
    assert found["rs485"] == (LOOK, "sent 4 octets, heard 0")
    assert found["ch 0"] == (LOOK, "mean 5, noise 1 LSB")
    assert found["ch 1"] == (LOOK, "mean -5, noise 1 LSB")
    assert parts.fram.cells == b"\x12\x34\x56\x78"
    assert parts.shown == b"\xff" * 8
    assert parts.light
    assert len(parts.trains) == 3


def broken(**what):
    parts = Parts()
    for name, value in what.items():
        setattr(parts, name, value)
    return parts


def refuse(text):
    def fail(*_anything):
        raise OSError(text)

    return fail


BROKEN = {
    "cpu": ({"encrypt": lambda _source, _target: None}, "00" * 8),
    "clock": ({"temperature_cdeg": refuse("DS3231: no answer")}, "DS3231: no answer"),
    "input": ({"expander": Fram("no answer")}, "no answer"),
    "mains": ({"supply_good": Line(0)}, "low: no mains"),
    "rs485": ({"rs485": Port(b"\x55")}, "sent 4 octets, heard 1"),
    "optic": ({"optical": Port(b"\x55\xaa\x00\xfe")}, "sent 4 octets, heard 4"),
    "coils": ({"sticks": True, "state": True}, "does not open"),
    "glass": ({"show": refuse("ST7567: bus")}, "ST7567: bus"),
    "ch 1": ({"code": 8_388_600}, "mean -8388600"),
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_part_that_fails_is_one_line_and_the_others_are_tested_all_the_same(part):
    what, text = BROKEN[part]
    parts = broken(**what)
    found = lines_of(parts, switch=True)
    assert found[part][0] == FAILED
    assert found[part][1].startswith(text)
    others = {name for name, (state, _) in found.items() if state == FAILED} - {part}
    assert others <= {"ch 0", "ch 1"}
    assert "adc" in found


def test_a_memory_of_another_kind_and_one_that_does_not_keep_are_told():
    parts = Parts()
    parts.fram.fault = "FM25V20: identity 00"
    assert lines_of(parts)["fram"] == (FAILED, "FM25V20: identity 00")
    parts.fram.fault, parts.fram.keeps = "", False
    assert lines_of(parts)["fram"] == (FAILED, "does not keep what is written")


def test_a_flash_that_does_not_keep_what_is_written_or_does_not_end_is_told():
    for broken_part in ("erases", "programs"):
        parts = Parts()
        setattr(parts.flash, broken_part, False)
        assert lines_of(parts)["flash"] == (FAILED, "16 MB, does not keep what is written")
    parts.flash.busy = lambda: True
    assert lines_of(parts)["flash"] == (FAILED, "stays busy")
    parts.flash.busy = refuse("W25Q: no answer")
    assert lines_of(parts)["flash"] == (FAILED, "W25Q: no answer")


def test_the_sector_that_is_tried_holds_nothing_of_the_meter():
    assert sum(sectors for _, sectors, _, _ in regions.RINGS) <= FREE_SECTOR < regions.IMAGE_SECTOR


def test_beside_a_meter_the_flash_is_only_asked():
    parts = Parts()
    parts.flash.erase_sector = refuse("the meter's erase is under way")
    test = DeviceTest(parts, lambda *_line: None)
    asyncio.run(test._each(("_flash",)))
    assert test.lines == [("flash", GOOD)]


def test_a_bus_without_an_answer_is_told_in_words():
    def silent():
        raise OSError(19)  # as MicroPython says it: ENODEV, or EIO

    assert lines_of(broken(temperature_cdeg=silent))["clock"] == (FAILED, "no answer")


def test_a_converter_that_repeats_itself_is_told_where_it_cannot_be_at_rest():
    assert lines_of(broken(noise=0))["ch 0"] == (FAILED, "mean 5, noise 0 LSB")
    assert lines_of(broken(noise=0, rate_mhz=1_000_000))["ch 0"][0] == LOOK


def test_a_clock_that_has_stood_still_is_no_failure():
    assert lines_of(broken(stopped=True))["clock"] == (LOOK, "21 C, has stood still: set it")


def test_little_heap_is_told(monkeypatch):
    monkeypatch.setattr(device_test.gc, "mem_free", lambda: 9000, raising=False)
    assert lines_of(Parts())["heap"] == (FAILED, "9000 octets of heap free")


def test_a_converter_is_silent_slow_or_loses_frames(monkeypatch):
    async def never():
        await asyncio.Event().wait()

    monkeypatch.setattr(device_test, "_SILENCE_MS", 20)
    assert lines_of(broken(wait=never))["adc"] == (FAILED, "no frames come")
    # the driver tries to bring it back, which wakes who waits
    assert lines_of(broken(take=lambda _frames, _limit: 0))["adc"] == (FAILED, "no frames come")
    assert lines_of(broken(start=refuse("ADS131: identity")))["adc"][0] == FAILED
    with monkeypatch.context() as strict:
        strict.setattr(device_test, "_RATE_LIMIT_PPM", -1)
        state, text = lines_of(Parts())["adc"]
    assert state == FAILED
    assert "frames a second of 4000" in text

    class Losing(Parts):
        def take(self, frames, limit):
            self.lost += 1
            return super().take(frames, limit)

    assert lines_of(Losing())["adc"][0] == FAILED
    assert lines_of(Parts())["adc"][0] == GOOD


def test_keys_are_asked_for_and_waited_for(capsys):
    class Finger(Line):
        asked = 0

        def value(self):
            self.asked += 1
            return 0 if self.asked == 5 else 1

    test = DeviceTest(broken(key_scroll=Finger(1)), device_test.say)
    asyncio.run(test.bench(False, 1))
    assert {("key 1", GOOD), ("key 2", FAILED)} < set(test.lines)
    report = capsys.readouterr().out
    pressed = [line.split()[2] for line in report.splitlines() if line.startswith("key ")]
    assert pressed == ["look", "good", "look", "FAILED"]
    advice = [line for line in tool.advice(report, "FAILED") if line.startswith("key ")]
    assert advice == ["key 2: reset: GPA1 to ground when pressed"]


class View:
    def __init__(self):
        self.fields = []

    def value(self, text, left=False):
        self.fields = [text]

    def code(self, text):
        self.fields.append(text)

    def unit(self, text):
        assert text == ""


def test_the_glass_shows_part_and_state_and_what_comes_while_it_is_looked_at():
    test = DeviceTest(Parts(), lambda *_line: None)
    report = test_report.TestReport(words.Words(), test)
    assert report.at_end()
    test.lines += [("fram", FAILED), ("flash", GOOD)]
    view = View()
    report.draw(view, True)
    assert view.fields == [words.ENGLISH[words.FAILED], "fram"]
    assert report.step()
    report.draw(view, True)
    assert view.fields == [words.ENGLISH[words.DONE], "flash"]


def test_every_part_has_its_advice_and_the_end_is_missed(capsys):
    parts = [*lines_of(Parts(), switch=True), "key 1", "key 2"]
    for part in parts:
        device_test.say(part, FAILED, "why")
    report = capsys.readouterr().out
    advised = tool.advice(report, "FAILED")
    assert len(advised) == len(set(tool.HELP)) == len(parts) - 1, "channels share one"
    assert tool.verdict(report) == 1
    assert "did not come to its end" in capsys.readouterr().out
    assert tool.verdict(report + tool.DONE + "\n") == 1
    assert "heap, cpu, fram" in capsys.readouterr().out
    device_test.say("fram", GOOD, "256 KB")
    device_test.say("cell", ABSENT, "")
    assert tool.advice(capsys.readouterr().out, "FAILED") == []
    assert tool.verdict(tool.DONE) == 0


PROGRAM = """
async def bench(parts, switch, keys_s):
    print("fram       good       of", parts, switch, keys_s)
    print("flash      FAILED     W25Q: no answer")
    print("device test done")
"""


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython in .venv")
def test_the_tool_runs_it_instead_of_the_meter_and_starts_it_again(tmp_path, monkeypatch, capsys):
    be_patient(monkeypatch)
    with PretendBoard(tmp_path) as board:
        link = board_link.BoardLink(board.port)
        link.write_file("/main.py", b"import time\nwhile True:\n    time.sleep(1)\n")
        link.close()
        board_kind = named("pico2_meter")
        report = tool.on_board(board_kind, board.port, tool.code(True, 5))
        assert tool.verdict(report) == 1
        out = capsys.readouterr().out
        assert "no module named 'board'; its code is not there, make flash first" in out
        link = board_link.BoardLink(board.port)
        link.run("import os\nos.mkdir('/app')")
        link.write_file("/board.py", b"def parts():\n    return 'parts'\n")
        link.write_file("/app/device_test.py", PROGRAM.encode())
        link.close()
        report = tool.on_board(board_kind, board.port, tool.code(True, 5))
        assert "fram       good       of parts True 5\n" in report
        assert tool.verdict(report) == 1
        said = capsys.readouterr().out
        assert "RP2350, MicroPython 1.29.0" in said
        assert "flash: W25Q128: its CS" in said
        assert said.endswith("device-test: flash failed\n")
        link = board_link.BoardLink(board.port)
        assert link.value("'main.py' in __import__('os').listdir('/')"), "the meter starts again"
        link.close()


def test_a_wrong_board_or_port_is_told(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["device_test.py", "toaster"])
    assert tool.main() == 2
    assert "there is no board 'toaster'" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["device_test.py", "pico_meter", "--port", "/dev/nothing"])
    assert tool.main() == 1
    assert "there is no port /dev/nothing" in capsys.readouterr().err


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython in .venv")
def test_the_simulated_board_passes_on_its_chips(monkeypatch, capfd):
    """Its glass, memories, clock, converter and relay are models of the chips."""
    monkeypatch.setattr(sys, "argv", ["device_test.py", "sim", "--switch"])
    assert tool.main() == 0
    said = capfd.readouterr().out
    frames = "adc        good       4000 frames a second of 4000, 0 lost, 0 wrong"
    for line in ("fram       good       256 KB", "coils      good       there and back", frames):
        assert line in said
    assert said.endswith("device-test: nothing failed\n")
