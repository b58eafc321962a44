"""Which request is answered by what, and what must have been negotiated for it (row SEC-69)."""

from micropython import const

from app.dlms import conformance
from app.dlms.services import ACTION_REQUEST, GET_REQUEST, SET_REQUEST

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

# By tag and type of the request: which method of Get, Set or Action answers it, what must have
# been negotiated for it.
TABLE = {
    GET_REQUEST: (
        None,
        ("normal", conformance.GET),
        ("next_block", conformance.GET | conformance.BLOCK_TRANSFER_WITH_GET),
        ("with_list", conformance.GET | conformance.MULTIPLE_REFERENCES),
    ),
    SET_REQUEST: (
        None,
        ("normal", conformance.SET),
        ("first_block", conformance.SET | conformance.BLOCK_TRANSFER_WITH_SET),
        ("block", conformance.SET | conformance.BLOCK_TRANSFER_WITH_SET),
        ("with_list", conformance.SET | conformance.MULTIPLE_REFERENCES),
        (
            "with_list_first_block",
            conformance.SET
            | conformance.MULTIPLE_REFERENCES
            | conformance.BLOCK_TRANSFER_WITH_SET,
        ),
    ),
    ACTION_REQUEST: (
        None,
        ("normal", conformance.ACTION),
        ("next_block", conformance.ACTION | conformance.BLOCK_TRANSFER_WITH_ACTION),
        ("with_list", conformance.ACTION | conformance.MULTIPLE_REFERENCES),
        ("first_block", conformance.ACTION | conformance.BLOCK_TRANSFER_WITH_ACTION),
        (
            "with_list_first_block",
            conformance.ACTION
            | conformance.MULTIPLE_REFERENCES
            | conformance.BLOCK_TRANSFER_WITH_ACTION,
        ),
        ("block", conformance.ACTION | conformance.BLOCK_TRANSFER_WITH_ACTION),
    ),
}


def find(apdu: "Buffer") -> "tuple[str, int] | None":
    """Return what answers a request of which the tag is in TABLE, None for an unknown type."""
    types = TABLE[apdu[0]]
    return types[apdu[1]] if apdu[1] < len(types) else None
