"""Both keys mashed on every glass while all else changes: never a crash, always a way back."""

import random
import sys
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

import scene_parts
import scenes
from test_privacy import Settings

from app.attributes import Reference
from app.display import keys, languages, menu_tree, words
from app.display.display import Display
from app.display.privacy import Privacy
from app.errors import AccessRefused, BufferFull

PRESSES = 3_400  # on each glass
KINDS = (keys.SHORT, keys.ENTER, keys.BACK, keys.TO_AUTO, keys.EXTENDED, keys.CONNECT)
PAUSES_MS = (0, 20, 300, 1500, 4000, 130_000)


class Crowd:
    """A list of 64 whose objects are there, are not, fail, or are longer than any format."""

    def __init__(self, chance):
        self.items = [
            Reference(3, bytes((1, 0, 1 + n % 90, chance.randrange(100), n, 255)), 2)
            for n in range(64)
        ]

    def count(self):
        return len(self.items)

    def reference(self, at):
        return self.items[at]


class Mash:
    """A display whose surroundings change at random."""

    def __init__(self, glass, chance):
        self.chance = chance
        lcd, view = scenes.fit(glass)
        self.lcd = lcd
        self.display = Display(view, Crowd(chance), Crowd(chance), self.read, self.status)
        console = self.console = self.display.console
        self.bits = menu_tree.FACTORY
        console.options = lambda: self.bits
        console.profiles = [scene_parts.Profile(), scene_parts.Profile()]
        console.switch = scene_parts.Switch()
        console.master_reset = lambda: words.DONE
        console.functions = dict.fromkeys(range(len(words.ENGLISH)), self.told)
        console.privacy = Privacy(
            Settings(), lambda: self.bits & menu_tree.PRIVACY != 0, self.told
        )
        self.display.item.hides = console.privacy.hides
        self.now_ms = chance.randrange(1 << 30)
        self.display.begin(self.now_ms)

    def read(self, _reference):
        wild = (
            -(10**40),
            10**40,
            1e38,
            float("nan"),
            b"",
            bytes(200),
            b"A.:" * 40,
            None,
            [7],
            "?",
        )
        one = self.chance.randrange(20)
        if one == 0:
            raise self.chance.choice(
                (AccessRefused(4), AccessRefused(3), BufferFull(), ValueError())
            )
        value = wild[one - 1] if one <= len(wild) else self.chance.randrange(-(10**9), 10**9)
        return value, self.chance.randrange(-10, 10), self.chance.choice((30, 27, 35, 255, 99))

    def status(self, shown):
        for name in self.chance.sample(scenes.indicators.NAMES, 4):
            shown.set(name, self.chance.random() < 0.5)
        shown.icon(scenes.indicators.CONTACTOR, self.chance.randrange(4))

    def told(self, word=words.DONE):
        self.display.tell(self.console.words(word), self.now_ms)

    def pass_ms(self, ms):
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            wait_ms = self.display.tick(self.now_ms % (1 << 30))
            assert 0 < wait_ms <= 10_000
            self.now_ms = min(end_ms, self.now_ms + max(wait_ms, 100))

    def change(self):
        what = self.chance.randrange(4)
        if what == 0:
            self.bits = self.chance.randrange(menu_tree.ALL_BITS + 1)
        elif what == 1:
            self.console.words.table = languages.table(self.chance.randrange(4))
        elif what == 2:
            opened = self.chance.random() < 0.5
            self.console.cover_open = lambda: opened
        else:
            self.display.begin(self.now_ms)  # the power was cut

    def mash(self):
        number = self.chance.choice((keys.SCROLL, keys.SCROLL, keys.RESET))
        press = self.chance.random() < 0.9
        self.display.key(number, keys.DOWN, self.now_ms % (1 << 30))
        if press:
            kind = self.chance.choice(KINDS)
            for on_the_way in range(keys.SHORT + 1, kind + 1):
                self.display.key(number, keys.HELD | on_the_way, self.now_ms % (1 << 30))
            self.display.key(number, kind, self.now_ms % (1 << 30))


@pytest.mark.parametrize("glass", scenes.GLASSES)
def test_ten_thousand_presses_while_all_changes_leave_a_way_back(glass):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    mash = Mash(glass, chance)
    for _ in range(PRESSES):
        mash.mash()
        if chance.random() < 0.02:
            mash.change()
        mash.pass_ms(chance.choice(PAUSES_MS[:4] if chance.random() < 0.97 else PAUSES_MS))
    for number in (keys.SCROLL, keys.RESET):
        mash.display.key(number, keys.SHORT, mash.now_ms % (1 << 30))
    mash.pass_ms(140_000)
    mash.bits = menu_tree.FACTORY
    assert mash.display._place == menu_tree.AUTO and not mash.display._layers
    mash.display.key(keys.SCROLL, keys.DOWN, mash.now_ms % (1 << 30))
    mash.display.key(keys.SCROLL, keys.SHORT, mash.now_ms % (1 << 30))
    assert mash.display._place == menu_tree.TEST and any(mash.lcd.sent)
