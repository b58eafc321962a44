"""Lets the meter measure: calibration as in production, then condition after condition.

The meter's code runs on MicroPython (accuracy_target.py), one process for each worker, and is fed
with frames of a front end's model. An error is what the energy registers gained, residue and all,
against the signal's exact power times the true length of the frames between.
"""

from __future__ import annotations

import atexit
import json
import math
import subprocess
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import accuracy_signal
import interpreter
from accuracy_converters import FRONT_ENDS
from accuracy_frontend import FrontEnd
from accuracy_paths import ROOT
from accuracy_signal import BURST, Condition

from metrology import calibration_step
from metrology.calibration import Calibration, CalibrationError

TARGET = ROOT / "tools" / "accuracy_target.py"
SETTLE_S = 0.8
A_IMPORT, A_EXPORT, Q_PLUS, Q_MINUS, NET = 0, 1, 2, 3, 11
_QUADRANTS = (4, 5, 6, 7)


class AccuracyError(Exception):
    """The sweep cannot be run; the text is one line."""


@dataclass(frozen=True)
class Meter:
    """One specimen: a front end by name, a model, the seed of its tolerances."""

    front_end: str
    model: str
    seed: int


@dataclass
class Measured:
    """What a condition gave."""

    condition: Condition
    power_w: float  # true
    reactive_var: float
    active_percent: float | None  # error of net active energy; None without a true one
    reactive_percent: float | None
    gained_wh: list[float]  # the twelve registers
    seconds: float
    pulses_agree: bool
    wrong: str = ""  # why the registers are wrong whatever the error


@dataclass
class Record:
    """A calibration and how the meter read before it."""

    packed: bytes
    values: Calibration
    before_percent: float
    steps: list[tuple[str, str]]


class Target:
    """The meter's code in a process of its own."""

    def __init__(self) -> None:
        try:
            chosen = interpreter.choose()
        except interpreter.InterpreterError as error:
            raise AccuracyError(str(error)) from error
        self.notice = chosen.notice
        self._process = subprocess.Popen(
            chosen.run_script(TARGET, heap="64M"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def measure(
        self, front: FrontEnd, condition: Condition, packed: bytes, seconds: float, run: int
    ) -> dict[str, Any]:
        """Run one case and return the answer; `seconds` are counted after the meter settled."""
        plate = front.plate
        signal = accuracy_signal.make(condition, plate.phases, plate.voltage_v, plate.frequency_hz)
        # Half a window more, so that the last one asked for ends
        codes = front.codes(signal, SETTLE_S + seconds + 0.5, run, condition.kelvin)
        header = {
            "rate_mhz": front.rate_mhz,
            "phases": plate.phases,
            "skew_ns": front.skew_ns,
            "channels": front.channels,
            "frames": len(codes),
            "settle": round(SETTLE_S * front.rate_mhz / 1000),
            "stride": 2 if condition.wave == BURST else 1,
            "u_pv_per_lsb": front.u_pv_per_lsb,
            "i_pa_per_lsb": front.i_pa_per_lsb,
            "record": packed.hex(),
            "nameplate": {
                "voltage_v": plate.voltage_v,
                "frequency_hz": plate.frequency_hz,
                "transformer": int(plate.transformer),
                "reference_ma": round(plate.reference_a * 1000),
                "maximum_ma": round(plate.maximum_a * 1000),
                "pulses_per_kwh": plate.pulses_per_kwh,
            },
        }
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None and answers is not None
        try:
            pipe.write(json.dumps(header).encode() + b"\n" + codes.tobytes())
            pipe.flush()
        except BrokenPipeError:
            raise AccuracyError("the meter's code failed, see above") from None
        line = answers.readline()
        if not line:
            raise AccuracyError("the meter's code failed, see above")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise AccuracyError(f"the meter refused the front end: {answer['error']}")
        return answer


def measure(
    target: Target, front: FrontEnd, condition: Condition, packed: bytes, seconds: float, run: int
) -> Measured:
    """Measure a condition and compare it with the truth."""
    answer = target.measure(front, condition, packed, seconds, run)
    plate = front.plate
    signal = accuracy_signal.make(condition, plate.phases, plate.voltage_v, plate.frequency_hz)
    length_s = answer["frames"] / front.true_rate_hz
    gained: list[float] = [uws / 3.6e9 for uws in answer["gained_uws"]]
    power, reactive = signal.power(), signal.reactive_power()
    apparent = math.hypot(power, reactive)

    def error(registered_wh: float, true_w: float) -> float | None:
        if abs(true_w) < 1e-6 * apparent or not apparent:
            return None
        return 100 * (registered_wh / (true_w * length_s / 3600) - 1)

    return Measured(
        condition,
        power,
        reactive,
        error(gained[NET], power),
        error(gained[Q_PLUS] - gained[Q_MINUS], reactive),
        gained,
        length_s,
        answer["pulses_agree"],
        _wrong_register(gained, power, reactive, apparent),
    )


def _wrong_register(gained: list[float], power: float, reactive: float, apparent: float) -> str:
    """A word if energy went where it does not belong, or nothing."""
    clear = 0.1 * apparent  # nearer to an axis, noise may decide the sign
    if abs(power) > clear and gained[A_EXPORT if power > 0 else A_IMPORT] > 0:
        return "active energy in the wrong direction"
    if abs(reactive) > clear:
        if gained[Q_MINUS if reactive > 0 else Q_PLUS] > 0:
            return "reactive energy in the wrong direction"
        if abs(power) > clear:
            right = (0 if power > 0 else 1) if reactive > 0 else (3 if power > 0 else 2)
            if any(gained[q] > 0 for k, q in enumerate(_QUADRANTS) if k != right):
                return "reactive energy in the wrong quadrant"
    return ""


def calibrate(target: Target, front: FrontEnd, seconds: float) -> Record:
    """The production procedure: gain at Iref, delay at 60 degrees, offset at the smallest current.

    Readings are the meter's own, the reference's are exact, the arithmetic is production's.
    Raises AccuracyError if the meter would refuse gain or delay.
    """
    plate = front.plate
    record = Calibration(plate.phases)
    smallest_a = plate.reference_a * (0.01 if plate.transformer else 0.05)
    before = 0.0
    left = ""
    for run, (step, current_a, lag) in enumerate((
        (calibration_step.GAIN, plate.reference_a, 0.0),
        (calibration_step.PHASE, plate.reference_a, 60.0),
        (calibration_step.OFFSET, smallest_a, 0.0),
    )):  # fmt: skip
        condition = Condition(current_a, lag)
        shown = target.measure(front, condition, record.pack(), seconds, 1_000_000 + run)
        averages = _averages(shown, plate.phases)
        if not run:
            true_uw = plate.phases * plate.voltage_v * current_a * 1e6
            before = sum(shown["p_uw"]) / true_uw - 1
        try:
            record = calibration_step.corrected(record, _load(front, condition), averages, step)
            record.check()
        except CalibrationError as error:
            if step != calibration_step.OFFSET:
                raise AccuracyError(str(error)) from error
            left = f" ({error})"
    steps = [
        ("voltage gain", _listed(record.u_gain_ppb, 1e-7, "%", 4)),
        ("current gain", _listed(record.i_gain_ppb[: plate.phases], 1e-7, "%", 4)),
        ("delay", _listed(record.delay_ns, 1e-3, "us", 2)),
        ("power offset", _listed(record.p_offset_uw, 1e-3, "mW" + left, 2)),
        ("reactive offset", _listed(record.q_offset_uvar, 1e-3, "mvar" + left, 2)),
    ]
    return Record(record.pack(), record, 100 * before, steps)


def _load(front: FrontEnd, condition: Condition) -> calibration_step.Load:
    """What the bench gives, as production is told."""
    load = calibration_step.Load(front.plate.phases)
    for phase in range(load.phases):
        load.u_uv[phase] = round(front.plate.voltage_v * 1e6)
        load.i_ua[phase] = round(condition.current_a * 1e6)
        load.phi_udeg[phase] = round(condition.lag_deg * 1e6)
    return load


def _averages(shown: dict[str, Any], phases: int) -> calibration_step.Averages:
    """What the meter has averaged, in production's own form."""
    averages = calibration_step.Averages(phases)
    values = {name: [round(v) for v in shown[name]] for name in ("u_uv", "i_ua", "p_uw", "q_uvar")}
    averages.add(SimpleNamespace(**values, in_ua=0, f_uhz=round(shown["f_hz"] * 1e6)))  # type: ignore[arg-type]
    return averages


def _listed(values: list[int], scale: float, unit: str, decimals: int) -> str:
    return ", ".join(f"{value * scale:+.{decimals}f}" for value in values) + " " + unit


# One target and one front end a worker process
_own: dict[str, Any] = {}


def _begin() -> None:
    _own["target"] = Target()
    atexit.register(_own["target"].close)


def _front(meter: Meter) -> FrontEnd:
    if _own.get("meter") != meter:
        _own["meter"] = meter
        _own["front"] = FRONT_ENDS[meter.front_end](meter.model, meter.seed)
    return _own["front"]


def _calibrate(meter: Meter, seconds: float) -> Record:
    return calibrate(_own["target"], _front(meter), seconds)


def _measure(
    meter: Meter, condition: Condition, packed: bytes, seconds: float, run: int
) -> Measured:
    return measure(_own["target"], _front(meter), condition, packed, seconds, run)


class Workers:
    """Processes that measure side by side."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = ProcessPoolExecutor(count, initializer=_begin)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def calibrate(self, meters: list[Meter], seconds: float) -> list[Record | AccuracyError]:
        """Calibrate meters; what a meter's code refused is returned in its place."""
        futures = [self._pool.submit(_calibrate, meter, seconds) for meter in meters]
        results: list[Record | AccuracyError] = []
        for future in futures:
            try:
                results.append(future.result())
            except AccuracyError as error:
                results.append(error)
        return results

    def measure(
        self, meter: Meter, conditions: list[Condition], packed: bytes, seconds: float
    ) -> Iterator[Measured]:
        """Measure conditions of one meter, in the order in which they get done."""
        left = list(enumerate(conditions))
        running: set[Future[Measured]] = set()
        while left or running:
            while left and len(running) < 2 * self._count:
                run, condition = left.pop(0)
                running.add(self._pool.submit(_measure, meter, condition, packed, seconds, run))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
