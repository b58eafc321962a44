"""The runner of the tests on target never calls a broken script green."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "on_target"))
import run_tests


@pytest.mark.parametrize(
    ("output", "status", "passed", "failed"),
    [
        ("hello\n3 passed, 0 failed\n", 0, 3, 0),
        ("FAILED x\n3 passed, 2 failed\n", 1, 3, 2),
        ("3 passed, 0 failed\n", 1, 3, 1),  # died after its summary
        ("3 passed, 2 failed\n", 0, 3, 3),  # forgot its exit status
        ("0 passed, 0 failed\n", 0, 0, 1),  # ran nothing
        ("", 0, 0, 1),
        ("Traceback\nMemoryError:\n", 1, 0, 1),
        ("3 passed, 0 failed\nTraceback\n", 0, 0, 1),
    ],
)
def test_judgement(output, status, passed, failed):
    result = run_tests.judge(output, status)
    assert (result.passed, result.failed) == (passed, failed)


def test_a_script_gets_the_path_and_heap_it_asks_for(root, tmp_path):
    chosen = run_tests.interpreter.choose()
    if not chosen.micropython:
        pytest.skip("no MicroPython on this machine")
    script = tmp_path / "test_x.py"
    script.write_text(
        "# path: boards/sim\n# heap: 600k\n"
        "import gc, sys\n"
        f"assert {str(root / 'firmware')!r} in sys.path\n"
        f"assert {str(root / 'boards/sim')!r} in sys.path\n"
        "assert gc.mem_free() < 600 * 1024\n"
        "import asyncio\n"
        "print('1 passed, 0 failed')\n"
    )
    result, output = run_tests.run_script(script, chosen)
    assert (result.passed, result.failed) == (1, 0), output
