"""Run viper functions of a .mpy file on an emulated Cortex-M, 32 bits wide as on the boards.

The machine gives the code what MicroPython gives it: a function object, a module context, and the
function table whose entries convert arguments, divide, and raise. Only the entries that integer
code needs exist; any other one ends the call with its name, so a kernel that slides back into
objects is found. Buffers end exactly at the end of a mapped page and have a guarded gap before
them: an access outside is an error here, not a wrong value somewhere else.
"""

import struct

import mpy
from unicorn import (
    UC_ARCH_ARM,
    UC_HOOK_BLOCK,
    UC_HOOK_CODE,
    UC_HOOK_MEM_READ,
    UC_HOOK_MEM_WRITE,
    UC_MODE_MCLASS,
    UC_MODE_THUMB,
    Uc,
    UcError,
)
from unicorn.arm_const import (
    UC_ARM_REG_LR,
    UC_ARM_REG_PC,
    UC_ARM_REG_R0,
    UC_ARM_REG_R1,
    UC_ARM_REG_R2,
    UC_ARM_REG_R3,
    UC_ARM_REG_SP,
    UC_CPU_ARM_CORTEX_M0,
    UC_CPU_ARM_CORTEX_M4,
)

CPU_MODELS = {"armv6m": UC_CPU_ARM_CORTEX_M0, "armv7emsp": UC_CPU_ARM_CORTEX_M4}

_PAGE = 0x1000
_CODE = 0x00010000
_STUBS = 0x00200000  # one return instruction per entry of the function table, watched by a hook
_TABLES = 0x00300000
_STACK = 0x20000000
_STACK_SIZE = 0x4000
_BUFFERS = 0x30000000
_STOP = _STUBS + 0xF00

_ENTRIES = 80
_FROM_OBJECT = 3
_TO_OBJECT = 4
_ARGUMENT_CHECK = 44
_FLOOR_DIVIDE = 46
_MODULO = 47
_ENTRY_NAMES = {
    5: "swap_globals",
    6: "load_name",
    7: "load_global",
    9: "load_attr",
    10: "load_method",
    13: "store_global",
    15: "obj_subscr",
    16: "obj_is_true",
    17: "unary_op",
    18: "binary_op",
    27: "call_function",
    28: "call_method",
    34: "raise",
}

_TYPE_INT = 2
_TYPE_NONE_RETURN = 0
_GAP_BYTES = 64
_GAP_FILL = 0xA5
_OBJECT_NONE = 0x7FFFFFF0  # any even word that is no address of ours


class CallError(Exception):
    """The emulated function did what it must not do; the text says what."""


def _word(value: int) -> int:
    return value & 0xFFFFFFFF


def _signed(value: int) -> int:
    return value - 0x100000000 if value & 0x80000000 else value


class ThumbMachine:
    """A Cortex-M with one .mpy file loaded; `call` runs its functions by name.

    `instructions` and `cycles` hold what the last call cost, function table entries left out;
    `table_calls` counts those entries by number. Cycles are an estimate from the Cortex-M0+
    timing table: two for a load, a store or a taken branch, one for the rest, flash wait states
    left out.
    """

    def __init__(self, data: bytes, strict: bool = False) -> None:
        self.module = mpy.read(data)
        if self.module.arch not in CPU_MODELS:
            raise CallError(f"no processor model for {self.module.arch}")
        self.instructions = 0
        self.cycles = 0
        self.table_calls: dict[int, int] = {}
        self._error: str | None = None
        self._arguments: list[int] = []
        self._result_is_object = False
        self._result_value: int | None = None
        self._blocks: dict[int, tuple[int, int]] = {}
        self._mapped: list[tuple[int, int]] = []
        self._uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(CPU_MODELS[self.module.arch])
        self._entry_points: dict[str, int] = {}
        self._load()
        self._uc.hook_add(UC_HOOK_CODE, self._on_stub, begin=_STUBS, end=_STUBS + _PAGE - 1)
        self._uc.hook_add(UC_HOOK_BLOCK, self._on_block, begin=_CODE, end=self._code_end - 1)
        if strict:
            self._uc.hook_add(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, self._on_access)

    def _load(self) -> None:
        uc = self._uc
        image = bytearray()
        for name, function in self.module.functions.items():
            if function.children:
                raise CallError(f"{name} holds a function of its own")
            while len(image) % 8:
                image.append(0)
            self._entry_points[name] = _CODE + len(image)
            image += function.code
        self._code_end = _CODE + (len(image) + _PAGE - 1) // _PAGE * _PAGE
        uc.mem_map(_CODE, self._code_end - _CODE)
        uc.mem_write(_CODE, bytes(image))
        uc.mem_map(_STUBS, _PAGE)
        uc.mem_write(_STUBS, b"\x70\x47" * (_PAGE // 2))  # bx lr
        uc.mem_map(_TABLES, 2 * _PAGE)
        uc.mem_map(_STACK, _STACK_SIZE)
        # Tables, each at its own offset: function object, context, function table, objects, qstrs.
        function_object, context = _TABLES, _TABLES + 0x40
        fun_table, objects, qstrs = _TABLES + 0x100, _TABLES + 0x800, _TABLES + 0xC00
        entries = [_OBJECT_NONE, _OBJECT_NONE + 4, _OBJECT_NONE + 8]
        entries += [(_STUBS + 4 * i) | 1 for i in range(3, _ENTRIES)]
        uc.mem_write(fun_table, struct.pack(f"<{_ENTRIES}I", *entries))
        slots = [0] * max(self.module.object_count, 1)
        for index in self.module.fun_table_slots:
            slots[index] = fun_table
        if len(slots) > 0x100:
            raise CallError("too many constant objects")
        uc.mem_write(objects, struct.pack(f"<{len(slots)}I", *slots))
        uc.mem_write(function_object, struct.pack("<4I", 0, context, 0, 0))
        uc.mem_write(context, struct.pack("<4I", 0, 0, qstrs, objects))
        self._function_object = function_object

    def _stop(self, reason: str) -> None:
        if self._error is None:
            self._error = reason
        self._uc.emu_stop()

    def _on_stub(self, uc: Uc, address: int, _size: int, _user: object) -> None:
        if address == _STOP:
            uc.emu_stop()
            return
        entry = (address - _STUBS) // 4
        self.table_calls[entry] = self.table_calls.get(entry, 0) + 1
        first = uc.reg_read(UC_ARM_REG_R0)
        second = uc.reg_read(UC_ARM_REG_R1)
        if entry == _FROM_OBJECT:
            # Arguments come as numbers of our own list, so no object model is needed.
            if not 0 <= first < len(self._arguments):
                self._stop("converts an object that is not an argument")
                return
            uc.reg_write(UC_ARM_REG_R0, _word(self._arguments[first]))
        elif entry == _TO_OBJECT:
            self._result_is_object = True
            self._result_value = _signed(first) if second == _TYPE_INT else first
        elif entry == _ARGUMENT_CHECK:
            self._stop(f"was called with a wrong number of arguments ({first})")
        elif entry in (_FLOOR_DIVIDE, _MODULO):
            divisor = _signed(second)
            if divisor == 0:
                self._stop("divides by zero")
                return
            quotient = _signed(first) // divisor
            rest = _signed(first) - quotient * divisor
            uc.reg_write(UC_ARM_REG_R0, _word(quotient if entry == _FLOOR_DIVIDE else rest))
        else:
            self._stop(f"calls {_ENTRY_NAMES.get(entry, entry)} of the interpreter")

    def _on_block(self, uc: Uc, address: int, size: int, _user: object) -> None:
        cost = self._blocks.get(address << 16 | size)
        if cost is None:
            cost = self._blocks[address << 16 | size] = _block_cost(
                bytes(uc.mem_read(address, size))
            )
        self.instructions += cost[0]
        self.cycles += cost[1]

    def _on_access(
        self, _uc: Uc, _access: int, address: int, size: int, _value: int, _user: object
    ) -> None:
        if address % size:
            self._stop(f"accesses {size} bytes at an odd address")

    def _place(self, index: int, data: bytes) -> int:
        """Map `data` so that it ends with its last page; return its address."""
        size = (len(data) + _GAP_BYTES + _PAGE - 1) // _PAGE * _PAGE
        base = _BUFFERS + index * 0x01000000
        self._uc.mem_map(base, size)
        self._mapped.append((base, size))
        address = base + size - len(data)
        self._uc.mem_write(base, bytes([_GAP_FILL]) * (size - len(data)) + data)
        return address

    def call(self, name: str, *arguments: int | bytearray) -> int | None:
        """Run function `name`; buffers are bytearrays and hold what it wrote afterwards.

        Returns the number a viper function returns, None for one that returns nothing. Raises
        CallError for anything that would stop, hang or corrupt a meter.
        """
        if name not in self._entry_points:
            raise CallError(f"no viper function {name}")
        uc = self._uc
        values = []
        placed: list[tuple[bytearray, int]] = []
        for index, argument in enumerate(arguments):
            if isinstance(argument, int):
                values.append(argument)
            else:
                address = self._place(index, bytes(argument))
                placed.append((argument, address))
                values.append(address)
        self._arguments = values
        self.instructions = self.cycles = 0
        self.table_calls = {}
        self._error = None
        self._result_value = None
        array = _TABLES + _PAGE
        uc.mem_write(array, struct.pack(f"<{len(values)}I", *range(len(values))))
        uc.reg_write(UC_ARM_REG_SP, _STACK + _STACK_SIZE)
        uc.reg_write(UC_ARM_REG_R0, self._function_object)
        uc.reg_write(UC_ARM_REG_R1, len(values))
        uc.reg_write(UC_ARM_REG_R2, 0)
        uc.reg_write(UC_ARM_REG_R3, array)
        uc.reg_write(UC_ARM_REG_LR, _STOP | 1)
        try:
            uc.emu_start(self._entry_points[name] | 1, _STOP, count=0)
        except UcError as error:
            self._error = (
                f"{error} at offset {uc.reg_read(UC_ARM_REG_PC) - self._entry_points[name]:#x}"
            )
        self._collect(placed)
        if self._error is not None:
            raise CallError(f"{name} {self._error}")
        if uc.reg_read(UC_ARM_REG_SP) != _STACK + _STACK_SIZE:
            raise CallError(f"{name} leaves the stack unbalanced")
        return self._result_value

    def _collect(self, placed: list[tuple[bytearray, int]]) -> None:
        for buffer, address in placed:
            base = next(start for start, size in self._mapped if start <= address <= start + size)
            gap = self._uc.mem_read(base, address - base)
            if gap.count(_GAP_FILL) != len(gap) and self._error is None:
                self._error = "writes before the start of a buffer"
            buffer[:] = self._uc.mem_read(address, len(buffer))
        for base, size in self._mapped:
            self._uc.mem_unmap(base, size)
        self._mapped = []


def _block_cost(code: bytes) -> tuple[int, int]:
    """Instructions and estimated Cortex-M0+ cycles of a straight run of Thumb code."""
    instructions = cycles = 0
    at = 0
    while at < len(code):
        half = code[at] | code[at + 1] << 8
        instructions += 1
        wide = half >> 11 in (0b11101, 0b11110, 0b11111)
        cycles += _cycles(half)
        at += 4 if wide else 2
    return instructions, cycles


def _cycles(half: int) -> int:
    group = half >> 12
    if group in (0b0101, 0b0110, 0b0111, 0b1000, 0b1001) or half >> 11 == 0b01001:
        return 2  # loads and stores
    if group in (0b1101, 0b1110) or half >> 8 in (0b01000111,) or half >> 11 >= 0b11101:
        return 2  # branches, counted as taken; 32-bit instructions
    if half >> 9 in (0b1011010, 0b1011110):  # push and pop: one more than registers moved
        return 1 + bin(half & 0x1FF).count("1")
    return 1
