"""Works of the power-cut torture for load profiles: rows, periods, resets, forms of buffers."""

from torture_values import Value, Work

_NEWEST = 6  # rows that are remembered
_PERIODS_S = (300, 600, 900, 1800, 3600)


class LoadProfile(Work):
    """Rows as they were captured, or none at all under a setup that came later."""

    def __init__(self, random, number):
        super().__init__(random)
        self.number = number
        self.setups = None  # that may be found, None: whatever a new meter has
        self.ending = False  # True: a reset or a change was under way
        self.next = 0
        self.rows = {}  # the newest, by sequence

    def act(self, meter):
        profile = self._look(meter)
        what = self.random.randrange(8)
        if what == 0:
            self.ending = True
            profile.reset()
        elif what == 1:
            period_s = self.random.choice(_PERIODS_S)
            self.ending = True
            old = (profile.period_s, profile.columns())
            self.setups = (old, (period_s, old[1]))
            profile.set_period(period_s)
        else:
            for _ in range(self.random.choice((1, 3, 40))):
                profile.capture_at(meter.clock.utc_s(), self.random.getrandbits(8))
        self._look(meter)

    def _look(self, meter):
        profile = meter.load_profiles.profiles[self.number - 1]
        self.ending = False
        self.setups = ((profile.period_s, profile.columns()),)
        self.next = profile.next
        first = max(profile.first, profile.next - _NEWEST)
        self.rows = {n: self._row(profile, n) for n in range(first, profile.next)}
        return profile

    def _row(self, profile, sequence):
        return bytes(profile._row) if profile.load(sequence) else None

    def check(self, meter):
        profile = meter.load_profiles.profiles[self.number - 1]
        setup = (profile.period_s, profile.columns())
        if self.setups is not None and setup not in self.setups:
            self.wrong("setup", setup, "allowed", self.setups)
        gone = profile.first == profile.next
        if profile.next < self.next:
            self.wrong("next row is", profile.next, "was", self.next)
        if not (gone and self.ending):
            for sequence, row in self.rows.items():
                if sequence < profile.first and self.next - sequence < profile.capacity:
                    self.wrong("row", sequence, "of", profile.next, "is gone")
                elif sequence >= profile.first and self._row(profile, sequence) != row:
                    self.wrong("row", sequence, "of", profile.next, "has changed")
        if self.setups is not None and setup != self.setups[0] and not gone:
            self.wrong("rows of the setup before:", profile.next - profile.first)
        for sequence in range(max(profile.first, profile.next - _NEWEST), profile.next):
            if self._row(profile, sequence) is None:
                self.wrong("row", sequence, "of", profile.next, "is damaged")
        self._look(meter)


class Form(Value):
    """How buffers are sent."""

    def read(self, meter):
        return meter.load_profiles.form

    def change(self, meter):
        form = self.random.randrange(3)
        return lambda: meter.load_profiles.set_form(form), form


def make(random):
    """Every work of the load profiles."""
    return [LoadProfile(random, 3), LoadProfile(random, 4), Form(random)]
