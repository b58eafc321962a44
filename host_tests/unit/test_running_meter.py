"""Where the tools and tests put a virtual meter, and what they do when its place is taken."""

import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import running_meter
from running_meter import MeterError, RunningMeter, free_ports, lost_a_port


def test_no_outgoing_connection_of_this_machine_sits_on_a_chosen_port():
    range_file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    outgoing = int(range_file.read_text().split()[0]) if range_file.exists() else 32768
    chosen = [free_ports(7) for _ in range(50)]
    assert all(first > 1024 and first + 6 < outgoing for first in chosen)
    assert len(set(chosen)) > 40  # who starts at the same time looks elsewhere


def test_a_port_that_somebody_listens_at_is_left_out(monkeypatch):
    with socket.create_server(("127.0.0.1", free_ports(1))) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(running_meter, "_PORTS_FROM", port - 2)
        monkeypatch.setattr(running_meter, "_PORTS_TO", port + 2)
        with pytest.raises(MeterError, match="no free TCP ports"):
            free_ports(3)
        monkeypatch.setattr(running_meter, "_PORTS_TO", port + 40)
        assert free_ports(3) > port


@pytest.fixture
def taken(monkeypatch):
    """`taken(n)`: the first n choices fall on ports that somebody has."""
    if not running_meter.LAUNCHER.exists():
        pytest.skip("run `make setup` first")
    with socket.create_server(("127.0.0.1", free_ports(1))) as server:
        port, true = server.getsockname()[1], running_meter.free_ports

        def spoil(times):
            left = [port] * times
            monkeypatch.setattr(
                running_meter, "free_ports", lambda n: left.pop() if left else true(n)
            )
            return port

        yield spoil


def test_a_start_that_finds_its_port_taken_chooses_anew(taken):
    port = taken(1)
    with RunningMeter("--rate", "0") as meter:
        assert meter.cosem_port != port and meter.call("/api/state")["rate"] == 0


def test_it_does_so_once_and_for_no_other_reason(taken):
    port = taken(2)
    with pytest.raises(MeterError, match=f"port 127.0.0.1:{port} is in use"), RunningMeter():
        pass
    with pytest.raises(MeterError, match="model"), RunningMeter("--model", "5ph"):
        pass
    assert not lost_a_port(["port 1 of the meter", "its flash is in use", "ready"])
