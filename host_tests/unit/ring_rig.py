"""Rings over a small map in RAM, with what a test does to them."""

import struct
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from flash_fake import Flash, PowerLost
from fram_fake import Memory

from app.storage import regions
from app.storage import rings as rings_module
from app.storage.rings import Rings

SMALL = (("a", 6, 0, 1), ("b", 5, 12, 1), ("c", 6, 0, 1))


def use_small_map(monkeypatch):
    """Three rings of a few blocks; waiting takes no time."""
    monkeypatch.setattr(regions, "RINGS", SMALL)
    monkeypatch.setattr(rings_module.time, "sleep_ms", lambda _ms: None, raising=False)


class CutFram(Memory):
    """The FRAM of these tests; `cut_after` bytes the power goes."""

    def __init__(self):
        super().__init__()
        self.cut_after = None

    def write(self, address, data):
        if self.dead:
            raise OSError("no answer")
        for offset, value in enumerate(bytes(data)):
            if self.cut_after is not None:
                if self.cut_after == 0:
                    raise PowerLost
                self.cut_after -= 1
            self.octets[address + offset] = value


class Rig:
    def __init__(self, row_size=500, name="a"):
        self.flash = Flash(20)
        self.fram = CutFram()
        self.troubles = []
        self.row_size = row_size
        self.name = name
        self.boot()

    def boot(self):
        self.flash.restart()
        self.fram.cut_after = None
        self.rings = Rings(self.flash, self.fram)
        self.rings.on_trouble = self.troubles.append
        self.ring = self.rings.open(self.name, self.row_size)

    def drain(self):
        """What the task does, until nothing is left to be done."""
        while self.rings.step():
            pass
        while self.rings._news:
            self.rings.on_trouble(self.rings._news.pop(0))

    def row(self, time_s, mark=0):
        return struct.pack("<II", time_s, mark) + bytes([mark & 0xFF]) * (self.row_size - 8)

    def append(self, time_s, mark=0):
        self.ring.append(self.row(time_s, mark))

    def rows(self):
        """(time, mark) of every row that reads whole, in order."""
        found = []
        buffer = bytearray(self.row_size)
        for sequence in range(self.ring.first, self.ring.next):
            if self.ring.read_into(sequence, buffer):
                time_s, mark = struct.unpack_from("<II", buffer)
                assert bytes(buffer) == self.row(time_s, mark)
                found.append((time_s, mark))
        return found
