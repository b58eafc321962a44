"""Where everything lies in the FRAM and in the flash: the one map of the storage.

Offsets follow from the order and the sizes, so a region or a ring is added at the end and never
moved: a meter in the field keeps its data through an update. All regions of the FRAM lie in its
first 128 KiB; the flash needs 8 MiB. docs/storage.md shows the map.
"""

from array import array

from micropython import const

from app.storage.record import Record, slot_size

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from hal import Memory


class _Table:
    """Rows of a name and numbers, held as lines of one text: tuples cost 8 KB more heap.

    Each line begins and ends with a newline, which two share: so the text stays where it stands.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __len__(self) -> int:
        return self._text.count("\n") - 1

    def __iter__(self) -> "Iterator[Any]":
        start = 1
        while start < len(self._text):
            yield self._row(start)
            start = self._text.index("\n", start) + 1

    def find(self, name: str) -> "tuple[int, tuple[Any, ...]]":
        """Return place and row of a name. Raises KeyError."""
        at = self._text.find("\n" + name + " ")
        if at < 0:
            raise KeyError(name)
        return self._text.count("\n", 0, at), self._row(at + 1)

    def _row(self, start: int) -> "tuple[Any, ...]":
        name, *numbers = self._text[start : self._text.index("\n", start)].split(" ")
        return (name,) + tuple([int(number) for number in numbers])

    def __getitem__(self, wanted: int) -> "tuple[Any, ...]":
        for index, row in enumerate(self):
            if index == wanted:
                return row
        raise IndexError(wanted)


# FRAM: name, payload capacity in bytes, format version. Each is a record of two slots.
REGIONS = _Table(
    "\n"
    "energies 256 1\n"
    "calibration 128 1\n"
    "spare 64 1\n"
    "clock 64 1\n"
    "general_list 1280 1\n"
    "alternate_list 1280 1\n"
    "invocation_counter 16 1\n"
    "identification 392 1\n"
    "lls 80 1\n"  # sealed, as the ones below up to the keys
    "lls_1 80 1\n"
    "lls_2 80 1\n"
    "lls_3 80 1\n"
    "keys 80 1\n"
    "security 32 1\n"
    "send_counter 8 1\n"
    "lockout 8 1\n"
    "optical_port 8 1\n"
    "optical_texts 112 1\n"  # sealed
    "hdlc_optical 16 1\n"
    "hdlc_rs485 16 1\n"
    "tcp 8 1\n"
    "readout_list 1280 1\n"
    "parameters 64 1\n"
    "power 48 1\n"
    "bad_sectors 64 1\n"
    "clock_limits 8 1\n"
    "dst_table 200 1\n"
    "battery 16 1\n"
    "linearity 2304 1\n"
    "errors 32 1\n"
    "events 8 1\n"
    "key_pairs 272 1\n"  # sealed
    "certificate_0 544 1\n"
    "certificate_1 544 1\n"
    "certificate_2 544 1\n"
    "certificate_3 544 1\n"
    "certificate_4 544 1\n"
    "certificate_5 544 1\n"
    "transaction 8 1\n"  # of general-ciphering, the last one
    "rates 1595 1\n"
    "energy_masks 332 1\n"
    "special_days 512 1\n"
    "tariff_scripts 1280 1\n"
    "calendar_start 12 1\n"
    "schedules_done 4 1\n"
    "billing_1_schedule 45 1\n"
    "billing_2_schedule 45 1\n"
    "calendar_active 7600 1\n"
    "calendar_passive 7600 1\n"
    "device_number 8 1\n"
    "profile_1_setup 388 1\n"
    "profile_2_setup 388 1\n"
    "profile_3_setup 388 1\n"
    "profile_4_setup 388 1\n"
    "pulse_outputs 25 1\n"
    "extremes 336 1\n"
    "tariff_control 16 1\n"
    "tariff_before 32 1\n"  # the special tariff: masks that were active before
    "blocks 480 1\n"
    "schedules_due 44 1\n"  # with the same as schedules_done before it
    "billing 48 1\n"
    "billing_options 1 1\n"
    "billing_1_setup 484 1\n"
    "billing_2_setup 484 1\n"
    "daily_setup 484 1\n"
    "overheating 1 1\n"
    "tamper 16 1\n"
    "demand 1443 1\n"
    "limiter_demand 623 1\n"
    "maxima 576 1\n"
    "demand_masks 265 1\n"
    "accuracy_class 4 1\n"
    "alarms 64 1\n"
    "alarm_actions 48 1\n"
    "many_rates 1 1\n"
    "rates_48 2240 1\n"  # the three below with 48 rates of active import only
    "energy_masks_48 1209 1\n"
    "tariff_scripts_48 2816 1\n"
    "profile_form 4 1\n"
    "profile_status 4 1\n"
    "quality 22 1\n"
    "disturbances 96 1\n"
    "voltage_levels 168 1\n"
    "phase_failures 96 1\n"
    "configuration 8 1\n"  # how often parameters were changed, when last
    "display_formats 5 1\n"
    "display_items 704 1\n"
    "display_options 10 1\n"
    "consumer_code 64 1\n"
    "bypass 5 1\n"
    "master_reset 1 1\n"
    "elements 48 1\n"
    "element_masks 169 1\n"
    "week 152 1\n"
    "weeks_setup 484 1\n"
    "thresholds 44 1\n"
    "contact 64 1\n"
    "privacy_pin 24 1\n"  # sealed
    "threshold_counts 16 1\n"
)
_addresses = array("I")  # of the regions
NOTES_ADDRESS = const(131064)  # which sectors of the flash are being changed; 8 bytes

# Flash: name, sectors of 4 KiB, most rows (0: as many as fit for certain), format version of the
# rows. A ring's number is its place here.
RINGS = _Table(
    "\n"
    "standard_log 8 500 1\n"
    "fraud_log 8 500 1\n"
    "disconnector_log 8 500 1\n"
    "mbus_log 8 500 1\n"
    "quality_log 8 500 1\n"
    "communication_log 8 500 1\n"
    "load_log 8 500 1\n"
    "firmware_log 12 500 1\n"
    "security_log 8 500 1\n"
    "prepayment_log 8 500 1\n"
    "power_failure_log 8 500 1\n"
    "certification_log 8 100 1\n"
    "mbus_control_log_1 8 340 1\n"
    "mbus_control_log_2 8 340 1\n"
    "mbus_control_log_3 8 340 1\n"
    "mbus_control_log_4 8 340 1\n"
    "load_profile_1 232 0 1\n"
    "load_profile_2 112 0 1\n"
    "load_profile_3 176 0 1\n"
    "load_profile_4 40 0 1\n"
    "billing_1 40 0 1\n"
    "billing_2 40 0 1\n"
    "daily_billing 12 31 1\n"
    "mbus_profile_1 48 0 1\n"
    "mbus_profile_2 48 0 1\n"
    "mbus_profile_3 48 0 1\n"
    "mbus_profile_4 48 0 1\n"
    "modem_profile 24 0 1\n"
    "waveforms 128 0 1\n"
    "weeks 5 0 1\n"
)
IMAGE_SECTOR = const(1792)  # firmware images: the last MiB of the smallest flash, two slots
IMAGE_SECTORS = const(128)


def open_record(memory: "Memory", name: str) -> Record:
    """Return the record called `name`. Raises KeyError if the map has no such region."""
    if not _addresses:
        address = 0
        for _, capacity, _ in REGIONS:
            _addresses.append(address)
            address += 2 * slot_size(capacity)
    place, (_, capacity, version) = REGIONS.find(name)
    return Record(memory, _addresses[place], capacity, version)


def find_ring(name: str) -> "tuple[int, int, int, int, int]":
    """Return number, first sector, sectors, most rows and version of a ring. Raises KeyError."""
    sector = 0
    for number, (ring, sectors, limit, version) in enumerate(RINGS):
        if ring == name:
            return number, sector, sectors, limit, version
        sector += sectors
    raise KeyError(name)
