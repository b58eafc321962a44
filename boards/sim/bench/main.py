"""The device test instead of the meter: what the simulated processor runs for device_test.py."""

import asyncio
import sys

import board
from app import device_test

parts = board.parts()


async def _feed() -> None:
    """Keep the watchdog quiet: this board's begins with its parts."""
    while parts.watchdog is not None:
        parts.watchdog.feed()
        await asyncio.sleep_ms(1000)


async def _run() -> None:
    await device_test.bench(parts, "--switch" in sys.argv)
    raise KeyboardInterrupt


def start() -> None:
    """Begin; the program ends with the test."""
    asyncio.create_task(_feed())
    asyncio.create_task(_run())
