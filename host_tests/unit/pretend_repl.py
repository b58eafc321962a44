"""MicroPython's raw REPL in the unix port, on a file system of its own: the inside of a board.

    micropython pretend_repl.py IMAGE BLOCKS MACHINE MAJOR.MINOR.PATCH MPY ROM_FILE|- NAME FROZEN

Its file system is LittleFS in the blocks of IMAGE. Says READY when a Ctrl-C is heard from now
on, runs main.py from there, then obeys. Ends with 7 when the processor is reset. ROM_FILE is a
partition in memory as an STM32 has it, with a + before it blocks of flash as an RP2 has them.
FROZEN are modules, as "app/clock", that help("modules") lists. pretend_board.py is the outside.

A Ctrl-C is an octet among the others and interrupts who reads or sleeps. It is no signal, for that
breaks off the unix port between any two of its own instructions, and who has a lock then keeps it.
"""

import builtins
import os
import select
import sys
import time

import vfs

READY = "\0"
_WINDOW = 64


class Blocks:
    """A block device in an open file."""

    def __init__(self, name, count):
        self.file = open(name, "r+b")  # noqa: SIM115 - the board's flash for as long as it runs
        self.answers = {4: count, 5: 4096}

    def readblocks(self, block, buffer, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.write(buffer)

    def ioctl(self, request, argument):
        if request == 6:
            self.writeblocks(argument, b"\xff" * 4096)
        return self.answers.get(request, 0)


class Module:
    """Something to stand in sys.modules."""


def processor(machine_name, version, mpy, name):
    fake = Module()
    fake.implementation = Module()
    fake.implementation.name = name
    fake.implementation.version = version
    fake.implementation._machine = machine_name
    fake.implementation._mpy = mpy
    fake.path, fake.modules, fake.stdout = sys.path, sys.modules, sys.stdout
    fake.print_exception = sys.print_exception
    chip = Module()

    def reset():
        raise SystemExit(7)

    chip.reset = reset
    clock = Module()
    for each in dir(time):
        setattr(clock, each, getattr(time, each))
    clock.sleep = sleep
    sys.modules["sys"] = fake
    sys.modules["machine"] = chip
    sys.modules["time"] = clock


class Partition(bytearray):
    """rp2.Flash, which is read as memory and written as blocks."""

    def ioctl(self, request, argument):
        if request == 6:
            self.writeblocks(argument, b"\xff" * 4096, 0)
        return {4: len(self) // 4096, 5: 4096}.get(request, 0)

    def writeblocks(self, block, data, offset):
        start = block * 4096 + offset
        self[start : start + len(data)] = data
        self.file.seek(start)
        self.file.write(data)


def rom(name):
    """`vfs` with a ROMFS partition in a file."""
    file = open(name.lstrip("+"), "r+b")  # noqa: SIM115
    content = bytearray(file.read())
    if name[0] == "+":
        content = Partition(content)
        content.file = file

    def rom_ioctl(request, *arguments):
        if request == 1:
            return 1
        if request == 2:
            return content if name[0] == "+" else memoryview(content)
        if request == 3:
            return 4
        if request == 4:
            _, offset, data = arguments
            content[offset : offset + len(data)] = data
            file.seek(offset)
            file.write(data)
        return 4096 if request == 6 else 0

    own = Module()
    own.rom_ioctl = rom_ioctl
    own.umount = lambda _path: None
    sys.modules["vfs"] = own


def say(text):
    sys.stdout.write(text)


kept = []  # octets that came while a program slept
poller = select.poll()
poller.register(sys.stdin, select.POLLIN)


def read():
    char = sys.stdin.read(1)
    if not char:
        raise SystemExit(0)
    if char == "\x03":
        raise KeyboardInterrupt
    return char


def get():
    return kept.pop(0) if kept else read()


def sleep(seconds):
    """time.sleep that a Ctrl-C ends."""
    end_ms = time.ticks_add(time.ticks_ms(), int(seconds * 1000))
    while poller.poll(max(0, time.ticks_diff(end_ms, time.ticks_ms()))):
        kept.append(read())


def pasted():
    """A program by raw paste, with its flow control."""
    say("R\x01" + chr(_WINDOW) + "\0\x01")
    code, room = [], _WINDOW
    while True:
        char = get()
        if char == "\x04":
            say("\x04")
            return "".join(code)
        code.append(char)
        room -= 1
        if not room:
            room = _WINDOW
            say("\x01")


def execute(code, scope):
    try:
        exec(code, scope)
        say("\x04")
    except SystemExit:
        raise
    except BaseException as error:
        say("\x04")
        sys.print_exception(error)
    say("\x04>")


class Repl:
    """What the prompt knows."""

    def __init__(self, scope):
        self.scope = scope
        self.raw, self.code = False, ""

    def start(self):
        say(READY)
        try:
            if "main.py" in os.listdir("/"):
                with open("/main.py") as file:
                    text = file.read()
                exec(text, self.scope)
        except (Exception, KeyboardInterrupt) as error:
            sys.print_exception(error)
        say("MicroPython\r\n")

    def prompt(self):
        self.code = ""
        if not self.raw:
            say("\r\n>>> ")

    def hear(self):
        char = get()
        if char == "\x01":
            self.raw, self.code = True, ""
            say("raw REPL; CTRL-B to exit\r\n>")
        elif char == "\x02":
            self.raw = False
            self.prompt()
        elif not self.raw:
            return
        elif char == "\x05" and not self.code:
            if get() + get() == "A\x01":
                execute(pasted(), self.scope)
        elif char == "\x04":
            say("OK")
            text, self.code = self.code, ""
            execute(text, self.scope)
        else:
            self.code += char

    def obey(self):
        self.start()
        while True:
            self.prompt()
            try:
                while True:
                    self.hear()
            except KeyboardInterrupt:
                pass


def main():
    image, blocks, machine_name, version, mpy, rom_file, name, frozen = sys.argv[1:9]
    device = Blocks(image, int(blocks))
    rom_device = rom_file != "-"
    processor(
        machine_name,
        tuple(int(part) for part in version.split(".")),
        int(mpy),
        name,
    )
    listed = builtins.help

    def own_help(*topic):
        listed(*topic)
        print(frozen)

    builtins.help = own_help
    mount, umount, lfs = vfs.mount, vfs.umount, vfs.VfsLfs2
    if rom_device:
        rom(rom_file)
    try:
        umount("/")
        mount(lfs(device), "/")
    except OSError:
        lfs.mkfs(device)
        mount(lfs(device), "/")
    sys.path[:] = ["", ".frozen", "/lib"]
    Repl({"__name__": "__main__"}).obey()


main()
