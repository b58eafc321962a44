"""`tools/calibrate.py`: calibrates a meter against a reference load, over its DLMS port.

Gain at the reference current and power factor 1, phase at 60 degrees, offset at the smallest
current; the meter averages and computes (docs/calibration.md), this program turns the bench, waits
and shows the errors before and after. With --bench the load is a virtual meter's, else a person
turns it and types readings. Exit status: 0 calibrated, 1 refused, 2 it could not be done.
"""

from __future__ import annotations

import argparse
import math
import sys
import time

import meter_options
import meter_place
from calibrate_bench import ApiBench, Bench, BenchError, HandBench, Load, Phase, loads
from gurux_dlms import GXArray, GXInt32, GXStructure, GXUInt32
from gurux_dlms.enums import DataType
from meter_link import Link, LinkError, Refused

_OBJECTS = "0-0:128.66."
LOAD, WINDOWS, STEP, PROGRESS, CORRECTIONS, MEASURED, STATE = (f"{_OBJECTS}{e}" for e in range(7))
_STEPS = {"measure": 1, "gain": 2, "phase": 3, "offset": 4}
_STOP = 0
_MEASURING = 1
_DONE = 2
_PATIENCE_S = 30.0  # without a window
_DEFAULT_U_V = 230.0
_DEFAULT_I_A = 5.0
_SMALLEST_PART = 0.05


class Row:
    """Errors of one phase at one load: volts, amperes and watts in percent, degrees."""

    def __init__(self, measured: list[int], true: Phase) -> None:
        u_uv, i_ua, p_uw, q_uvar = measured
        self.u = (u_uv / 1e6 / true.u_v - 1) * 100
        self.i = (i_ua / 1e6 / true.i_a - 1) * 100
        self.p = (p_uw / 1e6 / true.p_w - 1) * 100
        self.angle = math.degrees(math.atan2(q_uvar, p_uw)) - true.phi_deg


class Procedure:
    """The steps on one meter."""

    def __init__(self, link: Link, bench: Bench, windows: int) -> None:
        self._link = link
        self._bench = bench
        self._windows = windows
        self.phases = len(link.read(LOAD)[0])

    def prepare(self) -> None:
        """Say how many windows are averaged; a step that somebody left running ends.

        The first thing that a lock refuses.
        """
        self._link.write(STEP, DataType.ENUM, _STOP)
        self._link.write(WINDOWS, DataType.UINT16, self._windows)

    def give(self, load: Load) -> list[Phase | None]:
        """Turn the load on and tell the meter what it is."""
        given, neutral_a = self._bench.give(load, self.phases)
        array = GXArray()
        for phase in given:
            one = GXStructure()
            micro = (0, 0, 0)
            if phase is not None:
                micro = tuple(round(v * 1e6) for v in (phase.u_v, phase.i_a, phase.phi_deg))
            one.extend([GXUInt32(micro[0]), GXUInt32(micro[1]), GXInt32(micro[2])])
            array.append(one)
        value = GXStructure()
        value.extend([array, GXUInt32(round(neutral_a * 1e6))])
        self._write(LOAD, DataType.STRUCTURE, value)
        return given

    def run(self, name: str, text: str) -> None:
        """Run a step to its end. Raises Refused with the meter's reason."""
        self._write(STEP, DataType.ENUM, _STEPS[name])
        heard = time.monotonic()
        before = -1
        while True:
            _, state, done, wanted, reason = self._link.read(PROGRESS)
            _show(f"{text}: {done} of {wanted} windows")
            if state != _MEASURING:
                break
            if done != before:
                before, heard = done, time.monotonic()
            elif time.monotonic() - heard > _PATIENCE_S:
                self._link.write(STEP, DataType.ENUM, _STOP)
                raise Refused(f"{text}: the meter measures nothing")
            self._bench.wait()
        _show("")
        if state != _DONE:
            raise Refused(f"{text}: {_words(reason)}")

    def errors(self, load: Load, text: str, given: list[Phase | None]) -> dict[int, Row]:
        """Let the meter measure only, and compare."""
        self.run("measure", f"{load.name}, {text}")
        measured = self._link.read(MEASURED)[0]
        return {k: Row(measured[k], true) for k, true in enumerate(given) if true is not None}

    def _write(self, code: str, tag: DataType, value: object) -> None:
        try:
            self._link.write(code, tag, value)
        except Refused as error:
            reason = _words(self._link.read(PROGRESS)[4])
            raise Refused(f"{error}: {reason}" if reason else str(error)) from error


def calibrate(procedure: Procedure, bench: Bench, wanted: list[Load]) -> None:
    """Do all steps and print the table."""
    procedure.prepare()
    before: list[tuple[Load, dict[int, Row]]] = []
    after: list[tuple[Load, dict[int, Row]]] = []
    again = isinstance(bench, ApiBench)  # a person does not turn every load twice
    for load in wanted:
        given = procedure.give(load)
        before.append((load, procedure.errors(load, "before", given)))
        procedure.run(load.name, load.name)
        if not again:
            after.append((load, procedure.errors(load, "after", given)))
    if again:
        for load in wanted:
            after.append((load, procedure.errors(load, "after", procedure.give(load))))
    print(table(before, after))


def table(
    before: list[tuple[Load, dict[int, Row]]], after: list[tuple[Load, dict[int, Row]]]
) -> str:
    """Return the errors before and after, load by load and phase by phase."""
    lines = [
        f"{'load':<8}{'phase':<7}{'U %':>20}{'I %':>20}{'P %':>20}{'angle, degrees':>22}",
        " " * 15 + f"{'before':>10}{'after':>10}" * 3 + f"{'before':>12}{'after':>10}",
    ]
    for (load, old), (_, new) in zip(before, after, strict=True):
        for k, row in old.items():
            fresh = new[k]
            pairs = ((row.u, fresh.u), (row.i, fresh.i), (row.p, fresh.p))
            text = "".join(f"{a:>+10.4f}{b:>+10.4f}" for a, b in pairs)
            lines.append(
                f"{load.name:<8}L{k + 1:<6}{text}{row.angle:>+12.4f}{fresh.angle:>+10.4f}"
            )
    return "\n".join(lines)


def _show(text: str) -> None:
    """Progress on one line of a terminal; a log gets only the lines of the table."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}", end="" if text else "\r", file=sys.stderr, flush=True)


def _words(reason: object) -> str:
    return reason.decode() if isinstance(reason, (bytes, bytearray)) else str(reason)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--bench", metavar="URL", help="a virtual meter's API turns the load")
    parser.add_argument("--u", type=float, help="volts of the loads (Un)")
    parser.add_argument("--iref", type=float, help="amperes of gain and phase (Iref)")
    parser.add_argument("--imin", type=float, help="amperes of offset (a twentieth of Iref)")
    parser.add_argument("--windows", type=int, default=50, help="to average, 0.2 s each (50)")
    meter_options.add(parser.add_argument_group("the meter"))
    return parser.parse_args()


def _loads(options: argparse.Namespace, bench: Bench) -> list[Load]:
    plate = bench.nameplate() if isinstance(bench, ApiBench) else {}
    u_v = options.u or plate.get("nominal_voltage_v", _DEFAULT_U_V)
    reference_a = options.iref or plate.get("reference_current_a", _DEFAULT_I_A)
    smallest_a = options.imin or reference_a * _SMALLEST_PART
    return list(loads(u_v, reference_a, smallest_a))


def main() -> int:
    """Calibrate the meter that the options name."""
    options = _options()
    try:
        bench: Bench = ApiBench(options.bench) if options.bench else HandBench()
        with meter_place.of(options).link() as link:
            procedure = Procedure(link, bench, options.windows)
            bench.begin()
            try:
                calibrate(procedure, bench, _loads(options, bench))
            finally:
                bench.end()
            count, _, problem = link.read(STATE)
            print(f"calibrated, {count} corrections so far{_tail(_words(problem))}")
    except Refused as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    except (LinkError, BenchError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("calibrate: stopped; what was stored stays", file=sys.stderr)
        return 2
    return 0


def _tail(problem: str) -> str:
    return f"; {problem}" if problem else ""


if __name__ == "__main__":
    sys.exit(main())
