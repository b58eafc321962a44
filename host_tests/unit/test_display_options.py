"""What a client does to the glass: message, off, language, light; and the mark LR."""

import sys
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

from display_rig import Bench, Console, name

from app.attributes import Reference
from app.display import font, keys, languages, menu_tree, words
from app.display.message import Message

CODE = name(96, 13, 1, 0)


class Settings:
    """The consumer's message in a memory that may fail."""

    def __init__(self):
        self.code = b""
        self.fails = False

    def get(self, key):
        assert key == "consumer_code"
        return self.code

    def put(self, key, value):
        if self.fails:
            raise OSError
        self.code = bytes(value)


class Told(Bench):
    """A display that a supplier can send messages to."""

    def __init__(self):
        super().__init__()
        self.settings = Settings()
        plain = self.read

        def read(reference):
            if bytes(reference.logical_name) == CODE:
                return self.settings.code, 0, 255
            return plain(reference)

        self.display.message = Message(self.settings, read, self.display.item)
        self.run(7)


@pytest.fixture
def told():
    return Told()


@pytest.mark.row("DSP-24")
def test_a_consumer_message_stays_until_the_scroll_key_is_pressed(told):
    assert told.code == "1.8.0"
    told.settings.code = b"tESt123"
    told.run(2)
    assert (told.code, told.value, told.shown["unit"]) == ("C.13.1", "tESt123", "")
    told.run(600)  # longer than any item, and than nobody is there
    assert told.value == "tESt123"
    told.press(key=keys.RESET)
    assert told.value == "tESt123"
    told.press()
    assert told.settings.code == b""
    told.run(1)
    assert told.code == "1.8.0"
    told.run(10)
    assert told.code == "1.7.0"


@pytest.mark.row("DSP-24")
def test_a_consumer_message_goes_when_its_sender_clears_it(told):
    told.settings.code = b"PAY"
    told.run(2)
    told.settings.code = b"PAY nO"
    told.run(2)
    assert told.value == "PAY no"
    told.settings.code = b""
    told.run(2)
    assert told.code == "1.8.0"


@pytest.mark.row("DSP-24")
def test_a_consumer_message_goes_before_menus_and_news(told):
    told.press()
    assert told.code == "C.1.0"
    told.settings.code = b"CALL US"
    told.run(2)
    assert told.code == "C.13.1"
    told.display.tell("rSuCCESS", told.now_ms)
    assert told.code == "C.13.1"
    told.press(keys.ENTER)
    told.run(1)
    assert told.value == "rSUCCESS"  # told meanwhile
    told.run(3)
    assert told.code == "1.7.0"
    told.settings.code = b"CALL US"
    told.run(2)
    told.press()
    told.run(1)
    assert told.code == "1.8.0"  # and told once


@pytest.mark.row("DSP-24", "DSP-14")
def test_a_long_consumer_message_scrolls_and_a_wrong_one_is_error_31(told):
    told.settings.code = b"PAY YOUr bILL tOdAY"
    told.run(2)
    seen = []
    for _ in range(14):
        seen.append(told.value)
        told.run(1)
    assert seen[0].startswith("PAY") and any(one.rstrip().endswith("todAY") for one in seen)
    told.settings.code = b"PAY NOW"  # the glass has no W
    told.run(2)
    assert (told.code, told.value) == ("C.13.1", "Error 31")
    told.press()
    told.run(1)
    assert told.code == "1.8.0"


@pytest.mark.row("DSP-24")
def test_a_message_that_cannot_be_cleared_has_been_seen_all_the_same(told):
    told.settings.code = b"PAY"
    told.settings.fails = True
    told.run(2)
    told.press()
    told.run(2)
    assert told.code == "1.8.0"
    told.settings.code = b"PAY nO"
    told.run(2)
    assert told.code == "C.13.1"
    told.settings.fails = False
    told.press()
    told.run(2)
    told.settings.code = b"PAY"  # the same once more
    told.run(2)
    assert told.code == "C.13.1"


def test_a_message_waits_for_the_test_of_the_glass():
    told = Told()
    told.settings.code = b"PAY"
    told.display.begin(told.now_ms)
    told.due_ms = told.now_ms
    told.run(4)
    assert told.value == "8." * 8
    told.run(4)
    assert told.code == "C.13.1"


@pytest.mark.row("DSP-26")
def test_a_display_that_is_switched_off_is_blank_until_it_is_switched_on(told):
    told.display.on = False
    told.run(2)
    assert told.lcd.sent == bytes(1024) and not told.lcd.light
    told.press()
    told.settings.code = b"PAY"
    told.display.tell("rFAIL", told.now_ms)
    told.run(300)
    assert told.lcd.sent == bytes(1024) and not told.lcd.light
    told.settings.code = b""
    told.display.on = True
    told.run(2)
    assert told.value == "8." * 8
    told.run(7)
    assert told.code == "1.8.0" and told.shown["phases"] == ["L1", "L2", "L3"]


@pytest.mark.row("DSP-26")
def test_a_display_that_starts_switched_off_shows_nothing():
    bench = Bench()
    bench.display.on = False
    bench.display.begin(bench.now_ms)
    bench.run(60)
    assert bench.lcd.sent == bytes(1024) and not bench.lcd.light
    bench.display.key(keys.SCROLL, keys.DOWN, bench.now_ms)  # held while it is switched on
    bench.display.on = True
    bench.run(10)
    bench.display.key(keys.SCROLL, keys.SHORT, bench.now_ms)
    bench.run(150)
    code = bench.code
    bench.run(10)
    assert bench.code != code  # it scrolls


@pytest.mark.row("DSP-34")
def test_lr_marks_values_of_the_legally_relevant_part(told):
    told.display.relevant = lambda one: one == name(1, 8, 0)
    told.run(2)
    assert told.code == "1.8.0" and "LR" in told.shown["cursors"]
    told.run(10)
    assert told.code == "1.7.0" and "LR" not in told.shown["cursors"]
    told.press()
    assert told.code == "C.1.0" and "LR" not in told.shown["cursors"]
    told.press()
    assert told.code == "1.8.0" and "LR" in told.shown["cursors"]
    told.press()
    assert told.value == "End" and "LR" not in told.shown["cursors"]
    told.general.items = []
    told.press(keys.BACK)
    told.run(3)
    assert told.code == "" and "LR" not in told.shown["cursors"]


@pytest.mark.row("DSP-22")
def test_light_comes_with_the_optical_head_and_may_be_none(told):
    told.run(60)
    assert not told.lcd.light
    wanted = [True]
    told.display.light.wanted = lambda: wanted[0]
    told.run(2)
    assert told.lcd.light
    wanted[0] = False
    told.run(27)
    assert told.lcd.light
    told.run(5)
    assert not told.lcd.light
    told.display.times.backlight_s = 0
    wanted[0] = True
    told.press()
    told.run(5)
    assert not told.lcd.light


def test_the_optical_head_keeps_no_menu_open(told):
    told.display.light.wanted = lambda: True
    told.press()
    told.run(121)
    assert told.code == "1.8.0"


@pytest.mark.row("DSP-33")
def test_another_table_changes_the_texts():
    console = Console(menu_tree.FACTORY)
    walks = []
    for language in range(4):
        console.display.console.words.table = languages.table(language)
        console.short(2)
        walk = [console.value]
        while console.short() != walk[0] and len(walk) < 9:
            walk.append(console.value)
        walks.append(walk[-1])
        console.hold(keys.TO_AUTO)
        assert console.code == "1.8.0"
    assert walks == ["End", "EndE", "GotoUo", "GotoUo"]


@pytest.mark.row("DSP-33")
def test_each_word_of_each_language_fits_the_glass_and_can_be_shown():
    assert languages.table(0) is words.ENGLISH
    tables = [languages.table(language) for language in range(4)]
    assert len({table[words.CONNECT] for table in tables[1:]}) == 2
    for table in tables:
        assert len(table) == len(words.ENGLISH)
        for number, word in enumerate(table):
            assert bool(word) == (number != words.NONE)
            assert len(word.replace(".", "")) <= 8, word
            for character in word:
                assert character in " ." or font.shown(character) != " ", word
        # words that would be taken for each other
        choice = [
            table[one] for one in (words.CONNECT, words.DISCONNECT, words.DONE, words.FAILED)
        ]
        assert len(set(choice)) == 4


def test_a_list_of_sixty_four_objects_that_do_not_exist(told):
    told.general.items = [Reference(3, name(199, 99, e), 2) for e in range(64)]
    told.display.times.auto_scroll_s = 1
    told.run(10)
    for _ in range(70):
        told.run(1)
        assert told.value.upper() == "ERROR 23"
