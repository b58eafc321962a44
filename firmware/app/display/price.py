"""The price that is in force now, out of a charge object of the prepayment (row DSP-31).

The charge, class 113, is the prepayment's own; a list or the menu only names its attribute 5,
unit_charge_active: scaling of commodity and price, what is charged, and a table of an index and a
price for each rate (IEC 62056-6-2, Charge). The index ends in the number of the rate.
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

CHARGE = const(113)
UNIT_CHARGE = const(5)


def in_force(unit_charge: "Sequence[tuple[int, Any]]", rate: int) -> "tuple[int, int]":
    """Return price and scaler of a rate; a table of one price has it for every rate.

    Raises ValueError if there is no such price.
    """
    try:
        scaling, _, table = [field[1] for field in unit_charge]
        rows = [(row[1][0][1], row[1][1][1]) for row in table]
        for index, price in rows:
            if len(rows) == 1 or index[-1] == rate:
                return price, scaling[1][1]
    except (TypeError, IndexError):
        pass
    raise ValueError("no price for this rate")
