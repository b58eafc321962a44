"""docs/objects.md says what the catalogue of the whole meter holds."""

import subprocess
import sys


def rows(root):
    text = (root / "docs" / "objects.md").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("| ")]


def test_the_document_is_up_to_date(root):
    done = subprocess.run(
        [sys.executable, root / "tools" / "objects.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, "run `make objects` and commit docs/objects.md\n" + done.stderr


def test_every_object_stands_once_with_its_rights(root):
    found = rows(root)
    for code, parts in (
        ("0-0:1.0.0.255", ("r 1-9", "r 1-9; w 2-3, 5-8; x 1-6")),
        ("1-0:1.8.0.255", ("long64-unsigned", "Wh")),
        ("0-0:13.0.0.255", ("w 6-10; x 1",)),
        ("0-0:99.98.0.255", ()),
    ):
        lines = [line for line in found if line.startswith(f"| {code} |")]
        assert len(lines) == 1, code
        for part in parts:
            assert part in lines[0], (code, part)
