"""Who this meter is: serial number, logical device name, system title, device IDs.

Rows IDN-01 to IDN-04. The serial number comes from the board's unique id until production writes
its own; the other device IDs are free texts of the utility.
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.settings import Settings
    from hal import Variant

MANUFACTURER = "FRS"
_TYPE_SINGLE_PHASE = const(102)  # IP meter, single phase
_TYPE_POLY_PHASE = const(103)  # IP meter, polyphase
_FUNCTIONS = const(0x07)  # disconnector, load management, multi utility
_LAST_DEVICE_ID = const(8)
_MAX_DEVICE_ID = const(48)


class Identification:
    """The meter's names and numbers."""

    def __init__(self, unique_id: bytes, variant: "Variant", settings: "Settings") -> None:
        self._settings = settings
        self.serial = int.from_bytes(unique_id, "big") % 100_000_000
        self.device_type = _TYPE_POLY_PHASE if variant.phases == 3 else _TYPE_SINGLE_PHASE
        self._ids = [b""] * (_LAST_DEVICE_ID + 1)
        self._unpack(settings.get("identification"))

    def serial_number(self) -> bytes:
        """Return the serial number as 8 ASCII digits."""
        return b"%08d" % self.serial

    def device_number(self) -> bytes:
        """Return what stands on the label, 1-0:0.0.0: the serial number unless it was set."""
        return self._settings.get("device_number") or self.serial_number()

    def logical_device_name(self) -> bytes:
        """Return 16 ASCII octets: manufacturer, device type, function type, serial (IDN-01)."""
        return b"%s%03d%02d%08d" % (
            MANUFACTURER.encode(),
            self.device_type,
            _FUNCTIONS,
            self.serial,
        )

    def system_title(self) -> bytes:
        """Return 8 octets: manufacturer, type, 4 bits of functions, 28 bits of serial (IDN-02)."""
        number = (_FUNCTIONS << 28) | self.serial
        return MANUFACTURER.encode() + bytes((self.device_type,)) + number.to_bytes(4, "big")

    def eui_64(self) -> bytes:
        """Return 8 octets: the manufacturer's letters as a local administrator's, the serial."""
        return b"\x02" + MANUFACTURER.encode() + self.serial.to_bytes(4, "big")

    def device_id(self, e: int) -> bytes:
        """Return device ID 0..8 of 0-0:96.1.e; 0 is the serial number. IndexError above."""
        return self.serial_number() if e == 0 else self._ids[e]

    def set_device_id(self, e: int, value: bytes) -> None:
        """Store device ID 1..8. Raises ValueError for more than 48 octets or for the serial."""
        if not 1 <= e <= _LAST_DEVICE_ID:
            raise ValueError("the serial number is set in production only")
        if len(value) > _MAX_DEVICE_ID:
            raise ValueError("a device ID has at most 48 octets")
        ids = list(self._ids)
        ids[e] = bytes(value)
        packed = bytearray()
        for text in ids[1:]:
            packed.append(len(text))
            packed += text
        self._settings.put("identification", packed)
        self._ids = ids

    def _unpack(self, packed: bytes) -> None:
        offset = 0
        for e in range(1, _LAST_DEVICE_ID + 1):
            if offset >= len(packed):
                return
            end = offset + 1 + packed[offset]
            self._ids[e] = packed[offset + 1 : end]
            offset = end


def firmware_identification(tag: str, device_type: int, release: str) -> bytes:
    """Return 16 ASCII octets: maker 3, tag 2, type 5, revision 6 as M, mmm, bb (row IDN-06)."""
    major, minor, build = (int(number) for number in release.split("."))
    return b"FRS%sIP%03d%d%03d%02d" % (tag.encode(), device_type, major, minor, build)
