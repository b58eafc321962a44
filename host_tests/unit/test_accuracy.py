"""`make accuracy` (tools/accuracy.py): limits, signals, models, verdicts, and the whole sweep.

Limits are checked against the numbers as written in docs/accuracy.md; signals against sums over
their samples; the sweep against errors that are put in on purpose.
"""

import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

np = pytest.importorskip("numpy")  # not part of what the oldest interpreters test with
pytest.importorskip("matplotlib")

import accuracy
import accuracy_judge as judge
import accuracy_limits as limits
import accuracy_points as points
import accuracy_run as run
import accuracy_signal as signals
from accuracy_converters import FRONT_ENDS
from accuracy_frontend import NAMEPLATES
from accuracy_signal import Condition

from app import axdr
from app.cosem.factory_values import AccuracyClass
from app.errors import AccessRefused, TypeUnmatched
from app.parameters import ParameterLock
from metrology.calibration import unpack


@pytest.fixture(scope="module")
def target():
    meter = run.Target()
    yield meter
    meter.close()


# Limits: class, transformer, table, factor, multiple of the reference current, percent


@pytest.mark.parametrize(
    ("name", "transformer", "table", "factor", "rel", "percent"),
    [
        ("1", False, limits.LOAD, "1", 0.05, 1.5),
        ("1", False, limits.LOAD, "1", 0.1, 1.0),
        ("1", False, limits.LOAD, "1", 0.049, None),
        ("1", True, limits.LOAD, "1", 0.02, 1.5),
        ("1", True, limits.LOAD, "1", 0.05, 1.0),
        ("1", False, limits.LOAD, "0.8 cap", 0.1, 1.5),
        ("2", False, limits.LOAD, "0.8 cap", 0.1, None),
        ("2", False, limits.LOAD, "0.5 ind", 0.2, 2.0),
        ("1", False, limits.ONE_PHASE, "1", 24, 2.0),
        ("1", False, limits.ONE_PHASE, "0.5 ind", 0.1, None),
        ("0.5S", True, limits.LOAD, "1", 0.01, 1.0),
        ("0.5S", True, limits.LOAD, "1", 2, 0.5),
        ("0.2S", True, limits.LOAD, "0.8 cap", 0.02, 0.5),
        ("0.2S", True, limits.LOAD, "0.5 ind", 0.1, 0.3),
        ("0.2S", True, limits.ORDER, "1", 0.1, 0.05),
        ("B", False, limits.LOAD, "1", 0.05, 2.0),
        ("C", False, limits.LOAD, "0.5 ind", 0.1, 0.7),
        ("C", False, limits.ONE_PHASE, "1", 0.1, 1.0),
        ("A", True, limits.LOAD, "1", 0.02, 3.5),
        ("R2", False, limits.REACTIVE, "1", 0.05, 2.5),
        ("R2", False, limits.REACTIVE, "1", 0.1, 2.0),
        ("R3", False, limits.REACTIVE, "0.25", 0.2, 4.0),
        ("1", False, limits.HALF_WAVE, "1", 24, 3.0),
        ("1", True, limits.HALF_WAVE, "1", 2, None),
        ("1", False, limits.FREQUENCY, "0.5 ind", 1, 0.7),
    ],
)
def test_limits_are_what_the_document_says(name, transformer, table, factor, rel, percent):
    assert limits.of(name, transformer).allowed(table, factor, rel) == percent


def test_the_s_classes_are_for_transformers_only():
    assert limits.of("0.2S", False) is None
    assert limits.of("0.5S", False) is None


# Signals


def sampled(signal, cycles=4, count=40000):
    """Waves of all phases over whole cycles, without a sensor."""
    times = np.arange(count) / count * cycles / signal.f_hz
    result = []
    for of in (*signal.u, *signal.i):
        result.append(signals.render(of, times, dict.fromkeys(of, 1.0), signal.base_hz))
    return result


@pytest.mark.parametrize("wave", signals.WAVES)
@pytest.mark.parametrize("lag", [0.0, 60.0, 180.0])
def test_the_true_power_is_that_of_the_waves(wave, lag):
    signal = signals.make(Condition(5.0, lag, wave=wave), 3, 230, 50)
    waves = sampled(signal)
    mean = sum(np.mean(waves[phase] * waves[3 + phase]) for phase in range(3))
    assert mean == pytest.approx(signal.power(), abs=3450 * 1e-6)


def test_shapes_have_the_power_that_physics_gives():
    full = 3 * 230 * 5

    def power(wave):
        return signals.make(Condition(5.0, wave=wave), 3, 230, 50).power()

    assert power(signals.SINE) == pytest.approx(full)
    assert power(signals.FIFTH) == pytest.approx(1.04 * full)
    for wave in (signals.HALF_WAVE, signals.FIRED, signals.BURST):
        assert power(wave) == pytest.approx(full / 2, rel=1e-8)


def test_a_half_wave_is_never_negative_and_a_burst_is_off_half_the_time():
    half = sampled(signals.make(Condition(10.0, wave=signals.HALF_WAVE), 1, 230, 50))[1]
    assert half.max() == pytest.approx(10 * math.sqrt(2), rel=0.01)
    assert half.min() > -0.01 * half.max()
    burst = sampled(signals.make(Condition(10.0, wave=signals.BURST), 1, 230, 50))[1]
    assert np.abs(burst[: len(burst) // 2]).max() > 14
    assert np.abs(burst[21000:39000]).max() < 0.05


def test_reactive_power_and_missing_phases():
    assert signals.make(Condition(5, 30), 1, 230, 50).reactive_power() == pytest.approx(575)
    assert signals.make(Condition(5, -30), 1, 230, 50).reactive_power() == pytest.approx(-575)
    assert signals.make(Condition(5, missing=(0, 2)), 3, 230, 50).power() == pytest.approx(1150)
    assert signals.make(Condition(5, loaded=(1,)), 3, 230, 50).power() == pytest.approx(1150)


# Models


def test_ads131m0x_noise_scale_and_lead():
    front = FRONT_ENDS["ads131m0x"]("3ph", 3)
    quiet = front.codes(signals.make(Condition(0.0, u_rel=0.0), 3, 230, 50), 1.0, 0, 0.0)
    # 5.35 uV of 1.2 V in 24 bits
    assert np.std(quiet, axis=0) == pytest.approx([37.4] * 7, rel=0.08)
    signal = signals.make(Condition(5.0), 3, 230, 50)
    codes = front.codes(signal, 1.0, 0, 0.0).astype(float)
    codes -= codes.mean(axis=0)
    turn = np.exp(-2j * np.pi * 50 * np.arange(len(codes)) / front.true_rate_hz)
    phasors = (codes * turn[:, None]).mean(axis=0)
    for phase in range(3):
        u, i = phasors[2 * phase], phasors[2 * phase + 1]
        assert math.degrees(np.angle(i / u)) == pytest.approx(2.0, abs=0.25)
        assert abs(u) * math.sqrt(2) * front.u_pv_per_lsb[0] * 1e-12 == pytest.approx(
            230, rel=0.02
        )
        assert abs(i) * math.sqrt(2) * front.i_pa_per_lsb[0] * 1e-12 == pytest.approx(5, rel=0.02)


def test_the_same_seed_is_the_same_specimen_and_another_is_not():
    signal = signals.make(Condition(1.0), 1, 230, 50)

    def codes(seed, number):
        return FRONT_ENDS["ads131m0x"]("1ph", seed).codes(signal, 0.1, number, 0.0)

    assert np.array_equal(codes(1, 5), codes(1, 5))
    assert not np.array_equal(codes(1, 5), codes(1, 6))
    assert not np.array_equal(codes(1, 5), codes(2, 5))


def test_rp2040_codes_are_uneven_and_the_table_evens_them():
    raw, table = (FRONT_ENDS[name]("1ph", 1) for name in ("rp2040-raw", "rp2040"))
    assert np.array_equal(raw._edges, table._edges)  # one chip, the bus model's own
    assert np.sum(np.diff(raw._edges) > 5) == 4  # the wide codes
    inside = slice(64, 4031)
    middle = ((raw._edges[1:] + raw._edges[:-1]) / 2)[inside]
    place = np.arange(len(middle))
    for front, least, most in ((raw, 1.5, 8.0), (table, 0.0, 0.3)):
        error = front._worth[1:-1][inside] / 4096 - middle
        error -= np.polyval(np.polyfit(place, error, 1), place)  # gain and offset are calibrated
        assert least <= np.sqrt(np.mean(error**2)) <= most


def test_rp2040_tells_the_meter_how_its_inputs_are_skewed():
    front = FRONT_ENDS["rp2040"]("1ph", 1)
    clocks = 48_000_000 // 12_000
    assert front.skew_ns == [-clocks * 125 // 6]
    assert front.skew_ns[0] == pytest.approx(-1e9 / 12_000, abs=1)


def test_the_ads1115_is_read_by_the_drivers_own_code(monkeypatch):
    # a sine of exactly 50 Hz is drawn through its samples; take the sine away and it is not
    from drivers import ads1115

    front = FRONT_ENDS["ads1115"]("1ph", 1)
    signal = signals.make(Condition(10.0), 1, 230, 50)
    assert front.codes(signal, 1.0, 0, 0.0).shape == (round(front.true_rate_hz), 2)
    monkeypatch.setattr(ads1115.Ads1115Frames, "_between", lambda self, at: 0)
    assert not front.codes(signal, 1.0, 0, 0.0).any()


def test_ads1115_frames_hold_voltage_and_current_of_the_same_time():
    front = FRONT_ENDS["ads1115"]("1ph", 1)
    codes = front.codes(signals.make(Condition(10.0), 1, 230, 50), 2.0, 0, 0.0).astype(float)
    u, i = codes[:, 0] - codes[:, 0].mean(), codes[:, 1] - codes[:, 1].mean()
    turn = np.exp(-2j * np.pi * 50 * np.arange(len(u)) / front.true_rate_hz)
    lead = math.degrees(np.angle(np.mean(i * turn) / np.mean(u * turn)))
    assert lead == pytest.approx(2.0, abs=0.3)  # the transformer's, not the converter's turn


# The meter's code


def test_an_error_put_in_is_the_error_found(target):
    front = FRONT_ENDS["ads131m0x"]("3ph", 1)
    record = run.calibrate(target, front, 2.0)
    good = run.measure(target, front, Condition(5.0), record.packed, 2.0, 1)
    assert good.active_percent == pytest.approx(0, abs=0.01)
    assert good.pulses_agree and not good.wrong
    worse = unpack(record.packed, 3)
    for phase in range(3):
        worse.i_gain_ppb[phase] += 10_000_000
    bad = run.measure(target, front, Condition(5.0), worse.pack(), 2.0, 1)
    gain = sum(1e9 / (1e9 + gain) for gain in record.values.i_gain_ppb[:3]) / 3
    assert bad.active_percent == pytest.approx(gain + good.active_percent, abs=0.002)
    late = unpack(record.packed, 3)
    for phase in range(3):
        late.delay_ns[phase] += 10_000  # 0.18 degrees at 50 Hz
    bad = run.measure(target, front, Condition(5.0, 60), late.pack(), 2.0, 1)
    # the voltage later: the current lags less
    expected = 100 * (math.cos(math.radians(60 - 0.18)) / 0.5 - 1)
    assert bad.active_percent == pytest.approx(expected, abs=0.02)


def test_a_quadrant_gone_wrong_is_told(target):
    front = FRONT_ENDS["ads131m0x"]("1ph", 1)
    record = run.calibrate(target, front, 1.0)
    found = run.measure(target, front, Condition(5.0, 150), record.packed, 1.0, 1)
    assert not found.wrong
    assert found.power_w < 0 < found.reactive_var
    assert found.gained_wh[5] > 0 == found.gained_wh[4]
    gained = list(found.gained_wh)
    assert run._wrong_register(gained, 100.0, 100.0, 141.0)  # as if it were import
    gained[5], gained[6] = gained[6], gained[5]
    assert run._wrong_register(gained, -100.0, 100.0, 141.0)


def test_a_refused_front_end_is_an_error_of_one_line(target, monkeypatch):
    front = FRONT_ENDS["ads1115"]("1ph", 1)
    front.rate_mhz = 430_000
    with pytest.raises(run.AccuracyError, match="refused the front end: frame rate"):
        run.calibrate(target, front, 1.0)


# Verdicts


def measured(condition, error, **more):
    given = {
        "condition": condition,
        "power_w": 1150.0,
        "reactive_var": 0.0,
        "active_percent": error,
        "reactive_percent": None,
        "gained_wh": [1.0] + [0.0] * 11,
        "seconds": 2.0,
        "pulses_agree": True,
    }
    return run.Measured(**{**given, **more})


def verdict(table, point_error, base_error=None, name="1", **more):
    base = Condition(5.0)
    condition = replace(base, u_rel=1.1) if base_error is not None else base
    found = {condition: measured(condition, point_error, **more)}
    if base_error is not None:
        found[base] = measured(base, base_error)
    point = points.Point(
        table, limits.UNITY, 1.0, condition, base=base if base_error is not None else None
    )
    outcomes = judge.outcomes([point], found, NAMEPLATES["1ph"])
    return judge.judge(outcomes, limits.of(name, False))


def test_a_limit_is_held_on_both_sides():
    assert verdict(limits.LOAD, 0.999).passed
    assert not verdict(limits.LOAD, 1.001).passed
    assert not verdict(limits.LOAD, -1.001).passed
    assert verdict(limits.LOAD, -1.001, name="2").passed


def test_an_influence_counts_from_its_base():
    assert verdict(limits.VOLTAGE, 1.6, 1.0).passed
    assert not verdict(limits.VOLTAGE, 0.3, -0.5).passed


def test_wrong_registers_and_pulses_fail_at_any_error():
    assert not verdict(limits.LOAD, 0.0, wrong="active energy in the wrong direction").passed
    assert not verdict(limits.LOAD, 0.0, pulses_agree=False).passed
    assert not verdict(limits.LOAD, None).passed


def test_start_and_no_load():
    plate = NAMEPLATES["1ph"]
    at = Condition(0.004 * 5)
    point = points.Point(limits.START, limits.UNITY, 0.004, at)

    def held(point, one):
        found = judge.outcomes([point], {point.condition: one}, plate)
        return judge.judge(found, limits.of("1", False)).passed

    assert held(point, measured(at, -20.0))
    assert not held(point, measured(at, -100.0))
    none = Condition(0.0, u_rel=1.15)
    point = points.Point(limits.NO_LOAD, limits.UNITY, 0.0, none)
    assert held(point, measured(none, None, gained_wh=[0.0] * 12))
    assert not held(point, measured(none, None, gained_wh=[0.01] + [0.0] * 11))


def test_every_class_finds_points_for_each_of_its_tables():
    for model, plate in NAMEPLATES.items():
        for name in limits.CLASSES:
            of = limits.of(name, plate.transformer)
            if of is None:
                continue
            swept = points.sweep(plate, {of.start_rel} if of.start_rel else set(), False)
            tables = {p.table for p in swept if of.allowed(p.table, p.factor, p.rel) is not None}
            wanted = set(of.bands) | set(of.variation)
            if plate.phases == 1:
                wanted -= {limits.ONE_PHASE, limits.ORDER, limits.MISSING}
            assert tables == wanted, (model, name)
            for band in of.bands.get(limits.LOAD, ()):
                factors = {
                    p.factor
                    for p in swept
                    if p.table == limits.LOAD and band.holds(p.factor, p.rel)
                }
                assert factors == set(band.factors), (model, name, band)


# The command line


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--model", "4ph"], "invalid choice: '4ph'"),
        (["--front-end", "ade7953"], "invalid choice: 'ade7953'"),
        (["--class", "0.1"], "invalid choice: '0.1'"),
        (["--class", "0.5S", "--model", "3ph"], "for transformer meters"),
        (["--workers", "0"], "--workers must be"),
        (["--seed", "-1"], "--seed must be"),
        (["--out", __file__], "is not a folder"),
        (["--host", "x:1", "--model", "1ph", "--model", "ct"], "a real meter is one --model"),
        (["--host", "x:1", "--model", "ct", "--front-end", "rp2040"], "no --front-end"),
        (["--fast"], "unrecognized arguments"),
    ],
)
def test_bad_options_end_with_2_and_a_reason(options, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        accuracy.main(options)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_what_no_front_end_measures_ends_with_2(capsys):
    assert accuracy.main(["--model", "ct", "--front-end", "rp2040"]) == 2
    assert "rp2040 measures these models only: 1ph" in capsys.readouterr().err


def test_a_sweep_passes_and_writes_both_reports(tmp_path, capsys):
    options = ["--quick", "--model", "1ph", "--front-end", "ads131m0x", "--out", str(tmp_path)]
    assert accuracy.main(options) == 0
    said = capsys.readouterr().out
    assert "IEC 62053-21 class 1 (required): pass" in said
    assert "EN 50470-3 class B (required): pass" in said
    page = (tmp_path / "accuracy.html").read_text()
    assert page.count("<svg") == page.count("</svg>") == 3
    assert "src=" not in page and "<script" not in page and "<link" not in page
    assert "no passing here is a certificate" in page
    assert (tmp_path / "accuracy.pdf").read_bytes().startswith(b"%PDF")


def test_a_class_that_is_not_met_ends_with_1(tmp_path, capsys):
    options = ["--quick", "--front-end", "ads1115", "--class", "1", "--out", str(tmp_path)]
    assert accuracy.main(options) == 1
    said = capsys.readouterr().out
    assert "FAIL  5th harmonic" in said
    assert said.count("FAIL: 1ph on ads1115") == 1


@pytest.mark.row("MET-04")
@pytest.mark.parametrize("model", ["3ph", "1ph", "ct"])
def test_a_new_meters_plate_claims_what_the_sweep_requires(model):
    transformer = NAMEPLATES[model].transformer
    settings = Plate()
    switch = type("Switch", (), {"value": lambda _self: settings.open})()
    value = AccuracyClass(ParameterLock(switch), settings, transformer)

    def read():
        writer = axdr.Writer(bytearray(64))
        value.read(writer)
        return [text.decode() for _, text in axdr.Reader(writer.buffer).data()[1]]

    def write(*names):
        writer = axdr.Writer(bytearray(64))
        writer.data(axdr.STRUCTURE, [(axdr.VISIBLE_STRING, name.encode()) for name in names])
        value.write(axdr.Reader(writer.buffer[: writer.at]))

    active, mid, reactive, apparent = read()
    required = accuracy.REQUIRED["ads131m0x", model]
    assert active in required
    assert "R" + reactive in required
    assert transformer or mid in required
    assert apparent == "3"
    write("2", "A", "3", "3")
    assert read() == ["2", "A", "3", "3"]
    for wrong in (("0.1", "A", "3", "3"), ("2", "D", "3", "3"), ("2", "A", "3", "")):
        with pytest.raises(ValueError):
            write(*wrong)
    with pytest.raises(TypeUnmatched):
        write("2", "A", "3")
    settings.open = 0
    with pytest.raises(AccessRefused):
        write("1", "B", "2", "3")
    assert read() == ["2", "A", "3", "3"]


class Plate:
    """The one setting that the type plate needs."""

    chosen = b""
    open = 1

    def get(self, key):
        return self.chosen

    def put(self, key, value):
        self.chosen = value
