"""What an HDLC link may use and what both stations agree upon (IEC 62056-46, 6.4.4.4.3.2).

The set-up object (rows HDL-01, HDL-02) writes `HdlcSettings`; SNRM brings the client's proposals,
and UA takes back the lesser of both.
"""

from micropython import const

from app.port_settings import HdlcSettings

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

# Names of the parameters, from the side of the station that sends them.
_INFORMATION_TRANSMIT = const(5)
_INFORMATION_RECEIVE = const(6)
_WINDOW_TRANSMIT = const(7)
_WINDOW_RECEIVE = const(8)
_DEFAULT_INFORMATION = const(128)
_DEFAULT_WINDOW = const(1)
_FORMAT = const(0x81)
_GROUP = const(0x80)

ENCODED_MAX = 23  # octets of the longest list of parameters


class Agreement:
    """What holds between set-up and disconnection, from the server's side."""

    def __init__(self, settings: HdlcSettings) -> None:
        self._settings = settings
        self.propose_nothing()

    def propose_nothing(self) -> None:
        """Take what holds for a client that proposes nothing."""
        self.information_transmit = self._transmitted(_DEFAULT_INFORMATION)
        self.information_receive = self._received(_DEFAULT_INFORMATION)
        self.window_transmit = _DEFAULT_WINDOW
        self.window_receive = _DEFAULT_WINDOW

    def propose(self, proposals: "Buffer") -> None:
        """Take the lesser of each of the client's proposals and the own limit."""
        self.propose_nothing()
        # Format identifier, group identifier, group length; anything else proposes nothing.
        if len(proposals) < 3 or proposals[0] != _FORMAT or proposals[1] != _GROUP:
            return
        end = min(len(proposals), 3 + proposals[2])
        at = 3
        while at + 2 <= end and at + 2 + proposals[at + 1] <= end:
            name = proposals[at]
            length = proposals[at + 1]
            value = 0
            for index in range(at + 2, at + 2 + length):
                value = value << 8 | proposals[index]
            at += 2 + length
            if 0 < length <= 4 and value:
                self._take(name, value)

    def put_into(self, out: bytearray) -> int:
        """Write what was agreed upon, as UA carries it, and return the length."""
        at = 3
        for name, value in (
            (_INFORMATION_TRANSMIT, self.information_transmit),
            (_INFORMATION_RECEIVE, self.information_receive),
        ):
            size = 2 if value > 0xFF else 1
            out[at] = name
            out[at + 1] = size
            out[at + 2] = value >> 8 if size == 2 else value
            out[at + 1 + size] = value & 0xFF
            at += 2 + size
        for name, value in (
            (_WINDOW_TRANSMIT, self.window_transmit),
            (_WINDOW_RECEIVE, self.window_receive),
        ):
            out[at] = name
            out[at + 1] = 4
            out[at + 2] = out[at + 3] = out[at + 4] = 0
            out[at + 5] = value
            at += 6
        out[0] = _FORMAT
        out[1] = _GROUP
        out[2] = at - 3
        return at

    def _take(self, name: int, value: int) -> None:
        """Take one proposal: what the client transmits is what this station receives."""
        if name == _INFORMATION_TRANSMIT:
            self.information_receive = self._received(value)
        elif name == _INFORMATION_RECEIVE:
            self.information_transmit = self._transmitted(value)
        elif name == _WINDOW_TRANSMIT:
            self.window_receive = min(value, self._settings.window_receive)
        elif name == _WINDOW_RECEIVE:
            self.window_transmit = min(value, self._settings.window_transmit)

    def _transmitted(self, length: int) -> int:
        return min(length, self._settings.information_transmit)

    def _received(self, length: int) -> int:
        return min(length, self._settings.information_receive)
