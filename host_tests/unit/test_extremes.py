"""Means of ten minutes, extremes of a day and of a billing period (rows MET-20, MET-22 to MET-24).

The load is a curve of time; what must be found in it is worked out from the curve alone.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from clock_rig import ClockRig, Lock
from hypothesis import given, settings
from hypothesis import strategies as st

import civil
from app import event_codes
from app.attributes import Reference, Resolver
from app.cosem import access, clock_values, quality_values
from app.cosem.catalogue import Catalogue
from app.quality.extremes import BILLING, Extremes
from app.quality.temperature import Temperature
from app.storage import regions

NOON = civil.utc_s(2026, 11, 21, 12)
VIENNA = {"time_zone_min": -60}
WINDOW_S = 10  # as in a leap: long windows make short tests


class Engine:
    """Windows of `WINDOW_S` whose U and I are as they were set."""

    rate_mhz = 4_000_000

    def __init__(self, phases=3):
        self.quantities = self
        self.phases = phases
        self.on_window = []
        self.frames_q16 = WINDOW_S * 4000 << 16
        self.u_uv = [230_000_000] * phases
        self.i_ua = [5_000_000] * phases

    def set(self, u, i=5):
        u = [u] * self.phases if isinstance(u, (int, float)) else u
        self.u_uv = [round(v * 1e6) for v in u]
        self.i_ua = [round(i * 1e6)] * self.phases


class Rig(ClockRig):
    def __init__(self, utc_s=NOON, phases=3, zone=VIENNA):
        self.engine = Engine(phases)
        super().__init__(utc_s, zone=zone.items())

    def boot(self):
        super().boot()
        self.engine.on_window.clear()
        self.extremes = Extremes(self.memory, self.clock, self.engine)
        self.catalogue = Catalogue(access.make_clients())
        self.resolver = Resolver()
        self.resolver.bind(self.catalogue.find)
        self.posted = []
        temperature = Temperature(self.clock, self.settings, self.posted.append)
        quality_values.add(
            self.catalogue, self.extremes, temperature, self.clock, self.events.append
        )

    def play(self, seconds):
        """Let time pass; every window is measured before a period can end with it."""
        for _ in range(round(seconds) // WINDOW_S):
            for callback in self.engine.on_window:
                callback()
            self.run(WINDOW_S)

    def read(self, code, class_id=4, attribute=2):
        a, _, rest = code.partition("-")
        b, _, rest = rest.partition(":")
        name = bytes([int(a), int(b), *map(int, rest.split("."))])
        if len(name) == 5:
            name += b"\xff"
        return self.resolver.read(Reference(class_id, name, attribute))[1]

    def day(self, column):
        """Peak today and yesterday, minimum today and yesterday."""
        return [self.read(f"0-0:128.8.{10 * column + e}") for e in range(4)]

    def at(self, code):
        """Local day, hour and minute that a value was captured at."""
        octets = self.read(code, attribute=5)
        return octets[3], octets[5], octets[6]


@pytest.mark.row("MET-20")
def test_after_ten_minutes_at_220_v_the_mean_is_220_v():
    rig = Rig()
    rig.engine.set([220, 230, 240])
    rig.play(30)
    assert rig.read("1-0:32.24.0", 3) == 22_000  # of what has passed of the first
    rig.play(570)
    rig.engine.set(10)
    rig.play(300)
    assert [rig.read(f"1-0:{c}.24.0", 3) for c in (32, 52, 72)] == [22_000, 23_000, 24_000]
    assert rig.read("1-0:32.24.0", 3, 3) == [(15, -2), (22, 35)]
    rig.engine.set([200, 0, 0])
    rig.play(300)  # root mean square of 10 and 200 V
    assert rig.read("1-0:32.24.0", 3) == 14_160
    assert rig.read("1-0:52.24.0", 3) == 707


@pytest.mark.row("MET-22")
def test_at_midnight_today_moves_to_yesterday_and_starts_again():
    rig = Rig()
    for u in (231, 244, 199, 230):
        rig.engine.set([u, u + 1, u + 5])
        rig.play(600)
    assert rig.day(1) == [24_400, 0, 19_900, 0]
    assert rig.day(3) == [24_900, 0, 20_400, 0]
    assert rig.day(0) == [24_600, 0, 20_100, 0]  # the phases' mean
    assert rig.at("0-0:128.8.10") == (21, 13, 20)  # local end of its ten minutes
    rig.play(civil.utc_s(2026, 11, 21, 23) - rig.clock.utc_s())  # midnight in Vienna
    assert rig.day(1) == [0, 24_400, 0, 19_900]
    assert rig.at("0-0:128.8.11") == (21, 13, 20)
    assert rig.read("0-0:128.8.10", attribute=5) == b"\xff" * 9 + b"\x80\x00\xff"
    rig.play(600)
    assert rig.day(1) == [23_000, 24_400, 23_000, 19_900]
    rig.play(86400)
    assert rig.day(1) == [23_000] * 4


@pytest.mark.row("MET-23")
def test_a_spike_shorter_than_the_period_is_no_peak():
    rig = Rig()
    number = rig.catalogue.find(bytes((0, 0, 128, 8, 50, 255)))[1]
    for wrong in (0, 9, 7, 11, 601, 3601, 65535):
        with pytest.raises(ValueError):
            number._put(wrong)
    assert rig.read("0-0:128.8.50", 1) == 600
    number._put(60)
    rig.play(60)
    rig.engine.set(400)  # one sixth of the period
    rig.play(10)
    rig.engine.set(230)
    rig.play(120)
    expected = ((230**2 * 5 + 400**2) / 6) ** 0.5
    assert rig.day(1)[0] == round(expected * 100) < 27_000
    number._put(10)
    rig.engine.set(400)
    rig.play(20)
    assert rig.day(1)[0] == 40_000
    rig.power_cut(1)
    assert rig.read("0-0:128.8.50", 1) == 10


@pytest.mark.row("MET-24")
def test_extremes_of_u_and_i_roll_over_at_billing():
    rig = Rig()
    for u, i in ((231, 1), (244, 20), (199, 3)):
        rig.engine.set(u, i)
        rig.play(600)
    now = [rig.read(f"1-0:{c}.{d}.0") for c in (32, 31, 72, 71) for d in (6, 3)]
    assert now == [24_400, 19_900, 20_000, 1000] * 2
    assert rig.read("1-0:71.6.0", attribute=3) == [(15, -3), (22, 33)]
    assert rig.read("1-0:72.6.0", attribute=3) == [(15, -2), (22, 35)]
    before = rig.at("1-0:32.6.0.255")
    assert rig.read("1-0:32.6.0.101") == 0
    rig.extremes.new_billing_period()
    assert rig.read("1-0:32.6.0.101") == 24_400
    assert rig.at("1-0:32.6.0.101") == before
    rig.extremes.new_billing_period()  # cut off and done again
    assert rig.read("1-0:51.3.0.101") == 1000
    assert rig.read("1-0:32.6.0") == rig.read("1-0:31.3.0") == 0
    assert rig.day(1) == [24_400, 0, 19_900, 0]  # a billing period is no day
    rig.play(600)
    assert rig.read("1-0:32.6.0") == 19_900
    rig.power_cut(100)
    assert rig.read("1-0:32.6.0") == 19_900
    assert rig.read("1-0:32.6.0.101") == 24_400


def test_an_outage_keeps_the_day_and_its_broken_period_is_not_compared():
    rig = Rig()
    rig.play(600)
    rig.engine.set(250)
    rig.play(300)
    rig.power_cut(60)
    rig.engine.set(100)
    rig.play(240)  # less than three quarters of ten minutes
    rig.engine.set(230)
    rig.play(610)
    assert rig.day(1) == [23_000, 0, 23_000, 0]
    rig.power_cut(12 * 3600)  # over midnight
    assert rig.day(1) == [0, 23_000, 0, 23_000]
    rig.power_cut(48 * 3600)  # yesterday was off
    assert rig.day(1) == [0, 0, 0, 0]
    assert rig.read("1-0:32.6.0") == 23_000


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25)])
def test_a_day_of_23_or_25_hours_is_one_day(month, day, hours):
    midnight = civil.utc_s(2026, month, day) - (3600 if hours == 23 else 7200)
    rig = Rig(midnight)
    rig.engine.set(240)
    rig.play(hours * 3600 - 600)
    assert rig.day(1) == [24_000, 0, 24_000, 0]
    rig.play(600)
    assert rig.day(1) == [0, 24_000, 0, 24_000]


def test_a_change_of_the_clock_over_midnight_leaves_no_wrong_yesterday():
    rig = Rig()
    rig.play(600)
    rig.clock.set_utc_s(NOON + 86400)
    assert rig.day(1) == [0, 23_000, 0, 23_000]
    rig.play(600)
    rig.clock.set_utc_s(NOON - 86400)  # a day that ended before either
    assert rig.day(1) == [0, 0, 0, 0]
    rig.play(600)
    rig.clock.set_utc_s(NOON - 80000)  # the same day
    rig.play(300)
    assert rig.day(1) == [23_000, 0, 23_000, 0]


def test_a_clock_without_time_ends_no_day():
    rig = Rig()
    rig.play(600)
    rig.chip.set_battery(False)
    rig.power_cut(3600)
    assert rig.clock.invalid
    assert rig.day(1) == [23_000, 0, 23_000, 0]
    rig.play(700)
    rig.clock.set_utc_s(NOON + 7200)
    assert rig.day(1) == [23_000, 0, 23_000, 0]
    rig.clock.set_utc_s(NOON + 86400)
    assert rig.day(1) == [0, 23_000, 0, 23_000]


@settings(max_examples=30)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=40), st.integers(0, 143))
def test_any_voltages_give_their_peak_and_minimum(voltages, first):
    rig = Rig(civil.utc_s(2026, 11, 21) + first * 600, phases=1, zone={"time_zone_min": 0})
    days = [[], []]
    for k, u in enumerate(voltages):
        rig.engine.set(u)
        rig.play(600)
        days[(first + k) // 144].append(u)
    now, before = (days[1], days[0]) if first + len(voltages) >= 144 else (days[0], [])
    for column in (0, 1):
        assert rig.day(column) == [
            100 * max(now, default=0), 100 * max(before, default=0),
            100 * min(now, default=0), 100 * min(before, default=0),
        ]  # fmt: skip
    assert rig.catalogue.find(bytes((0, 0, 128, 8, 20, 255))) is None
    assert rig.read("1-0:32.6.0") == 100 * max(voltages)


@pytest.mark.row("MET-27")
def test_a_case_that_becomes_too_hot_posts_an_event_once():
    rig = Rig()
    clock_values.add(rig.catalogue, rig.clock, rig.battery, Lock())

    def warm(celsius):
        rig.chip.temperature_cdeg = round(celsius * 100)
        rig.run(130)  # the chip measures every 64 s
        return list(rig.posted)

    limit = rig.catalogue.find(bytes((0, 0, 128, 9, 0, 255)))[1]
    assert rig.read("0-0:128.9.0", 1) == 85
    assert warm(85) == []
    assert rig.read("0-0:96.9.0", 3) == 8500
    assert rig.read("0-0:96.9.0", 3, 3) == [(15, -2), (22, 9)]
    assert warm(85.25) == warm(90) == warm(82.5) == warm(86) == [event_codes.OVERHEATED]
    warm(81.75)
    assert warm(86) == [event_codes.OVERHEATED] * 2
    for wrong in (19, 126, -1):
        with pytest.raises(ValueError):
            limit._put(wrong)
    limit._put(60)
    warm(20)
    assert len(warm(60.25)) == 3
    rig.power_cut(10)
    assert rig.read("0-0:128.9.0", 1) == 60
    rig.run(60)
    assert rig.posted == [event_codes.OVERHEATED]  # of the new start: it is as hot as before
    rig.chip.fault("dead")  # nobody knows how warm it is
    rig.run(120)
    assert len(rig.posted) == 1


def test_damage_and_silence_of_the_memory():
    rig = Rig()
    rig.play(600)
    rig.extremes.new_billing_period()
    for address in regions.open_record(rig.memory, "extremes")._addresses:
        rig.memory.octets[address + 30] ^= 1
    again = Extremes(rig.memory, rig.clock, rig.engine)
    assert again.damaged
    assert again.value(BILLING + 1) == 0
    rig.extremes._save()
    rig.memory.dead = True
    silent = Extremes(rig.memory, rig.clock, rig.engine)
    rig.memory.dead = False
    silent.new_billing_period()  # what could not be read is not overwritten
    assert Extremes(rig.memory, rig.clock, rig.engine).value(BILLING + 1) == 23_000


def test_every_object_is_in_the_list_once():
    rig = Rig()
    names = [name for name, *_ in rig.catalogue.entries()]
    assert len(names) == len(set(names)) == 16 + 24 + 3 + 2
    assert all(rig.catalogue.find(name) for name in names)
    assert rig.catalogue.visible(rig.catalogue.client(1)) == len(names)
