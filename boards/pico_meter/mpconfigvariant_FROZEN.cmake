# All of the meter in the firmware itself and no ROMFS: what takes the least RAM, see README.md.
set(MICROPY_FROZEN_MANIFEST "${MICROPY_BOARD_DIR}/manifest_all.py")

list(APPEND MICROPY_DEF_BOARD MICROPY_HW_ROMFS_BYTES=0)
