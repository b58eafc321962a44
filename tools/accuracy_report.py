"""What `make accuracy` hands out: a summary for the terminal, a page of HTML, and a PDF."""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import accuracy_limits as limits
import accuracy_plots
from accuracy_frontend import Nameplate
from accuracy_judge import Judged, Outcome, Verdict
from accuracy_limits import Limits
from accuracy_run import Meter, Record
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

CLAUSE = (
    "Limits as this project holds them, for tests against them: no standard's text is quoted, and "
    "no passing here is a certificate. The meter's own code measured; the front end is a model."
)
_TABLES = (
    limits.LOAD, limits.ONE_PHASE, limits.REACTIVE, limits.VOLTAGE, limits.FREQUENCY, limits.ORDER,
    limits.MISSING, limits.FIFTH, limits.HALF_WAVE, limits.FIRED, limits.BURST,
    limits.TEMPERATURE, limits.START, limits.NO_LOAD,
)  # fmt: skip
_PAGE_LINES = 78


class Subject(Protocol):
    """What is measured: a model, or a real meter."""

    plate: Nameplate
    about: str

    def assumptions(self) -> list[tuple[str, str]]:
        """Names and values of what was assumed."""
        ...


@dataclass
class Section:
    """One meter's results. `refused` says why there are none."""

    meter: Meter
    front: Subject
    required: list[Limits]  # classes that decide whether the run passes
    record: Record | None
    outcomes: list[Outcome]
    verdicts: list[Verdict]
    refused: str = ""

    @property
    def title(self) -> str:
        """Model and front end."""
        return f"{self.meter.model} on {self.meter.front_end}"

    @property
    def passed(self) -> bool:
        """True if all required classes pass."""
        if self.refused:
            return not self.required
        return all(v.passed for v in self.verdicts if self.requires(v))

    def requires(self, verdict: Verdict) -> bool:
        """True if this verdict decides."""
        return verdict.limits in self.required

    @property
    def headline(self) -> Verdict | None:
        """The class whose limits are drawn: the first that is required, else the first."""
        for verdict in self.verdicts:
            if self.requires(verdict):
                return verdict
        return self.verdicts[0] if self.verdicts else None


def unit(table: str) -> str:
    """What a table's values are counted in."""
    return "%/K" if table == limits.TEMPERATURE else "%"


def value_text(judged: Judged) -> str:
    """A value beside its limit, or the word that says why there is none."""
    outcome = judged.outcome
    if outcome.wrong:
        return outcome.wrong
    if judged.allowed is None or outcome.value is None:
        return "stands still" if outcome.point.table == limits.NO_LOAD else "starts"
    table = outcome.point.table
    decimals = 4 if table == limits.TEMPERATURE else 3
    return f"{outcome.value:+.{decimals}f} of {judged.allowed:g} {unit(table)}"


def place_text(outcome: Outcome) -> str:
    """Where in the table a point is."""
    point = outcome.point
    name = "sin phi" if point.reactive else "PF"
    parts = [f"{point.condition.current_a:g} A"]
    if point.table not in (limits.START, limits.NO_LOAD):
        parts.append(f"{name} {point.factor}")
    if point.note:
        parts.append(point.note)
    return ", ".join(parts)


def _tables(verdict: Verdict) -> list[tuple[str, Judged, int]]:
    """Each table's worst point and how many points it has, in a steady order."""
    return [
        (name, verdict.tables[name][0], len(verdict.tables[name]))
        for name in _TABLES
        if name in verdict.tables
    ]


def summary(sections: list[Section]) -> str:
    """The text for the terminal: the worst error of each table of each class."""
    lines: list[str] = []
    for section in sections:
        lines += ["", f"{section.title}: {section.front.about}"]
        if section.refused:
            lines.append(f"  not measured: {section.refused}")
            continue
        for verdict in section.verdicts:
            word = "pass" if verdict.passed else "FAIL"
            role = "required" if section.requires(verdict) else "for information"
            lines.append(f"  {verdict.limits.title} ({role}): {word}")
            if not section.requires(verdict) and verdict.passed:
                continue
            for name, worst, count in _tables(verdict):
                if not section.requires(verdict) and worst.used <= 1:
                    continue
                mark = "pass" if worst.used <= 1 else "FAIL"
                lines.append(
                    f"    {mark}  {name:<18}{value_text(worst):<24} {count:>3} points, "
                    f"worst at {place_text(worst.outcome)}"
                )
    lines += ["", _verdict_line(sections)]
    return "\n".join(lines)


def _verdict_line(sections: list[Section]) -> str:
    failed = [section.title for section in sections if not section.passed]
    judged = [section for section in sections if section.required]
    if failed:
        return "FAIL: " + ", ".join(failed)
    if not judged:
        return "measured; no class was required"
    return f"pass: all required classes of {len(judged)} meters"


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem;
  color: #1d1d1f; background: #fff; }
h1 { font-size: 1.7rem; margin-bottom: .2rem } h2 { margin-top: 3rem; border-top: 2px solid #ddd;
  padding-top: 1rem } h3 { margin-top: 1.6rem }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums }
td, th { padding: .2rem .7rem; text-align: left; border-bottom: 1px solid #e4e4e8;
  vertical-align: top }
th { font-weight: 600; background: #f5f5f7 } td.n { text-align: right }
.pass { color: #176b36; font-weight: 600 } .fail { color: #b3261e; font-weight: 700 }
.quiet { color: #66666e } .bar { display: inline-block; height: .6rem; background: #4c78a8;
  border-radius: 2px } .bar.over { background: #b3261e } .track { width: 8rem; background: #ececf0;
  border-radius: 2px; line-height: 0; display: inline-block }
figure { margin: 1rem 0 } svg { max-width: 100%; height: auto } summary { cursor: pointer }
@media print { details { display: block } }
"""


def _cells(tag: str, *values: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{value}</{tag}>" for value in values) + "</tr>"


def _word(passed: bool) -> str:
    return f'<span class="{"pass" if passed else "fail"}">{"pass" if passed else "FAIL"}</span>'


def _bar(used: float) -> str:
    over = " over" if used > 1 else ""
    return (
        f'<span class="track"><span class="bar{over}" style="width:{min(used, 1):.1%}"></span>'
        "</span>"
    )


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg")
    # Neither a document's head nor its metadata has a place inside a page
    return re.sub(r"^.*?(?=<svg)|<metadata>.*?</metadata>", "", text.getvalue(), flags=re.DOTALL)


def _overview(sections: list[Section]) -> list[str]:
    rows = [_cells("th", "meter", "class", "", "", "limit used", "worst point")]
    for section in sections:
        name = f'<a href="#{section.meter.model}-{section.meter.front_end}">{section.title}</a>'
        if section.refused:
            rows.append(_cells("td", name, "", "", "", "", html.escape(section.refused)))
        for verdict in section.verdicts:
            worst = max((rows[0] for rows in verdict.tables.values()), key=lambda row: row.used)
            rows.append(_cells(
                "td", name, html.escape(verdict.limits.title),
                "required" if section.requires(verdict) else
                '<span class="quiet">information</span>',
                _word(verdict.passed), _bar(worst.used),
                html.escape(f"{worst.outcome.point.table}: {value_text(worst)}, "
                            f"{place_text(worst.outcome)}"),
            ))  # fmt: skip
            name = ""
    return ["<table>", *rows, "</table>"]


def _verdict_table(verdict: Verdict) -> list[str]:
    rows = [_cells("th", "table", "", "worst", "limit used", "at", "points")]
    for name, worst, count in _tables(verdict):
        rows.append(_cells(
            "td", name, _word(worst.used <= 1), html.escape(value_text(worst)), _bar(worst.used),
            html.escape(place_text(worst.outcome)), str(count),
        ))  # fmt: skip
    return ["<table>", *rows, "</table>"]


def _points_table(section: Section) -> list[str]:
    head = ["table", "current", "factor", "", "true power", "error", "counts"]
    rows = [_cells("th", *head)]
    for outcome in section.outcomes:
        point, measured = outcome.point, outcome.measured
        truth = (f"{measured.reactive_var:.4g} var" if point.reactive
                 else f"{measured.power_w:.4g} W")  # fmt: skip
        error = "" if outcome.error is None else f"{outcome.error:+.4f} %"
        value = "" if outcome.value is None else f"{outcome.value:+.4f} {unit(point.table)}"
        rows.append(_cells(
            "td", point.table, f"{point.condition.current_a:g} A", point.factor,
            html.escape(point.note), truth, error, html.escape(outcome.wrong) or value,
        ))  # fmt: skip
    return ["<details><summary>All points</summary><table>", *rows, "</table></details>"]


def _section(section: Section) -> list[str]:
    parts = [
        f'<h2 id="{section.meter.model}-{section.meter.front_end}">{section.title}</h2>',
        f"<p>{html.escape(section.front.about)}. Specimen of seed {section.meter.seed}.</p>",
    ]
    if section.refused:
        return [*parts, f'<p class="fail">Not measured: {html.escape(section.refused)}</p>']
    parts += [f"<figure>{_svg(figure)}</figure>" for figure in figures(section)]
    for verdict in section.verdicts:
        role = "required" if section.requires(verdict) else "for information"
        parts.append(f"<h3>{verdict.limits.title} ({role}): {_word(verdict.passed)}</h3>")
        parts += _verdict_table(verdict)
    if section.record is not None:
        parts.append(
            "<h3>Calibration</h3><p>The production procedure: gain at the reference current, "
            "delay at 60 degrees, offset at the smallest current. Before it, power at the "
            f"reference current was wrong by {section.record.before_percent:+.2f} %.</p><table>"
        )
        parts += [_cells("td", *step) for step in section.record.steps]
        parts.append("</table><h3>The model</h3><table>")
        parts += [
            _cells("td", html.escape(name), html.escape(value))
            for name, value in section.front.assumptions()
        ]
        parts.append("</table>")
    parts += _points_table(section)
    return parts


def figures(section: Section) -> list[Figure]:
    """The pictures of one meter."""
    verdict = section.headline
    if verdict is None:
        return []
    return accuracy_plots.draw(section.title, section.front.plate, section.outcomes, verdict)


def write_html(path: Path, heading: str, sections: list[Section]) -> None:
    """Write the page; it needs nothing else."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Ferraris: accuracy</title><style>{_STYLE}</style></head><body>",
        "<h1>Ferraris: accuracy</h1>",
        f'<p class="quiet">{html.escape(heading)}</p>',
        f"<p>{html.escape(CLAUSE)}</p>",
        f"<p><strong>{html.escape(_verdict_line(sections))}</strong></p>",
        *_overview(sections),
    ]
    for section in sections:
        parts += _section(section)
    parts.append("</body></html>")
    path.write_text("\n".join(parts) + "\n")


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def _text_pages(pages: PdfPages, text: str) -> None:
    lines = text.splitlines()
    for first in range(0, len(lines), _PAGE_LINES):
        figure = Figure(figsize=(11.7, 8.3))
        body = "\n".join(lines[first : first + _PAGE_LINES])
        figure.text(0.04, 0.96, body, family="monospace", fontsize=6.6, va="top", linespacing=1.15)
        pages.savefig(figure)


def write_pdf(path: Path, heading: str, sections: list[Section]) -> None:
    """Write the same, summary first, on landscape A4 pages."""
    with PdfPages(path) as pages:
        opening = ["Ferraris: accuracy", "", heading, "", *_wrapped(CLAUSE, 110)]
        _text_pages(pages, "\n".join(opening) + "\n" + summary(sections))
        for section in sections:
            for figure in figures(section):
                pages.savefig(figure)
            if section.record is not None:
                lines = [f"{section.title}: calibration", ""]
                lines += [f"  {name:<18}{value}" for name, value in section.record.steps]
                lines += ["", "the model", ""]
                for name, value in section.front.assumptions():
                    rest = _wrapped(value, 100)
                    lines.append(f"  {name:<22}{rest[0]}")
                    lines += [" " * 24 + more for more in rest[1:]]
                _text_pages(pages, "\n".join(lines))
