"""A board on a serial port: found, asked who it is, interrupted, lost and found again."""

import sys
import termios
import threading
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
sys.path.append(str(Path(__file__).parent))

pytest.importorskip("mpremote")

import board_link
from board_link import Identity, LinkError
from board_list import named
from mpremote.transport_serial import SerialTransport
from pretend_board import MICROPYTHON, Port, PretendBoard, be_patient
from serial import Serial

pytestmark = pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython in .venv")
BOARD = named("pico2_meter")


@pytest.fixture(autouse=True)
def on_a_busy_machine(monkeypatch):
    be_patient(monkeypatch)


def test_a_port_that_is_none_or_no_micropython_is_said(tmp_path, monkeypatch):
    with pytest.raises(LinkError, match="there is no port /dev/nothing"):
        board_link.BoardLink("/dev/nothing")
    for nothing in (str(tmp_path), __file__):
        with pytest.raises(LinkError, match=f"{nothing} is no serial port"):
            board_link.BoardLink(nothing)
    with PretendBoard(tmp_path) as board:
        board.child.kill()
        monkeypatch.setattr(board_link, "_TRIES", 1)
        monkeypatch.setattr(board_link, "_ENTER_S", 0.3)
        with pytest.raises(LinkError, match="does not answer as MicroPython does"):
            board_link.BoardLink(board.port)


def test_a_port_that_another_program_has_is_waited_for_or_said(tmp_path, monkeypatch):
    monkeypatch.setattr(board_link, "_TAKEN_S", 300)
    with PretendBoard(tmp_path) as board:
        other = Serial(board.port, exclusive=True)
        gone = threading.Timer(0.5, other.close)
        gone.start()
        board_link.BoardLink(board.port).close()
        gone.join()
        monkeypatch.setattr(board_link, "_TAKEN_S", 0.3)
        with (
            Serial(board.port, exclusive=True),
            pytest.raises(LinkError, match=f"another program uses {board.port}: end it"),
        ):
            board_link.BoardLink(board.port)


GOOD = Identity("micropython", (1, 29, 0), "Raspberry Pi Pico 2 with RP2350", 6 | 3 << 8 | 7 << 10)
WRONG = {
    "CircuitPython": (replace(GOOD, name="circuitpython"), "circuitpython 1.29.0 runs there"),
    "another chip": (replace(GOOD, machine="Raspberry Pi Pico with RP2040"), "BOARD=pico_meter"),
    "no board of ours": (replace(GOOD, machine="ESP32"), "has an RP2350, there is 'ESP32'$"),
    "too old": (replace(GOOD, version=(1, 24, 1)), "1.24.1 is too old, at least 1.25"),
    "other bytecode": (replace(GOOD, mpy=5 | 7 << 10), "does not read .mpy 6.3"),
    "RISC-V cores": (replace(GOOD, mpy=6 | 3 << 8 | 11 << 10), "rv32imc machine code"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_board_is_named(name):
    identity, complaint = WRONG[name]
    with pytest.raises(LinkError, match=complaint):
        board_link.check(identity, BOARD)
    board_link.check(GOOD, BOARD)


@pytest.mark.parametrize(
    ("reported", "march"), [(4, "armv6m"), (5, "armv7m"), (7, "armv7emsp"), (8, "armv7emsp")]
)
def test_the_code_is_compiled_for_what_the_board_takes(reported, march):
    """Numbers of py/persistentcode.h; a core takes the code of lesser ones."""
    mpy = 6 | 3 << 8 | reported << 10
    board_link.check(replace(GOOD, mpy=mpy), BOARD)
    assert board_link.march(replace(GOOD, mpy=mpy), BOARD) == march
    assert board_link.march(replace(GOOD, mpy=mpy), named("pico_meter")) == "armv6m"


def test_an_interrupt_that_overtakes_the_reset_is_noticed(tmp_path, monkeypatch):
    send = SerialTransport.exec_raw_no_follow
    lost = ["import machine\nmachine.reset()"]

    def overtaken(self, command):
        if command in lost:
            lost.remove(command)
        else:
            send(self, command)

    monkeypatch.setattr(SerialTransport, "exec_raw_no_follow", overtaken)
    with PretendBoard(tmp_path) as board:
        link = board_link.BoardLink(board.port)
        link.restart()
        assert lost == [] and board.resets == 1
        link.close()


def test_a_cable_pulled_while_its_port_is_opened_is_said(tmp_path, monkeypatch):
    def hung_up(*_words, **_more):
        raise termios.error(5, "Input/output error")

    monkeypatch.setattr(board_link, "Serial", hung_up)
    with PretendBoard(tmp_path) as board, pytest.raises(LinkError, match="Input/output error"):
        board_link.BoardLink(board.port)


def test_the_port_of_a_board_that_is_gone_is_let_go(tmp_path):
    with PretendBoard(tmp_path) as board:
        link = board_link.BoardLink(board.port)
        board.pull()
        link.close()
        assert not link._transport.serial.is_open


def test_a_board_that_comes_back_without_firmware_is_told(tmp_path, monkeypatch):
    with PretendBoard(tmp_path) as board:
        link = board_link.BoardLink(board.port)
        monkeypatch.setattr(board_link.list_ports, "comports", lambda: [Port("", 0x2E8A, 0xF)])
        monkeypatch.setattr(board_link, "_BACK_S", 1)
        monkeypatch.setattr(link, "reset", lambda: (link.close(), board.pull()))
        with pytest.raises(LinkError, match=r"waits for firmware: copy MicroPython's .uf2"):
            link.restart()


@pytest.mark.parametrize(
    ("ports", "found", "complaint"),
    [
        ([Port("/dev/a", 0x2E8A, 5), Port("/dev/b", 0x10C4, 0xEA60)], "/dev/a", ""),
        (
            [Port("/dev/a", 0x2E8A, 5), Port("/dev/b", 0x2E8A, 5)],
            "",
            "which: PORT=/dev/a .* or PORT=/dev/b",
        ),
        ([Port("/dev/b", 0x10C4, 0xEA60)], "", r"serial ports: /dev/b \(what it says\)"),
        ([], "", "serial ports: none"),
        ([Port("/dev/a", 0x2E8A, 0xF)], "", "copy MicroPython's .uf2"),
    ],
)
def test_the_only_board_is_found_by_itself(monkeypatch, ports, found, complaint):
    monkeypatch.setattr(board_link.list_ports, "comports", lambda: ports)
    assert board_link.find(BOARD, "/dev/own") == "/dev/own"
    if found:
        assert board_link.find(BOARD) == found
    else:
        with pytest.raises(LinkError, match=complaint):
            board_link.find(BOARD)
