"""What can be set on the meter's ports: optical head, HDLC links, TCP (OPT-02, HDL-01, TCP-04).

The objects of classes 19, 23 and 41 write here, the links read here; a change is stored first and
holds then. Numbers are kept in a setting as one packed record, passwords in one of their own.
A meter whose setting is empty has the values of the constructors.
"""

import struct

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import Settings

# Baud rate by its enumeration in classes 19 and 23, and by its character in IEC 62056-21
BAUD_RATES = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)

# default_mode of class 19
MODE_IEC_62056_21 = const(0)  # opened by a sign-on at the default baud rate
MODE_HDLC = const(1)  # HDLC at the speed of the HDLC set-up object
MODE_EITHER = const(2)  # not specified: both, at the proposed baud rate

INFORMATION_MIN = const(32)
INFORMATION_MAX = 2030
WINDOW_MAX = 7
PASSWORD_MAX = const(16)
KEYS_LENGTH_MAX = const(35)  # four keys of 8 characters and what is between them
DEVICE_ADDRESS_MAX = const(16)  # octets
TCP_CLIENTS_MAX = const(8)

_BAUD_300 = const(0)
_BAUD_9600 = const(5)
_ADDRESS_MIN = const(16)  # lower ones are reserved
_ADDRESS_MAX = const(0x3FFD)
_CALLING = const(0x7E)
_ALL_STATIONS = const(0x7F)
_PASSWORDS = const(3)
_KEYS = const(1)  # index of P2 among them
_KEYS_MAX = const(4)

_LOCAL_FORM = ">BBBB"
_HDLC_FORM = ">BHHBBHHH"
_TCP_FORM = ">HHBH"


class _Stored:
    """Fields kept as numbers in one setting; a subclass names them, packed as `_FORM` says."""

    FIELDS: "tuple[tuple[str, int, int], ...]" = ()  # name, least and largest value
    FORM = ""

    def __init__(self, settings: "Settings | None", key: str) -> None:
        self._settings = settings
        self._key = key
        self.changes = 0  # rises with every change, so that a link sees that there was one
        self.on_change: Callable[[], None] | None = None  # told of a changed number

    def set(self, name: str, value: int) -> None:
        """Store one field. Raises ValueError if it is out of range, OSError if it is not kept."""
        for field, least, largest in self.FIELDS:
            if field == name and not least <= value <= largest:
                raise ValueError("{} must be {} to {}".format(name, least, largest))
        self.check(name, value)
        if self._settings is not None:
            numbers = [value if row[0] == name else getattr(self, row[0]) for row in self.FIELDS]
            self._settings.put(self._key, struct.pack(self.FORM, *numbers))
        setattr(self, name, value)
        self.changes += 1
        if self.on_change is not None:
            self.on_change()

    def check(self, name: str, value: int) -> None:
        """Raise ValueError for what the ranges alone do not exclude."""

    def load(self) -> None:
        """Take the stored values; what is not whole or not in range leaves the factory's."""
        packed = b"" if self._settings is None else self._settings.get(self._key)
        if len(packed) != struct.calcsize(self.FORM):
            return
        values = struct.unpack(self.FORM, packed)
        for index, row in enumerate(self.FIELDS):
            if row[1] <= values[index] <= row[2]:
                setattr(self, row[0], values[index])


class HdlcSettings(_Stored):
    """One HDLC port: what class 23 holds, the most that may be negotiated (rows HDL-01 to -03)."""

    FIELDS = (
        ("speed", 0, len(BAUD_RATES) - 1),
        ("information_transmit", INFORMATION_MIN, INFORMATION_MAX),
        ("information_receive", INFORMATION_MIN, INFORMATION_MAX),
        ("window_transmit", 1, WINDOW_MAX),
        ("window_receive", 1, WINDOW_MAX),
        ("inter_octet_ms", 20, 6000),
        ("inactivity_s", 0, 0xFFFF),
        ("device_address", _ADDRESS_MIN, _ADDRESS_MAX),
    )
    FORM = _HDLC_FORM

    def __init__(
        self, device_address: int = 17, settings: "Settings | None" = None, key: str = ""
    ) -> None:
        super().__init__(settings, key)
        self.speed = _BAUD_9600
        self.information_transmit = INFORMATION_MAX
        self.information_receive = INFORMATION_MAX
        # One until the set-up object says more (row HDL-02): clients are about that lose their
        # count when several frames come in a row.
        self.window_transmit = 1
        self.window_receive = 1
        self.inter_octet_ms = 25
        self.inactivity_s = 120  # 0: a link lasts for ever
        self.device_address = device_address
        self.answer_all_station = True  # False where several meters share the line
        self.load()

    def check(self, name: str, value: int) -> None:
        """Raise ValueError for an address that means something else when sent in one octet."""
        if name == "device_address" and value in (_CALLING, _ALL_STATIONS):
            raise ValueError("this address is for calling or for all stations")

    def baud_rate(self) -> int:
        """Return the speed in baud."""
        return BAUD_RATES[self.speed]


class LocalPortSettings(_Stored):
    """The optical head: what class 19 holds (rows OPT-02, OPT-03, OPT-07, OPT-08).

    A head without passwords opens to nobody, so what protects them may lose them and lock it.
    """

    FIELDS = (
        ("default_mode", MODE_IEC_62056_21, MODE_EITHER),
        ("default_baud", 0, len(BAUD_RATES) - 1),
        ("proposed_baud", 0, len(BAUD_RATES) - 1),
        ("response_time", 0, 1),
    )
    FORM = _LOCAL_FORM

    def __init__(
        self,
        serial_number: bytes,
        settings: "Settings | None" = None,
        key: str = "",
        text_key: str = "",
    ) -> None:
        super().__init__(settings, key)
        self.default_mode = MODE_IEC_62056_21
        self.default_baud = _BAUD_300
        self.proposed_baud = _BAUD_9600
        self.response_time = 1  # 0: 20 ms, 1: 200 ms
        self._text_key = text_key
        self._serial_number = serial_number
        self.device_address = serial_number
        self.passwords: list[bytes] = []  # P1, P2, W5; none if what was stored is damaged
        self.load()
        self._load_texts()

    def response_ms(self) -> int:
        """Return how long the meter waits before it answers a message."""
        return 200 if self.response_time else 20

    def set_device_address(self, address: bytes) -> None:
        """Store the device address of the sign-on: letters, digits and spaces."""
        if not all(
            0x30 <= octet <= 0x39 or 0x41 <= octet <= 0x5A or 0x61 <= octet <= 0x7A
            or octet == 0x20
            for octet in address
        ):  # fmt: skip
            raise ValueError("a device address has letters, digits and spaces only")
        self._put_texts(address, self.passwords)

    def set_password(self, index: int, password: bytes) -> None:
        """Store password 0 P1, 1 P2 or 2 W5: printable, without what ends a data set.

        P2 is up to four keys with commas between them (row OPT-08).
        """
        if index == _KEYS and len(password.split(b",")) > _KEYS_MAX:
            raise ValueError("there are at most four keys")
        if not all(0x20 < octet < 0x7F and octet not in b"()*/!" for octet in password):
            raise ValueError("a password is printable, without ( ) * / !")
        passwords = self.passwords or [b""] * _PASSWORDS
        passwords = passwords[:index] + [password] + passwords[index + 1 :]
        self._put_texts(self.device_address, passwords)

    def _put_texts(self, address: bytes, passwords: "list[bytes]") -> None:
        if len(address) > DEVICE_ADDRESS_MAX:
            raise ValueError("a device address has at most 16 characters")
        packed = bytearray()
        for index, password in enumerate(passwords):
            if len(password) > (KEYS_LENGTH_MAX if index == _KEYS else PASSWORD_MAX):
                raise ValueError("a password has at most 16 characters, the keys 35")
        for text in [address] + passwords:
            packed.append(len(text))
            packed += text
        if self._settings is not None:
            self._settings.put(self._text_key, packed)
        self.device_address = bytes(address) or self._serial_number
        self.passwords = passwords
        self.changes += 1

    def _load_texts(self) -> None:
        packed = b"" if self._settings is None else self._settings.get(self._text_key)
        texts: list[bytes] = []
        at = 0
        while at < len(packed):
            end = at + 1 + packed[at]
            texts.append(packed[at + 1 : end])
            at = end
        if at and at == len(packed) and len(texts) == 1 + _PASSWORDS:
            self.device_address = texts[0] or self._serial_number
            self.passwords = texts[1:]


class TcpSettings(_Stored):
    """COSEM over TCP: what class 41 holds (rows TCP-03 to TCP-05)."""

    FIELDS = (
        ("own_port", 0, 0xFFFF),
        ("segment_size", 40, 0xFFFF),
        ("clients_max", 1, TCP_CLIENTS_MAX),
        ("inactivity_s", 0, 0xFFFF),
    )
    FORM = _TCP_FORM

    def __init__(
        self, port: int = 4059, settings: "Settings | None" = None, key: str = ""
    ) -> None:
        super().__init__(settings, key)
        self.factory_port = port  # the board's
        self.own_port = 0  # 0: none was written
        self.segment_size = 576
        self.clients_max = 5
        self.inactivity_s = 180  # 0: a connection lasts for ever
        self.load()

    @property
    def port(self) -> int:
        """The port to listen on."""
        return self.own_port or self.factory_port

    def set_port(self, port: int) -> None:
        """Store the port to listen on. Raises ValueError for 0."""
        if not port:
            raise ValueError("port must be 1 to 65535")
        self.set("own_port", port)


class Ports:
    """The settings of every port that this meter has."""

    def __init__(
        self, settings: "Settings", serial_number: bytes, tcp: "tuple[str, int] | None"
    ) -> None:
        self.optical = LocalPortSettings(serial_number, settings, "optical_port", "optical_texts")
        self.hdlc_optical = HdlcSettings(17, settings, "hdlc_optical")
        self.hdlc_rs485 = HdlcSettings(17, settings, "hdlc_rs485")
        self.tcp: TcpSettings | None = None
        self.ip_address = ""
        if tcp is not None:
            self.ip_address = tcp[0]
            self.tcp = TcpSettings(tcp[1], settings, "tcp")
