"""Where everything lies in the FRAM and in the flash: the one map of the storage.

Offsets follow from the order and the sizes, so a region or a ring is added at the end and never
moved: a meter in the field keeps its data through an update. All regions of the FRAM lie in its
first 128 KiB; the flash needs 8 MiB. docs/storage.md shows the map.
"""

from micropython import const

from app.storage.record import Record, slot_size

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from hal import Memory

# FRAM: name, payload capacity in bytes, format version. Each is a record of two slots.
REGIONS = (
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
    ("bad_sectors", 64, 1),
    ("clock_limits", 8, 1),
    ("dst_table", 200, 1),
    ("battery", 16, 1),
    ("linearity", 2304, 1),
    ("errors", 32, 1),
    ("events", 8, 1),
    ("key_pairs", 272, 1),  # sealed
    ("certificate_0", 544, 1),
    ("certificate_1", 544, 1),
    ("certificate_2", 544, 1),
    ("certificate_3", 544, 1),
    ("certificate_4", 544, 1),
    ("certificate_5", 544, 1),
    ("transaction", 8, 1),  # of general-ciphering, the last one
    ("rates", 1595, 1),
    ("energy_masks", 332, 1),
    ("special_days", 512, 1),
    ("tariff_scripts", 1280, 1),
    ("calendar_start", 12, 1),
    ("schedules_done", 4, 1),
    ("billing_1_schedule", 45, 1),
    ("billing_2_schedule", 45, 1),
    ("calendar_active", 7600, 1),
    ("calendar_passive", 7600, 1),
    ("device_number", 8, 1),
)
NOTES_ADDRESS = const(131064)  # which sectors of the flash are being changed; 8 bytes

# Flash: name, sectors of 4 KiB, most rows (0: as many as fit for certain), format version of the
# rows. A ring's number is its place here.
RINGS = (
    ("standard_log", 8, 500, 1),
    ("fraud_log", 8, 500, 1),
    ("disconnector_log", 8, 500, 1),
    ("mbus_log", 8, 500, 1),
    ("quality_log", 8, 500, 1),
    ("communication_log", 8, 500, 1),
    ("load_log", 8, 500, 1),
    ("firmware_log", 12, 500, 1),
    ("security_log", 8, 500, 1),
    ("prepayment_log", 8, 500, 1),
    ("power_failure_log", 8, 500, 1),
    ("certification_log", 8, 100, 1),
    ("mbus_control_log_1", 8, 340, 1),
    ("mbus_control_log_2", 8, 340, 1),
    ("mbus_control_log_3", 8, 340, 1),
    ("mbus_control_log_4", 8, 340, 1),
    ("load_profile_1", 232, 0, 1),
    ("load_profile_2", 112, 0, 1),
    ("load_profile_3", 176, 0, 1),
    ("load_profile_4", 40, 0, 1),
    ("billing_1", 40, 0, 1),
    ("billing_2", 40, 0, 1),
    ("daily_billing", 12, 0, 1),
    ("mbus_profile_1", 48, 0, 1),
    ("mbus_profile_2", 48, 0, 1),
    ("mbus_profile_3", 48, 0, 1),
    ("mbus_profile_4", 48, 0, 1),
    ("modem_profile", 24, 0, 1),
    ("waveforms", 128, 0, 1),
)
IMAGE_SECTOR = const(1792)  # firmware images: the last MiB of the smallest flash, two slots
IMAGE_SECTORS = const(128)


def open_record(memory: "Memory", name: str) -> Record:
    """Return the record called `name`. Raises KeyError if the map has no such region."""
    address = 0
    for region, capacity, version in REGIONS:
        if region == name:
            return Record(memory, address, capacity, version)
        address += 2 * slot_size(capacity)
    raise KeyError(name)


def find_ring(name: str) -> "tuple[int, int, int, int, int]":
    """Return number, first sector, sectors, most rows and version of a ring. Raises KeyError."""
    sector = 0
    for number, (ring, sectors, limit, version) in enumerate(RINGS):
        if ring == name:
            return number, sector, sectors, limit, version
        sector += sectors
    raise KeyError(name)
