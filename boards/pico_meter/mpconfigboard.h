// A meter on a Raspberry Pi Pico, for MicroPython 1.25, 1.28 and newer; see README.md. Flash, from below:
//     the rest      MicroPython itself, with what manifest_frozen.py freezes
//     ROMFS         the application, run where it stands: two slots, each half of it
//     file system   main.py, and what the user keeps there
#define MICROPY_HW_BOARD_NAME "Ferraris pico_meter"

// Viper of 1.26 and 1.27 compiles metrology/kernel.py wrongly: reactive power, angles and distortion
// would be off, and nothing would tell.
#if MICROPY_VERSION_MAJOR == 1 && (MICROPY_VERSION_MINOR == 26 || MICROPY_VERSION_MINOR == 27)
#error "MicroPython 1.26 and 1.27 compile the frozen metrology wrongly: take 1.28 or newer"
#endif

// BOARD_VARIANT=FROZEN has none.
#ifndef MICROPY_HW_ROMFS_BYTES
#define MICROPY_HW_ROMFS_BYTES (1024 * 1024)
#endif

// Newer MicroPython is told by mpconfigboard.cmake and defines it before; both say the same.
#ifndef MICROPY_HW_FLASH_STORAGE_BYTES
#define MICROPY_HW_FLASH_STORAGE_BYTES (384 * 1024)
#endif
