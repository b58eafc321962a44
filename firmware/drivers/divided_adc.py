"""A voltage behind a divider at an analogue input of the processor, as a `hal.Voltage`."""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from machine import ADC

_FULL_SCALE = const(65535)


class DividedAdc:
    """`full_scale_mv` before the divider reaches the converter's reference."""

    def __init__(self, adc: "ADC", full_scale_mv: int) -> None:
        self._adc = adc
        self._full_scale_mv = full_scale_mv

    def voltage_mv(self) -> int:
        """Return the voltage before the divider in millivolts."""
        return (self._adc.read_u16() * self._full_scale_mv + _FULL_SCALE // 2) // _FULL_SCALE
