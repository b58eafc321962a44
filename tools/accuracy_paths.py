"""Puts the meter's own files where the sweep's programs find them: models use what meters use."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

for _folder in ("host_tests/shims", "firmware"):
    if str(ROOT / _folder) not in sys.path:
        sys.path.insert(0, str(ROOT / _folder))
# behind everything: its names are short
if str(ROOT / "boards" / "sim") not in sys.path:
    sys.path.append(str(ROOT / "boards" / "sim"))

import cpython  # noqa: E402 - found by the path

cpython.install()
