"""The menus as data: what each press does at each place, and what stands in each menu.

A menu item is added here: a line in its menu, its word in `words`, and, if it opens something of
a new kind, a method of Console. `make menus` publishes this file as docs/menu-tree.md.
Rows KEY-02 to KEY-08, KEY-11, DSP-25, tables 15.2 and 15.4.
"""

from micropython import const

from app.display import words

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    Row = tuple[int, str, int]
    MenuItem = tuple[int, str, int, int]

# Places
START = const(0)  # all segments after power-up (row DSP-02)
NAME = const(1)  # name and version of the meter
AUTO = const(2)  # items of the general list, one after the other
TEST = const(3)  # all segments before the menus (row KEY-04)
INSIDE = const(4)  # in a menu, or in what an item of it has opened
CHECK = const(5)  # test pictures and all characters, by themselves (row DSP-32)
MESSAGE = const(6)  # the consumer's message (row DSP-24)

# What happens
NOTHING = const(0)
OVER = const(1)  # the time of the picture is over
NEXT = const(2)
ENTER = const(3)
BACK = const(4)
ESCAPE = const(5)
MENU = const(6)
SWITCH = const(7)  # manual connect or disconnect
SERVICE = const(8)  # ENTER while the terminal cover is open
SET = const(9)  # short press of the sealed key
CLOSE = const(10)  # long press of the sealed key: end of the billing period (row DEM-08)
LEFT = const(11)  # the upper layer has been left
IDLE = const(12)  # no key for so long that nobody is there
TOLD = const(13)  # there is something to be told
CALLED = const(14)  # there is a message for the consumer
GONE = const(15)  # there is none any more

# What a press of the scroll key means, by keys.SHORT up to keys.CONNECT
REDUCED = (NEXT, NOTHING, ENTER, ENTER, MENU, SWITCH)
NORMAL = (NEXT, ENTER, BACK, ESCAPE, ESCAPE, SWITCH)

# Tips that are known only then
LAYER = const(-1)  # where the layer leads
OFFERED = const(-2)  # what the key would switch

# Place and what happens: place that follows, what is done (a method of Display, or one of OPENS),
# and the tip that tells so while the key is still held. What is not named changes nothing.
TABLE = {
    (START, OVER): (NAME, "_show_name", words.NONE),
    (START, NEXT): (AUTO, "_first", words.NONE),
    (START, ENTER): (INSIDE, "reset", words.ENTER),
    (START, CLOSE): (START, "_close", words.NONE),
    (START, TOLD): (AUTO, "_show_news", words.NONE),
    (NAME, OVER): (AUTO, "_first", words.NONE),
    (NAME, NEXT): (AUTO, "_first", words.NONE),
    (NAME, CLOSE): (NAME, "_close", words.NONE),
    (NAME, TOLD): (AUTO, "_show_news", words.NONE),
    (AUTO, OVER): (AUTO, "_next", words.NONE),
    (AUTO, NEXT): (TEST, "_show_test", words.NONE),
    (AUTO, SERVICE): (INSIDE, "service", words.ENTER),
    (AUTO, SWITCH): (AUTO, "_switch", OFFERED),
    (AUTO, CLOSE): (AUTO, "_close", words.NONE),
    (AUTO, TOLD): (AUTO, "_show_news", words.NONE),
    (TEST, NEXT): (INSIDE, "data", words.NONE),
    (TEST, SET): (INSIDE, "set", words.NONE),
    (TEST, SERVICE): (INSIDE, "service", words.ENTER),
    (TEST, BACK): (AUTO, "_first", words.ESCAPE),
    (TEST, ESCAPE): (AUTO, "_first", words.ESCAPE),
    (TEST, SWITCH): (AUTO, "_switch", OFFERED),
    (TEST, IDLE): (AUTO, "_first", words.NONE),
    (TEST, CLOSE): (TEST, "_close", words.NONE),
    (TEST, TOLD): (AUTO, "_show_news", words.NONE),
    (INSIDE, NEXT): (INSIDE, "_step", words.NONE),
    (INSIDE, ENTER): (INSIDE, "_enter", LAYER),
    (INSIDE, BACK): (INSIDE, "_up", LAYER),
    (INSIDE, ESCAPE): (AUTO, "_first", words.ESCAPE),
    (INSIDE, SWITCH): (AUTO, "_switch", OFFERED),
    (INSIDE, OVER): (INSIDE, "_draw", words.NONE),
    (INSIDE, LEFT): (AUTO, "_first", words.NONE),
    (INSIDE, IDLE): (AUTO, "_first", words.NONE),
    (INSIDE, CLOSE): (INSIDE, "_close", words.NONE),
    (INSIDE, TOLD): (AUTO, "_show_news", words.NONE),
    (CHECK, OVER): (CHECK, "_step", words.NONE),
    (CHECK, NEXT): (CHECK, "_step", words.NONE),
    (CHECK, BACK): (AUTO, "_first", words.ESCAPE),
    (CHECK, ESCAPE): (AUTO, "_first", words.ESCAPE),
    (CHECK, LEFT): (AUTO, "_first", words.NONE),
    (CHECK, CLOSE): (CHECK, "_close", words.NONE),
    (CHECK, TOLD): (AUTO, "_show_news", words.NONE),
    (AUTO, CALLED): (MESSAGE, "_show_message", words.NONE),
    (TEST, CALLED): (MESSAGE, "_show_message", words.NONE),
    (INSIDE, CALLED): (MESSAGE, "_show_message", words.NONE),
    (CHECK, CALLED): (MESSAGE, "_show_message", words.NONE),
    (MESSAGE, CLOSE): (MESSAGE, "_close", words.NONE),
    (MESSAGE, GONE): (AUTO, "_resume", words.NONE),
}

# What differs in the reduced console
REDUCED_TABLE = {
    (AUTO, NEXT): (INSIDE, "list", words.NONE),
    (AUTO, MENU): (INSIDE, "functions", words.ENTER),
    (INSIDE, MENU): (INSIDE, "functions", words.ENTER),
}

# The display's configuration (row DSP-25)
NORMAL_CONSOLE = const(0x01)
SHOW_PROFILE_1 = const(0x02)
SHOW_PROFILE_2 = const(0x04)
KEY_CLICK = const(0x08)
PRIVACY = const(0x10)
ALL_BITS = const(0x1F)
ALWAYS = const(0)
FACTORY = const(0x07)

# Kinds of what opens: methods of Console
MENU_KIND = "menu"  # argument: its place in MENUS
LIST = "manual_list"  # what the alternate list names
PROFILE = "load_profile"  # 1 or 2
ONE_ITEM = "one_item"  # its word: an object alone
PIN_ENTRY = "pin_entry"  # its word: the PIN is asked for, or set
PICTURES = "pictures"  # 1: with all characters
PARTS = "parts"  # the test of the device's parts
RESET = "reset"
FUNCTION = "function"  # its word: something is carried out

OPENS = {
    "data": (MENU_KIND, 0),
    "set": (MENU_KIND, 1),
    "functions": (MENU_KIND, 2),
    "service": (MENU_KIND, 3),
    "list": (LIST, 0),
    "reset": (RESET, 0),
}

# Menus: word, kind, its argument, the bit of the configuration that shows it. End follows.
CONSUMER_ITEMS = (  # each as far as it is there (row DSP-31)
    (words.CONTACT, ONE_ITEM, words.CONTACT, ALWAYS),
    (words.PRICE, ONE_ITEM, words.PRICE, ALWAYS),
    (words.PIN, PIN_ENTRY, words.PIN, PRIVACY),
    (words.SET_PIN, PIN_ENTRY, words.SET_PIN, PRIVACY),
    (words.PIN_OFF, PIN_ENTRY, words.PIN_OFF, PRIVACY),
)
DATA_MENU = (
    (words.STANDARD_DATA, LIST, 0, ALWAYS),
    (words.PROFILE_1, PROFILE, 1, SHOW_PROFILE_1),
    (words.PROFILE_2, PROFILE, 2, SHOW_PROFILE_2),
)
SET_MENU = (
    (words.RESET, RESET, 0, ALWAYS),
    (words.LCD_TEST, PICTURES, 0, ALWAYS),
    (words.LANGUAGE, MENU_KIND, 4, ALWAYS),
)
FUNCTION_MENU = (  # of the reduced console
    (words.CONNECT, FUNCTION, words.CONNECT, ALWAYS),
    (words.DISCONNECT, FUNCTION, words.DISCONNECT, ALWAYS),
    (words.LCD_TEST, PICTURES, 0, ALWAYS),
)
SERVICE_MENU = (  # while the terminal cover is open
    (words.TEST_MODE, FUNCTION, words.TEST_MODE, ALWAYS),
    (words.SELF_CHECK, FUNCTION, words.SELF_CHECK, ALWAYS),
    (words.LCD_TEST, PICTURES, 0, ALWAYS),
    (words.PARTS_TEST, PARTS, 0, ALWAYS),
)
LANGUAGE_MENU = tuple(
    [(word, FUNCTION, word, ALWAYS) for word in range(words.IN_ENGLISH, len(words.ENGLISH))]
)
MENUS = (
    DATA_MENU + CONSUMER_ITEMS,
    SET_MENU,
    FUNCTION_MENU + CONSUMER_ITEMS,
    SERVICE_MENU,
    LANGUAGE_MENU,
)
