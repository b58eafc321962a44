"""The files behind the non-volatile chips: what a chip holds outlives the program.

A file has the chip's full size from the start, holds FF where nothing was written, and is written
through at once: ending the program at any moment loses nothing that the chip had.
"""

import os

import host

_CHUNK = 4096
_FOLDER = 0x4000  # in st_mode
ERASED = 0xFF


class ChipFileError(Exception):
    """A chip's file cannot be used; the text says which and why."""


class ChipFile:
    """The content of one chip of `size` bytes."""

    def __init__(self, path: str, size: int, fresh: bool = False, erased: int = ERASED) -> None:
        self.path = path
        self.size = size
        try:
            status = os.stat(path)
            found = status[6]
        except OSError:
            status = None
            found = -1
        if status is not None and status[0] & _FOLDER:
            raise ChipFileError(f"{path} is a folder: move it away")
        try:
            if fresh or found < 0:
                self._create(erased)
            elif found != size:
                raise ChipFileError(
                    f"{path} has {found} bytes, the chip has {size}: "
                    "remove it or start with --fresh"
                )
            self._file = host.open_for_change(path)
            self._file.seek(0)
            self._file.read(1)
        except OSError as error:
            raise ChipFileError(f"{path} cannot be used: {error}") from None

    def _create(self, erased: int) -> None:
        # Under another name first: a program that is ended here leaves no short file behind.
        part = self.path + ".new"
        blank = bytes((erased,)) * _CHUNK
        with open(part, "wb") as file:  # pyright: ignore[reportUnknownVariableType]
            for start in range(0, self.size, _CHUNK):
                file.write(blank[: min(self.size - start, _CHUNK)])
        os.rename(part, self.path)

    def read(self, offset: int, n: int) -> bytes:
        """Return `n` bytes from `offset`. Raises ValueError outside the chip."""
        self._check(offset, n)
        self._file.seek(offset)
        return self._file.read(n)

    def write(self, offset: int, data: "bytes | bytearray | memoryview") -> None:
        """Write through at once. Raises ValueError outside the chip."""
        self._check(offset, len(data))
        self._file.seek(offset)
        self._file.write(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check(self, offset: int, n: int) -> None:
        if offset < 0 or n < 0 or offset + n > self.size:
            raise ValueError(f"{self.path}: {n} bytes at {offset} are outside the chip")


class ClockFile(ChipFile):
    """The content of a chip with a battery, and how long ago the host saw it last."""

    _STAMP = 8

    def __init__(self, path: str, size: int, fresh: bool = False) -> None:
        super().__init__(path, size + self._STAMP, fresh)
        self.blank = self.read(size, self._STAMP) == b"\xff" * self._STAMP
        stamp_s = int.from_bytes(super().read(size, self._STAMP), "little")
        # The chip ran on its battery while the program was away.
        self.away_s = 0 if self.blank else max(0, host.utc_s() - stamp_s)
        self._content = size

    def write(self, offset: int, data: "bytes | bytearray | memoryview") -> None:
        """Write through at once, with the host's time."""
        super().write(offset, data)
        self.stamp()

    def stamp(self) -> None:
        """Note the host's time: the content is as old as this."""
        super().write(self._content, host.utc_s().to_bytes(self._STAMP, "little"))
