"""TCP ports of the host for tests with real sockets; import it before the simulation's loop."""

import os
import socket

_FROM, _TO = 10000, 32000  # below those of outgoing connections, as tools/running_meter.py has it


def free_ports(count):
    """The first of so many consecutive ports that nobody has, by lot."""
    while True:
        first = _FROM + int.from_bytes(os.urandom(4), "little") % (_TO - _FROM - count)
        held = []
        try:
            for port in range(first, first + count):
                one = socket.socket()
                held.append(one)
                one.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
        return first
