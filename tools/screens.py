"""Draws every picture of the display, as its glass of dots and its segment glasses show it.

    python tools/screens.py --out screens.png      all of them on one sheet, by their names
    python tools/screens.py --record               renew the pictures that the tests compare with

The firmware draws them, led through its lists and menus by host_tests/unit/scenes.py; nothing
here knows a shape. Recorded are host_tests/unit/screens/NAME.png, the three glasses side by side,
and hashes.csv, by which the test on MicroPython compares.
"""

import argparse
import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "host_tests" / "unit" / "screens"
_FOLDERS = ("host_tests/shims", "firmware", "boards/sim", "host_tests/unit")
sys.path[:0] = [str(ROOT / folder) for folder in _FOLDERS]

import cpython  # noqa: E402 - found by the path above

cpython.install()

import one_bit_png  # noqa: E402
import scenes  # noqa: E402

HASHES = "hashes.csv"
_GAP = 4  # dots between two glasses
_COLUMNS = 4
_MARGIN = 8
_CAPTION = 14
_GLASS = (150, 165, 130)
_ON = (22, 30, 24)
_PAPER = (250, 250, 246)


class Screen:
    """One picture on every glass: rows of `.` and `#`, and the hash of what was sent."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {}
        self.hashes: dict[str, str] = {}

    def side_by_side(self) -> list[str]:
        """Return the glasses beside each other."""
        return [("." * _GAP).join(lines) for lines in zip(*self.rows.values(), strict=True)]


def draw() -> dict[str, Screen]:
    """Return every picture by its name. Raises ValueError if a name means two pictures."""
    found: dict[str, Screen] = {}
    for glass in scenes.GLASSES:

        def take(name: str, lcd: scenes.Lcd, glass: str = glass) -> None:
            screen = found.setdefault(name, Screen())
            digest = hashlib.sha256(lcd.sent).hexdigest()[:16]
            if screen.hashes.setdefault(glass, digest) != digest:
                raise ValueError(f"{name}: two pictures of this name differ on {glass}")
            if glass not in screen.rows:
                screen.rows[glass] = scenes.rows(glass, lcd)

        scenes.draw(glass, take)
    return found


def part(rows: list[str]) -> dict[str, list[str]]:
    """Return the glasses of a recorded picture."""
    pitch = 128 + _GAP
    return {
        glass: [row[index * pitch : index * pitch + 128] for row in rows]
        for index, glass in enumerate(scenes.GLASSES)
    }


def hash_lines(screens: dict[str, Screen]) -> str:
    """Return what hashes.csv holds."""
    lines = ["screen," + ",".join(scenes.GLASSES)]
    lines += [",".join([name, *screen.hashes.values()]) for name, screen in screens.items()]
    return "\n".join(lines) + "\n"


def record(folder: Path) -> int:
    """Write all pictures, remove those that are no more; return how many changed."""
    screens = draw()
    folder.mkdir(exist_ok=True)
    changed = 0
    for path in folder.glob("*.png"):
        if path.stem not in screens:
            path.unlink()
            changed += 1
    for name, screen in screens.items():
        path = folder / f"{name}.png"
        rows = screen.side_by_side()
        if not path.exists() or one_bit_png.read(path) != rows:
            one_bit_png.write(path, rows)
            changed += 1
    (folder / HASHES).write_text(hash_lines(screens), encoding="utf-8")
    return changed


def sheet(path: Path) -> None:
    """Draw all pictures with their names. Raises OSError, ValueError for a kind of file."""
    from PIL import Image, ImageDraw

    screens = draw()
    width = len(scenes.GLASSES) * (128 + _GAP) + _MARGIN
    height = 64 + _CAPTION + _MARGIN
    columns = -(-len(screens) // _COLUMNS)
    size = (width * _COLUMNS + _MARGIN, height * columns + _MARGIN)
    image = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(image)
    for index, (name, screen) in enumerate(screens.items()):
        left = _MARGIN + index // columns * width
        top = _MARGIN + index % columns * height
        pen.text((left, top), name, fill=_ON)
        for rows in screen.rows.values():
            pen.rectangle((left, top + _CAPTION, left + 127, top + _CAPTION + 63), fill=_GLASS)
            for y, row in enumerate(rows):
                dots = [(left + x, top + _CAPTION + y) for x in range(128) if row[x] == "#"]
                pen.point(dots, fill=_ON)
            left += 128 + _GAP
    image.quantize(8).save(path, optimize=True)


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description="Draw every picture of the display.")
    parser.add_argument("--out", type=Path, help="sheet to write, a PNG")
    parser.add_argument("--record", action="store_true", help="renew the recorded pictures")
    options = parser.parse_args()
    if not options.out and not options.record:
        parser.error("nothing to do: --out FILE, --record or both")
    try:
        if options.record:
            print(f"{record(RECORDED)} pictures changed in {RECORDED.relative_to(ROOT)}")
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            sheet(options.out)
            print(options.out)
    except (OSError, ValueError) as error:
        print(f"screens: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
