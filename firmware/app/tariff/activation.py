"""Which registers count: named sets of registers, one of them active (class 6, rows TOU-08 to 11).

One Activation serves the rate registers of energy, another one those of maximum demand, so that
both can be switched apart (row DEM-14). The sets rest in a setting, the name of the active one
with them.
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import Settings
    from hal import Buffer

MASKS_MAX = const(16)
NAME_MAX = const(8)
NO_RATE = b"\x00\x00"  # name of the set of no registers, which always exists (row TOU-16)


def rate_name(rate: int) -> bytes:
    """Return the factory's name of the set of one rate."""
    return bytes((0, rate))


def rate_of(name: bytes, rates: int) -> int:
    """Return the rate that a set is called after, 0 for other names."""
    return name[1] if len(name) == 2 and name[0] == 0 and name[1] <= rates else 0


class Activation:
    """Named sets of `count` registers over the setting `key`; `switch(set)` makes one count.

    `factory` yields the sets that a new meter has, called rate_name(1) and so on.
    """

    def __init__(
        self,
        settings: "Settings",
        key: str,
        count: int,
        factory: "Callable[[int], bytes]",
        rates: int,
        switch: "Callable[[bytes], None]",
    ) -> None:
        self._settings = settings
        self._switch = switch
        self.masks: list[tuple[bytes, bytes]] = []
        self.active = rate_name(1)
        self.use(key, count, factory, rates)

    def use(self, key: str, count: int, factory: "Callable[[int], bytes]", rates: int) -> None:
        """Work on the sets under another key, of other registers; `apply` then switches."""
        self._key = key
        self.count = count
        self.masks_max = max(MASKS_MAX, rates)
        stored = self._settings.get(key)
        if stored:
            self.masks = []
            self._decode(stored)
            return
        self.masks = [(rate_name(rate), factory(rate)) for rate in range(1, rates + 1)]
        if self._find(self.active) is None:
            self.active = rate_name(1)

    @property
    def mask_size(self) -> int:
        """Octets of a set."""
        return (self.count + 7) // 8

    def indices(self, mask: "Buffer") -> "list[int]":
        """Return the numbers of the registers in a set, rising."""
        return [n for n in range(self.count) if mask[n >> 3] >> (n & 7) & 1]

    def activate(self, name: bytes) -> None:
        """Make the registers of a set count from now on. Raises ValueError for an unknown name."""
        mask = self._find(name)
        if mask is None:
            raise ValueError("no mask has this name")
        if name != self.active:
            before = self.active
            self.active = name
            try:
                self._keep(self.masks)
            except OSError:
                self.active = before
                raise
        self._switch(mask)

    def apply(self) -> None:
        """Switch to the active set once more: power may have gone before it took effect."""
        mask = self._find(self.active)
        if mask is not None:
            self._switch(mask)

    def add(self, name: bytes, indices: "list[int]") -> None:
        """Add a set, or replace the one of this name (method add_mask).

        Raises ValueError for a name of more than 8 octets or none, a register that does not
        exist, or a set too many.
        """
        mask = self._mask(name, indices)
        self._keep([entry for entry in self.masks if entry[0] != name] + [(name, mask)])
        if name == self.active:
            self._switch(mask)

    def delete(self, name: bytes) -> None:
        """Remove a set (method delete_mask). Raises ValueError for the active or no name."""
        if name == self.active:
            raise ValueError("the active mask cannot be deleted")
        if name not in [entry for entry, _ in self.masks]:
            raise ValueError("no mask has this name")
        self._keep([entry for entry in self.masks if entry[0] != name])

    def replace(self, masks: "list[tuple[bytes, list[int]]]") -> None:
        """Replace all sets (attribute mask_list). Raises ValueError, and keeps the old ones.

        The new sets must hold one of the active name: something has to count.
        """
        names = [name for name, _ in masks]
        if len(set(names)) != len(names):
            raise ValueError("two masks have one name")
        if self.active not in names and self.active != NO_RATE:
            raise ValueError("the active mask cannot be left out")
        self._keep([(name, self._mask(name, indices)) for name, indices in masks])
        self.apply()

    def _mask(self, name: bytes, indices: "list[int]") -> bytes:
        if not 1 <= len(name) <= NAME_MAX:
            raise ValueError("a mask's name has 1 to 8 octets")
        mask = bytearray(self.mask_size)
        for index in indices:
            if not 0 <= index < self.count:
                raise ValueError("no such register is assigned")
            mask[index >> 3] |= 1 << (index & 7)
        return bytes(mask)

    def _find(self, name: bytes) -> "bytes | None":
        for entry, mask in self.masks:
            if entry == name:
                return mask
        return bytes(self.mask_size) if name == NO_RATE else None

    def _keep(self, masks: "list[tuple[bytes, bytes]]") -> None:
        """Store the sets and the active name. Raises ValueError if they are too many, OSError."""
        if len(masks) > self.masks_max:
            raise ValueError("a meter has at most 16 masks, or one for each of 48 rates")
        encoded = bytearray((len(self.active),)) + self.active
        for name, mask in masks:
            encoded.append(len(name))
            encoded += name + mask
        self._settings.put(self._key, encoded)
        self.masks = masks

    def _decode(self, stored: bytes) -> None:
        at = 1 + stored[0]
        self.active = stored[1:at]
        while at < len(stored):
            end = at + 1 + stored[at]
            self.masks.append((stored[at + 1 : end], stored[end : end + self.mask_size]))
            at = end + self.mask_size
