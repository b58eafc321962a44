"""HT1622: glass of 32 segments by 8 commons as a `hal.SegmentLcd` (Holtek HT1622 revision 2.70).

It is written as the HT1621 is, with whose table of commands the codes are compared. A segment has
two addresses: commons 0 to 3, then 4 to 7.
"""

from drivers.ht1621 import Ht1621


class Ht1622(Ht1621):
    """The glass on three pins; bias (1/4) and duty (1/8) are fixed."""

    _ADDRESSES = 64
    # SYS EN, TIMER DIS, WDT DIS, TONE OFF, RC 32K, IRQ DIS, NORMAL
    _SETUP = b"\x01\x04\x05\x08\x18\x80\xe3"
