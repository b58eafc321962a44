"""Where everything lies in the FRAM and in the flash: the one table of regions and rings.

Offsets follow from the order and the capacities, so a region is added at the end and never moved:
a meter in the field keeps its data through an update. The first 32 KiB hold all regions, so that
the smaller FRAM chips serve as well. Rings take whole sectors of flash by the same rule; a ring's
number is its place in the table.
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
    ("power", 48, 1),
    ("clock_limits", 8, 1),
    ("dst_table", 200, 1),
    ("battery", 16, 1),
)

# Behind the regions, at the end of the smallest FRAM: rows on their way to flash.
JOURNAL_SIZE = const(4096)
JOURNAL_ADDRESS = const(28672)

# name, sectors of 4 KiB, most rows (0: as many as fit for certain)
RINGS = (
    ("standard_log", 8, 500),
    ("fraud_log", 8, 500),
    ("disconnector_log", 8, 500),
    ("mbus_log", 8, 500),
    ("quality_log", 8, 500),
    ("communication_log", 8, 500),
    ("load_log", 8, 500),
    ("firmware_log", 12, 500),
    ("security_log", 8, 500),
    ("prepayment_log", 8, 500),
    ("power_failure_log", 8, 500),
    ("certification_log", 8, 100),
    ("mbus_control_log_1", 8, 340),
    ("mbus_control_log_2", 8, 340),
    ("mbus_control_log_3", 8, 340),
    ("mbus_control_log_4", 8, 340),
    ("load_profile_1", 176, 0),
    ("load_profile_2", 112, 0),
    ("load_profile_3", 176, 0),
    ("load_profile_4", 40, 0),
    ("billing_1", 24, 0),
    ("billing_2", 32, 0),
    ("daily_billing", 12, 0),
    ("mbus_profile_1", 48, 0),
    ("mbus_profile_2", 48, 0),
    ("mbus_profile_3", 48, 0),
    ("mbus_profile_4", 48, 0),
    ("modem_profile", 24, 0),
    ("waveforms", 128, 0),
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
    if address > JOURNAL_ADDRESS:
        raise ValueError("regions do not fit the smallest FRAM")
    return address


def find_ring(name: str) -> "tuple[int, int, int, int]":
    """Return number, first sector, sectors and most rows of a ring. Raises KeyError."""
    sector = 0
    for number, (ring, sectors, limit) in enumerate(RINGS):
        if ring == name:
            return number, sector, sectors, limit
        sector += sectors
    raise KeyError(name)
