"""`make fuzz`: mutated octets by the million into the server, its links and the A-XDR reader.

Runs host_tests/on_target/test_fuzz.py on the meter's interpreter in rounds, each with a seed of
its own. A round that finds something ends it: the inputs of the failing batch are kept in a file,
which `--replay FILE` feeds again.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import interpreter

ROOT = interpreter.ROOT
SCRIPT = ROOT / "host_tests" / "on_target" / "test_fuzz.py"
TARGETS = ("channel", "hdlc", "wrapper", "iec", "axdr")
ROUND = 200_000
_HEAP = "2M"


def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the script on the meter's interpreter."""
    chosen = interpreter.choose()
    path = os.pathsep.join([str(ROOT / "firmware"), str(SCRIPT.parent), ".frozen"])
    return subprocess.run(
        [*chosen.run_script(SCRIPT, _HEAP), *arguments],
        cwd=ROOT,
        env=dict(os.environ, MICROPYPATH=path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def main(arguments: list[str]) -> int:
    """Run the rounds; 0 if nothing was found."""
    parser = argparse.ArgumentParser(description="Fuzzes the DLMS server and its links.")
    parser.add_argument("--count", type=int, default=10_000_000, help="inputs (10 million)")
    parser.add_argument("--seed", type=int, help="seed of the first round (random)")
    parser.add_argument("--target", choices=TARGETS, help="one only")
    parser.add_argument("--replay", type=Path, help="feed the inputs of a crash file again")
    options = parser.parse_args(arguments)
    if options.replay:
        done = run(["--replay", str(options.replay.resolve())])
        print(done.stdout, end="")
        return done.returncode
    seed = options.seed if options.seed is not None else random.randrange(1 << 28)
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    target = [options.target] if options.target else []
    fed = 0
    began = time.monotonic()
    while fed < options.count:
        count = min(ROUND, options.count - fed)
        crash = build / f"fuzz-{seed}.txt"
        done = run([str(seed), str(count), str(crash), *target])
        if done.returncode:
            print(f"seed {seed}:\n{done.stdout}", end="")
            if crash.exists():
                print(f"again: .venv/bin/python tools/fuzz.py --replay {crash.relative_to(ROOT)}")
            return 1
        fed += count
        rate = fed / (time.monotonic() - began)
        left_s = (options.count - fed) / rate
        print(f"seed {seed}: {fed} inputs, {rate:.0f} a second, {left_s:.0f} s left", flush=True)
        seed += 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
