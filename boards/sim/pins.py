"""The simulated board's wiring list: what each pin and bus of the processor leads to.

assembly.py solders the models to these numbers and board.py builds the drivers on them. Levels:
keys, covers, switches and inputs close to ground. The last names tell what kind of board
this one is; assembly.py sets them before the firmware boots, run.py the program memory.
"""

# The converter has a bus of its own.
ADC_SPI = 0
ADC_MISO = 16
ADC_CS = 17
ADC_SCK = 18
ADC_MOSI = 19
ADC_RESET = 20
ADC_DRDY = 21

# Memories and glass share one.
SPI = 1
LCD_CS = 8
FLASH_CS = 9
SCK = 10
MOSI = 11
MISO = 12
FRAM_CS = 13
LCD_DC = 14
LCD_RESET = 15
LCD_BACKLIGHT = 22
# A segment glass is written bit by bit.
LCD_DATA = LCD_DC
LCD_WR = LCD_RESET

I2C = 1
SDA = 6
SCL = 7
RTC_ADDRESS = 0x68
OLED_ADDRESS = 0x3C

UART_RS485 = 0
UART_OPTICAL = 1
UART_P1 = 2
UART_MBUS = 3
UART_MODEM = 4

SOUNDER = 23
LED_ACTIVE = 24
LED_REACTIVE = 25
KEY_SCROLL = 26
KEY_RESET = 27
SUPPLY_GOOD = 28  # low: the mains is gone
TERMINAL_COVER = 29  # low: closed
METER_COVER = 30  # low: closed
DISCONNECTOR_OPEN = 31
DISCONNECTOR_CLOSE = 32
DISCONNECTOR_SENSE = 33
RELAYS = ((34, 35, 36), (37, 38, 39))  # open, close, sense
INPUTS = (40, 41, 42)  # low: on
MAGNET = 43  # low: a magnet is near
LOCK = 44  # low: parameters are locked
PULSE_OUTPUT = 45  # high: the OptoMOS conducts
BATTERY_HOLD = 46  # high: the battery feeds the processor
BATTERY_ADC = 47
PULSE_OUTPUTS = (48, 49, 50, 51, 52)  # high: conducting, unless set otherwise
DISCHARGE = 53  # low for a moment: high voltage has hit the case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

model = "3ph"
choice = "full"  # of the parts of the firmware
glass = "st7567"  # the display's controller
segments: "Any" = None  # hal.Segments of the glass that is fitted, None: it has dots
tcp: "tuple[str, int] | None" = None  # address and port for COSEM over TCP
scale: "Any" = None  # hal.SensorScale of the sensors that are fitted
adc_clock_hz = 8_192_000  # crystal of the metering converter: 4 kHz with its oversampling of 1024
program: "bytearray | None" = None  # the processor's flash with the code that runs, if it is one
