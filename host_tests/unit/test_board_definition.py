"""The boards' definitions for MicroPython: regions of flash, pins, what is frozen, board.json.

What the ports ask for is in MicroPython's ports/rp2/rp2_flash.c, ports/stm32/boards/stm32f405.ld
and tools/boardgen.py. Nothing here builds MicroPython.
"""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))

import board_check
import board_definition as definition
from board_definition import DefinitionError
from board_list import BOARDS, named

PICOS = [board for board in BOARDS.values() if board.rp2 and definition.variants(board)]
COMPILERS = [name for name in ("arm-none-eabi-gcc", "gcc", "clang") if shutil.which(name)]


@pytest.fixture
def altered(tmp_path, monkeypatch):
    """A board whose folder, or what is shared, may be written to."""

    def make(name):
        shutil.copytree(ROOT / "boards", tmp_path / "boards", dirs_exist_ok=True)
        monkeypatch.setattr(definition, "COMMON", tmp_path / "boards" / "common")
        folder = tmp_path / "boards" / name
        board = named(name)
        monkeypatch.setattr(type(board), "folder", property(lambda _board: folder))
        return board, folder

    return make


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_a_definition_agrees_with_the_board(board):
    assert definition.faults(board, board_check.wiring(board)) == []


@pytest.mark.parametrize("board", PICOS, ids=lambda board: board.name)
def test_the_regions_of_a_picos_flash_follow_one_another(board):
    room = definition.layout(board)
    assert room.firmware + room.romfs + room.files == board.flash
    assert not any(size % 4096 for size in (room.firmware, room.romfs, room.files, room.slot))
    assert room.slot >= 400 * 1024


def test_a_pico_with_all_of_it_frozen_has_no_romfs():
    pico = named("pico_meter")
    assert definition.variants(pico) == ["", "FROZEN"]
    room = definition.layout(pico, "FROZEN")
    assert (room.firmware + room.files, room.romfs) == (pico.flash, 0)
    beside = {"main.mpy", "fitted.mpy"}
    sources = definition.board_manifest.read(pico.name)
    assert {one.compiled for one in sources} - definition.held(pico, "FROZEN") == beside
    assert definition.fits(pico, {"app/a.mpy": bytes(500_000)}, "FROZEN") == [], "a file"
    held = dict.fromkeys(definition.held(pico, "FROZEN"), bytes(4_000))
    assert "octets of frozen code beside" in definition.fits(pico, held, "FROZEN")[0]


@pytest.mark.parametrize(
    ("path", "old", "new", "complaint"),
    [
        ("mpconfigvariant_FROZEN.cmake", "manifest_all.py", "manifest_none.py", "manifest_none"),
        ("mpconfigvariant_FROZEN.cmake", "BYTES=0", "BYTES=4096", "does not make 2 slots"),
        ("mpconfigvariant_FROZEN.cmake", "BYTES=0", "BYTES=-4096", "has -4096 octets"),
        ("mpconfigvariant_FROZEN.cmake", "{MICROPY_BOARD_DIR}", "{X}", "no manifest of what is"),
    ],
)
def test_a_variant_that_cannot_be_is_told(altered, path, old, new, complaint):
    board, folder = altered("pico_meter")
    change(folder / path, old, new)
    wrong = definition.faults(board, board_check.wiring(board))
    assert len(wrong) == 1 and complaint in wrong[0]


@pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
@pytest.mark.parametrize("board", PICOS, ids=lambda board: board.name)
@pytest.mark.parametrize("newer", [False, True], ids=["1.25", "1.29"])
def test_a_compiler_finds_the_header_as_the_port_wants_it(board, newer, tmp_path):
    """The port's own assertions; newer MicroPython defines what the .cmake file says."""
    room = definition.layout(board)
    source = tmp_path / "check.c"
    source.write_text(
        f"#define PICO_FLASH_SIZE_BYTES {board.flash}\n"
        '#include "mpconfigboard.h"\n'
        '_Static_assert(MICROPY_HW_ROMFS_BYTES % 4096 == 0, "romfs");\n'
        '_Static_assert(MICROPY_HW_FLASH_STORAGE_BYTES % 4096 == 0, "storage");\n'
        "_Static_assert(PICO_FLASH_SIZE_BYTES - MICROPY_HW_FLASH_STORAGE_BYTES"
        f' - MICROPY_HW_ROMFS_BYTES == {room.firmware}, "firmware");\n'
        "char const name[] = MICROPY_HW_BOARD_NAME;\n"
    )
    told = [f"-DMICROPY_HW_FLASH_STORAGE_BYTES={room.files}"] if newer else []
    command = [COMPILERS[0], "-std=c11", "-Wall", "-Werror", "-fsyntax-only", *told]
    subprocess.run([*command, f"-I{board.folder}", str(source)], check=True)


@pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
def test_a_compiler_reads_the_pyboards_headers(tmp_path):
    folder = named("pyboard_meter").folder
    boards = tmp_path / "boards"
    boards.mkdir()
    (boards / "stm32f4xx_hal_conf_base.h").write_text("#define HSI_VALUE (16000000)\n")
    source = tmp_path / "check.c"
    source.write_text(
        '#include "mpconfigboard.h"\n#include "stm32f4xx_hal_conf.h"\n'
        "#define RCC_PLLP_DIV2 2\n"
        "_Static_assert(HSE_VALUE / MICROPY_HW_CLK_PLLM * MICROPY_HW_CLK_PLLN"
        ' / MICROPY_HW_CLK_PLLP == 168000000, "core");\n'
        "_Static_assert(HSE_VALUE / MICROPY_HW_CLK_PLLM * MICROPY_HW_CLK_PLLN"
        ' / MICROPY_HW_CLK_PLLQ == 48000000, "USB");\n'
    )
    command = [COMPILERS[0], "-std=c11", "-Wall", "-Werror", "-fsyntax-only"]
    subprocess.run([*command, f"-I{folder}", f"-I{tmp_path}", str(source)], check=True)


@pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
def test_the_pyboards_heap_has_what_its_stack_leaves(tmp_path):
    # the names of ports/stm32/boards/stm32f405.ld, which comes before ours
    port, empty, linked = (tmp_path / name for name in ("port.ld", "empty.c", "linked"))
    port.write_text("_estack = 0x20020000;\n_sstack = _estack - 16K;\n_heap_end = _sstack;\n")
    empty.write_text("")
    scripts = [port, named("pyboard_meter").folder / "stack.ld"]
    command = [
        COMPILERS[0],
        "-nostdlib",
        "-static",
        "-Wl,--entry=0",
        *(f"-Wl,-T{one}" for one in scripts),
    ]
    subprocess.run([*command, str(empty), "-o", str(linked)], check=True)
    nm = COMPILERS[0].replace("gcc", "nm").replace("clang", "nm")
    told = subprocess.run([nm, str(linked)], check=True, capture_output=True, text=True).stdout
    names = {name: int(value, 16) for value, _, name in map(str.split, told.splitlines())}
    assert names["_heap_end"] == names["_sstack"] == 0x20020000 - 10 * 1024
    assert "$(BOARD_DIR)/stack.ld" in (scripts[1].parent / "mpconfigboard.mk").read_text()


@pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("minor", [25, 26, 27, 28, 29])
def test_what_would_freeze_a_wrong_kernel_is_not_built(name, minor, tmp_path):
    """Found on an emulated Cortex-M4F: host_tests/README.md, An emulated Arm board."""
    source = tmp_path / "check.c"  # py/mpconfig.h defines the version before it reads the header
    source.write_text(
        f"#define MICROPY_VERSION_MAJOR 1\n#define MICROPY_VERSION_MINOR {minor}\n"
        '#include "mpconfigboard.h"\n'
    )
    command = [COMPILERS[0], "-std=c11", "-fsyntax-only", f"-I{named(name).folder}", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    refused = "1.28 or newer" in done.stderr
    assert refused == (minor in {26, 27} and bool(definition.held(named(name))))
    assert refused == bool(done.returncode)


@pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
def test_a_compiler_finds_no_romfs_where_all_is_frozen(tmp_path):
    source = tmp_path / "check.c"
    source.write_text(
        '#include "mpconfigboard.h"\n_Static_assert(MICROPY_HW_ROMFS_BYTES == 0, "romfs");\n'
    )
    command = [COMPILERS[0], "-std=c11", "-Wall", "-Werror", "-fsyntax-only"]
    folder = named("pico_meter").folder
    told = "-DMICROPY_HW_ROMFS_BYTES=0"  # as the port passes MICROPY_DEF_BOARD on
    subprocess.run([*command, told, f"-I{folder}", str(source)], check=True)


@pytest.mark.skipif(not shutil.which("cmake"), reason="there is no cmake")
@pytest.mark.parametrize("board", PICOS, ids=lambda board: board.name)
def test_cmake_reads_the_definition(board, tmp_path):
    script = tmp_path / "read.cmake"
    script.write_text(
        f'set(MICROPY_BOARD_DIR "{board.folder}")\n'
        "include(${MICROPY_BOARD_DIR}/mpconfigboard.cmake)\n"
        "foreach(path ${MICROPY_FROZEN_MANIFEST} ${MICROPY_BOARD_PINS})\n"
        "if(NOT EXISTS ${path})\nmessage(FATAL_ERROR ${path})\nendif()\nendforeach()\n"
        'message("${PICO_BOARD} ${MICROPY_HW_FLASH_STORAGE_BYTES}")\n'
    )
    done = subprocess.run(
        ["cmake", "-P", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    name = board.name.removesuffix("_meter")
    assert done.stderr.split() == [name, str(definition.layout(board).files)]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("(1024 * 1024)", "(1000 * 1000)", "ROMFS has 1000000 octets, no whole sectors"),
        ("(1024 * 1024)", "(4096 * 5)", "does not make 2 slots"),
        ("(1024 * 1024)", "(1536 * 1024)", "131072 octets are left for MicroPython"),
        ("(1024 * 1024)", "(PICO_FLASH_SIZE_BYTES / 2)", "MICROPY_HW_ROMFS_BYTES is"),
        ("MICROPY_HW_ROMFS_BYTES (", "MICROPY_HW_ROMFS (", "BYTES is not defined"),
        ("(384 * 1024)", "(380 * 1024)", "cmake says 393216 octets of files, .h 389120"),
    ],
)
def test_a_region_that_cannot_be_is_refused(altered, old, new, complaint):
    board, folder = altered("pico_meter")
    change(folder / "mpconfigboard.h", old, new)
    with pytest.raises(DefinitionError, match=complaint):
        definition.layout(board)
    assert complaint.split(".")[0] in definition.faults(board, [])[0]


@pytest.mark.parametrize(
    ("name", "path", "old", "new", "complaint"),
    [
        ("pico_meter", "../common/pins.csv", "FRAM_CS,GPIO13", "FRAM_CS,GPIO3",
         "pins.csv: FRAM_CS is GPIO3, not GPIO13"),
        ("pico_meter", "../common/pins.csv", "FRAM_CS,GPIO13\n", "", "FRAM_CS is missing"),
        ("pico_meter", "../common/pins.csv", "SCL,GPIO7", "SDA,GPIO7", "pins.csv, line 8: SDA,GP"),
        ("pyboard_meter", "pins.csv", "X5,PA4\n", "", "does not name PA4"),
        ("pyboard_meter", "pins.csv", "USB_ID,PA10\n", "", "mpconfigboard.h: A10 is not in pins"),
        ("pyboard_meter", "pins.csv", "X5,PA4", "X5, PA4", "pins.csv, line 6: X5, PA4"),
        ("pico2_meter", "board.json", '"mcu"', '"cpu"', "board.json: mcu is no str"),
        ("pico2_meter", "board.json", "wiring.svg", "photo.jpg", "board.json: there is no photo"),
        ("pico2_meter", "board.json", '"docs": "",', '"docs": "', "board.json: Invalid control"),
        ("pico2_meter", "mpconfigboard.cmake", "manifest_frozen", "manifest",
         "no manifest of what is frozen"),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_told(altered, name, path, old, new, complaint):
    board, folder = altered(name)
    wired = board_check.wiring(named(name))
    change(folder / path, old, new)
    assert any(complaint in text for text in definition.faults(board, wired))


def test_what_is_frozen_needs_nothing_that_is_not(monkeypatch):
    board = named("pico_meter")
    assert {"metrology/kernel.py", "drivers/ads131m0x.py"} <= definition.frozen(board)
    assert "app/clock.py" not in definition.frozen(board)
    read = definition.board_manifest.read

    def less(board_name, **more):
        return [one for one in read(board_name, **more) if not more or one.target != "civil.py"]

    monkeypatch.setattr(definition.board_manifest, "read", less)
    found = definition.faults(board, board_check.wiring(board))
    assert found[0] == (
        "manifest_frozen.py: drivers.ds3231 imports civil, which is not in the manifest"
    )
    assert all(one.endswith("imports civil, which is not in the manifest") for one in found)
    assert found[1].startswith("manifest_all.py: "), "the variant needs it, too"


def test_a_private_name_of_what_is_frozen_as_it_stands_is_not_for_files(tmp_path, monkeypatch):
    """Names of files become short, those of the firmware's metrology do not."""
    read, asking = definition.board_manifest.read, tmp_path / "meter.py"

    def changed(board_name, **more):
        return [
            replace(one, path=asking) if one.module == "app.meter" else one
            for one in read(board_name, **more)
        ]

    board = named("pico_meter")
    assert definition.faults(board, board_check.wiring(board)) == []
    asking.write_text("def steady(engine):\n    return not engine._unsteady\n")
    monkeypatch.setattr(definition.board_manifest, "read", changed)
    assert definition.faults(board, board_check.wiring(board)) == [
        "manifest_frozen.py: app.meter asks for _unsteady, private to what is compiled apart"
    ]


def test_the_pyboard_freezes_all_but_what_the_user_writes():
    board = named("pyboard_meter")
    every = {source.target for source in definition.board_manifest.read(board.name)}
    assert every - definition.frozen(board) == {"main.py", "fitted.py"}


def test_code_without_room_in_flash_is_told():
    board = named("pico_meter")
    files = {"app/one.mpy": bytes(500 << 10), "metrology/two.mpy": bytes(100 << 10)}
    assert definition.fits(board, files) == ["614400 octets of code in a slot of 524288"]
    files = {"app/one.mpy": bytes(500 << 10), "metrology/kernel.mpy": bytes(210 << 10)}
    assert definition.fits(board, files) == [
        "215040 octets of frozen code beside MicroPython in 655360"
    ]
