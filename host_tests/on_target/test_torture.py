"""Power cuts at any byte, a few hundred of them: nothing is lost, torn, mixed or counted twice.

A workload writes everything that the meter stores (torture_works.py). Power vanishes before, in
the middle of or after any byte on its way to FRAM or flash, at any microsecond of an erase or a
program, with and without a warning, and while the meter starts. `make torture` runs this file too,
with other seeds and numbers: SEED COUNT.

After a warning that the hold-up time was long enough for nothing at all is lost.
"""
# row: NOP-05
# heap: 16M
# ruff: noqa: I001 - what is imported later depends on it

import power_rig  # puts virtual time in place

import asyncio
import gc
import random
import sys

import host
import timeline
import torture_works

from app.storage import regions

SEED = 20260131
COUNT = 250
# Regions that the works of torture_works.py write; what else the map has is named at the end.
_WORKED = (
    "energies", "calibration", "clock", "general_list", "alternate_list", "invocation_counter",
    "identification", "lls", "lls_1", "lls_2", "lls_3", "keys", "security", "send_counter",
    "lockout", "optical_port", "optical_texts", "hdlc_optical", "hdlc_rs485", "tcp",
    "readout_list", "parameters", "power", "clock_limits", "dst_table", "battery", "errors",
    "events", "key_pairs", "certificate_0", "certificate_1", "certificate_2", "certificate_3",
    "certificate_4", "certificate_5", "transaction", "rates", "energy_masks", "special_days",
    "tariff_scripts", "calendar_start", "schedules_done", "schedules_due", "billing_1_schedule",
    "billing_2_schedule", "calendar_active", "calendar_passive", "device_number", "pulse_outputs",
    "extremes", "tariff_control", "blocks", "billing", "overheating", "tamper",
    "maxima", "billing_options", "alarm_actions",
    "profile_3_setup", "profile_4_setup", "profile_form",
)  # fmt: skip

# How a life ends, and how often out of ten.
_ENDS = ("fram", "fram", "fram", "fram", "flash", "time", "time", "warned", "warned", "boot")


class Torture:
    """Lives of one meter, each ended by a cut."""

    def __init__(self, seed):
        random.seed(seed)
        self.works = torture_works.make(random)
        self.violations = []
        self.without_work = []  # regions that no work has written
        self.ends = dict.fromkeys(_ENDS, 0)
        self.acts = 0
        self.holdup_octets = 0  # most that a hold-up has written
        self.holdup_bus_us = 0  # and the longest time on the bus
        self.holdup_host_us = 0  # and in the host's processor
        self.warnings = 0  # hold-ups that went to their end
        self.bench = power_rig.Bench(self.work)
        self.bench.before = self.check
        self._fall = (0, 0, 0)
        self._warned = False  # all that was in RAM has been kept

    def check(self, meter):
        """Judge what a boot has found; then let it go on."""
        self.works[0].nothing_lost = self._warned
        self._warned = False
        for work in self.works:
            work.check(meter)
            self.violations += work.violations
            work.violations = []
        if meter.problems:
            self.violations.append("problems: " + "; ".join(meter.problems))
        saver = meter.power_fail.add_saver
        meter.power_fail._savers.insert(0, self._fell)
        saver(self._saved, 1)

    def _fell(self):
        self._fall = (self.bench.cells.octets, timeline.now_us, host.ticks_us())

    def _saved(self):
        octets, us, host_us = self._fall
        self.warnings += 1
        self._warned = True
        self.holdup_octets = max(self.holdup_octets, self.bench.cells.octets - octets)
        self.holdup_bus_us = max(self.holdup_bus_us, timeline.now_us - us)
        self.holdup_host_us = max(self.holdup_host_us, host.ticks_us() - host_us)

    async def work(self, meter):
        """Do random works until the power goes."""
        try:
            while not self._warned:  # with the mains the load has gone
                random.choice(self.works).act(meter)
                self.acts += 1
                await asyncio.sleep_ms(random.choice((0, 0, 1, 5, 60, 300)))
        except Exception as error:
            self.violations.append("exception: " + repr(error))
            sys.print_exception(error)

    async def life(self):
        """Let the meter work until it is cut; then let it be off for a while, and return mains."""
        supply = self.bench.supply
        end = random.choice(_ENDS)
        self.ends[end] += 1
        if end == "fram":
            supply.cut_after(self.bench.fram, random.randrange(random.choice((20, 300, 5000))))
        elif end == "flash":
            supply.cut_after(self.bench.flash, random.randrange(random.choice((20, 300, 3000))))
        elif end == "time":
            timeline.after(random.randrange(3_000_000), lambda: supply.off(0))
        elif end == "warned":
            holdup_ms = random.choice((50, 5, 1, random.randrange(400) / 1000))
            timeline.after(random.randrange(3_000_000), lambda: supply.off(holdup_ms))
        else:
            supply.off(0)
            await timeline.advance(1)
            supply.cut_after(self.bench.fram, random.randrange(200))
            supply.on()
        await timeline.advance(0)
        for _ in range(100):
            if not supply.powered:
                break
            await timeline.advance(0.1)
        else:
            supply.off(0)  # fewer bytes were written than that
        await timeline.advance(random.choice((0, 1, 300)))
        supply.on()
        await timeline.advance(0)
        gc.collect()

    async def lives(self, count, progress):
        """Live `count` lives, or until something is wrong; return how many."""
        for number in range(count):
            await self.life()
            if self.violations:
                return number + 1
            if progress and number % 100 == 99:
                print("cut", number + 1)
        self.meter = self.bench.meter
        for name, _, _ in regions.REGIONS:
            record = regions.open_record(self.meter.board.fram, name)
            if record.load() is not None:
                continue
            if name in _WORKED and count >= COUNT:
                self.violations.append("no work has written the region " + name)
            self.without_work.append(name)
        return count

    def run(self, count, progress=False):
        """Cut the power `count` times; return how often it was before anything was wrong."""
        done = []

        async def script():
            done.append(await self.lives(count, progress))

        self.bench.run(script())
        return done[0] if done else 0


def main():
    given = [int(word) for word in sys.argv[1:3]]
    seed, count = given if len(given) == 2 else (SEED, COUNT)
    print("seed", seed)
    torture = Torture(seed)
    done = torture.run(count)
    worst_mwh = torture.works[0].worst_mwh
    print(
        "cuts {} acts {} worst loss {:.0f} mWh; hold-up {} octets, {} us of bus, {} us of host, "
        "{} bounded; ends {}".format(
            done, torture.acts, worst_mwh, torture.holdup_octets, torture.holdup_bus_us,
            torture.holdup_host_us, torture.bench.meter.power_fail.octets, torture.ends,
        )
    )  # fmt: skip
    print("regions without work:", ", ".join(torture.without_work))
    for text in torture.violations:
        print("FAILED seed", seed, "cut", done, text)
    failed = 1 if torture.violations or done < count else 0
    print("{} passed, {} failed".format(done - failed, failed))
    sys.exit(failed)


if __name__ == "__main__":
    main()
