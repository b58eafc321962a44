"""`make flash` and the clock: a pretend board with the real driver on a chip in a file."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
sys.path.append(str(Path(__file__).parent))

pytest.importorskip("mpremote")

import board_build
import board_clock
import board_link
import flash
from board_list import named
from fram_fake import Memory
from pretend_board import MICROPYTHON, PretendBoard, be_patient

from app.clock import Clock
from app.settings import Settings
from drivers.ds3231 import Ds3231

pytestmark = pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython in .venv")

PC_S = int((datetime(2026, 3, 29, 12, 0, tzinfo=UTC) - board_clock._EPOCH).total_seconds())
LEFT = "; left as it is, ARGS=--set-clock sets it"
NEW = bytes(0x0F) + b"\x88" + bytes(3)  # as the chip comes: 2000-01-00, it has stood still

# /dead: no answer; /worn: what is written is lost
BOARD = b"""
import os
from drivers.ds3231 import Ds3231

class I2C:
    def file(self, mode):
        if "dead" in os.listdir("/"):
            raise OSError(5)
        return open("/rtc.bin", mode)

    def readfrom_mem_into(self, address, register, buffer):
        assert address == 0x68
        with self.file("rb") as file:
            file.seek(register)
            file.readinto(buffer)

    def writeto_mem(self, address, register, data):
        assert address == 0x68
        with self.file("rb") as file:
            cells = bytearray(file.read())
        cells[register : register + len(data)] = data
        if "worn" not in os.listdir("/"):
            with self.file("wb") as file:
                file.write(cells)

class Parts:
    rtc = Ds3231(I2C())

def parts():
    return Parts
"""


class Registers:
    """The chip's registers on a bus of the PC, for the meter's own driver."""

    def __init__(self, cells):
        self.cells = bytearray(cells)

    def readfrom_mem_into(self, _address, register, buffer):
        buffer[:] = self.cells[register : register + len(buffer)]

    def writeto_mem(self, _address, register, data):
        self.cells[register : register + len(data)] = data


def registers(utc_s):
    """What the meter writes into the chip."""
    chip = Registers(NEW)
    Ds3231(chip).set_utc_s(utc_s)
    return bytes(chip.cells)


@pytest.fixture(autouse=True)
def still(monkeypatch):
    """A PC whose clock stands at half a second before PC_S."""
    monkeypatch.setattr(board_clock, "now_s", lambda: PC_S - 0.5)
    monkeypatch.setattr(board_clock, "sleep", lambda _s: None)
    be_patient(monkeypatch)


def tended(tmp_path, cells, wanted=False, files=()):
    """The line that is said, and the chip's registers afterwards."""
    sources = {"/board.py": BOARD, "/rtc.bin": cells, **dict.fromkeys(files, b"")}
    for name in ("civil.py", "drivers/ds3231.py"):
        sources["/" + name] = (ROOT / "firmware" / name).read_bytes()
    tmp_path.mkdir(exist_ok=True)
    with PretendBoard(tmp_path) as board:
        link = board_link.BoardLink(board.port)
        link.run("import os\nos.mkdir('/drivers')")
        for path, content in sources.items():
            link.write_file(path, content)
        said = board_clock.tend(link, wanted)
        after = bytes(link.value("open('/rtc.bin','rb').read()"))
        link.close()
    return said, after


def test_a_clock_that_was_never_set_gets_the_time_and_the_meter_believes_it(tmp_path):
    said, cells = tended(tmp_path, NEW)
    assert said == ("clock: it did not know the time; set from this PC: 2026-03-29 12:00:00 UTC")
    assert cells[:0x0E] == registers(PC_S)[:0x0E]
    clock = Clock(Ds3231(Registers(cells)), Settings(Memory()))
    assert not clock.invalid
    assert not clock.doubtful
    assert clock.local_at(PC_S)[:7] == (2026, 3, 29, 7, 13, 0, 0), "summer, by the factory's rule"
    assert abs(clock.utc_s() - PC_S) <= 1


@pytest.mark.parametrize("spoil", [{0: 0x7F}, {7: 0x5A}], ids=["no date", "setting cut off"])
def test_what_the_meter_takes_for_no_time_is_set(tmp_path, spoil):
    cells = bytearray(registers(PC_S - 1000))
    for register, octet in spoil.items():
        cells[register] = octet
    said, after = tended(tmp_path, bytes(cells))
    assert "set from this PC" in said
    assert after[:0x0E] == registers(PC_S)[:0x0E]


@pytest.mark.parametrize(
    ("behind_s", "says"),
    [
        (2, "clock: 2026-03-29 11:59:58 UTC, as this PC's"),
        (75, "clock: 2026-03-29 11:58:45 UTC, 0:01:14 behind this PC's" + LEFT),
        (-86400, "clock: 2026-03-30 12:00:00 UTC, 1 day, 0:00:01 ahead of this PC's" + LEFT),
    ],
)
def test_a_clock_that_knows_the_time_is_left_alone(tmp_path, behind_s, says):
    before = registers(PC_S - behind_s)
    said, after = tended(tmp_path, before)
    assert said == says
    assert after[:7] == before[:7]


def test_it_is_set_if_that_is_asked_for(tmp_path):
    said, after = tended(tmp_path, registers(PC_S - 75), wanted=True)
    assert said == (
        "clock: 2026-03-29 11:58:45 UTC, 0:01:14 behind this PC's; "
        "set from this PC: 2026-03-29 12:00:00 UTC"
    )
    assert after[:0x0E] == registers(PC_S)[:0x0E]


def test_a_chip_that_is_silent_or_keeps_nothing_is_told(tmp_path):
    said, _ = tended(tmp_path / "silent", NEW, files=["/dead"])
    assert said.startswith("clock: the chip does not answer (OSError: ")
    assert "make device-test" in said
    said, _ = tended(tmp_path / "worn", NEW, files=["/worn"])
    assert said == (
        "clock: it did not know the time; it does not keep what is set: make device-test says "
        "what to look at"
    )


def test_a_board_that_is_slow_to_answer_is_not_one_that_keeps_nothing(tmp_path, monkeypatch):
    moments = iter((PC_S - 0.5, PC_S - 0.5, PC_S + 5.0))
    monkeypatch.setattr(board_clock, "now_s", lambda: next(moments))

    class Slow:
        answers = [str(board_clock._UNKNOWN), "", str(PC_S + 5)]

        def run(self, code):
            return "" if code == board_clock._OPEN else self.answers.pop(0)

    assert board_clock.tend(Slow(), False).startswith("clock: it did not know the time; set from")


def test_a_pc_that_does_not_know_the_time_sets_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(board_clock, "now_s", lambda: 86400.0)
    said, after = tended(tmp_path, NEW)
    assert said == (
        "clock: it did not know the time; not set, for this PC's 2000-01-02 00:00:00 UTC cannot "
        "be right either"
    )
    assert after[:7] == NEW[:7]


def test_a_board_whose_parts_cannot_be_built_is_told(tmp_path):
    with PretendBoard(tmp_path) as board:
        link = board_link.BoardLink(board.port)
        link.write_file("/board.py", b"def parts():\n    raise ValueError('fitted.py: MODEL')\n")
        said = board_clock.tend(link, False)
        link.close()
    assert said == "clock: not looked at, the board says ValueError: fitted.py: MODEL"


@pytest.mark.parametrize("wanted", [False, True])
def test_flashing_tends_the_clock_before_the_meter_starts(tmp_path, capsys, monkeypatch, wanted):
    monkeypatch.setattr(flash, "FIRMWARE", tmp_path)
    (tmp_path / "main.py").write_bytes(
        b"import board\nprint('Ferraris at', board.parts().rtc.utc_s())\n"
    )
    folder = tmp_path / "build" / "mpy"
    folder.mkdir(parents=True)
    files = {"board.py": BOARD}
    for name in ("civil.py", "drivers/ds3231.py"):
        files[name] = (ROOT / "firmware" / name).read_bytes()
    monkeypatch.setattr(board_build.Built, "image", lambda _built: b"")
    pico = named("pico2_meter")
    with PretendBoard(tmp_path) as board:
        link = board_link.BoardLink(board.port)
        link.write_file("/rtc.bin", registers(PC_S - 3600))
        link.close()
        said = flash.flash(pico, board.port, board_build.Built(pico, folder, files), wanted)
        assert board.resets == 3, "without its program, after its parts were built, to run it"
    assert f"Ferraris at {PC_S - 3600 * (not wanted)}" in said
    told = capsys.readouterr().out
    assert ("set from this PC: 2026-03-29 12:00:00 UTC" in told) == wanted
    assert ("behind this PC's" + LEFT in told) != wanted


def test_a_second_is_waited_for(monkeypatch):
    waited = []
    monkeypatch.setattr(board_clock, "sleep", waited.append)
    assert board_clock._next_second() == PC_S
    assert waited == [0.5]
