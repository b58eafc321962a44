"""`make device-test BOARD=sim`: the device test on the simulated board, without a meter.

    micropython boards/sim/device_test.py [--switch] [--fault CHIP:FAULT[:NAME=N]...] PORT STATE

PORT is the first of six free TCP ports, STATE a folder for what the chips hold. A fault is one of
`POST /api/chip`, its numbers besides; `after_ms` says when it comes, else it is there at once.
"""

import sys

import run  # it puts the simulation in place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from assembly import Assembly

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."


def _spoil(board: "Assembly") -> None:
    """Give the chips the faults that are asked for; a wrong one ends the program."""
    for at, word in enumerate(sys.argv):
        if word == "--fault":
            try:
                _fault(board, sys.argv[at + 1])
            except ValueError as error:
                run.fail(2, error)


def _fault(board: "Assembly", text: str) -> None:
    import timeline

    name, *words = text.split(":")
    if name not in board.chips or not words:
        chips = ", ".join(sorted(board.chips))
        raise ValueError(f"--fault {text}: CHIP:FAULT, a chip of {chips}")
    values: dict[str, object] = {}
    for word in words[1:]:
        key, _, number = word.partition("=")
        values[key] = int(number)
    after_ms = values.pop("after_ms", 0)
    assert isinstance(after_ms, int)
    if after_ms:
        timeline.after(after_ms * 1000, lambda: board.chips[name].fault(words[0], **values))
    else:
        board.chips[name].fault(words[0], **values)


sys.path.insert(0, _HERE + "/bench")  # its main.py instead of the meter's
_OPTIONS = ["--http", "0", "--fresh", "--rate", "100"]  # nobody waits for its leisure
run.main(_OPTIONS + ["--ports", sys.argv[-2], "--state", sys.argv[-1]], _spoil)
