"""A DLMS server with one profile that captures, its ring and its setting in RAM."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from dlms_rig import NOW_UTC_S
from dlms_rig import Rig as DlmsRig
from flash_fake import Flash, PowerLost
from profile_rig import ProfileRig
from ring_rig import CutFram

from app import axdr
from app.cosem.base import EXECUTE, READ_WRITE
from app.cosem.profile_generic import ProfileGeneric
from app.logs import captured
from app.rows import pack_objects
from app.storage.rings import Rings

NAME = "0100630100ff"
STATUS_NAME = b"\x00\x00\x60\x0a\x01\xff"
CLOCK = (8, b"\x00\x00\x01\x00\x00\xff", 2, 0)
STATUS = (1, STATUS_NAME, 2, 0)
SECTORS = 460


def register(c, d=8, e=0):
    return (3, bytes((1, 0, c, d, e, 255)), 2, 0)


FACTORY = (
    captured.column(8, CLOCK[1], 2, captured.IN_HEAD)
    + captured.column(1, STATUS_NAME, 2, captured.IN_HEAD)
    + captured.column(3, register(1)[1], 2, captured.SIZE_64)
    + captured.column(3, register(32, 7)[1], 2, captured.SIZE_32)
)


class CaptureRig:
    """`boot` is a power cut; `profile` is 1-0:99.1.0 of the server `dlms`."""

    get = ProfileRig.get  # the same answers, collected from the same blocks
    rows = ProfileRig.rows

    def __init__(self, most=32):
        self.fram = CutFram()
        self.flash = Flash(SECTORS)
        self.most = most
        self.boot()

    def boot(self):
        self.flash.restart()
        self.fram.cut_after = None
        self.posted = []
        self.damaged = []
        self.dlms = DlmsRig(memory=self.fram)
        self.rings = Rings(self.flash, self.fram)
        dlms = self.dlms
        self.recorder = captured.Recorder(
            self.rings, dlms.settings, dlms.resolver, dlms.clock, self.posted.append
        )
        self.recorder.on_damage = self.damaged.append
        self.profile = self.open()
        handler = ProfileGeneric(dlms.clock, READ_WRITE, READ_WRITE, EXECUTE, EXECUTE)
        dlms.catalogue.add((1, 0, 99, 1, 0), handler, self.profile, 6)
        dlms.associate()
        return self

    def open(self):
        return captured.CapturedRows(
            self.recorder, "load_profile_1", "profile_1_setup", FACTORY, self.most, 0, STATUS_NAME
        )

    def capture(self, count=1, status=0):
        """Capture `count` rows, one a minute."""
        for _ in range(count):
            self.dlms.clock.set_utc_s(self.dlms.clock.utc_s() + 60)
            self.profile.capture_at(self.dlms.clock.utc_s(), status)

    def set(self, index, encoded):
        """Write an attribute and return the data-access-result."""
        if not isinstance(encoded, str):
            encoded = pack_objects(encoded).hex()
        apdu = bytes.fromhex(f"c101c10007{NAME}{index:02x}00{encoded}")
        step = 120
        if len(apdu) <= step:
            answer = self.dlms.apdu(apdu)
            return answer[3] if answer[0] == 0xC5 else -1  # an exception-response
        value = apdu[13:]
        parts = [value[at : at + step] for at in range(0, len(value), step)]
        head = apdu[:13].replace(b"\xc1\x01", b"\xc1\x02", 1)
        for number, part in enumerate(parts, 1):
            last = number == len(parts)
            block = bytes((last,)) + number.to_bytes(4, "big") + bytes((len(part),)) + part
            answer = self.dlms.apdu((head if number == 1 else b"\xc1\x03\xc1") + block)
        assert answer[:3].hex() == "c503c1", answer.hex()
        return answer[3]

    def invoke(self, method):
        """Invoke a method and return the action-result."""
        return self.dlms.apdu(f"c301c10007{NAME}{method:02x}010f00")[3]

    def values(self):
        """Rows as lists of (tag, value)."""
        value = axdr.Reader(self.get(NAME)).data()[1]
        return [row[1] for row in value]


__all__ = ["NOW_UTC_S", "PowerLost"]
