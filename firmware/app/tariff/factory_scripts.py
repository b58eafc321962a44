"""The scripts of a new meter's tariff table 0-0:10.0.100: script n switches to rate n (TOU-12)."""

from micropython import const

from app.axdr import ENUM, OCTET_STRING, Writer
from app.tariff.activation import rate_name
from app.tariff.rates import RATES
from app.tariff.scripts import WRITE_ATTRIBUTE
from metrology.energy import RATES_OF_ELEMENT_2

_REGISTER_ACTIVATION = const(6)
_ACTIVE_MASK = const(4)
ENERGY_ACTIVATION = b"\x00\x00\x0e\x00\x01\xff"  # 0-0:14.0.1.255
DEMAND_ACTIVATION = b"\x00\x00\x0e\x00\x02\xff"  # 0-0:14.0.2.255
ELEMENT_ACTIVATION = b"\x00\x02\x0e\x00\x01\xff"  # 0-2:14.0.1.255


def factory_scripts(count: int, element: bool = False) -> bytes:
    """Return `count` scripts; each writes the active mask of energy, then that of demand.

    Demand has eight rates, a second element four: the scripts above leave them as they are.
    """
    writer = Writer(bytearray(80 * count))
    writer.array(count)
    for rate in range(1, count + 1):
        activations = (ENERGY_ACTIVATION, DEMAND_ACTIVATION)
        if rate > RATES:
            activations = (ENERGY_ACTIVATION,)
        if element and rate <= RATES_OF_ELEMENT_2:
            activations += (ELEMENT_ACTIVATION,)
        writer.structure(2)
        writer.uint16(rate)
        writer.array(len(activations))
        for activation in activations:
            writer.structure(5)
            writer.number(ENUM, WRITE_ATTRIBUTE)
            writer.uint16(_REGISTER_ACTIVATION)
            writer.octet_string(activation)
            writer.int8(_ACTIVE_MASK)
            writer.string(OCTET_STRING, rate_name(rate))
    return bytes(writer.buffer[: writer.at])
