"""Ways into the running meter for clients with keys: wrapper, RS485, optical head in mode E."""

import clients
import line_time
import secure_clients

ROUTES = {
    "wrapper": ("cosem", False, None),
    "rs485": ("rs485", True, 17),
    "mode E": ("optical", True, 17),
}


def gurux_server(hdlc, physical):
    """gurux's server address: logical device 1, with the physical address on a bus."""
    return (1 << 7 | physical) if hdlc else 1


class Line:
    """One link to the meter over a route."""

    def __init__(self, meter, route):
        port, self.hdlc, self.physical = ROUTES[route]
        self.transport = clients.Socket(meter.ports[port])
        self.server = gurux_server(self.hdlc, self.physical)
        self._optical = port == "optical"
        if self._optical:
            with line_time.still(meter):
                self._sign_on(meter)

    def _sign_on(self, meter):
        """IEC 62056-21 mode E: from the sign-on to HDLC at 9600 baud."""
        for said, end in ((b"/?!\r\n", b"103\r\n"), (b"\x06252\r\n", b"\x06252\r\n")):
            self.transport.send(said)
            line_time.passes(meter)
            heard = b""
            while not heard.endswith(end):
                heard += self.transport.receive()

    def next_counter(self):
        return secure_clients.next_counter(self.transport, hdlc=self.hdlc, server=self.server)

    def gurux(self, counter=None, **options):
        return secure_clients.SecureGurux(
            self.transport,
            counter=self.next_counter() if counter is None else counter,
            hdlc=self.hdlc,
            server=self.server,
            **options,
        )

    def close(self):
        """Leave the port as it was found: a head goes back to its first rate after DISC."""
        if self._optical:
            last = clients.Gurux(self.transport, clients.PUBLIC, hdlc=True, server=self.server)
            last.connect().release()
        self.transport.close()
