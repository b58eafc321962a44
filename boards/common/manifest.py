# What a Pico and a Pico 2 have in common besides the firmware.

package(
    "drivers",
    (
        "__init__.py",
        "ads131m0x.py",
        "ds3231.py",
        "fm25v20.py",
        "mcp23017.py",
        "pulse_pace.py",
        "rp2_coils.py",
        "rp2_dma_ring.py",
        "rp2_pulses.py",
        "rp2_spi_capture.py",
        "rs485.py",
        "st7567.py",
        "timed_relay.py",
        "w25q.py",
    ),
    base_path="../../firmware",
    opt=3,
)
module("fitted_parts.py", base_path=".", opt=3)
module("late_watchdog.py", base_path=".", opt=3)
module("pico_parts.py", base_path=".", opt=3)
module("pico_pins.py", base_path=".", opt=3)
