"""Linearity tables: made from a ramp's histogram, stored, and what they do to a converter."""

import binascii
import random
import sys
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent))

import chip_bus  # noqa: F401 - puts the models on the path
from devices.rp2_adc import Transfer

from metrology import linearity
from metrology.linearity import CODES, Linearity, LinearityError

FIRST, LAST = 64, 4031


def ramp(transfer, hits=400, noise=0.6, seed=1):
    """What a straight ramp over the whole range counts, `hits` a code of an even converter."""
    counts = [0] * CODES
    source = random.Random(seed)
    for k in range(CODES * hits):
        counts[transfer.code(k / hits + source.gauss(0, noise))] += 1
    return counts


def exact_ramp(transfer, hits=1000):
    """The same without noise and all at once: as often as a code is wide."""
    edges = [*transfer.edges, float(CODES)]
    return [round((edges[k + 1] - edges[k]) * hits) for k in range(CODES)]


def left_over(transfer, table):
    """Rms in LSB of what a table leaves of the unevenness, gain and offset taken out."""
    words = linearity.codes_table(table)
    edges = [*transfer.edges, float(CODES)]
    codes = range(FIRST, LAST + 1)
    error = [(edges[k] + edges[k + 1]) / 2 - words[k] / 4096 for k in codes]
    n = len(error)
    mean, mean_k = sum(error) / n, (FIRST + LAST) / 2
    spread = sum((k - mean_k) ** 2 for k in codes)
    slope = sum((k - mean_k) * e for k, e in zip(codes, error, strict=True)) / spread
    return (
        sum((e - mean - slope * (k - mean_k)) ** 2 for k, e in zip(codes, error, strict=True)) / n
    ) ** 0.5


@pytest.mark.parametrize("seed", range(4))
def test_chips_are_as_uneven_as_measured_ones_and_the_table_takes_it_away(seed):
    transfer = Transfer(seed)
    uneven = transfer.unevenness()
    rms = (sum(value * value for value in uneven) / CODES) ** 0.5
    assert 2.4 < rms < 3.6  # measured RP2040s: 3 LSB
    table = linearity.from_histogram(exact_ramp(transfer), FIRST, LAST)
    assert left_over(transfer, None) > 2
    # Half of an eighth of a code is rounding: 0.036 rms
    assert left_over(transfer, table) < 0.05


def test_ramp_with_noise():
    transfer = Transfer(3)
    table = linearity.from_histogram(ramp(transfer, hits=64), FIRST, LAST)
    # A code nine times as wide hides where in it the input is; noise smears its edges.
    assert left_over(transfer, table) < 0.3


def test_even_converter_needs_no_correction():
    table = linearity.from_histogram([100] * CODES, 0, CODES - 1)
    assert set(table.corrections) == {0}
    assert linearity.codes_table(table) == linearity.codes_table(None)


def test_codes_table_without_correction_is_the_code_shifted():
    words = linearity.codes_table(None)
    assert (words[0], words[2047], words[2048], words[4095]) == (-(1 << 23), -4096, 0, 2047 << 12)


def test_corrected_codes_stay_in_24_bits():
    corrections = array("b", [127] * CODES)
    words = linearity.codes_table(Linearity(0, CODES - 1, corrections))
    assert max(words) == 0x7FFFFF
    words = linearity.codes_table(Linearity(0, CODES - 1, array("b", [-127] * CODES)))
    assert min(words) == -0x800000


def test_a_wide_code_by_hand():
    """Code 100 is three wide: its middle stands one code higher, all above stand two higher."""
    counts = [100] * CODES
    counts[100] = 300
    table = linearity.from_histogram(counts, 0, CODES - 1)
    scale = CODES / (CODES + 2)
    assert table.corrections[99] == 0
    assert table.corrections[100] == round(8 * ((101.5) * scale - 100.5))
    assert table.corrections[101] == round(8 * ((103.5) * scale - 101.5))
    assert abs(table.corrections[CODES - 1]) <= 1


def test_range_ends_are_kept_outside():
    transfer = Transfer(2)
    table = linearity.from_histogram(exact_ramp(transfer), 500, 3000)
    assert set(table.corrections[:500]) == {table.corrections[500]}
    assert set(table.corrections[3000:]) == {table.corrections[3000]}


def refused(counts, first=0, last=CODES - 1):
    with pytest.raises(LinearityError) as caught:
        linearity.from_histogram(counts, first, last)
    return str(caught.value)


def test_counts_that_no_ramp_gives_are_refused():
    even = [100] * CODES
    assert "number of counts" in refused(even[:-1])
    assert "too few" in refused([31] * CODES)
    assert "negative" in refused([*even[:9], -1, *even[10:]])
    holed = list(even)
    holed[1000:1009] = [0] * 9
    assert "left code 1008 out" in refused(holed)
    holed[1008] = 100
    assert linearity.from_histogram(holed, 0, CODES - 1)
    assert "too far off" in refused([*even[:2000], 4000, *even[2001:]])
    # A ramp that ended early: nothing above
    assert "left code" in refused([*even[:3000], *[0] * 1096])


@pytest.mark.parametrize(("first", "last"), [(-1, 4095), (0, 4096), (5, 5), (9, 3), (100, 300)])
def test_ranges_that_cannot_be_are_refused(first, last):
    assert "range" in refused([100] * CODES, first, last)


def sample():
    return linearity.from_histogram(exact_ramp(Transfer(1)), FIRST, LAST)


def test_record_comes_back():
    for seed in range(6):
        table = linearity.from_histogram(ramp(Transfer(seed), hits=33, seed=seed), FIRST, LAST)
        packed = table.pack()
        assert len(packed) < linearity.PACKED_MAX
        again = linearity.unpack(packed)
        assert (again.first, again.last) == (FIRST, LAST)
        assert again.corrections == table.corrections
        assert linearity.unpack(memoryview(packed)).corrections == table.corrections


def test_the_most_uneven_table_that_fits_comes_back_and_a_worse_one_is_refused():
    corrections = array("b", bytes(CODES))
    source = random.Random(5)
    for code in range(CODES):
        corrections[code] = source.choice([-127, 127]) if code % 20 == 0 else corrections[code - 1]
    table = Linearity(0, CODES - 1, corrections)
    assert linearity.unpack(table.pack()).corrections == corrections
    wild = array("b", [source.choice([-127, 127]) for _ in range(CODES)])
    with pytest.raises(LinearityError, match="uneven"):
        Linearity(0, CODES - 1, wild).pack()


@given(st.data())
def test_any_damaged_byte_is_noticed(data):
    at = data.draw(st.integers(0, len(PACKED) - 1))
    packed = bytearray(PACKED)
    packed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(LinearityError, match="damaged"):
        linearity.unpack(packed)


PACKED = sample().pack()


def signed(body):
    return body + binascii.crc32(body).to_bytes(4, "little")


def test_records_of_another_kind_are_refused():
    for length in (0, 1, 9, linearity.PACKED_MAX + 1):
        with pytest.raises(LinearityError, match="length"):
            linearity.unpack(bytes(length))
    with pytest.raises(LinearityError, match="damaged"):
        linearity.unpack(PACKED[:-1])
    for at, value, why in ((0, 2, "version"), (1, 16, "version"), (3, 16, "range")):
        body = bytearray(PACKED[:-4])
        body[at] = value
        with pytest.raises(LinearityError, match=why):
            linearity.unpack(signed(body))
    with pytest.raises(LinearityError, match="cut"):
        linearity.unpack(signed(PACKED[:-40]))
    # steps that lead beyond what a correction can be
    with pytest.raises(LinearityError, match="cannot be"):
        linearity.unpack(signed(PACKED[:6] + b"\x77" * (len(PACKED) - 10)))


def test_a_table_in_place_is_the_same_table():
    table = linearity.unpack(PACKED)
    words = linearity.codes_table(None)
    assert linearity.codes_table(table, words) is words
    assert words == linearity.codes_table(table)
