"""The virtual meter's program: `micropython boards/sim/run.py [options]`, `--help` lists them.

Puts the simulation's stand-ins in place, builds the bench, boots the firmware and runs until it
is interrupted. Status 0: interrupted; 1: a port or a file cannot be used; 2: a wrong option.
"""

import sys

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
_ROOT = _HERE + "/../.."
# The simulation's modules come first: its `machine` takes the place of the built-in one.
sys.path[:] = [_HERE, _ROOT + "/firmware", _ROOT + "/.venv/upylib"] + [
    path for path in sys.path if path not in (_HERE, "")
]

import host
import options as command_line


def fail(status: int, text: object) -> None:
    """Say on one line why the program cannot go on, and end it."""
    print("virtual-meter:", str(text), file=sys.stderr)
    sys.exit(status)


def _announce(bench, options: "command_line.Options") -> None:
    """Print one line for each address that is open, then `ready`."""
    import net
    import timeline

    async def announce() -> None:
        # When no task is ready any more, the firmware has opened its ports.
        await timeline.advance(0)
        lines = []
        if net.is_listening(options.ports):
            lines.append(("COSEM over TCP", options.ports))
        for name, title in (
            ("rs485", "RS485"),
            ("optical", "optical head"),
            ("p1", "P1"),
            ("mbus", "M-Bus"),
            ("modem", "modem"),
        ):
            if bench.ports[name].is_open():
                lines.append((title, bench.ports[name].port))
        for title, port in lines:
            print("{:<16}{}:{}".format(title, options.host, port))
        if options.http:
            print("{:<16}http://{}:{}/".format("faceplate", options.host, options.http))
        print("ready")
        if hasattr(sys.stdout, "flush"):
            sys.stdout.flush()

    import loop

    loop.create_task(announce(), loop.BENCH)


def main(arguments: "list[str]") -> None:
    """Run the virtual meter."""
    try:
        options = command_line.parse(arguments)
    except command_line.OptionError as error:
        fail(2, error)
    if options.help:
        print(command_line.HELP)
        return
    import loop

    loop.install()
    import assembly
    import chipfile
    import net
    import replay
    import timeline

    if options.heap is not None and host.MICROPYTHON:
        print("virtual-meter: --heap is for the launcher, this heap is fixed", file=sys.stderr)
    bench = None
    try:
        bench = assembly.Bench(options)
        timeline.set_rate(options.rate)
        if options.http:
            from faceplate import server

            server.start(bench)
        _announce(bench, options)
        bench.processor.run()
    except KeyboardInterrupt:
        pass
    except replay.FrameFileError as error:
        fail(2, "--replay " + str(error))
    except (chipfile.ChipFileError, net.PortError) as error:
        fail(1, error)
    finally:
        if bench is not None:
            bench.close()


if __name__ == "__main__":
    main(sys.argv[1:])
