"""The background check of the program memory against the signature of the build (row ERR-05).

A build packs the code into one image and puts its signature behind it (tools/rom_image.py): where
the legally relevant part lies, and the digests of that part and of all the rest, SHA-256 cut to 16
octets. The first check follows the start within half a minute, then one follows the other, each
spread over less than half an hour, so that a changed octet is found within the hour. Rows ERR-15,
IDN-07.
"""

import asyncio
import hashlib
import struct

from micropython import const

from app import event_codes

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.tasks import Task
    from hal import Buffer

METROLOGY = const(0)  # the parts that have a digest
APPLICATION = const(1)

_SIGNATURE = "<4sII16s16s"  # mark, begin and end of the legally relevant part, digests
_MARK = b"FrS1"
_DIGEST_SIZE = const(16)
_UNKNOWN = b"\0" * 16
_PIECE = const(4096)  # 3 ms of the slowest board's processor
_HASTE_MS = const(100)  # between two pieces, after a start or on demand
_REST_MS = const(30_000)  # the longest, for the watchdog's sake
_PASS_MS = const(1_500_000)
_DAMAGED = "program memory: the code differs from the signature of the build"


class ProgramMemory:
    """Checks `program`, the image with its signature, None where the code cannot be read.

    percent: of the check after the start, or of one that was asked for; 100 when it is done
    damaged: the last check has found a difference, told by `tell(text, event code, lasts)`
    """

    def __init__(self, program: "Buffer | None", tell: "Callable[[str, int, bool], None]") -> None:
        self.percent = 100
        self.damaged = False
        self._tell = tell
        self._digests = [_UNKNOWN, _UNKNOWN]
        self._image = memoryview(program or b"")
        self._asked = False
        self.check_now()

    def present(self) -> bool:
        """Tell whether there is an image to check."""
        return len(self._image) > 0

    def digest(self, part: int) -> bytes:
        """Return 16 octets of METROLOGY or APPLICATION; zeros while they are not known."""
        return self._digests[part]

    def check_now(self) -> None:
        """Let a check begin at once, or as soon as the present one has hurried to its end."""
        if self.present():
            self._asked = True
            self.percent = 0

    async def run(self, task: "Task") -> None:
        """Check for ever."""
        while True:
            asked = self._asked
            await self._pass(task, asked)
            if asked:
                self._asked = False
                self.percent = 100
            self._tell(_DAMAGED, event_codes.PROGRAM_MEMORY_ERROR, self.damaged)

    async def _pass(self, task: "Task", asked: bool) -> None:
        end = max(0, len(self._image) - struct.calcsize(_SIGNATURE))
        signature = bytes(self._image[end:])
        mark, first, last = b"", 0, 0
        if end:
            mark, first, last = struct.unpack_from(_SIGNATURE, signature)[:3]
        last = min(last, end)
        first = min(first, last)
        hashes = (hashlib.sha256(), hashlib.sha256())
        pause_ms = min(_REST_MS, _PASS_MS * _PIECE // (end + _PIECE))
        at = 0
        while True:
            task.report()
            await asyncio.sleep_ms(_HASTE_MS if self._asked else pause_ms)
            if at >= end:
                break
            part = METROLOGY if first <= at < last else APPLICATION
            stop = first if at < first else last if at < last else end
            stop = min(at + _PIECE, stop)
            hashes[part].update(self._image[at:stop])
            at = stop
            if asked:
                self.percent = at * 100 // end
        self._digests = [found.digest()[:_DIGEST_SIZE] for found in hashes]
        self.damaged = mark != _MARK or signature[-2 * _DIGEST_SIZE :] != b"".join(self._digests)
