"""What the tests of the simulation share: counting checks, running and ending the loop.

Importing it puts virtual time in place, so it comes before asyncio and time.
"""

import sys

sys.path.insert(0, "boards/sim")
sys.path.insert(0, "host_tests/on_target/toy/firmware")

import loop

loop.install()

import timeline
import wiring

passed = 0
failed = 0


class Stop(BaseException):
    """Ends a run of the processor from a test."""


def check(name, condition, *detail):
    """Count a check; print it if it fails."""
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print("FAILED", name, *detail)


def raises(error, function, *arguments, **keywords):
    """Tell whether a call raises an error of this class."""
    try:
        function(*arguments, **keywords)
    except error:
        return True
    return False


def report():
    """Print the result line and end."""
    print("{} passed, {} failed".format(passed, failed))
    sys.exit(1 if failed else 0)


def fresh():
    """Begin a test with nothing wired and virtual time at zero."""
    loop.drop(loop.METER)
    loop.drop(loop.BENCH)
    timeline.reset()
    wiring.clear()


def run(coroutine):
    """Run a coroutine of the bench in virtual time."""
    import asyncio

    loop.set_domain(loop.BENCH)
    try:
        return asyncio.run(coroutine)
    finally:
        loop.set_domain(loop.BENCH)
