"""`make rows`: which rows of docs/features.md have a test, and which have not.

Rows are the first column of the tables headed `ID`, grouped by the section they stand in. Tests
name theirs: `@pytest.mark.row("EN-01", ...)` in test_*.py under host_tests, `# row: EN-01` in
host_tests/on_target. The result is printed by area and written to docs/coverage.md.

With --check nothing is written: it fails if a test names an unknown row, if a row that
coverage.md calls tested has lost its test, or if coverage.md is not what would be written.
A row is taken back only by name: `tools/rows.py --drop EN-01`.
"""

import argparse
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_ID = re.compile(r"[A-Z][A-Z0-9]*-[0-9]+")
_SECTION = re.compile(r"## ([0-9]+) (.+)")
_COMMENT = re.compile(r"\s*# row:\s*(.+)")
_COVERED_LINE = re.compile(r"\| ([A-Z][A-Z0-9]*-[0-9]+) \|")
_NOT_RUN = ("skip", "xfail")  # a test that does not have to pass checks nothing


class LedgerError(Exception):
    """The ledger or a test's mark cannot be read; the text names the place."""


class Row:
    """One feature: its code and the section it stands in."""

    def __init__(self, code: str, area: str) -> None:
        self.code = code
        self.area = area
        self.tests: set[str] = set()  # files that check it


def parse_rows(text: str) -> "dict[str, Row]":
    """The rows of the feature list, in its order."""
    rows: dict[str, Row] = {}
    area = ""
    header = None  # first cell of the table that is being read
    for number, line in enumerate(text.splitlines(), 1):
        section = _SECTION.fullmatch(line)
        if section:
            area = f"{section[1]} {section[2]}"
        if not line.startswith("|"):
            header = None
            continue
        cell = line.split("|")[1].strip()
        if header is None:
            header = cell
        elif header == "ID" and set(cell) - set("-: "):
            if not _ID.fullmatch(cell):
                raise LedgerError(f"docs/features.md:{number}: {cell!r} is no row code")
            if cell in rows:
                raise LedgerError(f"docs/features.md:{number}: {cell} stands there twice")
            rows[cell] = Row(cell, area)
    return rows


def _mark_name(node: ast.AST) -> "str | None":
    """The x of `pytest.mark.x` or `mark.x`, called or not."""
    if isinstance(node, ast.Call):
        node = node.func
    if not isinstance(node, ast.Attribute):
        return None
    owner = node.value
    if isinstance(owner, ast.Attribute) and owner.attr == "mark":
        return node.attr
    if isinstance(owner, ast.Name) and owner.id == "mark":
        return node.attr
    return None


class _Marks(ast.NodeVisitor):
    """Collects the row codes of one test file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.codes: list[str] = []

    def _definition(self, node: "ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef") -> None:
        if not any(_mark_name(decorator) in _NOT_RUN for decorator in node.decorator_list):
            self.generic_visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _definition  # noqa: N815

    def visit_Call(self, node: ast.Call) -> None:
        """Take the codes of a `row` mark; each must be written out."""
        if _mark_name(node) == "row":
            for argument in node.args:
                if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
                    raise LedgerError(f"{self.name}:{node.lineno}: a row code must be a literal")
                self.codes.append(argument.value)
            if not node.args:
                raise LedgerError(f"{self.name}:{node.lineno}: this row mark names no row")
        self.generic_visit(node)


def codes_of_pytest(source: str, name: str) -> "list[str]":
    """Row codes named by the marks of a pytest file; those of skipped tests do not count."""
    marks = _Marks(name)
    marks.visit(ast.parse(source, name))
    return marks.codes


def codes_of_comments(source: str) -> "list[str]":
    """Row codes named by the `# row:` comments of a test on target."""
    codes: list[str] = []
    for line in source.splitlines():
        found = _COMMENT.match(line)
        if found:
            codes += re.split(r"[,\s]+", found[1].strip())
    return codes


def collect(root: Path, rows: "dict[str, Row]") -> "list[str]":
    """Enter every test's file into its rows; returns complaints about rows that do not exist."""
    unknown: list[str] = []
    for path in sorted((root / "host_tests").rglob("test_*.py")):
        name = path.relative_to(root).as_posix()
        source = path.read_text(encoding="utf-8")
        on_target = "on_target" in path.parts
        codes = codes_of_comments(source) if on_target else codes_of_pytest(source, name)
        for code in codes:
            if code in rows:
                rows[code].tests.add(name)
            else:
                unknown.append(
                    f"{name} names the row {code}, which docs/features.md does not have"
                )
    return unknown


def by_area(rows: "dict[str, Row]") -> "dict[str, list[Row]]":
    """The rows of each section, in order."""
    areas: dict[str, list[Row]] = {}
    for row in rows.values():
        areas.setdefault(row.area, []).append(row)
    return areas


def report(rows: "dict[str, Row]") -> str:
    """The text of docs/coverage.md."""
    tested = sum(1 for row in rows.values() if row.tests)
    areas = by_area(rows)
    lines = [
        "# Rows of the feature list that have a test",
        "",
        "Written by `make rows`; not edited by hand. A row stands here when a test names it.",
        "",
        f"**{tested} of {len(rows)} rows have a test.**",
        "",
        "| Area | Rows | With a test | Without |",
        "|---|---|---|---|",
    ]
    for area, members in areas.items():
        done = sum(1 for row in members if row.tests)
        lines.append(f"| {area} | {len(members)} | {done} | {len(members) - done} |")
    for area, members in areas.items():
        lines += ["", f"## {area}", ""]
        covered = [row for row in members if row.tests]
        if covered:
            lines += ["| Row | Tests |", "|---|---|"]
            lines += [f"| {row.code} | {', '.join(sorted(row.tests))} |" for row in covered]
            lines.append("")
        missing = [row.code for row in members if not row.tests]
        lines.append(f"Without a test: {', '.join(missing) or 'none'}.")
    return "\n".join(lines) + "\n"


def covered_in(text: str) -> "set[str]":
    """The rows that a coverage.md calls tested."""
    return {found[1] for found in map(_COVERED_LINE.match, text.splitlines()) if found}


def _print_summary(rows: "dict[str, Row]") -> None:
    for area, members in by_area(rows).items():
        done = [row.code for row in members if row.tests]
        missing = [row.code for row in members if not row.tests]
        print(f"{area}: {len(done)} of {len(members)} rows with a test")
        print(f"    with:    {' '.join(done) or '-'}")
        print(f"    without: {' '.join(missing) or '-'}")
    tested = sum(1 for row in rows.values() if row.tests)
    print(f"{tested} of {len(rows)} rows have a test")


def run(root: Path, check: bool, drop: "list[str]") -> int:
    """Write or check docs/coverage.md below `root`; returns the status for the shell."""
    coverage = root / "docs" / "coverage.md"
    rows = parse_rows((root / "docs" / "features.md").read_text(encoding="utf-8"))
    complaints = collect(root, rows)
    before = coverage.read_text(encoding="utf-8") if coverage.exists() else ""
    tested = {row.code for row in rows.values() if row.tests}
    lost = sorted(covered_in(before) - tested - set(drop))
    complaints += [f"{code} had a test and has none now" for code in lost]
    text = report(rows)
    if check and not complaints and text != before:
        complaints.append("docs/coverage.md is not up to date: run `make rows` and commit it")
    _print_summary(rows)
    for complaint in complaints:
        print(f"rows: {complaint}", file=sys.stderr)
    if complaints:
        return 1
    if not check:
        coverage.write_text(text, encoding="utf-8")
    return 0


def main(arguments: "list[str]") -> int:
    """Read the command line and run in this repository."""
    parser = argparse.ArgumentParser(
        description="rows of docs/features.md with and without a test"
    )
    parser.add_argument("--check", action="store_true", help="write nothing, fail on any doubt")
    parser.add_argument("--drop", action="append", default=[], metavar="ID", help="give a row up")
    options = parser.parse_args(arguments)
    try:
        return run(ROOT, options.check, options.drop)
    except (LedgerError, OSError, SyntaxError) as error:
        print(f"rows: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
