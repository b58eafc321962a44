"""Keeps the energies through power loss: an A/B record in FRAM, written as energy grows.

A save follows the window in which any register gained a whole unit, so what a sudden death of the
processor can take is less than one unit and the window that runs. Row EN-06. What a meter of two
elements counts of each lies in a record of its own, written with the first one (row MET-34).
"""

from array import array

from micropython import const

from app.storage import record, regions
from metrology.energy import UNIT_UWS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Memory
    from metrology.energy import Energies


OCTETS = const(656)  # that one save writes at most: both copies, when one was damaged
_ELEMENTS = const(48)  # octets of what the elements have counted


class EnergyRecord:
    """Binds metrology's energies to their record."""

    def __init__(self, memory: "Memory", energies: "Energies") -> None:
        self._energies = energies
        energies.on_damage = self._recover
        self.on_recovery: Callable[[], None] | None = None  # called when RAM had lost them
        self._record = regions.open_record(memory, "energies")
        self._payload = bytearray(self._record.capacity)
        self._length = energies.snapshot_into(self._payload, 0)
        self._view = memoryview(self._payload)[: self._length]
        self._elements = None
        if energies.element_uws:
            self._elements = regions.open_record(memory, "elements")
        self._saved_wh = list(energies.wh)
        self._saved_elements_wh = self._elements_wh()
        self.saves = 0
        self.failed = False  # True: the memory did not answer at the last attempt
        self._unread = False  # True: it has not answered since start

    def restore(self) -> int:
        """Bring the energies back and return the record's state (app.storage.record).

        After LOST the registers stand at zero, which the caller has to report: never a silent
        start.
        """
        try:
            payload = self._record.load()
            state = self._load_elements()
        except OSError:
            self.failed = self._unread = True
            return record.LOST
        if payload is not None:
            try:
                self._energies.restore_from(payload, 0)
            except ValueError:
                return record.LOST
            self._remember()
        return max(state, self._record.state)

    def window(self) -> None:
        """Save if a register has moved by a unit; to be called after each measuring window."""
        wh = self._energies.wh
        saved_wh = self._saved_wh
        for index in range(len(wh)):  # zip would allocate at every window
            if wh[index] != saved_wh[index]:
                self.save()
                return
        if self._elements is not None and self._elements_wh() != self._saved_elements_wh:
            self.save()

    def save(self) -> None:
        """Write the record now; a memory that does not answer is noted in `failed`."""
        try:
            if self._unread:
                self._take_up()
            self._energies.check()
            self._energies.snapshot_into(self._payload, 0)
            self._record.save(self._view)
            if self._elements is not None:
                self._elements.save(bytes(array("Q", self._energies.element_uws)))
        except OSError:
            self.failed = True
            return
        self.failed = False
        self.saves += 1
        self._remember()

    def _recover(self) -> None:
        """Go on from the record, for RAM has lost the energies; without one all was below 1 Wh."""
        try:
            payload = self._record.load()
            if payload is not None or self._record.state == record.BLANK:
                self._load_elements()
                self._energies.restore_from(payload or bytes(self._length), 0)
                self._remember()
        except (OSError, ValueError):
            pass  # nothing better is known
        self._energies.sign()
        if self.on_recovery is not None:
            self.on_recovery()

    def _take_up(self) -> None:
        """Add what the memory holds, now that it answers. Raises OSError if it does not."""
        payload = self._record.load()
        if self._elements is not None:
            counted = self._energies.element_uws
            self._load_elements()
            both = zip(counted, self._energies.element_uws)
            self._energies.element_uws = [uws + more for uws, more in both]
            self._energies.sign()
        if payload is not None:
            try:
                self._energies.resume_from(payload, 0)
            except ValueError:
                pass  # as at a start: what was counted since stands
        self._unread = False

    def _remember(self) -> None:
        wh = self._energies.wh
        for index in range(len(wh)):
            self._saved_wh[index] = wh[index]
        self._saved_elements_wh = self._elements_wh()

    def _elements_wh(self) -> list[int]:
        # each of them: one may gain a unit while their sum does not
        return [uws // UNIT_UWS for uws in self._energies.element_uws]

    def _load_elements(self) -> int:
        """Bring back what the elements have counted; return the record's state. Raises OSError."""
        if self._elements is None:
            return record.OK
        payload = self._elements.load()
        if payload is None or len(payload) != _ELEMENTS:
            payload = bytes(_ELEMENTS)
        self._energies.element_uws = list(array("Q", bytes(payload)))
        self._energies.sign()
        return self._elements.state
