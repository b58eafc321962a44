"""The load profiles: what the meter registers at the end of each period of local time.

An entry bears the time of the period's end, the profile status of table 6.2 and what the columns
read at that moment. What becomes of a period that does not end as it should:

* The clock is set forward over its end: the entry is made at once, dated with that end, and bears
  CAD and DNV; so does the entry that ends the period jumped into.
* The clock is set otherwise: the next boundary ends the period, with CAD and DNV.
* The meter was without power: the next boundary ends the period, with PDN and DNV. If boundaries
  have passed meanwhile, one entry with these bits is made at power-up, dated with the last of
  them; the others are missing. A reset of the processor is treated alike, without PDN.
* A serious fault of memory, program or measurement came up, or lasts at the end: ERR and DNV.

What a running period has seen is kept in FRAM and survives a power cut. Rows LPR-01 to LPR-15,
table 6.1.
"""

from micropython import const

from app import outages
from app.logs import captured
from app.logs.captured import CapturedRows, column
from app.periods import CLOCK_ADJUSTED, DST, NOT_FOR_BILLING, POWER_DOWN
from app.rows import CLOCK
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.logs.captured import Recorder
    from app.logs.error_register import ErrorRegisters
    from app.periods import Period
    from hal import Memory

PERIODS_S = (0, 300, 600, 900, 1800, 3600, 86400)
_SERIOUS = const(0x05)  # ERR and DNV, profile status beside those of app.periods

# D and E of 1-0:99.D.E, factory's period
PROFILES = ((1, 0, 900), (2, 0, 86400), (3, 0, 3600), (129, 0, 600))
_COLUMNS_MOST = const(32)
_DATA = const(1)
_REGISTER = const(3)
_LOOK_BACK_S = const(7200)  # a deviation may change by so much
_PHASE_C = const(20)

# Factory columns behind clock and status: C and D of 1-0:C.D.0, in turn (table 6.1)
_FACTORY = (
    b"\x01\x08\x02\x08\x05\x08\x06\x08\x07\x08\x08\x08\x01\x05",  # A+, A-, quadrants, average
    b"\x01\x08\x02\x08\x03\x08\x04\x08\x09\x08\x0a\x08\x0f\x08\x10\x08",  # all energies
    b"\x01\x08\x02\x08\x03\x08\x04\x08\x01\x05\x02\x05\x0d\x07\x0e\x07",  # and PF, frequency
)
_COUNTER_D = const(8)
_POWER_FACTOR_C = const(13)


def status_name(number: int) -> bytes:
    """Return the logical name of the status of profile 1 to 4."""
    return bytes((0, 0, 96, 10, number, 255))


class LoadProfile(CapturedRows):
    """Profile 1 to 4."""

    def __init__(
        self, recorder: "Recorder", number: int, columns: bytes, owner: "LoadProfiles"
    ) -> None:
        d, e, period_s = PROFILES[number - 1]
        self.number = number
        self.obis = (1, 0, 99, d, e)
        self._owner = owner
        self._clock = recorder.clock
        self.period: Period | None = None  # the running one
        super().__init__(
            recorder,
            f"load_profile_{number}",
            f"profile_{number}_setup",
            columns,
            _COLUMNS_MOST,
            period_s,
            status_name(number),
        )

    @property
    def form(self) -> int:
        """How the buffer is sent, of app.logs.captured."""
        return self._owner.form

    def status(self) -> int:
        """Return the profile status that an entry would bear now."""
        return 0 if self.period is None else self._owner.judged(self.period.status())

    def start(self, bits: int, kept: int, alive_utc_s: int) -> None:
        """Begin to capture with `bits`.

        The last life, until `alive_utc_s`, has left a period that had seen `kept`.
        """
        self._begin(bits)
        period = self.period
        if period is None:
            return
        ended_s = self._boundary_before(period.due_utc_s)
        if not alive_utc_s or self._clock.invalid or alive_utc_s >= ended_s:
            period.bits |= kept
        # One that bears CAD has not ended yet: the entry of that time is older than the change.
        elif kept & CLOCK_ADJUSTED or self.newest_utc_s() != ended_s:
            saving = DST if self._clock.dst_active(ended_s) else 0
            self._capture(ended_s, bits | kept | saving)

    def set_period(self, period_s: int) -> None:
        """Capture in other periods from now on, 0: not at all; the rows are gone then."""
        if period_s not in PERIODS_S:
            raise ValueError("period: 0, 300, 600, 900, 1800, 3600 or 86400 s")
        if period_s == self.period_s:
            return
        self._change(period_s, self._setup[captured.SETUP_SIZE :])
        if self._owner.started:
            bits = 0
            if self.period is not None:
                bits = self.period.bits
                self._clock.forget(self.period)
            self._begin(bits)
            self._owner.keep()

    def _begin(self, bits: int) -> None:
        self.period = None
        if self.period_s:
            self.period = self._clock.every(self.period_s, self._end, self._jump)
            self.period.bits |= bits

    def _boundary_before(self, due_utc_s: int) -> int:
        next_boundary = self._clock.zone.next_boundary
        ended_s = due_utc_s - self.period_s - _LOOK_BACK_S - 1
        while True:
            after_s = next_boundary(ended_s, self.period_s)
            if after_s >= due_utc_s:
                return ended_s
            ended_s = after_s

    def _end(self, due_utc_s: int) -> None:
        assert self.period is not None
        self._capture(due_utc_s, self.period.take())
        self._owner.keep()

    def _jump(self, old_utc_s: int, new_utc_s: int) -> None:
        period = self.period
        assert period is not None
        due_utc_s = self._clock.zone.next_boundary(old_utc_s, self.period_s)
        if new_utc_s >= due_utc_s:
            bits = period.bits
            self._capture(due_utc_s, period.take())
            period.bits |= bits
        self._owner.keep()

    def _capture(self, utc_s: int, bits: int) -> None:
        try:
            self.capture_at(utc_s, self._owner.judged(bits))
        except OSError:
            pass  # the storage tells of a flash that fails


class LoadProfiles:
    """The four profiles.

    form: how buffers are sent; started: the meter measures
    """

    def __init__(
        self, recorder: "Recorder", memory: "Memory", phases: int, errors: "ErrorRegisters"
    ) -> None:
        self._settings = recorder.settings
        self._errors = errors
        self._record = regions.open_record(memory, "profile_status")
        self._kept = bytes(len(PROFILES))
        self.started = False
        form = self._settings.get("profile_form")
        self.form = form[0] if len(form) == 1 else captured.WHOLE
        self.profiles = [
            LoadProfile(recorder, number, factory_columns(number, phases), self)
            for number in range(1, 1 + len(PROFILES))
        ]

    def start(self, end: int, alive_utc_s: int) -> None:
        """Begin to capture; the last life ended as app.outages says, at `alive_utc_s`.

        Whatever else ends with periods has to be started before: it is called first.
        """
        bits = 0
        if end == outages.NEVER:
            alive_utc_s = 0
        else:
            bits = NOT_FOR_BILLING
            if end == outages.OUTAGE:
                bits |= POWER_DOWN
            self._restore()
        self.started = True
        for profile, kept in zip(self.profiles, self._kept):
            profile.start(bits, kept, alive_utc_s)
        self._errors.on_serious = self._mark
        self.keep()

    def judged(self, bits: int) -> int:
        """Return a status with what lasts now."""
        return bits | (_SERIOUS if self._errors.serious() else 0)

    def keep(self) -> None:
        """Keep what the running periods have seen, if that is new."""
        bits = bytes([0 if one.period is None else one.period.bits for one in self.profiles])
        if bits != self._kept:
            try:
                self._record.save(bits)
                self._kept = bits
            except OSError:
                pass  # it holds as long as the meter has power

    def set_form(self, form: int) -> None:
        """Choose how buffers are sent. Raises ValueError, OSError."""
        if not captured.WHOLE <= form <= captured.CHANGES:
            raise ValueError("form of a buffer: 0 whole, 1 without times, 2 changes")
        self._settings.put("profile_form", bytes((form,)))
        self.form = form

    def _mark(self) -> None:
        for profile in self.profiles:
            if profile.period is not None:
                profile.period.bits |= _SERIOUS
        self.keep()

    def _restore(self) -> None:
        try:
            payload = self._record.load()
        except OSError:
            return
        if payload is not None and len(payload) == len(self._kept):
            self._kept = bytes(payload)


def factory_columns(number: int, phases: int) -> bytes:
    """Return the columns of profile 1 to 4 in a new meter."""
    columns = column(*(CLOCK[:3] + (captured.IN_HEAD,)))
    columns += column(_DATA, status_name(number), 2, captured.IN_HEAD)
    if number <= len(_FACTORY):
        pairs = _FACTORY[number - 1]
    else:  # voltages, then currents
        pairs = bytes(
            [
                octet
                for c in (12, 11)
                for phase in range(phases)
                for octet in (_PHASE_C * (phase + 1) + c, 7)
            ]
        )
    for at in range(0, len(pairs), 2):
        c, d = pairs[at], pairs[at + 1]
        size = captured.SIZE_64 if d == _COUNTER_D else captured.SIZE_32
        if c == _POWER_FACTOR_C:
            size = captured.SIZE_16
        columns += column(_REGISTER, bytes((1, 0, c, d, 0, 255)), 2, size)
    return columns
