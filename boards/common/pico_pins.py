"""Which pin of a Raspberry Pi Pico or Pico 2 leads to what; wiring.csv says what is at its end.

All 26 pins of the header are used, and the LED on the board itself. Numbers are GP numbers, those
of EXPANDER_ lines of the MCP23017 (0 is GPA0, 8 is GPB0). A signal that closes a contact closes
it to ground.
"""

RS485_UART = 0
RS485_TX = 0
RS485_RX = 1
RS485_DIRECTION = 2

OPTICAL_UART = 1
OPTICAL_TX = 4
OPTICAL_RX = 5

I2C = 1
SDA = 6
SCL = 7
EXPANDER_INTERRUPT = 15

# Memories and glass share a bus,
SPI = 1
SCK = 10
MOSI = 11
MISO = 12
LCD_CS = 8
FLASH_CS = 9
FRAM_CS = 13
LCD_DC = 14

# the converter has one of its own: the ADS131M0x,
ADC_SPI = 0
ADC_MISO = 16
ADC_CS = 17
ADC_SCK = 18
ADC_MOSI = 19
ADC_RESET = 20
ADC_DRDY = 21

# or an ADS1115 in its place,
ADS1115_I2C = 0
ADS1115_SDA = 16
ADS1115_SCL = 17

# or the processor's own, whose inputs take the pins of what then stands there.
OWN_VOLTAGE = 26
OWN_CURRENT = 27
OWN_NEUTRAL = 28
OWN_DISCONNECTOR_OPEN = 18
OWN_DISCONNECTOR_CLOSE = 19
OWN_PULSE_OUTPUT = 20

LED_ACTIVE = 3
LED_REACTIVE = 25  # on the board itself
PULSE_OUTPUT = 28
SUPPLY_GOOD = 22
DISCONNECTOR_OPEN = 26  # neighbours, for one state machine
DISCONNECTOR_CLOSE = 27

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

# State machines: the capture must have a receive FIFO that the DMA reaches; the programs of the
# capture and of the pulses fit into one PIO's 32 instructions, the relay's stands in the next,
# where 5 to 7 are left for drivers/rp2_pio_uart.py.
CAPTURE_MACHINE = 0
LED_ACTIVE_MACHINE = 1
LED_REACTIVE_MACHINE = 2
PULSE_OUTPUT_MACHINE = 3
RELAY_MACHINE = 4
