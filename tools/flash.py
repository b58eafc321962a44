"""`make flash BOARD=... [PORT=...]`: put the meter on a board, only what changed, and start it.

    flash.py BOARD [--port PORT] [--fitted FILE] [--set-clock]

The board's main.py goes first and comes last: whatever ends the work in between, the board starts
into MicroPython's prompt, and the next run goes on where this one ended. Where the board's
MicroPython has a ROMFS partition the code goes there and runs in place; otherwise it is copied
as files.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))
import board_build
import board_clock
import board_link
import board_manifest
import board_memory
import frozen_sources
from board_link import BoardError, BoardLink, LinkError
from board_list import BOARDS, FIRMWARE, Board, UnknownBoardError, named

if TYPE_CHECKING:
    from collections.abc import Container

PACKAGES = ("app", "drivers", "metrology")  # folders that are ours alone
LIBRARIES = ("adafruit_ads1x15", "adafruit_bus_device")  # others may have files there
START = "main.py"  # what MicroPython runs by itself
_NEW = ".new"
_BLOCK = 4096  # of a file system
_HEAR_S = 60
GREETING = "Ferraris "

# Prints each file of ours with its digest: of the packages everything, of the root what is no
# package. `rom`: digest of the partition's first octets.
_LIST = """
import os,hashlib
def one(p):
 h=hashlib.sha256()
 b=bytearray(1024)
 with open(p,'rb') as f:
  while 1:
   n=f.readinto(b)
   if not n:break
   h.update(memoryview(b)[:n])
 print(p,os.stat(p)[6],''.join('%02x'%x for x in h.digest()))
def walk(d,deep):
 for e in list(os.ilistdir(d or '/')):
  p=d+'/'+e[0]
  if e[1]!=0x4000:one(p)
  elif deep or e[0] in PACKAGES:walk(p,1)
walk('',0)
"""
_ROM = """
import vfs,hashlib
r=getattr(vfs,'rom_ioctl',None)
d=r(2,0) if r and r(1)>0 else -1
if isinstance(d,int):print(0,'')
else:
 m=memoryview(d)
 n=d.ioctl(4,0)*d.ioctl(5,0) if hasattr(d,'ioctl') else len(m)
 print(n,''.join('%02x'%x for x in hashlib.sha256(m[:SIZE]).digest()))
"""


class FlashError(Exception):
    """It cannot be put on this board; the text says why."""


@dataclass
class Plan:
    """What is to be done: files by their path on the board without the root."""

    write: dict[str, bytes] = field(default_factory=dict[str, bytes])
    remove: list[str] = field(default_factory=list[str])
    kept: int = 0

    def room_wanted(self, there: dict[str, tuple[int, str]]) -> int:
        """Octets that the file system must have free beforehand, about."""
        gone = sum(_blocks(there[path][0]) for path in self.remove)
        grows = sum(
            _blocks(len(content)) - _blocks(there[path][0] if path in there else 0)
            for path, content in self.write.items()
        )
        # old and new stand beside each other for a moment
        beside = max((_blocks(there[path][0]) for path in self.write if path in there), default=0)
        return max(0, grows + beside - gone)


def _blocks(octets: int) -> int:
    return -(-octets // _BLOCK) * _BLOCK


def plan(
    wanted: dict[str, bytes], there: dict[str, tuple[int, str]], code: dict[str, bytes]
) -> Plan:
    """Compare what is wanted with what is there: size and SHA-256 of each file.

    `code`: all of the meter's, by whose names other files would be imported in its place.
    """
    modules = {Path(path).with_suffix("") for path in code}
    made = Plan()
    for path, content in wanted.items():
        if path in there and there[path][1] == hashlib.sha256(content).hexdigest():
            made.kept += 1
        else:
            made.write[path] = content
    for path in sorted(there):
        ours = path.split("/")[0] in PACKAGES or Path(path).with_suffix("") in modules
        if path not in wanted and (ours or path.endswith(_NEW)):
            made.remove.append(path)
    return made


def listed(link: BoardLink) -> dict[str, tuple[int, str]]:
    """The files that are on the board."""
    found: dict[str, tuple[int, str]] = {}
    for line in link.run(f"PACKAGES={PACKAGES + LIBRARIES!r}\n" + _LIST).splitlines():
        path, size, digest = line.rsplit(" ", 2)
        found[path.lstrip("/")] = int(size), digest
    return found


def modules(link: BoardLink) -> list[str]:
    """The modules that the board's firmware has, as `app/clock`."""
    return link.run("help('modules')").split()


def frozen(link: BoardLink, files: dict[str, bytes]) -> set[str]:
    """Those of our files that stand in the board's firmware, where they are found first."""
    names = modules(link)
    return {path for path in files if path.removesuffix(".mpy") in names}


def built_from(link: BoardLink, board: Board) -> str:
    """What the board's firmware, which holds code of ours, tells of the sources it is made of."""
    try:
        noted = link.value("__import__('frozen_sources').SOURCES")
    except BoardError:
        return "as they were when it was built"
    if noted in frozen_sources.digests(board).values():
        return "which was built from these sources"
    return (
        "which was built from OTHER sources than these: to have these, make frozen and build it "
        "anew (boards/README.md, Firmware of one's own)"
    )


def free(link: BoardLink) -> int:
    """Octets that the board's file system has free."""
    state = link.value("__import__('os').statvfs('/')")
    return state[0] * state[3]


class Progress:
    """Says how far the work is: one line that is written over, or a line now and then."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._tty = sys.stdout.isatty()

    def step(self, name: str) -> None:
        """One more is done."""
        self.done += 1
        if self._tty:
            print(f"\r\x1b[K[{self.done}/{self.total}] {name}", end="", flush=True)
            if self.done == self.total:
                print("\r\x1b[K", end="")
        elif self.done % 25 == 0 or self.done == self.total:
            print(f"[{self.done}/{self.total}] {name}", flush=True)


def copy(link: BoardLink, work: Plan, there: dict[str, tuple[int, str]]) -> None:
    """Carry a plan out; each file is complete and verified before it takes its name."""
    wanted, have = work.room_wanted(there), free(link)
    if wanted > have:
        raise FlashError(
            f"the board's file system is full: {board_memory.kilo(wanted)} KB are wanted and "
            f"{board_memory.kilo(have)} KB free. Delete what is not the meter's: "
            f".venv/bin/mpremote connect {link.port} fs ls, and fs rm in its place"
        )
    for path in work.remove:
        link.run(f"import os\nos.remove({path!r})")
    folders = {str(parent) for path in work.write for parent in Path(path).parents} - {"."}
    for folder in sorted(folders):
        link.run(f"import os\ntry:os.mkdir({folder!r})\nexcept OSError:pass")
    progress = Progress(len(work.write))
    for path, content in work.write.items():
        try:
            link.write_file(path + _NEW, content)
        except BoardError as error:
            if "ENOSPC" in str(error) or "28" in str(error):
                raise FlashError(f"the board's file system is full at {path}") from None
            raise
        if link.digest(path + _NEW) != hashlib.sha256(content).hexdigest():
            raise FlashError(f"{path} reads back differently: the board's flash is worn or loose")
        link.run(f"import os\nos.rename({path + _NEW!r},{path!r})")
        progress.step(path)


def deploy(link: BoardLink, image: bytes, file: Path) -> bool:
    """Put the image into the ROMFS partition unless it is there; False: there is none."""
    digest = hashlib.sha256(image).hexdigest()
    code = f"SIZE={len(image)}\n" + _ROM
    size, found = link.run(code).strip("\r\n").split(" ")
    if not int(size):
        return False
    if int(size) < len(image):
        raise FlashError(
            f"the ROMFS partition has {board_memory.kilo(int(size))} KB, "
            f"the code takes {board_memory.kilo(len(image))} KB"
        )
    if found == digest:
        print("the ROMFS partition holds this code already")
        return True
    link.close()
    command = [sys.executable, "-m", "mpremote", "connect", link.port, "resume", "romfs", "deploy"]
    done = subprocess.run([*command, str(file)], check=False)
    if done.returncode:
        raise LinkError("mpremote could not write the ROMFS partition; run it again")
    link.restart()
    if link.run(code).split()[1] != digest:
        raise FlashError("the ROMFS partition reads back differently: run it again")
    return True


def flash(board: Board, port: str, built: board_build.Built, set_clock: bool = False) -> str:
    """Put the meter on the board and start it; what it says then. `set_clock`: valid or not."""
    link = BoardLink(port)
    try:
        identity = link.identity()
        board_link.check(identity, board)
        print(f"{port}: {identity.machine}, MicroPython {'.'.join(map(str, identity.version))}")
        # Without its program the board has no watchdog that bites, no DMA, and all of its RAM.
        if link.value(f"{START!r} in __import__('os').listdir('/')"):
            link.run(f"import os\nos.remove('/{START}')")
        link.restart()
        held = frozen(link, built.files)
        if held:
            parts = ", ".join(sorted({path.split("/")[0].removesuffix(".mpy") for path in held}))
            print(f"{parts}: those of the board's firmware, {built_from(link, board)}")
            built = built.without(held)
        image = built.image()
        file = built.folder.parent / f"{board.name}.romfs"
        file.write_bytes(image)
        start = {START: (FIRMWARE / START).read_bytes()}
        code = {path: content for path, content in built.files.items() if path != "main.mpy"}
        in_place = deploy(link, image, file)
        there = listed(link)
        if not in_place:
            warn_of_memory(link, built, held)
        work = plan(start if in_place else {**code, **start}, there, {**code, **start})
        copy(link, work, there)
        print(
            f"{len(work.write)} files written, {len(work.remove)} removed, {work.kept} unchanged"
        )
        # Before its first start, so that nothing is dated by a clock that was never set.
        print(board_clock.tend(link, set_clock))
        link.restart()
        said = link.start("/" + START, GREETING, _HEAR_S)
        link.reset()
    finally:
        link.close()
    return said


def warn_of_memory(link: BoardLink, built: board_build.Built, held: Container[str]) -> None:
    """Say beforehand if the code is too much for the RAM into which files are loaded.

    `held`: those that stand in the board's firmware.
    """
    code = built.resident.get(built.choice, {"": built.size})
    heap: int = link.value("__import__('gc').collect() or __import__('gc').mem_free()")
    estimate = board_memory.from_files(code, built.choice, heap, held, built.board.parts)
    if not estimate.fits:
        print(
            "this MicroPython has no ROMFS partition, so the code is loaded into RAM, and that is "
            f"too small by estimate: {estimate}. {built.board.name}'s README tells what fits"
        )


@dataclass(frozen=True)
class Place:
    """What a board's MicroPython takes.

    heap: octets of its RAM; romfs: those of the partition from which code runs in place;
    held: paths of modules that the firmware has
    """

    march: str
    heap: int
    romfs: int
    held: frozenset[str] = frozenset()


def look(board: Board, port: str) -> Place:
    """What the MicroPython at `port` takes, once it is known to be the board's."""
    link = BoardLink(port)
    try:
        identity = link.identity()
        board_link.check(identity, board)
        heap: int = link.value("(lambda gc:gc.mem_free()+gc.mem_alloc())(__import__('gc'))")
        romfs = int(link.run("SIZE=0\n" + _ROM).split(" ")[0])
        held = frozenset(name + ".mpy" for name in modules(link))
    finally:
        link.close()
    return Place(board_link.march(identity, board), heap, romfs, held)


def chosen(built: board_build.Built, place: Place, fitted: Path | None) -> board_build.Built:
    """The code with as many parts as the board's memory takes, and a word about them."""
    if not built.choice:
        return built
    if built.auto:
        choice = board_memory.fitting(
            built.resident, place.heap, place.romfs > 0, place.held, built.board.parts
        )
        if choice != built.choice:
            built = board_build.build(built.board, fitted, choice)
        print(f"parts: {choice}, as many as this board's memory takes by estimate")
    else:
        print(f"parts: {built.choice}, as fitted.py says")
    left_out = board_manifest.left_out(built.choice)
    for part in left_out:
        print(f"  left out: {part}")
    if left_out and not place.romfs and not place.held & built.files.keys():
        print(
            "This MicroPython loads code into RAM. One with a ROMFS partition runs all parts\n"
            "where they stand; how to build it: boards/README.md, Firmware of one's own."
        )
    return built


def verdict(said: str, board: Board) -> int:
    """Print what the meter said; 0 if it runs."""
    text = said.strip()
    print(text or "the meter says nothing")
    if GREETING in said and "Traceback" not in said:
        return 0
    if "MemoryError" in said:
        print(
            f"flash: the code does not fit into the RAM of this {board.name} as it is; "
            "see its README for what does"
        )
    else:
        print("flash: the meter does not run; what it said stands above")
    return 1


def main() -> int:
    """Flash one board; 0 when its meter runs, 1 if something failed, 2 for wrong words."""
    parser = argparse.ArgumentParser(description="Put the meter on a board and start it.")
    parser.add_argument("board", metavar="BOARD", nargs="?", help=", ".join(BOARDS))
    parser.add_argument("--port", default="", help="its serial port; found by itself if alone")
    parser.add_argument("--fitted", type=Path, help="a fitted.py of your own")
    parser.add_argument(
        "--set-clock", action="store_true", help="set the clock from this PC's though it is valid"
    )
    options = parser.parse_args()
    if not options.board:
        every = ", ".join(f"BOARD={name}" for name in BOARDS)
        print(
            f"flash: which board? {every}; as: make flash {every.split(',')[0]}", file=sys.stderr
        )
        return 2
    try:
        board = named(options.board)
        port = board_link.find(board, options.port)
        place = look(board, port)
        print(f"compiling for {place.march}", flush=True)
        built = board_build.build(replace(board, march=place.march), options.fitted)
        built = chosen(built, place, options.fitted)
        return verdict(flash(board, port, built, options.set_clock), board)
    except UnknownBoardError as error:
        print(f"flash: {error}", file=sys.stderr)
        return 2
    except (LinkError, FlashError, board_build.BuildError, board_manifest.ManifestError) as error:
        print(f"flash: {error}", file=sys.stderr)
        return 1
    except BoardError as error:
        print(f"flash: the board says {error}; run it again", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nflash: stopped; the board starts into its prompt, run it again", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
