// A meter on a pyboard 1.1, for MicroPython's ports/stm32; see README.md. What the meter has no use
// for is left out (accelerometer, SD card, CAN, DAC, servos, the LCD skin): all of the meter's code
// stands in the flash beside MicroPython.
#define MICROPY_HW_BOARD_NAME "Ferraris pyboard_meter"
#define MICROPY_HW_MCU_NAME "STM32F405RG"

// Viper of 1.26 and 1.27 compiles metrology/kernel.py wrongly: reactive power, angles and distortion
// would be off, and nothing would tell.
#if MICROPY_VERSION_MAJOR == 1 && (MICROPY_VERSION_MINOR == 26 || MICROPY_VERSION_MINOR == 27)
#error "MicroPython 1.26 and 1.27 compile the frozen metrology wrongly: take 1.28 or newer"
#endif

#define MICROPY_HW_HAS_FLASH (1)
#define MICROPY_HW_ENABLE_RNG (1)
#define MICROPY_HW_ENABLE_RTC (1)
#define MICROPY_HW_ENABLE_USB (1)

// 168 MHz from the crystal of 12 MHz: / 12 * 336 / 2; USB: / 7
#define MICROPY_HW_CLK_PLLM (12)
#define MICROPY_HW_CLK_PLLN (336)
#define MICROPY_HW_CLK_PLLP (RCC_PLLP_DIV2)
#define MICROPY_HW_CLK_PLLQ (7)

#define MICROPY_HW_RTC_USE_LSE (1)
#define MICROPY_HW_RTC_USE_US (0)

// Optical head, RS485, and two for ports to come; UART 1 has the pins of the clock's bus.
#define MICROPY_HW_UART4_TX (pin_A0)
#define MICROPY_HW_UART4_RX (pin_A1)
#define MICROPY_HW_UART6_TX (pin_C6)
#define MICROPY_HW_UART6_RX (pin_C7)
#define MICROPY_HW_UART2_TX (pin_A2)
#define MICROPY_HW_UART2_RX (pin_A3)
#define MICROPY_HW_UART3_TX (pin_B10)
#define MICROPY_HW_UART3_RX (pin_B11)

// Clock and expander
#define MICROPY_HW_I2C1_SCL (pin_B6)
#define MICROPY_HW_I2C1_SDA (pin_B7)

// Memories and glass; the converter
#define MICROPY_HW_SPI1_SCK (pin_A5)
#define MICROPY_HW_SPI1_MISO (pin_A6)
#define MICROPY_HW_SPI1_MOSI (pin_A7)
#define MICROPY_HW_SPI2_SCK (pin_B13)
#define MICROPY_HW_SPI2_MISO (pin_B14)
#define MICROPY_HW_SPI2_MOSI (pin_B15)

#define MICROPY_HW_USB_FS (1)
#define MICROPY_HW_USB_VBUS_DETECT_PIN (pin_A9)
#define MICROPY_HW_USB_OTG_ID_PIN (pin_A10)
