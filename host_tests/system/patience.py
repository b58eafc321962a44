"""How long a test waits for what must come: far longer than it takes; machines are busy."""

import time

PATIENCE_S = 180
POLL_S = 0.05


def until(true, what, patience_s=PATIENCE_S):
    """Wait until `true()` is, and return it; `what` is said when it never is."""
    deadline = time.monotonic() + patience_s
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < deadline, f"never: {what() if callable(what) else what}"
        time.sleep(POLL_S)
