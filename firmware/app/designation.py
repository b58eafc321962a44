"""The type designation: an ordering code made of what this meter has (rows IDN-08, PRD-19).

    FRSMT-D2A42R56S63-V12V13P1B11L11-M3K0reZ

Connection (D1 up to 85 A, D3 100 A, D2 120 A, T1 transformer), class of active energy (A3 0.5S,
A4 1, A5 2) with 1 one way, 2 two way, 4 absolute, reactive and apparent energy; inputs,
disconnector, relay, pulse output; reserve of the clock, optical head, ports, load profile. Code
and flags, one bit a feature, come from the same table.
"""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Board

POLYPHASE = const(0)
TRANSFORMER = const(1)
TWO_WAY = const(2)
ABSOLUTE = const(3)
# bit, what it is called in the code; a gap between the groups
_FEATURES = (
    (4, "V12V13"),  # tariff inputs
    (5, "P1"),  # disconnector
    (6, "B11"),  # relay
    (7, "L11"),  # OptoMOS
    (-1, "-"),
    (8, "M2"),  # supercap
    (9, "M3"),  # battery
    (10, "K0"),  # optical head
    (11, "r"),  # RS485
    (12, "e"),  # TCP
    (13, "a"),  # modem
    (14, "g"),  # M-Bus
    (15, "n"),  # P1
    (16, "Z"),  # load profile
)
_TARIFF_INPUTS = const(2)
_CONNECTIONS = ((85_000, "D1"), (100_000, "D3"))  # up to mA
_ACCURACY = {b"0.5S": 3, b"1": 4, b"2": 5}


def flags_of(board: "Board", mode: int, supercap: bool) -> int:
    """Return the features as bits; `mode` is that of registration: 0 to 2."""
    variant = board.variant
    has = (
        variant.phases > 1,
        variant.transformer,
        mode == 1,
        mode == 2,
        len(board.inputs) >= _TARIFF_INPUTS,
        True,  # every board has a disconnector
        bool(board.relays),
        board.pulse_output is not None,
        supercap,
        not supercap,
        True,  # an optical head and RS485, too
        True,
        board.tcp is not None,
        False,
        False,
        False,
        True,
    )
    flags = 0
    for bit, present in enumerate(has):
        flags |= present << bit
    return flags


def designation(flags: int, maximum_current_ma: int, accuracy: bytes) -> bytes:
    """Return the code of a meter with these features."""
    connection = "T1" if flags >> TRANSFORMER & 1 else "D2"
    if connection != "T1":
        for most_ma, name in _CONNECTIONS:
            if maximum_current_ma <= most_ma:
                connection = name
                break
    way = 4 if flags >> ABSOLUTE & 1 else 1 + (flags >> TWO_WAY & 1)
    form = "MT" if flags >> POLYPHASE & 1 else "ME"
    code = "FRS{}-{}A{}{}R56S63-".format(form, connection, _ACCURACY[accuracy], way)
    for bit, name in _FEATURES:
        if bit < 0 or flags >> bit & 1:
            code += name
    return code.encode()
