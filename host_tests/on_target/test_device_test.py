"""The device test beside a meter that runs, on chips that fail one after the other."""
# heap: 8M
# ruff: noqa: I001 - what is imported later depends on it

import power_rig

import asyncio

import timeline
from checks import check, report
from power_rig import Bench

from app.device_test import ABSENT, FAILED, GOOD, LOOK, STATES, DeviceTest

FAULTS = (
    ("fram", "fram", "dead", "FM25V20: identity"),
    ("fram", "fram", "stuck", "does not keep what is written"),
    ("flash", "flash", "dead", "W25Q"),
    ("clock", "rtc", "dead", ""),
    ("clock", "rtc", "garbage", ""),
)
SOUND = {"heap": GOOD, "cpu": GOOD, "fram": GOOD, "flash": GOOD, "clock": GOOD, "cell": GOOD,
         "input": LOOK, "mains": GOOD, "relay": LOOK}  # fmt: skip


async def tested(meter):
    found, texts = {}, {}

    def tell(part, state, text):
        found[part] = state
        texts[part] = text

    test = DeviceTest(meter.board, tell)
    await test.run(meter.engine)
    check("it says when it is over", test.done)
    check("the glass has the same lines", dict(test.lines) == found, test.lines)
    return found, texts


async def script():
    await asyncio.sleep_ms(3000)
    meter = bench.meter
    found, texts = await tested(meter)
    adc = found.pop("adc")
    check("no frames, nothing measured", adc == FAILED, texts["adc"])
    check("a sound meter", found == SOUND, found, texts)
    check("states have words", [STATES[k] for k in (GOOD, FAILED, ABSENT, LOOK)] == list(STATES))
    cells = bytes(bench.cells.read(0x3FFF0, 16))
    for part, chip, fault, text in FAULTS:
        model = getattr(bench, chip)
        model.fault(fault)
        found, texts = await tested(meter)
        check(fault + " " + chip, found[part] == FAILED and text in texts[part], found, texts)
        others = {name: state for name, state in found.items() if name not in (part, "adc")}
        want = {name: state for name, state in SOUND.items() if name != part}
        check("the others are sound beside a " + fault + " " + chip, others == want, others)
        model.fault("clear")
        bench.rtc.set_utc_s(power_rig.START_UTC_S)
    found, texts = await tested(meter)
    found.pop("adc")
    check("sound again", found == SOUND, found, texts)
    check("nothing stored has changed", cells == bytes(bench.cells.read(0x3FFF0, 16)))
    bench.rtc.fault("oscillator_stop")
    found, texts = await tested(meter)
    check("a clock that stood still", found["clock"] == LOOK and "set it" in texts["clock"], texts)


bench = Bench()
timeline.set_rate(1000)
bench.run(script())
report()
