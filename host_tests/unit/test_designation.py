"""The type designation and the feature flags are one thing (rows IDN-08, PRD-19)."""

import re
import types

import pytest

from app.designation import designation, flags_of

# What the letters of an ordering code stand for, read from the code alone.
LETTERS = {"V12V13": 4, "P1": 5, "B11": 6, "L11": 7, "M2": 8, "M3": 9, "K0": 10}
PORTS = {"r": 11, "e": 12, "a": 13, "g": 14, "n": 15, "Z": 16}
CODE = re.compile(
    r"(?P<maker>[A-Z]{3})(?P<form>M[ET])-(?P<connection>[DT]\d)A(?P<accuracy>[345])(?P<way>[124])"
    r"R56S63-(?P<first>(?:V12V13)?(?:P1)?(?:B11)?(?:L11)?)-(?P<reserve>M[23])(?P<head>K0)?"
    r"(?P<ports>[reagn]*)(?P<profile>Z?)"
)


def decoded(code):
    """The flags that a code means."""
    found = CODE.fullmatch(code)
    flags = (found["form"] == "MT") | (found["connection"] == "T1") << 1
    flags |= {"1": 0, "2": 1, "4": 2}[found["way"]] << 2
    for name, bit in LETTERS.items():
        if name in found["first"] or name in (found["reserve"], found["head"]):
            flags |= 1 << bit
    for letter in found["ports"] + found["profile"]:
        flags |= 1 << PORTS[letter]
    return flags


def board(**changes):
    parts = {
        "variant": types.SimpleNamespace(phases=3, transformer=False, maximum_current_ma=120_000),
        "inputs": [1, 2, 3],
        "disconnector": object(),
        "relays": [1],
        "pulse_output": object(),
        "optical": object(),
        "rs485": object(),
        "tcp": ("127.0.0.1", 4059),
        **changes,
    }
    return types.SimpleNamespace(**parts)


@pytest.mark.row("IDN-08")
@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("supercap", [False, True])
@pytest.mark.parametrize(
    "changes", [{}, {"inputs": [], "relays": []}, {"pulse_output": None, "tcp": None}]
)
def test_the_code_says_what_the_flags_say(mode, supercap, changes):
    flags = flags_of(board(**changes), mode, supercap)
    for accuracy in (b"0.5S", b"1", b"2"):
        assert decoded(designation(flags, 120_000, accuracy).decode()) == flags


@pytest.mark.parametrize(
    "maximum_ma, transformer, name",
    [(85_000, False, "D1"), (100_000, False, "D3"), (120_000, False, "D2"), (10_000, True, "T1")],
)
def test_the_connection_follows_from_the_current(maximum_ma, transformer, name):
    variant = types.SimpleNamespace(phases=3, transformer=transformer)
    code = designation(flags_of(board(variant=variant), 1, False), maximum_ma, b"1")
    assert CODE.fullmatch(code.decode())["connection"] == name


def test_the_code_of_the_full_board():
    assert designation(flags_of(board(), 1, False), 120_000, b"1") == (
        b"FRSMT-D2A42R56S63-V12V13P1B11L11-M3K0reZ"
    )
