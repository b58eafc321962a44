"""Which pin of a pyboard 1.1 leads to what; wiring.csv says what is at its end.

Names are those printed on the board. X4, Y9 and Y10 (UART 3) are left for further ports. Numbers
of EXPANDER_ are lines of the MCP23017 (0 is GPA0, 8 is GPB0). A signal that closes a contact
closes it to ground.
"""

OPTICAL_UART = 4
OPTICAL_TX = "X1"
OPTICAL_RX = "X2"

RS485_UART = 6
RS485_TX = "Y1"
RS485_RX = "Y2"
RS485_DIRECTION = "X22"

I2C = 1
SCL = "X9"
SDA = "X10"
EXPANDER_INTERRUPT = "X18"

# Memories and glass share a bus,
SPI = 1
LCD_CS = "X5"
SCK = "X6"
MISO = "X7"
MOSI = "X8"
FRAM_CS = "X11"
FLASH_CS = "X12"
LCD_DC = "X19"

# the converter has one of its own.
ADC_SPI = 2
ADC_DRDY = "Y3"
ADC_RESET = "Y4"
ADC_CS = "Y5"
ADC_SCK = "Y6"
ADC_MISO = "Y7"
ADC_MOSI = "Y8"

LED_ACTIVE = "LED_RED"
LED_REACTIVE = "LED_YELLOW"
PULSE_OUTPUT = "X20"
SOUNDER = "X3"  # an output of timers 2, 5 and 9
SUPPLY_GOOD = "X21"
DISCONNECTOR_OPEN = "Y11"  # the outputs of timer 3, channels 3
DISCONNECTOR_CLOSE = "Y12"  # and 4

EXPANDER_KEY_SCROLL = 0
EXPANDER_KEY_RESET = 1
EXPANDER_TERMINAL_COVER = 2
EXPANDER_METER_COVER = 3
EXPANDER_MAGNET = 4
EXPANDER_LOCK = 5
EXPANDER_DISCONNECTOR_SENSE = 6
EXPANDER_LCD_RESET = 7
EXPANDER_INPUT1 = 8
EXPANDER_INPUT2 = 9
EXPANDER_INPUT3 = 10
EXPANDER_LCD_BACKLIGHT = 15
