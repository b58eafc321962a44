"""A flood on every port of a virtual meter: clients that ask, rubbish, browsers."""

import socket
import threading
import time
import urllib.error
import urllib.request

import clients
from patience import PATIENCE_S

PORTS = (
    ("tcp", "cosem", False),
    ("tcp again", "cosem", False),
    ("rs485", "rs485", True),
    ("optical", "optical", True),
)


class Flood:
    """Threads that ask as much as they can until they are told to stop."""

    def __init__(self, meter, asking, browsers):
        """Ask at every port by the turns that `asking(session)` makes; besides, send rubbish."""
        self.ending = threading.Event()
        self.done = {}
        self.failed = []
        self._threads = []
        self._sessions = []
        for name, port, hdlc in PORTS:
            wire = clients.Socket(meter.ports[port])
            session = clients.Gurux(wire, clients.MANAGEMENT, clients.SECRET, hdlc=hdlc)
            self._sessions.append(session.connect())
            self._start(name, asking(session))
        self._start("rubbish", noise(meter.ports["cosem"]))
        for number in range(browsers):
            self._start(f"browser {number}", page(meter))

    def _start(self, name, turn):
        """Let `turn()` run over and over; each turn that comes to an end is counted."""
        self.done[name] = 0

        def run():
            while not self.ending.is_set():
                try:
                    turn()
                    self.done[name] += 1
                except Exception as error:  # told at the end
                    self.failed.append(f"{name}: {error!r}")
                    return

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()

    def stop(self):
        """End it; what went wrong stands in `failed`."""
        self.ending.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for session in self._sessions:
            if not self.failed:
                session.release()  # an optical head hears no sign-on while a link is open
            session.transport.close()


def noise(port):
    """A turn of somebody who sends rubbish and does not read the answers."""

    def turn():
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as wire:
            wire.setblocking(False)
            for _ in range(50):
                try:
                    wire.send(b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e\x00\x01" * 90)
                except OSError:
                    break
                time.sleep(0.002)

    return turn


def page(meter):
    """A turn of a browser that asks for everything at once."""

    def turn():
        for path in ("/", "/api/state", "/api/lcd", "/api/quantities", "/api/waveform"):
            try:
                with urllib.request.urlopen(meter.url + path, timeout=PATIENCE_S) as answer:
                    answer.read()
            except urllib.error.HTTPError as error:
                error.read()  # too many at once is an answer, too

    return turn
