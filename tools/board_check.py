"""`make boards`: every board.py is run against a `machine` that knows its processor's pins.

    board_check.py [BOARD ...]            all boards, or these
    board_check.py --folder DIR --chip C  a board.py that is none of ours; prints what it uses

with each model and converter that `fitted.py` may name.

Found are pins that do not exist, that two parts want or that cannot do what is asked; buses on
wrong pins; state machines, PIO instructions, DMA channels, timers and interrupt lines beyond what
the processor has; names of hal.Board that the board does not offer; modules that the manifest does
not name; a wiring table that is not what the code uses; and a definition for MicroPython that does
not agree with all that (board_definition.py). Ends with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import re
import subprocess
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import board_definition
import board_manifest
from board_chips import CHIPS
from board_list import COMMON, FIRMWARE, ROOT, Board, UnknownBoardError, chosen

LIBRARIES = ROOT / ".venv" / "upylib"
SHIMS = ROOT / "host_tests" / "shims"
# In the manifest, and not imported by every board: why they are there.
SPARE = {
    "app.crypto.aes": "for boards whose port has no cryptolib",
    "app.dlms.notification": "for ports that push, as they come",
    "app.transport.channel": "types",
}
MODELS = ("3ph", "ct", "1ph", "twin")
_ONE_PHASE = "1ph"
_FIRST_CONVERTER = "ads131m0x"
_FRAME_BYTES = 30  # of eight channels
_RING_FRAMES = 16


def offered_names() -> set[str]:
    """The names of hal.Board."""
    tree = ast.parse((FIRMWARE / "hal.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == "Board":
            fields = {
                item.target.id
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            }
            return fields | {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    raise AssertionError("hal.py has no Board")


def run(folder: Path, chip: str, fitted: dict[str, str]) -> dict[str, Any]:
    """Run a board.py in this process; what it uses, or the first fault in words.

    `fitted`: what `fitted.py` says instead; of no name: the path of another one.
    """
    import board_machine

    sys.path[:0] = [str(path) for path in (folder, COMMON, FIRMWARE, SHIMS, LIBRARIES)]
    import circuitpython
    import cpython

    cpython.install()
    circuitpython.install()
    record = board_machine.Record(CHIPS[chip], [folder, COMMON])
    board_machine.install(record)
    fault, maximum_ma = "", 0
    try:
        other = fitted.pop("", "")
        if other:
            sys.modules["fitted"] = _module_of(Path(other))
        for name, value in fitted.items():
            module = sys.modules.get("fitted") or __import__("fitted")
            if not hasattr(module, name):
                raise board_machine.WiringError(f"fitted.py has no {name}")
            setattr(module, name, value)
        import board  # pyright: ignore[reportMissingModuleSource]

        parts = board.parts()
        missing = sorted(name for name in offered_names() if not hasattr(parts, name))
        if missing:
            raise board_machine.WiringError("hal.Board also wants " + ", ".join(missing))
        maximum_ma = parts.variant.maximum_current_ma
        # The converter's capture takes its state machine and DMA channels when it begins.
        capture = getattr(parts.frames, "_capture", None)
        if capture is not None:
            capture.start(bytearray(_RING_FRAMES * _FRAME_BYTES), _FRAME_BYTES)
        elif parts.converter is not None:  # of the processor itself
            parts.frames.start()
        if parts.watchdog is not None:
            parts.watchdog.feed()
        cipher = parts.block_cipher(bytes(16))
        cipher.encrypt(bytes(16), bytearray(16))
        if len(parts.unique_id()) < 8:
            fault = "a unique id of fewer than 8 octets"
    except board_machine.WiringError as error:
        fault = f"{error} ({record.where_of(error)})"
    except Exception as error:
        fault = f"{type(error).__name__}: {error} ({record.where_of(error)})"
    return {
        "fault": fault,
        "maximum_ma": maximum_ma,
        "pins": record.uses,
        "machines": record.machines,
        "instructions": {
            pio: sum(len(program.words) for program in programs)
            for pio, programs in record.programs.items()
        },
        "dma": record.dma,
        "timers": record.timers,
    }


def _module_of(path: Path) -> types.ModuleType:
    module = types.ModuleType("fitted")
    exec(compile(path.read_text(), str(path), "exec"), vars(module))
    return module


def examine(folder: Path, chip: str, **fitted: str) -> dict[str, Any]:
    """`run` in a process of its own."""
    command = [sys.executable, __file__, "--folder", str(folder), "--chip", chip]
    for name, value in fitted.items():
        command += ["--fitted", f"{name}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        return {"fault": done.stderr.strip() or "ended without a word"}
    return json.loads(done.stdout)


_IN_WORDS = (
    (r" \([?\w.:]+\)$", ""),  # where our own code noticed
    (r"^ValueError: (fitted\.py: )?", ""),
    (r"^AttributeError: module 'fitted' has no attribute '(\w+)'", r"\1 is missing"),
)


def fitted_fault(board: Board, fitted: Path) -> str:
    """What is wrong with what a `fitted.py` says of this board, in words; "": nothing."""
    text: str = examine(board.folder, board.chip, **{"": str(fitted.resolve())})["fault"]
    for pattern, words in _IN_WORDS:
        text = re.sub(pattern, words, text)
    return f"{fitted}: {text}" if text else ""


def wiring(board: Board, converter: str = "") -> list[dict[str, str]]:
    """The rows of a board's wiring table: signal, its pin, and what is at its end.

    `signal` is a name in the board's table of pins, `place` its number on the header or the
    expander, if it has one. `converter`: without the rows of other converters than this one.
    """
    return [
        row
        for row in wiring_of(pins_path(board), board)
        if not converter or not row["converter"] or converter in row["converter"].split()
    ]


def pins_path(board: Board) -> Path:
    """The file with the board's table of pins."""
    every = (board.folder / "pins.py", board.folder / "pico_pins.py")
    return next((own for own in every if own.exists()), COMMON / "pico_pins.py")


def wiring_of(path: Path, board: Board) -> list[dict[str, str]]:
    """Join the table of pins at `path` and the wiring table beside it."""
    values: dict[str, Any] = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = ast.literal_eval(node.value)
    table = path.parent / "wiring.csv"
    chip = CHIPS[board.chip]
    rows: list[dict[str, str]] = []
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            value = values.get(row["signal"])
            if value is None:
                raise ValueError(f"{table.name}: {row['signal']} is not in {path.name}")
            expander = row["signal"].startswith("EXPANDER_") and row["part"] != "MCP23017"
            row["pin"] = (
                f"GP{'AB'[value // 8]}{value % 8}" if expander else str(chip.pin(value) or value)
            )
            row["converter"] = row.get("converter") or ""
            row["label"] = row["pin"] if expander or isinstance(value, int) else str(value)
            # of a DIP-28 or SOIC-28: GPB0 to GPB7 are pins 1 to 8, GPA0 to GPA7 21 to 28
            place = (value + 20) % 28 + 1 if expander else chip.header.get(row["pin"])
            row["place"] = str(place or "")
            row["on"] = "MCP23017" if expander else "processor"
            rows.append(row)
    named_rows = {row["signal"] for row in rows}
    for name in values:
        if name not in named_rows and not name.endswith(("_UART", "_MACHINE", "SPI", "I2C")):
            raise ValueError(f"{table.name} does not say where {name} leads to")
    return rows


def wiring_faults(board: Board, pins: dict[str, list[str]], converter: str = "") -> list[str]:
    """Where the wiring table and the pins that the code uses with a converter differ."""
    try:
        rows = wiring(board, converter)
    except ValueError as error:
        return [str(error)]
    table = [row["pin"] for row in rows if row["on"] == "processor"]
    wrong = [f"wiring.csv names {pin} twice" for pin in sorted(set(table)) if table.count(pin) > 1]
    wrong += [f"{pin} is used and not in wiring.csv" for pin in sorted(set(pins) - set(table))]
    optional = {row["pin"] for row in rows if row["note"].endswith("if fitted")}
    left = set(table) - set(pins) - optional
    wrong += [f"{pin} is in wiring.csv and not used" for pin in sorted(left)]
    return wrong


def fittings(sources: list[board_manifest.Source]) -> list[dict[str, str]]:
    """What a board's `fitted.py` may say of model and converter; the first as it comes."""
    converters = board_manifest.converters(sources)
    if not converters:
        return [{"MODEL": model} for model in MODELS]
    first = {"MODEL": MODELS[0], "CONVERTER": _FIRST_CONVERTER}
    rest = [{**first, "MODEL": model} for model in MODELS[1:]]
    others = sorted(set(converters) - {_FIRST_CONVERTER})
    return [first, *rest, *({"MODEL": _ONE_PHASE, "CONVERTER": name} for name in others)]


def faults_of(board: Board) -> tuple[list[str], dict[str, Any]]:
    """All that is wrong with a board, in words, and what it uses as it comes."""
    try:
        sources = board_manifest.read(board.name)
        wrong = board_manifest.faults(sources, set(board.built_in), SPARE)
    except board_manifest.ManifestError as error:
        return [str(error)], {}
    every = fittings(sources)
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(examine, board.folder, board.chip, **one) for one in every]
        uses = [future.result() for future in futures]
    for fitted, found in zip(every, uses, strict=True):
        texts = [found["fault"]] if found["fault"] else []
        if not texts:
            texts = wiring_faults(board, found["pins"], fitted.get("CONVERTER", ""))
        wrong += [text for text in texts if text not in wrong]
    if not wrong:
        wrong = board_definition.faults(board, wiring(board))
    typed = ("pyproject.toml", "pyright_stm32.json")
    if not any(f'"boards/{board.name}"' in (ROOT / name).read_text() for name in typed):
        wrong.append(
            f"`make types` does not see it: name boards/{board.name} in {typed[not board.rp2]}"
        )
    return wrong, uses[0]


def main() -> int:
    """Check boards; 1 if anything is wrong, 2 for a board that there is not."""
    parser = argparse.ArgumentParser(description="Check board.py files without hardware.")
    parser.add_argument("boards", nargs="*", metavar="BOARD")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--chip", choices=sorted(CHIPS))
    parser.add_argument("--fitted", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    if options.folder:
        fitted = dict(text.split("=", 1) for text in options.fitted)
        found = run(options.folder.resolve(), options.chip, fitted)
        print(json.dumps(found))
        return 1 if found["fault"] else 0
    try:
        boards = chosen(options.boards)
    except UnknownBoardError as error:
        print(f"boards: {error}", file=sys.stderr)
        return 2
    failed = 0
    for board in boards:
        wrong, found = faults_of(board)
        failed += bool(wrong)
        for text in wrong:
            print(f"{board.name}: {text}")
        if not wrong:
            print(summary(board, found))
    return 1 if failed else 0


def summary(board: Board, found: dict[str, Any]) -> str:
    """One line of what a sound board uses."""
    chip = CHIPS[board.chip]
    text = f"{board.name}: {len(found['pins'])} of {len(chip.functions)} pins"
    if chip.state_machines:
        words = ", ".join(f"PIO {pio} {count}" for pio, count in found["instructions"].items())
        text += (
            f", {len(found['machines'])} of {chip.state_machines} state machines"
            f" (instructions: {words} of 32), {found['dma']} of {chip.dma_channels} DMA channels"
        )
    return text + f", {found['timers']} of {chip.timers} timers"


if __name__ == "__main__":
    sys.exit(main())
