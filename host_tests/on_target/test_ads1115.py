"""Adafruit's ADS1x15 driver, unmodified, on MicroPython: through the adapter to the model."""

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, raises, report
from sim_checks import fresh

sys.path.insert(0, "firmware")
sys.path.append(".venv/upylib")

import machine
import pins
import timeline
import wiring
from adafruit_ads1x15.ads1115 import ADS1115
from devices.ads1115 import Ads1115 as Model
from machine import I2C

from drivers.ads1115 import AuxiliaryInputs
from drivers.busio_adapter import BusI2c


def volts(number, _s):
    return (0.25, 1.8, 0.73, 0.75)[number]


def rig():
    fresh()
    machine.start(machine.PWRON_RESET)
    model = Model(volts, timeline.now, noise_lsb=0)
    wiring.i2c(pins.I2C, 0x48, model)
    bus = BusI2c(I2C(pins.I2C, freq=400_000))
    return model, bus, ADS1115(bus)


def test_auxiliary_inputs():
    _, bus, chip = rig()
    inputs = AuxiliaryInputs(chip, bus)
    check("battery", abs(inputs.battery_mv(5, 100_000, 100_000) - 3600) <= 1)
    check("temperature", abs(inputs.temperature_cdeg(6) - 2300) <= 2)
    check("difference", abs(inputs.microvolt(3, 2) + 20_000) <= 63, inputs.microvolt(3, 2))


def test_faults():
    model, bus, chip = rig()
    inputs = AuxiliaryInputs(chip, bus)
    model.fault("stuck")
    check("stuck", raises(OSError, inputs.microvolt, 4))
    model.fault("clear")
    check("back", abs(inputs.microvolt(4) - 250_000) <= 125)
    model.power(False)
    check("gone", raises(OSError, inputs.microvolt, 4))
    check("no chip", raises(ValueError, ADS1115, bus))


test_auxiliary_inputs()
test_faults()
report()
