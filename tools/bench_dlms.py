"""`make bench`, the DLMS server: CPU a request beside gurux-dlms, line use, latency under load.

Everything is measured in one run on this PC, so ratios hold where the figures themselves do not:
1. CPU time of sequential GETs of one register through the TCP wrapper, without sockets, of this
   server on MicroPython and on CPython and of gurux-dlms's Python server. That server needs
   repairs to run and cannot cipher; its library's own ciphering of a request and an answer is
   measured instead and added.
2. How much of the time a serial line is busy while a long list is read at 9600 baud, with the
   time that the server takes between frames here.
3. How long clients wait for an answer while all ports of the virtual meter are asked at once.

With --host or --serial a real meter is asked instead, by one client: how long it takes for an
answer, and for its list of objects.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import gurux_server
import interpreter
import meter_options
import meter_place
import running_meter
from meter_link import LinkError

ROOT = interpreter.ROOT
SCRIPT = ROOT / "host_tests" / "on_target" / "bench_dlms.py"
SHIM = ROOT / "host_tests" / "shims" / "cpython.py"
_COUNT = {"plain": 20_000, "ciphered": 4_000}
_HEAP = "32M"
_BAUD = 9600
_BITS = 10  # of an octet on the line
_LOAD_S = 6.0
_CLIENTS = {0: 4, 1: 1, 2: 1}  # connections to each port, by its offset
_AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400007e1fffff")
_GET_NAME = bytes.fromhex("c001c1000100002a0000ff0200")
_PUBLIC = 16
_NAME = "0-0:42.0.0"
_REAL_COUNT = 100
_AS_WRITTEN = argparse.RawDescriptionHelpFormatter


def command(python: bool) -> tuple[str, list[str]]:
    """Name and command of an interpreter for the script on target."""
    if python:
        return f"CPython {sys.version.split()[0]}", [sys.executable, str(SHIM), str(SCRIPT)]
    chosen = interpreter.choose()
    return chosen.name, chosen.run_script(SCRIPT, _HEAP)


def run(arguments: list[str]) -> tuple[str, float]:
    """Run the script on target; return what it prints and the CPU time it takes, s."""
    path = [str(ROOT / "firmware"), str(SCRIPT.parent)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        arguments,
        env=dict(
            os.environ,
            MICROPYPATH=os.pathsep.join([*path, ".frozen"]),
            PYTHONPATH=os.pathsep.join(path),
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu_of_ours(python: bool, kind: str) -> tuple[str, float]:
    """Return the interpreter's name and the CPU time of a request, us."""
    name, arguments = command(python)
    if kind == "plain":
        count = _COUNT[kind]
        used = run([*arguments, kind, str(count)])[1] - run([*arguments, kind, "0"])[1]
        return name, used / count * 1e6
    # the client's ciphering runs in the same process before: only the server's own time counts
    return name, float(run([*arguments, kind, str(_COUNT[kind])])[0].split()[-1])


def cpu_table() -> list[str]:
    """Return the lines of part 1."""
    plain = gurux_server.plain_us(_COUNT["plain"] // 4)
    ciphered = plain + gurux_server.ciphering_us(_COUNT["ciphered"] // 8)
    lines = [f"{'server':34}{'plain us':>10}{'ratio':>8}{'ciphered us':>14}{'ratio':>8}"]
    for python in (False, True):
        name, ours = cpu_of_ours(python, "plain")
        _, ours_ciphered = cpu_of_ours(python, "ciphered")
        lines.append(
            f"{'this server, ' + name:34}{ours:10.1f}{plain / ours:8.2f}"
            f"{ours_ciphered:14.1f}{ciphered / ours_ciphered:8.2f}"
        )
    lines.append(f"{'gurux-dlms (Python server)':34}{plain:10.1f}{1:8.2f}{ciphered:14.1f}{1:8.2f}")
    lines.append("ratio: how many times the CPU time of this server gurux-dlms takes")
    return lines


def line_table() -> list[str]:
    """Return the lines of part 2."""
    _, arguments = command(False)
    lines = [f"{'octets a frame':>15}{'frames':>8}{'busy %':>8}{'content %':>11}{'seconds':>9}"]
    for size in (128, 256, 512, 1024, 2030):
        printed = run([*arguments, "line", str(size)])[0].split()
        to_meter, from_meter, content, frames, took_us = (int(word) for word in printed)
        on_line_s = (to_meter + from_meter) * _BITS / _BAUD
        whole_s = on_line_s + took_us / 1e6
        share = content * _BITS / _BAUD / whole_s
        lines.append(
            f"{size:15}{frames:8}{100 * on_line_s / whole_s:8.1f}{100 * share:11.1f}{whole_s:9.2f}"
        )
    return lines


class Wrapper:
    """A client of the public SAP over TCP."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ask(_AARQ)

    def read_name(self) -> bytes:
        """GET the logical device name."""
        return self.ask(_GET_NAME)

    def ask(self, apdu: bytes) -> bytes:
        """Send an APDU and return the answer."""
        head = b"".join(word.to_bytes(2, "big") for word in (1, _PUBLIC, 1, len(apdu)))
        self._socket.sendall(head + apdu)
        size = int.from_bytes(self._take(8)[6:], "big")
        return self._take(size)

    def _take(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            more = self._socket.recv(count - len(octets))
            if not more:
                raise ConnectionError("the meter closed the connection")
            octets += more
        return octets


def load(make: Callable[[], Any], waits: list[float], until: float) -> None:
    """Ask one thing after the other until the time is over; keep how long each took, s."""
    client = make()
    while time.monotonic() < until:
        began = time.perf_counter()
        client.read_name()
        waits.append(time.perf_counter() - began)


def latency_table() -> list[str]:
    """Return the lines of part 3."""
    with running_meter.RunningMeter(faceplate=False) as meter:
        until = time.monotonic() + _LOAD_S
        measured: dict[int, list[float]] = {offset: [] for offset in _CLIENTS}
        threads: list[threading.Thread] = []
        for offset, count in _CLIENTS.items():
            kind = gurux_server.HdlcClient if offset else Wrapper
            port = meter.cosem_port + offset
            for _ in range(count):
                arguments = (lambda k=kind, p=port: k(p), measured[offset], until)
                threads.append(threading.Thread(target=load, args=arguments, daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_LOAD_S + 20)
    lines = [f"{'port':24}{'answers':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'most ms':>9}"]
    names = {0: f"TCP, {_CLIENTS[0]} clients", 1: "RS485", 2: "optical head, HDLC"}
    for offset, waits in measured.items():
        waits.sort()
        if not waits:
            raise SystemExit(f"{names[offset]}: no answer")
        shares = [waits[min(len(waits) - 1, int(len(waits) * s))] * 1e3 for s in (0.5, 0.95, 0.99)]
        figures = "".join(f"{one:9.2f}" for one in [*shares, waits[-1] * 1e3])
        lines.append(f"{names[offset]:24}{len(waits):9}{figures}")
    return lines


def real_table(place: meter_place.Place) -> list[str]:
    """Return what one client sees of a real meter. Raises LinkError."""
    parts = 0

    def count(done: int, _whole: int) -> None:
        nonlocal parts
        parts = done

    waits: list[float] = []
    with place.link() as link:
        for _ in range(_REAL_COUNT):
            began = time.perf_counter()
            link.get(1, _NAME, 2)
            waits.append(time.perf_counter() - began)
        began = time.perf_counter()
        rows = link.get(15, "0-0:40.0.0", 2, count)
        whole_s = time.perf_counter() - began
    waits.sort()
    p50, p95 = (waits[int(len(waits) * share)] * 1e3 for share in (0.5, 0.95))
    return [
        f"GET of the device name, {len(waits)} times: p50 {p50:.1f} ms, p95 {p95:.1f} ms",
        f"list of {len(rows)} objects: {whole_s:.2f} s in {parts + 1} parts",
    ]


def main() -> int:
    """Print the three tables, or a real meter's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AS_WRITTEN)
    meter_options.add(parser.add_argument_group("a real meter"), None)
    options = parser.parse_args()
    if options.host or options.serial:
        try:
            place = meter_place.of(options)
            print(place.name, *real_table(place), sep="\n  ")
        except LinkError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 2
        return 0
    for title, table in (
        ("CPU time of a GET, no sockets", cpu_table),
        (f"a list of the objects over HDLC at {_BAUD} baud, window 1", line_table),
        (
            "latency of the virtual meter (the simulation included), all ports at once",
            latency_table,
        ),
    ):
        print(title, flush=True)
        for line in table():
            print("  " + line)
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
