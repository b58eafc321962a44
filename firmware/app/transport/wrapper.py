"""DLMS wrapper of TCP, without I/O (IEC 62056-47; rows TCP-01 to TCP-03).

    version 0001 | source wPort (2) | destination wPort (2) | length (2) | APDU

Octets of one connection go in by `receive`; what is to be sent comes out of `output` in pieces as
long as the given buffer, so that a slow client holds up nobody but itself. A header that makes
no sense cannot be recovered from in a stream: `closed` becomes true and the connection ends.
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.transport.channel import Channel
    from hal import Buffer

_HEADER = const(8)
_VERSION = const(1)
_TICKS_MASK = const(0x3FFFFFFF)  # ticks count modulo 2**30


class WrapperLink:
    """One connection: one channel above."""

    def __init__(
        self, channel: "Channel", max_pdu: int, now_ms: int, inactivity_s: int = 180
    ) -> None:
        self.closed = False  # true: send nothing, close the connection
        self.working = False  # true: the channel is at work, call `work` until it is not
        self.inactivity_s = inactivity_s  # 0: a connection lasts for ever
        self._channel = channel
        self._request = memoryview(bytearray(_HEADER + max_pdu))
        self._held = 0  # octets of the request that have come
        self._wanted = _HEADER
        self._header = memoryview(bytearray(_HEADER))
        self._reply = bytearray(max_pdu)
        self._reply_view = memoryview(self._reply)
        self._out_length = 0  # header and answer that wait to be sent
        self._out_sent = 0
        self._last_ms = now_ms

    def receive(self, octets: "Buffer", now_ms: int) -> int:
        """Take octets up to the end of one APDU and carry it out; return how many were taken.

        Call `output` until 0 before the rest is offered.
        """
        self._last_ms = now_ms
        view = memoryview(octets)
        taken = 0
        while taken < len(view) and not (self.closed or self._out_length or self.working):
            count = min(len(view) - taken, self._wanted - self._held)
            self._request[self._held : self._held + count] = view[taken : taken + count]
            self._held += count
            taken += count
            if self._held == self._wanted:
                if self._wanted == _HEADER:
                    self._read_header()
                if self._held == self._wanted and not self.closed:
                    self._execute(now_ms)
        return taken

    def output(self, buffer: memoryview) -> int:
        """Write the next octets to be sent and return how many, 0 if there is nothing."""
        at = 0
        if self._out_sent < _HEADER and self._out_length:
            at = min(_HEADER - self._out_sent, len(buffer))
            buffer[:at] = self._header[self._out_sent : self._out_sent + at]
            self._out_sent += at
        size = min(len(buffer) - at, self._out_length - self._out_sent)
        if size > 0:
            start = self._out_sent - _HEADER
            buffer[at : at + size] = self._reply_view[start : start + size]
            self._out_sent += size
            at += size
        if self._out_sent == self._out_length:
            self._out_sent = self._out_length = 0
            if at:
                self._say(self._channel.more(self._reply))
        return at

    def poll(self, now_ms: int) -> int:
        """Close a silent connection; return the ms until it must be asked again, -1 for never."""
        if not self.inactivity_s or self.closed:
            return -1
        left_ms = self.inactivity_s * 1000 - ((now_ms - self._last_ms) & _TICKS_MASK)
        if left_ms > 0:
            return left_ms
        self.closed = True
        return -1

    def lost(self) -> None:
        """End what was open: the connection is gone."""
        self.closed = True
        self.working = False
        self._channel.lost()

    def _word(self, at: int) -> int:
        return self._request[at] << 8 | self._request[at + 1]

    def _read_header(self) -> None:
        length = self._word(6)
        if self._word(0) != _VERSION or length > len(self._request) - _HEADER:
            self.closed = True
            return
        self._wanted = _HEADER + length

    def _execute(self, now_ms: int) -> None:
        source = self._word(2)
        destination = self._word(4)
        self._answer(
            self._channel.request(
                source, destination, self._request[_HEADER : self._held], self._reply, now_ms
            )
        )

    def work(self) -> None:
        """Go on with a request that takes long."""
        self._answer(self._channel.proceed(self._reply))

    def _answer(self, length: int) -> None:
        """Have an answer sent."""
        self.working = length < 0
        if self.working:
            return
        self._header[2:4] = self._request[4:6]
        self._header[4:6] = self._request[2:4]
        self._held = 0
        self._wanted = _HEADER
        self._say(length)

    def _say(self, length: int) -> None:
        """Have an APDU of `length` octets sent to who asked last; 0: there is none."""
        if not length:
            return
        header = self._header
        header[0] = 0
        header[1] = _VERSION
        header[6] = length >> 8
        header[7] = length & 0xFF
        self._out_length = _HEADER + length
