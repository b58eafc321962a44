"""The world around the simulated meter: mains and loads, covers, fingers, magnet, battery, warmth.

`bench` calls (`faceplate/`, tests) move it; the chips' models feel it. Samples for the metering
converter come from the mains model or, with `--replay`, from a frame file. What a switch does to
a pin goes through `connect`: the assembly says where each line leads, nothing here knows a pin.

Levels of the lines: covers 0 closed, 1 open (a cut wire alarms); magnet and inputs 0 active, 1
idle; parameter switch 0 locked, 1 open; battery in volts; temperature in degrees Celsius.
"""

import disturbance
import sensors
import timeline
from fields import as_number, as_whole
from mains import Mains
from scenario import Scenario
from sensor_errors import SensorErrors
from synth import Synth

TYPE_CHECKING = False

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from devices.key import Key
    from devices.latching_relay import LatchingRelay
    from mains import Component
    from power import Supply
    from replay import Replay

COVERS = ("terminal", "meter")
INPUTS = 3
_NOMINAL_RATE_MHZ = 4_000_000
_BATTERY_V = 3.6
# The meter's supply works from this voltage of any phase on (row NOP-15), with a margin below.
_SUPPLY_FROM_V = 50.0
SOURCES = ("bench", "phases")
_ROOM_C = 23.0


class World:
    """Everything outside the meter's case, and its openings.

    Raises replay.FrameFileError or OSError if `replay_path` cannot be replayed.
    """

    def __init__(self, model: str, seed: int = 1, replay_path: "str | None" = None) -> None:
        self.model = model
        self.channels = sensors.channels(model)
        self.mains = Mains(sensors.phases(model), model == "twin")
        self.scale = sensors.scale(model)  # what the sensors do
        self.meter_scale = self.scale  # what the meter believes they do
        self.rate_mhz = _NOMINAL_RATE_MHZ  # frames in 1000 s that the converter's crystal gives
        self.replay: Replay | None = None
        if replay_path is not None:
            from replay import Replay as Recording  # few runs need its heap

            self.replay = Recording(replay_path, self.channels, self.scale)
            self.scale = self.replay.scale
            self.rate_mhz = self.replay.rate_mhz
            if not self.replay.header.uncalibrated:
                self.meter_scale = self.scale
        self.sensor_errors = SensorErrors(self.channels)
        self.sensor_errors.on_change = self._change
        self.synth = Synth(self.channels, sensors.scale(model), self.rate_mhz, seed)
        self.supply: Supply | None = None
        self._source = "bench"  # what feeds the supply
        self._cut = False  # the bench has cut the mains
        self.disconnector: LatchingRelay | None = None
        self.relays: list[LatchingRelay] = []
        self.keys: dict[str, Key] = {}
        self.before_change: list[Callable[[], None]] = []  # told before the mains changes
        self.before_step: list[Callable[[], None]] = []  # told before loads alone step
        self.epoch_us = 0  # UTC of virtual time zero, microseconds since 2000
        self.scenario = Scenario(self, seed)
        self._disturbance = disturbance.Disturbance(self._hold)
        self._supply_event: object = None  # at which a cut supply returns
        self._open: dict[str, bool] = dict.fromkeys(COVERS, False)
        self._magnet = self._spark = False
        self._inputs = [False] * INPUTS
        self._locked = True
        self._battery_present = True
        self._battery_v = _BATTERY_V
        self._temperature_c = _ROOM_C
        self._lines: dict[str, list[Callable[[float], None]]] = {}
        self._skipped = 0  # frames that the converter counted and the waves did not
        self._load_waves()

    # Assembly.

    def connect(self, line: str, callback: "Callable[[float], None]") -> None:
        """Let `callback` follow a line, from its present level on. Raises ValueError.

        Lines: terminal_cover, meter_cover, magnet, discharge, input1.., lock, battery,
        temperature.
        """
        level = self._level(line)
        self._lines.setdefault(line, []).append(callback)
        callback(level)

    def attach_supply(self, supply: "Supply") -> None:
        """Let the mains carry the meter's supply."""
        self.supply = supply
        supply.add(self)  # a supply that collapses by itself takes the waves with it

    def attach_disconnector(self, relay: "LatchingRelay") -> None:
        """Let the load flow through a relay's contact."""
        self.disconnector = relay
        relay.on_change = self._load_switched
        self._load_waves()

    def power(self, on: bool) -> None:
        """Follow the supply as its chips do; nobody is left to be told."""
        self._load_waves()

    # The converter's inputs.

    def samples(self, out: "array[int]", first: int, count: int) -> None:
        """Fill `out` with `count` frames from conversion `first` on."""
        if self.replay is not None:
            self.replay.samples(out, first, count)
        else:
            self.synth.samples(out, first - self._skipped, count)

    def begin(self, first: int) -> None:
        """Take note that conversion `first` is the first that a capture takes."""
        if self.replay is not None:
            self.replay.begin(first)

    def skip(self, count: int) -> None:
        """Let the waves stand still while the converter counts `count` frames nobody takes."""
        self._skipped += count

    def _present(self) -> bool:
        return self.supply is None or self.supply.mains

    def _loaded(self) -> bool:
        return self._present() and (self.disconnector is None or self.disconnector.closed)

    def _wave(self, channel: str) -> "list[Component]":
        if not (self._present() if channel[0] == "u" else self._loaded()):
            return []
        return self.sensor_errors.apply(channel, self.mains.channel(channel))

    def _load_waves(self) -> None:
        self.synth.load(self.mains.f, self._wave)

    def _change(self) -> None:
        """Let new waves begin, after those who must finish with the old ones."""
        for callback in self.before_change:
            callback()
        self._load_waves()

    def _load_switched(self, closed: bool) -> None:
        self._change()

    # What the bench moves. Each raises ValueError for a wrong value and then changes nothing.

    def set_mains(self, changes: object) -> None:
        """Take over a request of `POST /api/mains`.

        One that holds for a time leaves a scenario playing; another without a scenario ends it.
        """
        if self.replay is not None:
            raise ValueError("a recording is replayed: there is no mains to set")
        rest, course = disturbance.parse(changes)
        rest, wanted = self.scenario.parse(rest)
        if course is not None and wanted is not None:
            raise ValueError("for_ms does not go with a scenario")
        steady = self.steady()
        new = steady.copy()
        new.apply(rest)
        new.check_below(self.rate_mhz / 2000)
        if course is not None:
            self._disturbance.begin(new, steady, course)
            return
        self._disturbance.drop()
        self._hold(new)
        self.scenario.play(wanted)

    def steady(self) -> Mains:
        """Return the mains as it is without a disturbance."""
        return self._disturbance.beneath or self.mains

    def step_loads(self, new: Mains) -> None:
        """Let other voltages, currents and lags hold from now on, all else as it is."""
        if not self._disturbance.under(new):
            self._take(new, self.before_step)

    def _hold(self, new: Mains) -> None:
        self._take(new, self.before_change)

    def _take(self, new: Mains, told: "list[Callable[[], None]]") -> None:
        for callback in told:
            callback()
        self.mains = new
        if self._source == "phases":
            self._feed(None)
        self._load_waves()

    def set_supply(
        self,
        on: bool,
        holdup_ms: "int | None" = None,
        source: "str | None" = None,
        for_ms: "int | None" = None,
    ) -> None:
        """Cut the mains on every phase, or return it; `for_ms` after a cut it returns by itself.

        `source`: "bench", whatever the phases' voltages are, or "phases", as long as one of them
        is high enough.
        """
        if self.supply is None:
            raise ValueError("nothing is supplied")
        if holdup_ms is not None:
            as_whole(holdup_ms, 0, 3_600_000, "holdup_ms")
        timeline.cancel(self._supply_event)
        self._supply_event = None
        if for_ms is not None and not on:
            self._supply_event = timeline.after(for_ms * 1000, lambda: self.set_supply(True))
        for callback in self.before_change:
            callback()
        self._cut = not on
        self._source = source or self._source
        self._feed(holdup_ms)
        self._load_waves()

    def _feed(self, holdup_ms: "int | None") -> None:
        """Let the supply follow the mains."""
        if self.supply is None:
            return
        high = max([phase.u for phase in self.mains.phases]) >= _SUPPLY_FROM_V
        if not self._cut and (high or self._source == "bench"):
            self.supply.on()
        elif holdup_ms is None:
            self.supply.off()
        else:
            self.supply.off(holdup_ms)

    def set_cover(self, cover: str, is_open: bool) -> None:
        """Open or close a cover; closing the meter cover leaves the parameter switch locked."""
        if cover not in COVERS:
            raise ValueError("cover must be one of {}".format(", ".join(COVERS)))
        self._open[cover] = is_open
        self._tell(cover + "_cover")
        if cover == "meter" and not is_open and not self._locked:
            self._locked = True
            self._tell("lock")

    def set_magnet(self, on: bool) -> None:
        """Hold a magnet to the case, or take it away."""
        self._magnet = on
        self._tell("magnet")

    def discharge(self) -> None:
        """Let a spark of high voltage hit the case; the sensor's line goes low for a moment."""
        for self._spark in (True, False):
            self._tell("discharge")

    def set_input(self, number: int, on: bool) -> None:
        """Drive an alarm, key or tariff input."""
        if not 1 <= number <= INPUTS:
            raise ValueError(f"input must lie from 1 to {INPUTS}")
        self._inputs[number - 1] = on
        self._tell(f"input{number}")

    def set_lock(self, locked: bool) -> None:
        """Turn the parameter switch, which the meter cover hides."""
        if not self._open["meter"]:
            raise ValueError("the parameter switch is under the meter cover: open it first")
        self._locked = locked
        self._tell("lock")

    def set_battery(self, present: bool, v: "float | None" = None) -> None:
        """Take the battery out, put it back, or put in one with another voltage."""
        if v is not None:
            self._battery_v = as_number(v, 0, 5, "v")
        self._battery_present = present
        self._tell("battery")

    def set_temperature(self, celsius: float) -> None:
        """Warm or cool the case."""
        self._temperature_c = as_number(celsius, -60, 125, "celsius")
        self._tell("temperature")

    # What the bench sees.

    def battery_v(self) -> float:
        """Voltage at the battery's contacts; 0 without one."""
        return self._battery_v if self._battery_present else 0.0

    def cover_open(self, cover: str) -> bool:
        """Tell whether a cover is open."""
        return self._open[cover]

    def mains_to_json(self) -> "dict[str, object]":
        """Return the mains in the shape of `POST /api/mains`."""
        state = self.mains.to_json()
        state.update(self.scenario.to_json())
        return state

    def to_json(self) -> "dict[str, object]":
        """Return the bench's settings in the shape of `/api/state`."""
        state: dict[str, object] = {
            "mains": self.mains_to_json(),
            "disturbed": self._disturbance.beneath is not None,
            "covers": {name: "open" if self._open[name] else "closed" for name in COVERS},
            "magnet": self._magnet,
            "inputs": list(self._inputs),
            "locked": self._locked,
            "battery": {"present": self._battery_present, "v": self._battery_v},
            "temperature_c": self._temperature_c,
            "replay": None if self.replay is None else self.replay.path,
        }
        relay = self.disconnector
        state["disconnector"] = "closed" if relay is None or relay.closed else "open"
        state["relays"] = ["closed" if one.closed else "open" for one in self.relays]
        return state

    def _level(self, line: str) -> float:
        if line.endswith("_cover") and line[:-6] in COVERS:
            return 1 if self._open[line[:-6]] else 0
        if line == "battery":
            return self.battery_v()
        if line == "temperature":
            return self._temperature_c
        for number in range(INPUTS):
            if line == f"input{number + 1}":
                return 0 if self._inputs[number] else 1
        active = {"magnet": self._magnet, "discharge": self._spark, "lock": self._locked}
        if line in active:
            return 0 if active[line] else 1
        raise ValueError(f"there is no line {line}")

    def _tell(self, line: str) -> None:
        for callback in self._lines.get(line, ()):
            callback(self._level(line))
