options.defaults(files=True)
include("../../firmware/manifest.py", files=options.files)
package(
    "drivers",
    (
        "__init__.py",
        "ads131m0x.py",
        "ds3231.py",
        "fm25v20.py",
        "irq_spi_capture.py",
        "mcp23017.py",
        "piecewise_uart.py",
        "piezo.py",
        "pulse_pace.py",
        "rs485.py",
        "st7567.py",
        "stm32_coils.py",
        "timed_relay.py",
        "timer_pulses.py",
        "w25q.py",
    ),
    base_path="../../firmware",
    opt=3,
)
module("fitted_parts.py", base_path="../common", opt=3)
module("late_watchdog.py", base_path="../common", opt=3)
module("board.py", base_path=".", opt=3)
if options.files:
    module("fitted.py", base_path=".", opt=3)
module("pins.py", base_path=".", opt=3)
