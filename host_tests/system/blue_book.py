"""Interface classes as the standard has them, for tests of the object model (IEC 62056-62).

Written from the Blue Book, not from the firmware: how many attributes and methods a version has,
and which types and ranges the attributes that are read may show.
"""

from app.axdr import (
    ARRAY,
    BIT_STRING,
    BOOLEAN,
    ENUM,
    INT8,
    INT16,
    OCTET_STRING,
    STRUCTURE,
    UINT8,
    UINT16,
    UINT32,
)

NUMBERS = (5, 6, 15, 16, 17, 18, 20, 21, 22, 23, 24)
ANY = None
UNITS = {*range(1, 73), 128, 253, 254, 255}
BAUD = range(10)


class Class:
    """A class: {version: (attributes, methods)} and what attributes 2.. look like."""

    def __init__(self, sizes, *attributes):
        self.versions = set(sizes)
        self._sizes = sizes
        self.types = attributes

    def attributes(self, version):
        return self._sizes[version][0]

    def methods(self, version):
        return self._sizes[version][1]


def one_of(*tags):
    return lambda value: value[0] in tags


def number(tag, allowed=None):
    return lambda value: value[0] == tag and (allowed is None or value[1] in allowed)


def octets(*sizes):
    return lambda value: value[0] == OCTET_STRING and (not sizes or len(value[1]) in sizes)


def text(longest):
    return lambda value: value[0] == OCTET_STRING and len(value[1]) <= longest


def array(element):
    return lambda value: value[0] == ARRAY and all(element(one) for one in value[1])


def structure(*elements):
    def fits(value):
        same = value[0] == STRUCTURE and len(value[1]) == len(elements)
        return same and all(check_(one) for check_, one in zip(elements, value[1], strict=True))

    return fits


def either(*checks):
    return lambda value: any(one(value) for one in checks)


def anything(_value):
    return True


def date_time(value):
    """12 octets, each field in its range or not specified."""
    if value[0] != OCTET_STRING or len(value[1]) != 12:
        return False
    _, _, month, day, weekday, hour, minute, second, hundredths = value[1][:9]
    deviation = int.from_bytes(value[1][9:11], "big", signed=True)
    return (
        (1 <= month <= 12 or month in (0xFD, 0xFE, 0xFF))
        and (1 <= day <= 31 or day in (0xFD, 0xFE, 0xFF))
        and (1 <= weekday <= 7 or weekday == 0xFF)
        and (hour <= 23 or hour == 0xFF)
        and (minute <= 59 or minute == 0xFF)
        and (second <= 59 or second == 0xFF)
        and (hundredths <= 99 or hundredths == 0xFF)
        and (-720 <= deviation <= 840 or deviation == -0x8000)
    )


U8, U16, U32 = number(UINT8), number(UINT16), number(UINT32)
NAME = octets(6)
SCALER_UNIT = structure(number(INT8, range(-12, 13)), number(ENUM, UNITS))
OBJECT_ID = either(
    structure(*[U8] * 7), structure(U8, U8, U16, U8, U8, U8, U8), octets(7)
)  # fmt: skip
CAPTURE_OBJECT = structure(U16, NAME, number(INT8), U16)
ELEMENT = structure(U16, U8, NAME, structure(one_of(ARRAY), one_of(ARRAY)))
CLASSES = {
    1: Class({0: (2, 0)}, anything),
    3: Class({0: (3, 1)}, one_of(OCTET_STRING, *NUMBERS), SCALER_UNIT),
    4: Class({0: (5, 1)}, one_of(0, *NUMBERS), SCALER_UNIT, anything, date_time),
    5: Class({0: (9, 2)}, one_of(*NUMBERS), one_of(*NUMBERS), SCALER_UNIT, anything, date_time),
    6: Class({0: (4, 3)}),
    7: Class(
        {1: (8, 2)},
        one_of(ARRAY), array(CAPTURE_OBJECT), U32, number(ENUM, range(1, 7)),
        either(CAPTURE_OBJECT, number(0)), U32, U32,
    ),
    8: Class(
        {0: (9, 6)},
        date_time, number(INT16, range(-720, 841)), U8, date_time, date_time,
        number(INT8, range(-120, 121)), number(BOOLEAN), number(ENUM, range(6)),
    ),
    9: Class({0: (2, 1)}, one_of(ARRAY)),
    10: Class({0: (2, 3)}, one_of(ARRAY)),
    11: Class({0: (2, 2)}, one_of(ARRAY)),
    15: Class(
        {1: (9, 4), 2: (11, 6), 3: (11, 6)},
        array(ELEMENT), structure(number(INT8), U16), OBJECT_ID,
        structure(
            lambda v: v[0] == BIT_STRING and v[1][0] == 24, U16, U16, number(UINT8, {6}),
            number(INT8), text(64),
        ),
        OBJECT_ID, anything, number(ENUM, {0, 1, 2}), NAME,
    ),
    17: Class({0: (2, 1)}, array(structure(U16, text(16)))),
    18: Class({0: (7, 4)}, U32, one_of(BIT_STRING), U32, number(BOOLEAN), number(ENUM, range(8))),
    19: Class(
        {1: (9, 0)},
        number(ENUM, range(3)), number(ENUM, BAUD), number(ENUM, BAUD), number(ENUM, range(2)),
        text(16), text(16), text(16), text(16),
    ),
    20: Class({0: (10, 1)}),
    21: Class({0: (4, 0)}, one_of(ARRAY), structure(U16, NAME, number(INT8)), one_of(ARRAY)),
    22: Class(
        {0: (4, 0)},
        structure(NAME, U16), number(ENUM, range(1, 6)), array(structure(octets(4), octets(5))),
    ),
    23: Class(
        {0: (9, 0), 1: (9, 0)},
        number(ENUM, BAUD), number(UINT8, range(1, 8)), number(UINT8, range(1, 8)),
        number(UINT16, range(32, 2031)), number(UINT16, range(32, 2031)),
        number(UINT16, range(20, 6001)), U16, number(UINT16, range(16, 0x3FFE)),
    ),
    27: Class({0: (4, 0), 1: (4, 0)}),
    28: Class({0: (6, 0), 2: (7, 0)}),
    29: Class({1: (6, 1), 2: (6, 1)}),
    40: Class({0: (7, 1), 1: (10, 1), 2: (13, 1)}, one_of(ARRAY)),
    41: Class({0: (6, 0)}, U16, NAME, number(UINT16, range(40, 65536)), U8, U16),
    42: Class(
        {0: (10, 3)},
        NAME, U32, one_of(ARRAY), one_of(ARRAY), U32, U32, number(BOOLEAN), U32, U32,
    ),
    44: Class({0: (6, 0)}),
    45: Class({0: (4, 0)}),
    47: Class({0: (8, 0), 1: (8, 0)}),
    64: Class(
        {0: (5, 2), 1: (6, 8)},
        number(ENUM), number(ENUM, range(3)), octets(0, 8), octets(8), one_of(ARRAY),
    ),
    70: Class({0: (4, 2)}, number(BOOLEAN), number(ENUM, range(3)), number(ENUM, range(7))),
    71: Class({0: (11, 0)}),
    72: Class({0: (12, 8), 1: (14, 8)}),
    111: Class({0: (19, 3)}),
    112: Class({0: (11, 3)}),
    113: Class({0: (13, 5)}),
    115: Class({0: (6, 1)}),
}  # fmt: skip

# Their own value, written back, would mean something else: the choice of any mechanism
DANGEROUS = {(15, bytes((0, 0, 40, 0, e, 255)), 6) for e in range(10)}


def check(class_id, version, index, value, where):
    """Hold a value to its class; what the table above leaves open may be anything."""
    types = CLASSES[class_id].types
    if index - 2 < len(types):
        assert types[index - 2](value), (*where, f"version {version}", value)
