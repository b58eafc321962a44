"""PWM outputs of the simulated processor, as machine.py offers them.

The edges of a wave are not simulated: what hangs on the pin is told frequency and duty.
"""

import wiring
from machine_pin import pin_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine_pin import Pin

_LEAST_HZ = 8  # of the RP2040's divider
_MOST_HZ = 62_500_000
_MOST_DUTY = 65535

_running: "list[PWM]" = []


class PWM:
    """A pin that gives a wave, until the processor is reset."""

    def __init__(self, dest: "Pin | int", *, freq: int = -1, duty_u16: int = -1) -> None:
        self._pin = pin_number(dest)
        self._hz = 0
        self._duty = 0
        _running.append(self)
        self.init(freq=freq, duty_u16=duty_u16)

    def init(self, *, freq: int = -1, duty_u16: int = -1) -> None:
        """Set what is given."""
        if freq != -1:
            self.freq(freq)
        if duty_u16 != -1:
            self.duty_u16(duty_u16)

    def freq(self, value: "int | None" = None) -> "int | None":
        """Return or set the frequency in hertz."""
        if value is None:
            return self._hz
        if not _LEAST_HZ <= value <= _MOST_HZ:
            raise ValueError("freq too " + ("small" if value < _LEAST_HZ else "large"))
        self._hz = value
        self._put()
        return None

    def duty_u16(self, value: "int | None" = None) -> "int | None":
        """Return or set the share of a period that the pin is high, 65535 all of it."""
        if value is None:
            return self._duty
        self._duty = max(0, min(value, _MOST_DUTY))
        self._put()
        return None

    def deinit(self) -> None:
        """End the wave."""
        self._duty = 0
        self._put()
        if self in _running:
            _running.remove(self)

    def _put(self) -> None:
        wiring.put_wave(self._pin, self._hz, self._duty)


def reset_pwms() -> None:
    """End all waves, as a processor in reset does."""
    for pwm in list(_running):
        pwm.deinit()
