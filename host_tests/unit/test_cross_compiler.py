"""Which cross compiler is taken, and which is refused."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import cross_compiler


def compiler(folder, version):
    """A program that says it is mpy-cross."""
    program = folder / "mpy-cross"
    program.write_text(f"#!/bin/sh\necho 'MicroPython {version}; mpy-cross emitting mpy v6.3'\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("version", ["v1.26.0", "v1.26.1 on 2025-09-13", "v1.27.0"])
def test_one_that_compiles_the_kernel_wrongly_is_refused(monkeypatch, tmp_path, version):
    monkeypatch.setenv("MPY_CROSS", str(compiler(tmp_path, version)))
    with pytest.raises(FileNotFoundError, match=r"metrology wrongly: take 1\.28 or newer"):
        cross_compiler.find()


def test_one_on_the_path_is_looked_at_too(monkeypatch, tmp_path):
    monkeypatch.delenv("MPY_CROSS", raising=False)
    monkeypatch.setattr(cross_compiler, "own", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    program = compiler(tmp_path, "v1.27.0")
    with pytest.raises(FileNotFoundError, match="wrongly"):
        cross_compiler.find()
    compiler(tmp_path, "v1.28.0")
    assert cross_compiler.find() == str(program)


def test_any_other_version_is_taken(monkeypatch, tmp_path):
    program = compiler(tmp_path, "v1.25.0")
    monkeypatch.setenv("MPY_CROSS", str(program))
    assert cross_compiler.find() == str(program)
