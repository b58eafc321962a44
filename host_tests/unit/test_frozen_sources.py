"""`make frozen`: what a firmware with all of the meter in it is built from."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))

import board_check
import board_definition
import board_manifest
import frozen_sources
from board_list import BOARDS, named

WHOLE = [
    (board.name, manifest)
    for board in BOARDS.values()
    for manifest in board_manifest.frozen_manifests(board.name)
    if board_manifest.made(board.name, manifest)
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of each manifest, with what stood there before."""
    folder = tmp_path_factory.mktemp("frozen")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frozen_sources, "FOLDER", folder)
        for name, manifest in WHOLE:
            old = folder / name / Path(manifest).stem / "app" / "gone.py"
            old.parent.mkdir(parents=True)
            old.write_text("")
        for board in BOARDS.values():
            frozen_sources.write(board)
    return lambda name, manifest: folder / name / Path(manifest).stem


def test_the_boards_with_all_of_it_frozen_are_these():
    assert WHOLE == [("pico_meter", "manifest_all.py"), ("pyboard_meter", "manifest_frozen.py")]


@pytest.mark.parametrize(("name", "manifest"), WHOLE)
def test_all_that_the_manifest_names_is_written_folded_and_nothing_else(written, name, manifest):
    folder = written(name, manifest)
    sources = board_manifest.read(name, name=manifest)
    targets = {one.target for one in sources}
    named_there = []
    (made,) = board_manifest.made(name, manifest)
    assert made == ROOT / "build" / "frozen" / name / folder.name / frozen_sources.MANIFEST
    exec(
        (folder / frozen_sources.MANIFEST).read_text(),
        {"module": lambda path, opt: named_there.append((path, opt))},
    )
    assert sorted(named_there) == sorted((path, 3) for path in {*targets, board_manifest.NOTE})
    files = {str(path.relative_to(folder)) for path in folder.rglob("*.py")}
    assert files == {*targets, board_manifest.NOTE, frozen_sources.MANIFEST}
    plain = folded = 0
    for one in sources:
        text = one.path.read_text()
        made_text = (folder / one.target).read_text()
        assert made_text.count("\n") == text.count("\n"), one.target
        plain += len(text)
        folded += len(made_text)
    assert folded < plain * 0.95, "names are shorter, constants are numbers"


@pytest.mark.parametrize(("name", "manifest"), WHOLE)
def test_files_find_in_the_firmware_what_they_import(written, name, manifest):
    folder = written(name, manifest)
    frozen = {one.module: folder / one.target for one in board_manifest.read(name, name=manifest)}
    beside = [one for one in board_manifest.read(name) if one.module not in frozen]
    assert {one.target for one in beside} == {"main.py", "fitted.py"}
    found = 0
    for one in beside:
        for node in ast.walk(ast.parse(one.path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module in frozen:
                for alias in node.names:
                    bound = {
                        target.id
                        for line in ast.parse(frozen[node.module].read_text()).body
                        if isinstance(line, ast.Assign)
                        for target in line.targets
                        if isinstance(target, ast.Name)
                    }
                    assert alias.name in bound or f"{node.module}.{alias.name}" in frozen
                    found += 1
    assert found >= 3


def test_part_of_a_firmware_is_frozen_as_it_stands(written):
    folder = written("pico_meter", "manifest_frozen.py")
    assert [path.name for path in folder.iterdir()] == [board_manifest.NOTE]
    assert board_manifest.made("pico_meter", "manifest_frozen.py") == []


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A firmware of one module beside files; what is written of it."""
    texts = {
        "main": "from limits import LIMIT\nimport other\nother.told(worth=LIMIT)\n",
        "fitted": "from micropython import const\nfrom limits import FITTED\nMODEL = const(3)\n",
        "limits": "from micropython import const\n"
        "LIMIT = const(5)\nFITTED = const(6)\nINSIDE = const(7)\n",
        "other": "import fitted\nfrom limits import INSIDE\n"
        "def told(worth, less=INSIDE):\n    return worth - less + fitted.MODEL\n",
    }
    sources = {}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
        sources[name] = board_manifest.Source(tmp_path / f"{name}.py", f"{name}.py")
    kept = ["limits", "other"]

    def read(_board, name=""):
        return [sources[one] for one in (kept if name else texts)]

    monkeypatch.setattr(board_manifest, "read", read)
    monkeypatch.setattr(board_manifest, "frozen_manifests", lambda _board: ["manifest_all.py"])
    monkeypatch.setattr(board_manifest, "made", lambda *_of: ["one"])
    monkeypatch.setattr(frozen_sources, "FOLDER", tmp_path / "out")

    def make():
        (note,) = frozen_sources.write(named("pico_meter"))
        return {path.stem: path.read_text() for path in note.parent.iterdir()}

    return kept, make


def test_names_that_files_ask_for_stay_and_fitted_may_change(small):
    _kept, make = small
    texts = make()
    assert texts["limits"].splitlines()[1:3] == ["LIMIT = const(5)", "FITTED = const(6)"]
    lines = texts["other"].splitlines()
    assert "worth" in lines[2], "main.py names it"
    assert lines[2].endswith("=7):")
    assert lines[3].endswith("fitted.MODEL")


def test_what_is_compiled_apart_cannot_be_folded(small, monkeypatch, capsys):
    kept, make = small
    kept.remove("other")
    with pytest.raises(board_manifest.ManifestError, match=r"more than main\.py"):
        make()
    monkeypatch.setattr(sys, "argv", ["frozen_sources.py", "pico_meter"])
    assert frozen_sources.main() == 1
    assert "manifest_all.py: more than main.py" in capsys.readouterr().err


def test_a_manifest_that_names_another_boards_folder_is_told(monkeypatch):
    board = named("pyboard_meter")
    other = ROOT / "build" / "frozen" / "pico_meter" / "manifest_all" / "manifest.py"
    monkeypatch.setattr(board_manifest, "made", lambda *_of: [other])
    assert any(
        text.startswith(f"manifest_frozen.py includes {other}, make frozen writes ")
        for text in board_definition.faults(board, board_check.wiring(board))
    )
