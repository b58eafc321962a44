"""A billing at midnight on the real meter, the power cut at random bytes of it, night after night.

Each midnight ends a billing period, makes a daily entry and, once, resets what hangs on it. The
power goes after a random number of bytes on their way to FRAM or flash, and comes back; then every
night has its entry, once, and the counter knows of it. Prints its seed; SEED COUNT choose others.
"""
# heap: 8M
# ruff: noqa: I001 - what is imported later depends on it

import power_rig  # puts virtual time in place

import gc
import random
import sys

import civil
import timeline

SEED = 20260228
COUNT = 30
_EVERY_DAY = (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff\xff")
_RESET = 231
_REGULAR = 223
_DAYS_KEPT = 31


class Nights:
    """One meter and its nights."""

    def __init__(self, seed, count):
        random.seed(seed)
        self.count = count
        self.wrong = []
        self.cuts = 0
        self.resets = []  # counter at each call of what hangs on a billing
        self.first_s = 0
        self.bench = power_rig.Bench()
        self.bench.before = self._attach

    def _attach(self, meter):
        billing = meter.tariff.billing
        billing.on_billing.append(lambda: self.resets.append(billing.count))

    async def run(self):
        bench, supply = self.bench, self.bench.supply
        await timeline.advance(1)
        meter = bench.meter
        meter.tariff.schedules[0].set_moments([_EVERY_DAY])
        self.first_s = midnight_after(meter)
        for number in range(self.count):
            meter = bench.meter
            meter.clock.set_utc_s(self.first_s + number * civil.DAY_S - 2)
            chip = random.choice((bench.fram, bench.fram, bench.flash))
            supply.cut_after(chip, random.randrange(1200 if chip is bench.fram else 300))
            await timeline.advance(4)
            if supply.powered:
                supply.off(0)
            else:
                self.cuts += 1
            await timeline.advance(random.choice((1, 200)))
            supply.on()
            await timeline.advance(2)
            self.check(number + 1)
            gc.collect()

    def check(self, nights):
        meter = self.bench.meter
        billing = meter.tariff.billing
        log = meter.events.logs[0]
        codes = []
        for sequence in range(log.first, log.next):
            if log.load(sequence):
                codes.append(log.row()[-1])
        found = (
            billing.count,
            times(billing.profiles[0]),
            times(billing.profiles[2]),
            codes.count(_RESET),
            codes.count(_REGULAR),
            sorted(set(self.resets)),
        )
        expected_s = [self.first_s + number * civil.DAY_S for number in range(nights)]
        kept_s = expected_s[-_DAYS_KEPT:]
        expected = (nights, expected_s, kept_s, nights, nights, list(range(nights)))
        if found != expected:
            self.wrong.append("night {}: {}, not {}".format(nights, found, expected))


def midnight_after(meter):
    zone = meter.clock.zone
    return zone.next_boundary(meter.clock.utc_s(), civil.DAY_S)


def times(profile):
    """UTC of the entries of a profile."""
    found = []
    for sequence in range(profile.first, profile.next):
        profile.load(sequence)
        found.append(int.from_bytes(bytes(profile._row[:4]), "little"))
    return found


def main():
    given = [int(word) for word in sys.argv[1:3]]
    seed, count = given if len(given) == 2 else (SEED, COUNT)
    print("seed", seed)
    nights = Nights(seed, count)
    nights.bench.run(nights.run())
    print(nights.cuts, "cuts in", count, "nights")
    for text in nights.wrong[:3]:
        print("FAILED seed", seed, text)
    if nights.cuts < count // 2:
        print("FAILED: most nights had no cut")
        nights.wrong.append("")
    failed = 1 if nights.wrong else 0
    print("{} passed, {} failed".format(1 - failed, failed))
    sys.exit(failed)


if __name__ == "__main__":
    main()
