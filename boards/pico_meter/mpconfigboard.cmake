# A meter on a Raspberry Pi Pico, for MicroPython's ports/rp2; see README.md.
set(PICO_BOARD "pico")

set(MICROPY_FROZEN_MANIFEST "${MICROPY_BOARD_DIR}/manifest_frozen.py")
set(MICROPY_BOARD_PINS "${MICROPY_BOARD_DIR}/../common/pins.csv")

# The same number as in mpconfigboard.h, in octets: older MicroPython takes it from there.
if(NOT DEFINED MICROPY_HW_FLASH_STORAGE_BYTES)
    set(MICROPY_HW_FLASH_STORAGE_BYTES 393216)
endif()
