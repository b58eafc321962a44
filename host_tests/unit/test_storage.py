"""A/B records and settings: what power loss, flipped bits and a dead chip leave behind."""

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.aes import SoftwareAes
from app.settings import Settings
from app.storage import record, regions
from app.storage.record import Record
from app.storage.vault import Vault

VAULT = Vault(SoftwareAes, b"this processor")


class PowerLost(BaseException):
    """Power went in the middle of a write."""


class Fram:
    """FRAM as hal.Memory; `cut_after` bytes power vanishes."""

    def __init__(self, size=32768):
        self.size = size
        self.content = bytearray(size)
        self.cut_after = None
        self.dead = False
        self.written = 0

    def read_into(self, address, buffer):
        if self.dead:
            raise OSError("no answer")
        buffer[:] = self.content[address : address + len(buffer)]

    def write(self, address, data):
        if self.dead:
            raise OSError("no answer")
        for offset, value in enumerate(bytes(data)):
            if self.cut_after is not None:
                if self.cut_after == 0:
                    raise PowerLost
                self.cut_after -= 1
            self.content[address + offset] = value
            self.written += 1


def test_blank_memory_is_blank_not_damaged():
    region = Record(Fram(), 0, 32, 1)
    assert region.load() is None
    assert region.state == record.BLANK


@pytest.mark.row("EN-06")
@given(st.lists(st.binary(max_size=32), min_size=1, max_size=6))
def test_the_last_save_is_what_is_loaded(payloads):
    memory = Fram()
    for payload in payloads:
        region = Record(memory, 64, 32, 1)
        region.load()
        region.save(payload)
    region = Record(memory, 64, 32, 1)
    assert bytes(region.load()) == payloads[-1]
    assert region.state == record.OK


@pytest.mark.row("EN-06")
@pytest.mark.parametrize("saves_before", [0, 1, 2, 3])
def test_power_cut_at_every_byte_leaves_old_or_new(saves_before):
    payloads = [bytes([n]) * 20 for n in range(1, saves_before + 2)]
    cut = 0
    while True:
        memory = Fram()
        region = Record(memory, 0, 20, 1)
        region.load()
        for payload in payloads[:-1]:
            region.save(payload)
        memory.cut_after = cut
        finished = False
        try:
            region.save(payloads[-1])
            finished = True
        except PowerLost:
            pass
        memory.cut_after = None
        after = Record(memory, 0, 20, 1)
        loaded = after.load()
        old = payloads[-2] if saves_before else None
        found = None if loaded is None else bytes(loaded)
        assert found in (old, payloads[-1])
        assert after.state != record.LOST
        if finished:
            assert found == payloads[-1]
            break
        # the next save must never destroy the only whole copy
        after.save(b"next")
        assert bytes(Record(memory, 0, 20, 1).load()) == b"next"
        cut += 1
    assert cut >= 32


@given(st.integers(0, 8 * 32 - 1))
def test_one_flipped_bit_falls_back_to_the_twin(bit):
    memory = Fram()
    region = Record(memory, 0, 20, 1)
    region.load()
    region.save(b"the same in both")
    memory.content[bit // 8] ^= 1 << (bit % 8)
    again = Record(memory, 0, 20, 1)
    assert bytes(again.load()) == b"the same in both"


def test_two_damaged_copies_are_lost_and_said_so():
    memory = Fram()
    region = Record(memory, 0, 20, 1)
    region.load()
    region.save(b"x")
    memory.content[8] ^= 1
    memory.content[record.slot_size(20) + 8] ^= 1
    again = Record(memory, 0, 20, 1)
    assert again.load() is None
    assert again.state == record.LOST


def test_another_format_version_is_not_believed():
    memory = Fram()
    region = Record(memory, 0, 20, 1)
    region.load()
    region.save(b"x")
    other = Record(memory, 0, 20, 2)
    assert other.load() is None
    assert other.state == record.LOST


def test_a_length_beyond_the_region_is_damage_even_with_a_right_crc():
    memory = Fram()
    body = bytearray(b"\x01\0\0\0\x40\0\x01\0" + bytes(64))
    memory.content[: len(body)] = body
    memory.content[len(body) : len(body) + 4] = binascii.crc32(body).to_bytes(4, "little")
    assert Record(memory, 0, 20, 1).load() is None


def test_too_long_a_payload_is_refused_and_the_old_one_stays():
    memory = Fram()
    region = Record(memory, 0, 4, 1)
    region.load()
    region.save(b"four")
    with pytest.raises(ValueError, match="longer"):
        region.save(b"fives")
    assert bytes(region.load()) == b"four"


def test_sequence_numbers_wrap():
    memory = Fram()
    region = Record(memory, 0, 4, 1)
    region.load()
    region.save(b"a")
    region._sequence = 0xFFFFFFFC
    region.save(b"a")
    region.save(b"a")
    for payload in (b"b", b"c", b"d", b"e"):
        region.save(payload)
        assert bytes(Record(memory, 0, 4, 1).load()) == payload


def test_regions_do_not_overlap_and_fit_the_smallest_fram():
    memory = Fram()
    for name in regions.region_names():
        region = regions.open_record(memory, name)
        region.load()
        region.save(bytes([len(name)]) * region.capacity)
    for name in regions.region_names():
        region = regions.open_record(memory, name)
        assert bytes(region.load()) == bytes([len(name)]) * region.capacity
    assert regions.end_address() <= 32768
    with pytest.raises(KeyError):
        regions.open_record(memory, "nowhere")


def test_settings_keep_values_and_refuse_strangers():
    memory = Fram()
    settings = Settings(memory, VAULT)
    assert settings.get("lls") == b"12345678"
    settings.put("lls", b"secret99")
    assert Settings(memory, VAULT).get("lls") == b"secret99"
    with pytest.raises(KeyError):
        settings.put("colour", b"red")
    with pytest.raises(KeyError):
        settings.get("colour")
    with pytest.raises(ValueError, match="longer"):
        settings.put("lls", bytes(71))
    assert Settings(memory, VAULT).get("lls") == b"secret99"


def test_settings_on_a_dead_chip_serve_defaults_and_say_so():
    memory = Fram()
    memory.dead = True
    settings = Settings(memory, VAULT)
    assert settings.failed
    assert settings.get("general_list") == b""
    assert settings.get("lls") == b""  # not the factory's, which anyone knows
    with pytest.raises(OSError, match="no answer"):
        settings.put("lls", b"other")
    assert settings.get("lls") == b""


def test_a_damaged_setting_is_named():
    memory = Fram()
    Settings(memory, VAULT).put("lls", b"secret99")
    memory.content = bytearray(b"\x5a" * memory.size)
    settings = Settings(memory, VAULT)
    assert {"lls", "clock"} <= set(settings.damaged)
    assert settings.get("lls") == b""  # not the factory's, which anyone knows
    assert settings.get("clock") == b""


@pytest.mark.row("SEC-61")
def test_secrets_rest_sealed_for_this_processor_only():
    memory = Fram()
    Settings(memory, VAULT).put("lls", b"secret99")
    Settings(memory, VAULT).put("keys", b"0123456789abcdef" * 4)
    assert b"secret" not in memory.content
    assert b"89abcdef" not in memory.content
    assert Settings(memory, VAULT).get("keys") == b"0123456789abcdef" * 4
    for vault in (Vault(SoftwareAes, b"another processor"), None):
        foreign = Settings(memory, vault)
        assert foreign.get("lls") == foreign.get("keys") == b""
        assert foreign.damaged == ["lls", "keys"]
    with pytest.raises(ValueError, match="vault"):
        Settings(Fram()).put("lls", b"secret99")
