"""`make flash` against a pretend board: MicroPython with a file system behind a pty."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
sys.path.append(str(Path(__file__).parent))

pytest.importorskip("mpremote")

import board_build
import board_link
import board_manifest
import flash
import frozen_sources
import rom_image
from board_link import LinkError
from board_list import named
from pretend_board import MICROPYTHON, Port, PretendBoard, be_patient

pytestmark = pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython in .venv")
BOARD = named("pico2_meter")
RUNS_ON = b"""import time
from app import one
print("Ferraris 9.9, pretend", one.text())
while True:
    time.sleep(1)
"""
FILES = {
    "app/__init__.py": b"",
    "app/one.py": b"def text(): return 'first'\n",
    "app/deep/__init__.py": b"",
    "app/deep/two.py": b"x = '" + b"2" * 9000 + b"'\n",
    "drivers/three.py": b"y = 3\n",
    "metrology/four.py": b"z = 4\n",
}  # sources, which the pretend board's processor can run whatever it says that it is


@pytest.fixture(autouse=True)
def on_a_busy_machine(monkeypatch, tmp_path):
    be_patient(monkeypatch)
    monkeypatch.setattr(flash, "FIRMWARE", tmp_path)
    monkeypatch.setattr(board_build.Built, "image", lambda built: rom_image.image_of(built.folder))
    (tmp_path / "main.py").write_bytes(RUNS_ON)


class ImpatientWithout:
    """The module `time` to who waits for a board: nobody waits for one that is pulled."""

    monotonic_ns, sleep = time.monotonic_ns, time.sleep

    def __init__(self, board):
        self.board, self.ahead_s = board, 0

    def monotonic(self):
        self.ahead_s += 0 if self.board.plugged else 1000
        return time.monotonic() + self.ahead_s


def built(tmp_path, files=FILES):
    folder = tmp_path / "build" / "mpy"
    folder.mkdir(parents=True, exist_ok=True)
    return board_build.Built(BOARD, folder, files)


def run(board, tmp_path, files=FILES):
    return flash.flash(BOARD, board.port, built(tmp_path, files))


def contents(board):
    link = board_link.BoardLink(board.port)
    try:
        return {path: digest for path, (_, digest) in flash.listed(link).items()}
    finally:
        link.close()


def test_everything_is_copied_once_and_afterwards_what_changed(tmp_path, capsys):
    with PretendBoard(tmp_path) as board:
        assert "Ferraris 9.9, pretend first" in run(board, tmp_path)
        assert board.resets == 3, "without its program, after its parts were built, to run it"
        assert "7 files written, 0 removed, 0 unchanged" in capsys.readouterr().out
        assert "pretend first" in run(board, tmp_path), "a board at work is interrupted"
        assert "1 files written, 0 removed, 6 unchanged" in capsys.readouterr().out
        changed = dict(FILES, **{"app/one.py": b"def text(): return 'second'\n"})
        del changed["drivers/three.py"]
        assert "pretend second" in run(board, tmp_path, changed)
        out = capsys.readouterr().out
        assert "2 files written, 1 removed, 4 unchanged" in out
        assert set(contents(board)) == {*changed, "main.py"}


def test_what_the_user_keeps_there_stays_and_what_would_be_imported_instead_goes(tmp_path):
    with PretendBoard(tmp_path) as board:
        link = board_link.BoardLink(board.port)
        link.run("import os\nos.mkdir('/app')\nos.mkdir('/lib')")
        for path in ("/notes.txt", "/lib/own.py", "/app/one.mpy", "/main.mpy", "/x.py.new"):
            link.write_file(path, b"old")
        link.close()
        run(board, tmp_path)
        there = contents(board)
    assert "notes.txt" in there
    assert not {"app/one.mpy", "main.mpy", "x.py.new"} & set(there)


@pytest.mark.parametrize("octets", [300, 6_000])
def test_a_cable_pulled_anywhere_is_said_and_the_next_run_goes_on(tmp_path, octets, monkeypatch):
    with PretendBoard(tmp_path) as board:
        run(board, tmp_path)
    other = dict(FILES, **{"app/one.py": b"def text(): return 'third'\n",
                           "app/deep/two.py": b"x = '" + b"3" * 20_000 + b"'\n"})  # fmt: skip
    with (
        PretendBoard(tmp_path, pull_after=octets) as board,
        monkeypatch.context() as patched,
        pytest.raises(LinkError, match=r"lost the board|did not come back|does not answer"),
    ):
        patched.setattr(board_link, "time", ImpatientWithout(board))
        run(board, tmp_path, other)
    assert not board.plugged
    with PretendBoard(tmp_path) as board:
        assert "pretend third" in run(board, tmp_path, other)
        assert set(contents(board)) == {*other, "main.py"}


def test_a_full_file_system_is_said_before_anything_is_copied(tmp_path):
    files = dict(FILES, **{"app/deep/two.py": bytes(100_000)})
    with PretendBoard(tmp_path, blocks=24) as board:
        with pytest.raises(flash.FlashError, match=r"full: 1\d\d KB are wanted and \d+ KB free"):
            run(board, tmp_path, files)
        assert contents(board) == {}
        link = board_link.BoardLink(board.port)
        link.write_file("/film", bytes(64_000))
        link.close()
        with pytest.raises(flash.FlashError, match="full"):
            run(board, tmp_path, {"app/one.py": bytes(30_000)})
        link = board_link.BoardLink(board.port)
        link.run("import os\nos.remove('/film')")
        link.close()
        assert "pretend first" in run(board, tmp_path)


def test_the_file_system_full_in_the_middle_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(flash, "free", lambda _link: 1 << 30)
    with (
        PretendBoard(tmp_path, blocks=12) as board,
        pytest.raises(flash.FlashError, match=r"full at app/deep/two.py"),
    ):
        run(board, tmp_path, dict(FILES, **{"app/deep/two.py": bytes(100_000)}))


def test_an_octet_that_reads_back_differently_is_noticed(tmp_path, monkeypatch):
    write = board_link.BoardLink.write_file
    monkeypatch.setattr(
        board_link.BoardLink,
        "write_file",
        lambda self, path, content: write(self, path, content.replace(b"4", b"5")),
    )
    with (
        PretendBoard(tmp_path) as board,
        pytest.raises(flash.FlashError, match=r"metrology/four.py reads back differently"),
    ):
        run(board, tmp_path)


def test_a_meter_that_does_not_start_is_told_with_what_it_said(tmp_path, capsys):
    (tmp_path / "main.py").write_text("import app.one\nraise MemoryError('memory allocation')\n")
    with PretendBoard(tmp_path) as board:
        said = run(board, tmp_path)
    assert flash.verdict(said, BOARD) == 1
    assert "does not fit into the RAM" in capsys.readouterr().out
    assert flash.verdict("", BOARD) == 1
    assert "says nothing" in capsys.readouterr().out
    assert flash.verdict("Ferraris 0.1\n", BOARD) == 0


@pytest.mark.parametrize("blocks", [False, True], ids=["STM32", "RP2"])
def test_a_board_with_a_partition_runs_from_it_and_its_files_go(tmp_path, capfd, blocks):
    image = tmp_path / "build" / "mpy" / "app"
    image.mkdir(parents=True)
    (image / "one.mpy").write_bytes(b"M\x06" + bytes(5000))
    size = 16 * 4096
    with PretendBoard(tmp_path, rom_octets=size, rom_blocks=blocks) as board:
        link = board_link.BoardLink(board.port)
        link.run("import os\nos.mkdir('/app')")
        link.write_file("/app/one.py", b"old")
        link.close()
        run(board, tmp_path)
        assert set(contents(board)) == {"main.py"}
        wanted = rom_image.image_of(image.parent)
        assert board.rom.read_bytes()[: len(wanted)] == wanted
        run(board, tmp_path)
        assert "holds this code already" in capfd.readouterr().out
        (image / "two.mpy").write_bytes(bytes(size))
        with pytest.raises(flash.FlashError, match="partition has 64 KB, the code takes 6"):
            run(board, tmp_path)


def test_a_partition_that_reads_back_differently_is_noticed(tmp_path, monkeypatch):
    image = tmp_path / "build" / "mpy" / "app"
    image.mkdir(parents=True)
    (image / "one.mpy").write_bytes(b"M\x06" + bytes(5000))
    with PretendBoard(tmp_path, rom_octets=4 * 4096, rom_blocks=True) as board:
        done = subprocess.CompletedProcess([], 0)
        monkeypatch.setattr(flash.subprocess, "run", lambda *_words, **_more: done)
        with pytest.raises(flash.FlashError, match="partition reads back differently"):
            run(board, tmp_path)


def test_what_stands_in_the_firmware_is_not_put_on_the_board_again(tmp_path, capfd):
    code = built(tmp_path)
    for path, content in FILES.items():
        (code.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (code.folder / path).write_bytes(content)
    frozen = "drivers/three.py metrology/four.py"
    with PretendBoard(tmp_path, rom_octets=8 * 4096, rom_blocks=True, frozen=frozen) as board:
        assert flash.flash(BOARD, board.port, code)
        assert "drivers, metrology: those of the board's firmware" in capfd.readouterr().out
        assert not (code.folder / "drivers" / "three.py").exists()
        rest = dict(FILES)
        del rest["drivers/three.py"], rest["metrology/four.py"]
        assert flash.frozen(board_link.BoardLink(board.port), rest) == set()


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        (None, "as they were when it was built"),
        ("manifest_frozen.py", "which was built from these sources"),
        ("manifest_all.py", "which was built from these sources"),
        ("0" * 64, "which was built from OTHER sources than these: to have these, make frozen"),
    ],
)
def test_a_firmware_built_from_other_sources_is_told(tmp_path, noted, expected):
    board = named("pico_meter")
    with PretendBoard(tmp_path) as pretended:
        link = board_link.BoardLink(pretended.port)
        if noted is not None:
            text = frozen_sources.digests(board).get(noted, noted)
            link.write_file(board_manifest.NOTE, f"SOURCES = {text!r}\n".encode())
        assert flash.built_from(link, board).startswith(expected)
        link.close()


def test_the_note_of_a_firmware_changes_with_each_of_its_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(frozen_sources, "FOLDER", tmp_path)
    board = named("pico_meter")
    found = {}
    for note in frozen_sources.write(board):
        scope = {}
        exec(note.read_text(), scope)
        found[note.parent.name + ".py"] = scope["SOURCES"]
    assert found == frozen_sources.digests(board)
    assert len(set(found.values())) == 2, "one holds metrology, one everything"
    assert frozen_sources.write(BOARD) == [], "nothing of ours is frozen there"
    read = board_manifest.read
    kernel = tmp_path / "kernel.py"
    kernel.write_text("changed")

    def changed(board_name, **more):
        return [
            replace(one, path=kernel) if one.target == "metrology/kernel.py" else one
            for one in read(board_name, **more)
        ]

    monkeypatch.setattr(board_manifest, "read", changed)
    assert not set(frozen_sources.digests(board).values()) & set(found.values())


def test_code_that_the_memory_cannot_hold_is_warned_of(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(flash.board_memory, "OBJECTS", {"full": 1 << 30})
    with PretendBoard(tmp_path) as board:
        run(board, tmp_path)
    said = capsys.readouterr().out
    assert "has no ROMFS partition, so the code is loaded into RAM" in said
    assert "KB too many. pico2_meter's README tells what fits" in said


PLENTY = flash.Place("armv7emsp", 481 * 1024, 512 * 1024)
STOCK = flash.Place("armv7emsp", 481 * 1024, 0)


def test_a_board_is_asked_for_its_memory_before_anything_is_compiled(tmp_path):
    with PretendBoard(tmp_path) as board:
        place = flash.look(BOARD, board.port)
        assert place.romfs == 0
        assert place.heap > 100_000
    with PretendBoard(tmp_path, rom_octets=8 * 4096, rom_blocks=True) as board:
        assert flash.look(BOARD, board.port).romfs == 8 * 4096


def test_the_parts_that_fit_are_put_on_the_board_and_the_others_named(
    tmp_path, monkeypatch, capsys
):
    parts = (("full", 285_000), ("standard", 264_000), ("basic", 217_000), ("look", 110_000))
    octets = {choice: {"a": count} for choice, count in parts}
    full = replace(built(tmp_path), choice="full", auto=True, resident=octets)
    monkeypatch.setattr(
        flash.board_build, "build", lambda _board, _fitted, choice: replace(full, choice=choice)
    )
    assert flash.chosen(full, PLENTY, None) is full
    assert capsys.readouterr().out == (
        "parts: full, as many as this board's memory takes by estimate\n"
    )
    assert flash.chosen(full, STOCK, None).choice == "basic"
    said = capsys.readouterr().out
    assert said.startswith("parts: basic, as many as this board's memory takes by estimate\n")
    assert "left out: The quality of the supply: sags" in said
    assert "left out: The tariff: calendar and rates" in said
    assert "left out: IEC 62056-21 at the optical head" in said
    assert "Firmware of one's own" in said
    assert flash.chosen(full, replace(STOCK, heap=236 * 1024), None).choice == "look"
    said = capsys.readouterr().out
    assert "left out: DLMS at every port with its security, event logs and alarms" in said
    assert "left out: The tariff" in said and "first look" not in said


def test_parts_that_the_user_has_named_are_taken_as_they_are(tmp_path, capsys):
    own = replace(built(tmp_path), choice="standard", resident={"standard": {"a": 264_000}})
    assert flash.chosen(own, STOCK, None) is own
    said = capsys.readouterr().out
    assert said.startswith("parts: standard, as fitted.py says\n  left out: The quality")
    bare = built(tmp_path)
    assert flash.chosen(bare, STOCK, None) is bare
    assert capsys.readouterr().out == ""


def test_a_wrong_chip_is_not_written_to(tmp_path):
    with PretendBoard(tmp_path, machine="Raspberry Pi Pico with RP2040") as board:
        with pytest.raises(LinkError, match="BOARD=pico_meter"):
            run(board, tmp_path)
        assert board.resets == 0
        assert contents(board) == {}


def test_a_board_that_comes_back_on_another_port_is_found_by_its_number(tmp_path, monkeypatch):
    with PretendBoard(tmp_path, moves=True) as board:
        other = Port("/dev/other", 0x2E8A, 5, "E660000000000001")
        monkeypatch.setattr(
            board_link.list_ports,
            "comports",
            lambda: [other, Port(board.port, 0x2E8A, 5, "E660000000000002")],
        )
        first = board.port
        assert "pretend first" in run(board, tmp_path)
        assert board.resets == 3
        assert board.port != first
