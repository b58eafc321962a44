// A meter on a Raspberry Pi Pico, for MicroPython 1.25 and newer; see README.md. Flash, from below:
//     the rest      MicroPython itself, with what manifest_frozen.py freezes
//     ROMFS         the application, run where it stands: two slots, each half of it
//     file system   main.py, and what the user keeps there
#define MICROPY_HW_BOARD_NAME "Ferraris pico_meter"

// BOARD_VARIANT=FROZEN has none.
#ifndef MICROPY_HW_ROMFS_BYTES
#define MICROPY_HW_ROMFS_BYTES (1024 * 1024)
#endif

// Newer MicroPython is told by mpconfigboard.cmake and defines it before; both say the same.
#ifndef MICROPY_HW_FLASH_STORAGE_BYTES
#define MICROPY_HW_FLASH_STORAGE_BYTES (384 * 1024)
#endif
