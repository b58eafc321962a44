"""What a meter stores, as work for the power-cut torture: each does it, and judges what is left.

A work acts on the running meter in steps and knows what may be found after a cut at any byte: what
was acknowledged before, or the whole of what was under way. `make` is the list to extend; the
torture fails while a region of the FRAM map is written by none.
"""

import torture_profiles
import torture_tariff
import torture_values as values
from power_rig import window
from torture_values import Work

_WH_UWS = 3_600_000_000
_ALLOWED_UWS = _WH_UWS  # what a cut may take from a register: one unit, and the running window


class Energies(Work):
    """Registers: never below what anybody has read, and within a unit of the truth."""

    def __init__(self, random):
        super().__init__(random)
        self.shown = [0] * 12
        self.truth = None  # the energies of the last life, which outlive it here
        self.worst_mwh = 0
        self.nothing_lost = False  # the last life could keep everything in its hold-up time

    def act(self, meter):
        p_w = self.random.choice((100, 2_000, 10_000, 18_000)) * self.random.choice((1, 1, -1))
        q_var = self.random.choice((-3_000, 0, 500))
        self.truth = meter.engine.energies
        window(meter, p_w, q_var)
        self.shown = list(meter.engine.energies.wh)

    def check(self, meter):
        energies = meter.engine.energies
        for index in range(12):
            if index == 11:  # the net register may fall
                continue
            if energies.wh[index] < self.shown[index]:
                self.wrong("register", index, "from", self.shown[index], "to", energies.wh[index])
            if self.truth is not None:
                lost_uws = self.truth.total_uws(index) - energies.total_uws(index)
                self.worst_mwh = max(self.worst_mwh, lost_uws * 1000 / _WH_UWS)
                allowed_uws = 0 if self.nothing_lost else _ALLOWED_UWS + _WH_UWS
                if not 0 <= lost_uws <= allowed_uws:
                    self.wrong("register", index, "lost", lost_uws, "uWs")
        self.truth = energies
        self.shown = list(energies.wh)


class SentNumbers(Work):
    """Numbers to send: none twice."""

    def __init__(self, random):
        super().__init__(random)
        self.highest = 0

    def act(self, meter):
        for _ in range(self.random.choice((1, 5, 300))):
            self._send(meter)

    def _send(self, meter):
        number = meter.security.counters.send()
        if number <= self.highest:
            self.wrong("number", number, "came again, highest was", self.highest)
        self.highest = number

    def check(self, meter):
        if meter.security.counters.lost:
            self.wrong("counters lost")
        elif self.random.randrange(20) == 0:
            self._send(meter)


class AcceptedNumbers(Work):
    """Numbers received: never accepted again."""

    def __init__(self, random):
        super().__init__(random)
        self.expected = [0, 0]
        self.coming = [0, 0]

    def act(self, meter):
        key = self.random.randrange(2)
        number = meter.security.counters.expected(key) + self.random.choice((0, 1, 1000))
        self.coming[key] = number + 1
        meter.security.counters.accept(key, number)
        self.expected[key] = number + 1

    def restart(self, key):
        """A new key comes: the old number, or none."""
        self.coming[key] = self.expected[key]
        self.expected[key] = 0

    def check(self, meter):
        for key in (0, 1):
            found = meter.security.counters.expected(key)
            if not self.expected[key] <= found <= max(self.coming[key], self.expected[key]):
                self.wrong("key", key, "expects", found, "not", self.expected[key])
            self.expected[key] = found


class PowerCounters(Work):
    """Outages, resets and battery time: none is forgotten, none is invented."""

    def __init__(self, random):
        super().__init__(random)
        self.least = (0, 0)
        self.cuts = 0

    def act(self, meter):
        before = meter.outages.battery_s
        meter.outages.use_battery(10)
        self.least = (self.least[0], before + 10)

    def check(self, meter):
        found = (meter.outages.failures, meter.outages.battery_s)
        self.cuts += 1
        if found[0] < self.least[0] or found[1] < self.least[1]:
            self.wrong("found", found, "at least", self.least)
        if found[0] > self.cuts:
            self.wrong("counts", found[0], "of", self.cuts)
        self.least = found


class Rows(Work):
    """A ring: rows in their order, none missing, none torn; the newest are there."""

    def __init__(self, random, name, size):
        super().__init__(random)
        self.name = name
        self.size = size
        self.rows = {}  # by sequence
        self.next = 0
        self.coming = None
        self.cleared = 0  # nothing below must be readable
        self.ring = None

    def attach(self, meter):
        """Open the ring: before the meter's tasks start."""
        self.ring = meter.rings.open(self.name, self.size)

    def act(self, meter):
        for _ in range(self.random.choice((1, 1, 3, 20))):
            head = meter.clock.utc_s().to_bytes(4, "little")
            fill = self.random.getrandbits(8)
            row = head + bytes((fill + index) & 0xFF for index in range(self.size - 4))
            self.coming = row
            self.ring.append(row)
            self._keep(row)

    def _keep(self, row):
        self.rows[self.next] = row
        self.rows.pop(self.next - self.ring.capacity, None)
        self.next += 1
        self.coming = None

    def check(self, meter):
        self.attach(meter)
        ring = self.ring
        if not ring.ready:
            self.wrong("not ready")
            return
        if ring.next == self.next + 1 and self.coming is not None:
            self._keep(self.coming)
        self.coming = None
        if ring.next != self.next:
            self.wrong("next row is", ring.next, "not", self.next)
            self.next = ring.next
        least = min(ring.capacity, self.next)
        if self.next - ring.first < least:
            self.wrong("holds", self.next - ring.first, "rows, not", least)
        found = bytearray(self.size)
        whole = self.random.randrange(50) == 0
        first = ring.first if whole else max(ring.first, self.next - 12)
        for sequence in range(first, self.next):
            held = ring.read_into(sequence, found)
            if not held or (sequence in self.rows and bytes(found) != self.rows[sequence]):
                self.wrong("row", sequence, "of", self.next, "is damaged:", held)


class Events(Work):
    """The standard log: entries in their order, none lost, none torn, none invented."""

    _TAIL = 8
    _CODES = (7, 8, 14, 47, 48)

    def __init__(self, random):
        super().__init__(random)
        self.tail = {}  # sequence: row
        self.next = 0

    def act(self, meter):
        for _ in range(self.random.choice((1, 2, 10))):
            self._look(meter)
            meter.events.post(self.random.choice(self._CODES))
        self._look(meter)
        if meter.events.lost:
            self.wrong("events lost:", meter.events.lost)

    def _look(self, meter):
        """Remember the newest entries."""
        log = meter.events.logs[0]
        self.next = log.next
        self.tail = {n: self._row(log, n) for n in range(max(log.first, log.next - 3), log.next)}

    def _row(self, log, sequence):
        return log.row() if log.load(sequence) else None

    def check(self, meter):
        log = meter.events.logs[0]
        # the one that was under way, and what other works have caused since the last look
        if log.next < self.next:
            self.wrong("next is", log.next, "was", self.next)
        for sequence, row in self.tail.items():
            if sequence >= log.first and self._row(log, sequence) != row:
                self.wrong("entry", sequence, "is", self._row(log, sequence), "was", row)
        before_s = 0
        for sequence in range(max(log.first, log.next - self._TAIL), log.next):
            row = self._row(log, sequence)
            if row is None:
                self.wrong("entry", sequence, "of", log.next, "is damaged")
            elif row[0] < before_s - 20:  # power down is dated when the meter was seen last
                self.wrong("entry", sequence, "is older than the one before:", row[0], before_s)
            else:
                before_s = row[0]


def make(random):
    """Every work, in the order in which they are checked."""
    accepted = AcceptedNumbers(random)
    works = [
        Energies(random),
        SentNumbers(random),
        accepted,
        values.Keys(random, accepted),
        values.LocalTime(random),
        values.FixedDates(random),
        values.ClockLimits(random),
        values.Reserve(random),
        values.DeviceId(random),
        values.Policy(random),
        values.Lockout(random),
        values.FactoryParameters(random),
        values.Calibration(random),
        values.OpticalTexts(random),
        PowerCounters(random),
        Events(random),
        values.EventSettings(random),
        values.ErrorFilter(random),
        values.TcpPort(random),
        values.Port(random, "optical", "default_mode", (0, 1, 2)),
        values.Port(random, "hdlc_optical", "inactivity_s", (0, 60, 120, 65535)),
        values.Port(random, "hdlc_rs485", "inter_octet_ms", (20, 25, 6000)),
        values.KeyPairs(random),
        values.Certificates(random),
        values.Transaction(random),
        values.Covers(random),
        # rings that the meter itself has no rows for yet
        Rows(random, "modem_profile", 60),
        Rows(random, "mbus_log", 16),
        Rows(random, "mbus_profile_1", 300),
    ]
    works += [values.Passwords(random, name) for name in ("lls", "lls_1", "lls_2", "lls_3")]
    works += [
        values.Lists(random, name) for name in ("general_list", "alternate_list", "readout_list")
    ]
    return works + torture_tariff.make(random) + torture_profiles.make(random)
