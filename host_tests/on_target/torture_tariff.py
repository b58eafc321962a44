"""Works of the power-cut torture for tariff and billing: rates, calendar, schedules, profiles."""

import pins
import wiring
from torture_values import Value, Work

from app import pulse_outputs
from app.axdr import Reader, Writer
from app.rows import CLOCK
from app.tariff import billing, rates, tables
from app.tariff.maxima import REGISTERS

_SCRIPTS = b"\x00\x00\x0a\x00\x64\xff"
_DATES = (b"\xff\xff\xff\x01\xff", b"\xff\xff\x07\x0f\xff", b"\x07\xef\x0c\x1f\xff")


class Setting(Value):
    """A setting of octets; `make` returns new ones."""

    def __init__(self, random, key, make):
        super().__init__(random)
        self.key = key
        self.make = make

    def read(self, meter):
        return meter.settings.get(self.key)

    def change(self, meter):
        new = self.make(self)
        return lambda: meter.settings.put(self.key, new), new


class Rates(Work):
    """Rate registers: none falls below what was read, together they are the totals."""

    def __init__(self, random):
        super().__init__(random)
        self.shown = [0] * rates.REGISTERS

    def act(self, meter):
        meter.tariff.energy_masks.activate(bytes((0, self.random.randrange(1, 9))))
        self._look(meter)

    def check(self, meter):
        # a cut takes a unit from a total, and so from the rate that counted it
        self._look(meter, 1)

    def _look(self, meter, allowed_wh=0):
        found = [meter.tariff.rates.value_wh(index) for index in range(rates.REGISTERS)]
        wh = meter.engine.energies.wh
        for kind in range(rates.KINDS):
            of_kind = found[kind * rates.RATES : (kind + 1) * rates.RATES]
            if not 0 <= wh[kind] - sum(of_kind) < rates.RATES:
                self.wrong("rates of total", kind, "are", of_kind, "of", wh[kind])
        for index in range(rates.REGISTERS):
            if found[index] < self.shown[index] - allowed_wh:
                self.wrong("rate register", index, "from", self.shown[index], "to", found[index])
        self.shown = found


class Masks(Value):
    """The named sets of registers and the active one."""

    def read(self, meter):
        return tuple(meter.tariff.energy_masks.masks)

    def change(self, meter):
        masks = meter.tariff.energy_masks
        name = bytes((9, self.random.randrange(4)))
        old = self.read(meter)
        if name in [entry[0] for entry in old]:
            return lambda: masks.delete(name), tuple([one for one in old if one[0] != name])
        index = self.random.randrange(rates.REGISTERS)
        mask = bytearray(masks.mask_size)
        mask[index >> 3] |= 1 << (index & 7)
        return lambda: masks.add(name, [index]), old + ((name, bytes(mask)),)


class SpecialDays(Value):
    """The table of special days."""

    def read(self, meter):
        return meter.tariff.special_days.entries()

    def change(self, meter):
        count = self.random.randrange(65)
        new = [(n, self.random.choice(_DATES), self.random.randrange(8)) for n in range(count)]
        return lambda: meter.tariff.special_days.replace(new), new


class PassiveCalendar(Value):
    """The half that waits, of any size."""

    def read(self, meter):
        return bytes(meter.tariff.calendar.passive().pack())

    def change(self, meter):
        half = tables.Tables()
        half.set_name(self.letters(self.random.randrange(1, 9)))
        count = self.random.randrange(1, 25)
        days = [
            (day, [(900 * n, _SCRIPTS, 1 + n % 8) for n in range(self.random.randrange(1, 49))])
            for day in range(count)
        ]
        half.set_days(days)
        half.set_weeks([(b"W", bytes(self.random.randrange(count) for _ in range(7)))])
        half.set_seasons([(b"S", b"\xff\xff\x01\x01\xff\x00\x00\x00\x00\x80\x00\xff", b"W")])
        return lambda: meter.tariff.calendar.put_passive(half), bytes(half.pack())


class ActiveCalendar(Value):
    """The half in force: the one before, or the whole of the passive one."""

    def read(self, meter):
        return bytes(meter.tariff.calendar.active().pack())

    def change(self, meter):
        calendar = meter.tariff.calendar
        return calendar.activate, bytes(calendar.passive().pack())


class CalendarStart(Value):
    """When the passive half becomes active."""

    def read(self, meter):
        return meter.tariff.calendar.start

    def change(self, meter):
        new = b"\x08" + bytes((self.random.randrange(20, 40),)) + b"\x01\x01\xff\x00\x00\x00\x00"
        new += b"\x80\x00\xff"
        return lambda: meter.tariff.calendar.set_start(new), new


class Schedule(Value):
    """The moments of an end of billing."""

    def __init__(self, random, place):
        super().__init__(random)
        self.place = place

    def read(self, meter):
        return meter.tariff.schedules[self.place].moments

    def change(self, meter):
        new = [
            (bytes((self.random.randrange(24), 0, 0, 0)), self.random.choice(_DATES))
            for _ in range(self.random.randrange(5))
        ]
        return lambda: meter.tariff.schedules[self.place].set_moments(new), new


class SpecialTariff(Value):
    """The tariff of a mains that is about to fail."""

    def read(self, meter):
        return meter.tariff.control.special_tariff()

    def change(self, meter):
        new = (self.random.randrange(45_000, 49_000), self.random.randrange(3600), 100, 0)
        return lambda: meter.tariff.control.set_special_tariff(new), new


class Blocks(Value):
    """Thresholds of the blocks; their registers are those of the rates, however they are cut."""

    def read(self, meter):
        return meter.tariff.blocks.thresholds()

    def change(self, meter):
        first = [self.random.randrange(1, 100) for _ in range(8)]
        new = first + [wh + self.random.randrange(1, 100) for wh in first] + [0] * 8
        return lambda: meter.tariff.blocks.set_thresholds(new), new

    def act(self, meter):
        if self.random.randrange(3):
            super().act(meter)
        else:
            meter.tariff.blocks.new_period()
        self._compare(meter)

    def check(self, meter):
        super().check(meter)
        self._compare(meter)

    def _compare(self, meter):
        for rate in range(rates.RATES):
            whole = sum(meter.tariff.blocks.value_wh(block, rate) for block in range(4))
            if not 0 <= whole - meter.tariff.rates.value_wh(rate) <= 1:
                self.wrong("blocks of rate", rate, "are", whole)


class PulseOutput(Value):
    """An output that production has set."""

    def read(self, meter):
        return tuple(meter.outputs.get(0, field) for field in range(4))

    def change(self, meter):
        if meter.certification.full():
            meter.certification.reset()
        wiring.drive(pins.LOCK, 1)
        rate = self.random.randrange(500, 16_001)
        old = self.read(meter)
        return (
            lambda: meter.outputs.put(0, pulse_outputs.RATE, rate),
            old[:2] + (rate,) + old[3:],
        )


class SearchPeriod(Value):
    """Search period and extremes, in one record."""

    def read(self, meter):
        return meter.quality.extremes.search_s

    def change(self, meter):
        new = self.random.choice((10, 60, 600, 900, 3600))
        return lambda: meter.quality.extremes.set_search_s(new), new


class HeatLimit(Value):
    """The temperature that is too hot."""

    def read(self, meter):
        return meter.quality.temperature.limit_c

    def change(self, meter):
        new = self.random.randrange(20, 126)
        return lambda: meter.quality.temperature.set_limit_c(new), new


class Billing(Work):
    """Billings: one entry each, counted once, whatever was cut off is finished."""

    def __init__(self, random):
        super().__init__(random)
        self.least = 0
        self.most = 0

    def act(self, meter):
        self._look(meter, 0)  # the start has finished what was cut off
        self.most += 1
        meter.tariff.billing.capture(billing.BILLING_1, billing.REMOTE)
        self.least += 1
        self._look(meter, 0)

    def check(self, meter):
        self._look(meter, 1)

    def _look(self, meter, unfinished):
        """Judge; one that is `unfinished` may have an entry and not be counted, or neither."""
        found = meter.tariff.billing.count
        if not self.least <= found <= self.most:
            self.wrong("counts", found, "of", self.least, "to", self.most)
        self.least = found
        if not unfinished:
            self.most = found
        profile = meter.tariff.billing.profiles[0]
        if not 0 <= profile.next - found <= unfinished:
            self.wrong("entries", profile.next, "billings", found)
        before_wh = 0
        for sequence in range(max(profile.first, found - 5), found):
            if not profile.load(sequence):
                self.wrong("entry", sequence, "is damaged")
                continue
            if column(profile, 1) != sequence:
                self.wrong("entry", sequence, "bears", column(profile, 1))
            wh = column(profile, 2)
            if not before_wh - 1 <= wh <= meter.engine.energies.wh[0] + 1:
                self.wrong("entry", sequence, "has", wh, "Wh behind", before_wh)
            before_wh = wh


def column(profile, place):
    """One column of the present row, decoded."""
    buffer = bytearray(64)
    profile.write(Writer(buffer), place)
    return Reader(buffer).data()[1]


class Columns(Value):
    """Columns of a profile and its rows: no row is seen under columns of another time."""

    _CHOICES = ((1, 0), (2, 0), (3, 0), (4, 0), (1, 1), (1, 2))

    def read(self, meter):
        return meter.tariff.billing.profiles[2].columns()

    def change(self, meter):
        profile = meter.tariff.billing.profiles[2]
        writer = Writer(bytearray(256))
        count = self.random.randrange(1, 6)
        writer.array(count + 1)
        names = [bytes((1, 0, c, 8, e, 255)) for c, e in self._CHOICES[:count]]
        for class_id, name in [(8, CLOCK[1])] + [(3, name) for name in names]:
            writer.structure(4)
            writer.uint16(class_id)
            writer.octet_string(name)
            writer.int8(2)
            writer.uint16(0)
        encoded = bytes(writer.buffer[: writer.at])
        return lambda: profile.set_columns(Reader(encoded)), encoded

    def act(self, meter):
        if self.random.randrange(3) == 0:
            super().act(meter)
        for _ in range(self.random.randrange(5)):
            meter.tariff.billing.capture(billing.DAILY, billing.REGULAR)

    def check(self, meter):
        super().check(meter)
        profile = meter.tariff.billing.profiles[2]
        for sequence in range(max(profile.first, profile.next - 5), profile.next):
            if not profile.load(sequence):
                self.wrong("row", sequence, "is damaged")
                continue
            for place in range(1, (len(profile.columns()) - 2) // 18):
                if not isinstance(column(profile, place), int):
                    self.wrong("row", sequence, "column", place, column(profile, place))


class Maxima(Work):
    """Maxima of demand: each is old, new, of a period since then, or billed and zero."""

    def __init__(self, random):
        super().__init__(random)
        self.allowed = ()
        self.acted_utc_s = 0

    def read(self, meter):
        maxima = meter.tariff.demand.maxima
        return [(maxima.value(index), maxima.capture_utc_s(index)) for index in range(REGISTERS)]

    def act(self, meter):
        maxima = meter.tariff.demand.maxima
        old = self.read(meter)
        self.acted_utc_s = meter.clock.utc_s()
        kind = self.random.randrange(4)
        maxima.compare(kind, self.random.randrange(1, 1_000_000), self.acted_utc_s, 0)
        new = self.read(meter)
        self.allowed = (old, new)
        maxima.keep()
        self.allowed = (new,)

    def check(self, meter):
        for index, found in enumerate(self.read(meter)):
            known = [maxima[index] for maxima in self.allowed]
            if known and found not in known and found != (0, 0) and found[1] <= self.acted_utc_s:
                self.wrong("register", index, "found", found, "allowed", known)


class BillingOptions(Value):
    """What the sealed key may do."""

    def read(self, meter):
        return [meter.tariff.billing.option(bit) for bit in (1, 2)]

    def change(self, meter):
        on = self.random.randrange(2) == 1
        option = self.random.choice((billing.MANUAL_RESET, billing.SHOW_PAST))
        new = self.read(meter)
        new[option - 1] = on
        return lambda: meter.tariff.billing.set_option(option, on), new


def make(random):
    """Every work of tariff and billing."""
    return [
        Rates(random),
        Masks(random),
        SpecialDays(random),
        Setting(random, "tariff_scripts", lambda work: work.octets(work.random.randrange(1280))),
        PassiveCalendar(random),
        ActiveCalendar(random),
        CalendarStart(random),
        Schedule(random, 0),
        Schedule(random, 1),
        SpecialTariff(random),
        Blocks(random),
        PulseOutput(random),
        SearchPeriod(random),
        HeatLimit(random),
        Billing(random),
        Columns(random),
        Maxima(random),
        BillingOptions(random),
        Setting(random, "alarm_actions", lambda work: work.octets(48)),
        Setting(random, "device_number", lambda work: work.digits(8)),
    ]
