"""Choices of parts: what each board and each choice needs of the firmware, no more and no less."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.append(str(ROOT / "boards" / "sim"))

import board_manifest
from board_list import BOARDS

from app.parts import choices

SPARE = {"app.crypto.aes", "app.dlms.notification", "app.transport.channel"}
OF_QUALITY = {"app.quality.weeks", "app.cosem.supply_values", "app.parts.quality"}


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
    assert (names >= OF_QUALITY) == ("quality" in choices.CHOICES[choice])
    assert "quality" in choices.CHOICES[choice] or not names & OF_QUALITY
    # what it has misses nothing: each import leads to a file that is there
    assert board_manifest.missing(needed, built_in) == []


def test_a_board_that_asks_for_no_such_choice_is_refused(tmp_path):
    sources = fitted(tmp_path, "pico2_meter", "everything")
    with pytest.raises(board_manifest.ManifestError, match="'everything' is none of full"):
        board_manifest.needed(sources)
    (tmp_path / "fitted.py").write_text('MODEL = "3ph"\n')
    with pytest.raises(board_manifest.ManifestError, match="PARTS is missing"):
        board_manifest.faults(sources, set())


def test_the_meter_refuses_a_choice_that_there_is_not():
    meter = SimpleNamespace(board=SimpleNamespace(choice="everything"))
    with pytest.raises(ValueError, match="everything are none of basic, full, standard"):
        choices.fit(meter)


def test_the_virtual_meter_offers_every_choice():
    import options

    assert set(options.PARTS) == set(choices.CHOICES)
