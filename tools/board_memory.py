"""How much RAM a board's code takes: an estimate from measured heaps, beside what there is.

Measured first with a 32-bit build of MicroPython 1.26 for a PC, with the features of the boards'
ports and its kernels' machine code outside the heap: the choice's root and parts imported from
.mpy files and from a ROMFS, then a three-phase Meter built on empty chips, started and run for
three seconds. Code in KB:

    choice     .mpy   files   ROMFS
    full        246     354     182
    standard    226     331     171
    basic       181     269     142
    look         82     127      67

Then checked on an emulated RP2040 (host_tests/README.md), with its own board.py and drivers.
Measured there, and as it is reckoned here, in octets:

    look, code from files               165 328    165 910
    look, in a ROMFS, metrology frozen   78 400     76 881
    look, all frozen, as it stands       53 984     54 799
    basic, all frozen, as it stands     105 328    103 769
    full, all frozen, as it stands      133 904    135 942
    look, all frozen, folded             47 408     47 433
    basic, all frozen, folded            91 872     91 896
    the board's parts                    27 536     27 648

The parts of the pyboard's board.py came to 16 832 octets in an emulated Cortex-M4F, with doubles
for `machine`.

All of it is frozen folded, as files are (frozen_sources.py); a part of it as it stands, with the
names that fold_constants.py takes out. Each way's column is a
straight line over the first one but for 2.5 percent: a share and a base. Objects are the same
32-bit objects as a board's: look's came to 26 KB on the RP2040 too, basic's to 66, without frames.
A board itself has not been measured.

From files, all that is loaded is in RAM. From a ROMFS bytecode and texts stay in flash, while
tables of names and constants, and machine code, are made in RAM. Of frozen code there are no more
than functions, classes, modules and their tables of names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Mapping


class Way(NamedTuple):
    """Heap that code takes: an octet of .mpy takes `share`, and all together `base` octets."""

    share: float
    base: int


FROM_FILES = Way(1.39, 15_000)
FROM_ROMFS = Way(0.705, 11_500)
FROZEN = Way(0.434, 2_400)  # all of it, folded
FROZEN_PLAIN = Way(0.478, 5_200)  # a part
_ALWAYS_FILES = {"main.mpy", "fitted.mpy"}  # on every board, and too small to count
_MACHINE_CODE = "kernel.mpy"  # names of files end so that are next to nothing else
# of a running meter, besides its code, with each choice of parts
OBJECTS = {"full": 111 * 1024, "standard": 86 * 1024, "basic": 68 * 1024, "look": 25 * 1024}
PARTS = 27 * 1024  # a Pico's: chips, the capture's ring, serial ports, glass
# What messages, blocks and collections need to breathe. Without ports there are no messages: look
# showed its lists and ran the test of parts with 9 KB more than it had taken (frozen, 5 KB).
WORKING = {"look": 12 * 1024}
_WORKING = 40 * 1024


@dataclass(frozen=True)
class Estimate:
    """RAM in octets."""

    code: int
    objects: int
    parts: int
    working: int
    available: int

    @property
    def total(self) -> int:
        """All that the meter wants."""
        return self.code + self.objects + self.parts + self.working

    @property
    def fits(self) -> bool:
        """Whether it can be expected to run."""
        return self.total <= self.available

    def __str__(self) -> str:
        """One line."""
        verdict = "fits" if self.fits else f"{kilo(self.total - self.available)} KB too many"
        return (
            f"code {kilo(self.code)} + objects {kilo(self.objects)} + parts {kilo(self.parts)}"
            f" + room to work {kilo(self.working)}"
            f" = {kilo(self.total)} of {kilo(self.available)} KB: {verdict}"
        )


def kilo(octets: int) -> int:
    """Kilobytes, rounded up."""
    return -(-octets // 1024)


def from_files(
    code: Mapping[str, int],
    choice: str,
    available: int,
    held: Container[str] = (),
    parts: int = PARTS,
) -> Estimate:
    """The code is loaded from a file system: octets of each .mpy file at the start, by its path.

    `held`: paths of those that stand in the firmware instead; `parts`: octets of the board's.
    """
    return _estimate(FROM_FILES, code, choice, available, held, parts)


def from_romfs(
    code: Mapping[str, int],
    choice: str,
    available: int,
    held: Container[str] = (),
    parts: int = PARTS,
) -> Estimate:
    """The code is read where it stands in a ROMFS, but for `held`, as from_files."""
    return _estimate(FROM_ROMFS, code, choice, available, held, parts)


def frozen(code: Mapping[str, int], choice: str, available: int, parts: int = PARTS) -> Estimate:
    """All of the code stands in the firmware."""
    return _estimate(FROZEN, code, choice, available, code, parts)


def fitting(
    resident: Mapping[str, Mapping[str, int]],
    available: int,
    romfs: bool,
    held: Container[str] = (),
    parts: int = PARTS,
) -> str:
    """The first of these choices that fits, the last if none does; code loaded at the start."""
    way = from_romfs if romfs else from_files
    for choice, code in resident.items():
        if way(code, choice, available, held, parts).fits:
            return choice
    return list(resident)[-1]


def _estimate(
    way: Way,
    code: Mapping[str, int],
    choice: str,
    available: int,
    held: Container[str],
    parts: int,
) -> Estimate:
    loaded = {path: octets for path, octets in code.items() if path not in held}
    machine_code = sum(octets for path, octets in loaded.items() if path.endswith(_MACHINE_CODE))
    inside = sum(
        octets
        for path, octets in code.items()
        if path not in loaded and not path.endswith(_MACHINE_CODE)
    )
    octets = machine_code + way.share * (sum(loaded.values()) - machine_code)
    some = bool(loaded.keys() - _ALWAYS_FILES)
    octets += (FROZEN_PLAIN if some else FROZEN).share * inside + (way if some else FROZEN).base
    objects = OBJECTS.get(choice, OBJECTS["full"])
    return Estimate(round(octets), objects, parts, WORKING.get(choice, _WORKING), available)
