"""A board behind a pseudo terminal: pretend_repl.py with a cable, a reset, a flash that stays."""

import os
import pty
import signal
import subprocess
import threading
import tty
from pathlib import Path

MICROPYTHON = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "micropython"
REPL = Path(__file__).with_name("pretend_repl.py")
_RESET = 7
_READY = b"\0"  # pretend_repl.py's first octet


class PretendBoard:
    """As long as the `with` lasts the board is plugged in at `port`.

    pull_after: the cable is pulled when so many octets have come from the PC
    moves: after each reset it is on another port
    rom_blocks: its partition is one of blocks, as that of an RP2
    frozen: modules in its firmware, "drivers/three metrology/four"
    """

    def __init__(
        self,
        folder,
        *,
        blocks=256,
        machine="Pretend with RP2350",
        version="1.29.0",
        mpy=6 | 3 << 8 | 7 << 10,
        rom_octets=0,
        rom_blocks=False,
        name="micropython",
        frozen="",
        pull_after=None,
        moves=False,
    ):
        self.image = Path(folder) / "flash.img"
        if not self.image.exists():
            self.image.write_bytes(b"\xff" * 4096 * blocks)
        self.rom = Path(folder) / "rom.img"
        if rom_octets and not self.rom.exists():
            self.rom.write_bytes(b"\xff" * rom_octets)
        rom = "+" * rom_blocks + str(self.rom) if rom_octets else "-"
        self.command = [str(MICROPYTHON), str(REPL), str(self.image), str(blocks), machine,
                        version, str(mpy), rom, name, frozen]  # fmt: skip
        self.pull_after = pull_after
        self.moves = moves
        self.resets = 0
        self.received = 0

    def __enter__(self):
        self.plugged = True
        self._appear()
        self._start()
        return self

    def _appear(self):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.port = os.ttyname(self.slave)
        threading.Thread(target=self._inwards, args=(self.master,), daemon=True).start()

    def __exit__(self, *_error):
        self.pull()
        self.child.kill()
        self.child.wait()

    def pull(self):
        """Pull the cable: power and port are gone."""
        if self.plugged:
            self.plugged = False
            self.child.kill()
            os.close(self.slave)
            os.close(self.master)

    def _start(self):
        self.ready = False  # a Ctrl-C before the interpreter is up is lost, as on a board
        self.child = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        threading.Thread(target=self._outwards, args=(self.child,), daemon=True).start()

    def _outwards(self, child):
        self.ready = child.stdout.read(1) == _READY
        while data := child.stdout.read(4096):
            try:
                os.write(self.master, data)
            except OSError:
                return
        if child.wait() == _RESET and self.plugged:
            self.resets += 1
            if self.moves:
                left = self.slave
                self._appear()
                os.close(left)
            self._start()

    def _inwards(self, master):
        while self.plugged:
            try:
                data = os.read(master, 4096)
            except OSError:
                return
            self.received += len(data)
            if self.pull_after is not None and self.received > self.pull_after:
                self.pull()
                return
            for k, part in enumerate(data.split(b"\x03")):
                try:
                    if k and self.ready:
                        self.child.send_signal(signal.SIGINT)
                    if part:
                        self.child.stdin.write(part)
                except OSError:
                    pass  # just reset: whatever comes meanwhile is lost
