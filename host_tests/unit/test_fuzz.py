"""The fuzzer of host_tests/on_target on CPython: it finds what is planted, and nothing else.

The bulk of the inputs is fed on MicroPython; here planted defects show that the checks bite.
"""

import random
import sys

import pytest

SEED = 20260131


@pytest.fixture(scope="module")
def fuzzer(root):
    sys.path.append(str(root / "host_tests" / "on_target"))
    import fuzzer

    yield fuzzer
    sys.path.remove(str(root / "host_tests" / "on_target"))


@pytest.mark.parametrize("name", ["channel", "hdlc", "wrapper", "iec", "axdr"])
def test_nothing_is_found_on_cpython_either(fuzzer, name):
    print("seed", SEED)
    random.seed(SEED)
    fed, failure = fuzzer.run(name, 1200)
    assert failure is None, failure.text
    assert fed >= 1200


def test_the_same_seed_gives_the_same_inputs(fuzzer):
    def inputs():
        random.seed(7)
        return [fuzzer.mutated(fuzzer.NAME, fuzzer.APDUS) for _ in range(200)]

    first = inputs()
    assert first == inputs()
    assert len(set(first)) > 100


def test_inputs_reach_the_services(fuzzer):
    """Every kind of answer comes: mutation does not stop at the first check."""
    random.seed(SEED)
    answers = set()
    for episode in range(300):
        if episode % 50 == 0:
            target = fuzzer.ChannelFuzz()
        for octets in target.make():
            answers.add(target.ask(octets[0], octets[1:])[:1])
        target.settle()
    assert {0x61, 0x63, 0xC4, 0xC5, 0xC7, 0xD8} <= {answer[0] for answer in answers if answer}
    assert {0xCC, 0xDB} & {answer[0] for answer in answers if answer}  # ciphered ones too


def plant(monkeypatch, where, name, trigger, error):
    """Let a method fail at inputs for which `trigger` is true."""
    good = getattr(where, name)

    def bad(self, *arguments):
        if trigger(*arguments):
            raise error
        return good(self, *arguments)

    monkeypatch.setattr(where, name, bad)


def test_an_exception_of_the_reader_is_found_and_replayed(fuzzer, monkeypatch, tmp_path):
    random.seed(SEED)
    plant(monkeypatch, fuzzer.axdr.Reader, "_bit_count", lambda: True, IndexError("planted"))
    fed, failure = fuzzer.run("axdr", 5000)
    assert fed < 5000
    assert "IndexError: planted" in failure.text
    path = tmp_path / "crash.txt"
    failure.save(path)
    again = fuzzer.replay(path)
    assert again.text == failure.text
    assert again.inputs[-1] == failure.inputs[-1]
    monkeypatch.undo()
    assert fuzzer.replay(path) is None


def test_a_defect_inside_the_server_is_found(fuzzer, monkeypatch):
    """The server answers on after an error of its own; the fuzzer counts it all the same."""
    from app.cosem.clock import Clock

    random.seed(SEED)
    plant(monkeypatch, Clock, "act", lambda *_: True, ZeroDivisionError("planted"))
    for name in ("channel", "hdlc", "wrapper"):
        _, failure = fuzzer.run(name, 5000)
        assert failure is not None
        assert "defect" in failure.text
        assert "planted" in failure.text


def test_a_server_that_falls_silent_is_found(fuzzer, monkeypatch):
    random.seed(SEED)
    calls = []

    def silent(*arguments):
        calls.append(arguments)
        return 0 if len(calls) > 100 else good(*arguments)

    channel = type(fuzzer.Meter().channel)
    good = channel.request
    monkeypatch.setattr(channel, "request", silent)
    _, failure = fuzzer.run("channel", 2000)
    assert "next good" in failure.text


def test_a_growing_heap_is_found(fuzzer, monkeypatch):
    levels = iter(range(0, 10**9, 100_000))
    monkeypatch.setattr(fuzzer, "heap", lambda: next(levels))
    _, failure = fuzzer.run("axdr", 2000)
    assert "heap" in failure.text
