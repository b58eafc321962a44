"""The contract between a board and the meter: types only, nothing of it exists at run time.

A board's `board.py` builds its drivers and offers them under the names of `Board`; the firmware
asks for nothing else and never asks which board it runs on. Units close the names. Every method
may be called from the cooperative part only, unless it says otherwise.
"""

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from array import array
    from collections.abc import Callable
    from typing import Protocol

    Buffer = bytes | bytearray | memoryview

    class Variant(Protocol):
        """What kind of meter the board is wired as; fixed at production (rows MET-01, MET-02)."""

        # "3ph" direct, "ct" transformer connected, "1ph" single phase with neutral, "twin" the
        # same with two elements: two currents on one voltage
        name: str
        phases: int  # 1 or 3
        nominal_voltage_v: int  # Un
        nominal_frequency_hz: int
        reference_current_ma: int  # Ib of a direct meter, In of a transformer meter
        maximum_current_ma: int  # Imax
        transformer: bool  # True: secondary currents of a transformer are measured
        pulses_per_kwh: int  # LED constant, also imp/kvarh

    class SensorScale(Protocol):
        """What one ADC code means at the mains side, by design of the board."""

        u_pv_per_lsb: list[int]  # picovolt per LSB, one per phase
        i_pa_per_lsb: list[int]  # picoampere per LSB, one per phase, then the neutral if measured
        keep_dc: bool  # True: recordings and shunts, DC belongs to the measured value

    class FrameCapture(Protocol):
        """Moves whole chip frames into a ring without the CPU (DMA or data-ready interrupt)."""

        def start(self, ring: bytearray, frame_bytes: int) -> None:
            """Capture for ever into `ring`, a whole number of frames long."""
            ...

        def stop(self) -> None:
            """End the capture, so that the chip's registers can be reached; harmless at rest."""
            ...

        def count(self) -> int:
            """Frames captured since start, modulo 2**30."""
            ...

        def missed(self) -> int:
            """Conversions that were not read in time, ever rising."""
            ...

        def irq(self, handler: "Callable[[object], None]") -> None:
            """Call `handler` from interrupt context about every 10 ms, frames or not."""
            ...

    class FrameSource(Protocol):
        """Decoded ADC frames: channels interleaved, signed 24-bit codes in 32-bit words."""

        rate_mhz: int  # frames in 1000 s: 4_000_000 for 4 kHz
        channels: int  # words of a frame: u1 i1 u2 i2 u3 i3 in, or u i1 u i2 in, or u1 i1 in
        lost: int  # frames that were overwritten or missed, ever rising
        errors: int  # frames with a wrong CRC, ever rising; replaced by the frame before
        skew_ns: list[int]  # by phase: how much later the voltage is sampled than the current

        def start(self) -> None:
            """Reset and configure the chip, check its identity, begin to capture, also anew.

            Raises OSError if the chip does not answer as its data sheet says.
            """
            ...

        async def wait(self) -> None:
            """Return when frames are ready to be taken."""
            ...

        def take(self, frames: "array[int]", limit: int) -> int:
            """Move up to `limit` frames into `frames` and return how many; 0 if none is ready."""
            ...

    class CodeConverter(Protocol):
        """A converter of 4096 codes that are not alike, corrected by a table of the chip's own."""

        counts: "array[int] | None"  # how often each code came since counting began

        def count_codes(self, place: int, on: bool) -> None:
            """Begin or stop to count the codes of one input. Raises ValueError for none such."""
            ...

        def codes(self) -> "array[int]":
            """Return the table in use, one signed 24-bit word a code; it may be changed."""
            ...

    class Memory(Protocol):
        """Byte-addressed non-volatile memory without write delay (FRAM)."""

        size: int

        def read_into(self, address: int, buffer: bytearray | memoryview) -> None:
            """Fill `buffer` from `address`. Raises ValueError out of range."""
            ...

        def write(self, address: int, data: Buffer) -> None:
            """Write in rising order of addresses; what power loss cuts off is not written."""
            ...

    class Chip(Protocol):
        """What can be asked whether it is there."""

        def check(self) -> None:
            """Raise OSError if the chip does not answer as its data sheet says."""
            ...

    class Fram(Memory, Chip, Protocol):
        """A memory chip."""

    class Flash(Protocol):
        """NOR flash: programming clears bits, erasing sets a whole sector to FF."""

        page_size: int
        sector_size: int

        @property
        def size(self) -> int:
            """Bytes of the chip. Raises OSError if it does not answer."""
            ...

        def read_into(self, address: int, buffer: bytearray | memoryview) -> None:
            """Fill `buffer` from `address`, also while a sector elsewhere is erased.

            Waits some milliseconds at most. Raises OSError if the chip does not answer.
            """
            ...

        def program(self, address: int, data: Buffer) -> None:
            """Start programming inside one page, also while a sector elsewhere is erased.

            Waits some milliseconds at most for what is under way; poll `busy()` until it is done.
            """
            ...

        def erase_sector(self, address: int) -> None:
            """Start erasing the sector that holds `address`; poll `busy()` until it is done."""
            ...

        def busy(self) -> bool:
            """True while the chip programs or erases. Raises OSError if it does not answer."""
            ...

    class RealTimeClock(Protocol):
        """Battery-backed clock, UTC, seconds since 2000-01-01T00:00:00."""

        def utc_s(self) -> int:
            """Raise OSError if the chip does not answer, ValueError if it holds no date."""
            ...

        def set_utc_s(self, utc_s: int) -> None:
            """Set date and time and clear the oscillator-stop flag."""
            ...

        def oscillator_stopped(self) -> bool:
            """True if the clock has stood still since it was last set."""
            ...

        def temperature_cdeg(self) -> int:
            """Chip temperature in hundredths of a degree Celsius."""
            ...

        def check(self) -> None:
            """Bring the chip into its usual state. Raises OSError if it does not answer."""
            ...

        def set_aging(self, steps: int) -> None:
            """Trim the crystal, -128 to 127, 0.1 ppm a step; positive slows the clock."""
            ...

        def set_square_wave(self, on: bool) -> None:
            """Give out the seconds on the chip's test pin, or do not."""
            ...

    class Voltage(Protocol):
        """A voltage behind an analogue input."""

        def voltage_mv(self) -> int: ...

    class Lcd(Protocol):
        """128x64 monochrome glass; `buffer` is framebuf.MONO_VLSB, 8 pages of 128 bytes."""

        width: int
        height: int
        buffer: bytearray

        def start(self) -> None:
            """Reset and configure the controller, clear the glass."""
            ...

        def refresh(self) -> None:
            """Configure the controller again and send all of the buffer, without a blank."""
            ...

        def show(self, first_page: int = 0, last_page: int = 7) -> None:
            """Send pages `first_page`..`last_page` of the buffer to the glass."""
            ...

        def backlight(self, on: bool) -> None: ...

    class SegmentLcd(Protocol):
        """Glass of fixed segments; `Board.segments` tells which bit lights what.

        Bit n of `buffer`, lowest first in an octet, is bit n % 4 of the chip's address n // 4.
        """

        buffer: bytearray

        def start(self) -> None:
            """Configure the controller, clear the glass."""
            ...

        def refresh(self) -> None:
            """Configure the controller again and send all of the buffer, without a blank."""
            ...

        def show(self) -> None:
            """Send the addresses whose bits changed."""
            ...

        def backlight(self, on: bool) -> None: ...

    class Segments(Protocol):
        """Which bit of the buffer lights what on a segment glass; 255: the glass has it not."""

        # Ten octets for each of 8 cells of the value, then 5 of the code: segments a to g (a on
        # top, clockwise, g in the middle), decimal point, upper dot of the colon, star.
        cells: bytes
        units: tuple[str, ...]  # what the unit field is made of, in the order of `unit_bits`
        unit_bits: bytes
        indicators: bytes  # in the order of app.display.indicators.NAMES

    class Relay(Protocol):
        """Latching relay with a sense input."""

        def open(self) -> None:
            """Start the opening pulse; returns at once, the pulse ends by itself."""
            ...

        def close(self) -> None:
            """Start the closing pulse; returns at once, the pulse ends by itself."""
            ...

        def closed(self) -> bool:
            """State of the contact as the sense input shows it."""
            ...

    class Input(Protocol):
        """A digital input, `machine.Pin` as MicroPython has it."""

        @property
        def IRQ_FALLING(self) -> int: ...  # noqa: N802 - MicroPython's name
        @property
        def IRQ_RISING(self) -> int: ...  # noqa: N802
        def value(self) -> int: ...
        def irq(self, handler: "Callable[[object], None]", trigger: int) -> object: ...

    class Output(Protocol):
        """A digital output, `machine.Pin` as MicroPython has it."""

        def value(self, level: int) -> object: ...

    class PulseOutput(Protocol):
        """A metrological LED or OptoMOS that plays pulses by itself, by PIO or timer."""

        def train(
            self, count: int, first_q8: int, step_q8: int, width_us: int, span_us: int
        ) -> None:
            """Give `count` pulses of `width_us` in a span of time that follows the last one.

            The first comes `first_q8` / 256 microseconds after the span's begin, the others
            `step_q8` / 256 apart. Spans of measuring windows arrive as they are measured and are
            played end to end. A span of 0: all of them now.
            """
            ...

        def steady(self, lit: bool) -> None:
            """Hold this level while there is no pulse."""
            ...

        def invert(self, inverted: bool) -> None:
            """Let a pulse be a low level, and rest high, or not; at rest as it is built: not.

            Raises ValueError if the output cannot be inverted.
            """
            ...

        def flush(self) -> None:
            """Give every pulse that is still to come now: the power is about to go."""
            ...

    class Sounder(Protocol):
        """What lets a key be heard."""

        def click(self) -> None:
            """Sound for some milliseconds; returns at once, it ends by itself."""
            ...

    class Serial(Protocol):
        """A UART as `machine.UART` has it; usable by asyncio.StreamReader and StreamWriter."""

        def init(
            self, baudrate: int, bits: int = 8, parity: int | None = None, stop: int = 1
        ) -> None: ...
        def any(self) -> int: ...
        def read(self, __count: int) -> bytes | None: ...
        def write(self, __data: Buffer) -> int | None: ...
        def txdone(self) -> bool: ...

    class Registers(Protocol):
        """The processor's registers by their addresses, `machine.mem32` as MicroPython has it."""

        def __getitem__(self, __address: int) -> int: ...
        def __setitem__(self, __address: int, __value: int) -> None: ...

    class Watchdog(Protocol):
        """Resets the processor unless it is fed in time."""

        def feed(self) -> None: ...

    class BlockCipher(Protocol):
        """AES-128 with one key. One object encrypts or decrypts, whichever comes first."""

        def encrypt(self, __source: Buffer, __target: bytearray | memoryview) -> object:
            """Encrypt whole blocks of 16 octets, each by itself; both may be one buffer."""
            ...

        def decrypt(self, __source: Buffer, __target: bytearray | memoryview) -> object:
            """Decrypt whole blocks of 16 octets, each by itself; both may be one buffer."""
            ...

    class Board(Protocol):
        """Names that every `board` module offers. Inputs are active low unless said otherwise."""

        NAME: str
        choice: str  # of the parts that this meter has (app.parts)
        variant: Variant
        scale: SensorScale
        frames: FrameSource
        converter: CodeConverter | None  # of the frames, if it needs a linearity table
        fram: Fram
        flash: Flash
        rtc: RealTimeClock
        battery: Voltage | None  # of the clock's reserve; None: it cannot be measured
        lcd: Lcd | SegmentLcd
        segments: Segments | None  # of a SegmentLcd; None: the glass has dots
        key_scroll: Input
        key_reset: Input
        expander: Chip | None  # that keys, covers and inputs are read by; None: none
        inputs: list[Input]  # on the terminals, in their order; the first two are tariff inputs
        sounder: Sounder | None  # None: keys are silent
        led_active: PulseOutput
        led_reactive: PulseOutput
        disconnector: Relay
        relays: list[Relay]
        rs485: Serial
        optical: Serial
        tcp: tuple[str, int] | None  # address and port of COSEM over TCP, None without a network
        supply_good: Input  # low: the mains is gone, hold-up time runs
        terminal_cover: Input  # low: closed (a cut wire alarms)
        meter_cover: Input  # low: closed
        magnetic_field: Input  # low: a strong constant field is near
        discharge: Input | None  # low for a moment: high voltage hit the case. None: no sensor
        lock: Input  # parameter switch under the meter cover; low: locked
        pulse_output: PulseOutput | None  # OptoMOS for metrological pulses; high: conducting
        pulse_outputs: list[PulseOutput]  # up to five, configured at production (row LED-10)
        # The code as it stands in the processor's flash, from the first octet of the build's image
        # to the last one of the signature behind it. None: it cannot be read.
        program: Buffer | None
        watchdog: Watchdog | None
        # High: the battery feeds the processor, memories, glass and optical head. Without mains a
        # key's press starts them, and its release ends it if this is low; so does, for a moment,
        # each change of covers and field. None: no such path.
        battery_hold: Output | None

        def power_on(self) -> bool:
            """Tell whether the processor started because its supply came, not by a reset."""
            ...

        def reset(self) -> None:
            """Start the processor anew; does not return."""
            ...

        def unique_id(self) -> bytes: ...
        def block_cipher(self, key: bytes) -> BlockCipher:
            """Return AES-128: of `cryptolib` where the port has it, else app.crypto.aes."""
            ...
