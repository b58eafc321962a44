"""`make year`: a simulated year, and what should have come of it.

Without options the firmware's clock, reserve, periods and energies live through 365 days on the
models of their chips in about half a minute (host_tests/unit/year_rig.py tells what happens to
them). Two options take the running virtual meter instead, with everything in it:

--meter   Registration. A household loads the meter through 2026, with holidays, daylight saving,
          three outages, a clock that is set wrong and right, a new calendar and monthly billings;
          gurux-dlms reads every entry, and an independent model says what each must hold
          (host_tests/reference/year_model.py). Differences are printed as a table. A simulated
          day takes half a minute or less: the year runs for some hours, `--days` for less. With
          `--state DIR` it is kept there each week and when it is stopped; `--resume` goes on.
          `--lot` lives through some days with outages and clocks set wrong by lot instead.
--clock   Each day the clock is corrected by gurux-dlms, twice its battery fails in an outage. It
          is a week unless `--days` says so.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from running_meter import RunningMeter
from year_registration import KeptError

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [
    str(ROOT / folder)
    for folder in (
        "firmware",  # whose metrology is a package, the reference's a module
        "host_tests/unit",
        "host_tests/system",
        "host_tests/reference",
        "host_tests/shims",
    )
]

_FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)
_LAPSE_S = 3600
_PART_S = 7200
_WATT = 3 * 230 * 5


def model_year(seed: int, days: int) -> int:
    """Run the year on the models; return how much was wrong."""
    import cpython

    cpython.install()
    from year_rig import Year  # pyright: ignore

    year = Year(seed, days)  # pyright: ignore[reportUnknownVariableType]
    year.run()  # pyright: ignore[reportUnknownMemberType]
    print(year.report())  # pyright: ignore
    return len(year.failures)  # pyright: ignore


class MeterYear:
    """The year of a running meter."""

    def __init__(self, meter: RunningMeter, seed: int, first: datetime) -> None:
        self.meter = meter
        self.lot = random.Random(seed)
        self.true = first
        self.powered_s = 0.0
        self.failures: list[str] = []
        self.largest_s = 0.0

    def post(self, path: str, **body: object) -> None:
        """Ask the bench for something."""
        self.meter.call(path, body)

    def advance(self, seconds: float, powered: bool = True) -> None:
        """Let time pass, in parts that no slow machine takes too long for."""
        left_s = seconds
        while left_s > 0:
            self.post("/api/advance", seconds=min(left_s, _PART_S))
            left_s -= _PART_S
        self.true += timedelta(seconds=seconds)
        self.powered_s += seconds if powered else 0

    def visit(self) -> tuple[datetime, int]:
        """Correct the clock as a client; return its time and 1.8.0 before that."""
        from clients import MANAGEMENT, SECRET, Gurux, Socket  # pyright: ignore
        from gurux_dlms import GXDateTime
        from gurux_dlms.objects import GXDLMSClock, GXDLMSRegister

        socket = Socket(self.meter.cosem_port, timeout_s=60)  # pyright: ignore
        client = Gurux(socket, MANAGEMENT, SECRET).connect()  # pyright: ignore
        clock = GXDLMSClock()
        client.read(clock, 2)  # pyright: ignore
        shown: datetime = clock.time.value.astimezone(timezone.utc)  # pyright: ignore
        energy_wh = int(client.read(GXDLMSRegister("1.0.1.8.0.255"), 2))  # pyright: ignore
        clock.time = GXDateTime(self.true)
        client.write(clock, 2)  # pyright: ignore
        client.release()  # pyright: ignore
        socket.close()  # pyright: ignore
        return shown, energy_wh  # pyright: ignore

    def run(self, days: int) -> None:
        """Let `days` pass; two of them bring an outage with a battery that fails."""
        dead = set(self.lot.sample(range(1, days), 2)) if days > 2 else {days - 1}
        self.post("/api/mains", phases=[{"phi_deg": 0}] * 3)
        self.post("/api/chip", chip="crystal", fault="drift", ppb=self.lot.randint(-60000, 60000))
        self.advance(10)
        _, first_wh = self.visit()
        counted_from_s = self.powered_s
        for day in range(days):
            self.post(
                "/api/chip", chip="rtc", fault="drift", ppb=self.lot.randint(-40_000, 40_000)
            )
            if day in dead:
                self.post("/api/battery", present=False)
                self.post("/api/supply", on=False)
                self.advance(_LAPSE_S, powered=False)
                self.post("/api/supply", on=True)
                self.post("/api/battery", present=True)
                self.advance(86400 - _LAPSE_S)
            else:
                self.advance(86400)
            shown, energy_wh = self.visit()
            error_s = (shown - self.true).total_seconds()
            wanted_wh = (self.powered_s - counted_from_s) * _WATT / 3600
            if day in dead:
                self.want(shown.year == 2001, f"day {day}: a lost clock shows {shown}")
            else:
                self.largest_s = max(self.largest_s, abs(error_s))
                self.want(abs(error_s) < 4, f"day {day}: {error_s} s wrong")
            # the mains' model is exact to some ppm, a start loses parts of a second
            difference_wh = energy_wh - first_wh - wanted_wh
            self.want(
                abs(difference_wh) < 3 + 3 * len(dead) + wanted_wh * 2e-5,
                f"day {day}: {difference_wh:+.1f} Wh",
            )
            print(f"day {day + 1}: {error_s:+.2f} s, {energy_wh} Wh, {difference_wh:+.2f} Wh")

    def want(self, condition: bool, words: str) -> None:
        """Note what is wrong."""
        if not condition:
            self.failures.append(words)
            print("WRONG:", words)


def clock_year(seed: int, first: datetime, days: int) -> int:
    """Run the year of the clock on a virtual meter; return how much was wrong."""
    with RunningMeter("--rate", "0", "--time", f"{first:%Y-%m-%dT%H:%M:%S}") as meter:
        year = MeterYear(meter, seed, first)
        year.run(days)
    print(f"{days} days, the largest correction {year.largest_s:.2f} s")
    return len(year.failures)


def registered_year(seed: int, options: argparse.Namespace, days: int) -> int | None:
    """Compare a virtual meter with the model of its registration; return the differences.

    None: the year was asked to stop and is kept.
    """
    import cpython

    cpython.install()
    from year_registration import Registration

    with tempfile.TemporaryDirectory() as passing:
        folder: Path | None = options.state
        year = Registration(folder or Path(passing), seed, folder is not None)
        comparison = (
            year.resume() if options.resume else year.begin(options.first, days, options.lot)
        )
    if comparison is None:
        return None
    print(comparison.report())
    for problem in year.problems:
        print("problem:", problem)
    return len(comparison.differences)


def _date(text: str) -> datetime:
    """Return the beginning of a day of 2026."""
    date = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    if date.year != 2026:
        raise argparse.ArgumentTypeError("the plan is that of 2026")
    return date


def main() -> int:
    """Run the year that the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="make year",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--days", type=int, help="default: 365, 7 with --clock")
    parser.add_argument("--seed", type=int, help="of loads and happenings, else drawn by lot")
    parser.add_argument("--from", type=_date, default=_FIRST, dest="first", metavar="DATE",
                        help="first day with --meter or --clock (2026-01-01)")  # fmt: skip
    running = parser.add_mutually_exclusive_group()
    running.add_argument("--meter", action="store_true", help="registration of a running meter")
    running.add_argument("--clock", action="store_true", help="the clock of a running meter")
    parser.add_argument("--state", type=Path, metavar="DIR",
                        help="with --meter: keep the year here, weekly and on Ctrl-C")  # fmt: skip
    parser.add_argument("--lot", action="store_true",
                        help="with --meter: outages and clocks by lot, up to 6 days")  # fmt: skip
    parser.add_argument("--resume", action="store_true",
                        help="go on with the year that --state holds, as it began")  # fmt: skip
    options = parser.parse_args()
    if (options.state or options.resume) and not (options.meter and options.state):
        parser.error("--state and --resume go with --meter, --resume with --state")
    if options.resume and (options.days or options.seed is not None or options.first != _FIRST):
        parser.error("--resume goes on as the year began: no --days, --seed, --from")
    if options.lot and (not options.meter or options.state or not 0 <= (options.days or 1) <= 6):
        parser.error("--lot goes with --meter, without --state, for 1 to 6 days")
    days = options.days or (7 if options.clock else 1 if options.lot else 365)
    if days < (1 if options.meter else 2):
        parser.error("--days must be 2 or more, with --meter 1")
    seed: int = options.seed if options.seed is not None else random.randrange(2**32)
    began = time.monotonic()
    if not options.resume:
        print(f"seed {seed}")
    if options.meter:
        try:
            wrong = registered_year(seed, options, days)
        except KeptError as error:
            parser.error(str(error))
    elif options.clock:
        wrong = clock_year(seed, options.first, days)
    else:
        wrong = model_year(seed, days)
    told = "stopped" if wrong is None else f"{wrong} wrong" if wrong else "all right"
    print(f"{time.monotonic() - began:.0f} s; {told}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
