"""Code that the virtual meter runs from an image outside of its heap."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
pytest.importorskip("mpremote", reason="comes with `make setup`")

import precompile
import rom_image

BIN = Path(sys.executable).parent
SCRIPT = """
import gc, sys
sys.path.insert(0, "boards/sim")
import rom
where = rom.mount(sys.argv[1])
print(where)
if where:
    sys.path.insert(0, where)
    gc.collect()
    before = gc.mem_alloc()
    import big
    gc.collect()
    print(big.answer(), gc.mem_alloc() - before, big.__file__)
"""


def run(folder):
    done = subprocess.run(
        [str(BIN / "micropython"), "-c", SCRIPT, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def packed(tmp_path):
    """A folder with one large module in an image, and the image."""
    if not (BIN / "micropython").exists() or not (BIN / "mpy-cross").exists():
        pytest.skip("run `make setup` first")
    code = tmp_path / "code"
    code.mkdir()
    lines = [f"    total += {number * 7919 + 100000}" for number in range(3000)]
    source = "def answer():\n    total = 0\n" + "\n".join(lines) + "\n    return total\n"
    (tmp_path / "big.py").write_text(source)
    subprocess.run([BIN / "mpy-cross", "-o", code / "big.mpy", tmp_path / "big.py"], check=True)
    image = rom_image.image_of(code)
    return tmp_path, image, (code / "big.mpy").stat().st_size


def test_bytecode_in_the_image_costs_no_heap(packed):
    folder, image, size = packed
    module = rom_image.module_with(image, str(BIN / "mpy-cross"), "x64")
    (folder / "rom_image.mpy").write_bytes(module)
    where, answer, heap, file = run(folder)
    assert (where, file) == ("/rom", "/rom/big.mpy")
    assert int(answer) == sum(number * 7919 + 100000 for number in range(3000))
    assert size > 20_000
    assert int(heap) < size / 4


def test_an_image_that_is_none_is_not_mounted(packed):
    folder, image, _ = packed
    module = rom_image.module_with(b"no image" + image, str(BIN / "mpy-cross"), "x64")
    (folder / "rom_image.mpy").write_bytes(module)
    assert run(folder) == ["None"]


def test_the_image_follows_the_sources(tmp_path, monkeypatch, capsys):
    if not (BIN / "mpy-cross").exists():
        pytest.skip("run `make setup` first")
    monkeypatch.setattr(precompile, "ROOT", tmp_path)
    monkeypatch.setattr(precompile, "COMPILED", tmp_path / "mpy")
    monkeypatch.setattr(precompile, "ROM", tmp_path / "rom")
    source = tmp_path / "firmware" / "one.py"
    source.parent.mkdir()
    source.write_text("value = 'first'\n")
    folder = precompile.compiled()
    if folder is None:
        pytest.skip("no compiler for this machine's architecture")
    module = folder / "rom_image.mpy"
    assert b"first" in module.read_bytes()
    assert "compiling" in capsys.readouterr().err
    precompile.compiled()
    assert capsys.readouterr().err == ""  # nothing has changed
    source.write_text("value = 'second'\n")
    os.utime(source, (source.stat().st_mtime + 5, source.stat().st_mtime + 5))
    assert precompile.compiled() == folder
    assert b"second" in module.read_bytes()
    assert b"first" not in module.read_bytes()
    stood = module.stat().st_mtime_ns
    precompile.compiled()
    source.unlink()
    precompile.compiled()
    assert b"second" not in module.read_bytes()
    assert module.stat().st_mtime_ns > stood
    source.write_text("def :\n")
    assert precompile.compiled() is None
