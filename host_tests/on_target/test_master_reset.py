"""Master reset: what goes, what stays, and that power may go at any octet of it."""
# ruff: noqa: I001 - what is imported later depends on it

import power_rig  # puts virtual time in place

import pins
import timeline
import wiring
from checks import check, report
from power_rig import Bench

from app.errors import AccessRefused
from app.logs.events import STANDARD
from app.parameters import LED_CONSTANT_ACTIVE, REGISTRATION_MODE
from app.storage import regions

DEVICE_ID = b"the owner's number"
PROFILE_ROWS = 3


def codes(meter):
    log = meter.events.logs[STANDARD]
    return [log.row()[3] for sequence in range(log.first, log.next) if log.load(sequence)]


async def live(bench):
    """Let the meter have something to lose."""
    await timeline.advance(5)
    meter = bench.meter
    power_rig.window(meter, 6000, 1000, 3000)
    meter.energy_record.save()
    meter.parameters.put(LED_CONSTANT_ACTIVE, 3200)
    meter.parameters.put(REGISTRATION_MODE, 0)
    meter.events.set_hold_off(10)
    meter.events.set_alarm_filter(0, 7)
    meter.identification.set_device_id(1, DEVICE_ID)
    bench.move("terminal", True)
    await timeline.advance(PROFILE_ROWS * 900)
    check("energy", meter.engine.energies.wh[0] > 900, meter.engine.energies.wh[0])
    check("profile", meter.load_profiles.profiles[0].next >= PROFILE_ROWS)
    check("opened", meter.tamper.counts[0] == 1)


def is_new(meter, at):
    check("energies", meter.engine.energies.wh == [0] * 12, at, meter.engine.energies.wh)
    profile = meter.load_profiles.profiles[0]
    check("profile", profile.next == profile.first, at, profile.first, profile.next)
    check("parameters", meter.parameters.get(LED_CONSTANT_ACTIVE) == 1000, at)
    check("direction", meter.parameters.get(REGISTRATION_MODE) == 1, at)
    check("settings", meter.events.hold_off_s == 900, at)
    check("alarms", meter.events.alarms.word(3, 0) == 0, at)
    check("covers", meter.tamper.counts == [0, 0, 0], at)
    check("identity", meter.identification.device_id(1) == DEVICE_ID, at)
    check("password", meter.settings.get("lls") == b"12345678", at)
    check("calibration", not meter.production.defects(), at)
    check("no problem", meter.problems == [], at, meter.problems)
    check("done", regions.open_record(meter.board.fram, "master_reset").load() is None, at)


# row: PRD-07
def test_registers_and_parameters_go_identity_and_logs_stay():
    bench = Bench()

    async def script():
        await live(bench)
        old = bench.meter
        wh = old.engine.energies.wh[0]
        changes = old.events.changes
        old.production.master_reset()
        await timeline.advance(4)
        check("still there", bench.meter is old)
        await timeline.advance(5)
        meter = bench.meter
        check("started anew", meter is not old)
        is_new(meter, "whole")
        log = codes(meter)
        check("told", log[-4:] == [1, 47, 254, 2], log)
        check("no watchdog", meter.outages.resets == 0)
        check("changes", meter.events.changes > changes)
        entry = meter.certification.last()
        check("certified", entry == (bytes((1, 0, 1, 8, 0, 255)), wh, 0), entry)
        await bench.outage(10)
        check("once", codes(bench.meter)[-2:] == [1, 2], codes(bench.meter))

    bench.run(script())


# row: PRD-07
def test_locked_it_is_refused():
    bench = Bench()

    async def script():
        await live(bench)
        wiring.drive(pins.LOCK, 0)
        old = bench.meter
        try:
            old.production.master_reset()
            check("refused", False)
        except AccessRefused:
            check("refused", True)
        await timeline.advance(20)
        check("nothing happens", bench.meter is old)
        check("parameters", old.parameters.get(LED_CONSTANT_ACTIVE) == 3200)
        check("energies", old.engine.energies.wh[0] > 900)

    bench.run(script())


def test_a_full_certification_log_refuses_it():
    bench = Bench()

    async def script():
        await live(bench)
        meter = bench.meter
        while not meter.certification.full():
            meter.certification.keep(bytes(6), 1, 2)
        try:
            meter.production.master_reset()
            check("refused", False)
        except AccessRefused:
            check("refused", True)
        await timeline.advance(20)
        check("nothing happens", bench.meter is meter)
        check("parameters", meter.parameters.get(LED_CONSTANT_ACTIVE) == 3200)

    bench.run(script())


def test_a_cut_at_any_octet_of_it_is_made_good():
    for octets in (1, 400, 5_000, 20_000, 60_000, 100_000):
        bench = Bench()

        async def script(bench=bench, octets=octets):
            await live(bench)
            bench.meter.production.master_reset()
            await timeline.advance(4.9)
            bench.supply.cut_after(bench.fram, octets)
            await timeline.advance(3)
            bench.supply.off(0)
            await timeline.advance(2)
            bench.supply.on()
            await timeline.advance(3)
            is_new(bench.meter, octets)

        bench.run(script())


for name in sorted(globals()):
    if name.startswith("test_"):
        globals()[name]()
report()
