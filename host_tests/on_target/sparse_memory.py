"""A FRAM and a NOR flash in RAM for a heap that has no room for the whole of them: pages that were
never written are blank. Used by the tests on the target's interpreter.
"""

_PAGE = 256


class _Sparse:
    blank = 0  # an octet that was never written

    def __init__(self):
        self._pages = {}

    def read_into(self, address, buffer):
        view = memoryview(buffer)
        at = 0
        while at < len(view):
            page, start = divmod(address + at, _PAGE)
            count = min(len(view) - at, _PAGE - start)
            held = self._pages.get(page) or bytes((self.blank,)) * _PAGE
            view[at : at + count] = held[start : start + count]
            at += count

    def _page(self, page):
        if page not in self._pages:
            self._pages[page] = bytearray(bytes((self.blank,)) * _PAGE)
        return self._pages[page]


class SparseMemory(_Sparse):
    """hal.Memory of 128 KiB, blank."""

    size = 131072

    def write(self, address, data):
        view = memoryview(data)
        at = 0
        while at < len(view):
            page, start = divmod(address + at, _PAGE)
            count = min(len(view) - at, _PAGE - start)
            self._page(page)[start : start + count] = view[at : at + count]
            at += count

    def dump(self):
        """All that was ever written, page by page in the order of their addresses."""
        return b"".join([bytes(self._pages[page]) for page in sorted(self._pages)])


class SparseFlash(_Sparse):
    """hal.Flash of 8 MiB, erased; it is never busy."""

    blank = 0xFF
    page_size = _PAGE
    sector_size = 4096
    size = 8_388_608

    def busy(self):
        return False

    def program(self, address, data):
        page, start = divmod(address, _PAGE)
        held = self._page(page)
        for offset, octet in enumerate(bytes(data)):
            held[start + offset] &= octet

    def erase_sector(self, address):
        first = address // self.sector_size * self.sector_size // _PAGE
        for page in range(first, first + self.sector_size // _PAGE):
            self._pages.pop(page, None)
