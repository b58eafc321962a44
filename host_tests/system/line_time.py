"""The pauses that a line's protocol counts: they pass in a virtual meter's time, not in ours.

IEC 62056-21 gives who has signed on a second and a half to choose, HDLC a fifth of a second from
octet to octet, however long a busy machine keeps the client waiting. So the meter's time stands
still, or goes slowly, while they talk. A real meter's goes on.
"""

import contextlib

import real_meter

REACTION_S = 0.3  # an optical head answers 0.2 s after it was asked
FORGETS_S = 4  # a choice that is not made and a read-out that is not asked for again: 1.5 s each
SLOW = 0.25  # for programs that know nothing of a bench: a choice may take them six seconds


@contextlib.contextmanager
def still(meter):
    """Let time pass only as asked for; then at rate 1 again."""
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
