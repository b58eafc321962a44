"""Where everything lies in the FRAM: the one table of regions.

Offsets follow from the order and the capacities, so a region is added at the end and never moved:
a meter in the field keeps its data through an update. The first 32 KiB hold all regions, so that
the smaller FRAM chips serve as well.
"""

from micropython import const

from app.storage.record import Record, slot_size

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from hal import Memory

_FRAM_SIZE = const(32768)

# name, payload capacity in bytes, format version
_REGIONS = (
    ("energies", 256, 1),
    ("calibration", 128, 1),
    ("spare", 64, 1),
    ("clock", 64, 1),
    ("general_list", 1280, 1),
    ("alternate_list", 1280, 1),
    ("invocation_counter", 16, 1),
    ("identification", 392, 1),
    ("lls", 80, 1),  # sealed, as the ones below up to the keys
    ("lls_1", 80, 1),
    ("lls_2", 80, 1),
    ("lls_3", 80, 1),
    ("keys", 80, 1),
    ("security", 32, 1),
    ("send_counter", 8, 1),
    ("lockout", 8, 1),
    ("optical_port", 8, 1),
    ("optical_texts", 112, 1),  # sealed
    ("hdlc_optical", 16, 1),
    ("hdlc_rs485", 16, 1),
    ("tcp", 8, 1),
    ("readout_list", 1280, 1),
    ("parameters", 64, 1),
)


def region_names() -> "list[str]":
    """Return the names of all regions in the order of their addresses."""
    return [name for name, _, _ in _REGIONS]


def open_record(memory: "Memory", name: str) -> Record:
    """Return the record called `name`. Raises KeyError if the map has no such region."""
    address = 0
    for region, capacity, version in _REGIONS:
        if region == name:
            return Record(memory, address, capacity, version)
        address += 2 * slot_size(capacity)
    raise KeyError(name)


def end_address() -> int:
    """Return the first address behind the last region."""
    address = 0
    for _, capacity, _ in _REGIONS:
        address += 2 * slot_size(capacity)
    if address > _FRAM_SIZE:
        raise ValueError("regions do not fit the smallest FRAM")
    return address
