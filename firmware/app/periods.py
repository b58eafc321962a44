"""Periods of local time that go on through every change of the clock: quarters, hours, days.

A `Period` calls its owner at each boundary and keeps the bits that the owner's next entry has to
carry (table 6.2). What is measured meanwhile does not depend on it: energies grow by the
converter's own frames, whatever the clock does, and the owner takes the difference of registers
between two calls; they are at most a window, a quarter of a second, behind. So each call must
come exactly once:

* A small shift is a synchronisation (row DEM-11): the boundary that is due stays. Shifted over
  it, it is called at once; shifted back behind one that has been called, it is not called again.
* Any other shift, and each second synchronisation of one period (row DEM-12), is a change: the
  owner hears `on_jump(old, new)`, in which it ends its broken period (row DEM-13), and what is due
  next follows from the new time. A boundary that was jumped over or onto is not called.

A period begins anew at power-up; its owner adds POWER_DOWN when the start's sequence tells of an
outage (app.power_up).
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock

# Profile status, table 6.2
CLOCK_INVALID = const(0x02)
NOT_FOR_BILLING = const(0x04)
DST = const(0x08)
CLOCK_ADJUSTED = const(0x20)
POWER_DOWN = const(0x80)

_SYNCHRONISATION_MAX_S = const(9)


class Period:
    """One owner's period; to be had from `Clock.every`.

    due_utc_s: the boundary that ends the running period
    synchronised: the running period has seen a synchronisation
    bits: what the running period has seen; an owner keeps them if they must survive a power cut
    """

    def __init__(
        self,
        clock: "Clock",
        period_s: int,
        on_end: "Callable[[int], None]",
        on_jump: "Callable[[int, int], None] | None",
    ) -> None:
        self._clock = clock
        self.period_s = period_s
        self._on_end = on_end
        self._on_jump = on_jump
        self.synchronised = False
        self.bits = 0
        self.due_utc_s = 0
        self.plan()
        self.take()

    def plan(self) -> None:
        """Find the boundary that is due next: the rules of local time have changed."""
        clock = self._clock
        self.due_utc_s = clock.zone.next_boundary(clock.utc_s(), self.period_s)

    def set_length(self, period_s: int) -> None:
        """Let the period end at multiples of `period_s` from now on; it divides a day."""
        self.period_s = period_s
        self.plan()
        self._clock.wake()

    def hasten(self, utc_s: int) -> None:
        """Let the owner be called once at `utc_s` already, if that comes before the boundary."""
        if utc_s < self.due_utc_s:
            self.due_utc_s = utc_s
            self._clock.wake()

    def check(self, utc_s: int) -> None:
        """Call the owner if its boundary has come; the argument is the boundary's time."""
        due_s = self.due_utc_s
        if utc_s >= due_s:
            self.synchronised = False
            self.due_utc_s = self._clock.zone.next_boundary(utc_s, self.period_s)
            self._on_end(due_s)

    def moved(self, old_utc_s: int, new_utc_s: int) -> None:
        """Follow a change of the clock."""
        limit_s = min(self._clock.shift_limit_s, _SYNCHRONISATION_MAX_S, self.period_s // 100)
        if abs(new_utc_s - old_utc_s) <= limit_s and not self.synchronised:
            self.synchronised = True
            return
        self.synchronised = False
        self.bits |= CLOCK_ADJUSTED | NOT_FOR_BILLING
        self.plan()
        if self._on_jump is not None:
            self._on_jump(old_utc_s, new_utc_s)

    def status(self) -> int:
        """Return the bits of the period as if it ended here."""
        clock = self._clock
        bits = self.bits
        if clock.invalid:
            bits |= CLOCK_INVALID | NOT_FOR_BILLING
        return bits | (DST if clock.dst_active(clock.utc_s()) else 0)

    def take(self) -> int:
        """Return the bits of the period that ends here; the next one begins without."""
        bits = self.status()
        # in a period that begins without time the clock may be set before it ends
        self.bits = CLOCK_INVALID | NOT_FOR_BILLING if self._clock.invalid else 0
        return bits
