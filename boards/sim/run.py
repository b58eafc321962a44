"""The virtual meter's program: `micropython boards/sim/run.py [options]`, `--help` lists them.

Puts the simulation's stand-ins in place, builds the bench, boots the firmware and runs until it
is interrupted, or its launcher asks for the end. Status 0: that; 1: a port or a file cannot be
used; 2: a wrong option.
"""

import os
import sys

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
_ROOT = _HERE + "/../.."
_code = _ROOT
_ROM = os.getenv("FERRARIS_ROM")
_program = None
if _ROM:  # the launcher has compiled the sources
    sys.path.insert(0, _HERE)
    import rom

    _code = rom.mount(_ROM) or _ROOT
    _program = rom.program
# The simulation's modules come first: its `machine` takes the place of the built-in one.
sys.path[:] = [_code + "/boards/sim", _code + "/firmware", _code + "/.venv/upylib"] + [
    path for path in sys.path if path not in (_HERE, "")
]

if sys.implementation.name != "micropython":
    sys.path.insert(0, _ROOT + "/host_tests/shims")
    import cpython  # pyright: ignore

    if not hasattr(__builtins__, "const"):  # not started by the launcher, which says so itself
        print("notice: CPython runs the meter, slowly", file=sys.stderr)
        cpython.install()

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from assembly import Assembly
    from options import Options

import host  # noqa: E402 - found by the path above


def fail(status: int, text: object) -> "NoReturn":
    """Say on one line why the program cannot go on, and end it."""
    print("virtual-meter:", str(text), file=sys.stderr)
    sys.exit(status)


_TITLES = (
    ("cosem", "COSEM over TCP"),
    ("rs485", "RS485"),
    ("optical", "optical head"),
    ("p1", "P1"),
    ("mbus", "M-Bus"),
    ("modem", "modem"),
)


async def _announce(board: "Assembly") -> None:
    """Print one line for each address that is open, then `ready`."""
    import timeline

    # When no task is ready any more, the firmware has opened its ports.
    await timeline.advance(0)
    options = board.options
    for name, title in _TITLES:
        port = board.ports[name]
        if port.is_open():
            print(f"{title:<16}{options.host}:{port.port}")
    if options.http:
        print(f"{'faceplate':<16}http://{options.host}:{options.http}/")
    print("ready")
    if hasattr(sys.stdout, "flush"):
        sys.stdout.flush()


def _open_faceplate(board: "Assembly") -> None:
    import loop
    from faceplate import bench, server

    view = bench.Bench(
        board.world, board.leap, board.processor, board.chips, dict(board.ports), _ROOT
    )
    face = server.Server(view, _HERE + "/faceplate/page")
    loop.create_task(face.start(board.options.host, board.options.http), loop.BENCH)


def _asked(_events: int) -> None:
    import loop

    loop.io.unwatch(sys.stdin)
    if sys.stdin.read(1):  # not the end of a launcher that was killed: no warning is one
        raise KeyboardInterrupt


def _heed_launcher() -> None:
    """End when an octet comes: the loop looks at standard input while no task is at work."""
    import loop

    if os.getenv("FERRARIS_LAUNCHED"):
        loop.io.watch(sys.stdin, host.POLLIN, _asked)


async def _pull_plug(board: "Assembly") -> None:
    """Cut the mains and let the hold-up time run, so that the firmware keeps what is in RAM."""
    import asyncio

    import power
    import timeline

    if board.supply.mains:
        board.world.set_supply(False, None)
        if timeline.rate < 1:
            timeline.set_rate(1)
        await asyncio.sleep_ms(power.HOLDUP_MS + 10)
    raise KeyboardInterrupt


def _power_down(board: "Assembly") -> None:
    """End the meter as its supply would, not as a crash would."""
    import loop

    loop.create_task(_pull_plug(board), loop.BENCH)
    try:
        board.processor.run()
    except KeyboardInterrupt:
        pass


def _parsed(arguments: "list[str]") -> "Options | None":
    """Return the options, None if only the help was wanted; a wrong one ends the program."""
    import options

    try:
        parsed = options.parse(arguments)
    except options.OptionError as error:
        fail(2, error)
    if parsed.help:
        print(options.HELP)
        return None
    del sys.modules["options"]  # its texts are not needed again, and a small heap needs the room
    return parsed


def main(arguments: "list[str]", prepare: "Callable[[Assembly], None] | None" = None) -> None:
    """Run the virtual meter.

    `prepare`: called with its board before the firmware boots; then no addresses are announced.
    """
    options = _parsed(arguments)
    if options is None:
        return
    import loop

    loop.install()
    import chipfile
    import fields
    import net
    import timeline

    if options.heap is not None and host.MICROPYTHON:
        print("virtual-meter: --heap is for the launcher, this heap is fixed", file=sys.stderr)
    board = None
    try:
        import assembly
        import pins

        pins.program = _program
        board = assembly.Assembly(options)
        timeline.set_rate(options.rate)
        if options.http:
            _open_faceplate(board)
        if prepare is not None:
            prepare(board)
        else:
            loop.create_task(_announce(board), loop.BENCH)
        _heed_launcher()
        board.processor.run()
    except KeyboardInterrupt:
        if board is not None:
            _power_down(board)
    except MemoryError:
        fail(1, "the heap is too small: start with --heap 2M or more, 1M without the faceplate")
    except fields.FrameFileError as error:
        fail(2, "--replay " + str(error))
    except (chipfile.ChipFileError, net.PortError) as error:
        fail(1, error)
    finally:
        if board is not None:
            board.close()


if __name__ == "__main__":
    main(sys.argv[1:])
