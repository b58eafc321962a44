"""Program memory against the signature of the build: what is found, how soon, what is shown.

Digests are SHA-256 (FIPS 180-4) cut to 16 octets; the image is packed by tools/rom_image.py.
"""

import asyncio
import hashlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
pytest.importorskip("mpremote", reason="comes with `make setup`")

import rom_image

from app import event_codes, program_memory
from app.attributes import Reference
from app.display import formats, reading
from app.program_memory import APPLICATION, METROLOGY, ProgramMemory

HOUR_MS = 3_600_000
SIGNATURE_SIZE = 44
FILES = {
    "app/meter.mpy": b"M\x06" + bytes(range(256)) * 40,
    "drivers/chip.mpy": b"M\x06" + b"driver" * 200,
    "metrology/kernel.mpy": b"M\x06" + b"kernel" * 900,
    "main.mpy": b"M\x06main",
}


class EnoughError(Exception):
    """Ends a check that would go on for ever."""


class Task:
    reports = 0

    def report(self):
        self.reports += 1


class Bench:
    """A check and what it tells; time passes only where it rests."""

    def __init__(self, image, monkeypatch=None):
        self.image = bytearray(image)
        self.told = []
        self.memory = ProgramMemory(self.image, lambda *words: self.told.append(words))
        self.task = Task()
        self.ms = 0
        self.until_ms = 0
        self.longest_ms = 0

    def run(self, ms):
        """Let so much time pass; the check starts anew each time."""
        self.until_ms = self.ms + ms

        async def sleep_ms(rest):
            if self.ms + rest > self.until_ms:
                raise EnoughError
            self.ms += rest
            self.longest_ms = max(self.longest_ms, rest)

        program_memory.asyncio, kept = type("Fake", (), {"sleep_ms": sleep_ms}), asyncio
        try:
            with pytest.raises(EnoughError):
                asyncio.run(self.memory.run(self.task))
        finally:
            program_memory.asyncio = kept
        return self.told[-1][2] if self.told else None


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return rom_image.signed(rom_image.image_of(folder), folder)


@pytest.mark.row("ERR-15", "IDN-07")
def test_digests_are_zero_until_they_are_known_and_then_those_of_the_build(image):
    bench = Bench(image)
    assert (bench.memory.percent, bench.memory.digest(0)) == (0, bytes(16))
    assert bench.run(60_000) is False
    assert bench.memory.percent == 100
    expected = rom_image.image_digests(image)
    assert (bench.memory.digest(METROLOGY), bench.memory.digest(APPLICATION)) == expected
    body = image[:-SIGNATURE_SIZE]
    end = body.rindex(b"kernel") + 6  # they come first: metrology is the last
    part = next(body[at:end] for at in range(9) if digest(body[at:end]) == expected[0])
    assert digest(body.replace(part, b"")) == expected[1]
    assert bench.told == [(bench.told[0][0], event_codes.PROGRAM_MEMORY_ERROR, False)]


def digest(octets):
    return hashlib.sha256(octets).digest()[:16]


def test_the_metrology_digest_does_not_follow_the_application(tmp_path, image):
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content * 2 if name.startswith("app") else content)
    other = rom_image.signed(rom_image.image_of(tmp_path), tmp_path)
    before, after = rom_image.image_digests(image), rom_image.image_digests(other)
    assert before[0] == after[0]
    assert before[1] != after[1]


@pytest.mark.row("ERR-05")
@given(data=st.data())
def test_a_changed_bit_anywhere_is_found_within_the_hour(image, data):
    bench = Bench(image)
    assert bench.run(data.draw(st.sampled_from((60_000, 61_234, 600_000)))) is False
    at = data.draw(st.integers(0, len(image) - 1))
    bench.image[at] ^= 1 << data.draw(st.integers(0, 7))
    assert bench.run(HOUR_MS) is True
    assert bench.memory.damaged
    assert {code for _, code, _ in bench.told} == {event_codes.PROGRAM_MEMORY_ERROR}


def test_an_image_written_anew_is_sound_again(image):
    bench = Bench(image)
    bench.image[100] ^= 1
    assert bench.run(60_000) is True
    bench.image[100] ^= 1
    bench.memory.check_now()
    assert bench.memory.percent == 0
    assert bench.run(60_000) is False
    assert not bench.memory.damaged
    assert bench.memory.percent == 100


@pytest.mark.parametrize("size", [1, 43, 44, 45, 2000])
def test_what_is_no_image_of_a_build_is_told(size):
    bench = Bench(b"\x55" * size)
    assert bench.run(HOUR_MS) is True


def test_pieces_are_small_and_the_watchdog_hears_of_each(image):
    for times in (1, 100):
        bench = Bench(image * times)
        bench.run(2 * HOUR_MS)
        assert bench.longest_ms < 60_000  # the limit that the supervisor gives the task
        assert bench.task.reports * 4096 >= len(image) * times


def test_without_an_image_there_is_nothing_to_check():
    memory = ProgramMemory(None, print)
    memory.check_now()
    assert not memory.present()
    assert (memory.percent, memory.digest(0), memory.damaged) == (100, bytes(16), False)


@pytest.mark.row("DSP-28")
def test_the_display_counts_percents_until_there_is_a_digest():
    forms = formats.Formats()
    forms.percent = lambda: 50
    item = reading.Item(forms)
    value = [bytes(16)]
    reference = Reference(1, bytes((1, 1, 0, 2, 8, 255)), 2)
    item.refresh(reference, lambda _: (value[0], 0, 255), True)
    assert (item.code, item.value) == ("1.1.0.2.8", "CALC 50")
    forms.percent = lambda: 7
    assert item.refresh(reference, lambda _: (value[0], 0, 255), False)
    assert item.value == "CALC 07"
    value[0] = bytes(15) + b"\x01"
    item.refresh(reference, lambda _: (value[0], 0, 255), False)
    assert item.value == "00" * 15 + "01"
    other = Reference(1, bytes((0, 0, 96, 1, 1, 255)), 2)
    item.refresh(other, lambda _: (bytes(16), 0, 255), True)
    assert item.value == "00" * 16
