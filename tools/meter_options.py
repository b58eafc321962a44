"""The options of programs that talk to a meter; meter_place.py opens what they name.

Apart from it, since a DLMS client takes long to load and `--help` needs none.
"""

from __future__ import annotations

import argparse
from typing import Any, Protocol

_PHYSICAL_MAX = 0x3FFF


class Target(Protocol):
    """A parser or a group of one: argparse's, or pytest's."""

    def add_argument(self, *names: str, **settings: Any) -> object:  # noqa: ANN401 - argparse's
        """Add an option."""
        ...


def add(line: Target, host: str | None = "127.0.0.1") -> None:
    """Add what says where the meter is; without a `host` there may be none."""
    shown = f" ({host})" if host else ""
    line.add_argument("--host", default=host, metavar="HOST[:PORT]", help=f"its address{shown}")
    line.add_argument(
        "--port", type=_port, help="TCP port (4059; 4060 with --hdlc, 4061 with --optical)"
    )
    line.add_argument("--hdlc", action="store_true", help="HDLC over that port, as RS485")
    line.add_argument(
        "--optical", action="store_true", help="sign on at an optical head first (mode E)"
    )
    line.add_argument("--serial", metavar="DEVICE", help="a serial line with HDLC instead of TCP")
    line.add_argument("--baud", type=_baud, help="of the serial line (9600; 300 with --optical)")
    line.add_argument(
        "--address", type=_address, default=0, metavar="N",
        help="its HDLC address on the bus, 16 to 16381 (whoever is alone there)",
    )  # fmt: skip
    line.add_argument("--password", default="12345678", help="of the management client")


def again(options: argparse.Namespace) -> list[str]:
    """Return the options as a command line for another program."""
    words: list[str] = []
    for name in ("host", "port", "serial", "baud", "address", "password"):
        value = getattr(options, name)
        if value:
            words += [f"--{name}", str(value)]
    words += [f"--{name}" for name in ("hdlc", "optical", "change") if getattr(options, name)]
    return words


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError("a port is 1 to 65535")
    return int(text)


def _baud(text: str) -> int:
    if not text.isdecimal() or not 50 <= int(text) <= 4_000_000:
        raise argparse.ArgumentTypeError("a rate is 300, 2400, 9600 and the like")
    return int(text)


def _address(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _PHYSICAL_MAX:
        raise argparse.ArgumentTypeError("an HDLC address is 16 to 16381")
    return int(text)
