"""Settings that survive power loss: one A/B record for each key, defaults where none was written.

A setting is a short string of bytes whose layout belongs to the module that uses it. Reading costs
no bus access after start. When the FRAM does not answer, the meter goes on with what it has and
`failed` tells so. Secrets rest sealed (row SEC-61); one that was written and cannot be read any
more is empty and opens nothing, for the factory's value would open the meter to anyone.
"""

from micropython import const

from app.storage import record, regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.storage.record import Migrate
    from app.storage.vault import Vault
    from hal import Buffer, Memory

# What a meter fresh from the factory opens with: public test material, docs/virtual-meter.md.
# Block cipher key, broadcast key, authentication key, master key.
_FACTORY_KEYS = (
    b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
    b"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
    b"\xd0\xd1\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xdb\xdc\xdd\xde\xdf"
    b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
)
_SECRETS = ("lls", "lls_1", "lls_2", "lls_3", "keys", "optical_texts", "key_pairs", "privacy_pin")

_KEYS = (
    "lls",
    "clock",
    "general_list",
    "alternate_list",
    "identification",
    "lls_1",
    "lls_2",
    "lls_3",
    "keys",
    "security",
    "optical_texts",
    "optical_port",
    "hdlc_optical",
    "hdlc_rs485",
    "tcp",
    "readout_list",
    "clock_limits",
    "dst_table",
    "battery",
    "events",
    "alarm_actions",
    "quality",
    "key_pairs",
    "energy_masks",
    "demand_masks",
    "element_masks",
    "special_days",
    "tariff_scripts",
    "calendar_start",
    "tariff_control",
    "many_rates",
    "energy_masks_48",
    "tariff_scripts_48",
    "billing_1_schedule",
    "billing_2_schedule",
    "device_number",
    "overheating",
    "accuracy_class",
    "profile_1_setup",
    "profile_2_setup",
    "profile_3_setup",
    "profile_4_setup",
    "billing_options",
    "billing_1_setup",
    "billing_2_setup",
    "daily_setup",
    "weeks_setup",
    "profile_form",
    "display_formats",
    "display_items",
    "display_options",
    "consumer_code",
    "bypass",
    "thresholds",
    "contact",
    "privacy_pin",
)

# Factory defaults; of all others it is nothing: the parts know what that means to them.
_DEFAULTS = {
    "lls": b"12345678",
    "keys": _FACTORY_KEYS,
    # The head's own address (none: the serial number), then its passwords P1, P2 and W5
    "optical_texts": b"\x00" + 3 * b"\x0812345678",
}

# What brings a value of an older format version up to today's: key, callable(payload, version).
_MIGRATIONS: "dict[str, Migrate]" = {}


class Settings:
    """The meter's settings over `memory`; without a vault secrets cannot be stored."""

    def __init__(self, memory: "Memory", vault: "Vault | None" = None) -> None:
        self._memory = memory
        self._vault = vault
        self._values: dict[str, bytes] = {}  # those that are not the factory's
        self.unread = False  # True: the memory did not answer at start, nothing of it is known
        self.damaged: list[str] = []  # keys whose both copies were unreadable: defaults serve
        self.failed = False  # True: the memory did not answer, or did not keep a value
        self.on_change: Callable[[str], None] | None = None  # called with a key that was stored
        for key in _KEYS:
            self._hold(key, self._load(key))

    def get(self, key: str) -> bytes:
        """Return the value of `key`. Raises KeyError for a key that does not exist."""
        value = self._values.get(key)
        return _default(key) if value is None else value

    def put(self, key: str, value: "Buffer") -> None:
        """Store `value` under `key`; after return it survives power loss.

        Raises KeyError for an unknown key, ValueError if it is too long for its region, OSError if
        the memory does not answer or does not keep it, or a later firmware's value stands there;
        the old value stays in all cases.
        """
        if key not in _KEYS:
            raise KeyError(key)
        self._store(key, value)
        self._hold(key, bytes(value))
        if key in self.damaged:
            self.damaged.remove(key)
        if self.on_change is not None:
            self.on_change(key)

    def renew(self, key: str, payload: "Buffer") -> bool:
        """Take a sound record over if RAM has lost its value; True if it has not."""
        if key not in _KEYS or key in self.damaged or self.unread:
            return True
        value = self._opened(key, payload) if key in _SECRETS else bytes(payload)
        if value == self.get(key) or key in self.damaged:
            return True
        self._hold(key, value)
        return False

    def restore(self, key: str) -> None:
        """Store the value of `key` again: both copies of it have been damaged meanwhile."""
        if key in _KEYS and key not in self.damaged:
            try:
                self._store(key, self.get(key))
            except OSError:
                pass  # `failed` tells

    def _hold(self, key: str, value: bytes) -> None:
        if value != _default(key):
            self._values[key] = value
        elif key in self._values:
            del self._values[key]

    def _store(self, key: str, value: "Buffer") -> None:
        region = regions.open_record(self._memory, key)
        try:
            region.load()
            region.save(self._sealed(key, value))
        except OSError:
            self.failed = True
            raise

    def _sealed(self, key: str, value: "Buffer") -> "Buffer":
        if key not in _SECRETS:
            return value
        if self._vault is None:
            raise ValueError("a secret needs a vault")
        return self._vault.seal(key, value)

    def _load(self, key: str) -> bytes:
        region = regions.open_record(self._memory, key)
        try:
            payload = region.load(_MIGRATIONS.get(key))
        except OSError:
            self.failed = self.unread = True
            return b"" if key in _SECRETS else _default(key)
        if payload is not None and key not in _SECRETS:
            return bytes(payload)
        if payload is None and region.state < record.LOST:
            return _default(key)
        return self._opened(key, payload)

    def _opened(self, key: str, payload: "Buffer | None") -> bytes:
        """Return the secret in a payload, or what serves instead of a damaged setting."""
        if payload is not None and self._vault is not None:
            try:
                return self._vault.open(key, payload)
            except ValueError:
                pass  # sealed by another processor, or not by a meter at all
        self.damaged.append(key)
        return b"" if key in _SECRETS else _default(key)


def _default(key: str) -> bytes:
    if key not in _KEYS:
        raise KeyError(key)
    return _DEFAULTS.get(key, b"")
