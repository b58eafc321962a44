# A meter on a pyboard 1.1, for MicroPython's ports/stm32; see README.md.
MCU_SERIES = f4
CMSIS_MCU = STM32F405xx
AF_FILE = boards/stm32f405_af.csv

# The vectors in sector 0 (16 KB), the file system in sectors 1 to 4 (112 KB), all else behind it.
LD_FILES = boards/stm32f405.ld $(BOARD_DIR)/stack.ld boards/common_ifs.ld
TEXT0_ADDR = 0x08000000
TEXT1_ADDR = 0x08020000

MICROPY_VFS_LFS2 = 1
FROZEN_MANIFEST = $(BOARD_DIR)/manifest_frozen.py
