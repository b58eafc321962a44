"""A real meter's port as a TCP port of this machine, for programs that know no other.

The conformance cases, the foreign clients and the bench open TCP connections as the virtual meter
serves them. A bridge gives them the same of a meter on a serial line: every client sees every
octet, as on a bus. At an optical head it does what a wire does not: parity, rates, and the sign-on
for a client that begins with HDLC. A client of DLMS over TCP gets a connection of its own.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading

from meter_link import LinkError, Wire, reason, sign_on, with_parity
from meter_place import OPTICAL, WRAPPER, Place

_FLAG = b"\x7e"
_BREAK = b"B0"
_SIGN_ON = b"/?"
_FIRST_BAUD = 300
# ACK V Z Y: protocol, rate, and what follows (IEC 62056-21, 6.4.5); HDLC is protocol 2
_OPTION = re.compile(rb"\x06([0-9])([0-6])([0-9])\r\n")
_OPTION_LENGTH = 6
_HDLC = b"2"
_TEXT_MASK = 0x7F


class _Head:
    """An optical head: 7E1 and its rates on a line that is 8N1 all the time."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._text = True  # IEC 62056-21, not HDLC yet
        self._said = b""  # the end of what the client has said
        self._hdlc_baud = 0  # once the meter has confirmed

    def fileno(self) -> int:
        return self._wire.fileno()

    def send(self, octets: bytes) -> None:
        if self._text and octets[:1] == _FLAG:
            self._wire.to_hdlc(_FIRST_BAUD)
            sign_on(self._wire)
            self._text = False
        if not self._text:
            self._wire.send(octets)
            return
        if octets.startswith(_SIGN_ON):
            self._wire.to_hdlc(_FIRST_BAUD)
        self._wire.send(with_parity(octets))
        self._said = (self._said + octets)[-2 * _OPTION_LENGTH :]
        option = _OPTION.search(self._said)
        if option is not None:
            self._said = b""
            baud = _FIRST_BAUD << int(option[2])
            if option[1] == _HDLC:
                self._hdlc_baud = baud
            else:
                self._wire.to_hdlc(baud)
        elif _BREAK in self._said:
            self.hung_up()

    def receive(self) -> bytes:
        octets = self._wire.receive()
        if not self._text:
            return octets
        octets = bytes(octet & _TEXT_MASK for octet in octets)
        if self._hdlc_baud and octets.endswith(b"\n"):
            self._wire.to_hdlc(self._hdlc_baud)
            self._hdlc_baud, self._text = 0, False
        return octets

    def hung_up(self) -> None:
        """The next client begins with a sign-on."""
        self._said, self._hdlc_baud, self._text = b"", 0, True
        self._wire.to_hdlc(_FIRST_BAUD)

    def close(self) -> None:
        self._wire.close()


class Bridge:
    """Serves `place` at 127.0.0.1:`port` until it is closed or `problem` says why it ended."""

    def __init__(self, place: Place) -> None:
        self.problem = ""
        self._place = place
        self._line: Wire | _Head | None = None
        if place.kind != WRAPPER:
            wire = place.wire()
            self._line = _Head(wire) if place.kind == OPTICAL else wire
        self._clients: dict[socket.socket, Wire | _Head] = {}
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._bell, self._ring = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection and the line."""
        with contextlib.suppress(OSError):
            self._ring.send(b".")
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except (OSError, LinkError) as error:
            self.problem = f"{self._place.name}: {reason(error)}"
        for client in list(self._clients):
            self._drop(client)
        if self._line is not None:
            self._line.close()
        for one in (self._server, self._bell, self._ring):
            one.close()

    def _step(self) -> bool:
        """Move what has come; False when the bridge is to end."""
        shared = self._line
        lines = [shared] if shared else list(self._clients.values())
        ready = select.select([self._bell, self._server, *lines, *self._clients], [], [])[0]
        if self._bell in ready:
            return False
        for one in ready:
            if one is self._server:
                self._accept()
            elif isinstance(one, socket.socket):
                if one in self._clients:
                    self._outwards(one)
            elif one is shared and shared:
                octets = shared.receive()
                for client in list(self._clients):
                    self._inwards(client, octets)
            else:
                self._answered(one)
        return True

    def _accept(self) -> None:
        client, _ = self._server.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._clients[client] = self._line or self._place.wire()
        except LinkError:
            client.close()  # the meter takes no more connections, or is gone: so are we

    def _outwards(self, client: socket.socket) -> None:
        """A client has said something, or has hung up."""
        try:
            octets = client.recv(4096)
        except OSError:
            octets = b""
        if not octets:
            self._drop(client)
            return
        line = self._clients[client]
        try:
            line.send(octets)
        except (OSError, LinkError):
            if line is self._line and not isinstance(line, _Head):
                raise
            self._drop(client)  # a head that does not answer may do so for the next one

    def _answered(self, wire: Wire | _Head) -> None:
        """A connection of its own brings something, or has ended."""
        client = next((one for one, line in self._clients.items() if line is wire), None)
        if client is None:
            return  # went within this round
        try:
            self._inwards(client, wire.receive())
        except OSError:
            self._drop(client)

    def _inwards(self, client: socket.socket, octets: bytes) -> None:
        try:
            client.sendall(octets)
        except OSError:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        line = self._clients.pop(client, None)
        if line is None:
            return
        client.close()
        if line is not self._line:
            line.close()
        elif isinstance(line, _Head) and not self._clients:
            with contextlib.suppress(OSError, LinkError):
                line.hung_up()
