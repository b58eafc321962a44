"""The alarms: three registers of 32 bits with filters, descriptors and status (section 9).

An alarm that its filter lets through stands in its register until the client or the end of its
condition clears it; its rise sets the descriptor, which only the client clears, and wakes the
monitor that runs a script, as a push (rows ALM-01 to ALM-04). Status ON and OFF tell that a
condition came and went, whatever the filter says (row ALM-05). An alarm is 32 * register + bit.

In the IE system bit 8 of the second register is the asymmetric current, which the other systems
do not tell of, and nothing tells of a missing neutral (row ALM-06); all other bits are the same.
"""

import asyncio
import struct

from micropython import const

from app.errors import MeterError
from app.logs.events import FRAUD_ALARM
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.tasks import Task
    from hal import Memory

ALARMS = const(3)  # how many registers
REGISTER = const(0)  # the kinds, each ALARMS words
FILTER = const(3)
DESCRIPTOR = const(6)
ON = const(9)
OFF = const(12)
_WORDS = const(15)
_FORM = "<15IB"  # words, system for the next start
ASYMMETRIC_CURRENT = const(104)  # stands in no register but by the IE system
_NEUTRAL = const(40)
_IE = const(0)
_IDIS = const(1)
_SYSTEMS = const(3)
_GATHER_MS = const(1000)  # what comes together is told together (row ALM-08)


class Alarms:
    """All alarms, kept in FRAM.

    system: bits as VDEW (0), IDIS (1) or EDF (2) lay them out, of this start (row ALM-06)
    chosen: the same for the next start
    lasting: alarm -> callable that tells whether its condition lasts: ON cannot be cleared then
    run: what a monitor runs: callable(register)
    """

    def __init__(self, memory: "Memory") -> None:
        self.lasting: dict[int, Callable[[], bool]] = {}
        self.run: Callable[[int], None] = _nothing
        self._record = regions.open_record(memory, "alarms")
        self._words = [0] * _WORDS
        self.system = _IDIS
        self._risen = 0  # registers whose descriptors have got new bits
        self._wake = asyncio.Event()
        try:
            payload = self._record.load()
            if payload is not None and len(payload) == struct.calcsize(_FORM):
                *self._words, self.system = struct.unpack(_FORM, payload)
        except OSError:
            pass  # alarms are told as long as the meter has power
        self.chosen = self.system

    def word(self, kind: int, register: int) -> int:
        """Return register, filter, descriptor or status of one of the three."""
        return self._words[kind + register]

    def came(self, alarm: int) -> None:
        """Note that the condition of an alarm has come."""
        alarm = self._placed(alarm)
        register, bit = alarm >> 5, 1 << (alarm & 31)
        if register >= ALARMS:
            return
        words = list(self._words)
        words[ON + register] |= bit
        if words[FILTER + register] & bit and not words[REGISTER + register] & bit:
            words[REGISTER + register] |= bit
            words[DESCRIPTOR + register] |= bit
            self._risen |= 1 << register
            self._wake.set()
        self._keep(words)

    def went(self, alarm: int) -> None:
        """Note that it has gone; a fraud stays in the register for the client to see."""
        alarm = self._placed(alarm)
        register, bit = alarm >> 5, 1 << (alarm & 31)
        if register >= ALARMS:
            return
        words = list(self._words)
        words[OFF + register] |= bit
        if alarm != FRAUD_ALARM:
            words[REGISTER + register] &= ~bit
        self._keep(words)

    def clear(self, kind: int, register: int, kept: int) -> None:
        """Clear the bits of a word that `kept` has not. Raises OSError, and keeps them."""
        words = list(self._words)
        cleared = words[kind + register] & ~kept
        for bit in range(32) if kind == ON else ():
            lasts = self.lasting.get(self._placed(32 * register + bit))
            if lasts is not None and cleared >> bit & 1 and lasts():
                cleared &= ~(1 << bit)
        words[kind + register] &= ~cleared
        self._save(words)

    def set_filter(self, register: int, mask: int) -> None:
        """Let the alarms through whose bit is 1. Raises OSError, and keeps the old one."""
        words = list(self._words)
        words[FILTER + register] = mask
        self._save(words)

    def choose_system(self, system: int) -> None:
        """Choose the layout for the next start. Raises ValueError, OSError."""
        if not 0 <= system < _SYSTEMS:
            raise ValueError("alarm system: 0 VDEW, 1 IDIS, 2 EDF")
        old, self.chosen = self.chosen, system
        try:
            self._save(self._words)
        except OSError:
            self.chosen = old
            raise

    async def watch(self, task: "Task") -> None:
        """Tell of new alarms, for ever; those of one second together (row ALM-08)."""
        while True:
            await self._wake.wait()
            await asyncio.sleep_ms(_GATHER_MS)
            self._wake.clear()
            self.tell()
            task.report()

    def tell(self) -> None:
        """Run the monitors of the descriptors that have got new bits since the last time."""
        risen, self._risen = self._risen, 0
        for register in range(ALARMS):
            if risen >> register & 1:
                try:
                    self.run(register)
                except MeterError:
                    pass  # its script is not there; the descriptor tells all the same

    def _placed(self, alarm: int) -> int:
        """Return where an alarm stands by the system of this start, and the other way round."""
        if self.system == _IE and alarm in (_NEUTRAL, ASYMMETRIC_CURRENT):
            return _NEUTRAL + ASYMMETRIC_CURRENT - alarm
        return alarm

    def _keep(self, words: "list[int]") -> None:
        if words == self._words:
            return
        try:
            self._save(words)
        except OSError:
            self._words = words

    def _save(self, words: "list[int]") -> None:
        self._record.save(struct.pack(_FORM, *(words + [self.chosen])))
        self._words = words


def _nothing(_register: int) -> None:
    """Stand in for the monitors."""
