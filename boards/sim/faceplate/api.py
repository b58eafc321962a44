"""The bench's calls: JSON in, JSON out. Tables at the end say which path is which function.

Each function takes the bench and the request's fields and returns what is answered. A ValueError
is answered 400 with its text; everything is checked before anything changes.
"""

import asyncio
import gc
import json

import fields
import pins
from micropython import const
from world import COVERS, INPUTS, SOURCES

from faceplate.day import calendar, day
from faceplate.events import events
from faceplate.quality import quality, snapshot
from faceplate.waveform import waveform

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from faceplate.bench import Bench

    Fields = dict[str, object]
    Answer = dict[str, object]

_OK: "Answer" = {"ok": True}
_MICRO = 1e-6
_LONGEST_MS = const(3_600_000)
_BOOT_TURNS = const(50)
# C of the twelve energies in their order, see metrology.energy
_ENERGY_C = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16)
OUTPUTS = const(5)  # for pulses, besides the OptoMOS
_RESIDUE_PER_UNIT = 3.6e9  # micro watt seconds in a watt hour
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def parse(body: "bytes | None") -> "Fields":
    """The fields of a request's body. Raises ValueError if it is not a JSON object."""
    try:
        value: object = json.loads((body or b"").decode())
    except ValueError:  # UnicodeError is one
        raise ValueError("the body is not JSON")  # noqa: B904 - no chaining on target
    return fields.as_object(value, "the body")


def utc_text(utc_s: int) -> str:
    """Seconds since 2000-01-01 as ISO 8601; good from 2000 to 2099."""
    days, second = divmod(utc_s, 86400)
    year = days // 1461 * 4
    days %= 1461
    if days >= 366:
        year += 1 + (days - 366) // 365
        days = (days - 366) % 365
    month = 1
    for index, length in enumerate(_MONTH_DAYS):
        month_days = length + (1 if index == 1 and year % 4 == 0 else 0)
        if days < month_days:
            break
        days -= month_days
        month += 1
    date = f"{2000 + year:04d}-{month:02d}-{days + 1:02d}"
    return date + f"T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def state(bench: "Bench") -> "Answer":
    """Everything that a bystander sees."""
    serial, _, face = bench.glass()
    lcd = dict(face)
    lcd["serial"] = serial
    lcd["backlight"] = bench.backlight()
    active, reactive = bench.led("active"), bench.led("reactive")
    processor = bench.processor
    logs = bench.logs()
    answer = bench.world.to_json()
    answer.update(
        {
            "time": utc_text(bench.utc_s()),
            "world_time": utc_text(bench.world_utc_s()),
            "uptime_s": processor.uptime_s(),
            "powered": processor.supply.powered,
            "supply": processor.supply.mains,
            "firmware": processor.error or processor.state,
            "events_posted": None if logs is None else logs.posted,
            "rate": bench.rate(),
            "detail": bench.leap.detail,
            "leaping": bench.leap.flying(),
            "lcd": lcd,
            "leds": {"active": active.pulses, "reactive": reactive.pulses},
            "pulse_output": bench.pulse_output_state(),
            "pulse_outputs": [bench.pulse_output_state(str(n)) for n in range(1, OUTPUTS + 1)],
            "rtc": {
                "time": utc_text(bench.rtc().utc_s()),
                "test_pulses": bench.rtc().square_wave_edges(),
            },
            "sounder": {"sounds": bench.sounder().sounds, "hz": bench.sounder().hz},
            "leds_lit": {"active": bool(active.lit), "reactive": bool(reactive.lit)},
            "keys": {name: key.down for name, key in bench.world.keys.items()},
            "meter": _nameplate(bench),
        }
    )
    return answer


def _nameplate(bench: "Bench") -> "Answer":
    plate: Answer = {"model": bench.world.model}
    if bench.running():
        meter = bench.meter()
        variant = meter.board.variant
        plate["phases"] = variant.phases
        plate["pulses_per_kwh"] = variant.pulses_per_kwh
        plate["nominal_voltage_v"] = variant.nominal_voltage_v
        plate["reference_current_a"] = variant.reference_current_ma / 1000
        plate["maximum_current_a"] = variant.maximum_current_ma / 1000
        plate["serial"] = meter.identification.serial_number().decode()
    return plate


def lcd(bench: "Bench") -> "Answer":
    """Return the glass: what it says and its pixels."""
    serial, rows, face = bench.glass()
    answer = dict(face)
    answer["rows"] = rows
    answer["glass"] = pins.glass
    answer["serial"] = serial
    answer["backlight"] = bench.backlight()
    return answer


def quantities(bench: "Bench") -> "Answer":
    """What metrology measures now, SI units with full precision."""
    engine = bench.meter().engine
    now = engine.quantities
    phases = range(now.elements)
    energies = engine.energies
    energy_wh: Answer = {}
    for index, c in enumerate(_ENERGY_C):
        energy_wh[f"{c}.8.0"] = energies.wh[index] + energies.residue[index] / _RESIDUE_PER_UNIT
    for element, uws in enumerate(energies.element_uws[:2]):
        energy_wh[f"1-{element + 1}:1.8.0"] = uws / _RESIDUE_PER_UNIT
    return {
        "u": [now.u_uv[k] * _MICRO for k in phases],
        "i": [now.i_ua[k] * _MICRO for k in phases],
        "in": now.in_ua * _MICRO,
        "p": [now.p_uw[k] * _MICRO for k in phases],
        "q": [now.q_uvar[k] * _MICRO for k in phases],
        "s": [now.s_uva[k] * _MICRO for k in phases],
        "pf": [now.pf_ppm[k] * _MICRO for k in phases],
        "f": now.f_uhz * _MICRO,
        "thd_u": [now.thd_u_ppm[k] * 1e-4 for k in phases],
        "thd_i": [now.thd_i_ppm[k] * 1e-4 for k in phases],
        "p_total": now.p_total_uw * _MICRO,
        "q_total": now.q_total_uvar * _MICRO,
        "s_total": now.s_total_uva * _MICRO,
        "energy_wh": energy_wh,
    }


def health(bench: "Bench") -> "Answer":
    """How the interpreter and the firmware are."""
    gc.collect()
    answer: Answer = {
        "heap_free": gc.mem_free(),
        "heap_used": gc.mem_alloc(),
        "longest_loop_ms": bench.longest_loop_us() / 1000,
        "boots": bench.processor.boots,
        "windows_repeated": bench.leap.windows,
        "chips": {name: chip.counts() for name, chip in bench.chips.items() if chip.counts()},
    }
    if bench.running():
        meter = bench.meter()
        frames = meter.board.frames
        answer["frames_taken"] = bench.frames_taken()
        answer["windows"] = meter.engine.windows
        answer["frames_lost"] = frames.lost
        answer["frames_wrong"] = frames.errors
        answer["task_restarts"] = meter.supervisor.restarts()
        answer["watchdog_feeds"] = meter.supervisor.feeds
        answer["tasks_silent"] = meter.supervisor.silent()
        answer["tasks_failed"] = {
            task.name: task.last_error for task in meter.supervisor.tasks if task.restarts
        }
        answer["watchdog_resets"] = meter.outages.resets
        answer["power_failures"] = meter.outages.failures
        answer["reclosings"] = meter.outages.reclosings
        answer["battery_used_s"] = meter.outages.battery_s
        answer["problems"] = list(meter.problems)
    return answer


def ports(bench: "Bench") -> "Answer":
    """State of each port."""
    open_now = bench.associations()
    answer: Answer = {}
    for name, port in bench.ports.items():
        answer[name] = told = dict(port.state())
        told["associations"] = open_now.get(name, 0)
    return answer


def mains(bench: "Bench", request: "Fields") -> "Answer":
    """`POST /api/mains`: answers the state that holds from now on."""
    bench.world.set_mains(request)
    return bench.world.mains_to_json()


def key(bench: "Bench", request: "Fields") -> "Answer":
    """Press and release a key, or hold it."""
    fields.check_keys(request, ("key", "ms", "down"), 1)
    name = fields.as_choice(request["key"], sorted(bench.world.keys), "key")
    if ("ms" in request) == ("down" in request):
        raise ValueError("give either ms or down")
    if "ms" in request:
        bench.world.keys[name].press(fields.as_whole(request["ms"], 1, _LONGEST_MS, "ms"))
    else:
        bench.world.keys[name].set_down(fields.as_bool(request["down"], "down"))
    return _OK


def cover(bench: "Bench", request: "Fields") -> "Answer":
    """Open or close a cover."""
    fields.check_keys(request, ("cover", "open"), 2)
    name = fields.as_choice(request["cover"], list(COVERS), "cover")
    bench.world.set_cover(name, fields.as_bool(request["open"], "open"))
    return _OK


def magnet(bench: "Bench", request: "Fields") -> "Answer":
    """Hold a magnet to the meter, or take it away."""
    fields.check_keys(request, ("on",), 1)
    bench.world.set_magnet(fields.as_bool(request["on"], "on"))
    return _OK


def discharge(bench: "Bench", request: "Fields") -> "Answer":
    """Let high voltage hit the case."""
    fields.check_keys(request, (), 0)
    bench.world.discharge()
    return _OK


def drive_input(bench: "Bench", request: "Fields") -> "Answer":
    """Drive one of the inputs."""
    fields.check_keys(request, ("input", "on"), 2)
    number = fields.as_whole(request["input"], 1, INPUTS, "input")
    bench.world.set_input(number, fields.as_bool(request["on"], "on"))
    return _OK


def lock(bench: "Bench", request: "Fields") -> "Answer":
    """Turn the parameter switch."""
    fields.check_keys(request, ("locked",), 1)
    bench.world.set_lock(fields.as_bool(request["locked"], "locked"))
    return _OK


def battery(bench: "Bench", request: "Fields") -> "Answer":
    """Change the battery's voltage, take it out or put it in."""
    fields.check_keys(request, ("v", "present"))
    if not request:
        raise ValueError("give v or present")
    v = fields.as_number(request["v"], 0, 5, "v") if "v" in request else None
    present = fields.as_bool(request.get("present", True), "present")
    bench.world.set_battery(present, v)
    return _OK


def temperature(bench: "Bench", request: "Fields") -> "Answer":
    """Warm or cool the case."""
    fields.check_keys(request, ("celsius",), 1)
    bench.world.set_temperature(fields.as_number(request["celsius"], -60, 125, "celsius"))
    return _OK


async def supply(bench: "Bench", request: "Fields") -> "Answer":
    """Cut the mains or return it; then answer when the firmware has booted."""
    fields.check_keys(request, ("on", "holdup_ms", "for_ms", "source"), 1)
    on = fields.as_bool(request["on"], "on")
    times: dict[str, int | None] = {"holdup_ms": None, "for_ms": None}
    for name in times:
        if name in request:
            if on:
                raise ValueError(name + " belongs to a cut")
            least = 1 if name == "for_ms" else 0
            times[name] = fields.as_whole(request[name], least, _LONGEST_MS, name)
    source = None
    if "source" in request:
        source = fields.as_choice(request["source"], list(SOURCES), "source")
    bench.world.set_supply(on, times["holdup_ms"], source, times["for_ms"])
    for _ in range(_BOOT_TURNS if on else 0):
        if bench.running():
            break
        await asyncio.sleep(0)
    return _OK


async def advance(bench: "Bench", request: "Fields") -> "Answer":
    """Let simulated time pass; answers when it has."""
    fields.check_keys(request, ("seconds", "until"))
    if ("seconds" in request) == ("until" in request):
        raise ValueError("give either seconds or until")
    seconds = request.get("seconds")
    if "until" in request:
        seconds = bench.seconds_until(request["until"])
    await bench.advance(fields.as_number(seconds, 0, 100 * 366 * 86400, "seconds"))
    return {"time": utc_text(bench.utc_s()), "world_time": utc_text(bench.world_utc_s())}


def rate(bench: "Bench", request: "Fields") -> "Answer":
    """Set how fast simulated time passes."""
    fields.check_keys(request, ("rate",), 1)
    bench.set_rate(fields.as_number(request["rate"], 0, 1_000_000, "rate"))
    return {"rate": bench.rate()}


def chip(bench: "Bench", request: "Fields") -> "Answer":
    """Give a chip a fault; what it takes besides is the model's matter."""
    name = fields.as_choice(request.get("chip"), sorted(bench.chips), "chip")
    fault = request.get("fault")
    if not isinstance(fault, str):
        raise ValueError("fault must be a name")
    rest = {word: value for word, value in request.items() if word not in ("chip", "fault")}
    bench.chips[name].fault(fault, **rest)
    return _OK


GET: "dict[str, Callable[[Bench], Answer | Awaitable[Answer]]]" = {
    "/api/state": state,
    "/api/lcd": lcd,
    "/api/quantities": quantities,
    "/api/waveform": waveform,
    "/api/events": events,
    "/api/quality": quality,
    "/api/day": day,
    "/api/calendar": calendar,
    "/api/health": health,
    "/api/ports": ports,
}
POST: "dict[str, Callable[[Bench, Fields], Answer | Awaitable[Answer]]]" = {
    "/api/mains": mains,
    "/api/key": key,
    "/api/cover": cover,
    "/api/magnet": magnet,
    "/api/discharge": discharge,
    "/api/input": drive_input,
    "/api/lock": lock,
    "/api/battery": battery,
    "/api/temperature": temperature,
    "/api/supply": supply,
    "/api/advance": advance,
    "/api/rate": rate,
    "/api/snapshot": snapshot,
    "/api/chip": chip,
}
