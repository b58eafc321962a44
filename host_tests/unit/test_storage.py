"""A/B records and settings: what power loss, flipped bits and a dead chip leave behind."""

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import settings as settings_module
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

    def __init__(self, size=131072):
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


def versions(memory, *versions):
    """Records of the same region as firmwares of these format versions know it."""
    return [Record(memory, 0, 20, version) for version in versions]


def test_an_older_format_version_goes_through_its_migration():
    memory = Fram()
    old, new = versions(memory, 1, 3)
    old.load()
    old.save(b"x")
    assert new.load() is None  # nothing knows how
    assert new.state == record.LOST
    loaded = new.load(lambda payload, version: bytes(payload) + bytes([version]))
    assert loaded == b"x\x01"
    assert new.state == record.OK
    new.save(loaded)
    again = Record(memory, 0, 20, 3)
    assert bytes(again.load()) == b"x\x01"  # once is enough
    new.save(b"y")
    assert old.load() is None
    assert old.state == record.NEWER


def test_a_newer_format_version_is_kept_and_never_overwritten():
    memory = Fram()
    old, new = versions(memory, 1, 2)
    new.load()
    new.save(b"of the future")
    assert old.load(lambda _payload, _version: b"guess") is None
    assert old.state == record.NEWER
    with pytest.raises(OSError, match="newer"):
        old.save(b"of today")
    old.repair()
    again = Record(memory, 0, 20, 2)
    assert bytes(again.load()) == b"of the future"
    assert again.state == record.OK
    old.erase()
    assert old.load() is None
    assert old.state == record.BLANK
    old.save(b"of today")
    assert bytes(old.load()) == b"of today"


def test_the_damaged_copy_is_repaired_from_its_twin():
    for slot in (0, 1):
        memory = Fram()
        region, other = versions(memory, 1, 1)
        region.load()
        region.save(b"first")
        region.save(b"second")
        before = bytes(memory.content)
        other.load()
        other.repair()
        assert bytes(memory.content) == before  # two whole copies are left alone
        memory.content[slot * record.slot_size(20) + 9] ^= 1
        found = bytes(other.load())
        assert other.state == record.TWIN
        other.repair()
        other.load()
        assert other.state == record.OK
        region.save(b"third")  # by who held the record open all the time
        assert found in (b"first", b"second")
        assert bytes(other.load()) == b"third"


def test_a_memory_that_does_not_keep_what_is_written_is_noticed():
    memory = Fram()
    region = Record(memory, 0, 20, 1)
    region.load()
    region.save(b"kept")
    region.save(b"kept too")
    write = memory.write
    memory.write = lambda _address, _data: None
    with pytest.raises(OSError, match="keep"):
        region.save(b"lost")
    memory.write = write
    assert bytes(Record(memory, 0, 20, 1).load()) == b"kept too"
    region.save(b"kept again")
    assert bytes(Record(memory, 0, 20, 1).load()) == b"kept again"


def test_erasing_leaves_nothing_behind():
    memory = Fram()
    region = Record(memory, 0, 20, 1)
    region.load()
    region.save(b"secret")
    region.save(b"secret")
    region.erase()
    assert not any(memory.content)
    region.save(b"new")
    assert bytes(Record(memory, 0, 20, 1).load()) == b"new"


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
    names = [name for name, _, _ in regions.REGIONS]
    assert len(set(names)) == len(names)
    for name in names:
        region = regions.open_record(memory, name)
        region.load()
        region.save(bytes([len(name)]) * region.capacity)
    for name in names:
        region = regions.open_record(memory, name)
        assert bytes(region.load()) == bytes([len(name)]) * region.capacity
    with pytest.raises(KeyError):
        regions.open_record(memory, "nowhere")
    end = sum(2 * record.slot_size(capacity) for _, capacity, _ in regions.REGIONS)
    assert end <= regions.NOTES_ADDRESS <= 131072 - 8


def test_rings_do_not_overlap_and_fit_the_smallest_flash():
    end = 0
    names = [name for name, _, _, _ in regions.RINGS]
    assert len(set(names)) == len(names) <= 255
    for number, name in enumerate(names):
        found, sector, sectors, _, _ = regions.find_ring(name)
        assert (found, sector) == (number, end)
        end += sectors
    assert end <= regions.IMAGE_SECTOR
    assert (regions.IMAGE_SECTOR + 2 * regions.IMAGE_SECTORS) * 4096 <= 8 << 20
    with pytest.raises(KeyError):
        regions.find_ring("nowhere")


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


@pytest.mark.row("NOP-09")
def test_a_setting_that_is_not_kept_is_refused_and_the_old_one_stays():
    memory = Fram()
    settings = Settings(memory, VAULT)
    settings.put("clock", b"old")
    write = memory.write
    memory.write = lambda _address, _data: None  # it has died, but nobody drives a line wrong
    with pytest.raises(OSError, match="keep"):
        settings.put("clock", b"new")
    assert settings.get("clock") == b"old"
    assert settings.failed
    memory.write = write
    assert Settings(memory, VAULT).get("clock") == b"old"


@pytest.mark.row("NOP-09")
@pytest.mark.parametrize("key", ["lls", "clock"])
def test_power_cut_at_every_byte_of_a_put_leaves_old_or_new(key):
    cut = 0
    while True:
        memory = Fram()
        Settings(memory, VAULT).put(key, b"old old old")
        settings = Settings(memory, VAULT)
        memory.cut_after = cut
        try:
            settings.put(key, b"new new")
            assert Settings(memory, VAULT).get(key) == b"new new"
            break
        except PowerLost:
            memory.cut_after = None
            assert Settings(memory, VAULT).get(key) in (b"old old old", b"new new")
        cut += 1
    assert cut >= 19


def test_a_setting_of_a_newer_firmware_serves_its_default_and_is_named():
    memory = Fram()
    for key in ("lls", "clock"):
        region = regions.open_record(memory, key)
        region.version = 2
        region.load()
        region.save(b"of the future")
    settings = Settings(memory, VAULT)
    assert settings.damaged == ["lls", "clock"]
    assert settings.get("clock") == b""
    assert settings.get("lls") == b""  # not the factory's, which anyone knows
    with pytest.raises(OSError, match="newer"):
        settings.put("clock", b"today")


def test_a_setting_of_an_older_firmware_is_brought_up(monkeypatch):
    memory = Fram()
    Settings(memory, VAULT).put("clock", b"old")
    newer = [
        f"{name} {capacity} {2 if name == 'clock' else version}\n"
        for name, capacity, version in regions.REGIONS
    ]
    monkeypatch.setattr(regions, "REGIONS", regions._Table("\n" + "".join(newer)))
    monkeypatch.setitem(
        settings_module._MIGRATIONS, "clock", lambda payload, version: bytes(payload) + b"+"
    )
    settings = Settings(memory, VAULT)
    assert settings.get("clock") == b"old+"
    assert settings.damaged == []
    settings.put("clock", b"new")
    assert Settings(memory, VAULT).get("clock") == b"new"
