"""Data link of a server over HDLC, without I/O (IEC 62056-46, 6.4; rows HDL-01 to HDL-09).

Octets from the line go in by `receive`; frames to be sent come out of `output`, one a call, which
is also where received frames are obeyed: the answer to one is out before the next is looked at.
Above it is a channel of the DLMS server, which gets whole APDUs without their LLC header. The
server is the secondary station in normal response mode: it speaks when it is polled, and then
sends up to a window of information frames.
"""

from micropython import const

from app.port_settings import WINDOW_MAX
from app.transport import hdlc_frame, hdlc_parameters
from app.transport.hdlc_reply import Reply
from app.transport.hdlc_request import Request, apdu_of, information_of

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.transport.channel import Channel
    from app.transport.hdlc_parameters import HdlcSettings
    from hal import Buffer

# States of the link (6.4.3).
_NDM = const(0)  # normal disconnected mode
_NRM = const(1)  # normal response mode
_REJECTED = const(2)  # a frame could not be obeyed; only a new set-up or a disconnection helps

# What may happen to it.
_SNRM = const(0)
_DISC = const(1)
_INFORMATION = const(2)
_RR = const(3)
_RNR = const(4)
_UI = const(5)
_UNKNOWN = const(6)  # control field that no station of this profile sends
_REJECT = const(7)  # a known frame that breaks the rules
_SILENCE = const(8)  # inactivity time-out, or the line is gone

# One row an event, one column a state: the next state and what is done.
# Leaving NRM, or entering it anew, ends the association above.
_TABLE = (
    #  NDM                        NRM                           REJECTED
    ((_NRM, "_connect"), (_NRM, "_connect"), (_NRM, "_connect")),  # SNRM
    ((_NDM, "_say_dm"), (_NDM, "_say_ua"), (_NDM, "_say_ua")),  # DISC
    ((_NDM, "_say_dm"), (_NRM, "_information"), (_REJECTED, "_say_frmr")),  # I
    ((_NDM, "_say_dm"), (_NRM, "_supervise"), (_REJECTED, "_say_frmr")),  # RR
    ((_NDM, "_say_dm"), (_NRM, "_supervise"), (_REJECTED, "_say_frmr")),  # RNR
    ((_NDM, "_unlinked"), (_NRM, "_unnumbered"), (_REJECTED, "_say_frmr")),  # UI
    ((_NDM, "_say_dm"), (_REJECTED, "_unknown"), (_REJECTED, "_say_frmr")),  # unknown
    ((_NDM, "_say_dm"), (_REJECTED, "_say_frmr"), (_REJECTED, "_say_frmr")),  # reject
    ((_NDM, "_ignore"), (_NDM, "_ignore"), (_NDM, "_ignore")),  # silence
)

_POLL = const(0x10)  # poll bit of a command, final bit of a response
_C_RR = const(0x01)
_C_UI = const(0x03)
_C_DM = const(0x0F)
_C_UA = const(0x63)
_C_FRMR = const(0x87)
# Unnumbered commands without the poll bit; UA, DM and FRMR are responses and not for a server.
_UNNUMBERED = {0x83: _SNRM, 0x43: _DISC, 0x03: _UI}
_RESPONSES = (_C_UA, _C_DM, _C_FRMR)

# Why a frame is rejected: third octet of FRMR.
_W_CONTROL = const(0x01)
_Y_TOO_LONG = const(0x04)
_Z_NUMBER = const(0x08)

_ALL_STATIONS = const(0x7F)
_FLAG = const(0x7E)
_TICKS_MASK = const(0x3FFFFFFF)  # ticks count modulo 2**30


class HdlcLink:
    """One port's data link: one client at a time, one channel above."""

    def __init__(
        self, channel: "Channel", settings: "HdlcSettings", max_pdu: int, logical_device: int = 1
    ) -> None:
        self.working = False  # true: the channel is at work, call `work` until it is not
        self._channel = channel
        self._settings = settings
        self._logical_device = logical_device
        self._reader = hdlc_frame.FrameReader(information_of(max_pdu))
        self._agreed = hdlc_parameters.Agreement(settings)
        self._state = _NDM  # set by _apply alone
        self._linked_address = -1  # device address that the link was set up with
        self._now_ms = 0
        self._last_ms = 0  # of the last frame for this station
        self._max_pdu = max_pdu
        self._request = Request(max_pdu)
        self._reply = Reply(max_pdu)
        self._receive_number = 0  # V(R), the next N(S) expected
        self._client_busy = False
        self._pending = 0  # control field of the answer that waits to be sent, 0: none
        self._burst = 0  # information frames that may still be sent in this turn
        self._reject_reason = 0
        self._rejected = bytearray(3)
        self._answer_information = bytearray(hdlc_parameters.ENCODED_MAX)
        self._answer_length = 0
        self._echoes = hdlc_frame.Echoes(WINDOW_MAX + 1)

    @property
    def connected(self) -> bool:
        """True in normal response mode."""
        return self._state == _NRM

    @property
    def frame_max(self) -> int:
        """Length of the buffer that `output` needs: of a frame with a longest answer."""
        return information_of(self._max_pdu) + 14

    def receive(self, octets: "Buffer", now_ms: int) -> int:
        """Take octets and return how many found room; call `output` until 0, offer the rest."""
        if self.working:
            return 0  # the request may lie among those that are held
        self._now_ms = now_ms
        self._reader.inter_octet_ms = self._settings.inter_octet_ms
        return self._reader.feed(octets, now_ms)

    def output(self, buffer: memoryview) -> int:
        """Write the next frame to be sent and return its length, 0 if there is nothing to say."""
        while True:
            if self._pending:
                return self._send_answer(buffer)
            if self._burst:
                return self._send_information(buffer)
            if self.working or not self._reader.next():
                return 0
            self._take()

    def poll(self, now_ms: int) -> int:
        """End a silent link; return the ms until it must be asked again, -1 while disconnected."""
        self._now_ms = now_ms
        if self._state == _NDM or not self._settings.inactivity_s:
            return -1
        left_ms = self._settings.inactivity_s * 1000 - ((now_ms - self._last_ms) & _TICKS_MASK)
        if left_ms > 0:
            return left_ms
        self._apply(_SILENCE)
        return -1

    def lost(self) -> None:
        """End the link: the line is gone."""
        self._reader.clear()
        self._pending = self._burst = 0
        self._apply(_SILENCE)

    def _take(self) -> None:
        """Obey the frame just found, if it is for this station."""
        frame = self._reader.frame
        mine = frame.upper == self._logical_device and self._mine()
        event = self._event(frame.control)
        if not mine or self._echoes.heard(frame.fcs, frame.length) or event < 0:
            return
        self._echoes.count = 0
        self._last_ms = self._now_ms
        if not frame.too_long:
            self._apply(event)
        elif event > _DISC and not frame.broadcast():
            self._break_off(_Y_TOO_LONG)

    def _mine(self) -> bool:
        frame = self._reader.frame
        own = self._settings.device_address if self._state == _NDM else self._linked_address
        if frame.lower in (-1, own):
            return True
        # where several meters share the line, all of them listen and none answers
        return frame.broadcast() and (
            self._settings.answer_all_station or self._event(frame.control) == _UI
        )

    def _event(self, control: int) -> int:
        """Return which event a control field means, -1 for what is never for a server."""
        if not control & 1:
            return _INFORMATION
        if control & 0x0F == 0x01:
            return _RR
        if control & 0x0F == 0x05:
            return _RNR
        command = control & ~_POLL
        if command in _RESPONSES:
            return -1
        return _UNNUMBERED.get(command, _UNKNOWN)

    def _apply(self, event: int) -> None:
        """Do what the table says; the only place that sets the state."""
        state = self._state
        self._state, action = _TABLE[event][state]
        if state == _NRM and (self._state != _NRM or event == _SNRM):
            self._channel.lost()
            self.working = False
        getattr(self, action)()

    def _ignore(self) -> None:
        pass

    def _say_dm(self) -> None:
        self._answer(_C_DM, 0)

    def _say_ua(self) -> None:
        self._answer(_C_UA, 0)

    def _connect(self) -> None:
        """Set the link up anew and answer with the parameters agreed upon."""
        self._linked_address = self._settings.device_address
        self._receive_number = 0
        self._request.clear()
        self._reply.restart()
        self._client_busy = False
        self._burst = 0
        self._agreed.propose(self._taken_information())
        room = self._reader.hold(self._agreed.information_receive)
        self._agreed.information_receive = min(self._agreed.information_receive, room)
        self._answer(_C_UA, self._agreed.put_into(self._answer_information))

    def _information(self) -> None:
        """Take an information frame if it is the one expected, and answer if polled."""
        frame = self._reader.frame
        if frame.information_length > self._agreed.information_receive:
            self._break_off(_Y_TOO_LONG)
        elif not self._acknowledged():
            self._break_off(_Z_NUMBER)
        else:
            self._client_busy = False
            if frame.control >> 1 & 7 == self._receive_number:
                # The client goes on, so what it did not fetch of the last answer is not wanted.
                self._reply.drop()
                self._receive_number = self._receive_number + 1 & 7
                if not self._collect():
                    self._break_off(_Y_TOO_LONG)
                    return
                if self.working:
                    return
            # A frame out of sequence is not taken: a repeated one gets its answer again, others
            # learn from N(R) which is expected.
            self._speak()

    def _unlinked(self) -> None:
        """Take an unnumbered APDU without a link if nobody expects an answer: a broadcast."""
        frame = self._reader.frame
        if frame.broadcast() or not frame.control & _POLL:
            self._broadcast()
        else:
            self._say_dm()

    def _unnumbered(self) -> None:
        """Hand an unnumbered APDU up; its answer must fit one frame."""
        frame = self._reader.frame
        if frame.broadcast():
            self._broadcast()
            return
        if frame.information_length > self._agreed.information_receive:
            self._break_off(_Y_TOO_LONG)
            return
        self._request.clear()
        self._reply.drop()
        if not self._request.append(self._taken_information(), False):
            self._break_off(_Y_TOO_LONG)
            return
        self._execute()
        self._respond()

    def _broadcast(self) -> None:
        """Hand up what gets no answer; the link's own request and answer stay as they are."""
        apdu = apdu_of(self._taken_information())
        if apdu is not None and len(apdu) <= self._max_pdu:
            client = self._reader.frame.client
            reply = bytearray(self._max_pdu)
            self._channel.request(client, _ALL_STATIONS, apdu, reply, self._now_ms)

    def _say_ui(self) -> None:
        if 0 < self._reply.length <= self._agreed.information_transmit:
            self._answer(_C_UI, self._reply.length)
        else:
            self._reply.drop()

    def _unknown(self) -> None:
        self._reject_reason = _W_CONTROL
        self._say_frmr()

    def _say_frmr(self) -> None:
        """Tell which frame could not be obeyed and why; again at every poll."""
        rejected = self._rejected
        if self._reject_reason:
            rejected[0] = self._reader.frame.control
            rejected[1] = self._receive_number << 5 | self._reply.number << 1
            rejected[2] = self._reject_reason
            self._reject_reason = 0
        self._answer_information[:3] = rejected
        self._answer(_C_FRMR, 3)

    def _break_off(self, reason: int) -> None:
        self._reject_reason = reason
        self._apply(_REJECT)

    def _supervise(self) -> None:
        self._client_busy = self._event(self._reader.frame.control) == _RNR
        if self._acknowledged():
            self._speak()
        else:
            self._break_off(_Z_NUMBER)

    def _acknowledged(self) -> bool:
        """Take the frame's N(R); False if it makes no sense."""
        number = self._reader.frame.control >> 5
        return self._reply.acknowledge(number)

    def _speak(self) -> None:
        """Use the right to speak, if the client gave it."""
        if not self._reader.frame.control & _POLL:
            return
        if self._reply.waits() and not self._client_busy:
            self._burst = self._agreed.window_transmit
            return
        self._answer(_C_RR | self._receive_number << 5, 0)

    def _answer(self, control: int, information_length: int) -> None:
        """Have a frame sent that is not an information frame, if the client polls."""
        if self._reader.frame.control & _POLL:
            self._pending = control | _POLL
            self._answer_length = information_length

    def _taken_information(self) -> memoryview:
        frame = self._reader.frame
        start = frame.information_start
        return self._reader.view[start : start + frame.information_length]

    def _collect(self) -> bool:
        """Take one segment, and carry the request out after the last."""
        more = self._reader.frame.segmented
        whole = self._request.append(self._taken_information(), more)
        if whole and not more:
            self._execute()
        return whole

    def _execute(self) -> None:
        """Hand the request up; what does not begin with the LLC header of a command is dropped."""
        apdu = self._request.take()
        if apdu is not None:
            client, reply = self._reader.frame.client, self._reply.apdu
            device = self._logical_device
            self._begin(self._channel.request(client, device, apdu, reply, self._now_ms))

    def _begin(self, length: int) -> None:
        self.working = length < 0
        if not self.working:
            self._reply.begin(length)

    def work(self) -> None:
        """Go on with a request that takes long; no other frame has been looked at meanwhile."""
        self._begin(self._channel.proceed(self._reply.apdu))
        self._respond()

    def _respond(self) -> None:
        """Use the right to speak after a request, unless it is under way still."""
        if self.working:
            return
        if self._reader.frame.control & 1:
            self._say_ui()
        else:
            self._speak()

    def _send_answer(self, buffer: memoryview) -> int:
        control = self._pending
        self._pending = 0
        length = self._answer_length
        at = hdlc_frame.information_offset(self._reader.frame.server_length)
        if control == _C_UI | _POLL:
            self._reply.whole(buffer, at)
        else:
            buffer[at : at + length] = memoryview(self._answer_information)[:length]
        return self._close(buffer, control, length, False)

    def _send_information(self, buffer: memoryview) -> int:
        """Build the next information frame; the last of the turn returns the right to speak."""
        reply = self._reply
        at = hdlc_frame.information_offset(self._reader.frame.server_length)
        size = self._agreed.information_transmit
        while True:
            control = self._receive_number << 5 | reply.number << 1
            size = reply.next_segment(buffer, at, size)
            more = reply.waits()
            control |= _POLL if self._burst == 1 or not more else 0
            total = self._close(buffer, control, size, more)
            # Two octets like flags side by side, or one before the flag, make some clients wait
            # for ever (dlms-cosem): an octet less has other check sequences.
            if size == 1 or not hdlc_frame.twins(buffer, at, total):
                break
            reply.undo()
            size -= 1
        self._burst = 0 if control & _POLL else self._burst - 1
        return total

    def _close(self, buffer: memoryview, control: int, length: int, segmented: bool) -> int:
        frame = self._reader.frame
        server = memoryview(frame.server_octets)[: frame.server_length]
        total = hdlc_frame.build(buffer, frame.client, server, control, length, segmented)
        self._echoes.sent(buffer[total - 3] | buffer[total - 2] << 8, total - 2)
        return total
