"""What a board makes of its `fitted.py`: the variant it is sold as, and its sensors' scale.

Rows MET-01, MET-02, LED-03. `fitted.py` stands in each board's folder, because what is soldered
before the converter differs from one meter to the next of the same board.
"""

import sys

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    import hal

    class Fitted(Protocol):
        """The module `fitted`, whose constants are only read."""

        @property
        def MODEL(self) -> str: ...
        @property
        def PARTS(self) -> str: ...
        @property
        def VOLTAGE_RATIO(self) -> int: ...
        @property
        def CURRENT_MA_PER_V(self) -> int: ...
        @property
        def VOLTAGE_GAIN(self) -> int: ...
        @property
        def CURRENT_GAIN(self) -> int: ...
        @property
        def SOUNDER(self) -> bool: ...
        @property
        def KEEP_DC(self) -> bool: ...

    class PicoFitted(Fitted, Protocol):
        """What a Pico's `fitted` has besides."""

        @property
        def CONVERTER(self) -> str: ...

    class Front(Protocol):
        """A module that builds what measures; its docstring says which."""

        @property
        def OUTPUTS(self) -> "tuple[int, int, int]":
            """Pins of the opening coil, the closing coil beside it, the pulse output."""
            ...

        @property
        def MAXIMUM_MA(self) -> int:
            """Imax of one phase."""
            ...

        def front_end(
            self, fitted: PicoFitted, rp2350: bool
        ) -> "tuple[hal.FrameSource, hal.CodeConverter | None, tuple[int, int]]": ...


# u1 i1 u2 i2 u3 i3 in are channels 0 to 6 of an ADS131M08, u1 i1 in 0 to 2 of an ADS131M04, or
# u i1 i2 in 0 to 3 with two elements on one voltage
_ROLES = {"1ph": (0, 1, 2), "twin": (0, 1, 0, 2, 3)}
_ROLES_3PH = (0, 1, 2, 3, 4, 5, 6)
MAXIMUM_MA = const(100_000)
CONVERTERS = ("ads131m0x", "own", "ads1115")  # the first measures every model
_SOUNDER_HZ = const(4000)
_CHANNELS_3PH = const(8)
_CHANNELS_1PH = const(4)


class Variant:
    """What kind of meter the board is wired as (hal.Variant)."""

    def __init__(
        self, name: str, phases: int, reference_ma: int, maximum_ma: int, pulses_per_kwh: int
    ) -> None:
        self.name = name
        self.phases = phases
        self.nominal_voltage_v = 230
        self.nominal_frequency_hz = 50
        self.reference_current_ma = reference_ma
        self.maximum_current_ma = maximum_ma
        self.transformer = name == "ct"
        self.pulses_per_kwh = pulses_per_kwh


class SensorScale:
    """What one ADC code means at the mains side (hal.SensorScale)."""

    def __init__(self, fitted: "Fitted", lsb_fv: "tuple[int, int]", words: int) -> None:
        elements = words >> 1
        u_fv, i_fv = lsb_fv  # at the converter's input
        for name in ("VOLTAGE_RATIO", "CURRENT_MA_PER_V"):
            factor = getattr(fitted, name)
            if not isinstance(factor, int) or factor <= 0:
                raise ValueError(f"fitted.py: {name} {factor!r} is no whole number above 0")
        self.u_pv_per_lsb = [u_fv * fitted.VOLTAGE_RATIO // 1000] * elements
        self.i_pa_per_lsb = [i_fv * fitted.CURRENT_MA_PER_V // 1_000_000] * (elements + 1)
        self.keep_dc = fitted.KEEP_DC


def variant(fitted: "Fitted", maximum_ma: int = MAXIMUM_MA) -> Variant:
    """Return the variant of a model; `maximum_ma` is that of one phase.

    Raises ValueError for a model that there is not.
    """
    if fitted.MODEL == "3ph":
        return Variant("3ph", 3, 5_000, 120_000, 1000)
    if fitted.MODEL == "ct":
        return Variant("ct", 3, 5_000, 10_000, 10_000)
    if fitted.MODEL in _ROLES:
        return Variant(fitted.MODEL, 1, 5_000, maximum_ma, 1000)
    raise ValueError(f"fitted.py: MODEL {fitted.MODEL!r} is none of 3ph, ct, 1ph, twin")


def converter(fitted: "PicoFitted") -> str:
    """Return the name of the converter that is fitted.

    Raises ValueError for one that there is not, or that does not measure such a model.
    """
    name = fitted.CONVERTER
    if name not in CONVERTERS:
        raise ValueError(
            "fitted.py: CONVERTER {!r} is none of {}".format(name, ", ".join(CONVERTERS))
        )
    if name != CONVERTERS[0]:
        if fitted.MODEL != "1ph":
            raise ValueError(f"fitted.py: CONVERTER {name} has inputs for MODEL 1ph only")
        if fitted.VOLTAGE_GAIN != 1 or fitted.CURRENT_GAIN != 1:
            raise ValueError(f"fitted.py: CONVERTER {name} has no gain but 1")
    return name


def front(fitted: "PicoFitted") -> "Front":
    """Return the module that builds the converter, front_<name>. Raises ValueError as that."""
    module = "front_" + converter(fitted)
    __import__(module)
    return sys.modules[module]  # pyright: ignore[reportReturnType]


def roles(model: str) -> "list[int]":
    """Return which channel of the converter measures each word of a frame."""
    return list(_ROLES.get(model, _ROLES_3PH))


def channels(model: str) -> int:
    """Return how many channels the converter has."""
    return _CHANNELS_1PH if model in _ROLES else _CHANNELS_3PH


def sounder(fitted: "Fitted", pin: "int | str") -> "hal.Sounder | None":
    """Return the piezo disc on a pin, if there is one."""
    if not fitted.SOUNDER:
        return None
    from machine import PWM, Pin, Timer

    from drivers.piezo import Piezo

    return Piezo(PWM(Pin(pin), freq=_SOUNDER_HZ, duty_u16=0), Timer(-1))


def gains(fitted: "Fitted", words: int) -> "list[int]":
    """Return the converter's gain for each word of a frame."""
    return [
        fitted.CURRENT_GAIN if word & 1 else fitted.VOLTAGE_GAIN for word in range(words - 1)
    ] + [fitted.CURRENT_GAIN]
