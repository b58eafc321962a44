"""Registers of the ADS131M0x converters: defaults, what may be written, what they mean."""

from micropython import const

_REG_ID = const(0x00)
REG_STATUS = const(0x01)
_REG_MODE = const(0x02)
_REG_CLOCK = const(0x03)
_REG_GAIN1 = const(0x04)
_REG_GAIN2 = const(0x05)
_REG_CFG = const(0x06)
_REG_CH0_CFG = const(0x09)
_CHANNEL_REGISTERS = const(5)  # CHn_CFG, OCAL_MSB, OCAL_LSB, GCAL_MSB, GCAL_LSB
_COUNT = const(0x40)

_MODE_RX_CRC_EN = const(0x1000)
_MODE_CRC_TYPE = const(0x0800)
_MODE_RESET = const(0x0400)
_MODE_IN_STATUS = const(0x0F00)  # CRC_TYPE, RESET and WLENGTH show in STATUS too
_WORD_BYTES = (2, 3, 4, 4)

_TEST_CODE = const(1118481)  # the internal DC test signal, 2/15 of full scale


class Registers:
    """The register map of a chip with `channels` channels."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._values = [0] * _COUNT
        self.reset()

    def reset(self) -> None:
        """Bring every register to its default."""
        values = self._values
        for address in range(_COUNT):
            values[address] = 0
        values[_REG_ID] = 0x2000 | self._channels << 8
        values[_REG_MODE] = 0x0510
        values[_REG_CLOCK] = ((1 << self._channels) - 1) << 8 | 0x0E
        values[_REG_CFG] = 0x0600
        for channel in range(self._channels):
            values[_REG_CH0_CFG + _CHANNEL_REGISTERS * channel + 3] = 0x8000

    def __getitem__(self, address: int) -> int:
        return self._values[address]

    def writable(self, address: int) -> bool:
        """Tell whether the chip has the register and lets it be written."""
        if address == _REG_GAIN2:
            return self._channels > 4
        return _REG_MODE <= address < _REG_CH0_CFG + _CHANNEL_REGISTERS * self._channels

    def write(self, address: int, value: int) -> None:
        """Write a writable register."""
        if address == _REG_MODE:
            # The reset flag can only be cleared.
            value = value & ~_MODE_RESET | (value & self._values[address] & _MODE_RESET)
        elif address == _REG_CLOCK:
            value &= ((1 << self._channels) - 1) << 8 | 0xFF
        self._values[address] = value

    def status_bits(self) -> int:
        """The bits of STATUS that mirror MODE."""
        return self._values[_REG_MODE] & _MODE_IN_STATUS

    def enabled(self) -> int:
        """Enabled channels, bit 0 for channel 0."""
        return self._values[_REG_CLOCK] >> 8

    def input_crc(self) -> bool:
        """Whether the chip checks a CRC behind each command."""
        return bool(self._values[_REG_MODE] & _MODE_RX_CRC_EN)

    def ansi_crc(self) -> bool:
        """Whether the CRC is the ANSI one."""
        return bool(self._values[_REG_MODE] & _MODE_CRC_TYPE)

    def word_bytes(self) -> int:
        """Bytes of a word on the bus."""
        return _WORD_BYTES[(self._values[_REG_MODE] >> 8) & 3]

    def sign_extended(self) -> bool:
        """Whether 32-bit words repeat the sign above the data rather than zeros below."""
        return (self._values[_REG_MODE] >> 8) & 3 == 3

    def oversampling(self) -> int:
        """Modulator clocks a conversion takes."""
        code = (self._values[_REG_CLOCK] >> 2) & 7
        return 16256 if code == 7 else 128 << code

    def channel(self, channel: int) -> "tuple[bool, int, int, int, int]":
        """How a channel comes by its code: pins, constant, gain, offset, gain calibration.

        code = ((pins * gain + constant) - offset) * calibration / 2**23, clipped before and after;
        the pins count only if the multiplexer connects them.
        """
        values = self._values
        if not (self.enabled() >> channel) & 1:
            return (False, 0, 0, 0, 0)
        base = _REG_CH0_CFG + _CHANNEL_REGISTERS * channel
        multiplexer = values[base] & 3
        constant = (0, 0, _TEST_CODE, -_TEST_CODE)[multiplexer]
        gain = 1 << ((values[_REG_GAIN1 + channel // 4] >> (4 * (channel % 4))) & 7)
        offset = values[base + 1] << 8 | values[base + 2] >> 8
        if offset & 0x800000:
            offset -= 0x1000000
        calibration = values[base + 3] << 8 | values[base + 4] >> 8
        return (multiplexer == 0, constant, gain, offset, calibration)
