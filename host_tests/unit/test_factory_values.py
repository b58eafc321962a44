"""Factory parameters and the calibration bench through their objects, the switch both ways."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import pytest
from dlms_rig import NOW_UTC_S, Memory, Rig
from metrology_bench import Bench, Mains, Phase, Variant

from app import axdr
from app.attributes import READ_WRITE_DENIED, Reference
from app.calibration_record import CalibrationRecord
from app.cosem import bench_values, factory_values
from app.errors import AccessRefused, TypeUnmatched
from app.linearity_record import LinearityRecord
from app.parameters import CT_NUMERATOR, TEST_MODE_S, ParameterLock, Parameters
from app.production import Production
from app.storage import regions
from app.test_mode import TestMode
from metrology.energy import ABSOLUTE, ONE_WAY
from metrology.pulse import ACTIVE, APPARENT, NO_ENERGY, REACTIVE

BENCH = "0-0:128.66."
TestMode.__test__ = False  # pytest takes its name for a test's


class Pin:
    def __init__(self, level):
        self.level = level

    def value(self):
        return self.level


class FactoryRig(Rig):
    """A server with the factory's objects over a real engine."""

    def __init__(self, transformer=False, memory=None, converter=None):
        super().__init__(memory=memory)
        constant = 10_000 if transformer else 1000
        self.variant = Variant(3, transformer=transformer, pulses_per_kwh=constant)
        mains = Mains([Phase(230, 5, 0)] * 3)
        self.bench = Bench(mains, transformer=transformer, pulses_per_kwh=constant)
        self.engine = self.bench.engine
        self.switch = Pin(1)
        self.keys = (Pin(1), Pin(1))
        lock = ParameterLock(self.switch)
        self.parameters = Parameters(self.memory, self.variant, lock, self.clock)
        self.parameters.apply_to(self.engine)
        stored = CalibrationRecord(self.memory, 3)
        linearity = converter and LinearityRecord(self.memory, converter)
        self.production = Production(
            self.engine, stored, self.variant, lock, self.clock, linearity
        )
        self.test_mode = TestMode(lambda: self.parameters.get(TEST_MODE_S))
        factory_values.add_tests(
            self.catalogue,
            self.parameters,
            self.test_mode,
            self.production.master_reset,
        )
        factory_values.add_parameters(
            self.catalogue, self.parameters, self.clock, self.keys, transformer
        )
        bench_values.add_bench(self.catalogue, self.production, self.clock)

    def reference(self, code):
        name = obis(code)
        return Reference(self.catalogue.find(name)[0].CLASS_ID, name, 2)

    def read(self, code):
        return self.resolver.read(self.reference(code))[1]

    def run_script(self, code, number, tag=axdr.UINT16):
        writer = axdr.Writer(bytearray(16))
        writer.number(tag, number)
        self.resolver.execute(Reference(9, obis(code), 1), writer.buffer[: writer.at])

    def write(self, code, tag, value):
        writer = axdr.Writer(bytearray(512))
        writer.data(tag, value)
        self.resolver.write(self.reference(code), writer.buffer[: writer.at])


def obis(text):
    """Octets of a code such as "1-0:1.8.0"."""
    a, _, rest = text.partition("-")
    b, _, rest = rest.partition(":")
    return bytes([int(a), int(b), *(int(group) for group in rest.split(".")), 255])


@pytest.fixture
def rig():
    return FactoryRig()


def test_led_constants_count_impulses_per_kilowatthour(rig):
    # scaler -3 and unit 1/Wh: 1000 * 10**-3 impulses per Wh are 1000 per kWh
    for e in range(6):
        code = f"1-0:0.3.{e}"
        assert rig.resolver.read(rig.reference(code)) == (axdr.UINT32, 1000)
        scaler_unit = rig.resolver.read(Reference(3, obis(code), 3))[1]
        assert scaler_unit == [(axdr.INT8, -3), (axdr.ENUM, 45 + e % 3)]


@pytest.mark.row("PRD-01", "SEC-50")
def test_under_lock_every_factory_object_refuses_and_says_so_in_the_input_word():
    rig = FactoryRig(transformer=True)
    assert rig.read("0-0:96.3.1") == 0
    rig.switch.level = 0
    assert rig.read("0-0:96.3.1") == 0x8000
    for code, tag, value in (
        ("1-0:0.3.0", axdr.UINT32, 10_000),
        ("1-0:0.3.1", axdr.UINT32, 10_000),
        ("1-0:0.3.4", axdr.UINT32, 500),
        ("0-0:128.0.1", axdr.ENUM, 0),
        ("0-0:128.0.2", axdr.ENUM, 1),
        ("0-0:128.60.1", axdr.ENUM, 23),
        ("0-0:128.60.2", axdr.UINT8, 100),
        ("0-0:128.60.3", axdr.ENUM, 26),
        ("1-0:0.4.2", axdr.UINT16, 100),
        ("1-0:0.4.5", axdr.UINT16, 1),
        (BENCH + "1", axdr.UINT16, 20),
        (BENCH + "2", axdr.ENUM, 2),
        (BENCH + "2", axdr.ENUM, 0),
    ):
        before = rig.read(code)
        with pytest.raises(AccessRefused) as refusal:
            rig.write(code, tag, value)
        assert refusal.value.result == READ_WRITE_DENIED, code
        assert rig.read(code) == before
    assert rig.read(BENCH + "7")[0] == (axdr.UINT32, 0)


@pytest.mark.row("INP-03", "INP-05")
def test_the_input_word_shows_keys_and_lock(rig):
    rig.keys[0].level = 0
    assert rig.read("0-0:96.3.1") == 0x2000
    rig.keys[1].level = 0
    rig.switch.level = 0
    assert rig.read("0-0:96.3.1") == 0xE000


@pytest.mark.parametrize(
    ("transformer", "allowed", "refused"),
    [
        (False, (1000, 3200, 4000), (0, 1, 999, 1001, 10_000, 500, 2**32 - 1)),
        (True, (10_000,), (0, 1000, 3200, 4000, 9999)),
    ],
)
def test_only_the_standard_led_constants_are_accepted(transformer, allowed, refused):
    rig = FactoryRig(transformer)
    for e in (0, 1, 2):
        for constant in allowed:
            rig.write(f"1-0:0.3.{e}", axdr.UINT32, constant)
            assert rig.read(f"1-0:0.3.{e}") == constant
        for constant in refused:
            with pytest.raises(ValueError):
                rig.write(f"1-0:0.3.{e}", axdr.UINT32, constant)
        assert rig.read(f"1-0:0.3.{e}") == allowed[-1]
    assert rig.engine.pulses.active.pulses_per_kwh == allowed[-1]


def test_a_change_is_counted_dated_and_survives_power_loss(rig):
    told = []
    rig.parameters.on_change = lambda *change: told.append(change)
    assert rig.read(BENCH + "7") == [(6, 0), (9, b"\xff" * 9 + b"\x80\x00\xff")]
    rig.write("1-0:0.3.0", axdr.UINT32, 4000)
    rig.write("1-0:0.3.0", axdr.UINT32, 4000)  # no change
    changes, date = (value for _, value in rig.read(BENCH + "7"))
    assert changes == 1
    assert struct.unpack(">HBB", date[:4]) == (2026, 2, 1)  # 23:59:50 UTC is the next day here
    assert told == [(4, 1000, 4000)]
    again = FactoryRig(memory=rig.memory)
    assert again.read("1-0:0.3.0") == 4000
    assert again.engine.pulses.active.pulses_per_kwh == 4000
    assert (again.parameters.changes, again.parameters.changed_utc_s) == (1, NOW_UTC_S)


def test_both_copies_damaged_are_noticed_and_defaults_serve(rig):
    rig.write("1-0:0.3.0", axdr.UINT32, 4000)
    for address in regions.open_record(rig.memory, "parameters")._addresses:
        rig.memory.octets[address + 20] ^= 1
    again = FactoryRig(memory=rig.memory)
    assert again.parameters.damaged
    assert again.read("1-0:0.3.0") == 1000
    rig.memory.dead = True
    with pytest.raises(OSError):
        rig.write("1-0:0.3.0", axdr.UINT32, 3200)
    assert rig.read("1-0:0.3.0") == 4000


@pytest.mark.row("MET-08")
def test_the_registration_mode_is_a_parameter_of_three_values(rig):
    rig.write("0-0:128.0.1", axdr.ENUM, 2)
    assert rig.engine.energies.mode == ABSOLUTE
    rig.write("0-0:128.0.1", axdr.ENUM, 0)
    assert rig.engine.energies.mode == ONE_WAY
    for value in (3, 255):
        with pytest.raises(ValueError):
            rig.write("0-0:128.0.1", axdr.ENUM, value)
    with pytest.raises(TypeUnmatched):
        rig.write("0-0:128.0.1", axdr.UINT8, 1)


@pytest.mark.row("LED-06")
def test_the_pulse_output_follows_one_of_three_energies_or_none(rig):
    rig.write("0-0:128.60.0", axdr.ENUM, 1)
    output = rig.engine.pulses.output
    assert output.energy == NO_ENERGY
    for energy in (ACTIVE, REACTIVE, APPARENT, NO_ENERGY, ACTIVE):
        rig.write("0-0:128.60.1", axdr.ENUM, energy)
        assert output.energy == energy
    for energy in (5, 1, 24, 255):
        with pytest.raises(ValueError):
            rig.write("0-0:128.60.1", axdr.ENUM, energy)
    assert rig.read("0-0:128.60.1") == ACTIVE


@pytest.mark.row("LED-07")
def test_a_constant_of_zero_or_more_than_a_million_switches_the_output_off(rig):
    rig.write("0-0:128.60.0", axdr.ENUM, 1)
    rig.write("0-0:128.60.1", axdr.ENUM, ACTIVE)
    output = rig.engine.pulses.output
    played = 0
    for constant, gives in ((1_000_000, True), (1_000_001, False), (500_000, True), (0, False)):
        rig.write("1-0:0.3.3", axdr.UINT32, constant)
        rig.bench.play(0.45)  # until the windows are planned with the constant
        played = output.count
        rig.bench.play(2)  # 3.45 kW: 1.9 Wh
        assert (output.count > played) == gives, constant


@pytest.mark.row("LED-08")
def test_the_width_of_output_pulses_is_30_to_200_ms(rig):
    for width in (20, 29, 201, 0, 255):
        with pytest.raises(ValueError):
            rig.write("0-0:128.60.2", axdr.UINT8, width)
    assert rig.read("0-0:128.60.2") == 30
    rig.write("0-0:128.60.2", axdr.UINT8, 100)
    assert rig.read("0-0:128.60.2") == 100


def test_the_leds_can_follow_other_energies_with_their_constants(rig):
    rig.write("1-0:0.3.2", axdr.UINT32, 3200)
    rig.write("0-0:128.60.4", axdr.ENUM, APPARENT)
    led = rig.engine.pulses.reactive
    assert (led.energy, led.pulses_per_kwh) == (APPARENT, 3200)
    for value in (0, 5, 255):  # an LED always follows something
        with pytest.raises(ValueError):
            rig.write("0-0:128.60.4", axdr.ENUM, value)


@pytest.mark.row("TRF-01", "TRF-03")
def test_a_transformer_meter_shows_primary_values_when_told_to():
    rig = FactoryRig(transformer=True)
    rig.write("1-0:0.4.2", axdr.UINT16, 100)
    rig.write("1-0:0.4.5", axdr.UINT16, 5)
    assert rig.engine.energies.primary(7) == 7  # type 0: secondary values
    rig.write("0-0:128.0.2", axdr.ENUM, 1)
    assert rig.engine.energies.primary(7) == 140
    rig.bench.play(3)
    measured = rig.engine.energies.flow_uws[0]
    assert 0 <= rig.engine.energies.total_uws(0) - 20 * measured < 20 * measured
    with pytest.raises(ValueError):
        rig.write("1-0:0.4.5", axdr.UINT16, 0)
    with pytest.raises(ValueError):
        rig.write("0-0:128.0.2", axdr.ENUM, 2)
    assert (rig.read("1-0:0.4.2"), rig.read("1-0:0.4.5")) == (100, 5)
    assert (rig.read("1-0:0.4.3"), rig.read("1-0:0.4.6")) == (1, 1)
    told = []
    rig.parameters.on_change = lambda *change: told.append(change)
    rig.write("1-0:0.4.2", axdr.UINT16, 200)
    assert told == [(CT_NUMERATOR, 100, 200)]


def test_a_direct_meter_has_no_transformer_objects(rig):
    for code in ("0-0:128.0.2", "1-0:0.4.2", "1-0:0.4.5"):
        assert rig.catalogue.find(obis(code)) is None


def load_value(phases, neutral=(axdr.UINT32, 0)):
    structures = [(axdr.STRUCTURE, list(phase)) for phase in phases]
    return [(axdr.ARRAY, structures), neutral]


GOOD = ((axdr.UINT32, 230_000_000), (axdr.UINT32, 5_000_000), (axdr.INT32, 0))


@pytest.mark.row("PRD-01", "PRD-08", "IDN-10")
def test_a_gain_step_by_objects_alone(rig):
    never = rig.read("0-0:96.2.5")
    assert never == b"\xff" * 9 + b"\x80\x00\xff"
    rig.write(BENCH + "1", axdr.UINT16, 5)
    rig.write(BENCH + "0", axdr.STRUCTURE, load_value([GOOD] * 3))
    rig.write(BENCH + "2", axdr.ENUM, 2)
    assert rig.read(BENCH + "3")[:4] == [(22, 2), (22, 1), (18, 0), (18, 5)]
    rig.bench.play(2)
    assert rig.read(BENCH + "3") == [(22, 2), (22, 2), (18, 5), (18, 5), (10, b"")]
    u_uv, i_ua, p_uw, _ = (value for _, value in rig.read(BENCH + "5")[0][1][0][1])
    assert (u_uv, i_ua, p_uw) == (
        pytest.approx(230e6, rel=1e-5),
        pytest.approx(5e6, rel=1e-5),
        pytest.approx(1150e6, rel=1e-5),
    )
    gains = [value for _, value in rig.read(BENCH + "4")[0][1][0][1]]
    assert all(abs(gain) < 10_000 for gain in gains)
    assert rig.read("0-0:96.2.5")[:2] == (2026).to_bytes(2, "big")
    assert rig.read(BENCH + "6") == [(6, 1), (3, False), (10, b"")]


@pytest.mark.parametrize(
    "value",
    [
        load_value([((axdr.FLOAT32, float("nan")), *GOOD[1:])] * 3),
        load_value([GOOD] * 2),
        load_value([GOOD] * 4),
        load_value([GOOD[:2]] * 3),
        load_value([GOOD] * 3, (axdr.INT32, 0)),
        load_value([((axdr.UINT32, 0), *GOOD[1:])] * 3),
        load_value([(GOOD[0], (axdr.UINT32, 2**32 - 1), GOOD[2])] * 3),
        load_value([(*GOOD[:2], (axdr.INT32, -(2**31)))] * 3),
        load_value([GOOD] * 3, (axdr.UINT32, 2**32 - 1)),
    ],
)
def test_loads_that_are_none_are_refused_and_change_nothing(rig, value):
    before = rig.read(BENCH + "0")
    with pytest.raises((ValueError, TypeUnmatched)):
        rig.write(BENCH + "0", axdr.STRUCTURE, value)
    assert rig.read(BENCH + "0") == before


def test_corrections_come_back_as_they_were_written_and_bad_ones_are_refused(rig):
    good = [(axdr.STRUCTURE, [(axdr.INT32, v) for v in (k, -k, k, -k, k)]) for k in (1, 2, 3)]
    value = [(axdr.ARRAY, good), (axdr.INT32, 77)]
    rig.write(BENCH + "4", axdr.STRUCTURE, value)
    assert rig.read(BENCH + "4") == value
    for field in range(5):
        for number in (2**31 - 1, -(2**31)):
            bad = [[1, 2, 3, 4, 5] for _ in range(3)]
            bad[1][field] = number
            phases = [(axdr.STRUCTURE, [(axdr.INT32, v) for v in values]) for values in bad]
            with pytest.raises(ValueError):
                rig.write(BENCH + "4", axdr.STRUCTURE, [(axdr.ARRAY, phases), (axdr.INT32, 0)])
            assert rig.read(BENCH + "3")[4][1]  # the reason
    nan = [(axdr.FLOAT32, float("nan"))] + [(axdr.INT32, 0)] * 4
    with pytest.raises(TypeUnmatched):
        rig.write(
            BENCH + "4",
            axdr.STRUCTURE,
            [(axdr.ARRAY, [(axdr.STRUCTURE, nan)] * 3), (axdr.INT32, 0)],
        )
    assert rig.read(BENCH + "4") == value


def test_a_blank_memory_gives_the_nameplate():
    rig = FactoryRig(memory=Memory())
    assert (rig.parameters.damaged, rig.parameters.failed, rig.parameters.changes) == (
        False,
        False,
        0,
    )


@pytest.mark.row("PRD-07", "SEC-50")
def test_the_master_reset_is_a_script_that_needs_the_switch_open(rig):
    asked = []
    rig.production.on_master_reset = lambda: asked.append(1)

    rig.switch.level = 0
    with pytest.raises(AccessRefused):
        rig.run_script("0-0:10.0.0", 1)
    rig.switch.level = 1
    for number, tag in ((2, axdr.UINT16), (0, axdr.UINT16), (1, axdr.UINT8)):
        with pytest.raises((AccessRefused, TypeUnmatched)):
            rig.run_script("0-0:10.0.0", number, tag)
    assert asked == []
    rig.run_script("0-0:10.0.0", 1)
    assert asked == [1]
