# What a Pico and a Pico 2 have in common besides the firmware; a board says whose pico_pins.py.

include("manifest_drivers.py")
module("fitted_parts.py", base_path=".", opt=3)
module("front_ads1115.py", base_path=".", opt=3)
module("front_ads131m0x.py", base_path=".", opt=3)
module("front_own.py", base_path=".", opt=3)
module("late_watchdog.py", base_path=".", opt=3)
module("pico_parts.py", base_path=".", opt=3)

# Adafruit's driver of the ADS1115, as `make setup` gets it.
package(
    "adafruit_ads1x15",
    ("__init__.py", "ads1015.py", "ads1115.py", "ads1x15.py", "analog_in.py"),
    base_path="../../.venv/upylib",
    opt=3,
)
package(
    "adafruit_bus_device",
    ("__init__.py", "i2c_device.py"),
    base_path="../../.venv/upylib",
    opt=3,
)
