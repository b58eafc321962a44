"""A pseudo terminal at one of the virtual meter's serial ports, as a cable to a real meter is.

    python host_tests/system/serial_line.py 4060

prints the device's name and stays until Ctrl-C, for whoever wants to try PORT= without a meter.
"""

import os
import select
import signal
import socket
import sys
import termios
import threading
import tty

_OUTPUT_SPEED = 5  # where tcgetattr has it


class SerialLine:
    """The cable; `name` is the device to open. `baud` is the meter's rate, where it matters.

    With `baud`, a function, octets that leave while the device stands at another rate are noise to
    the meter. Not so those that come: the meter's wire has no length, and by now it may be ahead.
    """

    def __init__(self, port, baud=None):
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.name = os.ttyname(self._theirs)
        self._baud = baud
        self.noise = 0
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._bell, self._rope = socket.socketpair()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _at_rate(self, octets):
        if self._baud is None:
            return octets
        speed = termios.tcgetattr(self._theirs)[_OUTPUT_SPEED]
        if speed == getattr(termios, f"B{self._baud()}"):
            return octets
        self.noise += len(octets)
        return bytes(octet ^ 0x55 for octet in octets)

    def _carry(self):
        """One thread for both ways: a terminal is not closed while another one reads it."""
        try:
            while self._bell not in (
                ready := select.select([self._ours, self._socket, self._bell], [], [])[0]
            ):
                if self._ours in ready:
                    self._socket.sendall(self._at_rate(os.read(self._ours, 256)))
                if self._socket in ready:
                    octets = self._socket.recv(256)
                    if not octets:
                        return
                    os.write(self._ours, octets)
        except OSError:
            pass  # hung up
        finally:
            os.close(self._theirs)
            os.close(self._ours)
            self._socket.close()

    def close(self):
        """Pull the cable."""
        self._rope.close()
        self._thread.join()
        self._bell.close()


if __name__ == "__main__":
    print(SerialLine(int(sys.argv[1])).name, flush=True)
    signal.pause()
