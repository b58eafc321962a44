"""What the monitors of the alarm descriptors run: class 21 shows and sets it (row ALM-04)."""

import struct

from micropython import const

from app.axdr import UINT32
from app.logs.alarms import ALARMS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.axdr import Writer
    from app.settings import Settings

    Action = tuple[bytes, int]  # logical name of a script table, script

_ACTION = ">6sH"
_ACTIONS = const(2)  # of each monitor: up, down
_SIZE = const(8)
_PUSH_ON_ALARM = b"\x00\x00\x0a\x00\x6c\xff\x00\x05"  # 0-0:10.0.108.255, script 5
_NONE = bytes(_SIZE)
_FACTORY = ALARMS * (_PUSH_ON_ALARM + _NONE)
_KEY = "alarm_actions"


class AlarmMonitors:
    """Actions of all alarm monitors.

    execute: carries one out, called with the name of a script table and a script of it
    """

    def __init__(self, settings: "Settings", execute: "Callable[[bytes, int], None]") -> None:
        self._settings = settings
        self.execute = execute

    def run(self, register: int) -> None:
        """Do what a rise of a descriptor asks for. Raises MeterError if that cannot be done."""
        table, script = self.action(register, 0)
        if table != _NONE[:6]:
            self.execute(table, script)

    def action(self, register: int, down: int) -> "Action":
        """Return the action of a rise (0) or a fall (1)."""
        kept = self._settings.get(_KEY) or _FACTORY
        return struct.unpack_from(_ACTION, kept, (register * _ACTIONS + down) * _SIZE)

    def set_actions(self, register: int, up: "Action", down: "Action") -> None:
        """Replace both actions. Raises OSError, and keeps the old ones."""
        kept = bytearray(self._settings.get(_KEY) or _FACTORY)
        at = register * _ACTIONS * _SIZE
        kept[at : at + _ACTIONS * _SIZE] = struct.pack(_ACTION, *up) + struct.pack(_ACTION, *down)
        self._settings.put(_KEY, kept)


class AlarmMonitor:
    """The monitor of one descriptor, as class 21 takes it."""

    def __init__(self, monitors: AlarmMonitors, register: int) -> None:
        self._monitors = monitors
        self._register = register
        self.monitored = (1, bytes((0, 0, 97, 98, 20 + register, 255)), 2)

    def write_thresholds(self, writer: "Writer") -> None:
        """Encode the thresholds: any bit is above none."""
        writer.array(1)
        writer.number(UINT32, 0)

    def actions(self) -> "list[tuple[Action, Action]]":
        """Return the actions up and down of each threshold."""
        return [
            (self._monitors.action(self._register, 0), self._monitors.action(self._register, 1))
        ]

    def set_actions(self, actions: "list[tuple[Action, Action]]") -> None:
        """Replace them. Raises ValueError unless there is one pair, OSError."""
        if len(actions) != 1:
            raise ValueError("one threshold has one pair of actions")
        self._monitors.set_actions(self._register, *actions[0])
