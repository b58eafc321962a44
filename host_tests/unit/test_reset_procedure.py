"""The meter reset by both keys: its sequence, and that no other order resets anything (KEY-09)."""

import random
import sys
from pathlib import Path

import pytest

from app.display import keys, menu_tree, words

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

from display_rig import Bench, Console, PressTimers

SCROLL, RESET = keys.SCROLL, keys.RESET


class Reset:
    """What the display calls; `answer` is the word that it gets."""

    def __init__(self, console, answer=words.DONE):
        self.count = 0
        self.answer = answer
        console.display.console.master_reset = self

    def __call__(self):
        self.count += 1
        return self.answer


@pytest.fixture
def console():
    """At the item of the Set menu that begins the procedure."""
    console = Console()
    console.reset = Reset(console)
    console.short()
    console.hold(keys.SHORT, RESET)
    assert console.value == "rESEt"
    assert console.long() == [(20, "EntEr")]
    assert console.value == "rESEt"
    return console


def play(console, *steps):
    """Keys down and up and the milliseconds after each."""
    for key, down, ms in steps:
        (console.down if down else console.up)(key)
        console.pass_ms(ms)


@pytest.mark.row("KEY-09")
def test_the_sequence_resets_the_meter(console):
    play(console, (RESET, True, 500), (SCROLL, True, 4400))
    assert console.value == "rESEt"
    console.pass_ms(200)
    assert console.value == "rELEASE"
    play(console, (RESET, False, 300))
    assert console.reset.count == 0
    play(console, (SCROLL, False, 100))
    assert console.reset.count == 1 and console.value == "rSUCCESS"
    console.pass_ms(3100)
    assert console.value == "rESEt"
    assert console.long() == [(20, "LAYEr UP")]
    assert console.value == "rESEt"  # the item of the menu again
    assert console.short() == "LCd tESt"


@pytest.mark.row("KEY-09")
@pytest.mark.parametrize(
    ("answer", "text"), [(words.REJECTED, "rEJECtEd"), (words.FAILED, "rFAiL")]
)
def test_refused_and_failed_resets_say_so_for_three_seconds(console, answer, text):
    console.reset.answer = answer
    play(console, (RESET, True, 500), (SCROLL, True, 5000), (RESET, False, 100))
    play(console, (SCROLL, False, 2800))
    assert console.value == text
    console.pass_ms(300)
    assert console.value == "rESEt"


@pytest.mark.row("KEY-09")
@pytest.mark.parametrize(
    "steps",
    [
        # scroll first, too short, scroll released first, reset released early, reset again
        ((SCROLL, True, 500), (RESET, True, 6000), (RESET, False, 100), (SCROLL, False, 100)),
        ((RESET, True, 500), (SCROLL, True, 4000), (RESET, False, 100), (SCROLL, False, 100)),
        ((RESET, True, 500), (SCROLL, True, 6000), (SCROLL, False, 100), (RESET, False, 100)),
        ((RESET, True, 6000), (RESET, False, 100), (SCROLL, True, 100), (SCROLL, False, 100)),
        (
            ((RESET, True, 500), (SCROLL, True, 6000), (RESET, False, 100))
            + ((RESET, True, 100), (SCROLL, False, 100), (RESET, False, 100))
        ),
    ],
)
def test_any_other_order_resets_nothing(console, steps):
    play(console, *steps)
    assert console.reset.count == 0 and console.value == "rESEt"
    # and the right one works after it
    play(console, (RESET, True, 5500), (SCROLL, True, 5100))
    assert console.value == "rELEASE"
    play(console, (RESET, False, 100), (SCROLL, False, 100))
    assert console.reset.count == 1


@pytest.mark.row("KEY-09")
@pytest.mark.parametrize("options", [0, menu_tree.FACTORY])
def test_long_press_in_the_start_up_test_begins_the_procedure(options):
    console = PressTimers(Bench())
    console.bench.options = options
    console.reset = Reset(console)
    console.pass_ms(1500)
    assert console.hold(keys.ENTER) == [(20, "EntEr")]
    assert console.value == "rESEt"
    play(console, (RESET, True, 500), (SCROLL, True, 5000))
    assert console.value == "rELEASE"
    play(console, (RESET, False, 100), (SCROLL, False, 100))
    assert console.reset.count == 1


def test_a_press_that_outlasts_the_start_up_test_counts():
    console = PressTimers(Bench())
    Reset(console)
    console.pass_ms(4000)
    console.hold(keys.ENTER)
    assert console.value == "rESEt"


def test_without_something_to_reset_there_is_no_item():
    console = Console()
    console.short()
    console.hold(keys.SHORT, RESET)
    assert console.value == "LCd tESt"
    console = PressTimers(Bench())
    console.pass_ms(1500)
    assert console.hold(keys.ENTER) == []
    console.pass_ms(4000)
    assert console.code == "1.8.0"


def test_nobody_there_ends_the_procedure(console):
    play(console, (RESET, True, 500), (SCROLL, True, 131_000))
    assert console.code == "1.8.0"
    play(console, (RESET, False, 100), (SCROLL, False, 100))
    assert console.reset.count == 0 and console.code == "1.8.0"


def test_random_orders_reset_only_after_the_sequence(console):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    down = [False, False]
    for _ in range(400):
        key = chance.randrange(2)
        before = console.reset.count
        shown = console.value
        play(console, (key, not down[key], chance.choice((50, 300, 2500, 5100))))
        down[key] = not down[key]
        if console.reset.count > before:
            assert shown == "rELEASE" and key == SCROLL and down == [False, False]
