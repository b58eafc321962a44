"""A board behind a pseudo terminal: pretend_repl.py with a cable, a reset, a flash that stays."""

import contextlib
import os
import pty
import select
import subprocess
import threading
import tty
from pathlib import Path

MICROPYTHON = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "micropython"
REPL = Path(__file__).with_name("pretend_repl.py")
_RESET = 7
_READY = b"\0"  # pretend_repl.py's first octet


def be_patient(monkeypatch):
    """Let the link wait for a board as long as a busy machine may take."""
    import board_link
    import flash

    for name, value in (("_BACK_S", 300), ("_SILENCE_S", 60), ("_TRIES", 60)):
        monkeypatch.setattr(board_link, name, value)
    monkeypatch.setattr(flash, "_HEAR_S", 300)


class Port:
    """A serial port as pyserial lists it."""

    def __init__(self, device, vid, pid, serial_number=None):
        self.device, self.vid, self.pid, self.description = device, vid, pid, "what it says"
        self.serial_number = serial_number


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
        self._left = []
        self._appear()
        self._start()
        self._told, self._hand = os.pipe()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self.pull()
        for end in (self._told, self._slave, *self._left):
            os.close(end)

    def pull(self):
        """Pull the cable: power and port are gone."""
        if self._hand is not None:
            os.close(self._hand)
            self._hand = None
        self._thread.join()

    def _appear(self):
        # as long as the slave is open no other terminal of this machine has its name
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)

    def _start(self):
        self._ready = False  # a Ctrl-C before the interpreter is up is lost, as on a board
        self._unsaid = b""
        self._at_work = True
        self.child = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def _live(self):
        """One thread for both ways: no descriptor is closed while another thread has it."""
        try:
            while self.plugged:
                heard = [self._told, self._master]
                if self._at_work and not self._unsaid:
                    heard.append(self.child.stdout)
                said = [self._master] if self._unsaid else []
                heard, said, _ = select.select(heard, said, [])
                if self._told in heard:
                    return
                if said:
                    self._unsaid = self._unsaid[os.write(self._master, self._unsaid) :]
                if self._master in heard:
                    self._inwards(os.read(self._master, 4096))
                if self.child.stdout in heard:
                    self._outwards(self.child.stdout.read(4096))
        finally:
            self.plugged = False
            os.close(self._master)
            self.child.kill()
            self.child.communicate()

    def _outwards(self, data):
        if data:
            if not self._ready and data.startswith(_READY):
                self._ready, data = True, data[1:]
            self._unsaid = data
            return
        self._at_work = False
        if self.child.wait() == _RESET:
            self.resets += 1
            self.child.communicate()
            if self.moves:
                os.close(self._master)
                self._left.append(self._slave)
                self._appear()
            self._start()

    def _inwards(self, data):
        self.received += len(data)
        if self.pull_after is not None and self.received > self.pull_after:
            self.plugged = False
            return
        with contextlib.suppress(OSError):  # just reset: whatever comes meanwhile is lost
            self.child.stdin.write(data if self._ready else data.replace(b"\x03", b""))
