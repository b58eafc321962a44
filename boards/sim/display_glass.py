"""The display of the simulated board: one of four controllers, soldered to the same pins."""

import pins
import segments
import timeline
import wiring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devices.ht1621 import Ht1621
    from devices.ssd1306 import Ssd1306
    from devices.st7567 import St7567

    Glass = St7567 | Ssd1306 | Ht1621


def fit_glass(name: str) -> "Glass":
    """Build the model of a controller with its glass and wire it; one of options.GLASSES."""
    pins.glass = name
    pins.segments = segments.layout(name)
    if name == "ssd1306":
        from devices.ssd1306 import Ssd1306

        oled = Ssd1306(now_us=timeline.now, at=timeline.at, address=pins.OLED_ADDRESS)
        wiring.i2c(pins.I2C, pins.OLED_ADDRESS, oled)
        return oled
    if name == "st7567":
        from devices.st7567 import St7567

        lcd = St7567(now_us=timeline.now, at=timeline.at)
        wiring.spi(pins.SPI, pins.LCD_CS, lcd)
        wiring.output(pins.LCD_DC, lcd.set_dc)
        wiring.output(pins.LCD_RESET, lcd.set_reset, idle=1)
    else:
        lcd = _segments(name)
    wiring.output(pins.LCD_BACKLIGHT, lcd.set_backlight)
    return lcd


def _segments(name: str) -> "Ht1621":
    from devices.ht1621 import Ht1621

    if name == "ht1621":
        lcd = Ht1621(timeline.now, timeline.at)
    else:
        from devices.ht1622 import Ht1622

        lcd = Ht1622(timeline.now, timeline.at)
    wiring.output(pins.LCD_CS, lcd.set_cs, idle=1)
    wiring.output(pins.LCD_WR, lcd.set_wr, idle=1)
    wiring.output(pins.LCD_DATA, lcd.set_data)
    return lcd
