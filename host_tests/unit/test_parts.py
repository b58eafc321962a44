"""Choices of parts: what each board and each choice needs of the firmware, no more and no less."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.append(str(ROOT / "boards" / "sim"))

import board_build
import board_manifest
import board_memory
import image
from board_list import BOARDS

from app.parts import choices

SPARE = {"app.crypto.aes", "app.dlms.notification", "app.transport.channel"}
OF = {
    "parts." + part: modules | {"app.parts." + part}
    for part, modules in {
        "quality": {"app.quality.weeks", "app.cosem.supply_values"},
        "tariff": {
            "app.tariff.calendar",
            "app.cosem.demand_register",
            "app.logs.billing_profiles",
        },
        "readout": {"app.transport.iec62056_21", "app.cosem.local_port_setup"},
    }.items()
}


def fitted(tmp_path, board, choice):
    """The files of a board whose fitted.py asks for a choice."""
    file = tmp_path / "fitted.py"
    file.write_text(f'MODEL = "3ph"\nCONVERTER = "ads131m0x"\nPARTS = {choice!r}\n')
    return [
        board_manifest.Source(file, one.target) if one.module == "fitted" else one
        for one in board_manifest.read(board)
    ]


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("choice", choices.CHOICES)
def test_an_image_has_what_its_choice_imports_and_nothing_else(tmp_path, board, choice):
    sources = fitted(tmp_path, board, choice)
    built_in = set(BOARDS[board].built_in)
    assert board_manifest.faults(sources, built_in, SPARE) == []
    needed = board_manifest.needed(sources)
    names = {source.module for source in needed}
    root, *parts = choices.CHOICES[choice]
    assert {"main", "app.core", "app.device_test", "app." + root} <= names
    assert ("app.meter" in names) == ("app.dlms.server" in names) == (choice != "look")
    for part, modules in OF.items():
        assert names & modules == (modules if part in parts else set())
    # what it has misses nothing: each import leads to a file that is there
    assert board_manifest.missing(needed, built_in) == []


def test_a_board_that_asks_for_no_such_choice_is_refused(tmp_path):
    sources = fitted(tmp_path, "pico2_meter", "everything")
    complaint = "'everything' is none of full, standard, basic, look, auto"
    with pytest.raises(board_manifest.ManifestError, match=complaint):
        board_manifest.needed(sources)
    (tmp_path / "fitted.py").write_text("PARTS = chosen()\n")
    with pytest.raises(board_manifest.ManifestError, match="PARTS is no plain value"):
        board_manifest.needed(sources)
    (tmp_path / "fitted.py").write_text('MODEL = "3ph"\n')
    with pytest.raises(board_manifest.ManifestError, match="PARTS is missing"):
        board_manifest.faults(sources, set())


@pytest.mark.parametrize(
    "line", ['PARTS = "auto"  # all', 'PARTS="auto"', 'PARTS = "full"\nPARTS = (\n  "auto"\n)']
)
def test_a_choice_is_put_in_however_the_line_is_written(line):
    text = f'MODEL = "3ph"\n{line}\nSOUNDER = False\n'
    made = board_manifest.with_choice(text, "basic")
    bound = {}
    exec(made, bound)
    assert (bound["MODEL"], bound["PARTS"], bound["SOUNDER"]) == ("3ph", "basic", False)
    assert made.count("\n") == text.count("\n") and "auto" not in made


def test_the_meter_refuses_a_choice_that_there_is_not():
    meter = SimpleNamespace(board=SimpleNamespace(choice="everything"))
    with pytest.raises(ValueError, match="everything are none of basic, full, look, standard"):
        choices.fit(meter)


def test_the_virtual_meter_offers_every_choice():
    import options

    assert set(options.PARTS) == set(choices.CHOICES)


def test_what_each_choice_leaves_out_is_named_by_the_parts_themselves():
    assert board_manifest.left_out("full") == []
    assert [one[:22] for one in board_manifest.left_out("standard")] == ["The quality of the sup"]
    said = " ".join(board_manifest.left_out("basic"))
    assert "The tariff: calendar and rates, demand" in said
    assert "IEC 62056-21 at the optical head" in said and "event logs" not in said
    said = " ".join(board_manifest.left_out("look"))
    assert "DLMS at every port with its security, event logs and alarms" in said
    assert "The quality of the supply" in said and "first look" not in said


def test_what_a_function_imports_is_not_loaded_at_the_start(tmp_path):
    sources = fitted(tmp_path, "pico2_meter", "full")
    needed = {source.module for source in board_manifest.needed(sources)}
    at_start = {source.module for source in board_manifest.resident(sources)}
    assert at_start < needed
    assert {"main", "app.meter", "app.parts.quality", "app.tariff.parts"} <= at_start
    assert needed - at_start >= {"app.cosem.bench_values", "app.device_test", "app.crypto.p256"}


def test_auto_is_the_most_that_fits():
    code = {
        choice: {"metrology/kernel.mpy": 9_000, "app/a.mpy": octets}
        for choice, octets in (
            ("full", 291_000), ("standard", 246_000), ("basic", 191_000), ("look", 95_000)
        )
    }  # fmt: skip
    for kilos, from_files, from_romfs in (
        (700, "full", "full"),
        (550, "standard", "full"),
        (450, "basic", "full"),
        (390, "look", "standard"),
        (236, "look", "look"),
        (10, "look", "look"),
    ):
        assert board_memory.fitting(code, kilos * 1024, False) == from_files
        assert board_memory.fitting(code, kilos * 1024, True) == from_romfs


def test_a_stock_pico_takes_the_first_look_from_files(monkeypatch, tmp_path):
    monkeypatch.setattr(board_build, "BUILD", tmp_path)
    built = board_build.build(BOARDS["pico_meter"])
    heap = BOARDS["pico_meter"].heap
    assert built.auto and board_memory.fitting(built.resident, heap, False) == "look"
    without_messages = board_memory.from_files(built.resident["look"], "look", heap)
    assert without_messages.working < board_memory.from_files({}, "basic", heap).working


@pytest.mark.parametrize(("parts", "choice"), [("auto", "look"), ("basic", "basic")])
def test_an_image_has_what_fits_or_what_is_asked_for(tmp_path, monkeypatch, parts, choice):
    monkeypatch.setattr(board_build, "BUILD", tmp_path)
    board = BOARDS["pyboard_meter"]
    own = tmp_path / "fitted.py"
    text = (board.folder / "fitted.py").read_text()
    own.write_text(board_manifest.with_choice(text, parts))
    made = image.made(board, own)
    assert made.choice == choice
    assert ("app/first_look.mpy" in made.files) == (choice == "look")
    assert ("full" in made.resident) == (parts == "auto"), "all are told where none is asked for"


def test_main_and_fitted_are_files_beside_frozen_code():
    code = {"main.mpy": 500, "fitted.mpy": 200, "app/a.mpy": 80_000}
    beside = board_memory.from_files(code, "look", 0, {"app/a.mpy"})
    alone = board_memory.frozen({"app/a.mpy": 80_000}, "look", 0)
    assert 0 < beside.code - alone.code < 2_000
    assert board_memory.from_files(code | {"app/b.mpy": 1}, "look", 0, {"app/a.mpy"}).code > (
        beside.code + 5_000
    ), "and any other brings tables of names with it"


def test_the_more_of_the_code_stands_in_flash_the_less_ram_it_takes():
    code = {"metrology/kernel.mpy": 9_000, "metrology/energy.mpy": 11_000, "app/a.mpy": 180_000}
    metrology = {"metrology/kernel.mpy", "metrology/energy.mpy"}
    takes = [
        board_memory.from_files(code, "basic", 0),
        board_memory.from_files(code, "basic", 0, metrology),
        board_memory.from_romfs(code, "basic", 0),
        board_memory.from_romfs(code, "basic", 0, metrology),
        board_memory.frozen(code, "basic", 0),
    ]
    assert takes == sorted(takes, key=lambda one: -one.code)
    # machine code is copied from a ROMFS, and runs where it is frozen
    assert takes[2].code - takes[3].code >= 9_000
    assert board_memory.from_romfs(code, "basic", 0, code) == takes[4]
    assert board_memory.from_files({}, "basic", 0, code).code == board_memory.FROZEN.base


@pytest.mark.parametrize("choice", ["", "basic"])
def test_where_the_board_says_auto_the_code_is_told_the_choice(tmp_path, monkeypatch, choice):
    monkeypatch.setattr(board_build, "BUILD", tmp_path)
    few = ("fitted", "civil")
    read = board_manifest.read("pico2_meter")
    some = [source for source in read if source.module in few]
    monkeypatch.setattr(board_manifest, "needed", lambda _all, _choice: some)
    built = board_build.build(BOARDS["pico2_meter"], None, choice)
    assert (built.choice, built.auto) == (choice or "full", True)
    assert built.choice.encode() in built.files["fitted.mpy"]
    assert b"auto" not in built.files["fitted.mpy"]
    assert list(built.resident)[-1] == "look"
