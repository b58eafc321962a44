"""How much RAM a board's code takes: an estimate from measured shares, beside what there is.

The shares were measured with MicroPython's 32-bit WebAssembly build (1.27): app.meter and the
choice's parts imported from .mpy files, then a three-phase Meter built on empty chips and started:
480 KB with all parts, 441 KB of the choice standard, 362 KB of basic. Code took 1.43 to 1.48
octets for an octet of the .mpy files that are loaded at the start. What is read in place, from
ROMFS or frozen, was measured as the difference of both ways on the 64-bit unix port (bytecode and
constants are alike on both): 206 KB less of all parts. A board has not been measured.
"""

from __future__ import annotations

from dataclasses import dataclass

FROM_FILES = 1.45  # octets of heap for an octet of .mpy that is loaded at the start
IN_PLACE = 0.62
# of a running meter, besides its code, with each choice of parts
OBJECTS = {"full": 118 * 1024, "standard": 101 * 1024, "basic": 84 * 1024}
BUFFERS = 24 * 1024  # ring of the capture, ports, glass, machine code of the kernels
WORKING = 40 * 1024  # what messages, blocks and collections need to breathe


@dataclass(frozen=True)
class Estimate:
    """RAM in octets."""

    code: int
    objects: int
    available: int

    @property
    def total(self) -> int:
        """All that the meter wants."""
        return self.code + self.objects + BUFFERS + WORKING

    @property
    def fits(self) -> bool:
        """Whether it can be expected to run."""
        return self.total <= self.available

    def __str__(self) -> str:
        """One line."""
        verdict = "fits" if self.fits else f"{kilo(self.total - self.available)} KB too many"
        return (
            f"code {kilo(self.code)} + objects {kilo(self.objects)} + buffers {kilo(BUFFERS)}"
            f" + room to work {kilo(WORKING)} = {kilo(self.total)} of {kilo(self.available)} KB:"
            f" {verdict}"
        )


def kilo(octets: int) -> int:
    """Kilobytes, rounded up."""
    return -(-octets // 1024)


def from_files(octets: int, choice: str, available: int) -> Estimate:
    """The code is loaded from a file system; `octets` of it at the start."""
    return Estimate(round(octets * FROM_FILES), _objects(choice), available)


def in_place(octets: int, choice: str, available: int) -> Estimate:
    """The code is read where it stands in flash: ROMFS, or frozen."""
    return Estimate(round(octets * IN_PLACE), _objects(choice), available)


def fitting(resident: dict[str, int], available: int, runs_in_place: bool) -> str:
    """The first of these choices that fits, the last if none does; octets loaded at the start."""
    way = in_place if runs_in_place else from_files
    for choice, octets in resident.items():
        if way(octets, choice, available).fits:
            return choice
    return list(resident)[-1]


def _objects(choice: str) -> int:
    return OBJECTS.get(choice, OBJECTS["full"])
