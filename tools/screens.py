"""Draws the display's main pictures as they stand on the glass into one PNG.

    python tools/screens.py --out screens.png

The firmware's own view draws them; nothing here knows a shape.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "host_tests" / "shims"), str(ROOT / "firmware")]

import cpython  # noqa: E402 - found by the path above

cpython.install()

from app.display import indicators, view  # noqa: E402

_DOT = 4
_MARGIN = 14
_COLUMNS = 2
_GLASS = (150, 165, 130)
_OFF = (144, 159, 124)
_ON = (22, 30, 24)

_MAINS = ("L1", "L2", "L3")
# code, value, unit, indicators; a number instead: that picture of the display test
PICTURES = (
    0,
    ("0.1.0", "FErrAriS", "", ()),
    ("1.8.0", "000123.45", "kWh", (*_MAINS, "+P", "+Q", "T1")),
    ("3.8.0", "004711.00", "kvarh", (*_MAINS, "+P", "-Q", "T2", "CLK")),
    ("1.7.0", "-3.450", "kW", ("L1", "L3", "-P", "T1", "FF")),
    ("32.7.0", "230.1", "V", (*_MAINS, "T1", "LR")),
    ("C.1.0", "67542301", "", (*_MAINS, "T1")),
    ("0.9.1", "12:34:56", "", (*_MAINS, "T1")),
    ("0.9.2", "2026.01.31", "", (*_MAINS, "T1")),
    ("14.7.0", "50.00", "Hz", (*_MAINS, "COM", "REG", "SET")),
    ("P.1.0", "Error 11", "", ("TEST",)),
    ("", "End", "", _MAINS),
)


class _Lcd:
    """A glass without a chip."""

    def __init__(self) -> None:
        self.width = 128
        self.height = 64
        self.buffer = bytearray(1024)

    def start(self) -> None:
        pass

    def show(self, first_page: int = 0, last_page: int = 7) -> None:
        pass

    def backlight(self, on: bool) -> None:
        pass


def draw(picture: "int | tuple[str, str, str, tuple[str, ...]]") -> bytearray:
    """Return the buffer of one picture."""
    lcd = _Lcd()
    drawn = view.View(lcd)
    if isinstance(picture, int):
        drawn.test(picture)
    else:
        code, value, unit, names = picture
        drawn.code(code)
        drawn.value(value, left=not unit)
        drawn.unit(unit)
        drawn.indicate(sum(indicators.bit(name) for name in names))
    return lcd.buffer


def paint(buffer: bytearray) -> Image.Image:
    """Return a glass with its dots, lit and not lit."""
    image = Image.new("RGB", (128 * _DOT + 2 * _MARGIN, 64 * _DOT + 2 * _MARGIN), _GLASS)
    for y in range(64):
        for x in range(128):
            color = _ON if buffer[(y >> 3) * 128 + x] >> (y & 7) & 1 else _OFF
            left = _MARGIN + x * _DOT
            top = _MARGIN + y * _DOT
            image.paste(color, (left, top, left + _DOT - 1, top + _DOT - 1))
    return image


def main() -> int:
    """Write the sheet named on the command line."""
    parser = argparse.ArgumentParser(description="Draw the display's main pictures.")
    parser.add_argument("--out", required=True, type=Path, help="PNG to write")
    out = parser.parse_args().out
    images = [paint(draw(picture)) for picture in PICTURES]
    width, height = images[0].size
    sheet = Image.new("RGB", (width * _COLUMNS, height * -(-len(images) // _COLUMNS)))
    for index, image in enumerate(images):
        sheet.paste(image, (index % _COLUMNS * width, index // _COLUMNS * height))
    try:
        sheet.save(out)
    except (OSError, ValueError) as error:
        print(f"screens: cannot write {out}: {error}", file=sys.stderr)
        return 1
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
