"""The registered year of `tools/year.py --meter`: a running meter beside a model, put by weekly.

The folder of a year holds `chips`, the memories of the meter that runs, and `kept`: the chips and
the model as they were when the meter was off for a moment, once a week and when the year is asked
to stop (Ctrl-C or SIGTERM; a second one ends it at once). `--resume` goes on from there.
"""

from __future__ import annotations

import pickle
import random
import shutil
import signal
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from running_meter import RunningMeter

_KEPT = "kept"
_CHIPS = "chips"
_YEAR = "year.pickle"


class KeptError(Exception):
    """The folder of a year cannot be used; the text is one line."""


class Registration:
    """A year that lives in `folder`; `lasting`: it is to be kept there."""

    def __init__(self, folder: Path, seed: int, lasting: bool) -> None:
        self._folder = folder
        self._lasting = lasting
        self._seed = seed
        self._spent_s = 0.0
        self._began = time.monotonic()
        self._meter: RunningMeter | None = None
        self._year: Any = None
        self.problems: list[str] = []

    def begin(self, first: datetime, days: int, lot: bool = False) -> Any:  # noqa: ANN401 - the tests have no types
        """Live through `days` from `first` on; return the comparison, None if asked to stop.

        `lot`: with outages and clocks by lot.
        """
        from year_harness import Year  # pyright: ignore
        from year_plan import by_lot, year  # pyright: ignore

        if (self._folder / _KEPT).exists():
            raise KeptError(f"{self._folder} holds a year: --resume goes on with it")
        shutil.rmtree(self._folder / _CHIPS, ignore_errors=True)
        if lot:
            plan = by_lot(first, days, random.Random(self._seed))  # pyright: ignore
            for moment, verb, ahead_s in plan.happenings:  # pyright: ignore
                self._say(f"{moment:%Y-%m-%d %H:%M:%S} {verb} {ahead_s or ''}")
        else:
            plan = year(first, days)  # pyright: ignore
        self._folder.mkdir(parents=True, exist_ok=True)
        meter = self._start(plan.start)  # pyright: ignore
        self._year = Year(meter.call_fields, meter.cosem_port, plan, self._seed, self._say)  # pyright: ignore
        return self._run()

    def resume(self) -> Any:  # noqa: ANN401
        """Go on where the year was kept; as `begin`. Raises KeptError if nothing was."""
        kept = self._folder / _KEPT
        if not kept.exists():
            kept = self._folder / (_KEPT + ".old")  # ended between two renames
        try:
            # what the same program has written a while ago
            with (kept / _YEAR).open("rb") as file:
                self._seed, self._spent_s, self._year = pickle.load(file)
        except (OSError, EOFError, pickle.UnpicklingError, AttributeError) as error:
            raise KeptError(f"{kept} holds no year to resume: {error}") from error
        shutil.rmtree(self._folder / _CHIPS, ignore_errors=True)
        shutil.copytree(kept / _CHIPS, self._folder / _CHIPS)
        self._attach()
        return self._run()

    def _run(self) -> Any:  # noqa: ANN401
        from year_harness import StoppedError  # pyright: ignore

        handlers: dict[int, Any] = {}
        if self._lasting:
            self._year.keep = self._keep
            for number in (signal.SIGINT, signal.SIGTERM):
                handlers[number] = signal.signal(number, self._stop)
        try:
            comparison = self._year.run()
            assert self._meter is not None
            self.problems = self._meter.call("/api/health")["problems"]
        except StoppedError:
            self._say("stopped; --resume goes on from here")
            return None
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            self._end()
        return comparison

    def _stop(self, _signal: int, _frame: object) -> None:
        if self._year.stop:
            raise KeyboardInterrupt
        self._year.stop = True
        self._say("stops when the meter and the model are at one time")

    def _keep(self, year: Any) -> None:  # noqa: ANN401
        """Put by the chips and the model; the meter is off meanwhile."""
        stop: bool = year.stop
        self._end()
        new, kept = self._folder / (_KEPT + ".new"), self._folder / _KEPT
        old = self._folder / (_KEPT + ".old")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(self._folder / _CHIPS, new / _CHIPS)
        with (new / _YEAR).open("wb") as file:
            pickle.dump((self._seed, self._so_far_s(), year), file)
        shutil.rmtree(old, ignore_errors=True)
        with suppress(FileNotFoundError):
            kept.rename(old)
        new.rename(kept)
        if not stop:
            self._attach()

    def _attach(self) -> None:
        meter = self._start(self._year.now())
        self._year.attach(meter.call_fields, meter.cosem_port, self._say)
        self._year.keep = self._keep

    def _start(self, moment: datetime) -> RunningMeter:
        options = ["--rate", "0", "--scenario", "household", "--seed", str(self._seed)]
        options += ["--heap", "8M"]  # a larger one is collected less often
        options += ["--time", moment.strftime("%Y-%m-%dT%H:%M:%S")]
        self._meter = RunningMeter(*options, chips=self._folder / _CHIPS)
        return self._meter.__enter__()

    def _end(self) -> None:
        if self._meter is not None:
            self._meter.__exit__()
            self._meter = None

    def _so_far_s(self) -> float:
        return self._spent_s + time.monotonic() - self._began

    def _say(self, text: str) -> None:
        print(f"{self._so_far_s():6.0f} s  {text}", flush=True)
