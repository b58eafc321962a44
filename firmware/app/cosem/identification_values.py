"""What the meter is called and how it was built: 0-0:96.1.e, 1-0:0.0.0, firmware and variant."""

from micropython import const

import version
from app.axdr import OCTET_STRING, UINT16
from app.cosem import access
from app.cosem.data import Data
from app.cosem.values import DeviceId, Octets, Structure
from app.identification import firmware_identification

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.objects import Objects
    from app.identification import Identification
    from app.port_settings import LocalPortSettings
    from app.settings import Settings
    from hal import Variant

_DEVICE_IDS = const(9)
_DEVICE_NUMBER = const(8)  # digits


def add(
    objects: "Objects",
    identification: "Identification",
    settings: "Settings",
    variant: "Variant",
    optical: "LocalPortSettings | None" = None,
) -> None:
    """Add the objects; `optical` answers to the device number."""
    data = Data()

    def set_device_number(number: bytes) -> None:
        """Take over what stands on the label; the optical head answers to it (row IDN-03)."""
        if not number.isdigit():
            raise ValueError("a device number has 8 digits")
        settings.put("device_number", number)
        if optical is not None:
            optical.set_device_address(number)

    number = Octets(
        identification.device_number, set_device_number, _DEVICE_NUMBER, _DEVICE_NUMBER
    )
    objects.add((1, 0, 0, 0, 0), data, number, access.SETTINGS)
    objects.add((0, 0, 96, 1, 20), data, Octets(identification.eui_64), access.READINGS)
    built = Structure(  # how the meter was built (row MET-01)
        (OCTET_STRING, UINT16, UINT16, UINT16),
        lambda: (
            variant.name.encode(),
            variant.phases,
            variant.nominal_voltage_v,
            variant.nominal_frequency_hz,
        ),
    )
    objects.add((0, 0, 128, 0, 0), data, built, access.READINGS)
    for e in range(_DEVICE_IDS):
        group = access.SETTINGS if e else access.READINGS  # the serial number is production's
        objects.add((0, 0, 96, 1, e), data, DeviceId(identification, e), group)
    for b, tag, release in ((0, "ME", version.METROLOGY), (1, "AP", version.APPLICATION)):
        firmware = firmware_identification(tag, identification.device_type, release)
        value = Octets(lambda firmware=firmware: firmware)
        objects.add((1, b, 0, 2, 0), data, value, access.READINGS)
