"""The end of billing over a FRAM and a flash in RAM, whose power a test may cut at any byte.

What a billing captures is `maximum`, which it sets to 0 behind that, and its own counter.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

from dlms_rig import NOW_UTC_S, Rtc, StillClock
from flash_fake import Flash, PowerLost
from ring_rig import CutFram

from app import axdr
from app.attributes import Resolver
from app.cosem.data import Data
from app.cosem.values import Simple
from app.logs.captured import IN_HEAD, SIZE_8, SIZE_32, CapturedRows, Recorder, column
from app.logs.event_book import EventBook
from app.rows import CLOCK
from app.settings import Settings
from app.storage import regions
from app.storage.rings import Rings
from app.tariff.billing import Billing

MAXIMUM = bytes((1, 0, 1, 6, 0, 255))
COUNTER = bytes((0, 0, 0, 1, 0, 255))
CAUSE = bytes((0, 0, 128, 10, 8, 255))
COLUMNS = (
    column(8, CLOCK[1], 2, IN_HEAD)
    + column(1, COUNTER, 2, SIZE_32)
    + column(1, MAXIMUM, 2, SIZE_32)
    + column(1, CAUSE, 2, SIZE_8)
)
SECTORS = sum(sectors for _, sectors, _, _ in regions.RINGS)
RINGS = ("billing_1", "billing_2", "daily_billing")
CODES = (209, 210, 223, 231)


class BillingRig:
    """`boot` is a power cut; `resets` counts what hangs on a billing."""

    def __init__(self, fram=None, flash=None, maximum=0):
        self.fram = fram or CutFram()
        self.flash = flash or Flash(SECTORS)
        self.now_s = NOW_UTC_S
        self.maximum = maximum
        self.boot()

    def boot(self, cut_after=None):
        """Begin a life of the firmware; `cut_after`: bytes to the FRAM until it ends again."""
        self.flash.restart()
        self.fram.cut_after = None
        self.settings = Settings(self.fram)
        self.clock = StillClock(Rtc(), self.settings)
        self.clock.set_utc_s(self.now_s)
        self.rings = Rings(self.flash, self.fram)
        self.book = EventBook(self.fram, self.settings)
        self.book.open(self.rings, self.clock)
        resolver = Resolver()
        resolver.bind(self.find)
        recorder = Recorder(self.rings, self.settings, resolver, self.clock, self.book.post)
        self.profiles = tuple(
            CapturedRows(recorder, name, setup, COLUMNS, 40)
            for name, setup in zip(
                RINGS, ("billing_1_setup", "billing_2_setup", "daily_setup"), strict=True
            )
        )
        self.billing = Billing(
            self.fram,
            self.settings,
            self.clock,
            self.profiles,
            self.book.logs[0],
            self.book.post,
        )
        self.billing.on_billing.append(self.reset)
        self.fram.cut_after = cut_after
        self.billing.restart()
        return self

    def find(self, name):
        reads = {
            MAXIMUM: Simple(axdr.UINT32, lambda: self.maximum),
            COUNTER: Simple(axdr.UINT32, lambda: self.billing.count),
            CAUSE: Simple(axdr.UINT8, lambda: self.billing.cause),
        }
        return (Data(), reads[name], 0) if name in reads else None

    def reset(self):
        self.maximum = 0

    def later(self, seconds):
        self.now_s += seconds
        self.clock.set_utc_s(self.now_s)

    def flash_is_back(self):
        """The flash answers again, and its keeper has found that out."""
        self.flash.dead = False
        for _ in range(2):  # the work that met the fault ends first
            while self.rings.step():
                pass

    def copy(self):
        """Another meter in the same state, as a power cut leaves it."""
        fram, flash = CutFram(), Flash(0)
        fram.octets[:] = self.fram.octets
        flash.octets = bytearray(self.flash.octets)
        flash.size = self.flash.size
        other = BillingRig.__new__(BillingRig)
        other.fram, other.flash = fram, flash
        other.now_s, other.maximum = self.now_s, self.maximum
        return other.boot()

    def rows(self, place=0):
        """Entries of a profile as (UTC, counter, maximum, cause), None for a damaged one."""
        profile = self.profiles[place]
        found = []
        for sequence in range(profile.first, profile.next):
            writer = axdr.Writer(bytearray(200))
            whole = profile.load(sequence)
            for at in range(4):
                profile.write(writer, at)
            reader = axdr.Reader(writer.buffer, 0, writer.at)
            values = [reader.data()[1] for _ in range(4)]
            found.append((self.utc_s(values[0]), *values[1:]) if whole else None)
        return found

    def utc_s(self, octets):
        from app.cosem import date_time

        return date_time.utc_s(octets, self.clock)

    def codes(self):
        """Codes of billing in the standard log, the oldest first."""
        log = self.book.logs[0]
        found = []
        for sequence in range(log.first, log.next):
            log.load(sequence)
            found.append(log.row()[-1])
        return [code for code in found if code in CODES]


__all__ = ["NOW_UTC_S", "PowerLost"]
