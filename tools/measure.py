"""`make measure FILE=...`: what Ferraris measures in a recording.

Takes a CSV file (t,u1,i1[,u2,i2,u3,i3] in s, V, A) or a frame file, turns it into ADC frames, and
runs the meter's own metrology on them, on MicroPython as in the meter (measure_target.py). Prints
a table, and writes FILE.measured.json in the shape of /api/quantities and FILE.measured.png.

Values are of the whole recording: U, I, P, S and the energies of every frame, fundamental values
and THD of the whole cycles, the frequency between the first and the last zero crossing. Voltages
and currents beyond a meter's range are measured as behind transformers of a whole power of ten.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import frames
import interpreter
import measure_csv
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "tools" / "measure_target.py"
ENERGIES = (
    *("1.8.0", "2.8.0", "3.8.0", "4.8.0", "5.8.0", "6.8.0", "7.8.0", "8.8.0"),
    *("9.8.0", "10.8.0", "15.8.0", "16.8.0"),
)

MIN_SAMPLES_PER_CYCLE = 10
MAX_RATE_HZ = 32000
MIN_CYCLES = 3  # the meter sees a period in any three
# Inside these the recording is measured as it is; beyond, behind a transformer.
U_RANGE_V = (50.0, 1000.0)
I_RANGE_A = (0.5, 100.0)
U_TYPICAL_V = 230.0
I_TYPICAL_A = 5.0


class MeasureError(Exception):
    """The recording cannot be measured; the text is one line."""


@dataclass
class Recording:
    """Codes of a recording, and what they mean; columns are u1 i1, then the other phases, in."""

    header: frames.Header
    samples: np.ndarray
    notes: list[str]

    def wave(self, channel: str) -> np.ndarray:
        """Return one channel in volts or amperes."""
        column = self.samples[:, self.header.channels.index(channel)]
        return column * self.header.scale_of(channel)


@dataclass
class Options:
    """What the command line asked for."""

    nominal_hz: int | None
    remove_dc: bool


def load(path: Path, progress: bool = False) -> Recording:
    """Read a CSV or a frame file. Raises MeasureError with a one-line reason."""

    def tell(lines: int) -> None:
        print(f"\r{lines} lines read", end="", file=sys.stderr, flush=True)

    try:
        if frames.is_frame_file(path):
            header, samples = frames.read(path)
            recording = Recording(header, samples, [])
            if header.uncalibrated:
                recording.notes.append(
                    "the header says uncalibrated; its scale factors are used all the same"
                )
        else:
            rate_hz, channels, left_out = measure_csv.read(path, tell if progress else None)
            header, samples = frames.quantise(channels, rate_hz)
            recording = Recording(header, samples, [])
            if left_out:
                recording.notes.append(f"columns left out: {', '.join(left_out)}")
    except (measure_csv.CsvError, frames.FrameFileError) as error:
        raise MeasureError(str(error)) from error
    except OSError as error:
        raise MeasureError(error.strerror or str(error)) from error
    return recording


def check_length(recording: Recording, nominal_hz: int | None) -> None:
    """Refuse what holds too little of a mains cycle to measure."""
    rate_hz = recording.header.rate_hz
    lowest = nominal_hz or 50
    if rate_hz < MIN_SAMPLES_PER_CYCLE * lowest:
        raise MeasureError(
            f"{rate_hz:g} samples a second are too few; at least "
            f"{MIN_SAMPLES_PER_CYCLE * lowest} are needed"
        )
    if rate_hz > MAX_RATE_HZ:
        raise MeasureError(f"{rate_hz:g} samples a second are too many; at most {MAX_RATE_HZ}")
    count = len(recording.samples)
    needed = math.ceil(MIN_CYCLES * rate_hz / (nominal_hz or 60))
    if count < needed:
        raise MeasureError(
            f"too few samples: {count}, at least {needed} ({MIN_CYCLES} cycles) are needed"
        )


def largest_rms(recording: Recording, kind: str) -> float:
    """Root mean square of the phase with most voltage (`u`) or current (`i`)."""
    largest = 0.0
    for name in recording.header.channels:
        if name[0] == kind and name != "in":
            wave = recording.wave(name)
            largest = max(largest, float(np.sqrt(np.mean(wave * wave))))
    return largest


def ratio(recording: Recording, kind: str, span: tuple[float, float], typical: float) -> int:
    """Exponent of the power of ten of the transformer that brings a recording into range."""
    largest = largest_rms(recording, kind)
    if largest == 0 or span[0] <= largest <= span[1]:
        return 0
    return round(math.log10(largest / typical))


def run_target(recording: Recording, options: Options, progress: bool) -> dict[str, Any]:
    """Measure with the meter's own code; the numbers come back as the meter holds them."""
    phases = recording.header.phases()
    wide = 1 if len(phases) == 1 else 3
    u_ratio = ratio(recording, "u", U_RANGE_V, U_TYPICAL_V)
    i_ratio = ratio(recording, "i", I_RANGE_A, I_TYPICAL_A)
    columns, u_pv, i_pa = [], [], []
    empty = np.zeros(len(recording.samples), dtype="<i4")
    for phase in range(1, wide + 1):
        for kind, scales, exponent in (("u", u_pv, u_ratio), ("i", i_pa, i_ratio)):
            name = f"{kind}{phase}"
            if phase in phases:
                column = recording.samples[:, recording.header.channels.index(name)]
                pico = recording.header.scale_of(name) * 10.0 ** (12 - exponent)
            else:
                column, pico = empty, 1e6
            columns.append(column)
            scales.append(max(round(pico), 1))
    task = {
        "rate_mhz": round(recording.header.rate_hz * 1000),
        "phases": wide,
        "frames": len(recording.samples),
        "u_pv_per_lsb": u_pv,
        "i_pa_per_lsb": i_pa,
        "keep_dc": not options.remove_dc,
        "nominal_hz": options.nominal_hz or 0,
        "nominal_v": max(round(largest_rms(recording, "u") / 10.0**u_ratio), 1),
    }
    try:
        chosen = interpreter.choose()
    except interpreter.InterpreterError as error:
        raise MeasureError(str(error)) from error
    if chosen.notice:
        recording.notes.append(chosen.notice)
    command = chosen.run_script(TARGET, heap="16M")
    with tempfile.TemporaryDirectory() as folder:
        codes = Path(folder) / "codes"
        codes.write_bytes(np.column_stack(columns).astype("<i4").tobytes())
        raw = _converse([*command, str(codes), json.dumps(task)], progress)
    raw["u_ratio"], raw["i_ratio"] = 10.0**u_ratio, 10.0**i_ratio
    for kind, exponent in (("voltage", u_ratio), ("current", i_ratio)):
        if exponent:
            recording.notes.append(
                f"{kind} measured as behind a transformer of {_colon(exponent)}"
            )
    return raw


def _colon(exponent: int) -> str:
    """Write a power of ten as a ratio: 1000:1 or 1:10."""
    return f"{10**exponent}:1" if exponent > 0 else f"1:{10**-exponent}"


def _converse(command: list[str], progress: bool) -> dict[str, Any]:
    """Run the target script; show its progress; return the result on its last line."""
    result: dict[str, Any] | None = None
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        for line in process.stdout or ():
            if line.startswith("progress ") and progress:
                print("\r" + line.split()[1] + " % measured ", end="", file=sys.stderr, flush=True)
            elif line.startswith("result "):
                result = json.loads(line[7:])
        said = process.stderr.read() if process.stderr else ""
    if process.returncode != 0 or result is None:
        last = (said.strip().splitlines() or ["no answer"])[-1]
        raise MeasureError(f"the meter's code failed: {last}")
    return result


def in_si_units(raw: dict[str, Any], phases: int) -> dict[str, Any]:
    """Turn the meter's micro-units into the shape of /api/quantities."""
    ku, ki = raw["u_ratio"], raw["i_ratio"]

    def scaled(key: str, factor: float) -> list[float]:
        return [value * factor for value in raw[key][:phases]]

    energies = [
        (wh + residue / 3.6e9) * ku * ki
        for wh, residue in zip(raw["wh"], raw["residue"], strict=True)
    ]
    return {
        "u": scaled("u_uv", 1e-6 * ku),
        "i": scaled("i_ua", 1e-6 * ki),
        "p": scaled("p_uw", 1e-6 * ku * ki),
        "q": scaled("q_uvar", 1e-6 * ku * ki),
        "s": scaled("s_uva", 1e-6 * ku * ki),
        "pf": scaled("pf_ppm", 1e-6),
        "f": raw["f_uhz"] * 1e-6,
        "thd_u": scaled("thd_u_ppm", 1e-4),
        "thd_i": scaled("thd_i_ppm", 1e-4),
        "p_total": raw["p_total_uw"] * 1e-6 * ku * ki,
        "energy_wh": dict(zip(ENERGIES, energies, strict=True)),
    }


def measure(recording: Recording, options: Options, progress: bool = False) -> dict[str, Any]:
    """Measure a recording; notes about it are added to `recording.notes`."""
    check_length(recording, options.nominal_hz)
    raw = run_target(recording, options, progress)
    if not raw["cycles"]:
        recording.notes.append("no voltage to lock on: frequency, Q and THD are not measured")
    return in_si_units(raw, len(recording.header.phases()))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 2 if the recording or the options cannot be used."""
    parser = argparse.ArgumentParser(description="Measure a recording with the meter's own code.")
    parser.add_argument("file", type=Path, help="CSV with t,u1,i1[,u2,i2,u3,i3], or a frame file")
    parser.add_argument("--nominal", type=int, choices=(50, 60), help="nominal frequency in Hz")
    parser.add_argument("--ac", action="store_true", help="leave DC out of U, I and P")
    parser.add_argument("--no-picture", action="store_true", help="write no picture")
    given = parser.parse_args(arguments)
    options = Options(given.nominal, given.ac)
    progress = sys.stderr.isatty()
    try:
        recording = load(given.file, progress)
        result = measure(recording, options, progress)
    except MeasureError as error:
        print(f"measure: {given.file}: {error}", file=sys.stderr)
        return 2
    if progress:
        print("\r" + " " * 30 + "\r", end="", file=sys.stderr)
    seconds = len(recording.samples) / recording.header.rate_hz
    title = (
        f"{given.file.name}: {len(recording.samples)} samples, "
        f"{recording.header.rate_hz:g} Hz, {seconds:.6g} s"
    )
    # Imported late: drawing takes longer to load than most recordings to measure.
    import measure_report

    print(measure_report.table(title, result))
    for note in recording.notes:
        print("note:", note)
    try:
        json_path = given.file.with_name(given.file.name + ".measured.json")
        json_path.write_text(json.dumps(result, indent=1) + "\n")
        written = [json_path.name]
        if not given.no_picture:
            picture_path = given.file.with_name(given.file.name + ".measured.png")
            waves = {name: recording.wave(name) for name in recording.header.channels}
            rate_hz = recording.header.rate_hz
            measure_report.picture(picture_path, title, rate_hz, waves, result)
            written.append(picture_path.name)
    except OSError as error:
        print(f"measure: cannot write beside {given.file}: {error.strerror}", file=sys.stderr)
        return 2
    print("written:", ", ".join(written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
