"""ADS131M02 to ADS131M08, the front end's converters, behind the SPI bus (TI SBAS890, SBAS950).

The analogue side is a provider: `provider.samples(out, first_index, count)` fills `out` with
`count` frames of `words` signed 32-bit numbers, what a converter with gain 1 would read at each
conversion. `inputs` says which of these words each channel's pins carry, -1: shorted on the board.

A transaction goes byte by byte: command in, answer to the command before out. `clock_frames` gives
the same bytes for many frames at once, as capture hardware clocks them with NULL commands.

Not modelled: the converter's noise and filter (the provider's matter); phase delay, DC block,
current detection and global chop only keep what is written; the register map CRC reads 0.
"""

from array import array

from micropython import const

from .ads131m0x_frames import COEFFICIENTS, HEADER, clip, crc16, crc_table, fill_frames, put_word
from .ads131m0x_registers import REG_STATUS, Registers
from .ads131m0x_timing import Conversions
from .chip import Chip, float_high, transfer_length

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .chip import Clock, Provider, Schedule

    Out = bytes | bytearray | memoryview | None
    In = bytearray | memoryview | None

_NULL = const(0x0000)
_RESET = const(0x0011)
_STANDBY = const(0x0022)
_WAKEUP = const(0x0033)
_LOCK = const(0x0555)
_UNLOCK = const(0x0655)
_RREG = const(0xA000)
_WREG = const(0x6000)
_REGISTER_COMMAND = const(0xE000)

_STATUS_LOCK = const(0x8000)
_STATUS_F_RESYNC = const(0x4000)
_STATUS_CRC_ERR = const(0x1000)

_RESET_CLOCKS = const(2048)  # a shorter low pulse on SYNC/RESET only resynchronises
_BLOCK = const(64)  # frames taken from the provider at a time


class Ads131m0x(Chip):
    """The chip with 2 to 8 channels on a crystal of `clock_hz`."""

    NAME = "adc"
    FAULTS = {
        "crc_error": ("break_crc", (("count", 1),)),  # the CRC word of so many frames is wrong
        "stuck": ("set_stuck", ()),  # every conversion gives the last one's codes
        "brown_out": ("_reset", ()),  # the supply dips: every register falls back
        "drdy_stuck": ("break_line", ()),  # data-ready stays high: nobody asks for a frame
    }

    def __init__(
        self,
        channels: int,
        provider: "Provider",
        words: int,
        inputs: "list[int]",
        clock_hz: int,
        now_us: "Clock",
        at: "Schedule | None" = None,
    ) -> None:
        if not 2 <= channels <= 8 or len(inputs) != channels or max(inputs) >= words:
            raise ValueError("ADS131M0x: channels and inputs")
        super().__init__()
        self.channels = channels
        self.clock_hz = clock_hz
        self.on_skip: Callable[[int], None] | None = None  # told what a capture begins with
        self._provider = provider
        self._words = words
        self._inputs = list(inputs)
        self._now_us = now_us
        self._conversions = Conversions(clock_hz, self.converting, now_us, at)
        self._samples = array("i", [0] * (words * _BLOCK))
        self._last = array("i", [0] * words)  # the sample frame converted last
        self._last_index = -1
        self._parameters = array("i", [0] * (HEADER + COEFFICIENTS * channels))
        self._registers = Registers(channels)
        self._bad_crc_frames = 0
        self._reset_fell_us = -1  # when SYNC/RESET fell, -1: it is high
        self._in = bytearray()
        self._out = b""
        self._data_end = 0  # bytes of the frame up to its last channel, 0: it carries no data
        self._multiple = False  # the frame answers a read of several registers
        self._position = 0
        self._reset()

    # Physical side.

    def power(self, on: bool) -> None:
        """Registers are volatile: power returning is a reset."""
        super().power(on)
        if on:
            self._reset()

    def set_reset(self, level: int) -> None:
        """Level of the SYNC/RESET pin."""
        if not level and self._reset_fell_us < 0:
            self._reset_fell_us = self._now_us()
        elif level and self._reset_fell_us >= 0:
            low_us = self._now_us() - self._reset_fell_us
            self._reset_fell_us = -1
            if self._conversions.clocks(low_us) >= _RESET_CLOCKS:
                self._reset()
            else:
                self._resynchronised = True
                self._restart()

    def drdy(self) -> int:
        """Level of the DRDY pin: low while a conversion waits to be read."""
        return 0 if self.frames_due() > 0 else 1

    def watch_drdy(self, callback: "Callable[[int], None]") -> None:
        """Call `callback(0)` at each conversion from now on, as the pin's falling edge."""
        self._conversions.watch(callback)

    def frames_due(self) -> int:
        """Conversions done and not read yet, also those that a slow reader has lost."""
        return self._conversions.due()

    def converting(self) -> bool:
        """Whether conversions go on and show: powered, not dead, out of reset and standby."""
        seen = self.answers() and not self.line_broken
        return seen and self._reset_fell_us < 0 and not self._standby

    def skip(self) -> None:
        """Forget the conversions that nobody has read; the next frame is the next conversion."""
        self._conversions.skip()
        if self.on_skip is not None:
            self.on_skip(self._conversions.next_index)

    def pass_by(self, count: int) -> None:
        """Forget the next `count` conversions: a leap has accounted for their time."""
        self._conversions.next_index += count

    def clear_faults(self) -> None:
        """End every fault."""
        super().clear_faults()
        self._bad_crc_frames = 0

    def break_crc(self, count: int) -> None:
        """Spoil the CRC word of the next `count` frames."""
        if count < 1:
            raise ValueError("crc_error needs count >= 1")
        self._bad_crc_frames = count

    # Bus side.

    def select(self) -> None:
        """Take the falling chip select: the answer to the frame before is loaded."""
        self._in = bytearray()
        self._position = 0
        self._out = b""
        if self.answers() and self._reset_fell_us < 0:
            self._load()

    def transfer(self, out_buf: "Out", in_buf: "In") -> None:
        """Clock the bytes of both buffers."""
        if not self._out or not self.answers():
            float_high(in_buf)
            return
        count = transfer_length(out_buf, in_buf)
        self._in.extend(bytes(count) if out_buf is None else out_buf)
        if in_buf is not None:
            for index in range(count):
                at = self._position + index
                in_buf[index] = self._out[at] if at < len(self._out) else 0
        self._position += count

    def deselect(self) -> None:
        """Take the rising chip select: the frame's command takes effect."""
        if not self._out or not self.answers() or not self._position:
            return
        if self._data_end and self._position >= self._data_end and self._fresh:
            self._conversions.next_index += 1
        if self._bad_crc_frames:
            self._bad_crc_frames -= 1
        self._answer = ()
        if self._multiple:
            return  # a command beside the answer to a multiple read is not accepted
        size = self._registers.word_bytes()
        ends = range(0, len(self._in) - size + 1, size)
        words = [self._in[at] << 8 | self._in[at + 1] for at in ends]
        if words:
            self._execute(words, size)

    def clock_frames(self, raw: bytearray, offset: int, count: int) -> int:
        """Put `count` frames, one for each further conversion, into `raw` from byte `offset`.

        This is what capture hardware gets that reads every frame in time, sending zeros. Returns
        the number of frames: 0 if the chip does not convert and so never asks to be read.
        """
        if not self.converting():
            return 0
        frame_bytes = (self.channels + 2) * 3
        done = 0
        while done < count and not self._plain():
            self._one_frame(raw, offset + done * frame_bytes, frame_bytes)
            done += 1
        while done < count:
            block = min(_BLOCK, count - done)
            self._convert(self._conversions.next_index, block)
            self._set_parameters(block, offset + done * frame_bytes)
            # Viper takes the buffers' addresses.
            fill_frames(self._samples, raw, self._crc_table, self._parameters)  # pyright: ignore[reportArgumentType]
            self._conversions.next_index += block
            done += block
        return count

    # What the chip does inside.

    def _reset(self) -> None:
        self._registers.reset()
        self._locked = False
        self._standby = False
        self._crc_error = self._resynchronised = self._fresh = False
        # Words that answer the last command; empty: STATUS.
        self._answer: tuple[int, ...] = (0xFF20 | self.channels,)
        self._crc_table = crc_table(False)
        self._restart()

    def _restart(self) -> None:
        """Begin to convert anew, from now."""
        self._conversions.restart(self._registers.oversampling())

    def _convert(self, index: int, count: int) -> None:
        """Bring the provider's samples, each conversion once and in order; a stuck chip's last."""
        words = self._words
        if self.stuck:
            for at in range(count * words):
                self._samples[at] = self._last[at % words]
            return
        self._provider.samples(self._samples, index, count)
        for word in range(words):
            self._last[word] = self._samples[(count - 1) * words + word]
        self._last_index = index + count - 1

    def _status(self, fresh: bool) -> int:
        status = self._registers.status_bits()
        if fresh:
            status |= self._registers.enabled()
        if self._locked:
            status |= _STATUS_LOCK
        if self._resynchronised:
            status |= _STATUS_F_RESYNC
        if self._crc_error:
            status |= _STATUS_CRC_ERR
        return status

    def _plain(self) -> bool:
        """Whether the next frames differ in nothing but their data."""
        return not (
            self._answer or self._resynchronised or self._crc_error or self._bad_crc_frames
        ) and (self._registers.word_bytes() == 3)

    def _one_frame(self, raw: bytearray, offset: int, frame_bytes: int) -> None:
        """One frame the exact way, at the time its conversion is done."""
        self._in = bytearray()
        self._position = 0
        self._load(True)
        frame = memoryview(raw)[offset : offset + frame_bytes]
        self.transfer(None, frame)
        self.deselect()

    def _load(self, timely: bool = False) -> None:
        """Build the bytes of the frame that starts now."""
        words: list[int] = []
        self._multiple = len(self._answer) > 1
        self._data_end = 0
        self._fresh = timely
        if not timely:
            due = self._conversions.due()
            self._fresh = due > 0
            # Two conversions wait for a late reader: the last and the one before it.
            self._conversions.next_index += max(0, due - 2)
        if self._answer:
            words.extend(word << 8 for word in self._answer)
        else:
            words.append(self._status(self._fresh) << 8)
            self._resynchronised = False
            self._crc_error = False
        size = self._registers.word_bytes()
        frame = bytearray()
        for word in words:
            put_word(frame, word, size, False)
        if not self._multiple:
            for code in self._codes(self._fresh):
                put_word(frame, code, size, self._registers.sign_extended())
            self._data_end = len(frame)
        crc = crc16(self._crc_table, frame)
        if self._bad_crc_frames:
            crc ^= 0xFFFF
        put_word(frame, crc << 8, size, False)
        self._out = frame

    def _codes(self, fresh: bool) -> "list[int]":
        """Codes of the next conversion, or again those of the one before."""
        if fresh and self._last_index < self._conversions.next_index:
            self._convert(self._conversions.next_index, 1)
        codes: list[int] = []
        for channel in range(self.channels):
            pins, constant, gain, offset, factor = self._registers.channel(channel)
            word = self._inputs[channel]
            code = clip((self._last[word] * gain if pins and word >= 0 else 0) + constant)
            codes.append(clip(((code - offset) * factor) >> 23))
        return codes

    def _set_parameters(self, count: int, offset: int) -> None:
        """Prepare what the hot loop needs to know."""
        parameters = self._parameters
        status = self._status(True)
        crc = crc16(self._crc_table, bytes((status >> 8, status & 0xFF, 0)))
        for index, value in enumerate((count, self._words, self.channels, offset, status, crc)):
            parameters[index] = value
        at = HEADER
        for channel in range(self.channels):
            pins, *coefficients = self._registers.channel(channel)
            word = self._inputs[channel] if pins else -1
            parameters[at] = word if word >= 0 else self._words
            for value in coefficients:
                at += 1
                parameters[at] = value
            at += 1

    def _execute(self, words: "list[int]", size: int) -> None:
        """Obey the command of a frame that has ended."""
        command = words[0]
        registers = (command & 0x7F) + 1 if command & _REGISTER_COMMAND == _WREG else 0
        intact = True
        if self._registers.input_crc():
            at = 1 + registers
            intact = len(words) > at and words[at] == crc16(self._crc_table, self._in[: at * size])
            self._crc_error = self._crc_error or not intact
        if registers:
            if not self._locked:
                written = self._write_registers(command, words[1 : 1 + registers])
                if intact:
                    self._answer = (0x4000 | command & 0x1F80 | (written - 1) & 0x7F,)
        elif intact:
            self._obey(command, len(words) >= self.channels + 2)

    def _obey(self, command: int, whole: bool) -> None:
        """Obey all but WREG. `whole`: the frame had its full length."""
        if command & _REGISTER_COMMAND == _RREG:
            self._answer = self._read_registers(command)
        elif command == _UNLOCK:
            self._locked = False
            self._answer = (command,)
        elif self._locked or command == _NULL:
            return
        elif command == _RESET and whole:
            self._reset()
        elif command == _LOCK:
            self._locked = True
            self._answer = (command,)
        elif command == _STANDBY:
            self._standby = True
            self._answer = (command,)
        elif command == _WAKEUP:
            if self._standby:
                self._standby = False
                self._restart()
            self._answer = (command,)

    def _read_registers(self, command: int) -> "tuple[int, ...]":
        address = (command >> 7) & 0x3F
        count = (command & 0x7F) + 1
        values = [self._registers[at] for at in range(address, min(address + count, 0x40))]
        if address <= REG_STATUS < address + count:
            values[REG_STATUS - address] = self._status(self.frames_due() > 0)
        if count == 1:
            return (values[0],)
        values.extend([0] * (count - len(values)))
        return (0xE000 | command & 0x1FFF,) + tuple(values)

    def _write_registers(self, command: int, values: "list[int]") -> int:
        """Write what is there and may be written; return how many registers that were."""
        registers = self._registers
        oversampling = registers.oversampling()
        address = (command >> 7) & 0x3F
        written = 0
        for value in values:
            if address < 0x40 and registers.writable(address):
                registers.write(address, value)
                written += 1
            address += 1
        self._crc_table = crc_table(registers.ansi_crc())
        if registers.oversampling() != oversampling:
            self._restart()
        return written
