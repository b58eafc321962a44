"""Messages of IEC 62056-21, found in a stream of characters, and their block check.

    sign-on  / ? address ! CR LF          acknowledgement  ACK V Z Y CR LF
    command  SOH C D STX data ETX BCC     repeat request   NAK

Characters come one by one from `iec62056_21`. A line of 7 bits and even parity may reach us with
the parity in bit 7 (a port that only does 8 bits) or without it (a port that takes it off, a wire
that carries plain text): the first character of a sign-on tells which, and from there on every
character must agree (row OPT-10). What is not a whole message vanishes here.
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

SOH = const(0x01)
STX = const(0x02)
ETX = const(0x03)
EOT = const(0x04)
ACK = const(0x06)
NAK = const(0x15)
LF = const(0x0A)
SLASH = const(0x2F)
_SLASH_WITH_PARITY = const(0xAF)

# What `take` found
NOTHING = const(0)
SIGN_ON = const(1)
OPTION = const(2)  # acknowledgement with option select
COMMAND = const(3)
REPEAT = const(4)
GARBLED = const(5)  # a command whose block check is wrong

MESSAGE_MAX = const(160)  # address 16, data 128 (IEC 62056-21, 6.5) and what frames them
_TICKS_MASK = const(0x3FFFFFFF)  # ticks count modulo 2**30
_CHARACTER_MS = const(1500)  # longest pause inside a message (row OPT-11)

_ENDS = {SLASH: LF, ACK: LF, SOH: ETX}


def even(character: int) -> bool:
    """Tell whether an octet has an even number of ones."""
    character ^= character >> 4
    character ^= character >> 2
    return not (character ^ character >> 1) & 1


def block_check(octets: "Buffer") -> int:
    """Return the BCC of a block: from behind SOH or STX, which comes first, to its ETX."""
    check = 0
    for octet in octets:
        check ^= octet & 0x7F
    return check


class MessageReader:
    """Collects one message at a time."""

    def __init__(self) -> None:
        self.parity = False  # True: parity comes, and is expected, in bit 7
        self.text = bytearray(MESSAGE_MAX)  # the message without its first character
        self.length = 0
        self._start = 0  # first character of the message being collected, 0: none
        self._checked = False  # the ETX of a command has come, its BCC is next
        self._last_ms = 0

    def busy(self, now_ms: int) -> bool:
        """Tell whether a message is on its way."""
        return self._start != 0 and not self._stale(now_ms)

    def clear(self) -> None:
        """Forget what is half received."""
        self._start = 0

    def take(self, octet: int, now_ms: int) -> int:
        """Take one octet; return what it completed."""
        if self._start and self._stale(now_ms):
            self._start = 0
        self._last_ms = now_ms
        if octet in (SLASH, _SLASH_WITH_PARITY) and self._start != SOH:
            self.parity = octet == _SLASH_WITH_PARITY
        elif not even(octet) if self.parity else octet & 0x80:
            self._start = 0
            self._checked = False
            return NOTHING
        return self._collect(octet & 0x7F)

    def _stale(self, now_ms: int) -> bool:
        return (now_ms - self._last_ms) & _TICKS_MASK > _CHARACTER_MS

    def _collect(self, character: int) -> int:
        if not self._start or (character == SLASH and self._start != SOH):
            self.length = 0
            self._checked = False
            if character == NAK:
                return REPEAT
            self._start = character if character in _ENDS else 0
            return NOTHING
        if self.length == MESSAGE_MAX:
            self._start = 0  # longer than any message: wait for the next one
            return NOTHING
        self.text[self.length] = character
        self.length += 1
        if self._checked:
            return self._finish_command()
        if character == _ENDS[self._start]:
            if self._start != SOH:
                found = SIGN_ON if self._start == SLASH else OPTION
                self._start = 0
                return found
            self._checked = True
        return NOTHING

    def _finish_command(self) -> int:
        self._start = 0
        self._checked = False
        self.length -= 1
        good = block_check(memoryview(self.text)[: self.length]) == self.text[self.length]
        return COMMAND if good else GARBLED


def framed(command: bytes, data: bytes) -> bytes:
    """Return a command of the meter: SOH command STX (data) ETX BCC."""
    body = command + b"\x02(" + data + b")\x03"
    return b"\x01" + body + bytes((block_check(body),))


def answer(data: bytes) -> bytes:
    """Return a data or error message: STX data ETX BCC."""
    body = data + b"\x03"
    return b"\x02" + body + bytes((block_check(body),))
