"""A wait that others may end early, on MicroPython's own asyncio."""

import asyncio
import gc
import time

from checks import check, report, soon

from app.waker import Waker

_FAR_MS = 600_000


async def waits():
    waker = Waker()
    ends = []

    async def body():
        for wait_ms in (20, _FAR_MS, _FAR_MS, 0):
            await waker.wait_ms(wait_ms)
            ends.append(time.ticks_ms())

    waker.wake()
    check("nobody waits, nobody is woken", not ends)
    task = asyncio.create_task(body())
    check("the time ends a wait", await soon(lambda: ends))
    waker.wake()
    waker.wake()
    await asyncio.sleep_ms(0)
    check("a wake ends the wait, once", len(ends) == 2)
    await asyncio.sleep_ms(5)
    check("the next wait is as long as any", len(ends) == 2)
    waker.wake()
    await asyncio.sleep_ms(0)
    await task
    check("the task goes on to its end", len(ends) == 4)
    waker.wake()  # the task is gone
    await asyncio.sleep_ms(0)


async def others():
    waker = Waker()
    order = []

    async def sleeper():
        await asyncio.sleep_ms(_FAR_MS)
        order.append("sleeper")

    async def body():
        await waker.wait_ms(_FAR_MS)
        order.append("woken")

    tasks = [asyncio.create_task(one()) for one in (sleeper, body)]
    await asyncio.sleep_ms(5)
    waker.wake()
    await tasks[1]
    await asyncio.sleep_ms(5)
    check("others sleep as long as they wanted", order == ["woken"], order)
    tasks[0].cancel()


async def costs():
    waker = Waker()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(100):
        await waker.wait_ms(0)
    ours = gc.mem_alloc() - before
    event = asyncio.Event()
    before = gc.mem_alloc()
    for _ in range(100):
        try:
            await asyncio.wait_for_ms(event.wait(), 0)
        except asyncio.TimeoutError:
            pass
    theirs = gc.mem_alloc() - before
    gc.enable()
    check("a wait takes less than half of asyncio's heap", ours * 2 < theirs)
    print(ours // 100, "octets a wait in place of", theirs // 100)


for test in (waits, others, costs):
    asyncio.run(test())
    asyncio.new_event_loop()
report()
