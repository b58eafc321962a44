"""The objects of a meter of two elements (row MET-34): value group B is 1 and 2, 0 both together.

What L1 of 1-0 measures is of the first element, so an element's registers are those: 1-2:1.7.0 is
to the second one what 1-0:21.7.0 is to the first. 1-b:1.8.0 is its active import, 1-2:1.8.1 to .4
that of the second one by rates, which 0-2:14.0.1 switches.
"""

from micropython import const

from app.cosem import access
from app.cosem.register import Register
from app.cosem.register_activation import Assigned, RegisterActivation
from metrology.energy import RATES_OF_ELEMENT_2, UNIT_UWS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.objects import Objects
    from app.registers import RegisterFile
    from app.tariff.activation import Activation
    from metrology.energy import Energies

_REGISTER = const(3)
_A_IMPORT_C = const(1)
_ENERGY_D = const(8)
_L1_FIRST_C = const(21)
_L1_LAST_C = const(34)
_PHASE_C = const(20)  # C of L1 is that of the total and 20


class ElementRegisters:
    """Registers by place in `names`; as a file those of the second element's rates."""

    count = RATES_OF_ELEMENT_2

    def __init__(self, energies: "Energies", totals: "RegisterFile") -> None:
        self._energies = energies
        self._totals = totals
        self._of_l1 = of_l1 = bytearray()
        self.names = names = bytearray()  # all logical names, end to end
        for b in (1, 2):
            for index in range(totals.count):
                c, d, e = totals.obis(index)
                if _L1_FIRST_C <= c <= _L1_LAST_C:
                    of_l1.append(index)
                    names += bytes((1, b, c - _PHASE_C, d, e, 255))
        for b, e in ((1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4)):
            names += bytes((1, b, _A_IMPORT_C, _ENERGY_D, e, 255))

    def value(self, index: int) -> int:
        """Return the present value."""
        of_l1 = self._of_l1
        if index < len(of_l1):
            return self._totals.of_element(of_l1[index], 2 * index // len(of_l1))
        return self._energies.element_uws[index - len(of_l1)] // UNIT_UWS

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        return self._totals.form(self._of_l1[index] if index < len(self._of_l1) else 0)

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-2:C.D.E.255, -1 if it is no register of a rate."""
        is_rate = (c, d) == (_A_IMPORT_C, _ENERGY_D) and 1 <= e <= RATES_OF_ELEMENT_2
        return e - 1 if is_rate else -1

    def obis(self, index: int) -> "tuple[int, int, int]":
        """Return (C, D, E) of the register of a rate."""
        return _A_IMPORT_C, _ENERGY_D, index + 1


def add(
    objects: "Objects", masks: "Activation", energies: "Energies", totals: "RegisterFile"
) -> None:
    """Add everything."""
    registers = ElementRegisters(energies, totals)
    objects.add_family(Register(registers), bytes(registers.names), access.READINGS)
    assigned = Assigned(masks, registers, _REGISTER, 2)
    objects.add((0, 2, 14, 0, 1), RegisterActivation(), assigned, access.SETTINGS)
