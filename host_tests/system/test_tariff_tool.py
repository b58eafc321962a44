"""tools/tariff at a running meter: written, read, refused, cut off, and followed by the rates."""

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import line_time
import pytest
from gurux_dlms.objects import (
    GXDLMSActivityCalendar,
    GXDLMSRegister,
    GXDLMSScriptTable,
    GXDLMSSpecialDaysTable,
)
from serial_line import SerialLine

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "tools" / "tariffs"
DAY_NIGHT, SEASONS, LARGEST = (
    EXAMPLES / f"{name}.toml" for name in ("day-night", "seasons", "largest")
)


@pytest.fixture
def meter(start_meter):
    """A meter whose clock stands still a minute before 16:30 of a Friday in winter."""
    return start_meter("--rate", "0", "--time", "2026-12-18T16:29:00")


def tariff(*arguments, status=0):
    """Run the tool as a person does; return what it says."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "tariff.py"), *map(str, arguments)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    assert "Traceback" not in said, said
    return said


def at(meter, port="cosem"):
    kind = {"cosem": (), "rs485": ("--hdlc",), "optical": ("--optical",)}[port]
    return (*kind, "--port", meter.ports[port])


def client_of(meter):
    return clients.Gurux(
        clients.Socket(meter.ports["cosem"]), clients.MANAGEMENT, clients.SECRET
    ).connect()


def in_force(meter):
    """The name of the active calendar, as another client reads it."""
    client = client_of(meter)
    name = client.read(GXDLMSActivityCalendar(), 2)
    client.transport.close()
    return name if isinstance(name, str) else bytes(name).decode()


@pytest.mark.parametrize("port", ["cosem", "rs485", "optical"])
def test_the_largest_tariff_is_written_compared_and_read_back_over_every_port(
    meter, tmp_path, port
):
    if port == "optical":  # it has pauses to keep
        meter.post("/api/rate", rate=line_time.SLOW)
    tariff("read", *at(meter, port), status=1)  # a new meter has none
    tariff("write", DAY_NIGHT, *at(meter))  # the active half is another one before
    said = tariff("write", LARGEST, *at(meter, port))
    assert "24 day types, 1152 switching times" in said
    assert "64 special days written" in said
    assert "read back: the meter has what the file says" in said
    assert in_force(meter) == "LARGEST-OF-ALL-8"
    back = tmp_path / "back.toml"
    tariff("read", *at(meter, port), "--names", LARGEST, "-o", back)
    assert tariff("show", back, "--year", 2027) == tariff("show", LARGEST, "--year", 2027)
    if port == "cosem":
        assert "good" in tariff("check", back)
        tariff("write", back, *at(meter, port))


def test_the_meter_goes_by_what_was_written(meter):
    meter.post("/api/mains", phases=[{"u": 230, "i": 10, "phi_deg": 0}] * 3)
    tariff("write", SEASONS, *at(meter))
    meter.post("/api/advance", seconds=2)
    before = energies_wh(meter)
    meter.post("/api/advance", seconds=178)
    gained = [after - old for old, after in zip(before, energies_wh(meter))]
    # 6900 W: rate 2 for the rest of the minute, high from 16:30 on
    assert gained[0] == pytest.approx(6900 * 120 / 3600, abs=3)
    assert gained[1] == pytest.approx(6900 * 58 / 3600, abs=5)
    assert gained[2] == 0


def energies_wh(meter):
    client = client_of(meter)
    registers = [GXDLMSRegister(f"1.0.1.8.{rate}.255") for rate in (1, 2, 3)]
    for register in registers:
        client.read(register, 2)
    client.transport.close()
    return [register.value for register in registers]


def test_an_activation_waits_for_its_date_and_a_passed_one_does_not(meter):
    tariff("write", DAY_NIGHT, *at(meter))
    said = tariff("write", SEASONS, *at(meter), "--activate", "2026-12-18 16:31")
    assert "becomes active on 2026-12-18 16:31:00" in said
    assert "special days hold at once" in said
    assert in_force(meter) == "DAY-NIGHT"
    waits = tariff("read", *at(meter), "--passive")
    assert "activate = 2026-12-18T16:31:00" in waits and 'name = "SEASONS-3"' in waits
    meter.post("/api/advance", seconds=130)
    assert in_force(meter) == "SEASONS-3"
    said = tariff("write", DAY_NIGHT, *at(meter), "--activate", "2026-12-01")
    assert "has passed in the meter: the tariff begins now" in said
    assert in_force(meter) == "DAY-NIGHT"
    said = tariff("write", SEASONS, *at(meter), "--activate", "never")
    assert "nothing activates it" in said
    assert in_force(meter) == "DAY-NIGHT"


def test_a_file_with_mistakes_or_a_wrong_password_changes_nothing(meter, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text(DAY_NIGHT.read_text().replace("number = 2", "number = 9"))
    assert "from 1 to 8, not 9" in tariff("write", bad, *at(meter), status=1)
    said = tariff("write", DAY_NIGHT, *at(meter), "--password", "87654321", status=2)
    assert "does not let us in" in said
    said = tariff("write", DAY_NIGHT, "--hdlc", "--port", meter.ports["cosem"], status=2)
    assert said.startswith("tariff: 127.0.0.1") and "closed the connection" in said
    assert in_force(meter) == ""


def test_missing_scripts_are_repaired_and_foreign_ones_only_if_asked(meter):
    table = GXDLMSScriptTable("0.0.10.0.100.255")
    client = client_of(meter)
    client.read(table, 2)
    scripts = list(table.scripts)
    table.scripts = scripts[:1] + scripts[2:5]
    client.write(table, 2)
    client.transport.close()
    said = tariff("write", DAY_NIGHT, *at(meter))
    assert "repaired: script 2 of 0-0:10.0.100 is missing" in said
    client = client_of(meter)
    assert [script.id for script in client.read(table, 2)] == [1, 2, 3, 4, 5]
    for script in table.scripts[1:2]:
        script.actions = table.scripts[2].actions  # script 2 switches to rate 3
    client.write(table, 2)
    client.transport.close()
    said = tariff("write", SEASONS, *at(meter), status=1)
    assert "1-0:1.8.2 is not in the mask 0003 that script 2 writes" in said
    assert "--repair" in said and "nothing was changed" in said
    assert in_force(meter) == "DAY-NIGHT"
    tariff("write", SEASONS, *at(meter), "--repair")
    assert in_force(meter) == "SEASONS-3"


@pytest.mark.parametrize(("port", "options"), [("rs485", ()), ("optical", ("--optical",))])
def test_a_serial_line_will_do(meter, port, options):
    if options:
        meter.post("/api/rate", rate=line_time.SLOW)
    line = SerialLine(meter.ports[port])
    said = tariff("write", SEASONS, "--serial", line.name, *options)
    assert "read back: the meter has what the file says" in said
    said = tariff("read", "--serial", line.name, *options)
    assert 'name = "SEASONS-3"' in said
    line.close()


class CutLine:
    """A way to a port that breaks after so many octets from the client."""

    def __init__(self, port, octets):
        self.left = octets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._target = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        source, _ = self._listener.accept()
        self._listener.close()
        back = threading.Thread(target=self._copy, args=(self._target, source), daemon=True)
        back.start()
        self._copy(source, self._target, counted=True)
        for one in (source, self._target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        back.join()
        source.close()
        self._target.close()

    def _copy(self, source, target, counted=False):
        while True:
            try:
                octets = source.recv(512)
                if counted:
                    octets = octets[: self.left]
                    self.left -= len(octets)
                if not octets:
                    return
                target.sendall(octets)
                if counted and not self.left:
                    return
            except OSError:
                return


def test_a_line_that_breaks_anywhere_leaves_the_old_calendar_or_the_new_one(meter):
    whole = CutLine(meter.ports["cosem"], 1 << 20)
    tariff("write", SEASONS, "--port", whole.port)
    total = (1 << 20) - whole.left
    tariff("write", DAY_NIGHT, *at(meter))
    ends = {"DAY-NIGHT": 0, "SEASONS-3": 0}
    for octets in [0, 40, *(total * n // 10 for n in (2, 5, 7, 8)), total - 420, total - 340,
                   total - 240, total - 160, total - 60]:  # fmt: skip
        line = CutLine(meter.ports["cosem"], octets)
        said = tariff("write", SEASONS, "--port", line.port, status=2)
        assert "closed the connection" in said or "Connection reset" in said, said
        name = in_force(meter)
        ends[name] += 1
        client = client_of(meter)
        new_days = bool(client.read(GXDLMSSpecialDaysTable(), 2))
        client.transport.close()
        if name == "SEASONS-3":
            assert new_days
            assert re.search("not known|was not read back", said), said
            tariff("write", DAY_NIGHT, *at(meter))
        elif new_days:
            assert "special days are new" in said or "not known" in said, said
            tariff("write", DAY_NIGHT, *at(meter))
        elif octets > total / 2:
            assert '"DAY-NIGHT" is still in force' in said, said
    assert min(ends.values()) >= 1, ends


def test_a_memory_that_keeps_nothing_is_told(meter):
    tariff("write", DAY_NIGHT, *at(meter))
    meter.post("/api/chip", chip="fram", fault="protect")
    said = tariff("write", SEASONS, *at(meter), status=1)
    assert "refused" in said and '"DAY-NIGHT" is still in force' in said
    meter.post("/api/chip", chip="fram", fault="clear")
    assert in_force(meter) == "DAY-NIGHT"
    tariff("write", SEASONS, *at(meter))
