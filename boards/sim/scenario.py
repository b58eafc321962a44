"""What the mains does by itself: a scenario's loads, minute by minute of the world's time.

Without one the mains is steady, as the bench set it. With `household` (household.py) each full
minute brings voltage, current and lag of each phase; frequency, angles, harmonics and the neutral
stay those of the bench. The world's time is UTC that no clock chip's fault and no client moves.
"""

import math

import fields
import timeline
from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from household import Household
    from world import World

    Wanted = tuple[str, int] | None  # name and seed

NAMES = ("household",)

_MAX_SEED = const(0xFFFFFFFF)
_SECOND_US = const(1_000_000)
_CT_DIVISOR = const(20)  # 100 A to 5 A before a transformer meter


class Scenario:
    """Plays a scenario into a world."""

    def __init__(self, world: "World", seed: int) -> None:
        self._world = world
        self._seed = seed
        self._household: Household | None = None
        self._event: object = None
        self._now: list[tuple[float, int, int]] = []

    def parse(self, request: object) -> "tuple[dict[str, object], Wanted]":
        """Take `scenario` and `seed` out of a request for the mains. Raises ValueError."""
        rest = dict(fields.as_object(request, "the mains"))
        name = rest.pop("scenario", None)
        if name is None:
            if "seed" in rest:
                raise ValueError("seed belongs to a scenario")
            return rest, None
        seed = fields.as_whole(rest.pop("seed", self._seed), 0, _MAX_SEED, "seed")
        return rest, (fields.as_choice(name, list(NAMES), "scenario"), seed)

    def play(self, wanted: "Wanted") -> None:
        """Begin a scenario at the minute that runs, or end it."""
        if self._event is not None:
            timeline.cancel(self._event)
            self._event = None
        self._household = None
        if wanted is None:
            return
        from household import Household  # few runs need its heap

        world = self._world
        self._seed = wanted[1]
        divisor = _CT_DIVISOR if world.model == "ct" else 1
        phases = 1 if world.mains.one_voltage else len(world.mains.phases)
        self._household = Household(wanted[1], phases, divisor)
        self._now = []
        self._minute()

    def to_json(self) -> "dict[str, object]":
        """Return what `GET /api/state` says of it."""
        if self._household is None:
            return {"scenario": None}
        return {"scenario": NAMES[0], "seed": self._household.seed}

    def _minute(self) -> None:
        from household import STEP_S

        assert self._household is not None
        world = self._world
        utc_us = world.epoch_us + timeline.now_us
        step_us = STEP_S * _SECOND_US
        self._event = timeline.after(step_us - utc_us % step_us, self._minute)
        powers = self._household.at(utc_us // _SECOND_US)
        if powers == self._now:
            return
        self._now = powers
        phases: list[object] = []
        for u, p, q in powers:
            i, phi_deg = math.sqrt(p * p + q * q) / u, math.degrees(math.atan2(q, p))
            phases.append({"u": u, "i": i, "phi_deg": phi_deg})
        new = world.steady().copy()
        new.apply({"phases": phases})
        world.step_loads(new)
