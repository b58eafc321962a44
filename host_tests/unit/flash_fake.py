"""A NOR flash in RAM: programming clears bits, erasing sets a sector, both keep the chip busy.

Only the storage under test sees it; the real driver and chip model are tried in
test_rings_on_the_chip.py.
"""


class PowerLost(BaseException):
    """Power went in the middle of a change."""


class Flash:
    """hal.Flash; what the tests turn: `cut_after`, `dead`, `stuck_busy`, `worn`."""

    page_size = 256
    sector_size = 4096

    def __init__(self, sectors=64, polls=1):
        self.size = sectors * self.sector_size
        self.octets = bytearray(b"\xff" * self.size)
        self.polls = polls  # how often `busy` says so after each change
        self.cut_after = None  # changed bytes until the power goes
        self.dead = False
        self.stuck_busy = False
        self.worn = set()  # sectors whose cells do not change any more
        self.erases = {}
        self.reads = 0
        self._busy = 0

    def busy(self):
        if self.stuck_busy:
            return True
        self._busy = max(0, self._busy - 1)
        if self.dead:
            raise OSError("no answer")
        return self._busy > 0

    def read_into(self, address, buffer):
        self._answer()
        self.reads += 1
        assert 0 <= address <= self.size - len(buffer)
        buffer[:] = self.octets[address : address + len(buffer)]

    def program(self, address, data):
        self._answer()
        data = bytes(data)
        assert data
        assert address // self.page_size == (address + len(data) - 1) // self.page_size
        for offset, byte in enumerate(data):
            self._spend(address + offset, byte | 0x55)
            if address // self.sector_size not in self.worn:
                self.octets[address + offset] &= byte
        self._busy = max(self._busy, self.polls)  # an erase goes on behind it

    def erase_sector(self, address):
        self._answer()
        if self._busy > 1:
            raise OSError("busy")
        sector = address // self.sector_size
        start = sector * self.sector_size
        self.erases[sector] = self.erases.get(sector, 0) + 1
        for index in range(start, start + self.sector_size, 64):
            self._spend(index, 0xFF)
            if sector not in self.worn:
                self.octets[index : index + 64] = b"\xff" * 64
        self._busy = self.polls * 40

    def restart(self):
        self.cut_after = None
        self._busy = 0

    def _answer(self):
        if self.dead or self.stuck_busy:
            raise OSError("no answer")

    def _spend(self, address, torn):
        if self.cut_after is None:
            return
        if self.cut_after == 0:
            self.octets[address] &= torn  # some bits of the byte at the front have fallen
            raise PowerLost
        self.cut_after -= 1
