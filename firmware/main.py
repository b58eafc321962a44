"""Start of the firmware: takes the board's parts, builds the meter, runs it for ever."""

import asyncio
import gc

from micropython import const

import board
from version import APPLICATION

# Collected this often, what imports leave behind does not lie between what stays: a heap in
# pieces has no room for long buffers.
_START_THRESHOLD = const(16384)

# the board's long buffers first: importing the application leaves the heap in pieces
parts = board.parts()

from app import ram_check  # noqa: E402

faulty = ram_check.test_free()  # while nothing else lies there
gc.threshold(_START_THRESHOLD)

from app.parts import choices  # noqa: E402

meter = choices.root(parts.choice)(parts)
if faulty:
    meter.ram_trouble("free cells")
gc.collect()
# From now on less often, for collecting takes time, but before the heap is full: by then what
# lasts would lie all over it.
gc.threshold(gc.mem_free() // 4)


def start() -> None:
    """Start the meter's tasks; they run as soon as the asyncio loop does."""
    meter.start()


if __name__ == "__main__":
    # for who has just flashed it; a meter in service has nobody at its console
    serial_number = meter.identification.serial_number().decode()
    print(f"Ferraris {APPLICATION}, {parts.NAME}, serial number {serial_number}")  # noqa: T201
    for problem in meter.problems:
        print(problem)  # noqa: T201
    start()
    asyncio.get_event_loop().run_forever()
