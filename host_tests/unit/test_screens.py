"""Every picture of the display beside the recorded one, on each kind of glass.

What differs is written to build/screens/NAME.png, the recorded picture above the new one. If the
new one is right, `make pictures` records it; look at it before.
"""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tools"), str(ROOT / "boards" / "sim"), str(Path(__file__).parent)]

import one_bit_png
import scenes
import screens

NEW = ROOT / "build" / "screens"


@pytest.fixture(scope="module")
def drawn():
    return screens.draw()


def differing(drawn, folder, new):
    """Return what is to be said of each picture that is not as recorded."""
    found = []
    names = {path.stem for path in folder.glob("*.png")}
    for name in sorted(names - set(drawn)):
        found.append(f"{name}: recorded, but shown no more")
    for name, screen in drawn.items():
        rows = screen.side_by_side()
        if name not in names:
            before, glasses = [], "not recorded yet"
        else:
            before = one_bit_png.read(folder / f"{name}.png")
            if before == rows:
                continue
            parts = screens.part(before)
            glasses = ", ".join(g for g in scenes.GLASSES if parts[g] != screen.rows[g])
        new.mkdir(parents=True, exist_ok=True)
        both = [*before, "#" * len(rows[0]), *rows] if before else rows
        one_bit_png.write(new / f"{name}.png", both)
        found.append(f"{name} ({glasses}): see {new / name}.png, recorded above new")
    return found


@pytest.mark.row("DSP-01", "DSP-02", "DSP-03", "DSP-05", "DSP-07", "DSP-12", "PRD-12")
def test_every_picture_is_as_recorded(drawn):
    found = differing(drawn, screens.RECORDED, NEW)
    assert not found, "\n".join(found) + "\n`make pictures` records them"


def test_hashes_for_the_target_belong_to_the_pictures(drawn):
    recorded = (screens.RECORDED / screens.HASHES).read_text(encoding="utf-8")
    assert recorded == screens.hash_lines(drawn), "`make pictures` renews them"


def test_pictures_are_small():
    sizes = {path.name: path.stat().st_size for path in screens.RECORDED.glob("*.png")}
    assert len(sizes) > 150
    assert max(sizes.values()) < 1100, max(sizes, key=sizes.get)


def test_what_differs_is_told_and_shown_beside_the_recorded_one(drawn, tmp_path):
    folder, new = tmp_path / "recorded", tmp_path / "new"
    shutil.copytree(screens.RECORDED, folder)
    rows = one_bit_png.read(folder / "test-3.png")
    dotted = [rows[0][:140] + "#" + rows[0][141:], *rows[1:]]
    one_bit_png.write(folder / "test-3.png", dotted)
    (folder / "start-0.png").rename(folder / "start-9.png")
    assert [line.split(":")[0] for line in differing(drawn, folder, new)] == [
        "start-9",
        "start-0 (not recorded yet)",
        "test-3 (ht1621)",
    ]
    both = one_bit_png.read(new / "test-3.png")
    assert both[:64] == dotted and both[65:] == rows
    assert one_bit_png.read(new / "start-0.png") == drawn["start-0"].side_by_side()


def test_records_are_renewed_only_where_they_differ(drawn, tmp_path, monkeypatch):
    some = {name: drawn[name] for name in sorted(drawn)[:12]} | {"start-0": drawn["start-0"]}
    monkeypatch.setattr(screens, "draw", lambda: some)
    folder = tmp_path / "screens"
    assert screens.record(folder) == len(some)
    assert screens.record(folder) == 0
    (folder / "gone.png").write_bytes(b"")
    one_bit_png.write(folder / "start-0.png", ["#." * 194] * 64)
    assert screens.record(folder) == 2
    assert not (folder / "gone.png").exists()


@pytest.mark.parametrize("rows", [["#"], ["." * 8], ["#." * 9, ".#" * 9], ["." * 127 + "#"] * 3])
def test_png_holds_its_rows(tmp_path, rows):
    one_bit_png.write(tmp_path / "a.png", rows)
    assert one_bit_png.read(tmp_path / "a.png") == rows


def test_png_of_others_is_refused(tmp_path):
    path = tmp_path / "a.png"
    one_bit_png.write(path, ["#.#"] * 4)
    good = path.read_bytes()
    for bad in (b"", b"GIF89a", good[:45], good[:24] + b"\x08" + good[25:], good[:33]):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"a\.png"):
            one_bit_png.read(path)
