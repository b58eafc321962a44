"""Chips for the tests of the simulated buses: a memory on SPI, a register file on I2C."""


class Memory:
    """Opcode 2 and an address byte: the bytes to store follow; opcode 3: bytes are read."""

    def __init__(self, size=256):
        self.cells = bytearray(size)
        self.powered = True
        self.log = []
        self._frame = None

    def power(self, on):
        self.powered = on
        self._frame = None

    def select(self):
        self._frame = bytearray()

    def deselect(self):
        self._frame = None

    def transfer(self, out_buf, in_buf):
        if not self.powered or self._frame is None:
            return
        for index in range(len(out_buf if in_buf is None else in_buf)):
            position = len(self._frame)
            byte = 0 if out_buf is None else out_buf[index]
            self._frame.append(byte)
            if position >= 2:
                address = (self._frame[1] + position - 2) % len(self.cells)
                if self._frame[0] == 2:
                    self.cells[address] = byte
                elif in_buf is not None:
                    in_buf[index] = self.cells[address]


class Registers:
    """The usual I2C chip: the first byte written is the register to go on from."""

    def __init__(self, address):
        self.address = address
        self.cells = bytearray(16)
        self.pointer = 0
        self.powered = True

    def power(self, on):
        self.powered = on

    def i2c_write(self, address, data):
        if not self.powered or address != self.address:
            return -1
        for index in range(len(data)):
            if index == 0:
                self.pointer = data[0]
            elif self.pointer >= len(self.cells):
                return index
            else:
                self.cells[self.pointer] = data[index]
                self.pointer += 1
        return len(data)

    def i2c_read(self, address, buf):
        if not self.powered or address != self.address:
            return -1
        for index in range(len(buf)):
            buf[index] = self.cells[(self.pointer + index) % len(self.cells)]
        return 0


class Converter:
    """Converts at 4 kHz; a frame is its number in three bytes."""

    def __init__(self, now_us):
        self.now_us = now_us
        self.next = 0
        self.running = True

    def power(self, on):
        self.running = on

    def select(self):
        pass

    def deselect(self):
        pass

    def skip(self):
        self.next = self.now_us() // 250

    def pass_by(self, count):
        self.next += count

    def frames_due(self):
        return self.now_us() // 250 - self.next if self.running else 0

    def clock_frames(self, raw, offset, count):
        if not self.running:
            return 0
        for index in range(count):
            raw[offset : offset + 3] = (self.next + index).to_bytes(3, "big")
            offset += 3
        self.next += count
        return count
