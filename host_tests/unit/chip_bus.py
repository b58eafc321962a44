"""A tiny bench for unit tests: drivers on one side, chip models on the other, time by hand.

The classes have the methods of MicroPython's `machine` that drivers use.
"""

import sys
from pathlib import Path

SIM = Path(__file__).resolve().parents[2] / "boards" / "sim"
if str(SIM) not in sys.path:
    sys.path.append(str(SIM))


class Bench:
    """Virtual time with events; `sleep_ms` and `sleep_us` let it serve as module `time`."""

    def __init__(self):
        self.us = 0
        self._events = []
        self._order = 0

    def now_us(self):
        return self.us

    def at(self, us, callback):
        self._order += 1
        self._events.append((us, self._order, callback))

    def run(self, us):
        """Let `us` microseconds pass."""
        end = self.us + us
        while True:
            due = [event for event in self._events if event[0] <= end]
            if not due:
                break
            first = min(due, key=lambda event: event[:2])
            self._events.remove(first)
            self.us = max(self.us, first[0])
            first[2]()
        self.us = end

    def sleep_ms(self, ms):
        self.run(ms * 1000)

    def sleep_us(self, us):
        self.run(us)


class File:
    """A chip file in memory."""

    def __init__(self, size=0, fill=0xFF, data=None):
        self.data = bytearray([fill]) * size if data is None else data

    def read(self, offset, n):
        return bytes(self.data[offset : offset + n])

    def write(self, offset, data):
        assert offset + len(data) <= len(self.data), "write past the chip file"
        self.data[offset : offset + len(data)] = data


class Pin:
    """A pin; `driven` is told each level that is set, `read` gives the level of an input."""

    def __init__(self, driven=None, read=None, level=1):
        self._driven = driven
        self._read = read
        self._level = level

    def value(self, level=None):
        if level is None:
            return self._read() if self._read else self._level
        if level != self._level:
            self._level = level
            if self._driven:
                self._driven(level)
        return None


class Spi:
    """A bus with one chip."""

    def __init__(self, device):
        self._device = device
        self.cs = Pin(lambda level: device.deselect() if level else device.select())

    def write(self, data):
        self._device.transfer(data, None)

    def readinto(self, buffer, write=0):
        self._device.transfer(bytes([write]) * len(buffer), buffer)

    def write_readinto(self, data, buffer):
        self._device.transfer(data, buffer)


class I2c:
    """A bus with one chip."""

    def __init__(self, device):
        self._device = device

    def readfrom_mem_into(self, address, register, buffer):
        if self._device.i2c_write(address, bytes([register])) < 1:
            raise OSError(19)  # ENODEV
        self._device.i2c_read(address, buffer)

    def writeto_mem(self, address, register, data):
        if self._device.i2c_write(address, bytes([register]) + bytes(data)) <= len(data):
            raise OSError(19)


def command(spi, out, answer=0):
    """One transaction: send `out`, then read `answer` bytes."""
    buffer = bytearray(answer)
    spi.cs.value(0)
    spi.write(bytes(out))
    spi.readinto(buffer)
    spi.cs.value(1)
    return bytes(buffer)
