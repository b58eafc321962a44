"""A FRAM in RAM for tests that do not cut its power."""


class Memory:
    """hal.Memory in RAM, blank; `dead` makes it answer like a chip that is gone."""

    size = 131072

    def __init__(self):
        self.octets = bytearray(self.size)
        self.dead = False

    def read_into(self, address, buffer):
        if self.dead:
            raise OSError("no answer")
        buffer[:] = self.octets[address : address + len(buffer)]

    def write(self, address, data):
        if self.dead:
            raise OSError("no answer")
        self.octets[address : address + len(data)] = data
