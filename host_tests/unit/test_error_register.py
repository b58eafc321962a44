"""Error registers: three layouts (tables 10.1 to 10.3), filters, causes that last."""

import struct
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from fram_fake import Memory
from log_rig import LogRig

from app import event_codes as codes
from app.logs.error_register import DISPLAY_FILTER, ErrorRegisters, damage_of
from app.storage import regions

# event: bits of tables 10.1 (IDIS), 10.2 (ST402), 10.3 (IE)
BITS = {
    codes.CLOCK_INVALID: (1 << 0, 0x00000001, 1 << 25),
    codes.CLOCK_CHIP_FAILED: (1 << 0, 0x00000001, 1 << 19),
    codes.REPLACE_BATTERY: (1 << 1, 0x00800000, 1 << 24),
    codes.PROGRAM_MEMORY_ERROR: (1 << 8, 0x00010000, 1 << 8),
    codes.RAM_ERROR: (1 << 9, 0x00040000, 1 << 16),
    codes.MEMORY_ERROR: (1 << 10, 0x00000002, 1 << 17),
    codes.BACKUP_DAMAGED: (1 << 10, 0x00000002, 1 << 9),
    codes.DATA_DAMAGED: (1 << 10, 0x00000002, 1 << 9 | 1 << 13),
    codes.PARAMETERS_DAMAGED: (1 << 10, 0x00040000, 1 << 10),
    codes.FLASH_FAILED: (1 << 10, 0x00008000, 1 << 11 | 1 << 12),
    codes.PROFILE_DAMAGED: (1 << 10, 0x00008000, 1 << 11),
    codes.LOG_DAMAGED: (1 << 10, 0x00008000, 1 << 12),
    codes.MEASUREMENT_ERROR: (1 << 11, 0x00000800, 1 << 18),
    codes.CALIBRATION_DAMAGED: (1 << 11, 0x00000008, 1 << 18),
    codes.BATTERY_LOW: (1 << 1, 0x04000000, 1 << 24),
    codes.WATCHDOG_RESET: (1 << 12, 0x00004000, 0),
}


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def errors(memory):
    return ErrorRegisters(memory)


def values(errors):
    return tuple(errors.value(register) for register in range(3))


@pytest.mark.row("ERR-02")
@pytest.mark.row("ERR-12")
def test_one_error_sets_its_bit_in_each_layout(memory):
    for code, bits in BITS.items():
        errors = ErrorRegisters(Memory())
        errors.set(code)
        assert values(errors) == bits, hex(code)


def test_events_that_are_no_error_set_nothing(errors):
    for code in (codes.POWER_UP, codes.LOGGED_IN, 0, 9999):
        errors.set(code)
    assert values(errors) == (0, 0, 0)


@pytest.mark.row("ERR-01")
def test_a_bit_stays_without_its_cause_and_over_power_until_a_client_clears_it():
    rig = LogRig()
    rig.book.post(codes.RAM_ERROR)
    rig.boot()
    assert rig.book.errors.value(0) == 0x200
    rig.book.clear_errors(0, 0)
    assert rig.book.errors.value(0) == 0
    assert rig.book.errors.value(2) == 0x10000  # each register is cleared by itself
    assert rig.codes(0) == [13, 10]
    rig.boot()
    assert rig.book.errors.value(0) == 0


@pytest.mark.row("ERR-01")
def test_a_cause_that_lasts_sets_its_bit_again(errors):
    dead = [True]
    errors.lasting = [(codes.MEASUREMENT_ERROR, lambda: dead[0])]
    errors.set(codes.MEASUREMENT_ERROR)
    errors.set(codes.RAM_ERROR)
    errors.clear(0, 0)
    assert errors.value(0) == 0x800
    dead[0] = False
    errors.clear(0, 0)
    assert errors.value(0) == 0


def test_clearing_keeps_the_bits_that_are_written_and_sets_none(errors):
    errors.set(codes.RAM_ERROR)
    errors.set(codes.WATCHDOG_RESET)
    errors.clear(0, 0xFFFF_EFFF)
    assert errors.value(0) == 0x200


@pytest.mark.row("ERR-11")
def test_the_clock_bit_goes_when_the_clock_is_set_the_battery_bit_does_not(errors):
    invalid = [True]
    errors.lasting = [(codes.CLOCK_INVALID, lambda: invalid[0])]
    errors.set(codes.CLOCK_INVALID)
    errors.set(codes.REPLACE_BATTERY)
    errors.withdraw(codes.CLOCK_INVALID)
    assert errors.value(0) == 3  # not yet: the cause lasts
    invalid[0] = False
    errors.withdraw(codes.CLOCK_INVALID)
    assert values(errors) == BITS[codes.REPLACE_BATTERY]
    errors.clear(0, 0)
    assert errors.value(0) == 0


@pytest.mark.row("ERR-03")
def test_a_filter_hides_its_bit_and_only_in_its_register(memory, errors):
    errors.set(codes.PROGRAM_MEMORY_ERROR)
    errors.set_filter(0, 0x100)
    assert values(errors) == (0, 0x10000, 0x100)
    errors = ErrorRegisters(memory)
    assert values(errors) == (0, 0x10000, 0x100)
    errors.set_filter(0, 0)
    assert errors.value(0) == 0x100


@pytest.mark.row("ERR-04")
def test_the_display_filter_keeps_a_bit_off_the_fault_flag(errors):
    assert not errors.fault()
    errors.set(codes.RAM_ERROR)
    assert errors.fault()
    errors.set_filter(DISPLAY_FILTER, 0x200)
    assert not errors.fault()
    assert errors.value(0) == 0x200
    errors.set(codes.WATCHDOG_RESET)
    assert errors.fault()
    errors.set_filter(0, 0x1000)
    assert not errors.fault()


ERRORS = list(BITS)
SECOND = (
    codes.NO_VOLTAGE,
    codes.PHASE_ASYMMETRY,
    2 << 8 | codes.CURRENT_REVERSED,
)
FRAUDS = tuple(range(40, 47)) + (codes.DECIPHERING_FAILED, codes.REPLAYED)


@pytest.mark.row("ERR-13")
def test_every_error_lights_ff_until_it_is_filtered_or_cleared():
    for code in ERRORS:
        errors = ErrorRegisters(Memory())
        errors.set(code)
        assert errors.fault(), hex(code)
        errors.set_filter(DISPLAY_FILTER, BITS[code][0])
        assert not errors.fault(), hex(code)
        errors.set_filter(DISPLAY_FILTER, 0)
        errors.set_filter(0, BITS[code][0])
        assert not errors.fault(), hex(code)
        errors.set_filter(0, 0)
        errors.clear(0, ~BITS[code][0] & 0xFFFFFFFF)
        assert not errors.fault(), hex(code)


@pytest.mark.row("ERR-13")
def test_errors_that_only_the_second_register_knows_light_ff_too():
    for code in SECOND:
        errors = ErrorRegisters(Memory())
        errors.set(code)
        first, second, _ = values(errors)
        assert first == 0 and second
        assert errors.fault(), hex(code)
        errors.set_filter(1, second)
        assert not errors.fault()
        errors.set_filter(1, 0)
        errors.clear(1, ~second & 0xFFFFFFFF)
        assert not errors.fault()


@pytest.mark.row("FRD-05")
def test_fraud_lights_ff_until_it_is_filtered_or_cleared(memory):
    for code in FRAUDS:
        memory = Memory()
        errors = ErrorRegisters(memory)
        assert not errors.fault()
        errors.set(code)
        assert errors.fault(), code
        errors = ErrorRegisters(memory)  # the power was away
        assert errors.fault()
        errors.clear(0, 0xFFFF_FFF0)  # one error, not all
        errors.clear(1, 0xFFFF_FFF0)
        errors.clear(2, 0)
        assert errors.fault()
        errors.set_filter(DISPLAY_FILTER, 0x8000_0000)
        assert not errors.fault()
        errors.set_filter(DISPLAY_FILTER, 0x7FFF_FFFF)
        assert errors.fault()
        errors.clear(code % 2, 0)
        assert not errors.fault(), code
        assert not ErrorRegisters(memory).fault()
    for code in (codes.PARAMETERS_CHANGED, codes.POWER_UP, codes.LOGGED_IN):
        errors.set(code)
    assert not errors.fault()


@pytest.mark.row("FRD-05")
def test_a_cover_that_is_still_open_is_fraud_again(errors):
    open_now = [True]
    errors.lasting = [(codes.TERMINAL_COVER_REMOVED, lambda: open_now[0])]
    errors.set(codes.TERMINAL_COVER_REMOVED)
    errors.clear(0, 0)
    assert errors.fault()
    open_now[0] = False
    errors.clear(1, 0)
    assert not errors.fault()


def test_registers_of_an_older_meter_are_taken_over(memory):
    region = regions.open_record(memory, "errors")
    region.load()
    region.save(struct.pack("<7I", 0x200, 0x40000, 0x10000, 1, 2, 3, 4))
    errors = ErrorRegisters(memory)
    assert values(errors) == (0x200, 0x40000, 0x10000)
    assert [errors.filter(number) for number in range(4)] == [1, 2, 3, 4]
    errors.set(codes.REPLAYED)
    assert ErrorRegisters(memory).fault()


def test_bit_31_and_a_dead_memory(memory, errors):
    errors.set_filter(1, 0xFFFF_FFFF)
    assert ErrorRegisters(memory).filter(1) == 0xFFFF_FFFF
    memory.dead = True
    with pytest.raises(OSError, match="answer"):
        errors.set_filter(1, 0)
    assert errors.filter(1) == 0xFFFF_FFFF
    errors.set(codes.MEMORY_ERROR)  # held in RAM
    assert errors.value(0) == 0x400
    assert ErrorRegisters(memory).value(0) == 0


def test_damage_of_the_storage_has_its_event():
    assert damage_of("energies") == codes.BACKUP_DAMAGED
    assert damage_of("standard_log") == codes.LOG_DAMAGED
    assert damage_of("load_profile_1") == codes.PROFILE_DAMAGED
    assert damage_of("sector") == codes.FLASH_FAILED
    assert damage_of("clock") == codes.MEMORY_ERROR


def test_a_standing_error_is_not_posted_again():
    rig = LogRig()
    for _ in range(3):
        rig.book.fault(codes.FLASH_FAILED)
    assert rig.codes(0) == [14]
    rig.book.clear_errors(0, 0)
    rig.book.fault(codes.FLASH_FAILED)
    assert rig.codes(0) == [14, 10, 14]
