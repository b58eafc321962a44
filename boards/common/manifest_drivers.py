# The drivers of the chips on a Pico and a Pico 2: with metrology they are legally relevant.

package(
    "drivers",
    (
        "__init__.py",
        "ads1115.py",
        "ads131m0x.py",
        "busio_adapter.py",
        "ds3231.py",
        "fm25v20.py",
        "mcp23017.py",
        "piezo.py",
        "pulse_pace.py",
        "rp2_adc.py",
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
