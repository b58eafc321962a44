"""What a link asks of the DLMS server above it: types only, nothing of it exists at run time."""

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from typing import Protocol

    class Link(Protocol):
        """What brings APDUs to a channel, without I/O."""

        working: bool  # true: the channel is at work, call `work` until it is not

        def work(self) -> None:
            """Let the channel go on with its long request."""
            ...

        def output(self, buffer: memoryview) -> int:
            """Write the next octets to be sent and return how many, 0 if there is nothing."""
            ...

    class Channel(Protocol):
        """One connection's way into the DLMS server; it holds at most one association."""

        def request(
            self,
            client_sap: int,
            server_sap: int,
            apdu: memoryview,
            reply: bytearray,
            now_ms: int,
        ) -> int:
            """Carry out `apdu`, write the answer into `reply`, return its length, 0 for none.

            Less than 0: it takes long, and `apdu` and `reply` have to stay as they are until
            `proceed` returns something else.
            """
            ...

        def proceed(self, reply: bytearray) -> int:
            """Do the next few milliseconds of a long request; returns what `request` does."""
            ...

        def more(self, reply: bytearray) -> int:
            """Write an APDU that follows the answer unasked, return its length, 0 for none."""
            ...

        def lost(self) -> None:
            """End what was open: the link is gone."""
            ...
