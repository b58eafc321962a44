"""The launcher: its own options, restart on status 75, stop with status 0."""

import importlib.util
import os
import signal
import subprocess
import sys
import time

import pytest


def load(root, name):
    sys.path.insert(0, str(root / "tools"))
    spec = importlib.util.spec_from_file_location(name, root / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def start(root, tmp_path):
    """Start the launcher's loop on a script of the test's own instead of the meter."""
    started = []

    def begin(script, *options):
        child = tmp_path / "child.py"
        child.write_text(script)
        runner = tmp_path / "runner.py"
        runner.write_text(
            f"import sys; sys.path.insert(0, {str(root / 'tools')!r})\n"
            "import virtual_meter\n"
            f"sys.exit(virtual_meter.Launcher().run([sys.executable, {str(child)!r}],"
            " sys.argv[1:]))\n"
        )
        process = subprocess.Popen(
            [sys.executable, str(runner), *options], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_restart_keeps_chips_and_clock(start, tmp_path):
    script = (
        "import sys, pathlib\n"
        f"mark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        "print(*sys.argv[1:], flush=True)\n"
        "if mark.exists(): sys.exit(5)\n"
        "mark.touch(); sys.exit(75)\n"
    )
    process = start(script, "--fresh", "--ports", "5000", "--time", "2026-01-01T00:00:00")
    output, _ = process.communicate(timeout=300)
    assert output.splitlines() == [
        "--fresh --ports 5000 --time 2026-01-01T00:00:00",
        "--ports 5000",
    ]
    assert process.returncode == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("ignored", [False, True])
def test_signal_lets_the_child_finish_and_ends_with_0(start, number, ignored):
    script = (
        "import signal, sys\n"
        "for each in (signal.SIGINT, signal.SIGTERM):\n"
        "    signal.signal(each, lambda *_: print('broken off', flush=True))\n"
        "print('ready', flush=True)\n"
        "assert sys.stdin.read(1) == 'q'\n"
        "print('saved', flush=True)\n"
        "raise SystemExit(7)\n"
    )
    before = signal.getsignal(signal.SIGINT)
    if ignored:  # as a shell starts its background jobs
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = start(script)
    signal.signal(signal.SIGINT, before)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate(timeout=300)[0] == "saved\n"
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_killed_launcher_leaves_no_child(start):
    process = start("import os, time; print(os.getpid(), flush=True); time.sleep(600)\n")
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    for _ in range(1200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        with open(f"/proc/{child}/stat") as file:
            if file.read().rsplit(")", 1)[1].split()[0] == "Z":  # dead, nobody to reap it
                return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the interpreter outlived the launcher")


def test_death_by_signal_is_said(start):
    process = start("import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n")
    process.communicate(timeout=300)
    assert process.returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--heap"], "--heap needs a value"),
        (["--heap", "lots"], "--heap lots"),
        (["--heap=0"], "--heap 0"),
        (["--micropython", "/no/such/program"], "/no/such/program is not a program"),
    ],
)
def test_wrong_options_of_the_launcher_are_named(root, capsys, options, words):
    assert load(root, "virtual_meter").main(options) == 2
    assert words in capsys.readouterr().err


def test_interpreter_without_viper_falls_back_with_a_notice(root, monkeypatch):
    interpreter = load(root, "interpreter")
    monkeypatch.setenv("MICROPYTHON", sys.executable)  # a program, but no MicroPython
    chosen = interpreter.choose()
    assert not chosen.micropython
    assert "CPython" in chosen.notice
    assert chosen.run_script(root / "x.py", "1M")[-1].endswith("x.py")
    assert "-X" not in chosen.run_script(root / "x.py", "1M")


def test_a_micropython_that_is_named_is_taken(root, monkeypatch):
    own = root / ".venv" / "bin" / "micropython"
    if not own.exists():
        pytest.skip("no MicroPython in .venv on this machine")
    interpreter = load(root, "interpreter")
    monkeypatch.setenv("MICROPYTHON", str(own))
    chosen = interpreter.choose()
    assert chosen.micropython
    assert chosen.run_script(root / "x.py", "1M")[1:3] == ["-X", "heapsize=1M"]
