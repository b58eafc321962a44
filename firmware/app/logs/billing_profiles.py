"""The profiles of the end of billing and what they capture in a new meter (rows BIL-01 to BIL-04).

Billing 1: clock, counter, energies with the rates 1 to 4 of active import, and the maximum demand
with its time. Billing 2: clock, cause, active import in two rates. Daily billing: clock, energies.
Each may be given up to 40 other columns.
"""

from micropython import const

from app.logs.captured import IN_HEAD, SIZE_8, SIZE_32, SIZE_64, SIZE_TIME, CapturedRows, column
from app.rows import CLOCK

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.logs.captured import Recorder

_COLUMNS_MOST = const(40)
_DATA = const(1)
_REGISTER = const(3)
_EXTENDED_REGISTER = const(4)
_CAPTURE_TIME = const(5)
_COUNTER = b"\x00\x00\x00\x01\x00\xff"
_CAUSE = b"\x00\x00\x80\x0a\x08\xff"


def _energies(*codes: "tuple[int, int]") -> bytes:
    """Return columns of 1-0:C.8.E; each is (C, E)."""
    names = [bytes((1, 0, c, 8, e, 255)) for c, e in codes]
    return b"".join([column(_REGISTER, name, 2, SIZE_64) for name in names])


def factory_columns() -> tuple[bytes, bytes, bytes]:
    """Return the columns of billing 1, billing 2 and daily billing in a new meter."""
    clock = column(CLOCK[0], CLOCK[1], CLOCK[2], IN_HEAD)
    billing_1 = clock + column(_DATA, _COUNTER, 2, SIZE_32)
    billing_1 += _energies((1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 0), (3, 0), (4, 0))
    for c in (1, 2):
        name = bytes((1, 0, c, 6, 0, 255))
        billing_1 += column(_EXTENDED_REGISTER, name, 2, SIZE_32)
        billing_1 += column(_EXTENDED_REGISTER, name, _CAPTURE_TIME, SIZE_TIME)
    billing_2 = clock + column(_DATA, _CAUSE, 2, SIZE_8) + _energies((1, 1), (1, 2))
    daily = clock + _energies((1, 0), (2, 0), (3, 0), (4, 0))
    return billing_1, billing_2, daily


def open_all(recorder: "Recorder") -> "tuple[CapturedRows, CapturedRows, CapturedRows]":
    """Return billing 1, billing 2 and daily billing."""
    billing_1, billing_2, daily = factory_columns()
    return (
        CapturedRows(recorder, "billing_1", "billing_1_setup", billing_1, _COLUMNS_MOST),
        CapturedRows(recorder, "billing_2", "billing_2_setup", billing_2, _COLUMNS_MOST),
        CapturedRows(recorder, "daily_billing", "daily_setup", daily, _COLUMNS_MOST),
    )
