"""Supervised tasks: a dead task comes back, a silent one keeps the watchdog from being fed."""

import asyncio

from checks import check, report, soon

from app import tasks
from app.tasks import Supervisor


class Watchdog:
    def __init__(self):
        self.fed = 0

    def feed(self):
        self.fed += 1


class VirtualTime:
    """Ticks moved by hand, so that a silence of minutes takes no time."""

    def __init__(self):
        self.now_ms = 0

    def ticks_ms(self):
        return self.now_ms

    def ticks_diff(self, a, b):
        return a - b


def run(coroutine):
    asyncio.run(coroutine)
    asyncio.new_event_loop()


async def dies_twice():
    lives = []

    async def body(task):
        lives.append(task)
        if len(lives) < 3:
            raise ValueError("broken")
        while True:
            task.report()
            await asyncio.sleep_ms(10)

    supervisor = Supervisor(None)
    task = supervisor.start("dies", body, 5)
    check("a task that raised is started again", await soon(lambda: len(lives) == 3))
    check("restarts are counted", task.restarts == 2 and supervisor.restarts() == 2)
    check("the reason is kept", "broken" in task.last_error)


async def ends():
    runs = []

    async def body(task):
        runs.append(task.name)

    supervisor = Supervisor(None)
    task = supervisor.start("ends", body)
    check("a task that ended is started again", await soon(lambda: len(runs) == 2))
    check("an end is no secret", task.last_error == "ended")


async def feeds(clock):
    async def silent(task):
        while True:
            await asyncio.sleep_ms(1)

    watchdog = Watchdog()
    supervisor = Supervisor(watchdog)
    task = supervisor.start("silent", silent, 5)
    free = supervisor.start("free", silent, 0)
    feeder = asyncio.create_task(supervisor.feed())
    check("the watchdog is fed while all report", await soon(lambda: watchdog.fed))
    clock.now_ms = 5_000
    check("at the limit the task still counts as alive", task.alive())
    clock.now_ms = 5_001
    check("beyond the limit it does not", not task.alive() and free.alive())
    fed = watchdog.fed
    await asyncio.sleep_ms(2100)
    check("the watchdog is not fed for a silent task", watchdog.fed == fed)
    task.report()
    check("a report brings the food back", await soon(lambda: watchdog.fed > fed))
    check("feeds are counted", supervisor.feeds == watchdog.fed)
    feeder.cancel()


run(dies_twice())
run(ends())
real_time = tasks.time
clock = VirtualTime()
tasks.time = clock
run(feeds(clock))
tasks.time = real_time
report()
