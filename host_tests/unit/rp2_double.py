"""The RP2040's PIO and DMA for unit tests: modules `rp2` and `uctypes` as drivers import them.

`asm_pio` assembles the instructions of the data sheet's section "PIO instruction set" into opcodes
that an emulator runs. `DMA` is a model of the controller by the meaning of its registers: transfer
count with reload, request or unpaced, chaining, wrapping of addresses, the trigger aliases.
"""

import sys
import types
from array import array

SRAM = 0x20000000
DMA_BASE = 0x50000000
UNPACED = 0x3F


class Memory:
    """Buffers at addresses; a peripheral's registers are callables."""

    def __init__(self):
        self._buffers = []
        self._next = SRAM + 4  # not aligned by chance
        self.reads = {}  # address: callable() -> value
        self.writes = {}  # address: callable(value)

    def addressof(self, buffer):
        for start, _, kept in self._buffers:
            if kept is buffer:
                return start
        view = memoryview(buffer).cast("B")
        start = self._next
        self._buffers.append((start, view, buffer))
        self._next += (len(view) + 11) // 4 * 4
        return start

    def find(self, address, size):
        for start, view, _ in self._buffers:
            if start <= address and address + size <= start + len(view):
                return view, address - start
        raise AssertionError(f"no memory at {address:08x}")

    def read(self, address, size):
        if address in self.reads:
            return self.reads[address]() & ((1 << 8 * size) - 1)
        view, at = self.find(address, size)
        return int.from_bytes(view[at : at + size], "little")

    def write(self, address, size, value):
        if address in self.writes:
            self.writes[address](value)
            return
        view, at = self.find(address, size)
        view[at : at + size] = value.to_bytes(size, "little")


class Label(str):
    """A word of the assembler."""


class Emit:
    """Two passes over a program: labels, then opcodes."""

    SOURCES = {"pins": 0, "x": 1, "y": 2, "null": 3, "isr": 6, "osr": 7}
    CONDITIONS = {"not_x": 1, "x_dec": 2, "not_y": 3, "y_dec": 4, "x_not_y": 5, "pin": 6}
    TARGETS = {"pins": 0, "x": 1, "y": 2, "null": 3, "pindirs": 4, "isr": 6}

    def __init__(self, sideset_count):
        self.sideset_count = sideset_count
        self.labels = {}
        self.words = []
        self.sides = 0
        self.target = 0
        self.top = None

    def names(self):
        known = dict(self.SOURCES, **self.CONDITIONS, **self.TARGETS)
        names = {name: Label(name) for name in known}
        names["block"] = 1
        for name in ("label", "nop", "jmp", "in_", "mov", "out", "pull", "push", "set", "wait",
                     "wrap", "wrap_target"):  # fmt: skip
            names[name] = getattr(self, name)
        return names

    def run(self, function):
        for _ in range(2):
            self.words = []
            self.sides = 0
            function()
        assert self.sides in (0, len(self.words)), "side-set would cost an enable bit"
        assert len(self.words) <= 32
        if self.top is None:
            self.top = len(self.words) - 1

    def word(self, opcode):
        self.words.append(opcode)
        return self

    def side(self, value):
        assert 0 <= value < 1 << self.sideset_count
        self.words[-1] |= value << (13 - self.sideset_count)
        self.sides += 1
        return self

    def __getitem__(self, delay):
        assert 0 <= delay < 1 << (5 - self.sideset_count), "delay too large"
        self.words[-1] |= delay << 8
        return self

    def wrap_target(self):
        self.target = len(self.words)

    def wrap(self):
        self.top = len(self.words) - 1

    def label(self, name):
        self.labels[name] = len(self.words)

    def nop(self):
        return self.mov("y", "y")

    def jmp(self, condition, label=None):
        code = self.CONDITIONS[condition] if label is not None else 0
        return self.word(code << 5 | self.labels.get(label or condition, 0))

    def in_(self, source, count):
        return self.word(0x4000 | self.SOURCES[source] << 5 | count & 31)

    def mov(self, target, source):
        return self.word(0xA000 | self.SOURCES[target] << 5 | self.SOURCES[source])

    def out(self, target, count):
        return self.word(0x6000 | self.TARGETS[target] << 5 | count & 31)

    def wait(self, level, source, number):
        return self.word(0x2000 | level << 7 | {"gpio": 0, "pin": 1}[source] << 5 | number)

    def push(self, block):
        return self.word(0x8000 | block << 5)

    def pull(self, block):
        return self.word(0x8080 | block << 5)

    def set(self, target, value):
        return self.word(0xE000 | self.SOURCES[target] << 5 | value)


class Program:
    """What asm_pio makes of a function."""

    def __init__(self, emit, options):
        self.words = emit.words
        self.wrap_target = emit.target
        self.wrap_top = emit.top
        self.options = options


def asm_pio(**options):
    def assemble(function):
        emit = Emit(1 if "sideset_init" in options else 0)
        scope = function.__globals__
        kept = dict(scope)
        scope.clear()
        scope.update(emit.names())
        try:
            emit.run(function)
        finally:
            scope.clear()
            scope.update(kept)
        return Program(emit, options)

    return assemble


class StateMachine:
    """Keeps what it was told."""

    made = []

    def __init__(self, machine_id, program, freq, **pins):
        self.machine_id = machine_id
        self.program = program
        self.freq = freq
        self.pins = pins
        self.log = []
        self.words = 0  # in the FIFO
        StateMachine.made.append(self)

    def init(self, program, freq, **settings):
        self.program, self.freq = program, freq
        self.log.append(("init", settings))

    def tx_fifo(self):
        return self.words

    def put(self, value):
        self.log.append(("put", value))

    def exec(self, opcode):
        self.log.append(("exec", opcode))

    def active(self, on):
        self.log.append(("active", on))


FIELDS = {  # RP2040 data sheet, CTRL_TRIG: lowest bit and width
    "enable": (0, 1), "high_pri": (1, 1), "size": (2, 2), "inc_read": (4, 1), "inc_write": (5, 1),
    "ring_size": (6, 4), "ring_sel": (10, 1), "chain_to": (11, 4), "treq_sel": (15, 6),
    "irq_quiet": (21, 1), "bswap": (22, 1), "sniff_en": (23, 1),
}  # fmt: skip


class Dma:
    """The controller: twelve channels over a Memory."""

    def __init__(self, memory):
        self.memory = memory
        self.free = list(range(12))
        self.channels = {}

    def request(self, treq):
        """A peripheral has one item: the channel that listens moves it."""
        for channel in list(self.channels.values()):
            if channel.busy and channel.field("treq_sel") == treq:
                channel.transfer()
                return True
        return False


class Channel:
    """One channel, as `rp2.DMA` offers it."""

    dma = None  # the controller under test

    def __init__(self):
        self.channel = self.dma.free.pop(0)
        self.dma.channels[self.channel] = self
        self.read = self.write = self.count = self._reload = self.ctrl = 0
        self.busy = False
        trigger = DMA_BASE + 0x40 * self.channel + 0x2C
        self.dma.memory.writes[trigger] = self._write_addr_trig

    def pack_ctrl(self, default=None, **fields):
        value = default
        if value is None:
            value = self.pack_ctrl(0, enable=1, size=2, inc_read=1, inc_write=1, treq_sel=UNPACED,
                                   chain_to=self.channel, irq_quiet=1)  # fmt: skip
        for name, setting in fields.items():
            low, width = FIELDS[name]
            assert 0 <= int(setting) < 1 << width, name
            value = value & ~(((1 << width) - 1) << low) | int(setting) << low
        return value

    def field(self, name):
        low, width = FIELDS[name]
        return self.ctrl >> low & ((1 << width) - 1)

    def config(self, read=None, write=None, count=None, ctrl=None, trigger=False):
        self.read = self.read if read is None else read
        self.write = self.write if write is None else write
        self.ctrl = self.ctrl if ctrl is None else ctrl
        if count is not None:
            self._reload = count
            if not self.busy:
                self.count = count
        if trigger:
            self.trigger()

    def _write_addr_trig(self, address):
        self.write = address
        self.trigger()

    def trigger(self):
        if not self.field("enable") or self.busy:
            return
        self.count = self._reload
        self.busy = self.count > 0
        while self.busy and self.field("treq_sel") == UNPACED:
            self.transfer()

    def _step(self, address, which, size):
        if not self.field("inc_" + which):
            return address
        after = address + size
        bits = self.field("ring_size")
        if bits and self.field("ring_sel") == (which == "write"):
            mask = (1 << bits) - 1
            after = address & ~mask | after & mask
        return after

    def transfer(self):
        size = 1 << self.field("size")
        memory = self.dma.memory
        value = memory.read(self.read, size)
        target = self.write
        self.read = self._step(self.read, "read", size)
        self.write = self._step(self.write, "write", size)
        self.count -= 1
        memory.write(target, size, value)
        if not self.count:
            self.busy = False
            if self.field("chain_to") != self.channel:
                self.dma.channels[self.field("chain_to")].trigger()

    def active(self, on):
        if on:
            self.trigger()
        else:
            self.busy = False

    def close(self):
        self.busy = False
        del self.dma.channels[self.channel]
        self.dma.free.insert(0, self.channel)


class Pio:
    """Constants of rp2.PIO."""

    OUT_LOW = 2
    OUT_HIGH = 3
    SHIFT_LEFT = 0
    SHIFT_RIGHT = 1


def install():
    """Put `rp2` and `uctypes` among the modules; returns (memory, dma) behind them."""
    memory = Memory()
    dma = Dma(memory)
    Channel.dma = dma
    StateMachine.made = []
    rp2 = sys.modules.get("rp2") or types.ModuleType("rp2")
    rp2.asm_pio = asm_pio
    rp2.DMA = Channel
    rp2.PIO = Pio
    rp2.StateMachine = StateMachine
    sys.modules["rp2"] = rp2
    uctypes = sys.modules.get("uctypes") or types.ModuleType("uctypes")
    uctypes.addressof = memory.addressof
    sys.modules["uctypes"] = uctypes
    return memory, dma


class Timer:
    """machine.Timer whose time the test tells."""

    PERIODIC = 1

    def __init__(self):
        self.running = None

    def init(self, mode, period, callback):
        assert mode == self.PERIODIC
        self.running = (period, callback)

    def deinit(self):
        self.running = None

    def fire(self):
        self.running[1](self)


class AltPin:
    """machine.Pin of the RP2 with its alternate functions."""

    OUT = 1
    ALT = 3
    ALT_SPI = 1

    def __init__(self, name):
        self.name = name
        self.log = []

    def init(self, mode, **options):
        self.log.append((mode, options))


def words(values):
    """A ring of half words."""
    return array("H", values)
