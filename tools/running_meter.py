"""A virtual meter in a process of its own, for the tools that look at one from outside."""

from __future__ import annotations

import json
import random
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = ROOT / ".venv" / "bin" / "virtual-meter"

PORTS = 6  # the contract's consecutive TCP ports; one more is the faceplate's
# Below those that Linux, macOS and Windows give to outgoing connections, above the usual servers'
_PORTS_FROM, _PORTS_TO = 10000, 32000
_READY_S = 300.0
_STOP_S = 60.0
_CALL_S = 600.0
_TAKEN = re.compile(r"\bport \S+ is in use")


class MeterError(Exception):
    """The meter did not start, stay up or answer; the text is one line."""


def free_ports(count: int) -> int:
    """The first of `count` consecutive TCP ports that are free on the loopback address."""
    # by lot that no seed settles: who starts at the same time looks at others
    lot = random.SystemRandom()
    for _ in range(200):
        first = lot.randrange(_PORTS_FROM, _PORTS_TO - count)
        held: list[socket.socket] = []
        try:
            for port in range(first, first + count):
                one = socket.socket()
                held.append(one)
                one.bind(("127.0.0.1", port))
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
        return first
    raise MeterError("no free TCP ports")


def lost_a_port(said: Iterable[str]) -> bool:
    """Tell from what a meter said whether somebody took a port since it was found free."""
    return any(_TAKEN.search(line) for line in said)


class RunningMeter:
    """A meter fresh from the factory on free ports, for as long as the `with` block lasts.

    `with` waits until the meter says `ready`. Its chips are in a folder that goes with it, or in
    `chips`, which stays: a meter that was in there goes on.
    """

    def __init__(self, *options: str, faceplate: bool = True, chips: Path | None = None) -> None:
        self._faceplate = faceplate
        self._chips = chips
        self._more = [*options, *(["--fresh"] if chips is None else [])]
        self._place()

    def _place(self) -> None:
        first = free_ports(PORTS + 1)
        http = first + PORTS if self._faceplate else 0
        self.address = f"http://127.0.0.1:{http}"
        self.cosem_port = first
        self._options = ["--ports", str(first), "--http", str(http), *self._more]

    def __enter__(self) -> RunningMeter:
        if not LAUNCHER.exists():
            raise MeterError("no virtual meter is installed: run `make setup`")
        self._folder = tempfile.TemporaryDirectory()
        if not self._start() and lost_a_port(self._said):
            self._place()
            self._start()
        if not self._ready.is_set():
            self.__exit__()
            raise self._failed("did not get ready")
        return self

    def _start(self) -> bool:
        """Start the process; True once it is ready, False if it ended or takes too long."""
        self._said: list[str] = []
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [str(LAUNCHER), "--state", str(self._chips or self._folder.name), *self._options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Ctrl-C is for the tool, which may have to put by what the meter holds
            process_group=None if self._chips is None else 0,
        )
        listener = threading.Thread(target=self._listen, daemon=True)
        listener.start()
        deadline = time.monotonic() + _READY_S
        while not self._ready.wait(0.1):
            if self._process.poll() is not None:
                listener.join()  # what it said last tells why
                return False
            if time.monotonic() > deadline:
                return False
        return True

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.append(line.rstrip())
            if self._said[-1] == "ready":
                self._ready.set()

    def _failed(self, what: str) -> MeterError:
        last = next((line for line in reversed(self._said) if line), "nothing")
        return MeterError(f"virtual meter {' '.join(self._options)} {what}: {last}")

    def stay_up(self, seconds: float) -> None:
        """Wait, and raise if the meter ends or says that its memory is used up."""
        time.sleep(seconds)
        if self._process.poll() is not None or any("MemoryError" in line for line in self._said):
            raise self._failed("failed")

    def call_fields(self, path: str, **body: object) -> dict[str, Any]:
        """POST of a JSON object; the JSON answer."""
        return self.call(path, body)

    def call(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """GET, or POST of a JSON body; the JSON answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.address + path, data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_CALL_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace").strip()
            raise MeterError(f"{path} was answered {error.code}: {text}") from error
        except (OSError, ValueError) as error:
            raise MeterError(f"{path}: {error}") from error
