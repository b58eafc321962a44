"""The linearity step of production: by objects alone, on the ADC's driver, to the FRAM."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_rig import Memory
from test_driver_rp2_adc import Rig as Adc
from test_driver_rp2_adc import Transfer
from test_factory_values import BENCH, FactoryRig, obis
from test_linearity import left_over

from app import axdr
from app.errors import AccessRefused, TypeUnmatched
from app.linearity_record import LinearityRecord
from app.storage import regions
from metrology import linearity

TRANSFER = Transfer(3)
HITS = 40
FIRST, LAST = 1500, 2700  # of a ramp that does not take the test long


class Ramp:
    """Volts that rise by one code in `HITS` conversions, from a little below the first."""

    def __init__(self):
        self.at = FIRST - 20.0

    def __call__(self, _number, _time_s):
        self.at += 1 / HITS
        return self.at * 3.3 / 4096


def adc(monkeypatch, volts=None, transfer=TRANSFER):
    return Adc(
        monkeypatch, volts or Ramp(), transfer, inputs=[0], roles=[0], noise=0.6, rate_hz=40_000
    )


def feed(converter, conversions):
    converter.driver.start()
    for _ in range(conversions // 50):
        converter.run(50)
        converter.drain()
    assert converter.driver.lost == 0


def ask(rig, step=5):
    rig.write(BENCH + "1", axdr.UINT16, 5)
    rig.write(BENCH + "8", axdr.STRUCTURE, [(18, FIRST), (18, LAST), (17, 0)])
    rig.write(BENCH + "2", axdr.ENUM, step)


def outcome(rig):
    """State and reason."""
    progress = rig.read(BENCH + "3")
    return progress[1][1], progress[4][1].decode()


@pytest.fixture(scope="module")
def made():
    """A memory that holds a table, and what it left of the converter's unevenness."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        converter = adc(monkeypatch)
        memory = Memory()
        rig = FactoryRig(memory=memory, converter=converter.driver)
        assert rig.read(BENCH + "9") == [(3, False), (10, b"linearity table: none")]
        ask(rig)
        assert outcome(rig) == (1, "")
        feed(converter, (LAST - FIRST + 40) * HITS)
        rig.bench.play(1.5)
        assert outcome(rig) == (2, "")
        assert rig.read(BENCH + "3")[2:4] == [(18, 5), (18, 5)]
        assert rig.read(BENCH + "9") == [(3, True), (10, b"")]
        assert converter.driver.counts is None
        return memory, list(converter.driver.codes())


def test_a_ramp_makes_a_table_that_takes_the_unevenness_away(made, monkeypatch):
    memory, words = made
    converter = adc(monkeypatch)
    again = LinearityRecord(memory, converter.driver)
    assert (again.problem, again.damaged) == ("", False)
    assert list(converter.driver.codes()) == words  # from the memory, as it was made
    monkeypatch.setattr("test_linearity.FIRST", FIRST)
    monkeypatch.setattr("test_linearity.LAST", LAST)
    assert left_over(TRANSFER, None) > 1
    assert left_over(TRANSFER, again.table) < 0.35


def test_the_record_lies_where_the_map_says(made):
    record = regions.open_record(made[0], "linearity")
    assert len(record.load()) <= linearity.PACKED_MAX


@pytest.mark.row("PRD-02")
def test_a_damaged_copy_is_served_by_its_twin_and_two_by_the_bare_codes(made, monkeypatch):
    memory = Memory()
    memory.octets[:] = made[0].octets
    record = regions.open_record(memory, "linearity")
    for slot, problem, damaged in (
        (0, "linearity table: one copy is damaged, the other one serves", False),
        (1, "linearity table: both copies are damaged", True),
    ):
        memory.octets[record._addresses[slot] + 300] ^= 4
        converter = adc(monkeypatch)
        found = LinearityRecord(memory, converter.driver)
        assert (found.problem, found.damaged) == (problem, damaged)
        bare = list(linearity.codes_table(None))
        assert list(converter.driver.codes()) == (bare if damaged else made[1])


def test_a_memory_that_does_not_answer_is_said(monkeypatch):
    memory = Memory()
    memory.dead = True
    found = LinearityRecord(memory, adc(monkeypatch).driver)
    assert (found.problem, found.damaged) == ("linearity table: cannot be read", True)


def test_a_ramp_that_is_none_is_refused_with_a_reason_and_the_table_stays(made, monkeypatch):
    memory = Memory()
    memory.octets[:] = made[0].octets
    converter = adc(monkeypatch, volts=lambda _n, _s: 1.65)
    rig = FactoryRig(memory=memory, converter=converter.driver)
    ask(rig)
    feed(converter, 60_000)  # all of one code or two
    rig.bench.play(1.5)
    assert outcome(rig)[0] == 3
    assert "left code" in outcome(rig)[1]
    assert list(converter.driver.codes()) == made[1]
    stored = [bytes(regions.open_record(one, "linearity").load()) for one in (memory, made[0])]
    assert stored[0] == stored[1]


def test_a_memory_that_fails_keeps_the_old_table(made, monkeypatch):
    memory = Memory()
    memory.octets[:] = made[0].octets
    converter = adc(monkeypatch, transfer=Transfer(4))
    rig = FactoryRig(memory=memory, converter=converter.driver)
    ask(rig)
    feed(converter, (LAST - FIRST + 40) * HITS)

    def fail(_address, _data):
        raise OSError

    monkeypatch.setattr(memory, "write", fail)
    rig.bench.play(1.5)
    assert outcome(rig) == (3, "the memory does not answer")
    assert list(converter.driver.codes()) == made[1]


def test_it_can_be_stopped_and_is_refused_under_lock(monkeypatch):
    converter = adc(monkeypatch)
    rig = FactoryRig(converter=converter.driver)
    ask(rig)
    with pytest.raises(ValueError, match="under way"):
        rig.write(BENCH + "8", axdr.STRUCTURE, [(18, 1), (18, 4000), (17, 0)])
    rig.write(BENCH + "2", axdr.ENUM, 0)
    assert outcome(rig)[0] == 0
    assert converter.driver.counts is None
    rig.switch.level = 0
    for code, tag, value in (
        ("8", axdr.STRUCTURE, [(18, FIRST), (18, LAST), (17, 0)]),
        ("2", axdr.ENUM, 5),
    ):
        with pytest.raises(AccessRefused):
            rig.write(BENCH + code, tag, value)
    # the switch is closed while it runs
    rig.switch.level = 1
    ask(rig)
    rig.switch.level = 0
    rig.bench.play(0.5)
    assert outcome(rig) == (3, "the parameter switch was locked")
    assert converter.driver.counts is None


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([(18, 100), (18, 100), (17, 0)], ValueError),
        ([(18, 3000), (18, 100), (17, 0)], ValueError),
        ([(18, 100), (18, 300), (17, 0)], ValueError),
        ([(18, 0), (18, 4096), (17, 0)], ValueError),
        ([(18, 0), (18, 65535), (17, 0)], ValueError),
        ([(18, 0), (18, 4095)], ValueError),
        ([(16, -1), (18, 4095), (17, 0)], TypeUnmatched),
        ([(axdr.FLOAT32, float("nan")), (18, 4095), (17, 0)], TypeUnmatched),
    ],
)
def test_ranges_that_are_none_are_refused(monkeypatch, value, error):
    rig = FactoryRig(converter=adc(monkeypatch).driver)
    before = rig.read(BENCH + "8")
    with pytest.raises((error, TypeUnmatched)):
        rig.write(BENCH + "8", axdr.STRUCTURE, value)
    assert rig.read(BENCH + "8") == before


def test_an_input_that_is_not_there_is_refused_at_the_start(monkeypatch):
    rig = FactoryRig(converter=adc(monkeypatch).driver)
    rig.write(BENCH + "8", axdr.STRUCTURE, [(18, 64), (18, 4000), (17, 1)])
    with pytest.raises(ValueError, match="no such input"):
        rig.write(BENCH + "2", axdr.ENUM, 5)
    assert outcome(rig) == (3, "ADC: no such input")


def test_a_board_whose_converter_needs_no_table_has_no_such_objects():
    rig = FactoryRig()
    assert rig.catalogue.find(obis(BENCH + "8")) is None
    with pytest.raises(ValueError, match="no linearity table"):
        rig.write(BENCH + "2", axdr.ENUM, 5)
