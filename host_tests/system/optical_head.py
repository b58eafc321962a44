"""The pauses of IEC 62056-21 at the head of a virtual meter: they pass in its time, not in ours.

A meter waits a second and a half for the choice of who has signed on, however long a busy machine
keeps the client waiting. So its time stands still while the two of them talk. A real meter's goes on.
"""

import contextlib

import real_meter

REACTION_S = 0.3  # a meter answers 0.2 s after it was asked
FORGETS_S = 4  # a choice that is not made and a read-out that is not asked for again: 1.5 s each


@contextlib.contextmanager
def still(meter):
    """Let time pass only as asked for, then at rate 1 again."""
    if real_meter.given:
        yield
        return
    meter.post("/api/rate", rate=0)
    try:
        yield
    finally:
        meter.post("/api/rate", rate=1)


def passes(meter, seconds=REACTION_S):
    """Let so much time pass; with a real meter it does so by itself."""
    if not real_meter.given:
        meter.post("/api/advance", seconds=seconds)
