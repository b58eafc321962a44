"""A hundred thousand mutated inputs into the server, its links and the A-XDR reader.

`make fuzz` runs this file too, with other seeds and numbers: SEED COUNT FILE [TARGET], where FILE
takes the inputs of a failure; `--replay FILE` feeds them again.
"""
# heap: 2M

import random
import sys
import time

import fuzzer

SEED = 20260131
COUNTS = {"channel": 45_000, "hdlc": 20_000, "wrapper": 15_000, "iec": 5_000, "axdr": 15_000}
CRASH_FILE = "build/fuzz-crash.txt"


def arguments():
    """Seed, {target: count}, crash file."""
    if len(sys.argv) < 4:
        return SEED, COUNTS, CRASH_FILE
    count = int(sys.argv[2])
    if len(sys.argv) > 4:
        return int(sys.argv[1]), {sys.argv[4]: count}, sys.argv[3]
    whole = sum(COUNTS.values())
    shares = {name: max(1, count * share // whole) for name, share in COUNTS.items()}
    return int(sys.argv[1]), shares, sys.argv[3]


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--replay":
        failure = fuzzer.replay(sys.argv[2])
        print(failure.target + ": " + failure.text if failure else "nothing went wrong")
        return 1 if failure else 0
    seed, counts, crash_file = arguments()
    print("seed", seed)
    random.seed(seed)
    passed = failed = 0
    for name, count in counts.items():
        began_ms = time.ticks_ms()
        fed, failure = fuzzer.run(name, count)
        seconds = time.ticks_diff(time.ticks_ms(), began_ms) / 1000
        print("{}: {} inputs in {:.1f} s".format(name, fed, seconds))
        if failure is None:
            passed += 1
            continue
        failed += 1
        print("FAILED", name, failure.text)
        try:
            failure.save(crash_file)
            print("inputs in", crash_file)
        except OSError as error:
            print("inputs could not be kept:", error)
    print(passed, "passed,", failed, "failed")
    return 1 if failed else 0


sys.exit(main())
