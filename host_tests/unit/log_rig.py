"""The meter's event book and logs over a FRAM and a flash in RAM, with a clock that stands."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from dlms_rig import NOW_UTC_S, Rtc, StillClock
from flash_fake import Flash
from fram_fake import Memory

from app.logs.certification_log import CertificationLog
from app.logs.event_book import EventBook
from app.settings import Settings
from app.storage.rings import Rings

SECTORS = 160


class Switch:
    """The parameter switch: 1 is open."""

    open = 1

    def locked(self):
        return not self.open

    def require(self):
        from app.parameters import ParameterLock

        ParameterLock(self).require()

    def value(self):
        return self.open


class LogRig:
    """What of a meter keeps events; `boot` is a power cut."""

    def __init__(self):
        self.fram = Memory()
        self.flash = Flash(SECTORS)
        self.lock = Switch()
        self.now_s = NOW_UTC_S
        StillClock(Rtc(), Settings(self.fram)).configure(time_zone_min=-60)
        self.boot()

    def boot(self, open_logs=True):
        self.settings = Settings(self.fram)
        self.book = EventBook(self.fram, self.settings)
        self.rings = Rings(self.flash, self.fram)
        self.clock = StillClock(Rtc(), self.settings)
        self.clock.set_utc_s(self.now_s)
        if open_logs:
            self.open()
        return self

    def open(self):
        self.book.open(self.rings, self.clock)
        self.certification = CertificationLog(self.rings, self.clock, self.lock, self.book.post)

    def later(self, seconds):
        self.now_s += seconds
        self.clock.set_utc_s(self.now_s)

    def codes(self, place):
        """Codes in a log, the oldest first, -1 for a damaged row."""
        return [row[3] for row in self.rows(self.book.logs[place])]

    def rows(self, log):
        rows = []
        for sequence in range(log.first, log.next):
            whole = log.load(sequence)
            rows.append(log.row() if whole else (None, 0, 0, -1))
        return rows
