"""Virtual time under MicroPython's own asyncio: order, standing still, leaps, pacing, sleeping."""

# ruff: noqa: I001 - what is imported later depends on it

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, raises, report
from sim_checks import fresh, run  # puts virtual time in place

import asyncio
import time

import host
import timeline


async def sleeper(trace, name, period_ms, count):
    for index in range(count):
        await asyncio.sleep_ms(period_ms)
        trace.append((timeline.now_us, name, index))


def test_sleep_order():
    fresh()
    trace = []

    async def main():
        await asyncio.gather(sleeper(trace, "a", 10, 5), sleeper(trace, "b", 25, 2))

    timeline.set_rate(0)

    async def bench():
        task = asyncio.create_task(main())
        await timeline.advance(1)
        await task

    run(bench())
    expected = [(10, "a"), (20, "a"), (25, "b"), (30, "a"), (40, "a"), (50, "b"), (50, "a")]
    check("order", [(us // 1000, name) for us, name, _ in trace] == expected, trace)


def test_a_crystal_that_turns_slow_lets_nobody_spin():
    fresh()
    timeline.set_rate(0)
    trace = []

    async def bench():
        asyncio.create_task(sleeper(trace, "a", 5000, 2))
        await timeline.advance(1)
        timeline.set_crystal(-8250)  # the first sleep was reckoned with a crystal that was right
        await timeline.advance(10)

    run(bench())
    timeline.set_crystal(0)
    late = [us - wanted_us for (us, _, _), wanted_us in zip(trace, (5_000_000, 10_000_000))]
    check("wakes when the tick comes", len(late) == 2 and 0 < min(late) <= max(late) < 2000, late)


def test_rate_zero_stands():
    fresh()
    timeline.set_rate(0)
    trace = []

    async def main():
        asyncio.create_task(sleeper(trace, "a", 1, 5))
        before_us = host.ticks_us()
        while host.ticks_us() - before_us < 30_000:
            await asyncio.sleep_ms(0)
        check("nothing happens at rate 0", trace == [] and timeline.now_us == 0)
        await timeline.advance(0.003)
        check("an advance goes just so far", len(trace) == 3 and timeline.now_us == 3000, trace)
        await timeline.advance(0)
        check("an advance of nothing", timeline.now_us == 3000)
        await asyncio.gather(timeline.advance(1), timeline.advance(2), timeline.advance(0.5))
        check("leaps queue", timeline.now_us == 3_503_000, timeline.now_us)

    run(main())


def noisy_life(seed):
    """A run with tasks, events, flags and blocking sleeps; returns what happened when."""
    fresh()
    timeline.set_rate(0)
    trace = []
    flag = asyncio.ThreadSafeFlag()
    state = [seed]

    def number(limit):
        state[0] = (state[0] * 1103515245 + 12345) & 0x7FFFFFFF
        return (state[0] >> 8) % limit

    def event():
        trace.append((timeline.now_us, "event"))
        flag.set()
        timeline.after(1 + number(5000), event)

    async def waiter():
        while True:
            await flag.wait()
            trace.append((timeline.now_us, "flag"))
            time.sleep_us(number(300))

    async def worker(name):
        while True:
            await asyncio.sleep_ms(number(20))
            trace.append((timeline.now_us, name, time.ticks_ms()))

    async def main():
        timeline.after(7, event)
        tasks = [asyncio.create_task(waiter())]
        for name in "xyz":
            tasks.append(asyncio.create_task(worker(name)))
        for seconds in (0.1, 1, 0.3333):
            await timeline.advance(seconds)
            trace.append((timeline.now_us, "advanced"))
        for task in tasks:
            task.cancel()

    run(main())
    return trace


def test_determinism():
    first = noisy_life(3)
    check("enough happened", len(first) > 1000, len(first))
    check("two runs give the same trace", first == noisy_life(3))
    check("another seed gives another", first != noisy_life(4))
    check("time never goes back", all(a[0] <= b[0] for a, b in zip(first, first[1:])))


def test_events():
    fresh()
    trace = []
    timeline.at(20, lambda: trace.append("c"))
    timeline.at(10, lambda: trace.append("a"))
    timeline.at(10, lambda: trace.append("b"))
    handle = timeline.at(15, lambda: trace.append("never"))
    timeline.cancel(handle)
    timeline.cancel(handle)
    timeline.at(10, lambda: timeline.at(5, lambda: trace.append("late")))
    timeline.pass_us(100)
    check("order by time, then by coming", trace == ["a", "b", "late", "c"], trace)
    check("time has passed", timeline.now_us == 100)


def test_blocking_sleep():
    fresh()
    timeline.set_rate(0)
    trace = []

    async def main():
        task = asyncio.create_task(sleeper(trace, "task", 1, 1))
        timeline.after(2000, lambda: trace.append("event"))
        await asyncio.sleep_ms(0)
        time.sleep_ms(5)
        check("events, but no tasks, while a driver sleeps", trace == ["event"], trace)
        await task
        check("the task is late, not lost", trace[1][0] == 5000, trace)

    run(main())


def test_ticks():
    fresh()
    period = 1 << 30
    check("add wraps", time.ticks_add(period - 1, 2) == 1)
    check("diff over the wrap", time.ticks_diff(1, period - 1) == 2)
    check("diff backwards", time.ticks_diff(period - 1, 1) == -2)
    check("add too much", raises(OverflowError, time.ticks_add, 0, period // 2))
    timeline.now_us = (period - 3) * 1000
    trace = []
    timeline.set_rate(1_000_000)
    run(sleeper(trace, "a", 2, 3))
    check(
        "sleeps over the wrap",
        [(us // 1000) % period for us, _, _ in trace] == [period - 1, 1, 3],
        trace,
    )
    timeline.now_us = 0


def test_clock():
    # The differences were made with GNU date: date -u -d 2026-01-31T23:59:50 +%s
    for fields, unix_s in (
        ((2000, 1, 1, 0, 0, 0, 5, 1), 946684800),
        ((2026, 1, 31, 23, 59, 50, 5, 31), 1769903990),
        ((2028, 2, 29, 12, 0, 0, 1, 60), 1835438400),
        ((2028, 12, 31, 23, 59, 59, 6, 366), 1861919999),
        ((1999, 12, 31, 0, 0, 0, 4, 365), 946598400),
        ((2099, 12, 31, 23, 59, 59, 3, 365), 4102444799),
    ):
        seconds = unix_s - 946684800
        check("gmtime", time.gmtime(seconds) == fields, time.gmtime(seconds), fields)
        check("mktime", time.mktime(fields) == seconds, time.mktime(fields), seconds)
    check(
        "mktime carries",
        time.mktime((2026, 14, 1, 0, 0, 0, 0, 0)) == time.mktime((2027, 2, 1, 0, 0, 0, 0, 0)),
    )
    check("mktime wants a whole tuple", raises(TypeError, time.mktime, (2026, 1, 1)))


def paced(rate, period_ms, count):
    """Whether that takes a tenth of a second: never less, nor more unless others are busy."""
    for _ in range(50):
        fresh()
        start_us = host.ticks_us()  # before: the rate counts from where it is set
        timeline.set_rate(rate)
        run(sleeper([], "a", period_ms, count))
        took_us = host.ticks_us() - start_us
        if took_us < 400_000:
            return took_us > 90_000
    return False


def test_pacing():
    check("2 s at rate 20 take 0.1 s", paced(20, 100, 20))
    check("50 ms at rate 0.5 take 0.1 s", paced(0.5, 10, 5))


def test_rate_changes_under_way():
    fresh()
    timeline.set_rate(0)

    async def main():
        task = asyncio.create_task(sleeper([], "a", 50, 1))
        await asyncio.sleep_ms(0)
        timeline.set_rate(100)
        await task
        return timeline.now_us

    check("a new rate takes hold", run(main()) >= 50_000)


def test_spinning():
    fresh()
    timeline.set_rate(1000)

    async def main():
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < 20:
            await asyncio.sleep_ms(0)
        return True

    check("a task that spins on the ticks gets on", run(main()))

    async def busy():
        done = [False]
        timeline.after(10_000, lambda: done.append(True))
        while len(done) == 1:
            await asyncio.sleep_ms(0)
        return True

    fresh()
    timeline.set_rate(1000)
    check("a task that spins on an event gets on", run(busy()))
    fresh()
    timeline.set_rate(0)

    async def blocked():
        start = time.ticks_us()
        while time.ticks_diff(time.ticks_us(), start) < 3000:
            pass
        return timeline.now_us >= 3000

    check("code that blocks on the ticks gets on", run(blocked()))


def test_bad_values():
    fresh()
    for value in (-1, float("nan"), 1e12, "1", None, True):
        check("rate", raises(ValueError, timeline.set_rate, value), value)

    async def main():
        count = 0
        for value in (-0.1, float("nan"), float("inf"), 1e12, "1", None, True):
            try:
                await timeline.advance(value)
            except ValueError:
                count += 1
        return count

    check("advance", run(main()) == 7)
    check("nothing changed", timeline.rate == 1.0 and not timeline.leaping())


def test_asyncio_as_ever():
    fresh()
    timeline.set_rate(1_000_000)
    trace = []

    async def forever():
        try:
            await asyncio.sleep_ms(1_000_000)
        except asyncio.CancelledError:
            trace.append("cancelled")
            raise

    async def flagged(flag):
        await flag.wait()
        trace.append("flagged")

    async def main():
        try:
            await asyncio.wait_for_ms(forever(), 5)
        except asyncio.TimeoutError:
            trace.append("timeout")
        lock = asyncio.Lock()
        event = asyncio.Event()

        async def owner(name):
            async with lock:
                await event.wait()
                trace.append(name)

        tasks = [asyncio.create_task(owner(name)) for name in "ab"]
        await asyncio.sleep_ms(1)
        event.set()
        await asyncio.gather(*tasks)
        flag = asyncio.ThreadSafeFlag()
        task = asyncio.create_task(flagged(flag))
        await asyncio.sleep_ms(1)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            trace.append("flag cancelled")
        flag.set()
        await flagged(flag)

        async def fails():
            raise KeyError("x")

        results = await asyncio.gather(fails(), return_exceptions=True)
        trace.append(isinstance(results[0], KeyError))

    run(main())
    check(
        "asyncio",
        trace == ["cancelled", "timeout", "a", "b", "flag cancelled", "flagged", True],
        trace,
    )


for test in (
    test_sleep_order,
    test_rate_zero_stands,
    test_determinism,
    test_events,
    test_blocking_sleep,
    test_ticks,
    test_clock,
    test_pacing,
    test_rate_changes_under_way,
    test_spinning,
    test_bad_values,
    test_asyncio_as_ever,
):
    test()
report()
