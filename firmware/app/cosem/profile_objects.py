"""Load profiles as objects: class 7 each, their status, and how their buffers are sent.

Rows LPR-01 to LPR-13, tables 6.1 and 6.2. 0-0:128.51.0 is the form of the buffers (row LPR-09): 0
every value is sent, 1 null-data stands for a time that is the one before and a period, 2 also for
a value that has not changed.
"""

from micropython import const

from app.axdr import UINT8
from app.cosem import access
from app.cosem.base import EXECUTE, READ_WRITE
from app.cosem.data import Data
from app.cosem.profile_generic import ProfileGeneric
from app.cosem.values import Simple

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.clock import Clock
    from app.cosem.objects import Objects
    from app.logs.captured import CapturedRows
    from app.logs.load_profiles import LoadProfiles


def add(objects: "Objects", load_profiles: "LoadProfiles", clock: "Clock") -> None:
    """Add the objects of the load profiles."""
    data = Data()
    handler = ProfileGeneric(clock, READ_WRITE, READ_WRITE, EXECUTE)
    for profile in load_profiles.profiles:
        objects.add(profile.obis, handler, profile, access.SETTINGS)
        status = Simple(UINT8, profile.status)
        objects.add((0, 0, 96, 10, profile.number), data, status, access.READINGS)
    form = Simple(UINT8, lambda: load_profiles.form, load_profiles.set_form)
    objects.add((0, 0, 128, 51, 0), data, form, access.SETTINGS)


def add_weeks(objects: "Objects", weeks: "CapturedRows", clock: "Clock") -> None:
    """Add the profile of weeks by EN 50160."""
    handler = ProfileGeneric(clock, READ_WRITE, reset=EXECUTE)
    objects.add((1, 0, 99, 142, 0), handler, weeks, access.SETTINGS)
