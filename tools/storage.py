"""`make storage`: writes the map of FRAM and flash into docs/storage.md; --bench measures.

The tables come from the map that the meter itself uses, app/storage/regions.py. `--check` compares
with the file instead of writing it. `--bench` starts virtual meters and says what the running
meter writes in a second at several loads, how long it takes to start with every ring full, what a
day and the whole of a full load profile cost to read, and what its longest stall is.
"""

from __future__ import annotations

import argparse
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "host_tests" / "shims"), str(ROOT / "firmware")]
sys.path.append(str(ROOT / "host_tests" / "reference"))  # behind: it has a metrology of its own

import cpython  # noqa: E402 - found by the path above

cpython.install()

import flash_image  # noqa: E402 # pyright: ignore
from running_meter import LAUNCHER, PORTS, MeterError, RunningMeter, free_ports  # noqa: E402

from app.logs import billing_profiles, captured, load_profiles  # noqa: E402
from app.storage import record, regions, ring  # noqa: E402

DOCUMENT = ROOT / "docs" / "storage.md"
_SECTOR = 4096
_FLASH = 16 << 20
_CYCLES = 100_000  # erase cycles that a sector bears (W25Q128JV)
_YEAR_S = 365 * 86400
_LOADS_A = (0, 0.5, 5, 100)
_LOAD_S = 20
_START_S = 60

_EVENT_SIZE = 8
_NOTES_BYTES = 8
_BILLING = ("billing_1", "billing_2", "daily_billing")
_PHASES = 3
_MINUTE_S = 60
_DAY = 96  # entries of a quarter of an hour
_EPOCH_S = 946_684_800  # of the meter's times: 2000-01-01
_FILLED_S = 800_000_000  # where the times of a full flash begin
# What a captured value of so many octets begins with
_HEADS = {
    captured.SIZE_64: b"\x15",
    captured.SIZE_32: b"\x06",
    captured.SIZE_16: b"\x10",
    captured.SIZE_8: b"\x11",
    captured.SIZE_TIME: b"\x09\x0c",
}

# What the rings are laid out for: bytes of a row, rows that have to be kept, seconds between two.
# An event's row is a time with its status and a code; a channel of a profile takes nine bytes.
_NEEDS = {
    "power_failure_log": (11, 0, 3600),
    "certification_log": (21, 0, 86400),
    "log": (_EVENT_SIZE, 0, 3600),
    "load_profile_1": (98, 8640, 900),
    "load_profile_2": (98, 3484, 86400),
    "load_profile_3": (98, 5762, 3600),
    "load_profile_4": (72, 1080, 600),
    "billing_1": (374, 310, 86400),
    "billing_2": (374, 310, 86400),
    "daily_billing": (374, 31, 86400),
    "mbus_profile": (48, 1440, 3600),
    "modem_profile": (48, 720, 3600),
    "waveforms": (4022, 0, 3600),
    "weeks": (98, 0, 604800),
}

_TABLE = re.compile(r"(<!-- (fram|flash) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def _needs(name: str) -> tuple[int, int, int]:
    for key, needs in _NEEDS.items():
        if name.startswith(key) or (key == "log" and "_log" in name):
            return needs
    raise KeyError(name)


def _fram_rows() -> Iterator[str]:
    yield "| region | offset | bytes | payload, at most | format |"
    yield "|---|---|---|---|---|"
    address = 0
    for name, capacity, version in regions.REGIONS:
        size = 2 * record.slot_size(capacity)
        yield f"| {name} | {address} | {size} | {capacity} | {version} |"
        address += size
    free = regions.NOTES_ADDRESS - address
    if free < 0:
        raise ValueError("the regions are larger than the smallest FRAM")
    yield f"| (free) | {address} | {free} | | |"
    yield f"| notes | {regions.NOTES_ADDRESS} | {_NOTES_BYTES} | {_NOTES_BYTES} | 1 |"


def _flash_rows() -> Iterator[str]:
    yield (
        "| ring | offset | KiB | rows a sector | rows kept | needed | row, bytes "
        "| erase cycles in 20 years |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    sector = 0
    for name, sectors, limit, _ in regions.RINGS:
        row_size, needed, period_s = _needs(name)
        needed = limit or needed
        rows = ring.rows_of(_SECTOR, row_size)
        kept = (sectors - ring.RESERVE) * rows
        kept = min(limit, kept) if limit else kept
        if kept < needed:
            raise ValueError(f"{name} keeps {kept} rows, {needed} are needed")
        cycles = 20 * _YEAR_S / period_s / rows / sectors
        if cycles > _CYCLES / 2:
            raise ValueError(f"{name} wears its sectors out")
        yield (
            f"| {name} | {sector * _SECTOR} | {sectors * 4} | {rows} | {kept} "
            f"| {needed or ''} | {row_size} | {cycles:.0f} |"
        )
        sector += sectors
    if sector > regions.IMAGE_SECTOR:
        raise ValueError("the rings reach into the firmware images")
    free = (regions.IMAGE_SECTOR - sector) * 4
    yield f"| (free) | {sector * _SECTOR} | {free} | | | | | |"
    for image in (1, 2):
        at = regions.IMAGE_SECTOR + (image - 1) * regions.IMAGE_SECTORS
        size = regions.IMAGE_SECTORS * 4
        yield f"| firmware image {image} | {at * _SECTOR} | {size} | | | | | |"


def document(text: str) -> str:
    """`text` with the tables of today's map between its marks."""
    tables = {"fram": _fram_rows, "flash": _flash_rows}

    def renewed(found: re.Match[str]) -> str:
        return found[1] + "\n".join(tables[found[2]]()) + "\n" + found[3]

    renewed_text, count = _TABLE.subn(renewed, text)
    if count != len(tables):
        raise ValueError("docs/storage.md has lost a mark of its tables")
    return renewed_text


def _bench_writes() -> None:
    print("FRAM bytes written in a second, flash bytes programmed in an hour:")
    with RunningMeter("--rate", "0", "--detail", "frames") as meter:
        for load_a in _LOADS_A:
            phases = [{"i": load_a, "phi_deg": 10}] * 3
            meter.call("/api/mains", {"phases": phases})
            meter.call("/api/advance", {"seconds": 1})
            before = meter.call("/api/health")["chips"]
            meter.call("/api/advance", {"seconds": _LOAD_S})
            after = meter.call("/api/health")["chips"]
            fram = after["fram"]["bytes_written"] - before["fram"]["bytes_written"]
            flash = after["flash"]["bytes_programmed"] - before["flash"]["bytes_programmed"]
            print(f"  {load_a:5} A: {fram / _LOAD_S:7.1f} {flash * 3600 / _LOAD_S:8.0f}")


def shape(name: str) -> tuple[int, int]:
    """Size of a ring's rows, and their layout, in a three-phase meter fresh from the factory."""
    setup = _setup(name)
    return captured.shape(setup) if setup else (_needs(name)[0], 0)


def _setup(name: str) -> bytes:
    """Period and columns of a profile that captures, nothing for other rings."""
    if name in _BILLING:
        return captured.setup_of(0, billing_profiles.factory_columns()[_BILLING.index(name)])
    if "load_profile" not in name:
        return b""
    number = int(name[-1])
    columns = load_profiles.factory_columns(number, _PHASES)
    return captured.setup_of(load_profiles.PROFILES[number - 1][2], columns)


def _captured(setup: bytes, _size: int, sequence: int) -> bytes:
    """Deviation and two status octets of zero, then the row's number in each slot."""
    row = bytes(4)
    for at in range(captured.SETUP_SIZE, len(setup), 12):
        size = setup[at + 11]
        if size:
            row += _HEADS[size] + (sequence % 100).to_bytes(size - len(_HEADS[size]), "big")
    return row


def full_flash(path: Path, start_s: int = _FILLED_S) -> int:
    """Write a chip file in which every ring is full; return the rows.

    Rows of the load profiles come in their periods, all others one a minute, from `start_s` on.
    """
    rows = 0
    with path.open("wb") as file:
        file.write(b"\xff" * _FLASH)
        for name, _, _, _ in regions.RINGS:
            number, sector, blocks, _, version = regions.find_ring(name)
            size, layout = shape(name)
            body = _event if size == _EVENT_SIZE else flash_image.numbered
            period_s = _MINUTE_S
            setup = _setup(name)
            if setup:
                period_s = int.from_bytes(setup[: captured.SETUP_SIZE], "big") or _MINUTE_S
                body = partial(_captured, setup)
            kind = (number, size, (version ^ layout) & 0xFFFF, body, period_s)
            for place, content in flash_image.full_ring(kind, blocks, 2, start_s):
                file.seek((sector + place) * _SECTOR)
                file.write(content)
            rows += (blocks - 1) * flash_image.rows_of(size) - 1
    return rows


def _event(_size: int, sequence: int) -> bytes:
    """Deviation, clock status and code of an event log's row."""
    return struct.pack("<hBB", 0, 0, sequence % 100 + 1)


def _bench_start() -> None:
    state = ROOT / "build" / "storage_bench"
    state.mkdir(parents=True, exist_ok=True)
    for kind in ("blank", "full"):
        for file in state.glob("*.bin"):
            file.unlink()
        rows = full_flash(state / "flash.bin") if kind == "full" else 0
        first = free_ports(PORTS)
        command = [str(LAUNCHER), "--ports", str(first), "--http", "0", "--state", str(state)]
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            for line in process.stdout or ():
                if line.strip() == "ready":
                    break
            print(f"start with a {kind} flash, {rows} rows: {time.monotonic() - begun:.2f} s")
            if kind == "full":
                _bench_profile(first)
        finally:
            process.terminate()
            process.wait(_START_S)


def _bench_profile(port: int) -> None:
    """Read a day, by its time and by its entries, and all there is, with a foreign client."""
    sys.path.append(str(ROOT / "host_tests" / "system"))
    import clients  # pyright: ignore
    from gurux_dlms import GXDateTime
    from gurux_dlms.objects import GXDLMSProfileGeneric

    transport = clients.Socket(port, timeout_s=_START_S)
    session = clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET).connect()
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    session.read(profile, 3)
    entries = session.read(profile, 7)
    day = datetime.fromtimestamp(_EPOCH_S + _FILLED_S, timezone.utc) + timedelta(days=30)
    client = session.client
    print(f"load profile 1 of {entries} entries by TCP:")
    for what, count, request in (
        (
            "a day by its time",
            _DAY,
            client.readRowsByRange(
                profile, GXDateTime(day), GXDateTime(day + timedelta(days=1, seconds=-1))
            ),
        ),
        ("a day by entries", _DAY, client.readRowsByEntry(profile, entries // 2, _DAY)),
        ("all entries", entries, client.read(profile, 2)),
    ):
        begun = time.monotonic()
        octets = session.exchange(request).data.size
        taken_s = time.monotonic() - begun
        share = f"{taken_s / count * 1000:.2f} ms each"
        print(f"  {what}: {count} entries, {octets} octets in {taken_s:.3f} s, {share}")
    transport.close()


def _bench_rings() -> None:
    test = ROOT / "host_tests" / "on_target" / "test_storage.py"
    interpreter = ROOT / ".venv" / "bin" / "micropython"
    path = ":".join(["firmware", "boards/sim", ".frozen"])
    command = [str(interpreter), "-X", "heapsize=3M", str(test)]
    ran = subprocess.run(
        command, cwd=ROOT, env={"MICROPYPATH": path}, capture_output=True, text=True, check=False
    )
    for line in ran.stdout.splitlines():
        if line.startswith("    "):
            print(line.strip())


def main() -> int:
    """Write, compare or measure; 1 if the file is not what would be written."""
    parser = argparse.ArgumentParser(description="the map of the non-volatile memories")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--bench", action="store_true", help="measure on virtual meters")
    arguments = parser.parse_args()
    if arguments.bench:
        try:
            _bench_writes()
            _bench_start()
            _bench_rings()
        except MeterError as error:
            print("storage:", error, file=sys.stderr)
            return 1
        return 0
    old = DOCUMENT.read_text(encoding="utf-8")
    text = document(old)
    if not arguments.check:
        DOCUMENT.write_text(text, encoding="utf-8")
        print(f"{DOCUMENT.relative_to(ROOT)}: {len(text.splitlines())} lines")
    elif text != old:
        print("docs/storage.md is not what `make storage` writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
