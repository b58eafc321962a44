"""Master reset: a meter as it leaves the factory, with the same identity (rows PRD-07, KEY-09).

Registers, profiles, billings, counters and parameters go. What makes it this meter stays:
calibration, numbers, keys with their counters, the reserve of clock and battery, bad sectors, how
often parameters were changed, and all logs. The registers' last value goes into the certification
log first; when that is full nothing is reset.

What is asked for is noted in FRAM and done by the next start before anything has been read, so
power may go between any two octets.
"""

import asyncio

from micropython import const

from app import event_codes
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.outages import Outages
    from app.parameters import Parameters
    from app.power_up import PowerUp
    from app.storage.rings import Rings
    from app.tasks import Supervisor
    from hal import Board, Memory
    from metrology.engine import Engine

    class Certification(Protocol):
        """What keeps the old value."""

        def keep(self, name: bytes, old: int, new: int) -> None:
            """Keep an entry."""
            ...

    class Parts(Protocol):
        """What of a meter is concerned."""

        board: Board
        engine: Engine
        outages: Outages
        parameters: Parameters
        power_up: PowerUp
        rings: Rings
        supervisor: Supervisor

        @property
        def certification(self) -> Certification:
            """The certification log."""
            ...

        @property
        def memory(self) -> Memory:
            """The FRAM."""
            ...


NOTE = "master_reset"
_KEPT = (
    "calibration linearity parameters identification device_number accuracy_class battery power"
    " security keys key_pairs lls lls_1 lls_2 lls_3 optical_texts lockout invocation_counter"
    " send_counter transaction certificate_0 certificate_1 certificate_2 certificate_3"
    " certificate_4 certificate_5 bad_sectors configuration " + NOTE
)
_LOG = "_log"  # ends the names of rings that stay
_ACTIVE_IMPORT = b"\x01\x00\x01\x08\x00\xff"  # 1-0:1.8.0.255
_UINT32 = const(0xFFFFFFFF)
_RESTART_MS = const(5000)  # time to be read and answered


def request(meter: "Parts") -> None:
    """Note what is asked for; the meter starts anew soon.

    Raises AccessRefused under lock or if the certification log is full, OSError.
    """
    meter.parameters.restore()
    old_wh = meter.engine.energies.wh[0] & _UINT32
    meter.certification.keep(_ACTIVE_IMPORT, old_wh, 0)
    note = regions.open_record(meter.memory, NOTE)
    note.load()
    note.save(b"\x01")
    meter.supervisor.start("master reset", lambda _task: _restart(meter))


async def _restart(meter: "Parts") -> None:
    await asyncio.sleep_ms(_RESTART_MS)
    meter.outages.down()
    meter.board.reset()


def begin(memory: "Memory") -> None:
    """Forget what stands in the FRAM. Raises OSError."""
    kept = _KEPT.split(" ")
    for name, _, _ in regions.REGIONS:
        if name not in kept:
            regions.open_record(memory, name).erase()


def finish(meter: "Parts") -> None:
    """Forget what stands in the flash, now that it is open, and tell. Raises OSError."""
    for ring in list(meter.rings.open_rings):
        name = regions.RINGS[ring.number][0]
        if not name.endswith(_LOG):
            meter.rings.reset(name)
    regions.open_record(meter.memory, NOTE).erase()
    meter.power_up.fault(event_codes.PARAMETERS_CHANGED)
    meter.power_up.fault(event_codes.PROFILE_CLEARED)
