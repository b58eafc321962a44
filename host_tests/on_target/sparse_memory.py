"""A FRAM in RAM for a heap that has no room for the whole of it: pages that were never written are
blank. Used by the tests on the target's interpreter.
"""

_PAGE = 256


class SparseMemory:
    """hal.Memory of 128 KiB, blank."""

    size = 131072

    def __init__(self):
        self._pages = {}

    def read_into(self, address, buffer):
        view = memoryview(buffer)
        at = 0
        while at < len(view):
            page, start = divmod(address + at, _PAGE)
            count = min(len(view) - at, _PAGE - start)
            held = self._pages.get(page)
            view[at : at + count] = bytes(count) if held is None else held[start : start + count]
            at += count

    def write(self, address, data):
        view = memoryview(data)
        at = 0
        while at < len(view):
            page, start = divmod(address + at, _PAGE)
            count = min(len(view) - at, _PAGE - start)
            if page not in self._pages:
                self._pages[page] = bytearray(_PAGE)
            self._pages[page][start : start + count] = view[at : at + count]
            at += count

    def dump(self):
        """All that was ever written, page by page in the order of their addresses."""
        return b"".join([bytes(self._pages[page]) for page in sorted(self._pages)])
