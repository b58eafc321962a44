"""The words that the glass shows by itself: menus, tips, what has become of a request.

A table has one text of at most eight characters for each number below, in their order; another
language is another table.
"""

from micropython import const

NONE = const(0)
END = const(1)  # behind the last entry
ENTER = const(2)  # tips: what letting go of the key would do now
LAYER_UP = const(3)
ESCAPE = const(4)
STANDARD_DATA = const(5)
PROFILE_1 = const(6)
PROFILE_2 = const(7)
RESET = const(8)
LCD_TEST = const(9)
TEST_MODE = const(10)
SELF_CHECK = const(11)
CONNECT = const(12)
DISCONNECT = const(13)
RELEASE = const(14)
DONE = const(15)  # what has become of a reset
FAILED = const(16)
REJECTED = const(17)
EMPTY = const(18)  # stands for a list without items
LANGUAGE = const(19)
CONTACT = const(20)  # items of the consumer (row DSP-31)
PRICE = const(21)
PIN = const(22)
SET_PIN = const(23)
PIN_OFF = const(24)
PARTS_TEST = const(25)
IN_ENGLISH = const(26)  # names of languages in the order of `languages`, each in its own

ENGLISH = (
    "",
    "End",
    "EntEr",
    "LAYEr UP",
    "ESC",
    "Std dAtA",
    "P.01",
    "P.02",
    "rESEt",
    "LCd tESt",
    "tESt",
    "SELF tSt",
    "ConnEct",
    "dISconn",
    "rELEASE",
    "rSuCCESS",
    "rFAIL",
    "rEJEctEd",
    "--------",
    "LAnGUAGE",
    "ContACt",
    "PrICE",
    "PIn",
    "SEt PIn",
    "PIn OFF",
    "PArtS",
    "EnGLISH",
    "dEUtSCH",
    "SrPS.",
    "SLOU.",
)


class Words:
    """The words of one meter in its language."""

    def __init__(self) -> None:
        self.table: tuple[str, ...] = ENGLISH

    def __call__(self, number: int) -> str:
        """Return a word."""
        return self.table[number]
