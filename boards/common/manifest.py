# What a Pico and a Pico 2 have in common besides the firmware.

include("manifest_drivers.py")
module("fitted_parts.py", base_path=".", opt=3)
module("late_watchdog.py", base_path=".", opt=3)
module("pico_own_adc.py", base_path=".", opt=3)
module("pico_parts.py", base_path=".", opt=3)
module("pico_pins.py", base_path=".", opt=3)
