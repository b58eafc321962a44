"""The feature ledger's tool: which rows it sees, and what it refuses."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import rows

FEATURES = """# Features

## 1 Clock

| ID | Feature | Acceptance check |
|---|---|---|
| CLK-01 | Runs | moves |
| CLK-02 | Stops | stands |

| Code | Meaning |
|---|---|
| EVT-9 | a table that is not headed ID |

## 2 Consumer port

| ID | Feature |
|---|---|
| P1-01 | Telegram |

## 28 Rulings

| Row | Ruling |
|---|---|
| CLK-01 | repeated |
"""

TEST = """
import pytest
pytestmark = pytest.mark.slow

@pytest.mark.row("CLK-01")
def test_a(): pass

@pytest.mark.skip(reason="later")
@pytest.mark.row("CLK-02")
def test_b(): pass
"""


@pytest.fixture
def tree(tmp_path):
    for folder in ("docs", "host_tests/unit", "host_tests/on_target"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "docs/features.md").write_text(FEATURES)
    (tmp_path / "host_tests/unit/test_clock.py").write_text(TEST)
    (tmp_path / "host_tests/on_target/test_p1.py").write_text("# row: P1-01\nprint(1)\n")
    return tmp_path


def test_rows_are_those_of_tables_headed_id():
    parsed = rows.parse_rows(FEATURES)
    assert list(parsed) == ["CLK-01", "CLK-02", "P1-01"]
    assert parsed["P1-01"].area == "2 Consumer port"


def test_a_row_twice_or_misspelt_is_refused():
    with pytest.raises(rows.LedgerError, match="twice"):
        rows.parse_rows(FEATURES.replace("CLK-02", "CLK-01"))
    with pytest.raises(rows.LedgerError, match="no row code"):
        rows.parse_rows(FEATURES.replace("CLK-02", "clock 2"))


def test_marks_are_found_wherever_pytest_takes_them():
    source = (
        "import pytest\n"
        "pytestmark = [pytest.mark.slow, pytest.mark.row('A-1')]\n"
        "@pytest.mark.row('B-1', 'B-2')\n"
        "class TestX:\n"
        "    @pytest.mark.row('C-1')\n"
        "    def test_y(self): pass\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.row('D-1'))])\n"
        "async def test_z(x): pass\n"
    )
    assert sorted(rows.codes_of_pytest(source, "t.py")) == ["A-1", "B-1", "B-2", "C-1", "D-1"]


@pytest.mark.parametrize("mark", ["skip", "skip(reason='x')", "xfail(strict=True)"])
def test_a_test_that_need_not_pass_covers_nothing(mark):
    source = f"import pytest\n@pytest.mark.{mark}\n@pytest.mark.row('A-1')\ndef test_x(): pass\n"
    assert rows.codes_of_pytest(source, "t.py") == []


@pytest.mark.parametrize("argument", ["CODE", "'A' + '-1'", "3", ""])
def test_a_mark_must_name_its_rows_literally(argument):
    with pytest.raises(rows.LedgerError, match=r"t\.py:1"):
        rows.codes_of_pytest(f"m = pytest.mark.row({argument})\n", "t.py")


def test_comments_on_target():
    assert rows.codes_of_comments("x = 1\n# row: A-1, B-2\n    # row: C-3 D-4\n") == [
        "A-1", "B-2", "C-3", "D-4",
    ]  # fmt: skip


def test_coverage_is_written_then_agrees(tree):
    assert rows.run(tree, True, []) == 1  # there is none yet
    assert rows.run(tree, False, []) == 0
    text = (tree / "docs/coverage.md").read_text()
    assert rows.covered_in(text) == {"CLK-01", "P1-01"}
    assert "2 of 3 rows" in text
    assert rows.run(tree, True, []) == 0


def test_a_new_test_makes_coverage_stale(tree, capsys):
    rows.run(tree, False, [])
    more = "import pytest\n@pytest.mark.row('CLK-02')\ndef test_c(): pass\n"
    (tree / "host_tests/unit/test_more.py").write_text(more)
    assert rows.run(tree, True, []) == 1
    assert "not up to date" in capsys.readouterr().err


@pytest.mark.parametrize("check", [True, False])
def test_a_lost_row_is_an_error_until_it_is_dropped_by_name(tree, capsys, check):
    rows.run(tree, False, [])
    before = (tree / "docs/coverage.md").read_text()
    (tree / "host_tests/on_target/test_p1.py").unlink()
    assert rows.run(tree, check, []) == 1
    assert "P1-01 had a test" in capsys.readouterr().err
    assert (tree / "docs/coverage.md").read_text() == before
    assert rows.run(tree, False, ["P1-01"]) == 0


@pytest.mark.parametrize("check", [True, False])
def test_an_unknown_row_is_an_error(tree, capsys, check):
    rows.run(tree, False, [])
    (tree / "host_tests/on_target/test_p1.py").write_text("# row: P1-01 P1-99\n")
    assert rows.run(tree, check, []) == 1
    assert "P1-99" in capsys.readouterr().err


def test_the_product_s_own_list_is_readable(root):
    parsed = rows.parse_rows((root / "docs/features.md").read_text(encoding="utf-8"))
    assert len(parsed) > 600
    assert {"MET-01", "EN-01", "P1-01", "PRD-19"} <= set(parsed)
