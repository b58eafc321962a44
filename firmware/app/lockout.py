"""The lock after failed log-ins: counted, timed, kept over power cuts (row SEC-20).

Wrong passwords and wrong keys of all clients on all ports are counted together. When the limit is
reached, every attempt to authenticate is refused for 60 s, right ones too; reading as the public
client goes on. A power cut does not shorten the lock: it starts over, because only the meter's
ticks tell how long it has lasted, and they start over too.
"""

import struct

from micropython import const

from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Memory

_LIMIT = const(3)  # of a meter fresh from the factory
_HIGHEST_LIMIT = const(20)
_LOCKED_MS = const(60_000)
_TICKS_MASK = const(0x3FFFFFFF)  # ticks count modulo 2**30
_FORM = ">BBI"


class Lockout:
    """The lock; times are the ticks of the transports."""

    def __init__(self, memory: "Memory", utc_s: "Callable[[], int]") -> None:
        self._record = regions.open_record(memory, "lockout")
        self._utc_s = utc_s
        self.count = 0  # failures since the last success or the end of the last lock
        self.limit = _LIMIT
        self.last_failure_utc_s = 0
        self._since_ms = -1  # when the lock began, -1: not known since power-up
        self._load()

    def locked(self, now_ms: int) -> bool:
        """Tell whether every log-in is refused now."""
        if self.count < self.limit:
            return False
        if self._since_ms < 0:
            self._since_ms = now_ms
        if (now_ms - self._since_ms) & _TICKS_MASK < _LOCKED_MS:
            return True
        self.count = 0
        self._store()
        return False

    def failed(self, now_ms: int) -> bool:
        """Count a failure; tell whether it is the one that locks."""
        if self.count < self.limit:
            self.count += 1
        self._since_ms = now_ms
        self.last_failure_utc_s = self._utc_s()
        self._store()
        return self.count == self.limit

    def succeeded(self) -> None:
        """Forget the failures before a successful log-in."""
        if self.count:
            self.count = 0
            self._store()

    def set_limit(self, limit: int) -> None:
        """Set how many failures lock. Raises ValueError out of 1..20, OSError."""
        if not 1 <= limit <= _HIGHEST_LIMIT:
            raise ValueError("the limit of failed log-ins is 1 to 20")
        self._record.save(struct.pack(_FORM, self.count, limit, self.last_failure_utc_s))
        self.limit = limit

    def _load(self) -> None:
        try:
            payload = self._record.load()
        except OSError:
            return
        if payload is not None and len(payload) == struct.calcsize(_FORM):
            self.count, limit, self.last_failure_utc_s = struct.unpack_from(_FORM, payload)
            self.limit = min(max(limit, 1), _HIGHEST_LIMIT)

    def _store(self) -> None:
        try:
            self._record.save(struct.pack(_FORM, self.count, self.limit, self.last_failure_utc_s))
        except OSError:
            pass  # the lock holds as long as the meter has power
