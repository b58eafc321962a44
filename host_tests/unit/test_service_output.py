"""What the LEDs and the service output show by command, test mode, and who is told of changes."""

import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_rig import Memory
from log_rig import LogRig
from test_factory_values import BENCH, GOOD, FactoryRig, load_value, obis

from app import axdr, ticks
from app.attributes import SCOPE_OF_ACCESS_VIOLATED
from app.display.formats import Formats
from app.display.indicators import Indicators
from app.display.status import MeterStatus
from app.errors import AccessRefused, TypeUnmatched
from app.parameters import MEASURING_PERIOD_1, PERIODS_1, PERIODS_3
from app.service_output import ServiceOutput
from app.storage import regions
from metrology.energy import Energies
from metrology.pulse import ACTIVE, APPARENT, NO_ENERGY, REACTIVE

KWH = 3_600_000_000_000


@pytest.fixture
def rig():
    return FactoryRig()


class Output:
    """A hal.PulseOutput that counts."""

    def __init__(self):
        self.trains = []
        self.lit = False

    def train(self, count, first_q8, step_q8, width_us, span_us):
        if count:
            self.trains.append((count, width_us))

    def steady(self, lit):
        self.lit = lit

    def invert(self, inverted):
        pass

    def flush(self):
        pass


@pytest.mark.row("LED-05", "PRD-04")
def test_the_optical_test_output_follows_the_energy_that_a_script_chooses(rig):
    led = rig.engine.pulses.active
    for script, energy in ((2, REACTIVE), (3, APPARENT), (1, ACTIVE), (2, REACTIVE)):
        rig.run_script("0-0:10.0.104", script)
        assert led.energy == energy
        assert rig.read("0-0:128.60.3") == energy
    # 3 kW and 4 kvar for a while: the LED counts the kvarh
    before = led.count
    rig.engine.energies.flow_uws[:] = [0] * 9
    rig.engine.energies.flow_added_uws[:] = [0] * 9
    for flow, added in ((0, KWH // 2), (2, KWH // 100)):
        rig.engine.energies.flow_uws[flow] = rig.engine.energies.flow_added_uws[flow] = added
    led.window(rig.engine.energies, 800)
    assert led.count - before == 10
    for script in (0, 4, 65535):
        with pytest.raises(AccessRefused):
            rig.run_script("0-0:10.0.104", script)
    with pytest.raises(TypeUnmatched):
        rig.run_script("0-0:10.0.104", 1, axdr.UINT8)
    assert led.energy == REACTIVE
    rig.switch.level = 0
    with pytest.raises(AccessRefused):
        rig.run_script("0-0:10.0.104", 1)
    assert led.energy == REACTIVE


@pytest.mark.row("LED-09")
def test_pulses_leave_the_service_output_only_in_its_pulse_function(rig):
    output = rig.engine.pulses.output
    assert rig.read("0-0:128.60.0") == 0
    rig.write("0-0:128.60.1", axdr.ENUM, ACTIVE)
    assert output.energy == NO_ENERGY
    for value in (4, 7, 255):
        with pytest.raises(ValueError):
            rig.write("0-0:128.60.0", axdr.ENUM, value)
    rig.write("0-0:128.60.0", axdr.ENUM, 1)
    assert output.energy == ACTIVE
    again = FactoryRig(memory=rig.memory)
    assert again.engine.pulses.output.energy == ACTIVE
    again.write("0-0:128.60.0", axdr.ENUM, 0)
    assert again.engine.pulses.output.energy == NO_ENERGY


@pytest.fixture
def indicator(rig):
    """The output's double, and the rate that is in force."""
    played, force = Output(), [0]
    output = rig.engine.pulses.output
    output.attach(played)
    service = ServiceOutput(rig.parameters, rig.clock, output, lambda: force[0])
    rig.engine.on_window.append(service.window)
    return played, force


@pytest.mark.row("LED-11")
def test_the_output_conducts_in_every_rate_but_the_first_if_told_so(rig, indicator):
    played, force = indicator
    rig.write("0-0:128.60.0", axdr.ENUM, 3)
    for rate, closed in ((1, False), (2, True), (8, True), (0, False), (3, True)):
        force[0] = rate
        rig.bench.play(0.25)
        assert bool(played.lit) == closed, rate
    rig.write("0-0:128.60.0", axdr.ENUM, 0)
    assert not played.lit
    rig.bench.play(0.25)
    assert not played.lit
    assert not played.trains
    for function in (4, 7, 255):
        with pytest.raises(ValueError):
            rig.write("0-0:128.60.0", axdr.ENUM, function)


@pytest.mark.row("LED-11")
def test_the_service_output_closes_at_each_end_of_a_period_if_told_so(rig, indicator):
    played, _ = indicator
    rig.write("0-0:128.60.2", axdr.UINT8, 50)
    rig.write("0-0:128.60.0", axdr.ENUM, 2)
    (period,) = [period for period in rig.clock._periods if period.period_s == 900]
    assert period.due_utc_s % 900 == 0
    rig.parameters.put(MEASURING_PERIOD_1, 300)
    assert period.period_s == 300
    for _ in range(3):
        period.check(period.due_utc_s - 1)
        period.check(period.due_utc_s)
    assert played.trains == [(1, 50_000)] * 3
    assert rig.engine.pulses.output.count == 0  # it counts no energy
    for function in (0, 1):
        rig.write("0-0:128.60.0", axdr.ENUM, function)
        period.check(period.due_utc_s)
    assert len(played.trains) == 3


def test_a_record_from_before_the_function_keeps_its_pulse_output(rig):
    old = struct.pack(
        "<BBHHIIIBBIIIBBII", 1, 0, 1, 1, 1000, 1000, 4000, 23, 26, 500, 600, 700, 26, 80, 3, 99
    )
    for energy, function in ((26, 1), (0, 0)):
        memory = Memory()
        payload = bytearray(old)
        payload[-10] = energy
        regions.open_record(memory, "parameters").save(payload)
        again = FactoryRig(memory=memory)
        assert not again.parameters.damaged
        assert (again.read("0-0:128.60.0"), again.read("0-0:128.60.1")) == (function, energy)
        assert (again.read("0-0:128.60.2"), again.parameters.changes) == (80, 3)
        assert again.engine.pulses.output.energy == energy


@pytest.mark.row("PRD-03", "DSP-23")
def test_test_mode_shows_three_decimals_and_ends_by_itself(rig, monkeypatch):
    now_ms = [2**30 - 5000]  # the ticks wrap meanwhile
    monkeypatch.setattr(ticks, "now_ms", lambda: now_ms[0] % 2**30)
    formats = Formats()
    formats.testing = rig.test_mode.active
    energies = Energies(rig.variant, 4_000_000)
    status = MeterStatus(rig.engine.quantities, energies, 230, rig.clock)
    status.testing = rig.test_mode.active

    def shown():
        indicators = Indicators()
        status(indicators)
        plain = Indicators()
        status.testing, kept = (lambda: False), status.testing
        status(plain)
        status.testing = kept
        return formats.number(1_234_567, 0, 30)[0], indicators.lit(True) != plain.lit(True)

    assert shown() == ("001234.56", False)
    assert rig.read("0-0:96.34.10") == 3600
    rig.run_script("0-0:10.0.101", 1)
    assert shown() == ("01234.567", True)
    assert rig.read("0-0:96.34.11") is True
    now_ms[0] += 3_599_000
    assert shown() == ("01234.567", True)
    now_ms[0] += 1_000
    assert shown() == ("001234.56", False)
    assert rig.read("0-0:96.34.11") is False
    for value in (0,):
        with pytest.raises(ValueError):
            rig.write("0-0:96.34.10", axdr.UINT16, value)
    rig.write("0-0:96.34.10", axdr.UINT16, 5)
    rig.run_script("0-0:10.0.101", 1)
    now_ms[0] += 4_999
    assert shown()[1]
    rig.write("0-0:96.34.11", axdr.BOOLEAN, False)  # before its time
    assert not shown()[1]


# Who is told


def certified(rig):
    logs = LogRig()
    rig.parameters.before_change = logs.certification.record
    rig.production.before_change = logs.certification.keep
    return logs.certification


@pytest.mark.row("LED-03", "TRF-02")
def test_constants_and_ratio_are_refused_under_lock_and_logged_without():
    rig = FactoryRig(transformer=True)
    log = certified(rig)
    rig.switch.level = 0
    for code, tag, value in (("1-0:0.3.0", axdr.UINT32, 10_000), ("1-0:0.4.2", axdr.UINT16, 100)):
        with pytest.raises(AccessRefused):
            rig.write(code, tag, value)
    assert log.last() == (b"", 0, 0)
    rig.switch.level = 1
    for code, bad in (("1-0:0.4.5", 0), ("1-0:0.4.2", 0)):
        with pytest.raises(ValueError):
            rig.write(code, axdr.UINT16, bad)
    assert log.last() == (b"", 0, 0)
    rig.write("1-0:0.4.2", axdr.UINT16, 100)
    assert log.last() == (obis("1-0:0.4.2"), 1, 100)
    rig.write("1-0:0.4.5", axdr.UINT16, 5)
    assert log.last() == (obis("1-0:0.4.5"), 1, 5)
    direct = FactoryRig()
    log = certified(direct)
    for constant, old in ((3200, 1000), (4000, 3200), (1000, 4000)):
        direct.write("1-0:0.3.1", axdr.UINT32, constant)
        assert log.last() == (obis("1-0:0.3.1"), old, constant)
        assert direct.engine.pulses.reactive.pulses_per_kwh == constant


@pytest.mark.row("MET-29")
def test_measuring_periods_are_refused_under_lock_and_logged_without(rig):
    log = certified(rig)
    rig.switch.level = 0
    with pytest.raises(AccessRefused):
        rig.write("1-0:0.8.0", axdr.UINT16, 300)
    rig.switch.level = 1
    with pytest.raises(ValueError):
        rig.write("1-0:0.8.0", axdr.UINT16, 700)
    assert log.last() == (b"", 0, 0)
    rig.write("1-0:0.8.0", axdr.UINT16, 300)
    assert log.last() == (obis("1-0:0.8.0"), 900, 300)
    rig.write("1-0:0.8.2", axdr.UINT16, 60)
    assert log.last() == (obis("1-0:0.8.2"), 900, 60)
    rig.parameters.put(PERIODS_1, 3)
    assert log.last() == (obis("1-0:1.4.0"), 1, 3)
    rig.parameters.put(PERIODS_3, 15)
    assert log.last() == (obis("1-0:1.24.0"), 1, 15)


@pytest.mark.row("PRD-01")
def test_every_new_calibration_is_logged_by_its_checksums_and_posted(rig):
    log = certified(rig)
    posted = []
    rig.production.on_change = lambda *_: posted.append(1)
    fresh = rig.production.stored.calibration.pack()
    rig.write(BENCH + "1", axdr.UINT16, 5)
    rig.write(BENCH + "0", axdr.STRUCTURE, load_value([GOOD] * 3))
    rig.write(BENCH + "2", axdr.ENUM, 2)
    rig.bench.play(2)
    assert rig.read(BENCH + "3")[1] == (axdr.ENUM, 2)
    import binascii

    now = rig.production.stored.calibration.pack()
    assert now != fresh
    expected = (obis(BENCH + "4"), binascii.crc32(fresh[:-4]), binascii.crc32(now[:-4]))
    assert expected[1] != expected[2]
    assert log.last() == expected
    assert posted == [1]
    rig.write(BENCH + "2", axdr.ENUM, 1)  # measuring only changes nothing
    rig.bench.play(2)
    assert (log.last(), posted) == (expected, [1])


def test_a_calibration_that_cannot_be_logged_is_refused_and_the_old_one_measures(rig):
    log = certified(rig)
    for _ in range(100):
        log.keep(obis("1-0:0.3.0"), 1, 2)
    zero = [(axdr.STRUCTURE, [(axdr.INT32, 0)] * 5)] * 3
    off = [(axdr.STRUCTURE, [(axdr.INT32, 10**8)] + [(axdr.INT32, 0)] * 4)] * 3
    with pytest.raises(AccessRefused) as refusal:
        rig.write(BENCH + "4", axdr.STRUCTURE, [(axdr.ARRAY, off), (axdr.INT32, 0)])
    assert refusal.value.result == SCOPE_OF_ACCESS_VIOLATED
    assert rig.read(BENCH + "3")[4][1] == b"the certification log is full"
    assert rig.read(BENCH + "4")[0][1] == zero
    rig.bench.play(1)
    assert abs(rig.engine.quantities.u_uv[0] - 230e6) < 1e4
    rig.write(BENCH + "1", axdr.UINT16, 5)
    rig.write(BENCH + "0", axdr.STRUCTURE, load_value([GOOD] * 3))
    rig.write(BENCH + "2", axdr.ENUM, 2)
    rig.bench.play(2)
    progress = rig.read(BENCH + "3")
    assert (progress[1][1], progress[4][1]) == (3, b"the certification log is full")


@pytest.mark.row("PRD-02")
def test_damage_is_known_while_it_lasts_and_a_new_calibration_ends_it(rig):
    assert not rig.production.defects()
    for address in regions.open_record(rig.memory, "calibration")._addresses:
        rig.memory.octets[address : address + 12] = b"\x01" * 12
    again = FactoryRig(memory=rig.memory)
    assert again.production.defects()
    assert again.read(BENCH + "6")[1:] == [
        (3, True),
        (10, b"calibration: both copies are damaged, the design values serve"),
    ]
    zero = [(axdr.STRUCTURE, [(axdr.INT32, 0)] * 5)] * 3
    again.write(BENCH + "4", axdr.STRUCTURE, [(axdr.ARRAY, zero), (axdr.INT32, 0)])
    assert not again.production.defects()
