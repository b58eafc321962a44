"""HT1622, RAM mapping controller of a segment glass of 8 commons (Holtek HT1622 revision 2.70).

Two addresses a segment: commons 0 to 3, then 4 to 7. Bias and duty are fixed.
"""

from .ht1621 import Ht1621


class Ht1622(Ht1621):
    """The controller with its glass."""

    ADDRESSES = 64
    COMMONS = 8

    def _suits(self) -> bool:
        return self.clock != "crystal"

    def _own_command(self, code: int) -> None:
        """It has none."""
