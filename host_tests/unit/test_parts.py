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
from board_list import BOARDS

from app.parts import choices

SPARE = {"app.crypto.aes", "app.dlms.notification", "app.transport.channel"}
OF = {
    "quality": {"app.quality.weeks", "app.cosem.supply_values", "app.parts.quality"},
    "tariff": {"app.tariff.calendar", "app.cosem.demand_register", "app.logs.billing_profiles"},
    "readout": {"app.transport.iec62056_21", "app.cosem.local_port_setup"},
}


def fitted(tmp_path, board, choice):
    """The files of a board whose fitted.py asks for a choice."""
    file = tmp_path / "fitted.py"
    file.write_text(f'MODEL = "3ph"\nPARTS = {choice!r}\n')
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
    assert {"main", "app.meter", "app.parts.choices"} <= names
    for part, modules in OF.items():
        assert names & modules == (modules if part in choices.CHOICES[choice] else set())
    # what it has misses nothing: each import leads to a file that is there
    assert board_manifest.missing(needed, built_in) == []


def test_a_board_that_asks_for_no_such_choice_is_refused(tmp_path):
    sources = fitted(tmp_path, "pico2_meter", "everything")
    complaint = "'everything' is none of full, standard, basic, auto"
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
    with pytest.raises(ValueError, match="everything are none of basic, full, standard"):
        choices.fit(meter)


def test_the_virtual_meter_offers_every_choice():
    import options

    assert set(options.PARTS) == set(choices.CHOICES)


def test_what_each_choice_leaves_out_is_named_by_the_parts_themselves():
    assert board_manifest.left_out("full") == []
    assert [one[:22] for one in board_manifest.left_out("standard")] == ["The quality of the sup"]
    said = " ".join(board_manifest.left_out("basic"))
    assert "The tariff: calendar and rates, demand" in said
    assert "IEC 62056-21 at the optical head" in said


def test_what_a_function_imports_is_not_loaded_at_the_start(tmp_path):
    sources = fitted(tmp_path, "pico2_meter", "full")
    needed = {source.module for source in board_manifest.needed(sources)}
    at_start = {source.module for source in board_manifest.resident(sources)}
    assert at_start < needed
    assert {"main", "app.meter", "app.parts.quality", "app.tariff.parts"} <= at_start
    assert needed - at_start >= {"app.cosem.bench_values", "app.device_test", "app.crypto.p256"}


def test_auto_is_the_most_that_fits():
    octets = {"full": 300 * 1024, "standard": 250 * 1024, "basic": 200 * 1024}
    for kilos, from_files, in_place in (
        (700, "full", "full"),
        (550, "standard", "full"),
        (480, "basic", "full"),
        (330, "basic", "standard"),
        (10, "basic", "basic"),
    ):
        assert board_memory.fitting(octets, kilos * 1024, False) == from_files
        assert board_memory.fitting(octets, kilos * 1024, True) == in_place


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
    assert list(built.resident)[-1] == "basic"
