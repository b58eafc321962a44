"""A DLMS server with the event logs behind it, and the selective access of class 7 in hex."""

import struct
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from dlms_rig import NOW_UTC_S, Rig
from log_rig import LogRig

import civil
from app import axdr
from app.cosem import event_values

STANDARD = "0000636200ff"
FRAUD = "0000636201ff"
SECURITY = "0000636209ff"
POWER_FAILURES = "0100636100ff"
CERTIFICATION = "0100636300ff"

CLOCK = "020412000809060000010000ff0f02120000"
CODE = "020412000109060000600b00ff0f02120000"


class ProfileRig:
    """`dlms` is the server's rig, `logs` what keeps the events; both run on one clock."""

    def __init__(self, pdu_size=1024):
        self.logs = LogRig()
        self.dlms = Rig()
        self.logs.clock = self.dlms.clock
        self.logs.open()
        self.book = self.logs.book
        event_values.add_events(
            self.dlms.catalogue, self.book, self.logs.certification, self.dlms.clock
        )
        self.dlms.associate(pdu_size)

    def fill(self, count, step_s=60):
        """Post `count` events, `step_s` apart, the first one now; codes 1 to 8 in turn."""
        for number in range(count):
            self.dlms.clock.set_utc_s(NOW_UTC_S + number * step_s)
            self.book.post(number % 8 + 1)

    def get(self, name, selection="", index=2):
        """Return the value of an attribute, collected from its blocks; an int is an error."""
        access = "01" + selection if selection else "00"
        answer = self.dlms.apdu(f"c001c10007{name}{index:02x}{access}")
        if answer[:2].hex() == "c401":
            return answer[4:] if answer[3] == 0 else answer[4]
        collected = b""
        while True:
            assert answer[:3].hex() == "c402c1", answer.hex()
            if answer[8]:
                return answer[9]
            reader = axdr.Reader(answer, 9)
            collected += reader.raw(reader.length())
            if answer[3]:
                return collected
            answer = self.dlms.apdu("c002c1" + answer[4:8].hex())

    def rows(self, name, selection=""):
        """Return the rows as lists of bare values, or the error."""
        value = self.get(name, selection)
        if isinstance(value, int):
            return value
        reader = axdr.Reader(value)
        rows = reader.data()[1]
        assert reader.left() == 0
        return [[element[1] for element in row[1]] for row in rows]


def time(utc_s, deviation_min=-60, weekday=0xFF, hundredths=0xFF, status=0xFF):
    """Return a date-time as octet string in hex; 0x8000 leaves the deviation open."""

    west_min = -60 if deviation_min == 0x8000 else deviation_min
    year, month, day, _, hour, minute, second = civil.parts(utc_s - west_min * 60)
    octets = struct.pack(
        ">HBBBBBBBHB",
        *(year, month, day, weekday, hour, minute, second, hundredths),
        *(deviation_min & 0xFFFF, status),
    )
    return "090c" + octets.hex()


def by_range(low, high, columns=(), restricting=CLOCK):
    return f"010204{restricting}{low}{high}01{len(columns):02x}" + "".join(columns)


def by_entry(from_entry, to_entry, from_column=1, to_column=0):
    return f"02020406{from_entry:08x}06{to_entry:08x}12{from_column:04x}12{to_column:04x}"
