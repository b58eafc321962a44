"""The root of the smallest meter, for a first look: what it measures is on glass and LEDs.

It has the core and reads by itself what its lists name: there are no objects, no port is served,
nothing is logged. What other choices keep in the memories stays there untouched.
"""

from micropython import const

import version
from app import start_checks
from app.attributes import OBJECT_UNDEFINED
from app.core import Core
from app.errors import AccessRefused
from app.face import Face
from app.identification import firmware_identification

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.attributes import Reference
    from hal import Board

_REGISTER = const(3)
_NO_UNIT = const(255)


class Meter(Core):
    """The core with a face."""

    def __init__(self, board: "Board") -> None:
        super().__init__(board, board.fram)
        device_type = self.identification.device_type
        self._texts = {
            b"\x00\x00\x00": self.identification.device_number,
            b"\x00\x02\x00": lambda: firmware_identification("ME", device_type, version.METROLOGY),
            b"\x00\x09\x01": self.clock.time,
            b"\x00\x09\x02": self.clock.date,
        }
        self.face = Face(self, self._read)
        self.face.status.fault = lambda: bool(self.problems)
        start_checks.stored(self, self.problem)

    def _read(self, reference: "Reference") -> "tuple[bytes | int, int, int]":
        """Read a value with scaler and unit, as display.reading.Read does."""
        name = reference.logical_name
        if name[:2] == b"\x01\x00" and name[5] == 255 and reference.index == 2:
            c, d, e = name[2:5]
            index = self.registers.find(c, d, e)
            if reference.class_id == _REGISTER and index >= 0:
                scaler, unit, _ = self.registers.form(index)
                return self.registers.value(index), scaler, unit
            text = self._texts.get(bytes(name[2:5]))
            if text is not None:
                return text(), 0, _NO_UNIT
        raise AccessRefused(OBJECT_UNDEFINED)
