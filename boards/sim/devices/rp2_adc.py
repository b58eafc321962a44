"""The ADC inside an RP2040 or RP2350, behind its registers (data sheets, "ADC").

The analogue side is `volts(input, time_s)`. The converter's own errors are parameters: 0.6 LSB of
noise, codes 512, 1536, 2560 and 3584 several times as wide as others, code 2048 about 2 LSB wider,
a bow; with the defaults the integral nonlinearity is that of measured RP2040s, 3 LSB rms. `seed`
makes one chip of many.

Time goes by `run(clocks)` of the converter's 48 MHz. Each conversion goes into the FIFO, which
asks for a transfer through `request`; a FIFO that nobody reads overflows.
"""

import math

from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

CODES = const(4096)
CLOCK_HZ = const(48_000_000)

_CS = const(0x00)
_RESULT = const(0x04)
_FCS = const(0x08)
_FIFO = const(0x0C)
_DIV = const(0x10)
_CONVERSION_CLOCKS = const(96)
_FIFO_DEPTH = const(8)
_REFERENCE_V = 3.3


class Random:
    """A small generator, the same on every interpreter."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2654435761 + 12345 & 0x7FFFFFFF

    def uniform(self) -> float:
        """-0.5 to 0.5."""
        self._state = self._state * 1103515245 + 12345 & 0x7FFFFFFF
        return (self._state >> 8) / 8388608 - 0.5

    def normal(self) -> float:
        """Mean 0, variance 1, as a sum of twelve."""
        total = 0.0
        for _ in range(12):
            total += self.uniform()
        return total


class Transfer:
    """From volts to codes: where each code begins, in LSB of an even converter."""

    def __init__(
        self, seed: int, steps_lsb: float = 9.8, middle_lsb: float = 2.0, bow_lsb: float = 2.0
    ) -> None:
        random = Random(seed)
        widths = [1.0 + 0.2 * random.uniform() for _ in range(CODES)]
        for code in (512, 1536, 2560, 3584):
            widths[code] += steps_lsb * (1 + 0.3 * random.uniform())
        widths[2048] += middle_lsb
        stretch = CODES / sum(widths)
        bow = bow_lsb * (1 + random.uniform())
        edges: list[float] = []
        edge = 0.0
        for code in range(CODES):
            edges.append(edge + bow * math.sin(math.pi * edge / CODES))
            edge += widths[code] * stretch
        self.edges = edges

    def code(self, lsb: float) -> int:
        """The code of an input of `lsb`, the lower edge of an even converter's code."""
        low, high = 0, CODES
        edges = self.edges
        while high - low > 1:
            middle = (low + high) // 2
            if edges[middle] <= lsb:
                low = middle
            else:
                high = middle
        return low

    def unevenness(self) -> "list[float]":
        """Middle of each code less what an even converter's would be, best line taken out."""
        edges = self.edges + [float(CODES)]
        found = [(edges[k] + edges[k + 1]) / 2 - k - 0.5 for k in range(CODES)]
        mean_k = (CODES - 1) / 2
        mean = sum(found) / CODES
        slope = sum((k - mean_k) * found[k] for k in range(CODES)) / (CODES * (CODES**2 - 1) / 12)
        return [found[k] - mean - slope * (k - mean_k) for k in range(CODES)]


class Rp2Adc:
    """The registers, from offset 0."""

    def __init__(
        self,
        volts: "Callable[[int, float], float]",
        transfer: Transfer,
        noise_lsb: float = 0.6,
        seed: int = 1,
        inputs: int = 5,
    ) -> None:
        self.request: Callable[[], object] = lambda: None  # the DMA's ear
        self.dead = False
        self.fail_next = 0  # so many conversions end with an error
        self.clocks = 0
        self._volts = volts
        self._transfer = transfer
        self._noise_lsb = noise_lsb
        self._random = Random(seed)
        self._inputs = inputs
        self._control = 0
        self._fifo_control = 0
        self._divider = 0
        self._result = 0
        self._fifo: list[int] = []
        self._over = False
        self._under = False
        self._next = 0  # clock at which the next conversion is done

    def read(self, offset: int) -> int:
        """Return a register."""
        if self.dead:
            return 0
        if offset == _FCS:
            level = len(self._fifo)
            value = self._fifo_control | level << 16
            value |= 0x100 if not level else 0x200 if level == _FIFO_DEPTH else 0
            return value | (0x400 if self._under else 0) | (0x800 if self._over else 0)
        if offset == _FIFO:
            self._under = self._under or not self._fifo
            return self._fifo.pop(0) if self._fifo else 0
        registers = {
            _CS: self._control | (0x100 if self._control & 1 else 0),
            _RESULT: self._result,
            _DIV: self._divider,
        }
        if offset not in registers:
            raise ValueError("ADC: no register at {:x}".format(offset))
        return registers[offset]

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        if self.dead:
            return
        if offset == _CS:
            starts = value & 8 and not self._control & 8
            self._control = value & ~0x700
            if starts:
                self._next = self.clocks + self._period()
        elif offset == _FCS:
            self._under = self._under and not value & 0x400
            self._over = self._over and not value & 0x800
            self._fifo_control = value & 0x0F00000F
        elif offset == _DIV:
            self._divider = value & 0xFFFFFF
        else:
            raise ValueError("ADC: register {:x} cannot be written".format(offset))

    def run(self, clocks: int) -> None:
        """Let so many clocks of 48 MHz pass."""
        end = self.clocks + clocks
        while self._control & 9 == 9 and not self.dead and self._next <= end:
            self.clocks = self._next
            self._convert()
            self._next += self._period()
        self.clocks = end

    def _period(self) -> int:
        return max(_CONVERSION_CLOCKS, (self._divider >> 8) + 1)

    def _convert(self) -> None:
        chosen = self._control >> 12 & 0xF
        volts = self._volts(chosen, self.clocks / CLOCK_HZ)
        lsb = volts / _REFERENCE_V * CODES
        if self._noise_lsb:
            lsb += self._noise_lsb * self._random.normal()
        code = self._transfer.code(lsb)
        self._result = code
        if self.fail_next:
            self.fail_next -= 1
            code |= 0x8000 if self._fifo_control & 4 else 0
        robin = self._control >> 16 & 0x1FF
        if robin:
            for step in range(1, self._inputs + 5):
                following = (chosen + step) % self._inputs
                if robin >> following & 1:
                    self._control = self._control & ~0xF000 | following << 12
                    break
        if not self._fifo_control & 1:
            return
        if len(self._fifo) >= _FIFO_DEPTH:
            self._over = True
            return
        self._fifo.append(code)
        if self._fifo_control & 8 and len(self._fifo) >= max(1, self._fifo_control >> 24):
            self.request()
