"""ADS1115 through Adafruit's own driver, the busio adapter and the chip's model.

Adafruit's package is the one that `make setup` puts into .venv/upylib; it runs unmodified.
"""

import asyncio
import math
import sys
import types
from array import array
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[2] / ".venv" / "upylib"))

import circuitpython
from chip_bus import Bench
from devices.ads1115 import Ads1115 as Model

circuitpython.install()

from adafruit_ads1x15.ads1115 import ADS1115

from drivers import ads1115
from drivers.busio_adapter import BusI2c
from metrology.calibration import Calibration
from metrology.engine import Engine

OCTET_US = 22.5  # nine bits at 400 kHz


class I2c:
    """machine.I2C on one chip; each octet takes its time."""

    def __init__(self, chip, bench):
        self.chip = chip
        self.bench = bench
        self.broken_after = None  # octets that are acknowledged
        self.log = []
        self._rest = 0.0

    def _pass(self, octets):
        self._rest += octets * OCTET_US
        self.bench.run(int(self._rest))
        self._rest -= int(self._rest)

    def writeto(self, address, data, stop=True):
        self._pass(1 + len(data))
        self.log.append((bytes(data), stop))
        count = self.chip.i2c_write(address, bytes(data))
        if count < 0:
            raise OSError(19)  # ENODEV
        return count if self.broken_after is None else min(count, self.broken_after)

    def readfrom_into(self, address, buffer):
        self._pass(1 + len(buffer))
        if self.chip.i2c_read(address, buffer) < 0:
            raise OSError(19)


class Clock:
    def __init__(self, bench):
        self.bench = bench

    def ticks_us(self):
        return self.bench.us & 0x3FFFFFFF

    def ticks_diff(self, a, b):
        return ((a - b + (1 << 29)) & 0x3FFFFFFF) - (1 << 29)

    def ticks_add(self, a, b):
        return (a + b) & 0x3FFFFFFF


class Rig:
    def __init__(self, monkeypatch, volts=lambda _n, _s: 0.0, start_us=0, **options):
        self.bench = Bench()
        self.bench.us = start_us
        options.setdefault("noise_lsb", 0)
        self.model = Model(volts, self.bench.now_us, **options)
        monkeypatch.setattr(ads1115, "time", Clock(self.bench))
        sleep = self.sleep
        stand_in = types.SimpleNamespace(sleep_ms=sleep)
        monkeypatch.setattr(ads1115, "asyncio", stand_in)
        self.i2c = I2c(self.model, self.bench)
        self.bus = BusI2c(self.i2c)
        self.chip = ADS1115(self.bus)
        self.pause_us = 20  # what the other tasks take between two conversions

    async def sleep(self, ms):
        self.bench.run(ms * 1000 + self.pause_us)

    def frames(self, milliseconds, driver=None):
        driver = driver or self.driver
        found = []
        buffer = array("i", [0] * 128)
        end = self.bench.us + milliseconds * 1000
        while self.bench.us < end:
            asyncio.run(driver.wait())
            while count := driver.take(buffer, 64):
                found.extend(tuple(buffer[2 * k : 2 * k + 2]) for k in range(count))
        return found


@pytest.mark.parametrize(
    ("gain", "volts"), [(2 / 3, 5.0), (1, 3.3), (2, -1.5), (4, 0.3), (8, -0.5), (16, 0.01)]
)
def test_adafruit_s_driver_reads_the_model(monkeypatch, gain, volts):
    rig = Rig(monkeypatch, lambda n, _s: volts if n == 1 else 0.0)
    inputs = ads1115.AuxiliaryInputs(rig.chip, rig.bus)
    found = inputs.microvolt(5, gain)
    assert abs(found - volts * 1e6) <= ads1115.full_scale_uv(gain) / 32768
    assert inputs.microvolt(4, gain) == 0


def test_differential_inputs_and_clipping(monkeypatch):
    rig = Rig(monkeypatch, lambda n, _s: (1.0, 1.25, 3.0, 0.5)[n])
    inputs = ads1115.AuxiliaryInputs(rig.chip, rig.bus)
    assert abs(inputs.microvolt(0, 4) + 250_000) < 40
    assert inputs.microvolt(3, 2) == 32767 * 2_048_000 // 32768


def test_battery_and_temperature(monkeypatch):
    rig = Rig(monkeypatch, lambda n, _s: (1.8, 0.73, 0.2, 0.0)[n])
    inputs = ads1115.AuxiliaryInputs(rig.chip, rig.bus)
    assert abs(inputs.battery_mv(4, 100_000, 100_000) - 3600) <= 1
    assert abs(inputs.temperature_cdeg(5) - 2300) <= 2  # MCP9700: 0.5 V and 10 mV/K
    assert abs(inputs.temperature_cdeg(6) + 3000) <= 2


@pytest.mark.parametrize(("mux", "gain"), [(8, 1), (-1, 1), (0, 3), (0, 0)])
def test_what_the_chip_has_not_is_refused(monkeypatch, mux, gain):
    rig = Rig(monkeypatch)
    with pytest.raises(ValueError, match="ADS1115"):
        ads1115.AuxiliaryInputs(rig.chip, rig.bus).microvolt(mux, gain)
    with pytest.raises(ValueError, match="ADS1115"):
        ads1115.Ads1115Frames(lambda: rig.chip, rig.bus, voltage_mux=mux, gain=gain)


def test_chip_that_is_not_there(monkeypatch):
    rig = Rig(monkeypatch)
    rig.model.power(False)
    with pytest.raises(OSError, match="19"):
        ads1115.AuxiliaryInputs(rig.chip, rig.bus).microvolt(4)
    assert rig.bus.try_lock()  # the bus is free again
    with pytest.raises(ValueError, match="No I2C device"):
        ADS1115(BusI2c(rig.i2c))


def test_chip_that_never_ends_its_conversion_raises(monkeypatch):
    """Adafruit's driver would ask for ever."""
    rig = Rig(monkeypatch)
    rig.model.fault("stuck")
    with pytest.raises(OSError, match=r"110|ETIMEDOUT|60"):
        ads1115.AuxiliaryInputs(rig.chip, rig.bus).microvolt(4)


def test_adapter_says_when_an_octet_was_not_taken(monkeypatch):
    rig = Rig(monkeypatch)
    rig.i2c.broken_after = 1
    with pytest.raises(OSError, match="5"):
        rig.bus.writeto(0x48, b"\x01\x85\x83")
    with pytest.raises(OSError, match="19"):
        rig.bus.writeto(0x49, b"\x01")


def test_adapter_sends_the_part_that_is_meant(monkeypatch):
    rig = Rig(monkeypatch)
    rig.i2c.log.clear()
    rig.bus.writeto(0x48, b"abcdef", start=2, end=4)
    buffer = bytearray(b"....")
    rig.bus.writeto_then_readfrom(0x48, b"\x01\x02", buffer, out_end=1, in_start=1, in_end=3)
    assert rig.i2c.log == [(b"cd", True), (b"\x01", False)]
    assert bytes(buffer[:3]) == b"." + (rig.model._registers[1] | 0x8000).to_bytes(2, "big")
    assert rig.bus.try_lock()
    assert not rig.bus.try_lock()
    rig.bus.unlock()
    assert rig.bus.try_lock()


def sine(u_v, i_v, lag_deg=0.0, hz=50.0, harmonics=()):
    """u between AIN0 and AIN1, i between AIN2 and AIN3, peak volts; both about 1.5 V."""
    turn = 2 * math.pi * hz

    def volts(number, s):
        if number == 0:
            u = math.sin(turn * s)
            u += sum(share * math.sin(order * turn * s) for order, share, _ in harmonics)
            return 1.5 + u_v * u
        if number == 2:
            i = math.sin(turn * s - math.radians(lag_deg))
            i += sum(share * math.sin(order * turn * s) for order, _, share in harmonics)
            return 1.5 + i_v * i
        return 1.5

    return volts


def entry(monkeypatch, volts, **options):
    rig = Rig(monkeypatch, volts, **options)
    rig.driver = ads1115.Ads1115Frames(lambda: rig.chip, rig.bus)
    rig.driver.start()
    return rig


def test_frames_are_the_sine_at_every_millisecond(monkeypatch):
    rig = entry(monkeypatch, sine(1.0, 0.5, 30))
    found = rig.frames(500)
    assert abs(len(found) - 500) <= 12
    assert rig.driver.lost < 8  # the first samples
    # The time of a frame is known up to the conversion's own: fit it on the voltage.
    peak_u = max(abs(u) for u, _ in found) / 256
    assert abs(peak_u - 16000 * 0.995) < 80  # 0.56 % less by the average over a conversion
    lag = []
    for k in range(len(found) - 1):
        if found[k][0] < 0 <= found[k + 1][0]:
            lag.append(k + found[k][0] / (found[k][0] - found[k + 1][0]))
    periods = [b - a for a, b in zip(lag, lag[1:], strict=False)]
    assert all(abs(period - 20) < 0.1 for period in periods)


class OnePhase:
    name = "1ph"
    phases = 1
    nominal_voltage_v = 230
    nominal_frequency_hz = 50
    reference_current_ma = 5_000
    maximum_current_ma = 40_000
    transformer = False
    pulses_per_kwh = 1000


class Scale:
    """400 V and 60 A peak at 2.048 V."""

    u_pv_per_lsb = [400 * 10**12 // 2**23]
    i_pa_per_lsb = [60 * 10**12 // 2**23]
    keep_dc = False


def measured(monkeypatch, seconds=2, u_v=230.0, i_a=10.0, **options):
    """(P, U, I) of the engine on the entry-level front end."""
    keys = ("lag_deg", "hz", "harmonics")
    wave = {key: options.pop(key) for key in keys if key in options}
    peak = math.sqrt(2) * 2.048
    rig = entry(monkeypatch, sine(u_v * peak / 400, i_a * peak / 60, **wave), **options)
    engine = Engine(rig.driver, Scale, OnePhase, Calibration(1))
    found = []
    q = engine.quantities
    engine.on_window.append(lambda: found.append((q.p_uw[0], q.u_uv[0], q.i_ua[0])))
    end = rig.bench.us + int(seconds * 1e6)
    while rig.bench.us < end:
        asyncio.run(rig.driver.wait())
        engine.poll()
    rows = found[2:]
    return [sum(row[k] for row in rows) / len(rows) / 1e6 for k in range(3)]


SINC = math.sin(math.pi * 50 / 860) / (math.pi * 50 / 860)  # the conversion averages


@pytest.mark.parametrize("ppm", [-90_000, 0, 90_000])
@pytest.mark.parametrize("lag_deg", [0, 60, -37])
def test_fundamental_is_right_after_a_gain_calibration(monkeypatch, lag_deg, ppm):
    """Whatever the chip's oscillator does: times are the processor's."""
    p, u, i = measured(monkeypatch, lag_deg=lag_deg, oscillator_ppm=ppm)
    speed = 1 + ppm / 1e6
    x = math.pi * 50 / (860 * speed)
    average = math.sin(x) / x
    assert abs(u / (230 * average) - 1) < 0.002
    assert abs(i / (10 * average) - 1) < 0.002
    expected = 2300 * math.cos(math.radians(lag_deg)) * average**2
    assert abs(p / expected - 1) < 0.003


def test_harmonics_are_measured_wrong(monkeypatch):
    """The fifth-harmonic test of IEC 62053-21: the note says so, with about these numbers."""
    p, _, _ = measured(monkeypatch, harmonics=((5, 0.1, 0.4),))
    clean, _, _ = measured(monkeypatch)
    assert p / clean < 1.03  # the true power is 1.04


def test_slow_tasks_cost_frames_that_are_counted(monkeypatch):
    rig = entry(monkeypatch, sine(1.0, 0.5))
    before = len(rig.frames(200))
    lost = rig.driver.lost
    rig.bench.run(30_000)  # somebody kept the processor
    found = rig.frames(200)
    assert 25 <= rig.driver.lost - lost <= 36
    assert abs(len(found) + rig.driver.lost - lost - 230) <= 12
    assert before
    peak = max(abs(u) for u, _ in found) / 256
    assert peak < 16100


def test_failing_chip_is_counted_and_comes_back(monkeypatch):
    rig = entry(monkeypatch, sine(1.0, 0.5))
    rig.frames(50)
    rig.model.power(False)
    original = rig.sleep

    async def until_the_fifth(ms):
        await original(ms)
        if rig.driver.errors == 5:
            rig.model.power(True)

    monkeypatch.setattr(ads1115.asyncio, "sleep_ms", until_the_fifth)
    lost = rig.driver.lost
    found = rig.frames(700)
    assert rig.driver.errors == 5
    assert 480 <= rig.driver.lost - lost <= 530
    assert abs(len(found) + rig.driver.lost - lost - 700) <= 12


def test_a_front_end_without_its_chip_says_so_when_it_is_started(monkeypatch):
    """Not when it is built: the meter has to come up and tell."""
    rig = Rig(monkeypatch)
    rig.model.power(False)
    driver = ads1115.Ads1115Frames(lambda: ADS1115(rig.bus), rig.bus)
    for _ in range(2):
        with pytest.raises(OSError, match="no answer"):
            driver.start()
    rig.model.power(True)
    driver.start()
    assert rig.frames(100, driver)


def test_a_chip_that_stays_away_is_lost_time_and_lets_the_meter_tell(monkeypatch):
    rig = entry(monkeypatch, sine(1.0, 0.5))
    rig.frames(50)
    rig.model.power(False)
    lost, began_us = rig.driver.lost, rig.bench.us
    buffer = array("i", bytes(8 * 64))
    for second in range(1, 1300):  # beyond the wrap of the ticks
        while rig.bench.us < began_us + second * 1_000_000:
            asyncio.run(rig.driver.wait())
            rig.driver.take(buffer, 64)
        if second in (1, 10, 1299):
            assert abs(rig.driver.lost - lost - 1000 * second) <= 120
    rig.model.power(True)
    rig.driver.start()
    assert len(rig.frames(300)) > 280


def test_ticks_wrap(monkeypatch):
    rig = entry(monkeypatch, sine(1.0, 0.5), start_us=(1 << 30) - 100_000)
    found = rig.frames(300)
    assert abs(len(found) - 300) <= 12
    assert rig.driver.lost < 8
