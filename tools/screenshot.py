"""`make look`, `make screenshot`: the faceplate in a browser, and the glass against the register.

Starts a fresh virtual meter on free ports, gives it a mains and two hours of energy, waits until
the display shows 1.8.0 and stops time. Then the value on the glass must be the register's, cut to
the digits shown, and headless Chromium must draw a picture that is not empty. `--write` keeps
the picture as docs/images/faceplate.png. Without Chromium the picture is skipped with a notice
(CHROMIUM=/path names one); the comparison is made all the same.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from running_meter import ROOT, MeterError, RunningMeter

PICTURE = ROOT / "docs" / "images" / "faceplate.png"

_BROWSER_S = 90.0
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
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SIZES = {"wide": (1180, 1180), "phone": (390, 1400)}
_WHOLE = "--window-size=1180,4000"  # what is out of sight is not asked for
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


def find_browser() -> "str | None":
    """Chromium, by the environment's CHROMIUM or from the path."""
    asked = os.environ.get("CHROMIUM")
    if asked:
        found = shutil.which(asked)
        if found is None:
            raise LookError(f"CHROMIUM={asked} is not a program that can be run")
        return found
    return next((found for found in map(shutil.which, _BROWSERS) if found), None)


def _browse(browser: str, address: str, home: str, *options: str) -> str:
    """Let the browser load the page, its scripts included; what it prints."""
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--hide-scrollbars", "--force-device-scale-factor=1", "--virtual-time-budget=4000",
        f"--user-data-dir={home}", *options, address,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_BROWSER_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LookError(f"{browser} was not done within {_BROWSER_S:.0f} s") from error
    if done.returncode:
        raise LookError(f"{browser} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def render(browser: str, address: str, size: "tuple[int, int]", target: Path, home: str) -> None:
    """Let the browser draw the page into the PNG `target`."""
    target.unlink(missing_ok=True)
    window = f"--window-size={size[0]},{size[1]}"
    _browse(browser, address, home, window, f"--screenshot={target}")
    if not target.exists():
        raise LookError(f"{browser} wrote no picture")


def check_page(browser: str, address: str, text: str, home: str) -> None:
    """Refuse a page that does not say a text."""
    page = _browse(browser, address, home, _WHOLE, "--dump-dom")
    if text not in " ".join(page.split()):
        raise LookError(f"the page in the browser does not say {text!r}")


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
    browser = find_browser()
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with RunningMeter() as meter:
        shows = compare_glass(meter)
        if browser is None:
            print("notice: no Chromium here, so no picture (Debian: apt install chromium)")
            return
        page = meter.address + "/"
        with tempfile.TemporaryDirectory() as home:
            check_page(browser, page, shows, home)
            check_page(browser, page, "Rate in force: T1", home)
        for name, size in _SIZES.items():
            target = build / f"faceplate-{name}.png"
            with tempfile.TemporaryDirectory() as home:
                render(browser, page, size, target, home)
            print(check_picture(target))
    if write:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(build / "faceplate-wide.png", PICTURE)
        print(f"written: {PICTURE.relative_to(ROOT)}")


def main(arguments: "list[str]") -> int:
    """Look; 1 with one line if something is wrong."""
    parser = argparse.ArgumentParser(description="the faceplate in a browser, the glass checked")
    parser.add_argument("--write", action="store_true", help="keep docs/images/faceplate.png")
    options = parser.parse_args(arguments)
    try:
        look(options.write)
    except (LookError, MeterError) as error:
        print(f"look: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
