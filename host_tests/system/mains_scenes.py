"""A language for what befalls a meter, and what it tells of it: all of it, and nothing else.

A script is played on a meter whose time goes only when asked. Each line is one thing that happens;
with a time at its end it lasts for that and is over, without it goes on until `normal`:

    sag L1 60% 1.5s          L1 has 60 % of 230 V        swell L2 270V 300ms    the same, upwards
    cut L3 5s                no voltage, no current      neutral lost 20s       150, 300 and 300 V
    swap L1 L2 10s           two phases change places    load L2 5A 180deg 8s     current, its lag
    bypass 5A 70s            the neutral carries 5 A     cover terminal open 3s or meter
    magnet 5s                a strong field              burst 5 20ms 200ms     five dips to 0 V
    frequency 51Hz 20s       of all phases            discharge             a spark onto the case
    supply off 200s          of the whole meter          wait 10s               nothing happens
    normal                   all as at the beginning

`differences` tells what has changed since the scene began: new entries of every log, counters,
bits of alarms and errors, signs of the display.
"""

import re
from datetime import datetime, timedelta, timezone

import clients
from gurux_dlms import GXStructure, GXUInt16
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric

LOGS = {
    name: f"0.0.99.98.{e}.255"
    for name, e in (
        ("standard", 0), ("fraud", 1), ("disconnector", 2), ("mbus", 3), ("quality", 4),
        ("communication", 5), ("load", 6), ("firmware", 8), ("security", 9), ("prepayment", 10),
    )
}  # fmt: skip
ALERT = "0.0.96.11.20.255"
FAILURES = "1.0.99.97.0.255"
PHASES = ("L1", "L2", "L3")
_COLUMNS = (("L1", 32), ("L2", 52), ("L3", 72), ("any", 12))
COUNTERS = {
    **{f"sags {column}": f"1.0.{c}.32.0.255" for column, c in _COLUMNS},
    **{f"swells {column}": f"1.0.{c}.36.0.255" for column, c in _COLUMNS},
    **{
        f"{kind} {column}": f"0.0.96.7.{e}.255"
        for kind, first, of_any in (("failures", 0, 21), ("long failures", 5, 9))
        for column, e in zip(("all", *PHASES, "any"), (*range(first, first + 4), of_any))
    },
    **{
        f"level {level} {column}": f"0.0.128.7.{10 * place + level}.255"
        for place, column in enumerate((*PHASES, "any"), 1)
        for level in range(1, 8)
    },
    "watchdog": "0.0.128.0.10.255",
    "reclosings": "0.0.128.0.11.255",
    "terminal cover": "0.0.128.80.1.255",
    "meter cover": "0.0.128.80.2.255",
    "changes": "0.0.96.2.0.255",
}
# by name: logical name, what is kept when a scene begins
_REMOTE = 1 << 7  # of alarm 3: the log-in of who reads
_ALARMS = (("alarm", 97, 0), ("descriptor", 97, 20), ("on", 196, 0), ("off", 196, 10))
REGISTERS = {
    **{f"error {n + 1}": (f"0.0.97.97.{n}.255", 0) for n in range(3)},
    **{
        f"{kind} {n + 1}": (f"0.0.{d}.98.{e + n}.255", _REMOTE if n == 2 else 0)
        for kind, d, e in _ALARMS
        for n in range(3)
    },
}  # fmt: skip
_FILTERS = [f"0.0.97.98.{10 + n}.255" for n in range(3)]
_TIME = r"([\d.]+)(ms|s|m|h)"
_SETTLED_S = 12  # the display has tested its segments, what lasts for a while is over
_NOT_OURS = {"COM", "LR"}  # they tell of who reads, and of the item that is shown
_SIGNS_APART_S = 0.25
_SIGNS_LOOKS = 9
_USUAL = {"i": 5, "phi_deg": 30, "u_harmonics": {}, "i_harmonics": {}}
_ANGLES = (0, -120, -240)


def alarm(word, *bits):
    """What an alarm leaves while its condition lasts, or for ever if nothing ends it."""
    return {f"{kind} {word}": set(bits) for kind in ("alarm", "descriptor", "on")}


def gone(word, *bits):
    """What an alarm leaves whose condition has ended."""
    return {f"{kind} {word}": set(bits) for kind in ("descriptor", "on", "off")}


NORMAL = {phase: alarm(2, 5 + place) for place, phase in enumerate(("L1", "L2", "L3"))}
FRAUD = alarm(1, 13)


class Stage:
    """One meter on which scenes are played, one after the other."""

    def __init__(self, meter):
        self.meter = meter
        self._profiles = {}
        self._logins = 0
        self._before = None
        self.began = None
        self.write("0.0.128.70.1.255", 0)  # every event of the fraud log is told
        for name in _FILTERS:
            self.write(name, 0xFFFFFFFF)

    def client(self):
        """A session of the management client; the log-in is not among the differences."""
        transport = clients.Socket(self.meter.ports["cosem"])
        session = clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET).connect()
        self._logins += 1
        return session

    def write(self, name, value, kind=DataType.UINT32, item=GXDLMSData):
        """Set attribute 2 of an object of one of gurux's classes."""
        session = self.client()
        self.put(session, name, value, kind, item)
        session.release()

    def put(self, session, name, value, kind=DataType.UINT32, item=GXDLMSData):
        """The same in a session that is open."""
        target = item(name)
        target.value = value
        target.setDataType(2, kind)
        session.write(target, 2)

    def threshold(self, e, limit, seconds):
        """Set 0-0:128.7.e."""
        session = self.client()
        item = GXDLMSData(f"0.0.128.7.{e}.255")
        item.value = GXStructure()
        item.value.extend([GXUInt16(limit), GXUInt16(seconds)])
        item.setDataType(2, DataType.STRUCTURE)
        session.write(item, 2)
        session.release()

    def value(self, name, item=GXDLMSData):
        """Attribute 2 as it stands on the line."""
        session = self.client()
        value = session.read(item(name), 2)
        session.release()
        return value

    def pass_time(self, seconds):
        self.meter.post("/api/advance", seconds=seconds)

    def begin(self):
        """Let all be usual for ten whole minutes, and known a little after their end."""
        self._normal()
        self.pass_time(8)
        moment = self._now() + timedelta(seconds=1200)
        moment -= timedelta(seconds=moment.timestamp() % 600)
        self.meter.post("/api/advance", until=f"{moment:%Y-%m-%dT%H:%M:%S}")
        self.pass_time(5)
        session = self.client()
        for name, kept in REGISTERS.values():
            # the mark of fraud has no bit, and goes with the second register of errors
            if session.read(GXDLMSData(name), 2) & ~kept or name == REGISTERS["error 2"][0]:
                self.put(session, name, kept)
        session.release()
        self.began = self._now()
        self._before = self._look()
        self._logins = 0

    def play(self, script):
        """Let the lines of a script happen, one after the other."""
        for line in script.strip().splitlines():
            self._happen(line.split())

    def differences(self):
        """What the meter tells that it did not tell when the scene began, by name."""
        before, now = self._before, self._look()
        told = {}
        for name, rows in now["logs"].items():
            old = before["logs"][name]
            assert rows[: len(old)] == old, name
            codes = [code for _, code in rows[len(old) :]]
            if name == "security":
                codes = _without(codes, self._logins)
            if codes:
                told[name] = codes
        for name, value in now["counters"].items():
            if value != before["counters"][name]:
                told[name] = value - before["counters"][name]
        for name, value in now["registers"].items():
            assert value & before["registers"][name] == before["registers"][name], name
            new = value & ~before["registers"][name]
            if new:
                told[name] = {bit for bit in range(32) if new >> bit & 1}
        for sign in sorted(set(now["signs"]) | set(before["signs"])):
            state = now["signs"].get(sign, "off")
            if state != before["signs"].get(sign, "off"):
                told[sign] = state
        return told

    def log(self, name):
        """(time, value) of each row of a log, oldest first."""
        session = self.client()
        rows = self._rows(session, LOGS.get(name, FAILURES))
        session.release()
        return rows

    def signs(self):
        """The signs that are lit, or blink, on the display."""
        looks = []
        for _ in range(_SIGNS_LOOKS):
            glass = self.meter.get("/api/lcd")
            looks.append({*glass["phases"], *glass["cursors"], *glass["flow"]} - _NOT_OURS)
            self.pass_time(_SIGNS_APART_S)
        ever, always = set.union(*looks), set.intersection(*looks)
        return {sign: "on" if sign in always else "blinks" for sign in ever}

    # What it is made of.

    def _now(self):
        return datetime.fromisoformat(self.meter.get("/api/state")["world_time"])

    def _rows(self, session, name):
        profile = self._profiles.get(name)
        if profile is None:
            profile = self._profiles[name] = GXDLMSProfileGeneric(name)
            session.read(profile, 3)
        profile.buffer = []
        rows = session.read(profile, 2)
        return [(row[0].value.astimezone(timezone.utc), row[1]) for row in rows]

    def _look(self):
        self.pass_time(_SETTLED_S)
        signs = self.signs()
        session = self.client()
        names = [GXDLMSData(name) for name in COUNTERS.values()]
        names += [GXDLMSData(name) for name, _ in REGISTERS.values()]
        for at in range(0, len(names), 16):
            session.read_list([(item, 2) for item in names[at : at + 16]])
        values = [item.value for item in names]
        logs = {}
        for name, profile in (*LOGS.items(), ("outages", FAILURES)):
            rows = self._rows(session, profile)
            logs[name] = rows
        session.release()
        return {
            "logs": logs,
            "counters": dict(zip(COUNTERS, values)),
            "registers": dict(zip(REGISTERS, values[len(COUNTERS) :])),
            "signs": signs,
        }

    def _happen(self, words):
        lasts = None
        if re.fullmatch(_TIME, words[-1]) and words[0] != "burst":
            lasts = _seconds(words.pop())
        verb, *rest = words
        begin, end = _VERBS[verb](rest)
        for path, body in begin:
            self.meter.post("/api/" + path, **body)
        if lasts is not None:
            self.pass_time(lasts)
            for path, body in end:
                self.meter.post("/api/" + path, **body)
        self.pass_time(1)

    def _normal(self):
        for path, body in _normal(())[0]:
            self.meter.post("/api/" + path, **body)


def _without(codes, logins):
    """Leave out the last log-ins, which are those of who reads."""
    codes = codes[::-1]
    for _ in range(logins):
        codes.remove(249)
    return codes[::-1]


def _seconds(word):
    number, unit = re.fullmatch(_TIME, word).groups()
    return float(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


def _phase(name, state):
    phases = [None] * 3
    phases[PHASES.index(name)] = state
    return [("mains", {"phases": phases})]


def _voltage(words):
    name, percent = words
    u = float(percent.rstrip("%V")) * (2.3 if percent.endswith("%") else 1)
    return _phase(name, {"u": u}), _phase(name, {"u": 230})


def _cut(words):
    return _phase(words[0], {"u": 0, "i": 0}), _phase(words[0], {"u": 230, "i": 5})


def _neutral(words):
    assert words == ["lost"]
    lost = [{"u": u} for u in (150, 300, 300)]
    return [("mains", {"phases": lost})], [("mains", {"phases": [{"u": 230}] * 3})]


def _swap(words):
    one, other = [PHASES.index(name) for name in words]
    swapped = [{"angle_deg": angle} for angle in _ANGLES]
    usual = list(swapped)
    swapped[one], swapped[other] = usual[other], usual[one]
    return [("mains", {"phases": swapped})], [("mains", {"phases": usual})]


def _load(words):
    name, amperes, degrees = words
    state = {"i": float(amperes.rstrip("A")), "phi_deg": float(degrees.removesuffix("deg"))}
    return _phase(name, state), _phase(name, {"i": 5, "phi_deg": 30})


def _frequency(words):
    return [("mains", {"f": float(words[0].removesuffix("Hz"))})], [("mains", {"f": 50})]


def _bypass(words):
    amperes = float(words[0].rstrip("A"))
    return [("mains", {"neutral_i": amperes})], [("mains", {"neutral_i": None})]


def _cover(words):
    name, state = words
    moved = {"cover": name, "open": state == "open"}
    return [("cover", moved)], [("cover", {**moved, "open": not moved["open"]})]


def _discharge(words):
    return [("discharge", {})], []


def _magnet(words):
    return [("magnet", {"on": True})], [("magnet", {"on": False})]


def _supply(words):
    assert words == ["off"]
    return [("supply", {"on": False})], [("supply", {"on": True})]


def _burst(words):
    times, lasts, every = int(words[0]), _seconds(words[1]), _seconds(words[2])
    dark = {"phases": [{"u": 0}] * 3, "for_ms": round(1000 * lasts)}
    return [("mains", {**dark, "times": times, "every_ms": round(1000 * every)})], []


def _wait(words):
    return [], []


def _normal(words):
    phases = [{"u": 230, "angle_deg": angle, **_USUAL} for angle in _ANGLES]
    usual = [("supply", {"on": True}), ("mains", {"f": 50, "phases": phases, "neutral_i": None})]
    usual += [("cover", {"cover": cover, "open": False}) for cover in ("terminal", "meter")]
    return [*usual, ("magnet", {"on": False})], []


_VERBS = {
    "sag": _voltage, "swell": _voltage, "cut": _cut, "neutral": _neutral, "swap": _swap,
    "load": _load, "bypass": _bypass, "cover": _cover, "magnet": _magnet,
    "discharge": _discharge,
    "frequency": _frequency, "burst": _burst, "supply": _supply, "wait": _wait, "normal": _normal,
}  # fmt: skip
