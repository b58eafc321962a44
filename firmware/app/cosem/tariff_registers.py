"""Registers of the tariff as files of registers: energy by rates and by blocks.

What they share with the totals, unit and type, is asked of the totals' own file.
"""

from micropython import const

from app.cosem import access
from app.tariff.blocks import BLOCKS
from app.tariff.rates import RATES, REGISTERS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.catalogue import Catalogue
    from app.registers import RegisterFile
    from app.tariff.blocks import Blocks
    from app.tariff.parts import TariffParts
    from app.tariff.rates import RateEnergies

_ENERGY_D = const(8)
_BLOCK_D = const(128)
_A_IMPORT_C = const(1)


class RateRegisters:
    """The rate registers, 1-0:C.8.1 to C.8.8 of eleven energies, 1.8.9 to 1.8.48 as an option.

    Rows EN-03, EN-04.
    """

    def __init__(self, rates: "RateEnergies", totals: "RegisterFile") -> None:
        self._rates = rates
        self._totals = totals

    @property
    def count(self) -> int:
        """How many there are."""
        return self._rates.count

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-0:C.D.E.255, -1 if it is no rate register."""
        if d != _ENERGY_D or not e:
            return -1
        if e > RATES:
            index = REGISTERS + e - RATES - 1
            return index if c == _A_IMPORT_C and index < self.count else -1
        kind = c - 1 if 1 <= c <= 10 else (10 if c == 15 else -1)
        return kind * RATES + e - 1 if kind >= 0 else -1

    def obis(self, index: int) -> tuple[int, int, int]:
        """Return (C, D, E) of a register."""
        if index >= REGISTERS:
            return _A_IMPORT_C, _ENERGY_D, index - REGISTERS + RATES + 1
        kind, rate = divmod(index, RATES)
        return (kind + 1 if kind < 10 else 15), _ENERGY_D, rate + 1

    def value(self, index: int) -> int:
        """Return the energy in Wh, varh or VAh."""
        return self._rates.value_wh(index)

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        c, d, _ = self.obis(index)
        return self._totals.form(self._totals.find(c, d, 0))


class BlockRegisters:
    """The registers of the blocks, 1-0:1.128.11 to .18, .21 to .28 and on (row TOU-20).

    This maker's own codes: the tens of E are the block, its ones the rate.
    """

    count = BLOCKS * RATES

    def __init__(self, blocks: "Blocks", totals: "RegisterFile") -> None:
        self._blocks = blocks
        self._totals = totals
        self._total = totals.find(_A_IMPORT_C, _ENERGY_D, 0)

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-0:C.D.E.255, -1 if it is no block register."""
        block, rate = divmod(e - 11, 10)
        if c != _A_IMPORT_C or d != _BLOCK_D or not 0 <= block < BLOCKS or rate >= RATES:
            return -1
        return block * RATES + rate

    def obis(self, index: int) -> tuple[int, int, int]:
        """Return (C, D, E) of a register."""
        block, rate = divmod(index, RATES)
        return _A_IMPORT_C, _BLOCK_D, 10 * block + rate + 11

    def value(self, index: int) -> int:
        """Return the energy in Wh."""
        return self._blocks.value_wh(index // RATES, index % RATES)

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        return self._totals.form(self._total)


def add(catalogue: "Catalogue", tariff: "TariffParts", totals: "RegisterFile") -> None:
    """Add the registers to the catalogue."""
    catalogue.add_file(RateRegisters(tariff.rates, totals), access.READINGS)
    catalogue.add_file(BlockRegisters(tariff.blocks, totals), access.READINGS)
