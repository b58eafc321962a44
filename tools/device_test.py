"""`make device-test [PORT=...]`: test a board's parts, print a report to paste.

    device_test.py [BOARD] [--port PORT] [--switch] [--keys SECONDS]

Interrupts the meter on the board, runs firmware/app/device_test.py in its place, and starts the
meter again. The code must be there: make flash first. Where a line is not good, what to do about
it follows at the end. BOARD `sim` is the simulated board. The same test, as far as a meter at work
allows, is in the service menu (open the terminal cover) and prints to the meter's console.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))
import board_link
import interpreter
from board_link import BoardError, BoardLink, LinkError
from board_list import BOARDS, ROOT, Board, UnknownBoardError, named
from running_meter import PORTS, free_ports

if TYPE_CHECKING:
    from collections.abc import Sequence

SIM = "sim"
START = "main.py"
ASIDE = START + ".new"  # which the next make flash clears away
DONE = "device test done"
_HEAP = "8M"
_WIDTH = 99

# What to do about a line that is not good, by its part. The order is that of the report.
HELP = {
    "heap": "less than 16 KB are left: MicroPython with the board's definition runs the code in "
    "place (boards/README.md)",
    "cpu": "AES gives wrong results: another MicroPython build, or a processor clocked too fast",
    "fram": "FM25V20A: its four SPI lines and CS, 3.3 V, /WP and /HOLD high. An identity of "
    "nothing but f or 0 is no answer; a status, or what is not kept: write-protected, or worn",
    "flash": "W25Q128: its CS, /WP and /HOLD high, 100 nF close by. An identity of nothing but f "
    "or 0 is no answer; a status, or what is not kept: write-protected, or worn. 8 MB at least",
    "clock": "DS3231: SDA and SCL not exchanged, pull-ups of 4.7 kohm, 3.3 V. \"stood still\" or "
    "\"no BCD\": a cell in its holder, then make flash, which sets a clock without a time",
    "cell": "the clock's cell: below 2.5 V put a new one in",
    "input": "MCP23017 does not answer: SDA, SCL, A0 to A2 to ground, /RESET high. Otherwise "
    "compare: a key or contact that is closed reads 0",
    "mains": "GP22 (pyboard X21) is low: the supply watch sees no mains. Open it reads high",
    "relay": "its sense input, GPA6: is it as the contact is? --switch moves it",
    "coils": "GP26 opens, GP27 closes (Pico's own ADC: GP18, GP19; pyboard: Y11, Y12); the "
    "sense input follows within half a second, 5 V at the driver. "
    "On the bench the relay may stay away",
    "glass": "dark for the whole test? CS, DC, RESET; too pale: the contrast in drivers/st7567.py",
    "pulse": "each LED and the pulse output gave three pulses of 50 ms; count them",
    "rs485": "A and B, direction pin; it does not hear itself, so look at the line, or talk to it",
    "optic": "with a mirror before the head it hears itself; garbled: too much light, or the "
    "diode the wrong way round",
    "key 1": "scroll: GPA0 to ground when pressed",
    "key 2": "reset: GPA1 to ground when pressed",
    "adc": "ADS131M0x: its identity tells the SPI lines and the number of channels (MODEL in "
    "fitted.py); a wrong rate is the crystal (8.192 MHz; an M04 "
    "wants an oscillator); no frames: DRDY; lost: another program "
    "keeps the processor; wrong: long wires on SCLK and DOUT. ADS1115: SDA GP16, SCL GP17, "
    "ADDR to ground, pull-ups of 2.2 kohm",
    "ch": "inputs shorted, gain 1: below 100 LSB of noise and a mean within 4000. More: ground, "
    "supply, mains nearby. A noise of 0: it repeats one conversion, look at the crystal. Inputs "
    "at their bias: the Pico's own ADC below 10000 and a mean near -1050000, an ADS1115 below 500 "
    "and a mean near 0. At the rail: an open bias",
}  # fmt: skip


def advice(report: str, state: str) -> list[str]:
    """What to do about those parts that are in a state by their last line, in their order."""
    states = {line[:10].strip(): line[11:21].strip() for line in report.splitlines()}
    found: dict[str, str] = {}
    for part, last in states.items():
        key = part if part in HELP else part.split(" ")[0]
        if key in HELP and last == state:
            found[key] = f"{key}: {HELP[key]}"
    return list(found.values())


def verdict(report: str) -> int:
    """Print what to do; 0 if the test came to its end and nothing failed."""
    lines = report.splitlines()
    failed = dict.fromkeys(line[:10].strip() for line in lines if line[11:17] == "FAILED")
    for state, title in (("look", "Only you can tell"), ("FAILED", "What to do")):
        found = advice(report, state)
        if found:
            print(f"{title}:")
        for line in found:
            print(textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="    "))
    if DONE not in report:
        print("device-test: the test did not come to its end; what it said last stands above")
        return 1
    print(f"device-test: {', '.join(failed)} failed" if failed else "device-test: nothing failed")
    return 1 if failed else 0


def code(switch: bool, keys_s: int) -> str:
    """The program that the board runs."""
    return (
        "import asyncio,board\nfrom app import device_test\n"
        f"asyncio.run(device_test.bench(board.parts(),{switch},{keys_s}))\n"
    )


class _Listener:
    """Prints what a board says as it says it, and keeps it."""

    def __init__(self) -> None:
        self.heard = b""

    def __call__(self, data: bytes) -> None:
        self.heard += data.replace(b"\x04", b"")
        print(data.replace(b"\x04", b"").decode(errors="replace"), end="", flush=True)

    @property
    def text(self) -> str:
        """All of it."""
        return self.heard.decode(errors="replace").replace("\r", "")


def on_board(board: Board, port: str, program: str) -> str:
    """Run the test on the board at a port, start its meter again; what the test said."""
    link = BoardLink(port)
    try:
        identity = link.identity()
        board_link.check(identity, board)
        print(f"{board.name} at {port}: {identity.machine}, MicroPython "
              f"{'.'.join(map(str, identity.version))}")  # fmt: skip
        listener = _Listener()
        # Without its program the board has no watchdog that bites, and nothing else at work.
        _rename(link, START, ASIDE)
        try:
            link.restart()
            try:
                link.stream(program, listener)
            except BoardError as error:
                print(f"device-test: the board says {error}"
                      f"{_missing(str(error))}")  # fmt: skip
        finally:
            _rename(link, ASIDE, START)
        link.reset()
    finally:
        link.close()
    return listener.text


def _missing(error: str) -> str:
    return "; its code is not there, make flash first" if "no module named" in error else ""


def _rename(link: BoardLink, old: str, new: str) -> None:
    with contextlib.suppress(BoardError):  # there is none: nothing to keep from starting
        link.run(f"import os\nos.rename({old!r},{new!r})")


def on_simulation(switch: bool, faults: Sequence[str] = ()) -> str:
    """Run the test on the simulated board, with these faults; what it said."""
    print(f"the simulated board on {platform.system()}")
    with tempfile.TemporaryDirectory() as folder:
        script = ROOT / "boards" / "sim" / "device_test.py"
        run = interpreter.choose().run_script(script, _HEAP)
        words = ["--switch"] if switch else []
        for fault in faults:
            words += ["--fault", fault]
        command = [*run, *words, str(free_ports(PORTS)), folder]
        listener = _Listener()
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as child:
            assert child.stdout is not None
            while data := child.stdout.read(1024):
                listener(data)
    return listener.text


def main() -> int:
    """Test one board; 0 if nothing failed, 1 if something did, 2 for wrong words."""
    parser = argparse.ArgumentParser(description="Test the parts of a board.")
    parser.add_argument(
        "board", nargs="?", default="pico2_meter", help=f"{', '.join(BOARDS)}, sim"
    )
    parser.add_argument("--port", default="", help="its serial port; found by itself if alone")
    parser.add_argument("--switch", action="store_true", help="move the relay, there and back")
    parser.add_argument("--keys", type=int, default=0, help="seconds to press each key in")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="CHIP:FAULT",
        help="of the simulated board, as fram:stuck or rtc:dead: what its report looks like then",
    )
    options = parser.parse_args()
    try:
        if options.board == SIM:
            return verdict(on_simulation(options.switch, options.fault))
        board = named(options.board)
        port = board_link.find(board, options.port)
        return verdict(on_board(board, port, code(options.switch, options.keys)))
    except UnknownBoardError as error:
        print(f"device-test: {error}, sim", file=sys.stderr)
        return 2
    except (LinkError, BoardError) as error:
        print(f"device-test: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndevice-test: stopped; make flash starts the meter again", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
