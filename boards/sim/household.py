"""A household behind the meter: what it draws and what its roof gives, minute by minute.

A `Household` is a function of simulated UTC and a seed and of nothing else: no state, no order of
calls, whole watts and vars. So any program that imports this file, or repeats what it says, knows
every power that the meter ought to have measured. The house lives by UTC at 48 degrees north, 11
degrees east: people sleep, work and cook, on workdays other than at the weekend; a refrigerator
and a freezer cycle; a heat pump follows the season; a car is charged in some nights; a roof of
8 kWp follows sun and clouds. Electronics are capacitive, motors inductive, and the inverter takes
inductive power at high feed-in, so that all four quadrants occur.

`at(utc_s)` gives (voltage, active, reactive power) of each phase for the minute that holds it.
"""

import math

from micropython import const

STEP_S = const(60)  # nothing changes within one
SOURCE_DV = const(2310)  # a phase without load, 0.1 V
DROP_W = const(1250)  # load that lowers it by 1 V

_DAY_S = const(86400)
_MASK = const(0xFFFFFFFF)
_LATITUDE = math.radians(48)
_NOON_MIN = const(676)  # of the sun at 11 degrees east
_TILT = math.radians(23.44)
_SOLSTICE_DAY = const(355)  # 21 December
_YEAR_DAYS = 365.2425
_PEAK_W = const(8000)
_SUN_STEP_MIN = const(5)

# What is drawn by lot, each from numbers of its own
_LIGHT = const(1)
_COOK = const(2)
_WASH = const(3)
_CAR = const(4)
_WEATHER = const(5)
_CLOUD = const(6)
_SHIFT = const(7)
_HEAT = const(8)

# minutes of a washing programme, W, var
_WASHING = ((16, 2000, 40), (62, 180, 130), (14, 60, 40), (10, 480, 310))
_WASHING_MIN = const(102)


class Household:
    """One house; `phases` is 1 or 3, `divisor` what transformers before the meter divide by."""

    def __init__(self, seed: int, phases: int, divisor: int = 1) -> None:
        self.seed = seed
        self._phases = phases
        self._divisor = divisor
        self._watt = [0] * 3
        self._var = [0] * 3

    def at(self, utc_s: int) -> "list[tuple[float, int, int]]":
        """Return (V, W, var) of each phase at a time in seconds since 2000; export below 0."""
        minute = utc_s // STEP_S
        day, minute_of_day = divmod(minute, 1440)
        for phase in range(3):
            self._watt[phase] = self._var[phase] = 0
        self._always(minute)
        self._people(day, minute_of_day)
        self._wash(day, minute_of_day)
        self._heat(day, minute)
        self._charge(day, minute_of_day)
        self._sun(day, minute_of_day)
        watt, var = self._watt, self._var
        if self._phases == 1:
            watt, var = [sum(watt)], [sum(var)]
        result: list[tuple[float, int, int]] = []
        for p, q in zip(watt, var):
            drop_dv = (p * 10 + DROP_W // 2) // DROP_W
            result.append(((SOURCE_DV - drop_dv) / 10, p // self._divisor, q // self._divisor))
        return result

    def _lot(self, thing: int, number: int, sides: int) -> int:
        """Return a lot from 0 to sides - 1 that seed, thing and number decide."""
        x = (self.seed * 0x9E3779B1 + thing * 0x85EBCA6B + number * 0xC2B2AE35) & _MASK
        x = (x ^ x >> 16) * 0x7FEB352D & _MASK
        x = (x ^ x >> 15) * 0x846CA68B & _MASK
        return (x ^ x >> 16) % sides

    def _add(self, phase: int, p: int, q: int) -> None:
        self._watt[phase] += p
        self._var[phase] += q

    def _three(self, p: int, q: int) -> None:
        for phase in range(3):
            self._add(phase, p, q)

    def _always(self, minute: int) -> None:
        """What hums day and night: electronics, refrigerator, freezer."""
        self._add(0, 70, -65)
        self._add(1, 25, -30)
        self._add(2, 35, -45)
        if (minute + self._lot(_SHIFT, 1, 48)) % 48 < 17:
            self._add(1, 110, 85)
        if (minute + self._lot(_SHIFT, 2, 71)) % 71 < 22:
            self._add(2, 95, 70)

    def _people(self, day: int, minute: int) -> None:
        """Lamps, television, kettle, hob and oven; nobody is at home on a workday."""
        weekend = (day + 5) % 7 >= 5  # 2000-01-01 was a Saturday
        up = (480 if weekend else 380) + self._lot(_LIGHT, 2 * day, 40)
        bed = 1340 + self._lot(_LIGHT, 2 * day + 1, 60)
        home = weekend or minute < 460 or minute >= 1020
        if up <= minute < bed and home:
            if self._sine_of_height(day, minute) < 0.05:
                quarter = self._lot(_LIGHT, day * 96 + minute // 15 + 1000, 4)
                self._add(0, 40 + 30 * quarter, -12)
            if minute >= 1140:
                self._add(0, 115, -35)
        breakfast = up + 12
        if breakfast <= minute < breakfast + 4:
            self._add(1, 2000, 0)
        if weekend:
            self._cook(day, minute, 725, 1)
        self._cook(day, minute, 1075, 0)

    def _cook(self, day: int, minute: int, earliest: int, meal: int) -> None:
        lot = self._lot(_COOK, 2 * day + meal, 600)
        since = minute - earliest - lot % 50
        if not 0 <= since < 50:
            return
        if since < 35 and (since < 6 or since % 5 < 2):
            self._add(0, 1800, -10)
        if lot >= 300 and (since < 11 or since % 6 < 2):
            self._add(2, 2300, 15)

    def _wash(self, day: int, minute: int) -> None:
        lot = self._lot(_WASH, day, 1000)
        if lot >= (600 if (day + 5) % 7 >= 5 else 350):
            return
        since = minute - 560 - lot % 300
        if not 0 <= since < _WASHING_MIN:
            return
        for minutes, p, q in _WASHING:
            if since < minutes:
                if p != 180 or since % 4 < 3:  # the drum rests now and then
                    self._add(1, p, q)
                return
            since -= minutes

    def _heat(self, day: int, minute: int) -> None:
        """A heat pump on three phases that runs longer the colder the day is."""
        season = 2 * math.pi * ((day % _YEAR_DAYS) - 17) / _YEAR_DAYS
        outside_c = 9.5 - 9.5 * math.cos(season) + self._lot(_HEAT, day, 9) - 4
        share = max(6, min(45, int((16.0 - outside_c) * 1.7)))  # hot water all the year round
        if (minute + self._lot(_SHIFT, 3, 50)) % 50 < share:
            self._three(630, 340)

    def _charge(self, day: int, minute: int) -> None:
        """A car that comes home in some evenings and may charge past midnight."""
        for evening, now in ((day, minute), (day - 1, minute + 1440)):
            lot = self._lot(_CAR, evening, 1000)
            if lot < 420:
                start = 1090 + lot % 170
                if start <= now < start + 60 + lot % 191:
                    self._three(3600, -120)

    def _sine_of_height(self, day: int, minute: int) -> float:
        """Return the sine of the sun's height."""
        year = 2 * math.pi * ((day % _YEAR_DAYS) - _SOLSTICE_DAY) / _YEAR_DAYS
        declination = -_TILT * math.cos(year)
        hour = 2 * math.pi * (minute - _NOON_MIN) / 1440
        return math.sin(_LATITUDE) * math.sin(declination) + math.cos(_LATITUDE) * math.cos(
            declination
        ) * math.cos(hour)

    def _sun(self, day: int, minute: int) -> None:
        """The roof: a clear sky, less what the day's clouds take, every five minutes anew."""
        step = minute // _SUN_STEP_MIN
        height = self._sine_of_height(day, step * _SUN_STEP_MIN)
        if height <= 0.02:
            return
        overcast = self._lot(_WEATHER, day, 100)  # percent of the sky
        seen = 100 - overcast * self._lot(_CLOUD, day * 288 + step, 86) // 100
        if overcast > 85:  # no blue at all
            seen = 12 + seen // 5
        p = int(_PEAK_W * height * (0.82 + 0.18 * height)) * seen // 300  # of one phase
        q = p * 3 // 10 if p > _PEAK_W // 6 else 0  # cos phi 0.96 above half load
        self._three(-p, q)
