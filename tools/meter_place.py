"""Where a meter is, as options say: an address, a serial line, an optical head (meter_options.py).

`make ... HOST=192.168.1.5` and `make ... PORT=/dev/ttyUSB0` become these options in the Makefile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gurux_dlms import GXDLMSClient
from meter_link import SERVER, Link, LinkError, SerialWire, TcpWire, Wire, sign_on

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

WRAPPER, RS485, OPTICAL = "cosem", "rs485", "optical"  # as the virtual meter calls its ports
_PORTS = {WRAPPER: 4059, RS485: 4060, OPTICAL: 4061}
_BAUD = {RS485: 9600, OPTICAL: 300}
_ONE_OCTET = 0x7F
_AT_ONCE = (
    "one that speaks HDLC at once, as a meter of the parts `basic`, is read without OPTICAL=1"
)


@dataclass(frozen=True)
class Place:
    """A port of a meter and the password of its management client."""

    kind: str  # WRAPPER, RS485 or OPTICAL
    host: str = "127.0.0.1"
    port: int = 0
    device: str = ""  # a serial line instead
    baud: int = 0
    address: int = 0  # on the bus, 0: whoever is alone there
    password: str = "12345678"

    @property
    def name(self) -> str:
        """In words."""
        where = self.device or f"{self.host}:{self.port}"
        return where if self.kind == WRAPPER else f"{where} ({self.kind})"

    def wire(self) -> Wire:
        """Open it; an optical head is not signed on at yet. Raises LinkError."""
        if self.device:
            return SerialWire(self.device, self.baud)
        return TcpWire(self.host, self.port, hdlc=self.kind != WRAPPER)

    def signed_on(self) -> Wire:
        """Open it and lead it to DLMS. Raises LinkError."""
        wire = self.wire()
        if self.kind == OPTICAL:
            try:
                sign_on(wire)
            except LinkError as error:
                wire.close()
                if "no answer" in str(error):
                    raise LinkError(f"{error}; {_AT_ONCE}") from None
                raise
        return wire

    def link(self, wire: Callable[[], Wire] | None = None) -> Link:
        """Return an association, for a `with` block; by another wire than its own, if given."""
        server = SERVER
        if self.address:
            size = 2 if self.address <= _ONE_OCTET else 4
            server = GXDLMSClient.getServerAddress(SERVER, self.address, size)
        return Link(wire or self.signed_on, self.password, server)


def of(options: argparse.Namespace) -> Place:
    """Return the place that the options name (meter_options.py). Raises LinkError."""
    kind = OPTICAL if options.optical else RS485 if options.hdlc or options.serial else WRAPPER
    place = Place(kind, address=options.address, password=options.password)
    if options.serial:
        return replace(place, device=options.serial, baud=options.baud or _BAUD[kind])
    host, port = _split(options.host)
    return replace(place, host=host, port=options.port or port or _PORTS[kind])


def _split(text: str) -> tuple[str, int]:
    """Return host and port (0: none) of HOST, HOST:PORT, [IPv6]:PORT or a bare IPv6 address."""
    if text.startswith("[") or text.count(":") == 1:
        host, _, port = text.rpartition(":")
        if text.endswith("]"):
            host, port = text, "0"
        if not host or not port.isdecimal() or int(port) >= 1 << 16:
            raise LinkError(f"{text} is no address with a port, as 192.168.1.5:4059")
        return host.strip("[]"), int(port)
    return text, 0
