"""MicroPython's module `framebuf` on CPython: MONO_VLSB and the calls that firmware uses."""

MONO_VLSB = 0


class FrameBuffer:
    """A drawing surface over a caller's buffer; whatever lies outside of it is not drawn."""

    def __init__(self, buffer, width, height, format, stride=None):  # noqa: A002
        if format != MONO_VLSB:
            raise ValueError("invalid format")
        stride = width if stride is None else stride
        if width < 1 or height < 1 or stride < width:
            raise ValueError
        if len(buffer) < (height + 7) // 8 * stride:
            raise ValueError
        self._buffer = buffer
        self._width = width
        self._height = height
        self._stride = stride

    def pixel(self, x, y, c=None):
        if not (0 <= x < self._width and 0 <= y < self._height):
            return None if c is not None else 0
        at = (y >> 3) * self._stride + x
        if c is None:
            return self._buffer[at] >> (y & 7) & 1
        if c:
            self._buffer[at] |= 1 << (y & 7)
        else:
            self._buffer[at] &= ~(1 << (y & 7)) & 0xFF
        return None

    def fill_rect(self, x, y, w, h, c):
        for row in range(max(0, y), min(self._height, y + h)):
            for column in range(max(0, x), min(self._width, x + w)):
                self.pixel(column, row, c)

    def fill(self, c):
        self.fill_rect(0, 0, self._width, self._height, c)
