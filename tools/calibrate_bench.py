"""Where a calibration's reference load comes from: a virtual meter's API, or a person's eyes."""

from __future__ import annotations

import json
import math
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any, Protocol

_CALL_S = 120.0
_SETTLE_S = 1.0
_STEP_S = 1.0


class BenchError(Exception):
    """The bench cannot do it, or its readings are none; the text is one line."""


class Phase:
    """What one phase truly gets."""

    def __init__(self, u_v: float, i_a: float, phi_deg: float) -> None:
        self.u_v, self.i_a, self.phi_deg = u_v, i_a, phi_deg

    @property
    def p_w(self) -> float:
        """Active power."""
        return self.u_v * self.i_a * math.cos(math.radians(self.phi_deg))


class Load:
    """One load of the procedure: its name and what it should be."""

    def __init__(self, name: str, u_v: float, i_a: float, phi_deg: float) -> None:
        self.name = name
        self.wanted = Phase(u_v, i_a, phi_deg)

    def text(self) -> str:
        """Return it in words."""
        wanted = self.wanted
        return f"{wanted.u_v:g} V, {wanted.i_a:g} A, {wanted.phi_deg:g} degrees"


class Bench(Protocol):
    """A source of loads; the phases it gives may differ a little from what was wanted."""

    def begin(self) -> None:
        """Open the parameter switch, if the bench has hands."""
        ...

    def give(self, load: Load, phases: int) -> tuple[list[Phase | None], float]:
        """Turn a load on; return what each phase and the neutral (A, 0: not known) get."""
        ...

    def wait(self) -> None:
        """Let a second or so pass."""
        ...

    def end(self) -> None:
        """Leave everything as it was."""
        ...


class ApiBench:
    """The bench of a virtual meter, docs/virtual-meter.md."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._before: dict[str, Any] = self.call("/api/state")

    def begin(self) -> None:
        """Open the cover and the parameter switch."""
        self.call("/api/cover", {"cover": "meter", "open": True})
        self.call("/api/lock", {"locked": False})

    def give(self, load: Load, phases: int) -> tuple[list[Phase | None], float]:
        """Set the mains and let it settle."""
        wanted = load.wanted
        phase = {"u": wanted.u_v, "i": wanted.i_a, "phi_deg": wanted.phi_deg}
        phase.update({"u_harmonics": {}, "i_harmonics": {}})  # type: ignore[dict-item]
        self.call("/api/mains", {"phases": [phase] * phases, "neutral_i": wanted.i_a})
        self.call("/api/advance", {"seconds": _SETTLE_S})
        given: list[Phase | None] = [wanted] * phases
        return given, wanted.i_a

    def wait(self) -> None:
        """Let simulated time pass, whatever its rate."""
        self.call("/api/advance", {"seconds": _STEP_S})

    def end(self) -> None:
        """Give the mains, the switch and the cover back."""
        mains = self._before["mains"]
        self.call("/api/mains", {key: mains[key] for key in ("phases", "neutral_i")})
        if self._before["locked"]:
            self.call("/api/lock", {"locked": True})
        if self._before["covers"]["meter"] == "closed":
            self.call("/api/cover", {"cover": "meter", "open": False})

    def nameplate(self) -> dict[str, Any]:
        """Return what the API tells about the meter."""
        return self._before["meter"]

    def call(self, path: str, body: object = None) -> dict[str, Any]:
        """GET, or POST of a JSON body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._address + path, data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_CALL_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace").strip()
            raise BenchError(f"{path} was answered {error.code}: {text}") from error
        except (OSError, ValueError) as error:
            raise BenchError(f"{self._address}{path}: {error}") from error


class HandBench:
    """A person at a real bench, who turns it and types what the reference meter says."""

    def begin(self) -> None:
        """Ask for the parameter switch."""
        self._line("Open the meter cover and the parameter switch, then press Enter. ")

    def give(self, load: Load, phases: int) -> tuple[list[Phase | None], float]:
        """Ask for the load and for the reference meter's readings."""
        print(f"\n{load.name}: turn every phase to about {load.text()} (positive: current lags).")
        print("Type what the reference says: volts amperes degrees, or volts amperes watts with")
        print("a W behind (WC: the current leads); nothing for a phase that is off.")
        given = [self._phase(f"  L{k + 1}: ") for k in range(phases)]
        if not any(given):
            raise BenchError("no phase has a load")
        return given, self._neutral()

    def wait(self) -> None:
        """Let a second pass."""
        time.sleep(_STEP_S)

    def end(self) -> None:
        """Ask for the switch again."""
        print("Close the parameter switch and the cover.")

    def _phase(self, prompt: str) -> Phase | None:
        while True:
            text = self._line(prompt)
            if not text:
                return None
            try:
                return parse_phase(text)
            except ValueError as error:
                print("   ", error)

    def _neutral(self) -> float:
        while True:
            text = self._line("  neutral, amperes (nothing: leave it): ")
            try:
                return _number(text) if text else 0.0
            except ValueError as error:
                print("   ", error)

    @staticmethod
    def _line(prompt: str) -> str:
        print(prompt, end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            raise BenchError("the readings ended")
        return line.strip()


def parse_phase(text: str) -> Phase:
    """Return the phase that a line of readings means. Raises ValueError with what is wrong."""
    words = text.split()
    if len(words) != 3:
        raise ValueError("three numbers: volts, amperes, and degrees or watts")
    u_v, i_a = _number(words[0]), _number(words[1])
    if u_v <= 0 or i_a <= 0:
        raise ValueError("volts and amperes must be above zero")
    last = words[2].upper()
    leads = last.endswith("C")
    last = last.removesuffix("C")
    if not last.endswith("W"):
        if leads:
            raise ValueError("C belongs behind watts; degrees have a sign")
        phi_deg = _number(last)
        if not -90 <= phi_deg <= 90:
            raise ValueError("degrees from -90 to 90")
        return Phase(u_v, i_a, phi_deg)
    ratio = _number(last[:-1]) / (u_v * i_a)
    if not 0 <= ratio <= 1.0005:
        raise ValueError("watts from 0 to volts times amperes")
    phi_deg = math.degrees(math.acos(min(1.0, ratio)))
    return Phase(u_v, i_a, -phi_deg if leads else phi_deg)


def _number(text: str) -> float:
    value = float(text.replace(",", "."))
    if not math.isfinite(value):
        raise ValueError(f"{text} is no reading")
    return value


def loads(u_v: float, reference_a: float, smallest_a: float) -> Sequence[Load]:
    """Return the three loads of the procedure in their order."""
    return (
        Load("gain", u_v, reference_a, 0.0),
        Load("phase", u_v, reference_a, 60.0),
        Load("offset", u_v, smallest_a, 0.0),
    )
