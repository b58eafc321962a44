"""A DLMS server in the test's own process: the meter's real clock, settings and registers, without
a board. `Rig.apdu` speaks to a channel directly; `Rig.transport` gives it to a foreign client.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "system"))
sys.path.append(str(Path(__file__).parent))

from fram_fake import Memory

import civil
from app.attributes import Resolver
from app.clock import Clock
from app.cosem import common_objects, local_port_setup
from app.crypto.aes import SoftwareAes
from app.dlms import conformance
from app.dlms.server import MAX_PDU, Server
from app.event_codes import REMOTE_LOGIN
from app.identification import Identification
from app.port_settings import Ports
from app.registers import RegisterFile
from app.security import RS485, TCP, Security
from app.settings import Settings
from app.storage.vault import Vault

NOW_UTC_S = civil.utc_s(2026, 1, 31, 23, 59, 50)
AARQ_LLS = bytes.fromhex(
    "6036a1090607608574050801018a0207808b0760857405080201ac0a8008"
    "3132333435363738be10040e01000000065f1f0400007e1fffff"
)
AARQ_PUBLIC = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400007e1fffff")
RLRQ = bytes.fromhex("6203800100")


class Rtc:
    def __init__(self):
        self.time_s = NOW_UTC_S

    def utc_s(self):
        return self.time_s

    def set_utc_s(self, utc_s):
        self.time_s = utc_s

    def oscillator_stopped(self):
        return False

    def check(self):
        pass

    def set_aging(self, steps):
        pass


class StillClock(Clock):
    """The meter's clock while no tick passes."""

    def utc_s(self):
        return self._anchor_s

    def hundredths(self):
        return 0

    @property
    def time_zone_min(self):
        return self.zone.time_zone_min

    @property
    def dst_deviation_min(self):
        return self.zone.dst_deviation_min


class Quantities:
    phases = 3
    u_uv = [230_000_000, 231_000_000, 229_500_000]
    i_ua = [5_000_000, 4_000_000, 3_000_000]
    in_ua = 1_000_000
    p_uw = [575_000_000, 400_000_000, -100_000_000]
    q_uvar = [995_900_000, 10_000_000, 0]
    s_uva = [1_150_000_000, 924_000_000, 688_500_000]
    pf_ppm = [500_000, 432_900, -145_200]
    pf_total_ppm = 316_700
    thd_u_ppm = [10_000, 0, 0]
    thd_i_ppm = [400_000, 0, 0]
    p_total_uw = 875_000_000
    q_total_uvar = 1_005_900_000
    s_total_uva = 2_762_500_000
    f_uhz = 50_000_000

    def angle_u_mdeg(self, phase):
        return 120_000 * phase

    def angle_ui_mdeg(self, phase):
        return (60_000, 1_430, 180_000)[phase]


class Energies:
    mode = 1
    # the sixth needs more than 32 bits, the net one is negative
    wh = [1725, 12, 2988, 0, 2988, 5_000_000_000, 0, 0, 3450, 0, 1737, -4_000_000_000]


class Variant:
    name = "3ph"
    nominal_voltage_v = 230
    nominal_frequency_hz = 50
    phases = 3
    pulses_per_kwh = 1000


class Rig:
    """One meter's server; `memory` is that of a meter which had power before."""

    def __init__(self, max_pdu=MAX_PDU, memory=None, local=True):
        self.memory = memory or Memory()
        self.settings = Settings(self.memory, Vault(SoftwareAes, bytes((0, 0, 0, 1))))
        self.rtc = Rtc()
        self.clock = StillClock(self.rtc, self.settings)
        self.clock.configure(time_zone_min=-60)
        self.registers = RegisterFile(Quantities(), Energies(), True)
        self.identification = Identification(bytes((0, 0, 0, 1)), Variant(), self.settings)
        self.security = Security(
            self.memory,
            self.settings,
            SoftwareAes,
            os.urandom,
            self.clock.utc_s,
            self.identification.system_title(),
        )
        self.events = []
        self.remote = 0  # alarms that every log-in over a network raises, once a minute
        self.security.on_event = self._told
        self.resolver = Resolver()
        parts = common_objects.Parts(
            self.registers,
            self.clock,
            self.settings,
            self.identification,
            Variant(),
            self.security,
        )
        serial_number = self.identification.serial_number()
        parts.ports = self.ports = Ports(self.settings, serial_number, ("127.0.0.1", 4059))
        self.catalogue = common_objects.build(parts, self.resolver, conformance.SERVICES, max_pdu)
        local_port_setup.add(self.catalogue, self.ports.optical)
        self.server = Server(self.catalogue, self.security)
        self.max_pdu = max_pdu
        self.reply = bytearray(max_pdu)
        self.now_ms = 0
        self.channel = self.server.open_channel(max_pdu, RS485 if local else TCP)

    def _told(self, code):
        if code == REMOTE_LOGIN:
            self.remote += 1
        else:
            self.events.append(code)

    def apdu(self, octets, sap=1, server=1):
        """Send an APDU (bytes or hex) and return the answer."""
        if isinstance(octets, str):
            octets = bytes.fromhex(octets)
        length = self.channel.request(sap, server, memoryview(octets), self.reply, self.now_ms)
        return bytes(self.reply[:length])

    def associate(self, pdu_size=0xFFFF, services=0x007E1F):
        """Open the management association."""
        aarq = AARQ_LLS[:-5] + services.to_bytes(3, "big") + pdu_size.to_bytes(2, "big")
        answer = self.apdu(aarq)
        assert answer[17] == 0, answer.hex()
        return self

    def transport(self):
        return _Wrapper(self)


class _Wrapper:
    """The TCP wrapper of a foreign client, taken off and put on again (IEC 62056-47)."""

    def __init__(self, rig):
        self._rig = rig
        self._answer = b""
        self.log = []

    def send(self, octets):
        version, source, destination, length = (
            int.from_bytes(octets[at : at + 2], "big") for at in (0, 2, 4, 6)
        )
        assert version == 1
        assert length == len(octets) - 8
        apdu = self._rig.apdu(octets[8:], source, destination)
        self.log.append((octets[8:], apdu))
        header = b"".join(number.to_bytes(2, "big") for number in (1, destination, source))
        self._answer = header + len(apdu).to_bytes(2, "big") + apdu if apdu else b""

    def receive(self):
        answer, self._answer = self._answer, b""
        if not answer:
            raise ConnectionError("no answer")
        return answer
