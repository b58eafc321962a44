"""Raw APDUs to the running meter over the TCP wrapper and over HDLC, every octet made by hand.

For conformance tests: nothing between test and wire corrects, retries or interprets. A link has
`ask(apdu)`, which returns the answering APDU, b"" if none comes.
"""

import socket

from patience import PATIENCE_S

SILENCE_S = 1.0  # how long nothing must come to count as no answer
LLC = b"\xe6\xe6\x00"
SNRM = 0x93
DISC = 0x53
UA = 0x73
SERVER = b"\x03"  # logical device 1, one octet
INFORMATION = 128  # octets of an information field without negotiation


class _Connection:
    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def send(self, octets):
        self._socket.sendall(octets)

    def take(self, count, timeout_s=PATIENCE_S):
        """`count` octets; TimeoutError if they do not come."""
        self._socket.settimeout(timeout_s)
        while len(self._received) < count:
            octets = self._socket.recv(4096)
            if not octets:
                raise ConnectionError("the meter closed the connection")
            self._received += octets
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def close(self):
        self._socket.close()


class WrapperLink:
    """A client on COSEM over TCP (IEC 62056-47)."""

    name = "wrapper"

    def __init__(self, meter, sap):
        self.sap = sap
        self._connection = _Connection(meter.ports["cosem"])

    def ask(self, apdu, silent=False):
        """Send an APDU and return the answer; `silent` says that none is expected."""
        words = (1, self.sap, 1, len(apdu))
        self._connection.send(b"".join(word.to_bytes(2, "big") for word in words) + apdu)
        try:
            head = self._connection.take(8, SILENCE_S if silent else PATIENCE_S)
        except TimeoutError:
            return b""
        version, source, destination, length = (
            int.from_bytes(head[at : at + 2], "big") for at in (0, 2, 4, 6)
        )
        assert (version, source, destination) == (1, 1, self.sap)
        return self._connection.take(length)

    def close(self):
        self._connection.close()


def crc16(octets):
    """CRC-16/X.25 bit by bit, low octet first."""
    value = 0xFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return (value ^ 0xFFFF).to_bytes(2, "little")


class HdlcLink:
    """A client on RS485 (IEC 62056-46) in a link without negotiated parameters."""

    name = "rs485"

    def __init__(self, meter, sap):
        self.sap = sap
        self._connection = _Connection(meter.ports["rs485"])
        self._send_number = 0
        self._receive_number = 0
        control, _, _ = self._exchange(SNRM)
        assert control == UA

    def ask(self, apdu, silent=False):
        """Send an APDU in segments and return the answer, b"" if the meter has none."""
        information = LLC + apdu
        while len(information) > INFORMATION:
            control, _, _ = self._information(information[:INFORMATION], True)
            assert control & 0x0F == 1, "a segment is acknowledged by RR"
            information = information[INFORMATION:]
        control, answer, segmented = self._information(information, False)
        if control & 1:
            assert control & 0x0F == 1
            return b""  # ready to receive, nothing to say
        while segmented:
            control, more, segmented = self._exchange(self._receive_number << 5 | 0x11)
            assert not control & 1
            self._receive_number = self._receive_number + 1 & 7
            answer += more
        assert answer[:3] == b"\xe6\xe7\x00"
        return answer[3:]

    def close(self):
        """Disconnect, so that the next client finds the link free."""
        try:
            self._exchange(DISC)
        finally:
            self._connection.close()

    def _information(self, information, segmented):
        control = self._receive_number << 5 | 0x10 | self._send_number << 1
        self._send_number = self._send_number + 1 & 7
        answer = self._exchange(control, information, segmented)
        if not answer[0] & 1:
            self._receive_number = self._receive_number + 1 & 7
        return answer

    def _exchange(self, control, information=b"", segmented=False):
        """Send a frame and return (control field, information, segmented) of the answer."""
        size = 6 + len(SERVER) + (len(information) + 2 if information else 0)
        head = (0xA000 | segmented << 11 | size).to_bytes(2, "big")
        head += SERVER + bytes((self.sap << 1 | 1, control))
        body = head + crc16(head)
        if information:
            body += information
            body += crc16(body)
        self._connection.send(b"\x7e" + body + b"\x7e")
        while self._connection.take(1) != b"\x7e":
            pass
        head = self._connection.take(2)
        while head[:1] == b"\x7e":
            head = head[1:] + self._connection.take(1)
        size = int.from_bytes(head, "big") & 0x7FF
        body = head + self._connection.take(size - 2)
        assert self._connection.take(1) == b"\x7e"
        assert crc16(body[:-2]) == body[-2:]
        assert body[2:4] == bytes((self.sap << 1 | 1,)) + SERVER
        return body[4], body[7:-2] if size > 7 else b"", bool(head[0] & 8)


LINKS = {"wrapper": WrapperLink, "rs485": HdlcLink}
