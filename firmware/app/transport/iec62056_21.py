r"""The optical head's session, without I/O: IEC 62056-21 mode C, and mode E into HDLC.

    /?address! CR LF  ->  /FRS5\2text CR LF   then within 1.5 s
    ACK 0 Z 0         ->  data read-out at baud rate Z, BCC, back to the start
    ACK 0 Z 1         ->  P0, then passwords and commands at baud rate Z until B0
    ACK 2 Z 2         ->  the same back, then HDLC at baud rate Z
    nothing, or else  ->  data read-out at the rate of the sign-on

Octets go in by `receive`; what is to be sent comes out of `output` piece by piece once `wait_ms`
has passed; `line` says how the port must stand when all of it has left. The commands themselves
are carried out by `programming`. Rows OPT-01 to OPT-11.
"""

from micropython import const

from app import axdr
from app.port_settings import (
    BAUD_RATES,
    MODE_HDLC,
    MODE_IEC_62056_21,
)
from app.transport import iec_message

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.port_settings import HdlcSettings, LocalPortSettings
    from app.transport.programming import Commands
    from hal import Buffer

# States of the session
_IDLE = const(0)  # waits for a sign-on
_OFFERED = const(1)  # identification sent, waits for the choice
_READ_OUT = const(2)  # data message sent, may be asked for again
_ASKED = const(3)  # programming mode, waits for a password
_OPEN = const(4)  # programming mode, the password was right
_HDLC = const(5)  # mode E: the octets are the HDLC link's

# What may happen
_SIGNED_ON = const(0)
_CHOSE_READ_OUT = const(1)
_CHOSE_PROGRAMMING = const(2)
_CHOSE_HDLC = const(3)
_COMMANDED = const(4)
_GARBLED = const(5)
_NOT_UNDERSTOOD = const(6)  # NAK of the client
_OPENED = const(7)
_REFUSED = const(8)
_BROKEN_OFF = const(9)
_SILENCE = const(10)
_LINK_ENDED = const(11)

_NONE = "_nothing"

# One row an event, one column a state: the next state and what is done.
_TABLE = (
    #  IDLE                OFFERED                    READ_OUT
    #  ASKED               OPEN                       HDLC
    ((_OFFERED, "_identify"), (_OFFERED, "_identify"), (_OFFERED, "_identify"),
     (_OFFERED, "_identify"), (_OFFERED, "_identify"), (_HDLC, _NONE)),  # signed on
    ((_IDLE, _NONE), (_READ_OUT, "_read_out"), (_READ_OUT, _NONE),
     (_ASKED, _NONE), (_OPEN, _NONE), (_HDLC, _NONE)),  # chose read-out
    ((_IDLE, _NONE), (_ASKED, "_ask_password"), (_READ_OUT, _NONE),
     (_ASKED, _NONE), (_OPEN, _NONE), (_HDLC, _NONE)),  # chose programming
    ((_IDLE, _NONE), (_HDLC, "_confirm"), (_READ_OUT, _NONE),
     (_ASKED, _NONE), (_OPEN, _NONE), (_HDLC, _NONE)),  # chose HDLC
    ((_IDLE, _NONE), (_OFFERED, _NONE), (_READ_OUT, _NONE),
     (_ASKED, "_obey"), (_OPEN, "_obey"), (_HDLC, _NONE)),  # commanded
    ((_IDLE, _NONE), (_OFFERED, _NONE), (_READ_OUT, _NONE),
     (_ASKED, "_say_nak"), (_OPEN, "_say_nak"), (_HDLC, _NONE)),  # garbled
    ((_IDLE, _NONE), (_OFFERED, "_repeat"), (_READ_OUT, "_repeat"),
     (_ASKED, "_repeat"), (_OPEN, "_repeat"), (_HDLC, _NONE)),  # not understood
    ((_IDLE, _NONE), (_OFFERED, _NONE), (_READ_OUT, _NONE),
     (_OPEN, "_say_ack"), (_OPEN, "_say_ack"), (_HDLC, _NONE)),  # opened
    ((_IDLE, _NONE), (_OFFERED, _NONE), (_READ_OUT, _NONE),
     (_IDLE, "_say_break"), (_IDLE, "_say_break"), (_HDLC, _NONE)),  # refused
    ((_IDLE, _NONE), (_OFFERED, _NONE), (_READ_OUT, _NONE),
     (_IDLE, _NONE), (_IDLE, _NONE), (_HDLC, _NONE)),  # broken off
    ((_IDLE, _NONE), (_READ_OUT, "_read_out"), (_IDLE, _NONE),
     (_IDLE, _NONE), (_IDLE, _NONE), (_IDLE, _NONE)),  # silence
    ((_IDLE, _NONE), (_OFFERED, _NONE), (_READ_OUT, _NONE),
     (_ASKED, _NONE), (_OPEN, _NONE), (_IDLE, _NONE)),  # link ended
)  # fmt: skip

# How long each state waits for the client, ms (row OPT-11; 6.4.1: 60 to 120 s in programming mode)
_CHOICE_MS = const(1500)
_PROGRAMMING_MS = const(60_000)
_HDLC_MS = const(120_000)
_PATIENCE_MS = (0, _CHOICE_MS, _CHOICE_MS, _PROGRAMMING_MS, _PROGRAMMING_MS, _HDLC_MS)

_REPEATS_MAX = const(3)
_MODE_C_RATES = const(10)
_DIGIT_0 = const(0x30)
_TICKS_MASK = const(0x3FFFFFFF)  # ticks count modulo 2**30
_MAKER = b"FRS"
_MAKER_QUICK = b"FRs"  # small last letter: answers after 20 ms already
_BREAK = b"\x01B0\x03"
_LINE_MAX = const(96)  # octets of the longest line of a read-out


class Session:
    """What happens between two sign-ons; one for each optical head."""

    def __init__(
        self,
        settings: "LocalPortSettings",
        hdlc: "HdlcSettings",
        identification: bytes,
        make_commands: "Callable[[], Commands]",
        load_list: "Callable[[], bytes]",
    ) -> None:
        self._settings = settings
        self._hdlc = hdlc
        self._identification = identification
        self._make_commands = make_commands
        self._made: Commands | None = None  # from the first read-out or password on
        self._load_list = load_list  # what the data read-out shows
        self._reader = iec_message.MessageReader()
        self._state = _IDLE  # set by _apply alone
        self._now_ms = 0
        self._last_ms = 0  # of the last thing that happened
        self._due_ms = 0  # when the answer may be sent
        self._message = b""  # the answer, or the part of a read-out that stands at its place
        self._sent = 0
        self._entries: axdr.Reader | None = None  # what is left of a read-out
        self._entries_left = 0
        self._check = 0  # BCC of a read-out so far
        self._repeatable = b""  # the last message, empty for a read-out
        self._repeats = 0
        self._speed = settings.default_baud  # index of BAUD_RATES, chosen by the client
        self._choice_speed = 0

    @property
    def idle(self) -> bool:
        """True between two sessions, with nothing left to be sent."""
        return self._state == _IDLE and not self._message

    @property
    def hdlc(self) -> bool:
        """True while the octets belong to the HDLC link that mode E has led to."""
        return self._state == _HDLC and not self._message

    @property
    def changes_first(self) -> bool:
        """True if the next message leaves at the new rate; False for one that ends the old one.

        The confirmation of mode E leaves at the rate of the sign-on, a break as the session was.
        """
        return self._state in (_READ_OUT, _ASKED, _OPEN)

    def line(self) -> "tuple[int, int, int | None]":
        """Return baud rate, data bits and parity that the port must have now."""
        settings = self._settings
        if self._state == _HDLC:
            return BAUD_RATES[self._speed], 8, None
        if self._state in (_READ_OUT, _ASKED, _OPEN):
            speed = self._speed
        elif settings.default_mode == MODE_IEC_62056_21:
            speed = settings.default_baud
        elif settings.default_mode == MODE_HDLC:
            return self._hdlc.baud_rate(), 8, None
        else:
            speed = settings.proposed_baud
        if settings.default_mode != MODE_IEC_62056_21:
            return BAUD_RATES[speed], 8, None  # both protocols: parity is the session's affair
        return BAUD_RATES[speed], 7, 0

    def receive(self, octets: "Buffer", now_ms: int) -> int:
        """Take octets up to the end of one message; return how many were taken."""
        self._now_ms = now_ms
        for index in range(len(octets)):
            found = self._reader.take(octets[index], now_ms)
            if found:
                self._understand(found)
                if self._message or self._state == _HDLC:
                    return index + 1
        if self._reader.busy(now_ms):
            self._last_ms = now_ms
        return len(octets)

    def wait_ms(self, now_ms: int) -> int:
        """Return how long `output` must wait still, -1 if there is nothing to send."""
        if not self._message:
            return -1
        left_ms = (self._due_ms - now_ms) & _TICKS_MASK
        return left_ms if left_ms <= _CHOICE_MS else 0

    def output(self, buffer: memoryview, now_ms: int) -> int:
        """Write the next octets to be sent, return how many; 0: all has been said."""
        message = self._message
        if not message:
            return 0
        size = min(len(buffer), len(message) - self._sent)
        buffer[:size] = message[self._sent : self._sent + size]
        self._sent += size
        if self._sent == len(message):
            self._sent = 0
            self._message = self._next_line()
        if self._reader.parity:
            for index in range(size):
                if not iec_message.even(buffer[index]):
                    buffer[index] |= 0x80
        self._last_ms = now_ms
        return size

    def poll(self, now_ms: int) -> int:
        """Do what silence asks for; return the ms until it must be asked again, -1: never."""
        self._now_ms = now_ms
        if self._state == _IDLE or self._message:
            return -1
        left_ms = _PATIENCE_MS[self._state] - ((now_ms - self._last_ms) & _TICKS_MASK)
        if left_ms > 0:
            return left_ms
        if self._state == _OFFERED:
            self._speed = self._settings.default_baud
        self._apply(_SILENCE)
        return 0 if self._message else self.poll(now_ms)

    def hdlc_heard(self, now_ms: int) -> None:
        """Take note that the HDLC link is in use, so that mode E does not end.

        What looked like the beginning of a message was a frame's, and spoils no sign-on to come.
        """
        self._reader.clear()
        self._last_ms = now_ms

    def hdlc_ended(self) -> None:
        """Take note that the HDLC link was disconnected."""
        self._apply(_LINK_ENDED)

    def lost(self) -> None:
        """Begin anew: the port was closed."""
        self._reader.clear()
        while self._state != _IDLE:
            self._apply(_SILENCE)
        self._say(b"")

    # -- what comes in ---------------------------------------------------------------------

    def _apply(self, event: int) -> None:
        """Do what the table says; the only place that sets the state."""
        self._state, action = _TABLE[event][self._state]
        getattr(self, action)()

    def _understand(self, found: int) -> None:
        self._last_ms = self._now_ms
        if found == iec_message.SIGN_ON:
            if self._settings.default_mode != MODE_HDLC and self._addressed():
                self._apply(_SIGNED_ON)
        elif found == iec_message.OPTION:
            self._choose()
        elif found == iec_message.COMMAND:
            self._apply(_COMMANDED)
        elif found == iec_message.GARBLED:
            self._apply(_GARBLED)
        else:
            self._apply(_NOT_UNDERSTOOD)

    def _addressed(self) -> bool:
        """Tell whether a sign-on is for this meter: without address, or with its own (OPT-07)."""
        reader = self._reader
        text = bytes(memoryview(reader.text)[: reader.length])
        if text[:1] != b"?" or text[-3:] != b"!\r\n":
            return False
        address = text[1:-3].lstrip(b"0")
        return text == b"?!\r\n" or address == self._settings.device_address.lstrip(b"0")

    def _choose(self) -> None:
        """Take the choice that acknowledges the identification: V Z Y CR LF."""
        reader = self._reader
        if reader.length != 5 or reader.text[3] != 0x0D:
            return
        speed = reader.text[1] - _DIGIT_0
        if not 0 <= speed < _MODE_C_RATES or speed > self._settings.proposed_baud:
            speed = self._settings.default_baud  # not what was offered: at the rate of the start
        choice = (reader.text[0], reader.text[2])
        if self._state == _OFFERED:
            self._speed = speed
            self._choice_speed = reader.text[1]
        if choice == (0x30, 0x30):
            self._apply(_CHOSE_READ_OUT)
        elif choice == (0x30, 0x31):
            self._apply(_CHOSE_PROGRAMMING)
        elif choice == (0x32, 0x32):
            self._apply(_CHOSE_HDLC)

    # -- actions of the table --------------------------------------------------------------

    def _nothing(self) -> None:
        pass

    def _identify(self) -> None:
        settings = self._settings
        maker = _MAKER if settings.response_time else _MAKER_QUICK
        speed = bytes((_DIGIT_0 + settings.proposed_baud,))
        self._say(b"/" + maker + speed + b"\\2" + self._identification + b"\r\n")

    def _read_out(self) -> None:
        """Begin the data message; its lines are made as they leave."""
        self._say(b"\x02")
        self._repeatable = b""
        self._entries = axdr.Reader(self._load_list())
        self._entries_left = self._entries.array()
        self._check = 0

    def _ask_password(self) -> None:
        self._commands().begin()
        self._say(iec_message.framed(b"P0", self._settings.device_address))

    def _commands(self) -> "Commands":
        """Return what carries out commands; most meters are never asked, so it is made late."""
        if self._made is None:
            self._made = self._make_commands()
        return self._made

    def _confirm(self) -> None:
        self._say(b"\x062" + bytes((self._choice_speed,)) + b"2\r\n")

    def _obey(self) -> None:
        """Carry out a command; a password decides what the session may do from now on."""
        from app.transport import programming

        reader = self._reader
        text = memoryview(reader.text)[: reader.length - 1]
        commands = self._commands()
        outcome = commands.obey(text, self._now_ms)
        if outcome == programming.OPENED:
            self._apply(_OPENED)
        elif outcome == programming.REFUSED:
            self._apply(_REFUSED)
        elif outcome == programming.BROKEN_OFF:
            self._apply(_BROKEN_OFF)
        else:
            self._say(commands.answer)

    def _say_ack(self) -> None:
        self._say(b"\x06")

    def _say_nak(self) -> None:
        self._say(b"\x15")

    def _say_break(self) -> None:
        self._say(_BREAK + bytes((iec_message.block_check(_BREAK[1:]),)))

    def _repeat(self) -> None:
        """Say the last message again, a few times at most."""
        self._repeats += 1
        if self._repeats > _REPEATS_MAX:
            return
        repeats = self._repeats
        if self._state == _READ_OUT:
            self._read_out()
        elif self._repeatable:
            self._say(self._repeatable)
        self._repeats = repeats

    # -- what goes out ---------------------------------------------------------------------

    def _say(self, message: bytes) -> None:
        self._entries = None
        self._message = self._repeatable = message
        self._sent = 0
        self._repeats = 0
        self._due_ms = (self._now_ms + self._settings.response_ms()) & _TICKS_MASK

    def _next_line(self) -> bytes:
        """Return the next line of a read-out, b"" when there is none."""
        entries = self._entries
        if entries is None:
            return b""
        if self._entries_left:
            self._entries_left -= 1
            line = self._commands().data.line(entries)[:_LINE_MAX].encode()
            self._check ^= iec_message.block_check(line)
            return line
        self._entries = None
        end = b"!\r\n\x03"
        return end + bytes((self._check ^ iec_message.block_check(end),))
