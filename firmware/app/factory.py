"""What a meter leaves the factory with: its lists (rows DSP-15, DSP-16, P1-06, OPT-09).

A list is kept as attribute 3 of class 7 is encoded: an array of structures of class, logical name,
attribute and data index, so what a client writes and what the factory wrote look alike.
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Variant

_DATA = const(1)
_REGISTER = const(3)
_PHASE_C = const(20)

# class, then C, D, E of 1-0:C.D.E.255
_GENERAL = (
    (_REGISTER, 1, 8, 0),
    (_REGISTER, 2, 8, 0),
    (_REGISTER, 3, 8, 0),
    (_REGISTER, 4, 8, 0),
    (_REGISTER, 1, 7, 0),
    (_DATA, 0, 9, 2),
    (_DATA, 0, 9, 1),
)
_ENERGIES_C = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16)
_POWERS_C = (1, 2, 3, 4, 9, 10)


def general_list() -> bytes:
    """Return the list that scrolls by itself, 0-0:21.0.1."""
    return _encoded(_GENERAL)


def alternate_list(variant: "Variant") -> bytes:
    """Return the list that the scroll key steps through, 0-0:21.0.2."""
    items = [(_DATA, 0, 0, 0), (_DATA, 0, 9, 2), (_DATA, 0, 9, 1)]
    items += [(_REGISTER, c, 8, 0) for c in _ENERGIES_C]
    items += [(_REGISTER, c, 7, 0) for c in _POWERS_C]
    for c in (12, 11, 13):  # voltages, then currents, then power factors
        items += [(_REGISTER, _PHASE_C * n + c, 7, 0) for n in range(1, variant.phases + 1)]
    items += [(_REGISTER, 14, 7, 0), (_DATA, 0, 2, 0)]
    return _encoded(items)


def readout_list(variant: "Variant") -> bytes:
    """Return what the data read-out of the ports shows, 0-0:21.0.0."""
    items = [(_DATA, 0, 0, 0), (_DATA, 0, 9, 1), (_DATA, 0, 9, 2)]
    items += [(_REGISTER, c, 8, 0) for c in _ENERGIES_C]
    items += [(_REGISTER, c, 7, 0) for c in _POWERS_C]
    for c in (12, 11):
        items += [(_REGISTER, _PHASE_C * n + c, 7, 0) for n in range(1, variant.phases + 1)]
    items += [(_REGISTER, 14, 7, 0), (_DATA, 0, 2, 0)]
    return _encoded(items)


def _encoded(
    items: "list[tuple[int, int, int, int]] | tuple[tuple[int, int, int, int], ...]",
) -> bytes:
    encoded = bytearray((0x01, len(items)))
    for class_id, c, d, e in items:
        encoded += bytes((0x02, 0x04, 0x12, 0, class_id, 0x09, 6, 1, 0, c, d, e, 255))
        encoded += b"\x0f\x02\x12\x00\x00"
    return bytes(encoded)
