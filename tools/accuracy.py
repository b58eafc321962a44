"""`make accuracy`: the meter's errors at the test points of the standards, against their limits.

Frames of each front end's model go through the meter's own metrology on MicroPython, calibrated
as in production. What comes out is printed as a summary and written to build/accuracy as HTML and
PDF. Exit status: 0 all required classes pass, 1 one does not, 2 it could not be run. With --host
or --serial the same points are driven on a real meter (accuracy_host.py).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import accuracy_limits as limits
import accuracy_points
import accuracy_report
import meter_options
from accuracy_converters import FRONT_ENDS
from accuracy_frontend import NAMEPLATES
from accuracy_judge import judge, outcomes
from accuracy_limits import Limits
from accuracy_report import Section
from accuracy_run import AccuracyError, Measured, Meter, Record, Workers
from accuracy_signal import Condition

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "accuracy"

# What must hold for the run to pass. Of the others the report says what is true.
REQUIRED = {
    ("ads131m0x", "3ph"): ("1", "B", "R2"),
    ("ads131m0x", "1ph"): ("1", "B", "R2"),
    ("ads131m0x", "ct"): ("0.5S", "R2"),
    ("rp2040", "1ph"): ("1",),
}
QUICK_S = 2.0
FULL_S = 10.0
WORKERS = 2


class Progress:
    """Says how far the sweep is: on one line of a terminal, else a line every tenth."""

    def __init__(self, total: int) -> None:
        self._total = max(total, 1)
        self._done = 0
        self._told = 0
        self._begin = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def step(self, name: str) -> None:
        """Count one condition of the meter `name`."""
        self._done += 1
        percent = 100 * self._done // self._total
        left_s = (time.monotonic() - self._begin) * (self._total / self._done - 1)
        text = f"{percent:3d} % {name}, about {left_s:.0f} s left"
        if self._terminal:
            print(f"\r{text:<70}", end="", file=sys.stderr, flush=True)
        elif percent >= self._told + 10:
            self._told = percent - percent % 10
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line clean."""
        if self._terminal:
            print("\r" + " " * 70 + "\r", end="", file=sys.stderr, flush=True)


def choose_meters(models: list[str], front_ends: list[str], seed: int) -> list[Meter]:
    """Every pair that exists of those asked for. Raises AccuracyError if there is none."""
    found = [
        Meter(front_end, model, seed)
        for front_end in front_ends or list(FRONT_ENDS)
        for model in models or list(NAMEPLATES)
        if model in FRONT_ENDS[front_end].models
    ]
    if not found:
        measured = ", ".join(FRONT_ENDS[front_ends[0]].models)
        raise AccuracyError(f"front end {front_ends[0]} measures these models only: {measured}")
    return found


def choose_classes(
    model: str, front_end: str, asked: list[str]
) -> tuple[list[Limits], list[Limits]]:
    """The classes a meter is held against, and those that decide."""
    transformer = NAMEPLATES[model].transformer
    names = asked or list(limits.CLASSES)
    found = [one for name in names if (one := limits.of(name, transformer)) is not None]
    if asked:
        return found, found
    names = REQUIRED.get((front_end, model), ())
    required = [one for name in names if (one := limits.of(name, transformer)) is not None]
    return required + [one for one in found if one not in required], required


def sweep(meters: list[Meter], asked: list[str], full: bool, workers: int) -> list[Section]:
    """Measure all points of all meters."""
    seconds = FULL_S if full else QUICK_S
    plans: list[tuple[Meter, Section, list[accuracy_points.Point]]] = []
    with Workers(workers) as pool:
        records = pool.calibrate(meters, seconds)
        for meter, record in zip(meters, records, strict=True):
            front = FRONT_ENDS[meter.front_end](meter.model, meter.seed)
            classes, required = choose_classes(meter.model, meter.front_end, asked)
            rels = {one.start_rel for one in classes if one.start_rel is not None}
            points = accuracy_points.sweep(front.plate, rels, full)
            if isinstance(record, Record):
                section = Section(meter, front, required, record, [], [])
            else:
                section = Section(meter, front, required, None, [], [], str(record))
                points = []
            plans.append((meter, section, points))
        total = sum(len(accuracy_points.conditions(points)) for _, _, points in plans)
        progress = Progress(total)
        for meter, section, points in plans:
            if section.record is None:
                continue
            found: dict[Condition, Measured] = {}
            conditions = accuracy_points.conditions(points)
            for one in pool.measure(meter, conditions, section.record.packed, seconds):
                found[one.condition] = one
                progress.step(section.title)
            section.outcomes = outcomes(points, found, section.front.plate)
            classes, _ = choose_classes(meter.model, meter.front_end, asked)
            section.verdicts = [
                verdict for one in classes if (verdict := judge(section.outcomes, one)).tables
            ]
        progress.end()
    return [section for _, section, _ in plans]


def version() -> str:
    """The commit that was measured, or nothing."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def write(sections: list[Section], heading: str, folder: Path) -> list[Path]:
    """Write both reports; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    page, pdf = folder / "accuracy.html", folder / "accuracy.pdf"
    accuracy_report.write_html(page, heading, sections)
    accuracy_report.write_pdf(pdf, heading, sections)
    return [page, pdf]


def to_background(arguments: list[str], folder: Path) -> int:
    """Start the same sweep in a process that outlives this one."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "accuracy.log"
    rest = [one for one in arguments if one != "--background"]
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, __file__, *rest],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    print(f"process {process.pid} measures; progress and summary go to {_shown(log)}")
    return 0


def _shown(path: Path) -> str:
    absolute = path.resolve()
    return str(absolute.relative_to(ROOT) if absolute.is_relative_to(ROOT) else absolute)


def _amperes(text: str) -> float:
    try:
        amperes = float(text)
    except ValueError:
        amperes = 0.0
    if not 5 < amperes <= 1000:
        raise argparse.ArgumentTypeError("Imax is more than 5 A and at most 1000 A")
    return amperes


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse ends with status 2 and a reason if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="accuracy", description="Sweep the meter's errors against the standards' limits."
    )
    parser.add_argument("--quick", action="store_true", help="fewer points, 2 s each")
    parser.add_argument("--background", action="store_true", help="go on without the terminal")
    parser.add_argument(
        "--model",
        action="append",
        choices=list(NAMEPLATES),
        help="only this model (repeatable); of a real meter: not what it says it is",
    )
    parser.add_argument(
        "--front-end",
        action="append",
        choices=list(FRONT_ENDS),
        help="only this front end (repeatable)",
    )
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        choices=list(limits.CLASSES),
        help="require this class and no other (repeatable); A, B, C are of EN 50470-3, "
        "R2, R3 of IEC 62053-23",
    )
    parser.add_argument("--seed", type=int, default=1, help="which specimen; default 1")
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes; default 2")
    parser.add_argument("--out", type=Path, default=OUT, help="folder; default build/accuracy")
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="real meter: how long power is read; default 5"
    )
    place_options = parser.add_argument_group(
        "a real meter instead, its readings compared with what you type (docs/accuracy.md)"
    )
    place_options.add_argument(
        "--maximum", type=_amperes, default=0.0, metavar="A", help="its Imax; that of its model"
    )
    meter_options.add(place_options, None)
    given = parser.parse_args(arguments)
    if not 0 <= given.seconds <= 3600:
        parser.error("--seconds must be 0..3600")
    if given.workers < 1 or given.workers > 64:
        parser.error("--workers must be 1..64")
    if not 0 <= given.seed < 1 << 32:
        parser.error("--seed must be 0..4294967295")
    real = given.host or given.serial
    if real and (given.front_end or given.background):
        parser.error("a real meter is measured: no --front-end, no --background")
    if real and len(given.model or []) > 1:
        parser.error("a real meter is one --model, or the one that it says it is")
    if given.maximum and not real:
        parser.error("--maximum is of a real meter")
    if given.out.exists() and not given.out.is_dir():
        parser.error(f"--out {given.out} is not a folder")
    for model in given.model or []:
        for name in given.classes or []:
            if limits.of(name, NAMEPLATES[model].transformer) is None:
                parser.error(_other_class(name, model))
    return given


def _other_class(name: str, model: str) -> str:
    return f"class {name} is for transformer meters, {model} is a direct one"


def real_meter(given: argparse.Namespace) -> list[Section]:
    """Measure a real meter with a person's help."""
    # Imported late: a DLMS client takes long to load, and a sweep needs none
    import accuracy_host
    import meter_place
    from meter_link import LinkError

    try:
        reader = accuracy_host.Reader(meter_place.of(given))
        try:
            # a wrong address or password is told before any work
            plate = reader.plate((given.model or [""])[0], given.maximum)
            for name in given.classes or []:
                if limits.of(name, plate.transformer) is None:
                    raise AccuracyError(_other_class(name, plate.model))
            classes, required = choose_classes(plate.model, "ads131m0x", given.classes or [])
            bench = accuracy_host.Bench(input, given.seconds)
            chosen = classes if given.classes else required
            return [accuracy_host.run(reader, plate, chosen, not given.quick, bench)]
        finally:
            reader.close()
    except LinkError as error:
        raise AccuracyError(str(error)) from error


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    arguments = sys.argv[1:] if arguments is None else arguments
    given = parse(arguments)
    try:
        if given.background:
            return to_background(arguments, given.out)
        begin = time.monotonic()
        if given.host or given.serial:
            sections = real_meter(given)
            how = "real meter"
        else:
            meters = choose_meters(given.model or [], given.front_end or [], given.seed)
            sections = sweep(meters, given.classes or [], not given.quick, given.workers)
            how = (
                f"{QUICK_S if given.quick else FULL_S:g} s a point, specimens of seed {given.seed}"
            )
        heading = (
            f"{'quick' if given.quick else 'full'} sweep, {how}, "
            f"version {version() or 'unknown'}, {time.strftime('%Y-%m-%d %H:%M')}, "
            f"{time.monotonic() - begin:.0f} s"
        )
        print(accuracy_report.summary(sections))
        paths = write(sections, heading, given.out)
    except AccuracyError as error:
        print(f"accuracy: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"accuracy: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\naccuracy: interrupted", file=sys.stderr)
        return 130
    print("written:", ", ".join(_shown(path) for path in paths))
    return 0 if all(section.passed for section in sections) else 1


if __name__ == "__main__":
    # numpy's own threads only get in the workers' way
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
