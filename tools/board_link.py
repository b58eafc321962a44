"""A board on a serial port, by MicroPython's raw REPL: found, asked who it is, restarted.

mpremote's transport does the talking; here every failure becomes a `LinkError` that says what to
do. A soft reset is never asked for: on an RP2 it leaves DMA and state machines at work.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import io
import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from board_list import BOARDS, MICROPYTHON, Board
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial import Serial, SerialException
from serial.tools import list_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_TRIES = 6
_ENTER_S = 2
_SILENCE_S = 10  # of the board within an answer, while it erases a sector
_TAKEN_S = 3  # that others look at a port which has just come, as ModemManager does
_AGAIN_S = 0.2
_BACK_S = 15  # that a board may take to come back after its reset
_BOOTLOADER = ((0x2E8A, 0x0003), (0x2E8A, 0x000F))  # RP2040, RP2350: no serial port there
_TAKEN = (errno.EBUSY, errno.EAGAIN)
_WANTS_FIRMWARE = "the board waits for firmware: copy MicroPython's .uf2 to its drive first"
_BEFORE = "ferraris_before_its_reset"  # a variable there, which a reset clears away
_END = b"\x04"  # of what a program prints, and of its traceback
_MPY_VERSION = 6
_MPY_SUB_VERSION = 3
_ARCHITECTURES = ("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp",
                  "armv7emdp", "xtensa", "xtensawin", "rv32imc", "rv64imc")  # fmt: skip

# Each takes the machine code of those before it (MicroPython's py/persistentcode.h).
_CORTEX_M = ("armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")


class LinkError(Exception):
    """The board cannot be reached or is not the one; the text says which and what to do."""


@dataclass(frozen=True)
class Identity:
    """What the interpreter on a board says of itself."""

    name: str
    version: tuple[int, ...]
    machine: str
    mpy: int

    @property
    def architecture(self) -> str:
        """mpy-cross's name of what its machine code is for."""
        number = self.mpy >> 10 & 0xF
        return _ARCHITECTURES[number] if number < len(_ARCHITECTURES) else "?"


def _in_bootloader() -> bool:
    return any((port.vid, port.pid) in _BOOTLOADER for port in list_ports.comports())


def plugged() -> list[str]:
    """One line a serial port: its name and what is there."""
    return [f"{port.device} ({port.description})" for port in list_ports.comports() if port.vid]


def find(board: Board, wanted: str = "") -> str:
    """The port of a board: the one that is asked for, or the only one of its kind."""
    if wanted:
        return wanted
    ports = list(list_ports.comports())
    found = [port for port in ports if (port.vid, port.pid) == board.usb]
    if len(found) == 1:
        return found[0].device
    if found:
        names = " or ".join(
            f"PORT={port.device} (its number: {port.serial_number})" for port in found
        )
        raise LinkError(f"more than one board is plugged in; say which: {names}")
    if _in_bootloader():
        raise LinkError(_WANTS_FIRMWARE)
    others = plugged()
    raise LinkError(
        f"no {board.name} is plugged in; serial ports: {', '.join(others) or 'none'}. A new board "
        f"first needs MicroPython itself ({_readme(board)}); a cable must carry data too"
    )


def _readme(board: Board) -> str:
    return f"boards/{board.name}/README.md"


def _lost(port: str, error: Exception) -> LinkError:
    return LinkError(
        f"lost the board on {port}. Is its cable in? Nothing is broken: plug it in and run the "
        f"same again, which goes on from there ({error})"
    )


def _open(port: str) -> SerialTransport:
    if os.path.exists(port) and not stat.S_ISCHR(os.stat(port).st_mode):
        raise LinkError(f"{port} is no serial port")
    try:
        return _claim(port)
    except TransportError as error:
        raise LinkError(str(error)) from None
    except Exception as error:  # SerialException, OSError, and termios.error, which is neither
        number = getattr(error, "errno", None)
        if number == errno.ENOENT:
            others = ", ".join(plugged()) or "none"
            raise LinkError(f"there is no port {port}; plugged in: {others}") from None
        if number == errno.EACCES:
            raise LinkError(
                f"no right to open {port}: join its group, on most Linux by "
                "sudo usermod -aG dialout $USER, and log in anew"
            ) from None
        if number in _TAKEN:
            raise LinkError(
                f"another program uses {port}: end it (a terminal, Thonny, mpremote), then run "
                "the same again"
            ) from None
        raise LinkError(f"{port}: {error}") from None


def _claim(port: str) -> SerialTransport:
    """Open a port; one that others have just now is waited for."""
    until = time.monotonic() + _TAKEN_S
    while True:
        try:
            Serial(port, exclusive=True).close()  # it says why it does not open
            return SerialTransport(port, timeout=_SILENCE_S)
        except (SerialException, TransportError) as error:
            number = getattr(error, "errno", errno.EBUSY)
            if number not in _TAKEN or time.monotonic() > until:
                raise
        time.sleep(_AGAIN_S)


def _plugged_as(port: str) -> str:
    """The USB serial number of what is on a port, "" if it has none or is not there."""
    real = os.path.realpath(port)
    found = (other.serial_number for other in list_ports.comports() if other.device == real)
    return next(found, None) or ""


def _port_of(serial_number: str, port: str) -> str:
    """Where the board of a serial number is now: a reset can give it another name.

    `port` if it has no number, or is nowhere yet.
    """
    ports = [
        other.device
        for other in list_ports.comports()
        if serial_number and other.serial_number == serial_number
    ]
    return port if not ports or os.path.realpath(port) in ports else ports[0]


class BoardLink:
    """A board whose program is interrupted and that waits for orders.

    port: where it is; a reset can change it
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self._serial_number = _plugged_as(port)
        self._transport = _open(port)
        self._interrupt()

    def close(self) -> None:
        """Let the port go."""
        with contextlib.suppress(OSError, SerialException):
            self._transport.close()
        with contextlib.suppress(OSError, SerialException):  # which a lost one's lines may prevent
            self._transport.serial.close()

    @contextlib.contextmanager
    def _guarded(self) -> Generator[SerialTransport]:
        try:
            yield self._transport
        except TransportExecError as error:
            lines = error.error_output.strip().splitlines() or ["an error without a word"]
            raise BoardError(lines[-1]) from None
        except BoardError:
            raise
        except Exception as error:  # a line that dies within an answer: mpremote fails anyhow
            raise _lost(self.port, error) from None

    def _interrupt(self) -> None:
        line: Any = self._transport.serial
        for _ in range(_TRIES):
            try:
                line.timeout = _ENTER_S
                with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it hears
                    self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_ENTER_S)
                self._settle()
                line.timeout = _SILENCE_S
                return
            except TransportError:
                continue
            except Exception as error:
                raise _lost(self.port, error) from None
        self.close()
        raise LinkError(
            f"what is on {self.port} does not answer as MicroPython does: another device, a board "
            "without MicroPython, or one that hangs (unplug it, plug it in again)"
        )

    def _settle(self) -> None:
        """Hear out the answers to earlier tries, which a program at work had left unread."""
        mark = f"heard out {time.monotonic_ns()}"
        self._transport.serial.write(f"print({mark!r},end='')\x04".encode())
        end = mark.encode() + _END + _END  # and the prompt, which the next order looks for
        if not self._transport.read_until(1, end, _ENTER_S).endswith(end):
            raise TransportError("no answer")

    def run(self, code: str) -> str:
        """What `code` prints there. Raises BoardError with the last line of its traceback."""
        with self._guarded() as transport:
            return transport.exec(code).decode(errors="replace")

    def stream(self, code: str, hear: Callable[[bytes], None]) -> None:
        """Run `code`, and hand on what it prints as it comes; it is never silent for long."""
        with self._guarded() as transport:
            transport.exec(code, data_consumer=hear)

    def value(self, expression: str) -> Any:  # noqa: ANN401 - whatever it is there
        """A literal that an expression makes there."""
        return ast.literal_eval(self.run(f"print(repr({expression}))"))

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file."""
        with self._guarded() as transport:
            try:
                transport.fs_writefile(path, content, chunk_size=1024)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise BoardError("ENOSPC") from None
                raise

    def digest(self, path: str) -> str:
        """SHA-256 of a file, in hex."""
        with self._guarded() as transport:
            return bytes(transport.fs_hashfile(path, "sha256")).hex()

    def identity(self) -> Identity:
        """Who is there."""
        code = (
            "import sys\ni=sys.implementation\n"
            "print((i.name,tuple(i.version[:3]),getattr(i,'_machine',''),getattr(i,'_mpy',0)))"
        )
        return Identity(*ast.literal_eval(self.run(code)))

    def reset(self) -> None:
        """Reset the processor; the port is closed."""
        with contextlib.suppress(Exception):
            self._interrupt()
            self.run(f"{_BEFORE}=1")
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")
            time.sleep(0.2)
        self.close()

    def start(self, path: str, enough: str, seconds: float) -> str:
        """Run a program and hear it until it says `enough`, or ends; what it said.

        Not by a reset: what a board says before the PC has its port again is lost.
        """
        heard = b""
        with self._guarded() as transport:
            transport.exec_raw_no_follow(f"exec(open({path!r}).read())")
            line: Any = transport.serial
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                heard += line.read(line.inWaiting() or 1)
                if heard.count(_END) == 2 or (enough.encode() in heard and heard[-1:] == b"\n"):
                    break
        return heard.replace(_END, b"").decode(errors="replace").replace("\r", "").strip(">")

    def restart(self) -> None:
        """Reset the processor and be there when it is back, before its program."""
        self.reset()
        end = time.monotonic() + _BACK_S
        while True:
            time.sleep(0.5)
            self.port = _port_of(self._serial_number, self.port)
            try:
                self._transport = _open(self.port)
                self._interrupt()
                if not self.value(f"{_BEFORE!r} in globals()"):
                    return
                self.reset()
                raise LinkError("the interrupt came before the reset that it was to follow")
            except LinkError as error:
                if time.monotonic() > end:
                    if _in_bootloader():
                        raise LinkError(_WANTS_FIRMWARE) from None
                    raise LinkError(
                        f"the board did not come back after its reset: {error}"
                    ) from None


class BoardError(Exception):
    """Code on the board has failed; the last line of its traceback."""


def check(identity: Identity, board: Board) -> None:
    """Raise LinkError if this is not the board's interpreter."""
    version = ".".join(str(part) for part in identity.version)
    if identity.name != "micropython":
        raise LinkError(
            f"{identity.name} {version} runs there, not MicroPython: install that first, "
            f"as {_readme(board)} tells"
        )
    if board.machine not in identity.machine:
        others = [other.name for other in BOARDS.values() if other.machine in identity.machine]
        hint = f"; that would be BOARD={others[0]}" if others else ""
        raise LinkError(
            f"{board.name} has an {board.machine}, there is {identity.machine!r}{hint}"
        )
    if identity.version < MICROPYTHON:
        wanted = ".".join(str(part) for part in MICROPYTHON)
        raise LinkError(
            f"MicroPython {version} is too old, at least {wanted} is wanted: the newest of "
            f"micropython.org, put on it as {_readme(board)} tells"
        )
    mpy = identity.mpy & 0xFF, identity.mpy >> 8 & 3
    if mpy[0] != _MPY_VERSION or mpy[1] < _MPY_SUB_VERSION:
        raise LinkError(
            f"MicroPython {version} does not read .mpy {_MPY_VERSION}.{_MPY_SUB_VERSION}"
        )
    if identity.architecture not in _CORTEX_M:
        raise LinkError(
            f"that MicroPython runs {identity.architecture or 'no'} machine code: "
            "install the firmware for the Arm cores"
        )


def march(identity: Identity, board: Board) -> str:
    """What to compile for: the board's architecture, or less if its MicroPython takes less."""
    return min(identity.architecture, board.march, key=_CORTEX_M.index)
