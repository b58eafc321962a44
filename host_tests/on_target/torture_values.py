"""Works of the power-cut torture for what is either old or new after a cut, never a mixture."""

import struct

import pins
import wiring
from suite_1_values import CERTIFICATE, ROOT

from app import factory
from app.crypto.certificate import Certificate
from app.parameters import LED_CONSTANT_ACTIVE, OUTPUT_WIDTH, REGISTRATION_MODE
from app.security import GAK, GBEK, GUEK
from app.zone import TABLE_YEARS


class Work:
    """One kind of stored thing. `random` is a random.Random of the torture's own."""

    def __init__(self, random):
        self.random = random
        self.violations = []

    def act(self, meter):
        """Change something; power may vanish in it."""

    def check(self, meter):
        """Judge a meter that has just been built on what the cut has left."""

    def wrong(self, *words):
        self.violations.append(type(self).__name__ + ": " + " ".join(str(word) for word in words))


class Value(Work):
    """Something that is old or new: subclasses say how it is read and changed."""

    def __init__(self, random):
        super().__init__(random)
        self.allowed = None  # what may be found, None: whatever a new meter has

    def read(self, meter):
        raise NotImplementedError

    def change(self, meter):
        """Return (function, value expected afterwards)."""
        raise NotImplementedError

    def act(self, meter):
        function, new = self.change(meter)
        old = self.read(meter)
        self.allowed = (old, new)
        function()
        self.allowed = (new,)
        if self.read(meter) != new:
            self.wrong("does not read what was written:", self.read(meter), new)

    def check(self, meter):
        found = self.read(meter)
        if self.allowed is not None and found not in self.allowed:
            self.wrong("found", found, "allowed", self.allowed)
        self.allowed = (found,)

    def octets(self, size):
        return bytes(self.random.getrandbits(8) for _ in range(size))

    def digits(self, size):
        return bytes(self.random.randrange(0x30, 0x3A) for _ in range(size))

    def letters(self, size):
        return bytes(self.random.randrange(0x41, 0x5B) for _ in range(size))


class Keys(Value):
    """All keys in one record; a new global key starts the numbers received under it again."""

    def __init__(self, random, accepted):
        super().__init__(random)
        self.accepted = accepted

    def read(self, meter):
        return meter.settings.get("keys")

    def change(self, meter):
        key_id = self.random.choice((GUEK, GBEK, GAK))
        key = self.octets(16)
        now = self.read(meter)
        new = now[: 16 * key_id] + key + now[16 * key_id + 16 :]

        def put():
            if key_id != GAK:
                # Stored in this order: key, number. Between them the old number stays in force.
                self.accepted.restart(key_id)
            meter.security.change_keys({key_id: key})

        return put, new


class Passwords(Value):
    """The secret of each client level."""

    def __init__(self, random, name):
        super().__init__(random)
        self.name = name

    def read(self, meter):
        return meter.settings.get(self.name)

    def change(self, meter):
        new = self.letters(self.random.randrange(8, 33))
        return lambda: meter.settings.put(self.name, new), new


class TcpPort(Value):
    """The port of a board with a network, as its settings pack it."""

    def read(self, meter):
        return meter.settings.get("tcp")

    def change(self, meter):
        new = self.octets(8)
        return lambda: meter.settings.put("tcp", new), new


class Lists(Value):
    """A list of the display or of the read-out."""

    def __init__(self, random, name):
        super().__init__(random)
        self.name = name

    def read(self, meter):
        return meter.settings.get(self.name)

    def change(self, meter):
        whole = factory.alternate_list(meter.board.variant)
        entry = (len(whole) - 2) // whole[1]
        count = self.random.randrange(1, whole[1] + 1)
        new = bytes((whole[0], count)) + whole[2 : 2 + count * entry]
        return lambda: meter.settings.put(self.name, new), new


class LocalTime(Value):
    """Zone and deviation belong together."""

    def read(self, meter):
        return meter.clock.zone.time_zone_min, meter.clock.zone.dst_deviation_min

    def change(self, meter):
        zone = self.random.randrange(-720, 721)
        deviation = zone // 10

        def configure():
            meter.clock.configure(time_zone_min=zone, dst_deviation_min=deviation)

        return configure, (zone, deviation)


class FixedDates(Value):
    """Daylight saving by a table of years."""

    def read(self, meter):
        return meter.clock.zone.table

    def change(self, meter):
        rows = b""
        for year in range(2020, 2020 + self.random.randrange(TABLE_YEARS + 1)):
            for month in (3, 10):
                day = self.random.randrange(1, 29)
                rows += struct.pack(">HBBBBBBBhB", year, month, day, 255, 2, 0, 0, 0, -32768, 0)
        return lambda: meter.clock.set_dst_table(rows), rows


class ClockLimits(Value):
    """The largest change that is a synchronisation."""

    def read(self, meter):
        return meter.clock.shift_limit_s

    def change(self, meter):
        new = self.random.randrange(3601)
        return lambda: meter.clock.set_shift_limit(new), new


class Reserve(Value):
    """Kind and threshold of what keeps the clock."""

    def read(self, meter):
        return meter.battery.kind, meter.battery.threshold_mv

    def change(self, meter):
        threshold_mv = self.random.randrange(5001)
        kind = meter.battery.kind
        return lambda: meter.battery.set_threshold_mv(threshold_mv), (kind, threshold_mv)


class DeviceId(Value):
    """One of the device IDs."""

    def read(self, meter):
        return meter.identification.device_id(3)

    def change(self, meter):
        new = self.letters(self.random.randrange(1, 49))
        return lambda: meter.identification.set_device_id(3, new), new


class Policy(Value):
    """Mechanism of a client and client's title, in one record."""

    def read(self, meter):
        return meter.security.mechanism(1), meter.security.client_title

    def change(self, meter):
        mechanism = self.random.randrange(1, 8)
        return (
            lambda: meter.security.set_mechanism(1, mechanism),
            (mechanism, meter.security.client_title),
        )


class Lockout(Value):
    """Failures counted and the limit."""

    def read(self, meter):
        return meter.security.lockout.count, meter.security.lockout.limit

    def change(self, meter):
        lockout = meter.security.lockout
        if lockout.count >= lockout.limit:
            return lockout.succeeded, (0, lockout.limit)
        if self.random.randrange(2):
            return lambda: lockout.failed(0), (lockout.count + 1, lockout.limit)
        limit = self.random.randrange(lockout.count + 1, 21)
        return lambda: lockout.set_limit(limit), (lockout.count, limit)


class FactoryParameters(Value):
    """Value, number of changes and time in one record."""

    _CHOICES = ((LED_CONSTANT_ACTIVE, (1000, 3200)), (OUTPUT_WIDTH, (30, 80, 200)),
                (REGISTRATION_MODE, (1,)))  # fmt: skip

    def __init__(self, random):
        super().__init__(random)
        self.changes = 0

    def read(self, meter):
        return tuple(meter.parameters.get(parameter) for parameter, _ in self._CHOICES)

    def check(self, meter):
        super().check(meter)
        if meter.parameters.changes < self.changes:
            self.wrong("counts", meter.parameters.changes, "changes after", self.changes)
        self.changes = meter.parameters.changes

    def change(self, meter):
        if meter.certification.full():
            meter.certification.reset()
        index = self.random.randrange(len(self._CHOICES))
        parameter, choices = self._CHOICES[index]
        value = self.random.choice(choices)
        new = list(self.read(meter))
        new[index] = value
        wiring.drive(pins.LOCK, 1)
        return lambda: meter.parameters.put(parameter, value), tuple(new)


class Calibration(Value):
    """All corrections, their number and their date."""

    def read(self, meter):
        stored = meter.production.stored
        return stored.count, stored.calibration.pack()

    def change(self, meter):
        stored = meter.production.stored
        new = stored.calibration.copy()
        for phase in range(new.phases):
            new.u_gain_ppb[phase] = self.random.randrange(-1_000_000, 1_000_000)
            new.delay_ns[phase] = self.random.randrange(-5000, 5000)
        return lambda: stored.save(new, meter.clock.utc_s()), (stored.count + 1, new.pack())


class Port(Value):
    """One number of a port's set-up."""

    def __init__(self, random, port, name, values):
        super().__init__(random)
        self.port = port
        self.name = name
        self.values = values

    def _settings(self, meter):
        return getattr(meter.ports, self.port)

    def read(self, meter):
        return getattr(self._settings(meter), self.name)

    def change(self, meter):
        new = self.random.choice(self.values)
        return lambda: self._settings(meter).set(self.name, new), new


class OpticalTexts(Value):
    """Device address and passwords of the optical head."""

    def read(self, meter):
        return meter.ports.optical.device_address, tuple(meter.ports.optical.passwords)

    def change(self, meter):
        optical = meter.ports.optical
        index = self.random.randrange(3)
        password = self.letters(self.random.randrange(1, 17))
        passwords = optical.passwords[:index] + [password] + optical.passwords[index + 1 :]
        new = (optical.device_address, tuple(passwords))
        return lambda: optical.set_password(index, password), new


class EventSettings(Value):
    """Hold-off and code system, in one record."""

    def read(self, meter):
        return meter.events.hold_off_s, meter.events.system

    def change(self, meter):
        new = self.random.randrange(86401)
        return lambda: meter.events.set_hold_off(new), (new, meter.events.system)


class ErrorFilter(Value):
    """A filter of the error registers."""

    def read(self, meter):
        return meter.events.errors.filter(2)

    def change(self, meter):
        new = self.random.getrandbits(16)
        return lambda: meter.events.errors.set_filter(2, new), new


class KeyPairs(Value):
    """Both pairs of suite 1, sealed."""

    def read(self, meter):
        return meter.settings.get("key_pairs")

    def change(self, meter):
        new = self.octets(256)
        return lambda: meter.settings.put("key_pairs", new), new


class Certificates(Value):
    """The six places for certificates."""

    def read(self, meter):
        found = meter.security.credentials()._slots
        return tuple(None if one is None else one.encoded for one in found)

    def change(self, meter):
        slot = self.random.randrange(6)
        new = self.random.choice((ROOT, CERTIFICATE, None))
        old = self.read(meter)
        found = None if new is None else Certificate(new)
        return (
            lambda: meter.security.credentials()._store(slot, found),
            old[:slot] + (new,) + old[slot + 1 :],
        )


class Transaction(Work):
    """The last transaction-id: never accepted again."""

    def __init__(self, random):
        super().__init__(random)
        self.last = 0
        self.coming = 0

    def act(self, meter):
        self.coming = self.last + self.random.choice((1, 2, 1000))
        meter.security.counters.accept_transaction(self.coming.to_bytes(8, "big"))
        self.last = self.coming

    def check(self, meter):
        found = meter.security.counters._transaction
        if not self.last <= found <= max(self.last, self.coming):
            self.wrong("found", found, "between", self.last, self.coming)
        self.last = found


class Covers(Work):
    """What covers did: every opening is counted once."""

    def __init__(self, random):
        super().__init__(random)
        self.least = [0, 0]
        self.most = [0, 0]

    def act(self, meter):
        # what a settled line leads to; the line itself takes its time
        state = self.random.randrange(4)
        tamper = meter.tamper
        for line in (0, 1):
            if state >> line & 1 and not tamper.active(line):
                self.most[line] = self.least[line] + 1
        tamper._take(state)
        self.least = list(self.most)

    def check(self, meter):
        found = meter.tamper.counts[:2]
        for line in (0, 1):
            if not self.least[line] <= found[line] <= self.most[line]:
                self.wrong("line", line, "counts", found[line], "of", self.most[line])
        self.least, self.most = list(found), list(found)
