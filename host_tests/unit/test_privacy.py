"""The consumer's PIN: what it hides, how it is entered, changed, forgotten (row DSP-31)."""

import random
import sys
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

from display_rig import Console, PressTimers, name
from test_display_icons import walk

from app.attributes import Reference
from app.display import keys, menu_tree, words
from app.display.privacy import Privacy

PRIVATE = menu_tree.NORMAL_CONSOLE | menu_tree.PRIVACY
GAS = name(24, 2, 1, 0, 1)


class Settings:
    """One setting in a memory that may fail."""

    def __init__(self):
        self.pin = b""
        self.damaged = []
        self.fails = False

    def get(self, key):
        assert key == "privacy_pin"
        return self.pin

    def put(self, key, value):
        assert key == "privacy_pin"
        if self.fails:
            raise OSError
        self.pin = value
        self.damaged.clear()


class Private(Console):
    """A console with privacy, and what a consumer does at it."""

    def __init__(self, options=PRIVATE):
        super().__init__(options)
        self.settings = Settings()
        shown = self.display
        self.privacy = shown.console.privacy = Privacy(
            self.settings,
            lambda: self.bench.options & menu_tree.PRIVACY != 0,
            lambda word: shown.tell(words.ENGLISH[word], self.now_ms),
        )
        shown.item.hides = self.privacy.hides

    def menu(self, wanted):
        """Open an entry of the data menu from automatic scroll."""
        self.run(4)  # what stands there for a moment goes
        self.short(2)
        while self.value != wanted:
            assert self.value != "End", wanted
            self.short()
        self.long()

    def enter(self, digits):
        for digit in digits:
            self.short(int(digit))
            self.long()

    def set_pin(self, pin="2580"):
        self.menu("SEt Pin")
        self.enter(pin + pin)
        return self.value


@pytest.fixture
def console():
    return Private()


@pytest.mark.row("DSP-31", "DSP-25")
def test_nothing_is_hidden_and_no_pin_is_asked_for_until_there_is_one(console):
    assert console.code == "1.8.0" and console.value == "000123.45"
    console.short(2)
    assert walk(console) == ["Std dAtA", "SEt Pin", "End"]
    console.bench.options = menu_tree.NORMAL_CONSOLE
    assert walk(console) == ["Std dAtA", "End"]


@pytest.mark.row("DSP-31")
def test_a_pin_is_set_digit_by_digit_and_twice(console):
    console.menu("SEt Pin")
    assert (console.code, console.value) == ("Pin", "0___")
    console.short(2)
    assert console.value == "2___"
    console.short(9)
    assert console.value == "1___"  # after 9 comes 0
    console.short()
    assert console.long() == [(20, "EntEr")]
    assert console.value == "20__"
    console.short(5)
    console.long()
    assert console.value == "250_"
    console.hold(keys.BACK)  # one digit back
    assert console.value == "25__"
    console.long()
    console.enter("80")
    assert (console.code, console.value[:4]) == ("Pin 2", "0___")
    console.enter("2580")
    assert console.value == "rSUCCESS" and console.settings.pin == b"2580"
    console.run(4)
    assert console.value != "Pin"  # who set it may look on


@pytest.mark.row("DSP-31")
def test_two_pins_that_differ_set_none(console):
    console.menu("SEt Pin")
    console.enter("1234" + "1235")
    assert console.value == "rEJECtEd" and console.settings.pin == b""
    console.run(200)
    assert console.value != "Pin"


@pytest.mark.row("DSP-31")
def test_what_was_measured_is_hidden_once_nobody_is_there(console):
    assert console.set_pin() == "rSUCCESS"
    console.values[GAS] = (1234, 0, 13)
    for one in (GAS, name(96, 1, 0, 0), name(0, 2, 8)):
        console.general.items.append(Reference(3, one, 2))
    console.run(115)
    assert console.value != "Pin"
    console.run(30)
    seen = {}
    for _ in range(70):
        seen.setdefault(console.code, set()).add(console.value)
        console.run(1)
    hidden = {code for code, values in seen.items() if values == {"Pin"}}
    assert hidden == {"1.8.0", "1.7.0", "32.7.0", "1.24.2.1"}
    assert all("Pin" not in seen[code] for code in seen if code not in hidden)
    assert len(seen) == 6  # number and signature are no secrets
    # neither in the menus
    console.short(2)
    console.bench.display.console.profiles = [None, None]
    console.bench.options |= menu_tree.SHOW_PROFILE_1
    assert walk(console) == ["Std dAtA", "Pin", "Pin oFF", "End"]
    console.long()
    console.short()
    assert (console.code, console.value) == ("1.8.0", "Pin")
    console.hold(keys.TO_AUTO)
    # the PIN opens all of it, for as long as somebody presses keys
    console.menu("Pin")
    console.enter("2580")
    assert console.value == "rSUCCESS"
    console.run(4)
    assert console.value != "Pin"
    console.short(2)
    assert walk(console) == ["Std dAtA", "P.01", "SEt Pin", "Pin oFF", "End"]
    console.run(140)
    assert {console.value} == {"Pin"} or console.code in ("C.1.0", "1.0.2.8")


@pytest.mark.row("DSP-31")
def test_three_wrong_ones_are_the_most_until_the_keys_have_rested(console):
    console.set_pin()
    console.run(130)
    for _ in range(3):
        console.menu("Pin")
        console.enter("2581")
        assert console.value == "rEJECtEd"
    for entry in ("Pin", "Pin oFF"):
        console.menu(entry)
        console.enter("2580")  # the right one, too late
        assert console.value == "rEJECtEd"
    assert console.settings.pin == b"2580"
    console.run(130)
    console.menu("Pin")
    console.enter("2580")
    assert console.value == "rSUCCESS"


@pytest.mark.row("DSP-31")
def test_the_pin_is_changed_and_taken_away_by_who_knows_it(console):
    console.set_pin()
    assert console.set_pin("0007") == "rSUCCESS" and console.settings.pin == b"0007"
    console.run(130)
    console.menu("Pin oFF")
    console.enter("2580")
    assert console.value == "rEJECtEd" and console.settings.pin == b"0007"
    console.menu("Pin oFF")
    console.enter("0007")
    assert console.value == "rSUCCESS" and console.settings.pin == b""
    console.run(400)
    assert console.value != "Pin"
    console.short(2)
    assert walk(console) == ["Std dAtA", "SEt Pin", "End"]


@pytest.mark.row("DSP-31")
def test_who_leaves_in_the_middle_has_entered_nothing(console):
    console.menu("SEt Pin")
    console.enter("258")
    console.run(125)
    assert console.code in ("1.8.0", "1.7.0", "32.7.0") and console.settings.pin == b""
    console.menu("SEt Pin")
    console.hold(keys.BACK)
    assert console.value == "SEt Pin"
    console.long()
    console.hold(keys.TO_AUTO)
    assert console.code == "1.8.0"


def test_a_memory_that_fails_is_told(console):
    console.settings.fails = True
    console.menu("SEt Pin")
    console.enter("25802580")
    assert console.value == "rFAiL" and console.settings.pin == b""
    console.settings.fails = False
    console.set_pin()
    console.settings.fails = True
    console.menu("Pin oFF")
    console.enter("2580")
    assert console.value == "rFAiL" and console.settings.pin == b"2580"


def test_a_pin_whose_record_is_damaged_hides_until_it_is_forgotten(console):
    console.settings.damaged.append("privacy_pin")
    assert console.privacy.locked()
    console.menu("Pin")
    console.enter("0000")
    assert console.value == "rEJECtEd" and console.privacy.locked()
    console.privacy.forget()
    assert not console.privacy.locked()


@pytest.mark.row("DSP-31")
def test_the_reduced_console_asks_for_it_too():
    console = Private(menu_tree.PRIVACY)
    console.hold(keys.EXTENDED)
    console.short()
    assert console.value == "SEt Pin"
    console.hold(keys.BACK)
    for _ in range(2):
        for digit in (1, 0, 0, 9):
            console.short(digit)
            console.hold(keys.BACK)
    assert console.value == "rSUCCESS" and console.settings.pin == b"1009"


@pytest.mark.row("DSP-25")
def test_each_key_that_goes_down_is_heard():
    console = Console()
    clicks = []
    console.display.console.click = lambda: clicks.append(console.now_ms)
    console.short()
    assert len(clicks) == 1
    console.down()
    assert len(clicks) == 2
    console.pass_ms(9000)
    console.up()
    assert len(clicks) == 2  # once, however long it is held
    console.hold(keys.SHORT, keys.RESET)
    assert len(clicks) == 3
    console.display.on = False  # switched off: keys do nothing
    console.run(3)
    console.short()
    assert len(clicks) == 3


def test_a_thousand_random_presses_never_open_it():
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    console = Private()
    console.set_pin("9999")
    console.run(130)
    for _ in range(1000):
        kind = chance.choice([keys.SHORT] * 3 + [keys.ENTER] * 3 + [keys.BACK])
        console.bench.press(kind)
        console.bench.due_ms = console.now_ms
        console.run(chance.choice([0.1, 0.1, 4]))
        assert console.settings.pin == b"9999" and console.privacy.locked()
    assert isinstance(console, PressTimers)
