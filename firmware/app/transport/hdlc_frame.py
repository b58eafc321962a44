"""HDLC frames of format type 3: found in a stream of octets, and built (IEC 62056-46, 6.4).

    7E | A|S|length (2) | destination 1, 2, 4 | source 1 | control | HCS | information | FCS | 7E

The length counts everything between the flags; HCS and information are absent together. There
is no transparency: only the length tells which 7E closes a frame. Octets come from a serial
link by way of `hdlc`; what is not a whole, intact frame vanishes here without a trace. One that is
too long to be held is intact all the same, and described without its information: its sender is
owed an answer (ISO/IEC 13239: FRMR for condition Y, DM while disconnected).
"""

from array import array

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

_FLAG = const(0x7E)
_TWO_FLAGS = b"~~"
_FORMAT_TYPE_3 = const(0xA0)
_SEGMENTED = const(0x08)
_SHORTEST = const(7)  # format 2, addresses 1 + 1, control 1, FCS 2
_HEAD_MAX = const(10)  # format 2, addresses 4 + 1, control 1, HCS 2
_OVERHEAD_MAX = const(12)  # format 2, addresses 4 + 1, control 1, HCS 2, FCS 2
_FCS_GOOD = const(0xF0B8)  # what remains of a block followed by its own check sequence
_TICKS_MASK = const(0x3FFFFFFF)  # ticks count modulo 2**30
# Octets wait in the UART while a garbage collection or a flash erase holds the task up (20 to
# 50 ms) or several such things come together, so that much of a gap is no proof of silence; a
# frame whose end is missing costs nothing but this wait, for the next flag begins another.
_STALL_MS = const(200)


def _make_table() -> "array[int]":
    table = array("H", bytes(512))
    for index in range(256):
        crc = index
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
        table[index] = crc
    return table


_TABLE = _make_table()


def crc16(octets: "Buffer", crc: int = 0xFFFF) -> int:
    """Return the running CRC-16 of ITU-T X.25, not yet complemented."""
    table = _TABLE
    for octet in octets:
        crc = (crc >> 8) ^ table[(crc ^ octet) & 0xFF]
    return crc


def put_crc16(view: memoryview, start: int, end: int) -> None:
    """Write the check sequence of `view[start:end]` behind it, low octet first."""
    crc = crc16(view[start:end]) ^ 0xFFFF
    view[end] = crc & 0xFF
    view[end + 1] = crc >> 8


def twins(view: memoryview, at: int, total: int) -> bool:
    """Tell whether a check sequence of a frame makes two octets like flags stand side by side.

    The information begins at `at`; `total` octets with both flags.
    """
    head = bytes(view[at - 3 : at + 1])
    return _TWO_FLAGS in head or _TWO_FLAGS in bytes(view[total - 4 : total])


class Frame:
    """What the last good frame said; the information lies in the reader's buffer."""

    def __init__(self) -> None:
        self.upper = 0  # server address: logical device
        self.lower = -1  # server address: physical device, -1 if absent
        self.server_octets = bytearray(4)  # server address as sent
        self.server_length = 0  # 1, 2 or 4
        self.client = 0
        self.control = 0
        self.segmented = False
        self.information_start = 0
        self.information_length = 0
        self.too_long = False  # the information is not there
        self.length = 0  # length field
        self.fcs = 0

    def broadcast(self) -> bool:
        """Tell whether the physical part is the all-station address."""
        return self.lower == (0x7F if self.server_length == 2 else 0x3FFF)


class FrameReader:
    """Finds frames in octets that come in pieces of any size; holds at most one longest frame."""

    def __init__(self, information_least: int, inter_octet_ms: int = 25) -> None:
        self.frame = Frame()
        self.inter_octet_ms = inter_octet_ms
        self._least = information_least
        self._length_max = information_least + _OVERHEAD_MAX
        self.view = memoryview(bytearray(self._length_max + 2))
        self._start = 0  # octets before it are done with
        self._end = 0  # octets held
        self._left = 0  # octets still to come of a frame too long to be held, its flag the last
        self._crc = 0  # of that frame so far
        self._passed = False  # that frame has come, and it is intact
        self._last_ms = 0

    def hold(self, information_max: int) -> int:
        """Find frames with so much information from now on, but at least as at the beginning.

        Returns how much it is: where the heap has no room for more, as much as before. Octets
        that are held stay.
        """
        length_max = max(information_max, self._least) + _OVERHEAD_MAX
        self._compact()
        size = max(length_max + 2, self._end)
        if size != len(self.view):
            try:
                view = memoryview(bytearray(size))
            except MemoryError:
                return self._length_max - _OVERHEAD_MAX
            view[: self._end] = self.view[: self._end]
            self.view = view
        self._length_max = length_max
        return length_max - _OVERHEAD_MAX

    def feed(self, octets: "Buffer", now_ms: int) -> int:
        """Take octets and return how many found room; call `next` before the rest is offered."""
        gap_ms = (now_ms - self._last_ms) & _TICKS_MASK
        if (self._end or self._left) and gap_ms > self.inter_octet_ms + _STALL_MS:
            self.clear()  # 6.4.4.3.3: a frame ends with silence; not closed, it is no frame
        self._last_ms = now_ms
        if self._left:
            return self._pass_over(memoryview(octets)[: self._left])
        self._compact()
        taken = min(len(octets), len(self.view) - self._end)
        self.view[self._end : self._end + taken] = memoryview(octets)[:taken]
        self._end += taken
        return taken

    def clear(self) -> None:
        """Forget what is held."""
        self._start = self._end = self._left = 0
        self._passed = False

    def _pass_over(self, octets: memoryview) -> int:
        """Take octets of a frame too long to be held."""
        count = len(octets)
        self._left -= count
        if self._left:
            self._crc = crc16(octets, self._crc)
        else:
            good = crc16(octets[: count - 1], self._crc) == _FCS_GOOD
            self._passed = good and octets[count - 1] == _FLAG
            self.view[0] = octets[count - 1]  # it may open the next one
            self._end = 1
        return count

    def next(self) -> bool:
        """Find the next good frame and describe it in `frame`; False if more octets are needed."""
        passed, self._passed = self._passed, False
        return passed or self._find()

    def _find(self) -> bool:
        view = self.view
        while True:
            if not self._find_flag():
                return False
            start = self._start + 1  # behind the opening flag
            held = self._end - start
            if held < 1:
                return False
            if view[start] & 0xF0 != _FORMAT_TYPE_3:
                self._start = start
                continue
            if held < 2:
                return False
            length = (view[start] & 0x07) << 8 | view[start + 1]
            if length > self._length_max and self._too_long(start, length):
                return False
            if not _SHORTEST <= length <= self._length_max:
                self._start = start
                continue
            if held < length + 1:
                return False
            if view[start + length] != _FLAG:
                self._start = start  # noise looked like a header; a frame may begin behind it
                continue
            good = self._parse(start, length)
            self._start = start + length  # a closing flag may also open the next frame
            if good:
                return True

    def _too_long(self, start: int, length: int) -> bool:
        """Begin to pass over a frame that cannot be held; False if it is none."""
        held = self._end - start
        if held < _HEAD_MAX:
            return True
        # Its head has a check sequence of its own, which noise has not.
        if not self._describe(start, length):
            return False
        self.frame.too_long = True
        self.frame.fcs = -1  # no echo: those are not so long
        self._crc = crc16(self.view[start : self._end])
        self._left = length + 1 - held
        self._start = self._end = 0
        return True

    def _find_flag(self) -> bool:
        """Move the start to the last of the flags that come next."""
        view = self.view
        start = self._start
        end = self._end
        while start < end and view[start] != _FLAG:
            start += 1
        while start + 1 < end and view[start + 1] == _FLAG:
            start += 1
        self._start = start
        return start < end

    def _compact(self) -> None:
        start = self._start
        if start:
            held = self._end - start
            self.view[:held] = self.view[start : self._end]
            self._start = 0
            self._end = held

    def _parse(self, start: int, length: int) -> bool:
        """Check both check sequences and the addresses of `length` octets at `start`."""
        view = self.view
        frame = self.frame
        end = start + length - 2  # of what the FCS covers
        if crc16(view[start : end + 2]) != _FCS_GOOD or not self._describe(start, length):
            return False
        frame.too_long = False
        frame.fcs = view[end] | view[end + 1] << 8
        return True

    def _describe(self, start: int, length: int) -> bool:
        """Read the head of a frame; False if its own check sequence or an address is wrong."""
        view = self.view
        frame = self.frame
        end = start + length - 2
        at = self._parse_server(start + 2, end)
        # A client address is one octet (6.4.2.3); then comes the control field.
        if at == 0 or at + 2 > end or not view[at] & 1:
            return False
        frame.client = view[at] >> 1
        frame.control = view[at + 1]
        at += 2
        frame.segmented = view[start] & _SEGMENTED != 0
        frame.information_start = at + 2
        frame.information_length = end - at - 2
        if at == end:
            frame.information_length = 0
        elif at + 2 > end or crc16(view[start : at + 2]) != _FCS_GOOD:
            return False
        frame.length = length
        return True

    def _parse_server(self, at: int, end: int) -> int:
        """Read a server address of 1, 2 or 4 octets; return where the source begins, 0 if bad."""
        view = self.view
        count = 1
        while not view[at + count - 1] & 1:
            count += 1
            if count > 4 or at + count > end:
                return 0
        if count == 3:
            return 0
        frame = self.frame
        octets = frame.server_octets
        for index in range(count):
            octets[index] = view[at + index]
        frame.server_length = count
        frame.lower = -1
        if count == 4:
            frame.upper = octets[0] >> 1 << 7 | octets[1] >> 1
            frame.lower = octets[2] >> 1 << 7 | octets[3] >> 1
        else:
            frame.upper = octets[0] >> 1
            if count == 2:
                frame.lower = octets[1] >> 1
        return at + count


def information_offset(server_length: int) -> int:
    """Return where the information of a frame to be sent belongs in its buffer."""
    return 1 + 2 + 1 + server_length + 1 + 2


def build(
    view: memoryview,
    client: int,
    server: "Buffer",
    control: int,
    information_length: int = 0,
    segmented: bool = False,
) -> int:
    """Close in a frame from server to client whose information lies at its offset already.

    Returns the length with both flags.
    """
    at = 5 + len(server)
    end = at + 2 + information_length if information_length else at
    length = end - 1 + 2
    view[0] = _FLAG
    view[1] = _FORMAT_TYPE_3 | length >> 8 | (_SEGMENTED if segmented else 0)
    view[2] = length & 0xFF
    view[3] = client << 1 | 1
    view[4 : at - 1] = server
    view[at - 1] = control
    if information_length:
        put_crc16(view, 1, at)
    put_crc16(view, 1, end)
    view[end + 2] = _FLAG
    return end + 3


class Echoes:
    """Frames of the last turn, which a half-duplex line may return to their sender.

    Other addresses give an echo away, but client 1 at the one-octet server address 1 is
    indistinguishable from it: endless talk with oneself would follow. A frame is known by its
    check sequence and its length: in a long answer one or the other FCS is that of a client's RR.
    """

    def __init__(self, most: int) -> None:
        self.count = 0
        self._checks = array("I", bytes(4 * most))

    def sent(self, fcs: int, length: int) -> None:
        """Note a frame that leaves, by its FCS and its length field."""
        if self.count < len(self._checks):
            self._checks[self.count] = length << 16 | fcs
            self.count += 1

    def heard(self, fcs: int, length: int) -> bool:
        """Tell whether a frame is an echo; each one comes once."""
        checks = self._checks
        check = length << 16 | fcs
        for index in range(self.count):
            if checks[index] == check:
                self.count -= 1
                checks[index] = checks[self.count]
                return True
        return False
