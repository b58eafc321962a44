"""Start of the firmware: takes the board's parts, builds the meter, runs it for ever."""

import asyncio

import board

# the board's long buffers first: importing the application leaves the heap in pieces
parts = board.parts()

from app.meter import Meter  # noqa: E402

meter = Meter(parts)


def start() -> None:
    """Start the meter's tasks; they run as soon as the asyncio loop does."""
    meter.start()


if __name__ == "__main__":
    start()
    asyncio.get_event_loop().run_forever()
