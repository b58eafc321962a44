"""`make torture`: power cuts by the thousand, at any byte on the way to the meter's memories.

Runs host_tests/on_target/test_torture.py on the meter's interpreter in rounds, each with a seed of
its own, beside each other. A round that finds a violation ends it and can be run again by its
seed. At the end: the worst loss of energy, and what was written in the hold-up time.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import interpreter

ROOT = interpreter.ROOT
SCRIPT = ROOT / "host_tests" / "on_target" / "test_torture.py"
ROUND = 500
_HEAP = "16M"
_REPORT = re.compile(
    r"cuts (\d+) acts (\d+) worst loss (\d+) mWh; hold-up (\d+) octets, (\d+) us of bus, "
    r"(\d+) us of host, (\d+) bounded"
)


class Round:
    """What one round has found."""

    def __init__(self, seed: int, status: int, output: str) -> None:
        self.seed = seed
        self.output = output
        found = _REPORT.search(output)
        self.figures = [int(text) for text in found.groups()] if found else []
        self.failed = status != 0 or not self.figures


def run(chosen: interpreter.Interpreter, seed: int, count: int) -> Round:
    """Run one round."""
    path = os.pathsep.join([str(ROOT / "firmware"), str(SCRIPT.parent), ".frozen"])
    done = subprocess.run(
        [*chosen.run_script(SCRIPT, _HEAP), str(seed), str(count)],
        cwd=ROOT,
        env=dict(os.environ, MICROPYPATH=path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Round(seed, done.returncode, done.stdout)


def report(rounds: list[Round]) -> str:
    """The figures of all rounds in a table of words."""
    columns = list(zip(*(one.figures for one in rounds), strict=True))
    cuts, acts = sum(columns[0]), sum(columns[1])
    lines = (
        ("power cuts", f"{cuts}, no violation"),
        ("stored changes before them", f"{acts}"),
        ("worst loss of a register", f"{max(columns[2])} mWh"),
        ("written in a hold-up, at most", f"{max(columns[3])} octets of {columns[6][0]} allowed"),
        ("which took on the bus", f"{max(columns[4]) / 1000:.2f} ms at 10 MHz"),
        ("and on this computer, median", f"{sorted(columns[5])[len(rounds) // 2] / 1000:.2f} ms"),
    )
    return "\n".join(f"{name:<32}{value}" for name, value in lines)


def main(arguments: list[str]) -> int:
    """Run the rounds; 0 if nothing was violated."""
    parser = argparse.ArgumentParser(description="Cuts the meter's power at any byte.")
    parser.add_argument("--count", type=int, default=10_000, help="power cuts (10000)")
    parser.add_argument("--seed", type=int, help="seed of the first round (random)")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    options = parser.parse_args(arguments)
    if options.count < 1 or options.jobs < 1:
        parser.error("--count and --jobs are at least 1")
    chosen = interpreter.choose()
    if not chosen.micropython:
        print(f"torture: {chosen.notice}; it needs MicroPython", file=sys.stderr)
        return 1
    seed = options.seed if options.seed is not None else random.randrange(1 << 28)
    counts = [ROUND] * (options.count // ROUND)
    if options.count % ROUND:
        counts.append(options.count % ROUND)
    rounds: list[Round] = []
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(run, chosen, seed + n, count) for n, count in enumerate(counts)]
        for job in concurrent.futures.as_completed(jobs):
            done = job.result()
            rounds.append(done)
            if done.failed:
                print(f"seed {done.seed}:\n{done.output}", end="")
                print(
                    f"again: .venv/bin/python tools/torture.py --seed {done.seed} --count {ROUND}"
                )
                for other in jobs:
                    other.cancel()
                return 1
            cuts = sum(one.figures[0] for one in rounds)
            rate = cuts / (time.monotonic() - began)
            left_s = (options.count - cuts) / rate
            print(
                f"seed {done.seed}: {cuts} cuts, {rate:.0f} a second, {left_s:.0f} s left",
                flush=True,
            )
    print(report(rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
