"""Values of class 1 objects of the tariff: who decides it, and by which numbers."""

from micropython import const

from app.axdr import UINT16, UINT32
from app.cosem.values import Value
from app.event_codes import PARAMETERS_CHANGED
from app.tariff.blocks import BLOCKS
from app.tariff.control import CODES
from app.tariff.rates import RATES

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.axdr import Reader, Writer
    from app.tariff.activation import Activation
    from app.tariff.blocks import Blocks
    from app.tariff.control import Control

_PARTS = const(4)


class ActiveTariff(Value):
    """Currently active tariff: the name of the active mask (row TOU-16)."""

    def __init__(self, activation: "Activation") -> None:
        self._activation = activation

    def read(self, writer: "Writer") -> None:
        """Encode the name."""
        writer.octet_string(self._activation.active)


class InputMap(Value):
    """Rates of the input codes 00, 01, 10, 11, an octet each (row TOU-18)."""

    def __init__(self, control: "Control") -> None:
        self._control = control

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(self._control.map)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._control.set_map(reader.octet_string(CODES, CODES))


class SpecialTariff(Value):
    """Threshold in mHz, delay in s, hysteresis in mHz, number of the script (row TOU-19)."""

    def __init__(self, control: "Control") -> None:
        self._control = control

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.structure(_PARTS)
        for number in self._control.special_tariff():
            writer.uint16(number)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        reader.structure(_PARTS)
        threshold_mhz = reader.number(UINT16)
        delay_s = reader.number(UINT16)
        hysteresis_mhz = reader.number(UINT16)
        script = reader.number(UINT16)
        self._control.set_special_tariff((threshold_mhz, delay_s, hysteresis_mhz, script))


class BlockThresholds(Value):
    """Three arrays, one a threshold, of eight numbers in Wh, one a rate (row TOU-20)."""

    def __init__(self, blocks: "Blocks", post: "Callable[[int], None]") -> None:
        self._blocks = blocks
        self._post = post

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        thresholds_wh = self._blocks.thresholds()
        writer.array(BLOCKS - 1)
        for index, wh in enumerate(thresholds_wh):
            if index % RATES == 0:
                writer.array(RATES)
            writer.uint32(wh)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        thresholds_wh: list[int] = []
        for _ in range(_count(reader, BLOCKS - 1)):
            for _ in range(_count(reader, RATES)):
                thresholds_wh.append(reader.number(UINT32))
        self._blocks.set_thresholds(thresholds_wh)
        self._post(PARAMETERS_CHANGED)


def _count(reader: "Reader", count: int) -> int:
    if reader.array() != count:
        raise ValueError("block thresholds: three arrays of eight")
    return count
