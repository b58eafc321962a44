"""A meter that somebody has built, in place of the virtual one: HOST= or PORT= of `make test-sim`.

Tests that use nothing but the meter's ports take the fixture `wired` and run on either. Whatever
wants a bench (mains, faults, time that leaps) starts a virtual meter, and is skipped here.
"""

import collections

import meter_bridge
import meter_link
import meter_place
import pytest
from meter_link import LinkError

_HOW = {
    "cosem": "HOST=address",
    "rs485": "PORT=/dev/... or HOST=address:port HDLC=1",
    "optical": "PORT=/dev/... OPTICAL=1",
}
_DEVICE_NAME = "0-0:42.0.0"


class Ports(dict):
    """TCP ports of this machine by the meter's ports; asking for another one skips the test."""

    def __missing__(self, name):
        pytest.skip(f"needs the meter's {name} port ({_HOW.get(name, 'which is not served')})")


class RealMeter:
    """What tests may know of it: its ports."""

    def __init__(self, place, may_change):
        self.place = place
        self.may_change = may_change
        self.name = ""
        self.ports = Ports()
        self._bridge = None
        self.doubted = False  # since a test failed

    def greet(self):
        """Read who it is; raises LinkError where there is no meter or no way in."""
        with self.place.link() as link:
            name = link.read(_DEVICE_NAME)
            self.name = name.decode("latin-1") if isinstance(name, bytes) else str(name)

    def connect(self):
        self._bridge = meter_bridge.Bridge(self.place)
        self.ports[self.place.kind] = self._bridge.port
        return self

    def problem(self):
        """Why nothing more can be asked of it, or nothing; it is asked after a test failed."""
        if self.doubted and not self._bridge.problem:
            self.doubted = False
            try:
                with self.place.link(self._own_wire) as link:
                    link.read(_DEVICE_NAME)
            except LinkError as error:
                return str(error)
        return self._bridge.problem

    def _own_wire(self):
        hdlc = self.place.kind != meter_place.WRAPPER
        return meter_link.TcpWire("127.0.0.1", self._bridge.port, hdlc=hdlc)

    def close(self):
        if self._bridge:
            self._bridge.close()


given = None  # the meter of this run, None for virtual ones


def take(options):
    """Take the meter that the options of pytest name. Ends the run if it does not answer."""
    global given
    if not options.host and not options.serial:
        return
    try:
        given = RealMeter(meter_place.of(options), options.change)
        given.greet()
        import clients

        clients.SECRET = options.password.encode()  # before any test takes it
        given.connect()
    except LinkError as error:
        given = None
        pytest.exit(str(error), returncode=2)


def needs_bench():
    """Skip what wants a virtual meter, where a real one is tested."""
    if given is not None:
        pytest.skip("needs the virtual meter: its bench (mains, faults, time) or its keys")


def summary(reports):
    """How many tests were skipped for each reason, most first."""
    reasons = collections.Counter(report.longrepr[2] for report in reports)
    return [
        f"{count:4} {reason.removeprefix('Skipped: ')}" for reason, count in reasons.most_common()
    ]


def look_before(item):
    """Before a test: is the line still there, and may the test do what it does?"""
    if given is None:
        return
    problem = given.problem()
    if problem:
        pytest.exit(f"the line to the meter is lost: {problem}", returncode=2)
    if item.get_closest_marker("changes") and not given.may_change:
        pytest.skip("changes what the meter keeps; CHANGE=1 allows it")
