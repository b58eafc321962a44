"""Reads what a list names from the meter's objects."""

from micropython import const

from app import attributes

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Any

_NO_UNIT = const(255)
_REGISTER = const(3)
_EXTENDED_REGISTER = const(4)
_DEMAND_REGISTER = const(5)


class AttributeReader:
    """Reads an attribute with its scaler and unit: a `Read` over a resolver."""

    def __init__(self, resolver: "attributes.Resolver") -> None:
        self._resolver = resolver
        self._last: attributes.Reference | None = None
        self._scaler = 0
        self._unit = _NO_UNIT

    def __call__(self, reference: "attributes.Reference") -> "tuple[Any, int, int]":
        """Return value, scaler, unit; these two are asked for once an item."""
        value = self._resolver.read(reference)[1]
        if reference is not self._last:
            self._scaler, self._unit = self._scaler_unit(reference)
            self._last = reference
        return value, self._scaler, self._unit

    def _scaler_unit(self, reference: "attributes.Reference") -> "tuple[int, int]":
        class_id = reference.class_id
        if class_id in (_REGISTER, _EXTENDED_REGISTER) and reference.index == 2:
            index = 3
        elif class_id == _DEMAND_REGISTER and reference.index in (2, 3):
            index = 4
        else:
            return 0, _NO_UNIT
        name = reference.logical_name
        pair = self._resolver.read(attributes.Reference(class_id, name, index))[1]
        return pair[0][1], pair[1][1]
