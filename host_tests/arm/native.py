"""C compiled for the boards' processor, in the same emulated machine as the kernels.

`arm-none-eabi-gcc` (Debian and Ubuntu: `apt install gcc-arm-none-eabi`) is found on the path or by
the environment's ARM_GCC; without it there is nothing to compare with, and `compiler` says None.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from thumb import (
    _CODE,
    _PAGE,
    _STACK,
    _STACK_SIZE,
    _STOP,
    _STUBS,
    CPU_MODELS,
    CallError,
    ThumbMachine,
    _signed,
    _word,
)
from unicorn import UC_ARCH_ARM, UC_HOOK_BLOCK, UC_MODE_MCLASS, UC_MODE_THUMB, Uc, UcError
from unicorn.arm_const import (
    UC_ARM_REG_LR,
    UC_ARM_REG_PC,
    UC_ARM_REG_R0,
    UC_ARM_REG_R1,
    UC_ARM_REG_R2,
    UC_ARM_REG_R3,
    UC_ARM_REG_SP,
)

SOURCE = Path(__file__).with_name("kernel.c")
_OPTIONS = ("-O2", "-mcpu=cortex-m0plus", "-mthumb", "-ffreestanding", "-nostdlib", "-Wall")
_ARGUMENTS = (UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3)


def compiler() -> "str | None":
    """The compiler's path, None if there is none."""
    return shutil.which(os.environ.get("ARM_GCC", "arm-none-eabi-gcc"))


class NativeMachine(ThumbMachine):
    """A Cortex-M0+ with a C file loaded; `call` runs its functions as the ABI says."""

    def __init__(self, source: Path = SOURCE) -> None:
        self.instructions = 0
        self.cycles = 0
        self.table_calls = {}
        self._error = None
        self._blocks = {}
        self._mapped = []
        self._uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(CPU_MODELS["armv6m"])
        image, self._entry_points = _build(source)
        end = _CODE + (len(image) + _PAGE - 1) // _PAGE * _PAGE
        self._uc.mem_map(_CODE, end - _CODE)
        self._uc.mem_write(_CODE, image)
        self._uc.mem_map(_STUBS, _PAGE)
        self._uc.mem_write(_STUBS, b"\x70\x47" * (_PAGE // 2))
        self._uc.mem_map(_STACK, _STACK_SIZE)
        self._uc.hook_add(UC_HOOK_BLOCK, self._on_block, begin=_CODE, end=end - 1)

    def call(self, name: str, *arguments: "int | bytearray") -> int:
        """Run function `name` with up to four arguments; returns what it returns."""
        uc = self._uc
        placed = []
        for index, argument in enumerate(arguments):
            if isinstance(argument, int):
                value = argument
            else:
                value = self._place(index, bytes(argument))
                placed.append((argument, value))
            uc.reg_write(_ARGUMENTS[index], _word(value))
        self.instructions = self.cycles = 0
        self._error = None
        uc.reg_write(UC_ARM_REG_SP, _STACK + _STACK_SIZE)
        uc.reg_write(UC_ARM_REG_LR, _STOP | 1)
        try:
            uc.emu_start(self._entry_points[name] | 1, _STOP)
        except UcError as error:
            self._error = f"{error} at {uc.reg_read(UC_ARM_REG_PC):#x}"
        result = _signed(uc.reg_read(UC_ARM_REG_R0))
        self._collect(placed)
        if self._error is not None:
            raise CallError(f"{name} {self._error}")
        return result


def _build(source: Path) -> "tuple[bytes, dict[str, int]]":
    """Compile and link a C file to the machine's code address: its octets, its functions."""
    gcc = compiler()
    if gcc is None:
        raise FileNotFoundError("arm-none-eabi-gcc is not installed")
    with tempfile.TemporaryDirectory() as folder:
        program, image = Path(folder) / "program", Path(folder) / "image"
        where = f"-Wl,-Ttext={_CODE:#x},--entry=0"
        subprocess.run([gcc, *_OPTIONS, where, source, "-lgcc", "-o", program], check=True)
        tools = gcc.removesuffix("gcc")
        subprocess.run([tools + "objcopy", "-O", "binary", program, image], check=True)
        listed = subprocess.run(
            [tools + "nm", program], check=True, capture_output=True, text=True
        ).stdout
        entries = {}
        for line in listed.splitlines():
            address, kind, name = line.split()[-3:]
            if kind in "Tt":
                entries[name] = int(address, 16)
        return image.read_bytes(), entries
