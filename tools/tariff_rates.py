"""What stands between a calendar and the registers: scripts that switch, masks that count.

Script n of 0-0:10.0.100 writes the active mask of 0-0:14.0.1; the registers in that mask count.
A meter from the factory has all eight; what is missing is added here, what does something else is
left unless the user says otherwise.
"""

from __future__ import annotations

from typing import Any

from gurux_dlms import GXArray, GXEnum, GXInt8, GXStructure, GXUInt8, GXUInt16
from gurux_dlms.enums import DataType
from meter_link import OBJECT_UNDEFINED, Link, LinkError, Refused
from tariff_cosem import logical_name
from tariff_model import SCRIPTS

ENERGY_MASKS = "0-0:14.0.1"
DEMAND_MASKS = "0-0:14.0.2"
_SCRIPT_CLASS = 9
_MASK_CLASS = 6
_ASSIGNMENT, _MASKS, _ACTIVE = 2, 3, 4
_ADD_MASK = 2
_WRITE = 1
_ACTIVE_IMPORT = b"\x01\x00\x01\x08"  # 1-0:1.8


class Rates:
    """The scripts and masks of a meter. Raises LinkError for what they cannot be."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._scripts: list[Any] = link.get_typed(_SCRIPT_CLASS, SCRIPTS, 2) or []
        self._assigned = self._assignment(ENERGY_MASKS)
        self._masks = self._mask_list(ENERGY_MASKS)
        try:
            self._demand: list[Any] | None = self._assignment(DEMAND_MASKS)
        except Refused as error:
            if error.code != OBJECT_UNDEFINED:
                raise
            self._demand = None  # a meter without demand registers

    def trouble(self, rate: int) -> str:
        """Return what keeps a rate from counting, in words; nothing if it counts."""
        try:
            actions = next(
                (script[1] or [] for script in self._scripts if script[0] == rate), None
            )
            if actions is None:
                return f"script {rate} of {SCRIPTS} is missing"
            names = [
                bytes(parameter)
                for service, class_id, name, index, parameter in actions
                if (service, class_id, index) == (_WRITE, _MASK_CLASS, _ACTIVE)
                and bytes(name) == logical_name(ENERGY_MASKS)
            ]
        except (TypeError, ValueError, IndexError) as error:
            raise LinkError(f"the meter's {SCRIPTS} is no table of scripts") from error
        if not names:
            return f"script {rate} of {SCRIPTS} writes no mask of {ENERGY_MASKS}"
        mask = self._masks.get(names[-1])
        if mask is None:
            return f"{ENERGY_MASKS} has no mask {names[-1].hex()}, which script {rate} writes"
        register = self._import_register(rate)
        if register and register not in mask:
            return f"1-0:1.8.{rate} is not in the mask {names[-1].hex()} that script {rate} writes"
        return ""

    def missing(self, rate: int) -> bool:
        """True if nothing has to be overwritten to make a rate count."""
        return all(script[0] != rate for script in self._scripts)

    def repair(self, rates: list[int]) -> None:
        """Give rates the scripts and masks that a meter has from the factory. Raises Refused."""
        for rate in rates:
            register = self._import_register(rate)
            if register not in self._masks.get(_mask_name(rate), []):
                self._put_mask(ENERGY_MASKS, self._assigned, rate)
            if self._demand is not None and _mask_name(rate) not in self._mask_list(DEMAND_MASKS):
                self._put_mask(DEMAND_MASKS, self._demand, rate)
        table = GXArray()
        kept = [script for script in self._scripts if script[0] not in rates]
        made = [[rate, self._factory(rate)] for rate in rates]
        for number, actions in sorted(kept + made, key=lambda script: script[0]):
            encoded = GXArray()
            for action in actions or ():
                encoded.append(_structure(*action))
            table.append(_structure(GXUInt16(number), encoded))
        self._link.set(_SCRIPT_CLASS, SCRIPTS, 2, DataType.ARRAY, table)

    def _factory(self, rate: int) -> list[list[object]]:
        codes = [ENERGY_MASKS] + ([DEMAND_MASKS] if self._demand is not None else [])
        return [
            [GXEnum(_WRITE), GXUInt16(_MASK_CLASS), logical_name(code), GXInt8(_ACTIVE),
             _mask_name(rate)]
            for code in codes
        ]  # fmt: skip

    def _put_mask(self, code: str, assigned: list[Any], rate: int) -> None:
        indices = GXArray()
        for number, (_, name) in enumerate(assigned, 1):
            if bytes(name)[4] == rate:
                indices.append(GXUInt8(number))
        value = _structure(_mask_name(rate), indices)
        self._link.call(_MASK_CLASS, code, _ADD_MASK, DataType.STRUCTURE, value)

    def _import_register(self, rate: int) -> int:
        """Return the number of 1-0:1.8.rate among the assigned registers, 0 if it is none."""
        wanted = _ACTIVE_IMPORT + bytes((rate, 255))
        names = [bytes(name) for _, name in self._assigned]
        return names.index(wanted) + 1 if wanted in names else 0

    def _assignment(self, code: str) -> list[Any]:
        return self._link.get(_MASK_CLASS, code, _ASSIGNMENT) or []

    def _mask_list(self, code: str) -> dict[bytes, list[int]]:
        masks = self._link.get(_MASK_CLASS, code, _MASKS) or []
        return {bytes(name): list(indices or ()) for name, indices in masks}


def _mask_name(rate: int) -> bytes:
    return bytes((0, rate))


def _structure(*parts: object) -> GXStructure:
    structure = GXStructure()
    structure.extend([bytearray(part) if isinstance(part, bytes) else part for part in parts])
    return structure
