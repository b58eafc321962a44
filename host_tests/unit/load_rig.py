"""Four load profiles over the clock's bench; the register A+ counts true seconds."""

import struct
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from clock_rig import ClockRig
from flash_fake import Flash

import civil
from app import axdr
from app.attributes import Resolver
from app.cosem.clock import Clock as ClockClass
from app.cosem.register import Register
from app.logs.captured import Recorder
from app.logs.error_register import ErrorRegisters
from app.logs.load_profiles import LoadProfiles
from app.rows import pack_objects
from app.storage.rings import Rings

SECTORS = 700
START = civil.utc_s(2026, 1, 14, 10)
ERR, CIV, DNV, DST, CAD, PDN = 0x01, 0x02, 0x04, 0x08, 0x20, 0x80
CLOCK = (8, b"\x00\x00\x01\x00\x00\xff", 2, 0)


class Seconds:
    """A file of registers: all energies, in true seconds since the bench began."""

    def __init__(self, rig):
        self._rig = rig

    def value(self, index):
        return self._rig.bench.us // 1_000_000

    def form(self, index):
        return 0, 30, axdr.UINT64  # Wh


class LoadRig(ClockRig):
    """`profiles` are those of the present life; `posted` holds its events of profiles."""

    def __init__(self, utc_s=START, zone=(("time_zone_min", -60),), phases=3):
        self.flash = Flash(SECTORS)
        self.phases = phases
        super().__init__(utc_s, zone=zone)

    def boot(self, power_on=True):
        super().boot(power_on)
        self.posted = []
        self.flash.restart()
        self.rings = Rings(self.flash, self.memory)
        self.errors = ErrorRegisters(self.memory)
        resolver = Resolver()
        register = Register(Seconds(self))
        clock = ClockClass(self.clock, 900)
        resolver.bind(lambda name: (clock, None, 0) if name == CLOCK[1] else (register, 0, 0))
        self.recorder = Recorder(
            self.rings, self.settings, resolver, self.clock, self.posted.append
        )
        self.load = LoadProfiles(self.recorder, self.memory, self.phases, self.errors)
        self.profiles = self.load.profiles
        self.load.start(self.power_up.end, self.outages.down_utc_s)

    def power_cut(self, seconds):
        self.outages.down()
        super().power_cut(seconds)

    def reset(self, seconds=1):
        """The watchdog starts the processor again."""
        self.outages.seen()
        self.bench.run(seconds * 1_000_000)
        self.boot(power_on=False)

    def run_to(self, hour, minute, second=0):
        """Let time pass until the clock of this day shows so much UTC."""
        of_day = self.clock.utc_s() % 86400
        self.run(hour * 3600 + minute * 60 + second - of_day)

    def set_columns(self, number, columns):
        self.profiles[number - 1].set_columns(axdr.Reader(pack_objects(columns)))

    def rows(self, number=1):
        """(UTC, status, first value) of a profile, None for the time of a damaged row."""
        profile = self.profiles[number - 1]
        found = []
        for sequence in range(profile.first, profile.next):
            whole = profile.load(sequence)
            row = bytes(self.recorder.row[:17])
            utc_s, _, _, status = struct.unpack_from("<IhBB", row)
            value = struct.unpack_from(">Q", row, 9)[0] if whole else None
            found.append((utc_s if whole else None, status, value))
        return found

    def entries(self, number=1):
        """(local time as text, status) of a profile."""
        return [(self.local(utc_s), status) for utc_s, status, _ in self.rows(number)]

    def local(self, utc_s):
        _, month, day, _, hour, minute, second = civil.parts(self.clock.zone.local_s(utc_s))
        return f"{month:02}-{day:02} {hour:02}:{minute:02}" + (f":{second:02}" if second else "")
