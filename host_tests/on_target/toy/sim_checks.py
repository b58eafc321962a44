"""What the tests of the simulation share: running and ending the loop.

Importing it puts virtual time in place, so it comes before asyncio and time.
"""

import sys

sys.path.insert(0, "boards/sim")
sys.path.insert(0, "host_tests/on_target/toy/firmware")

import loop

loop.install()

import timeline
import wiring


class Stop(BaseException):
    """Ends a run of the processor from a test."""


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
