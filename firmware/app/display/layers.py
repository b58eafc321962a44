"""Layers: sequences of entries that short presses lead through, with End behind the last.

A menu, a list of values, test pictures are layers; a long press opens the layer that an entry
leads to, or leads one layer up where it leads nowhere. `display` keeps the stack of open ones.
"""

from micropython import const

from app.display import font, words
from app.display.fields import CODE_CELLS, VALUE_CELLS
from app.display.reading import Item

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.attributes import Reference
    from app.display.console import Console
    from app.display.fields import Fields
    from app.display.menu_tree import MenuItem
    from app.display.reading import Read

    class Listing(Protocol):
        """What tells the references of values, in their order."""

        def count(self) -> int:
            """Return how many items there are."""
            ...

        def reference(self, at: int) -> "Reference":
            """Return what an item shows."""
            ...


_PICTURES = const(4)
NOT_TAKEN = const(-1)


class Layer:
    """One layer; `at` is the entry that is shown, or End."""

    ends = True  # False: the layer is left behind its last entry
    bare = False  # True: nothing but the entry is on the glass

    def __init__(self) -> None:
        self.at = 0

    def length(self) -> int:
        """Return how many entries there are now."""
        raise NotImplementedError

    def draw(self, view: "Fields", renew: bool) -> None:
        """Show entry `at`; not `renew`: it is shown already, a second has passed."""
        raise NotImplementedError

    def at_end(self) -> bool:
        """Tell whether End is shown."""
        return self.at >= self.length()

    def step(self) -> bool:
        """Go to the next entry; False if the layer is left by that."""
        self.at = 0 if self.at_end() else self.at + 1
        return self.ends or not self.at_end()

    def key(self, number: int, kind: int, down: int) -> int:
        """Take what a key does itself; `down`: bits of those that are pressed.

        Returns NOT_TAKEN if it does not, or a word to be shown for a moment, words.NONE for none.
        """
        return NOT_TAKEN

    def shown(self) -> "bytes | None":
        """Return the logical name of the object whose value is shown, if one is."""
        return None

    def leads(self) -> bool:
        """Tell whether the entry opens something."""
        return False

    def open(self) -> "Layer | None":
        """Return the layer that the entry opens; None if it was carried out instead."""
        return None


class Items(Layer):
    """The values of a display list."""

    def __init__(self, items: "Listing", read: "Read", item: Item) -> None:
        super().__init__()
        self._list = items
        self._read = read
        self._item = item
        self._shift = 0  # characters by which a long string has moved

    def length(self) -> int:
        """Return how many items the list has."""
        return self._list.count()

    def draw(self, view: "Fields", renew: bool) -> None:
        """Read the item and show it; a long string moves on."""
        item = self._item
        changed = item.refresh(self._list.reference(self.at), self._read, renew)
        overhang = self.overhang()
        if renew:
            self._shift = 0
        elif overhang:
            self._shift = (self._shift + 1) % (overhang + 2)
            changed = True
        if changed or renew:
            view.value(item.part(min(self._shift, overhang)), item.is_text)
            view.code(item.code)
            view.unit(item.unit)

    def overhang(self) -> int:
        """Return how many characters of the item do not fit the value field (row DSP-14)."""
        return self._item.overhang()

    def shown(self) -> "bytes | None":
        """Return the logical name of the item."""
        if self.at_end():
            return None
        name = self._list.reference(self.at).logical_name
        return None if self._item.hides(name) else name


class Alone:
    """A list of one item."""

    def __init__(self, reference: "Reference") -> None:
        self._reference = reference

    def count(self) -> int:
        """Return how many there are."""
        return 1

    def reference(self, at: int) -> "Reference":
        """Return the item."""
        return self._reference


class Menu(Layer):
    """A menu of the tree; what its configuration hides is not there."""

    def __init__(self, console: "Console", items: "tuple[MenuItem, ...]") -> None:
        super().__init__()
        self._console = console
        self._items = items

    def _shown(self) -> "list[MenuItem]":
        console = self._console
        options = console.options()
        return [
            item
            for item in self._items
            if item[3] & options == item[3] and console.can(item[1], item[2])
        ]

    def length(self) -> int:
        """Return how many items are to be seen."""
        return len(self._shown())

    def draw(self, view: "Fields", renew: bool) -> None:
        """Show the item's word; what was there may be gone since it was looked for."""
        items = self._shown()[self.at :]
        show(view, self._console.words(items[0][0] if items else words.END))

    def leads(self) -> bool:
        """Tell whether an item is shown."""
        return not self.at_end()

    def open(self) -> "Layer | None":
        """Open what the item stands for."""
        items = self._shown()[self.at :]
        return self._console.open(items[0][1], items[0][2]) if items else None


class Pictures(Layer):
    """The test pictures of the glass: all segments, odd, even, none (row KEY-08).

    `characters`: then all characters that it can show, in both fields (row DSP-32).
    """

    ends = False
    bare = True

    def __init__(self, characters: bool) -> None:
        super().__init__()
        self._length = _PICTURES
        if characters:
            self._length -= -len(font.CHARACTERS) // CODE_CELLS

    def length(self) -> int:
        """Return how many pictures there are."""
        return self._length

    def draw(self, view: "Fields", renew: bool) -> None:
        """Show a picture."""
        if not renew:
            return
        if self.at < _PICTURES:
            view.test(self.at)
            return
        page = self.at - _PICTURES
        known = font.CHARACTERS + font.CHARACTERS
        at = page * VALUE_CELLS % len(font.CHARACTERS)
        view.value(known[at : at + VALUE_CELLS], True)
        at = page * CODE_CELLS
        view.code(known[at : at + CODE_CELLS])


def show(view: "Fields", text: str) -> None:
    """Show a text alone."""
    view.value(text, True)
    view.code("")
    view.unit("")
