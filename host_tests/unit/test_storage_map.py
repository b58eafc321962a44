"""The map of the storage: its document, and the layout of flash against an independent writing."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in ("tools", "host_tests/reference", "host_tests/unit"):
    sys.path.append(str(ROOT / folder))

import flash_image
import storage
from flash_fake import Flash
from fram_fake import Memory

from app.storage import regions
from app.storage import rings as rings_module
from app.storage.rings import Rings

SIZE = 98


class Filled:
    """A ring of twelve blocks filled by the firmware, a row a minute."""

    def __init__(self, monkeypatch, rows):
        monkeypatch.setattr(regions, "RINGS", (("before", 5, 0, 1), ("ring", 12, 0, 3)))
        monkeypatch.setattr(rings_module.time, "sleep_ms", lambda _ms: None, raising=False)
        self.flash = Flash(20)
        rings = Rings(self.flash, Memory())
        ring = rings.open("ring", SIZE)
        for sequence in range(rows):
            time_s = 800_000_000 + 60 * sequence
            ring.append(time_s.to_bytes(4, "little") + flash_image.numbered(SIZE, sequence))
            rings.flush()

    def block(self, place):
        return bytes(self.flash.octets[(5 + place) * 4096 : (6 + place) * 4096])


@pytest.mark.parametrize("laps", [1, 2, 3])
def test_the_firmware_writes_what_the_layout_says(monkeypatch, laps):
    rows = flash_image.rows_of(SIZE)
    filled = Filled(monkeypatch, (laps * 12 - 1) * rows - 1)
    kind = (1, SIZE, 3, flash_image.numbered)
    start_s = 800_000_000 + 60 * (laps - 1) * 12 * rows
    for place, expected in flash_image.full_ring(kind, 12, laps, start_s):
        assert filled.block(place) == expected, place


def test_a_full_ring_of_the_layout_is_read_and_loses_its_oldest_first(monkeypatch):
    monkeypatch.setattr(regions, "RINGS", (("ring", 12, 0, 1),))
    monkeypatch.setattr(rings_module.time, "sleep_ms", lambda _ms: None, raising=False)
    flash = Flash(12)
    for place, content in flash_image.full_ring((0, SIZE, 1, flash_image.numbered), 12):
        flash.octets[place * 4096 : (place + 1) * 4096] = content
    rings = Rings(flash, Memory())
    ring = rings.open("ring", SIZE)
    first, following = ring.first, ring.next
    assert following - first == ring.capacity
    row = bytearray(SIZE)
    for sequence in range(first, following):
        assert ring.read_into(sequence, row)
        assert row[4:] == flash_image.numbered(SIZE, sequence)
    for sequence in range(following, following + 100):
        ring.append(bytes(4) + flash_image.numbered(SIZE, sequence))
        rings.flush()
        assert (ring.first, ring.next) == (sequence + 1 - ring.capacity, sequence + 1)
        assert ring.read_into(ring.first, row)
        assert row[4:] == flash_image.numbered(SIZE, ring.first)


MARKED = "a\n<!-- fram -->\nold\n<!-- end -->\nb\n<!-- flash -->\n<!-- end -->\nc\n"


def test_the_document_keeps_its_words_and_gets_the_tables():
    text = storage.document(MARKED)
    assert text.startswith("a\n<!-- fram -->\n| region |")
    assert "\nold\n" not in text
    assert text.endswith("<!-- end -->\nc\n")
    assert text == storage.document(text)
    for name, capacity, _ in regions.REGIONS:
        assert f"\n| {name} | " in text
        assert f" | {capacity} | " in text
    for name, _, _, _ in regions.RINGS:
        assert f"\n| {name} | " in text
    with pytest.raises(ValueError, match="mark"):
        storage.document(MARKED.replace("fram", "drum"))


@pytest.mark.parametrize(
    ("table", "change", "why"),
    [
        ("REGIONS", ("huge", 60000, 1), "FRAM"),
        ("RINGS", ("huge_log", 2000, 0, 1), "images"),
        ("RINGS", ("tiny_log", 4, 500, 1), "keeps 335 rows, 500 are needed"),
        ("RINGS", ("strange", 8, 0, 1), "strange"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(monkeypatch, table, change, why):
    monkeypatch.setattr(regions, table, (*getattr(regions, table), change))
    with pytest.raises((ValueError, KeyError), match=why):
        storage.document(MARKED)


def test_a_full_flash_opens_with_all_its_rows(tmp_path, monkeypatch):
    path = tmp_path / "flash.bin"
    rows = storage.full_flash(path)
    flash = Flash(4096)
    flash.octets[:] = path.read_bytes()
    rings = Rings(flash, Memory())
    opened = [rings.open(name, *storage.shape(name)) for name, _, _, _ in regions.RINGS]
    assert rows > 50_000
    blocks = sum(ring.blocks for ring in opened)
    assert flash.reads <= blocks + 30 * len(opened)  # a start reads headers, not rows
    for ring, (name, _, limit, _) in zip(opened, regions.RINGS, strict=True):
        assert ring.next - ring.first >= (limit or ring.capacity), name
        row = bytearray(ring.row_size)
        assert ring.read_into(ring.first, row)
        assert ring.read_into(ring.next - 1, row)
    assert opened[0].next - opened[0].first == 500
