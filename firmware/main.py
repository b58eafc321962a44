"""Start of the firmware: takes the board's parts, builds the meter, runs it for ever."""

import asyncio

import board
from app.meter import Meter

meter = Meter(board.parts())


def start() -> None:
    """Start the meter's tasks; they run as soon as the asyncio loop does."""
    meter.start()


if __name__ == "__main__":
    start()
    asyncio.get_event_loop().run_forever()
