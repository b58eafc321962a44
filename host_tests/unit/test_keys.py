"""Keys: how long presses are told apart, and bounce (rows KEY-01, KEY-02)."""

import asyncio

import pytest

from app.display import keys


@pytest.mark.row("KEY-02")
@pytest.mark.parametrize(
    ("seconds", "kind"),
    [
        (0.1, keys.SHORT),
        (1.9, keys.SHORT),
        (2.1, keys.ENTER),
        (4.9, keys.ENTER),
        (5.1, keys.BACK),
        (6.9, keys.BACK),
        (7.1, keys.TO_AUTO),
        (7.9, keys.TO_AUTO),
        (8.1, keys.EXTENDED),
        (9.9, keys.EXTENDED),
        (10.1, keys.CONNECT),
        (600, keys.CONNECT),
    ],
)
def test_presses_by_length(seconds, kind):
    press = keys.PressTimer()
    assert press.change(True, 0) == keys.DOWN
    assert press.change(True, 50) == keys.NONE
    assert press.change(False, int(seconds * 1000)) == kind
    assert press.change(False, 0) == keys.NONE


def test_what_a_held_key_has_become_is_told_once():
    press = keys.PressTimer()
    assert press.wait_ms(0) == -1
    press.change(True, 0)
    seen = []
    elapsed_ms = 0
    while (wait_ms := press.wait_ms(elapsed_ms)) > 0:
        elapsed_ms += wait_ms
        seen.append((elapsed_ms, press.held(elapsed_ms)))
        assert press.held(elapsed_ms) == keys.NONE
    assert seen == [
        (2000, keys.HELD | keys.ENTER),
        (5000, keys.HELD | keys.BACK),
        (7000, keys.HELD | keys.TO_AUTO),
        (8000, keys.HELD | keys.EXTENDED),
        (10000, keys.HELD | keys.CONNECT),
    ]
    # A week later the clock of milliseconds has gone round: the press stays what it was.
    assert press.change(False, -1000) == keys.CONNECT


class Pin:
    IRQ_FALLING = 4
    IRQ_RISING = 8

    def __init__(self):
        self.level = 1
        self.handler = None

    def value(self):
        return self.level

    def irq(self, handler, trigger):
        assert trigger == self.IRQ_FALLING | self.IRQ_RISING
        self.handler = handler

    def set(self, level):
        if level != self.level:
            self.level = level
            self.handler(self)


class World:
    """A pin, a key and a clock: the key's task runs on virtual time."""

    def __init__(self, monkeypatch):
        self.now_ms = 0
        self.events = []
        self.pin = Pin()
        self.set_flag = False
        world = self

        class Flag:
            def set(self):
                world.set_flag = True

            async def wait(self):
                while not world.set_flag:
                    await Wait(None, True)
                world.set_flag = False

        class Wait:
            def __init__(self, ms, listens=False):
                self.wait = (ms, listens)

            def __await__(self):
                yield self.wait

        async def sleep_ms(ms):
            await Wait(ms)

        async def wait_for_ms(waited, ms):
            waited.close()
            await Wait(ms, True)
            if not world.set_flag:
                raise asyncio.TimeoutError
            world.set_flag = False

        monkeypatch.setattr(asyncio, "wait_for_ms", wait_for_ms, raising=False)
        monkeypatch.setattr(asyncio, "ThreadSafeFlag", Flag, raising=False)
        monkeypatch.setattr(asyncio, "sleep_ms", sleep_ms, raising=False)
        monkeypatch.setattr(keys.time, "ticks_ms", lambda: world.now_ms, raising=False)
        monkeypatch.setattr(keys.time, "ticks_diff", lambda a, b: a - b, raising=False)
        key = keys.Key(self.pin, keys.SCROLL, lambda *event: world.events.append(event))
        self.task = key.run()
        self.wake_ms = 0  # None: waits for an edge alone
        self.listens = False  # an edge wakes it
        self.polls = 0
        self.run(0)

    def run(self, until_ms, edges=()):
        """Let time pass, with the contact's edges as (ms, level)."""
        edges = list(edges)
        while self.now_ms <= until_ms:
            while edges and edges[0][0] <= self.now_ms:
                self.pin.set(edges.pop(0)[1])
            while (self.listens and self.set_flag) or (
                self.wake_ms is not None and self.wake_ms <= self.now_ms
            ):
                pause_ms, self.listens = self.task.send(None)
                self.polls += 1
                self.wake_ms = None if pause_ms is None else self.now_ms + pause_ms
            self.now_ms += 1


@pytest.fixture
def world(monkeypatch):
    world = World(monkeypatch)
    yield world
    world.task.close()


@pytest.mark.row("KEY-01")
def test_bounce_is_one_press(world):
    edges = [(100, 0), (101, 1), (102, 0), (104, 1), (105, 0)]
    edges += [(600, 1), (601, 0), (603, 1)]
    world.run(1000, edges)
    assert world.events == [(keys.SCROLL, keys.DOWN), (keys.SCROLL, keys.SHORT)]


def test_length_is_from_first_edge_to_first_edge(world):
    world.run(3000, [(100, 0), (2101, 1)])
    assert world.events == [
        (keys.SCROLL, keys.DOWN),
        (keys.SCROLL, keys.HELD | keys.ENTER),
        (keys.SCROLL, keys.ENTER),
    ]
    world.run(7000, [(4000, 0), (5990, 1), (5992, 0), (5995, 1)])
    assert world.events[-1] == (keys.SCROLL, keys.SHORT)


def test_spike_is_no_press(world):
    world.run(500, [(100, 0), (103, 1)])
    assert world.events == []


def test_resting_and_held_keys_cost_nothing(world):
    world.run(10_000)
    resting = world.polls
    world.run(70_000, [(20_000, 0)])
    assert world.polls - resting < 10
    assert resting <= 2


def test_held_for_an_hour_is_one_long_press(world):
    world.run(3_700_000, [(1000, 0), (3_601_000, 1)])
    kinds = [kind for _, kind in world.events]
    held = [keys.HELD | kind for kind in range(keys.ENTER, keys.CONNECT + 1)]
    assert kinds == [keys.DOWN, *held, keys.CONNECT]
