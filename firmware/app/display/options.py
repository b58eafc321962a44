"""What a client sets of the display beside formats and lists: one setting of a few numbers.

Rows DSP-13, DSP-22, DSP-25, DSP-26, DSP-33.
"""

import struct

from micropython import const

from app.display import menu_tree

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import Settings

# Places in the setting "display_options"
AUTO_SCROLL = const(0)  # s that an item is shown
EXIT = const(1)  # s after the last key until it scrolls again
BACKLIGHT = const(2)  # s after the last key; 0: there is none
ON = const(3)
LANGUAGE = const(4)  # number of the language, see languages.py
OPTICAL_LIGHT = const(5)  # 1: the optical head's octets give light as keys do
CONSOLE = const(6)  # type of the console, load profiles in its menu: bits of menu_tree

_FORM = "<HHHBBBB"
_FACTORY = (10, 120, 30, 1, 0, 1, menu_tree.FACTORY)
_LEAST = (1, 5, 0, 0, 0, 0, 0)
_MOST = (3600, 3600, 3600, 1, 3, 1, menu_tree.ALL_BITS)


class Options:
    """The numbers by their places; `on_change` is called after one was set.

    clicks: True if there is a sounder for the keys
    """

    def __init__(self, settings: "Settings") -> None:
        self.values: tuple[int, ...] = _FACTORY
        self.on_change: Callable[[], None] | None = None
        self.clicks = False
        self._settings = settings
        kept = settings.get("display_options")
        if len(kept) == struct.calcsize(_FORM):
            self.values = struct.unpack(_FORM, kept)

    def put(self, place: int, value: int) -> None:
        """Set a number for good. Raises ValueError beyond its range, OSError."""
        if not _LEAST[place] <= value <= _MOST[place]:
            raise ValueError(f"this is {_LEAST[place]} to {_MOST[place]}")
        if place == CONSOLE and value & menu_tree.KEY_CLICK and not self.clicks:
            raise ValueError("no sounder is fitted")
        values = list(self.values)
        values[place] = value
        self._settings.put("display_options", struct.pack(_FORM, *values))
        self.values = tuple(values)
        if self.on_change is not None:
            self.on_change()
