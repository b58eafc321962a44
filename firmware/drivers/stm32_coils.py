"""The two coils of a latching relay on timer 3 of an STM32F405 in one-pulse mode.

Reference manual RM0090, "TIM2 to TIM5". The timer counts 50 ms and stops itself; its outputs fall
with it, whatever the program does then, also nothing any more. Only one output is ever let
through. After a reset the pins float: the coils' drivers need pull-downs. drivers/timed_relay.py
makes a `hal.Relay` of it.
"""

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import Pin

    from hal import Registers


_RCC_APB1ENR = const(0x40023840)
_RCC_TIM3 = const(0x2)
_TIM3 = const(0x40000400)
_CR1 = const(0x00)
_EGR = const(0x14)
_CCMR2 = const(0x1C)
_CCER = const(0x20)
_CNT = const(0x24)
_PSC = const(0x28)
_ARR = const(0x2C)
_CCR3 = const(0x3C)
_CCR4 = const(0x40)

_STOPPED = const(0x08)  # OPM
_RUNNING = const(0x09)  # OPM and CEN
_UPDATE = const(0x01)  # takes the prescaler over
_BOTH_LOW = const(0x4040)  # "force inactive" on channels 3 and 4
_PULSE_3 = const(0x4070)  # PWM mode 2: high from the compare value on
_PULSE_4 = const(0x7040)
_OUTPUTS = const(0x1100)  # CC3E, CC4E
_PRESCALER = const(8399)  # 84 MHz to 10 kHz
_PULSE_TICKS = const(500)
_ALTERNATE = const(2)  # TIM3 on PB0 and PB1


class Stm32Coils:
    """The opening coil on PB0 (channel 3), the closing one on PB1 (channel 4)."""

    def __init__(self, registers: "Registers", pin_open: "Pin", pin_close: "Pin") -> None:
        self._registers = registers
        registers[_RCC_APB1ENR] = registers[_RCC_APB1ENR] | _RCC_TIM3
        for register, value in (
            (_CR1, _STOPPED),
            (_CCMR2, _BOTH_LOW),
            (_CCER, _OUTPUTS),
            (_PSC, _PRESCALER),
            (_ARR, _PULSE_TICKS),
            (_CCR3, 1),
            (_CCR4, 1),
            (_EGR, _UPDATE),
        ):
            registers[_TIM3 + register] = value
        for pin in (pin_open, pin_close):
            pin.init(pin.ALT, alt=_ALTERNATE)

    def pulse(self, closing: bool) -> None:
        """Begin a pulse; one that is under way ends."""
        registers = self._registers
        registers[_TIM3 + _CR1] = _STOPPED
        registers[_TIM3 + _CNT] = 0
        registers[_TIM3 + _CCMR2] = _PULSE_4 if closing else _PULSE_3
        registers[_TIM3 + _CR1] = _RUNNING
