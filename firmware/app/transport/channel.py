"""What a link asks of the DLMS server above it: types only, nothing of it exists at run time."""

from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from typing import Protocol

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
            """Carry out `apdu`, write the answer into `reply`, return its length, 0 for none."""
            ...

        def lost(self) -> None:
            """End what was open: the link is gone."""
            ...
