"""How a link waits for an answer that takes long, while all other tasks go on."""

import asyncio

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.transport.channel import Link


async def finish(link: "Link", buffer: memoryview) -> int:
    """Let a long request be done; return what `output` does then."""
    while link.working:
        link.work()
        await asyncio.sleep(0)
    return link.output(buffer)
