"""What the keys reach: the configuration of the console, what menus open, what they carry out.

`display` asks what a press means here; layers ask what an item stands for. Whoever has something
that a key may do hands it in as a callable; an item without one is not in its menu.
"""

from micropython import const

from app.attributes import Reference
from app.display import keys, layers, menu_tree, words
from app.errors import MeterError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from app.display.display_list import DisplayList
    from app.display.layers import Layer
    from app.display.menu_tree import Row
    from app.display.privacy import Privacy
    from app.display.reading import Item, Read
    from app.display.test_report import Test
    from app.rows import RowSource

    class Switch(Protocol):
        """What the scroll key may switch, held for ten seconds: the disconnector."""

        def offered(self) -> int:
            """Return what a key may do now: words.CONNECT, words.DISCONNECT, words.NONE."""
            ...

        def carry_out(self) -> None:
            """Do that."""
            ...


# Objects that the consumer's menu shows alone: contact details, price (row DSP-31)
_ALONE = {
    words.CONTACT: Reference(1, b"\x00\x00\xc4\x01\x08\xff", 2),
    words.PRICE: Reference(113, b"\x00\x00\x13\x14\x00\xff", 5),
}


class Console:
    """The console of one meter.

    options: returns the configuration, bits of menu_tree (row DSP-25)
    cover_open: tells whether the terminal cover is open; the service menu is reached then
    switch: None, or what the scroll key connects and disconnects
    profiles: the rows of load profile 1 and of load profile 2
    functions: what menus can carry out, by its word
    device_test: None, or begins the test of the device's parts and returns it
    master_reset: None, or sets the meter back and returns the word that tells how it went
    privacy: None, or the consumer's PIN
    click: None, or lets a key that goes down be heard, if that is wanted
    """

    def __init__(self, alternate: "DisplayList", read: "Read", item: "Item") -> None:
        self.words = words.Words()
        self.options: Callable[[], int] = lambda: menu_tree.FACTORY
        self.cover_open: Callable[[], bool] = lambda: False
        self.switch: Switch | None = None
        self.profiles: Sequence[RowSource] = ()
        self.functions: dict[int, Callable[[], None]] = {}
        self.device_test: Callable[[], Test] | None = None
        self.master_reset: Callable[[], int] | None = None
        self.privacy: Privacy | None = None
        self.click: Callable[[], None] | None = None
        self._alternate = alternate
        self._read = read
        self._item = item

    def event(self, place: int, number: int, kind: int) -> int:
        """Return what a press means at a place."""
        if number == keys.RESET:
            if kind == keys.SHORT:
                return menu_tree.SET
            return menu_tree.CLOSE if kind >= keys.BACK else menu_tree.NOTHING
        normal = self.normal() or place in (menu_tree.START, menu_tree.CHECK)
        event = (menu_tree.NORMAL if normal else menu_tree.REDUCED)[kind - keys.SHORT]
        if event == menu_tree.SWITCH and not self.offered():
            event = menu_tree.ESCAPE if normal else menu_tree.MENU
        service = (place, menu_tree.SERVICE) in menu_tree.TABLE
        if event == menu_tree.ENTER and service and self.cover_open():
            event = menu_tree.SERVICE
        return event

    def row(self, place: int, event: int) -> "Row | None":
        """Return what the table says about an event; None: nothing is done."""
        row = None if self.normal() else menu_tree.REDUCED_TABLE.get((place, event))
        row = row or menu_tree.TABLE.get((place, event))
        opens = menu_tree.OPENS.get(row[1]) if row else None
        return row if opens is None or self.can(*opens) else None

    def normal(self) -> bool:
        """Tell whether the console is the normal one, not the reduced one."""
        return self.options() & menu_tree.NORMAL_CONSOLE != 0

    def offered(self) -> int:
        """Return the word of what the key would switch, words.NONE if it would not."""
        return words.NONE if self.switch is None else self.switch.offered()

    def can(self, kind: str, argument: int) -> bool:
        """Tell whether something is there to be opened or carried out."""
        if kind == menu_tree.FUNCTION:
            return argument in self.functions or argument == self.offered()
        if kind == menu_tree.PROFILE:
            hidden = self.privacy is not None and self.privacy.locked()
            return argument <= len(self.profiles) and not hidden
        if kind == menu_tree.PIN_ENTRY:
            return self.privacy is not None and self.privacy.offers(argument)
        if kind == menu_tree.ONE_ITEM:
            return self._is_there(_ALONE[argument])
        if kind == menu_tree.PARTS:
            return self.device_test is not None
        return kind != menu_tree.RESET or self.master_reset is not None

    def rest(self) -> None:
        """Take notice that nobody is at the keys any more."""
        if self.privacy is not None:
            self.privacy.rest()

    def _is_there(self, reference: Reference) -> bool:
        try:
            return bool(self._read(reference)[0])
        except (MeterError, ValueError):
            return False

    def open(self, kind: str, argument: int) -> "Layer | None":
        """Return the layer that opens; None if something was carried out instead."""
        return getattr(self, kind)(argument)

    # -- kinds of what opens ---------------------------------------------------------------

    def menu(self, number: int) -> "Layer":
        """Return a menu."""
        return layers.Menu(self, menu_tree.MENUS[number])

    def manual_list(self, _argument: int) -> "Layer":
        """Return the alternate list (row KEY-07)."""
        return layers.Items(self._alternate, self._read, self._item)

    def one_item(self, word: int) -> "Layer":
        """Return the object that stands under a word."""
        return layers.Items(layers.Alone(_ALONE[word]), self._read, self._item)

    def pin_entry(self, word: int) -> "Layer | None":
        """Return what asks for the PIN."""
        from app.display.pin_entry import PinDigit

        return None if self.privacy is None else PinDigit(self.privacy, word)

    def load_profile(self, number: int) -> "Layer":
        """Return a load profile (row LPR-16)."""
        from app.display.profile_layers import Days

        code = self.words(words.PROFILE_1 + number - 1)
        return Days(self.profiles[number - 1], code, self._read, self._item)

    def pictures(self, characters: int) -> "Layer":
        """Return the test of the glass (rows KEY-08, DSP-32)."""
        return layers.Pictures(characters != 0)

    def parts(self, _argument: int) -> "Layer | None":
        """Begin the test of the parts; return its report."""
        from app.display.test_report import TestReport

        return self.device_test and TestReport(self.words, self.device_test())

    def reset(self, _argument: int) -> "Layer":
        """Return the procedure that resets the meter (row KEY-09)."""
        from app.display.reset_procedure import ResetProcedure

        return ResetProcedure(self)

    def function(self, word: int) -> None:
        """Do what stands under a word."""
        if word in self.functions:
            self.functions[word]()
        elif self.switch is not None:
            self.switch.carry_out()
