"""`make look`, `make screenshot`: the faceplate in a browser, and the glass against the register.

Starts a fresh virtual meter on free ports, gives it a mains and two hours of energy, waits until
the display shows 1.8.0 and stops time. Then the value on the glass must be the register's, cut to
the digits shown, and headless Chromium must draw a page that says the same, fits its window and is
not empty: on phone and desk, light and dark, into build/. `--write` keeps one picture as
docs/images/faceplate.png. Without Chromium the pictures are skipped with a notice
(CHROMIUM=/path names one); the comparison is made all the same.
"""

import argparse
import shutil
import sys
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))
from browser import BrowserError, NoBrowserError, open_browser
from running_meter import ROOT, MeterError, RunningMeter

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PICTURE = ROOT / "docs" / "images" / "faceplate.png"

_CODE = "1.8.0"
_MAINS = {
    "f": 50.0,
    "phases": [
        {"u": 231.4, "i": 5.2, "phi_deg": 18},
        {"u": 229.8, "i": 3.1, "phi_deg": 32},
        {"u": 230.6, "i": 8.4, "phi_deg": 11},
    ],
}
_ENERGY_S = 7200
_AUTO_SCROLL_S = 120  # within this the list has come round
_WH_PER_UNIT = {"Wh": 1, "kWh": 1000, "MWh": 1_000_000}
_SIZES = {"phone": (390, 1400), "wide": (1180, 1180), "desk": (1600, 1200)}
_SCHEMES = ("light", "dark")
_DAY = "Rate in force: T1"
_KEPT = "faceplate-wide-light.png"
_SETTLE_MS = 3000  # of the page: it asks for one thing after the other
_COLOURS_MIN = 50  # a drawn faceplate has hundreds, an empty or broken page a few


class LookError(Exception):
    """The faceplate could not be looked at, or is wrong; the text is one line."""


def shown(register_wh: float, value: str, unit: str) -> bool:
    """True if `value` is the register cut to as many decimals as the glass has."""
    if unit not in _WH_PER_UNIT:
        return False
    try:
        glass = Decimal(value.strip())
    except ArithmeticError:
        return False
    exponent = glass.as_tuple().exponent
    if not isinstance(exponent, int):  # not a number
        return False
    register = Decimal(int(register_wh)) / _WH_PER_UNIT[unit]
    return glass == register.quantize(Decimal(1).scaleb(exponent), ROUND_DOWN)


def compare_glass(meter: RunningMeter) -> str:
    """Bring energy onto the glass, stop time there and compare; returns what the glass shows."""
    meter.call("/api/mains", _MAINS)
    meter.call("/api/advance", {"seconds": _ENERGY_S})
    meter.call("/api/rate", {"rate": 0})
    lcd = meter.call("/api/lcd")
    for _ in range(_AUTO_SCROLL_S):
        if lcd.get("code") == _CODE:
            break
        meter.call("/api/advance", {"seconds": 1})
        lcd = meter.call("/api/lcd")
    else:
        raise LookError(f"the display never showed {_CODE}, at last {lcd.get('code')!r}")
    energies = meter.call("/api/quantities")["energy_wh"]
    register_wh = energies[_CODE]
    value, unit = str(lcd.get("value")), str(lcd.get("unit"))
    if register_wh < 1:
        raise LookError(f"two hours of load left {register_wh} Wh in the register")
    if not shown(register_wh, value, unit):
        raise LookError(f"the glass shows {value} {unit}, the register holds {register_wh} Wh")
    print(f"{_CODE}: the glass shows {value} {unit}, the register holds {register_wh} Wh")
    return f"{_CODE} {value} {unit}"


def draw(browser: "Browser", page: str, name: str, scheme: str, glass: str) -> Path:
    """Let the browser draw the page, which must say what the glass says; returns the picture."""
    from playwright.sync_api import Error

    width, height = _SIZES[name]
    target = ROOT / "build" / f"faceplate-{name}-{scheme}.png"
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    wrong: list[str] = []
    with context:
        view = context.new_page()
        view.on("pageerror", lambda error: wrong.append(str(error)))
        try:
            view.goto(page)
            view.locator("#spoken", has_text=glass).wait_for()
            day = view.locator("#day-text", has_text=_DAY)
            view.locator("#day-box").scroll_into_view_if_needed()  # what is out of sight waits
            day.wait_for()
            view.evaluate("scrollTo(0, 0)")
            view.wait_for_timeout(_SETTLE_MS)
            is_wide = bool(view.evaluate("document.documentElement.scrollWidth > innerWidth"))
            view.screenshot(path=target)
        except Error as error:
            raise LookError(f"{name}, {scheme}: {error.message.splitlines()[0]}") from error
    if wrong or is_wide:
        raise LookError(f"{name}, {scheme}: {wrong[0] if wrong else 'wider than its window'}")
    return target


def check_picture(target: Path) -> str:
    """Refuse a picture that is empty; returns what it is."""
    from PIL import Image

    with Image.open(target) as picture:
        colours = picture.convert("RGB").getcolors(1 << 24) or []
        size = f"{picture.width}x{picture.height}"
    if len(colours) < _COLOURS_MIN:
        raise LookError(f"{target.name} has {len(colours)} colours: the page was not drawn")
    return f"{target.name}: {size}, {len(colours)} colours"


def look(write: bool) -> None:
    """Do everything that the module's docstring says."""
    (ROOT / "build").mkdir(exist_ok=True)
    with RunningMeter() as meter:
        glass = compare_glass(meter)
        try:
            with open_browser() as browser:
                for name in _SIZES:
                    for scheme in _SCHEMES:
                        print(check_picture(draw(browser, meter.address, name, scheme, glass)))
        except NoBrowserError as error:
            print(f"notice: {error}, so no picture")
            return
    if write:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "build" / _KEPT, PICTURE)
        print(f"written: {PICTURE.relative_to(ROOT)}")


def main(arguments: "list[str]") -> int:
    """Look; 1 with one line if something is wrong."""
    parser = argparse.ArgumentParser(description="the faceplate in a browser, the glass checked")
    parser.add_argument("--write", action="store_true", help="keep docs/images/faceplate.png")
    options = parser.parse_args(arguments)
    try:
        look(options.write)
    except (LookError, BrowserError, MeterError) as error:
        print(f"look: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
