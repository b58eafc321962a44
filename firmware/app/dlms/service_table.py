"""Which request is answered by what, and what must have been negotiated for it (row SEC-69)."""

from micropython import const

from app.dlms import conformance
from app.dlms.services import ACTION_REQUEST, GET_REQUEST, SET_REQUEST

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.dlms.get import Get
    from app.dlms.put import Action, Set
    from hal import Buffer

    # what answers a request, what must have been negotiated for it
    Service = tuple[Callable[[Buffer, bytearray], int], int]


def table(get: "Get", set_: "Set", action: "Action") -> "dict[int, tuple[Service | None, ...]]":
    """Return the services by tag and type of the request."""
    return {
        GET_REQUEST: (
            None,
            (get.normal, conformance.GET),
            (get.blocks.next, conformance.GET | conformance.BLOCK_TRANSFER_WITH_GET),
            (get.with_list, conformance.GET | conformance.MULTIPLE_REFERENCES),
        ),
        SET_REQUEST: (
            None,
            (set_.normal, conformance.SET),
            (set_.first_block, conformance.SET | conformance.BLOCK_TRANSFER_WITH_SET),
            (set_.block, conformance.SET | conformance.BLOCK_TRANSFER_WITH_SET),
            (set_.with_list, conformance.SET | conformance.MULTIPLE_REFERENCES),
            (
                set_.with_list_first_block,
                conformance.SET
                | conformance.MULTIPLE_REFERENCES
                | conformance.BLOCK_TRANSFER_WITH_SET,
            ),
        ),
        ACTION_REQUEST: (
            None,
            (action.normal, conformance.ACTION),
            (
                action.blocks.next,
                conformance.ACTION | conformance.BLOCK_TRANSFER_WITH_ACTION,
            ),
            (action.with_list, conformance.ACTION | conformance.MULTIPLE_REFERENCES),
            (action.first_block, conformance.ACTION | conformance.BLOCK_TRANSFER_WITH_ACTION),
            (
                action.with_list_first_block,
                conformance.ACTION
                | conformance.MULTIPLE_REFERENCES
                | conformance.BLOCK_TRANSFER_WITH_ACTION,
            ),
            (action.block, conformance.ACTION | conformance.BLOCK_TRANSFER_WITH_ACTION),
        ),
    }
