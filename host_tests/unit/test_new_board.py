"""A board of one's own by the steps of boards/README.md, and what is said at each wrong one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTED = """
        Board(
            "my_meter", "rp2350b", "armv7emsp", 497 * 1024, 16 << 20, "RP2350", (1, 2), _RP2
        ),
"""
CHIP = """
    "rp2350b": _rp2("RP2350B on a board of mine", range(48), 12, 16, range(40, 48)),
"""


class Workshop:
    """A copy of the repository with a pico2_meter under another name, without a definition."""

    def __init__(self, root):
        self.root = root
        self.board = root / "boards" / "my_meter"
        for name in ("boards", "tools"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("firmware", "host_tests", ".venv"):
            (root / name).symlink_to(ROOT / name)
        for path in (*ROOT.glob("pyright_*.json"), ROOT / "pyproject.toml"):
            shutil.copy(path, root)
        self.board.mkdir()
        for name in ("board.py", "fitted.py", "manifest.py"):
            shutil.copy(root / "boards" / "pico2_meter" / name, self.board)
        for name in ("pico_pins.py", "wiring.csv"):
            shutil.copy(root / "boards" / "common" / name, self.board)
        self.change("boards/my_meter/manifest.py", 'pico_pins.py", base_path="../common"',
                    'pico_pins.py", base_path="."')  # fmt: skip

    def change(self, name, old, new):
        path = self.root / name
        text = path.read_text()
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new))

    def asked(self, tool, *words):
        """What a tool says of the board."""
        done = subprocess.run(
            [sys.executable, self.root / "tools" / tool, "my_meter", *words],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    return Workshop(tmp_path_factory.mktemp("repository"))


def test_each_step_says_what_is_missing_until_the_board_is_whole(workshop):
    def wrong(text, tool="board_check.py"):
        status, said = workshop.asked(tool)
        assert status and text in said, said

    wrong("boards/my_meter is there, tools/board_list.py does not list it")
    first = "    for board in (\n"
    workshop.change("tools/board_list.py", first, first + LISTED)
    for tool in ("board_check.py", "wiring.py", "image.py", "flash.py"):
        wrong("my_meter has the chip 'rp2350b', tools/board_chips.py only rp2040, rp2350", tool)
    workshop.change("tools/board_chips.py", "CHIPS = {\n", "CHIPS = {\n" + CHIP)
    wrong("GP26 cannot be ADC (front_own.py:")
    for name, old, new in (("VOLTAGE", 26, 40), ("CURRENT", 27, 41), ("NEUTRAL", 28, 42)):
        workshop.change(
            "boards/my_meter/pico_pins.py", f"OWN_{name} = {old}\n", f"OWN_{name} = {new}\n"
        )
    wrong("`make types` does not see it: name boards/my_meter in pyproject.toml")
    workshop.change(
        "pyproject.toml", '"boards/pico_meter"]', '"boards/pico_meter", "boards/my_meter"]'
    )
    status, said = workshop.asked("board_check.py")
    assert (status, said.startswith("my_meter: 27 of 48 pins")) == (0, True), said
    status, said = workshop.asked("wiring.py")
    assert status == 0
    drawn = (workshop.board / "wiring.svg").read_text()
    assert ">GP40: voltage<" in drawn and "GP40, pin" not in drawn and "3V3(OUT)" not in drawn


SLIPS = (
    (
        "pico_pins.py",
        "ADC_DRDY = 21",
        "ADC_DRDY = 48",
        "48 is no pin that can be reached of RP2350B",
    ),
    ("pico_pins.py", "ADC_DRDY = 21", "ADC_DRDY = 32", "GP32 is beyond GP31, the last that a PIO"),
    ("pico_pins.py", "\nSCL = 7\n", "\nSCL = 8\n", "GP8 cannot be I2C1 SCL"),
    ("pico_pins.py", "FRAM_CS = 13\n", "FRAM_CS = 9\n", "GP9 is used twice"),
    ("wiring.csv", "LED_ACTIVE,", "LED_ACT,", "wiring.csv: LED_ACT is not in pico_pins.py"),
    ("board.py", "    return PicoParts(", "    return (PicoParts(", "board.py, line "),
    ("manifest.py", '"pico_pins.py"', '"pins.py"', "there is no "),
    (
        "manifest.py",
        'include("../common',
        '# include("../common',
        "board imports pico_parts, which",
    ),
    ("fitted.py", 'MODEL = "3ph"', 'MODELL = "3ph"', "fitted.py has no MODEL"),
)


@pytest.mark.parametrize(("file", "old", "new", "text"), SLIPS)
def test_a_slip_in_one_of_its_files_is_named(workshop, file, old, new, text):
    kept = (workshop.board / file).read_text()
    workshop.change(f"boards/my_meter/{file}", old, new)
    try:
        status, said = workshop.asked("board_check.py")
        assert status and text in said, said
    finally:
        (workshop.board / file).write_text(kept)
