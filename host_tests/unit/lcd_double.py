"""A glass without a chip, for tests of what is drawn and sent."""


class Lcd:
    """A glass that counts what is sent to it."""

    def __init__(self):
        self.width = 128
        self.height = 64
        self.buffer = bytearray(1024)
        self.sent = bytearray(1024)
        self.pages = []

    def start(self):
        self.sent[:] = bytes(1024)

    def show(self, first_page=0, last_page=7):
        assert 0 <= first_page <= last_page <= 7
        self.pages += range(first_page, last_page + 1)
        part = slice(first_page * 128, (last_page + 1) * 128)
        self.sent[part] = self.buffer[part]

    def refresh(self):
        self.show()

    def backlight(self, on):
        pass
