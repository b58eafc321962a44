"""Menus by key: a walk through the normal and the reduced console, tips while a key is held."""

import random
import sys
from pathlib import Path

import pytest

from app.display import keys, menu_tree, words

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

from display_rig import Bench, Console, name

ALL = "8." * 8


@pytest.fixture
def console():
    return Console()


@pytest.mark.row("KEY-04", "KEY-05", "KEY-07", "DSP-02", "DSP-16")
def test_walk_of_the_normal_console_through_the_data_menu(console):
    assert console.code == "1.8.0"
    assert console.short() == ALL and len(console.shown["cursors"]) == 22
    assert console.short() == "Std dAtA" and console.shown["cursors"] == ["T1"]
    assert console.long() == [(20, "EntEr")]
    assert (console.code, console.value) == ("C.1.0", "67542301")
    assert console.short() == "000123.45"
    assert console.short() == "End"
    assert console.short() == "67542301"  # from the start again
    console.short(2)
    assert console.long() == [(20, "LAYEr UP")]
    assert console.value == "Std dAtA"
    console.short(len(menu_tree.DATA_MENU))
    assert console.value == "End"
    assert console.long() == [(20, "ESC")]
    assert console.code == "1.8.0"


@pytest.mark.row("KEY-04", "KEY-06", "KEY-08", "PRD-12")
def test_walk_through_the_set_menu(console):
    console.short()
    console.hold(keys.SHORT, keys.RESET)
    menu = [console.value]
    while console.short() != menu[0]:
        menu.append(console.value)
    assert menu == ["LCd tESt", "LAnGUAGE", "End"]
    console.short(menu.index("LCd tESt"))
    assert console.long() == [(20, "EntEr")]
    pictures = [console.shown]
    for _ in range(3):
        console.short()
        pictures.append(console.shown)
    assert [one["value"] for one in pictures] == [ALL, "8. 8. 8. 8.", "8. 8. 8. 8.", ""]
    assert [one["code"] for one in pictures] == ["8.8.8.8.8.", "8. 8. 8.", "8. 8.", ""]
    assert [len(one["cursors"]) for one in pictures] == [22, 11, 11, 0]
    assert console.short() == "LCd tESt"
    console.long()
    console.short()
    assert console.long() == [(20, "LAYEr UP")]
    assert console.value == "LCd tESt"


@pytest.mark.row("KEY-02", "KEY-04", "KEY-07")
@pytest.mark.parametrize(
    ("kind", "tips", "after"),
    [
        (keys.BACK, [(20, "LAYEr UP")], "Std dAtA"),
        (keys.TO_AUTO, [(20, "LAYEr UP"), (70, "ESC")], "000123.45"),
        (keys.EXTENDED, [(20, "LAYEr UP"), (70, "ESC")], "000123.45"),
        (keys.CONNECT, [(20, "LAYEr UP"), (70, "ESC")], "000123.45"),
    ],
)
def test_longer_presses_lead_up_and_out(console, kind, tips, after):
    console.short(2)
    console.long()
    console.short()
    assert console.hold(kind) == tips
    assert console.value == after


def test_what_is_done_is_what_the_tip_says(console):
    console.short()
    assert console.hold(keys.BACK) == [(50, "ESC")]
    assert console.code == "1.8.0"
    console.short()
    assert console.long() == []  # nothing is done at the test picture
    assert console.value == ALL
    console.short()
    assert console.hold(keys.BACK) == [(20, "EntEr"), (50, "ESC")]
    assert console.code == "1.8.0"


@pytest.mark.row("KEY-03")
def test_walk_of_the_reduced_console():
    console = Console(0)
    assert console.short() == "67542301"
    assert console.short() == "000123.45"
    assert console.long() == [] and console.value == "000123.45"
    assert console.short() == "End"
    assert console.hold(keys.BACK) == [(50, "ESC")]
    assert console.code == "1.8.0"
    assert console.hold(keys.BACK) == []
    assert console.hold(keys.EXTENDED) == [(80, "EntEr")]
    assert console.value == "LCd tESt"
    assert console.hold(keys.BACK) == [(50, "EntEr")]
    assert console.value == ALL
    console.short(3)
    assert console.short() == "LCd tESt"
    assert console.short() == "End"
    assert console.hold(keys.BACK) == [(50, "ESC")]
    assert console.code == "1.8.0"
    console.hold(keys.SHORT, keys.RESET)
    assert console.code == "1.8.0"


class Switch:
    def __init__(self, word):
        self.word = word
        self.done = 0

    def offered(self):
        return self.word

    def carry_out(self):
        self.done += 1


@pytest.mark.parametrize("options", [0, menu_tree.FACTORY])
@pytest.mark.parametrize(
    ("word", "text"), [(words.CONNECT, "ConnECt"), (words.DISCONNECT, "diSConn")]
)
def test_ten_seconds_switch_what_can_be_switched(options, word, text):
    console = Console(options)
    switch = console.display.console.switch = Switch(word)
    assert console.hold(keys.CONNECT)[-1] == (100, text)
    assert switch.done == 1 and console.code == "1.8.0"
    console.hold(keys.EXTENDED)
    switch.word = words.NONE
    console.hold(keys.CONNECT)
    assert switch.done == 1


def test_both_keys_together_lead_nowhere(console):
    console.short()
    console.down(keys.RESET)
    console.pass_ms(300)
    console.down()
    console.pass_ms(3000)
    assert console.value == ALL
    console.up(keys.RESET)
    console.pass_ms(300)
    assert console.value == ALL
    console.up()
    assert console.value == ALL
    assert console.short() == "Std dAtA"


def test_a_key_that_is_held_does_not_stop_the_display(console):
    console.short(2)
    console.down()
    console.pass_ms(100_000)
    assert console.value == "ESC"
    console.pass_ms(32_000)
    assert console.code == "1.8.0"  # nobody is there
    seen = set()
    for _ in range(360):
        console.pass_ms(10_000)
        seen.add(console.code)
    assert seen == {"1.8.0", "1.7.0", "32.7.0"}
    console.up()
    assert console.code in seen  # an hour is no gesture
    assert console.short() == ALL


@pytest.mark.row("DSP-13")
def test_nobody_at_the_menus_leads_back(console):
    for presses in (1, 2):
        console.short(presses)
        console.run(119)
        assert console.value in (ALL, "Std dAtA")
        console.run(2)
        assert console.code == "1.8.0"


def test_news_stand_three_seconds(console):
    console.short(2)
    console.display.tell("rSuCCESS", console.now_ms)
    console.due_ms = console.now_ms
    console.run(2.9)
    assert console.value == "rSUCCESS"
    console.run(0.2)
    assert console.code == "1.7.0"


@pytest.mark.parametrize("seconds", [0.5, 5.5])
def test_news_are_shown_although_the_display_has_just_started(seconds):
    bench = Bench()
    bench.display.close_billing = lambda: bench.display.tell("rSuCCESS", bench.now_ms)
    bench.run(seconds)  # all segments, then the name
    bench.press(keys.BACK, keys.RESET)
    assert bench.value == "rSUCCESS"
    bench.due_ms = bench.now_ms
    bench.run(3.1)
    assert bench.code in ("1.8.0", "1.7.0")


def test_list_that_shrinks_ends(console):
    console.short(2)
    console.long()
    console.short()
    console.alternate.names.clear()
    console.alternate.items.clear()
    console.run(1)
    assert console.value == "End"
    assert console.long() == [(20, "LAYEr UP")]
    assert name(1, 8, 0) in console.values


@pytest.mark.parametrize("options", [0, menu_tree.FACTORY])
def test_keys_mashed_ten_thousand_times_leave_a_way_back(options):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    console = Console(options)
    console.display.console.master_reset = lambda: words.REJECTED
    console.display.console.switch = Switch(words.DISCONNECT)
    console.display.console.functions[words.TEST_MODE] = lambda: None
    console.display.console.cover_open = lambda: chance.random() < 0.5
    down = [False, False]
    for _ in range(10_000):  # half of them presses; two consoles
        key = chance.randrange(2)
        down[key] = not down[key]
        (console.down if down[key] else console.up)(key)
        passing_ms = chance.choice((0, 0, 20, 20, 20, 300, 300, 2100, 5100, 10100))
        for timer in console.timers:  # what a held key becomes comes as it passes
            if timer.wait_ms(0) > 0 and passing_ms:
                console.pass_ms(min(passing_ms, 100))
        console.run(passing_ms / 1000)
        if chance.random() < 0.001:
            console.bench.options = chance.randrange(8)
    for key in (keys.SCROLL, keys.RESET):
        if down[key]:
            console.up(key)
    console.bench.options = options
    console.run(121)
    assert console.code in ("1.8.0", "1.7.0", "32.7.0")
    assert console.short() == ("67542301" if not options else ALL)
