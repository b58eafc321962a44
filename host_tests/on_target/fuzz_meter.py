"""The meter that the fuzzer works on: the DLMS server over a blank memory, without a board."""

import os

import cryptolib
from meter_doubles import Energies, Quantities, Rtc, Variant
from sparse_memory import SparseFlash, SparseMemory

from app.attributes import Resolver
from app.clock import Clock
from app.cosem import certificate_methods, common_objects, event_values, selective_access
from app.dlms import access, block_transfer, conformance, general
from app.dlms.server import MAX_PDU, Server
from app.identification import Identification
from app.logs.certification_log import CertificationLog
from app.logs.event_book import EventBook
from app.parameters import ParameterLock
from app.port_settings import Ports
from app.registers import RegisterFile
from app.security import Security
from app.settings import Settings
from app.storage.rings import Rings
from app.storage.vault import Vault

# imported on demand by the firmware; what they take of the heap stays, so take it before
ON_DEMAND = (access, block_transfer, certificate_methods, general, selective_access)


class FuzzError(Exception):
    """An input did what none may do; the text says what."""


class _Switch:
    def value(self):
        return 1


def aes(key):
    return cryptolib.aes(key, 1)


class Meter:
    """A server fresh from the factory on a blank memory, and one channel."""

    def __init__(self):
        memory = SparseMemory()
        self.settings = settings = Settings(memory, Vault(aes, b"unique"))
        clock = Clock(Rtc(), settings)
        registers = RegisterFile(Quantities(), Energies(), True)
        variant = Variant()
        identification = Identification(bytes((0, 0, 0, 1)), variant, settings)
        title = identification.system_title()
        security = Security(memory, settings, aes, os.urandom, clock.utc_s, title)
        self.security = security
        parts = common_objects.Parts(registers, clock, settings, identification, variant, security)
        parts.ports = Ports(settings, identification.serial_number(), ("127.0.0.1", 4059))
        self.resolver = Resolver()
        self.objects = common_objects.build(parts, self.resolver, conformance.SERVICES, MAX_PDU)
        self._keep_events(memory, clock)
        self.server = Server(self.objects, security)
        self.channel = self.server.open_channel(MAX_PDU, 1)
        self.now_ms = 0
        self.defect = None
        self.server.on_defect = self._remember

    def _keep_events(self, memory, clock):
        """Put logs into the catalogue, with some entries in the first one."""
        book = EventBook(memory, self.settings)
        rings = Rings(SparseFlash(), memory)
        book.open(rings, clock)
        certification = CertificationLog(rings, clock, ParameterLock(_Switch()), book.post)
        event_values.add_events(self.objects, book, certification, clock)
        for code in range(1, 9):
            book.post(code, clock.utc_s() + 60 * code)
        while rings.step():
            pass

    def _remember(self, error):
        self.defect = error

    def check(self):
        if self.server.defects:
            raise FuzzError("a defect of the server: " + repr(self.defect))


def spoken(link, buffer):
    """What a link says next, once a long request is done."""
    while link.working:
        link.work()
    return link.output(buffer)
