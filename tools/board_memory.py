"""How much RAM a board's code takes: an estimate from measured shares, beside what there is.

The shares were measured with MicroPython's 32-bit WebAssembly build (1.27): app.meter imported
from .mpy files, then a three-phase Meter built on empty chips and started: 498 KB with all parts,
457 KB without the quality of the supply. What is read in place, from ROMFS or frozen, was measured
as the difference of both ways on the 64-bit unix port (bytecode and constants are alike on both):
211 KB less. A board has not been measured.
"""

from __future__ import annotations

from dataclasses import dataclass

FROM_FILES = 1.19  # octets of heap for an octet of .mpy; what is made when it is asked for is away
IN_PLACE = 0.55
OBJECTS = 102 * 1024  # of a running meter, besides its code
BUFFERS = 24 * 1024  # ring of the capture, ports, glass, machine code of the kernels
WORKING = 40 * 1024  # what messages, blocks and collections need to breathe


@dataclass(frozen=True)
class Estimate:
    """RAM in octets."""

    code: int
    available: int

    @property
    def total(self) -> int:
        """All that the meter wants."""
        return self.code + OBJECTS + BUFFERS + WORKING

    @property
    def fits(self) -> bool:
        """Whether it can be expected to run."""
        return self.total <= self.available

    def __str__(self) -> str:
        """One line."""
        verdict = "fits" if self.fits else f"{kilo(self.total - self.available)} KB too many"
        return (
            f"code {kilo(self.code)} + objects {kilo(OBJECTS)} + buffers {kilo(BUFFERS)}"
            f" + room to work {kilo(WORKING)} = {kilo(self.total)} of {kilo(self.available)} KB:"
            f" {verdict}"
        )


def kilo(octets: int) -> int:
    """Kilobytes, rounded up."""
    return -(-octets // 1024)


def from_files(octets: int, available: int) -> Estimate:
    """The code is loaded from a file system: all of it stands in the heap."""
    return Estimate(round(octets * FROM_FILES), available)


def in_place(octets: int, available: int) -> Estimate:
    """The code is read where it stands in flash: ROMFS, or frozen."""
    return Estimate(round(octets * IN_PLACE), available)
