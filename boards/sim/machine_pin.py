"""Pins of the simulated processor and its interrupts; part of `machine`.

Interrupt handlers run while virtual time moves, never while other firmware code runs. One that
raises is printed and taken off, as on the boards.
"""

# ruff: noqa: ANN401 - settings of MicroPython's classes have no other type

import sys

import host
import wiring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Handler = Callable[[Any], object]

_pending: "list[tuple[Handler, object]]" = []  # interrupts that came while they were held back


class Irq:
    """What `irq` returns: one handler and the events that it wants."""

    def __init__(self, owner: object, handler: "Handler | None", trigger: int) -> None:
        self._owner = owner
        self.handler = handler
        self._trigger = trigger
        self._flags = 0

    def __call__(self) -> None:
        """Call the handler now."""
        self.fire(self._trigger)

    def flags(self) -> int:
        """Return the events that called the handler last."""
        return self._flags

    def trigger(self) -> int:
        """Return the events that the handler is called for."""
        return self._trigger

    def fire(self, flags: int) -> None:
        """An event has come: call the handler if it is one of its own."""
        flags &= self._trigger
        if not flags or self.handler is None:
            return
        self._flags = flags
        if not dispatch(self.handler, self._owner):
            self.handler = None


class _Mask:
    """Whether interrupts are held back."""

    held = False


def dispatch(handler: "Handler", argument: object) -> bool:
    """Call an interrupt handler; False if it raised and is not to be called again."""
    if _Mask.held:
        _pending.append((handler, argument))
        return True
    try:
        handler(argument)
    except Exception as error:
        print("Uncaught exception in IRQ callback handler", file=sys.stderr)
        host.print_exception(error)
        return False
    return True


def disable_irq() -> int:
    """Hold interrupts back; returns what `enable_irq` takes."""
    state = 0 if _Mask.held else 1
    _Mask.held = True
    return state


def enable_irq(state: int = 1) -> None:
    """Let interrupts come again, those held back first, if they came before `disable_irq`."""
    if not state:
        return
    _Mask.held = False
    while _pending and not _Mask.held:
        handler, argument = _pending.pop(0)
        dispatch(handler, argument)


def pin_number(pin: object) -> int:
    """Return the number of a Pin or a number. Raises ValueError for one that is not there."""
    if isinstance(pin, Pin):
        return pin.number
    if isinstance(pin, bool) or not isinstance(pin, int) or not 0 <= pin < wiring.PINS:
        raise ValueError("invalid pin")
    return pin


class _State:
    """What the processor has set one pin to; shared by the Pin objects of its number."""

    def __init__(self) -> None:
        self.mode = Pin.IN
        self.pull: int | None = None
        self.out = 0
        self.irq: Irq | None = None


_states: "dict[int, _State]" = {}


class Pin:
    """A pin of the processor, by its number."""

    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_FALLING = 4
    IRQ_RISING = 8

    def __init__(
        self,
        id: "int | Pin",  # noqa: A002 - the name MicroPython has
        mode: int = -1,
        pull: "int | None" = -1,
        *,
        value: "int | None" = None,
    ) -> None:
        self.number = pin_number(id)
        if self.number not in _states:
            _states[self.number] = _State()
        self._state = _states[self.number]
        if mode != -1 or pull != -1 or value is not None:
            self.init(mode, pull, value=value)

    def __repr__(self) -> str:
        return "Pin(" + str(self.number) + ")"

    def init(self, mode: int = -1, pull: "int | None" = -1, *, value: "int | None" = None) -> None:
        """Set direction, pull resistor and first level."""
        state = self._state
        if mode != -1:
            if mode not in (Pin.IN, Pin.OUT, Pin.OPEN_DRAIN):
                raise ValueError("invalid pin mode")
            state.mode = mode
        if pull != -1:
            if pull not in (None, Pin.PULL_UP, Pin.PULL_DOWN):
                raise ValueError("invalid pin pull")
            state.pull = pull
        if value is not None:
            state.out = 1 if value else 0
        self._drive()
        if state.irq is not None:
            self._listen()

    def _drive(self) -> None:
        state = self._state
        if state.mode == Pin.OUT:
            wiring.put(self.number, state.out)
        elif state.mode == Pin.OPEN_DRAIN and not state.out:
            wiring.put(self.number, 0)
        else:
            wiring.put(self.number, None)

    def value(self, level: "int | None" = None) -> int:
        """Return the level of the pin, or set it."""
        state = self._state
        if level is not None:
            state.out = 1 if level else 0
            if state.mode != Pin.IN:
                self._drive()
            return state.out
        if state.mode == Pin.OUT or (state.mode == Pin.OPEN_DRAIN and not state.out):
            return state.out
        return wiring.level(self.number, self._pull_level())

    __call__ = value

    def on(self) -> None:
        """Set the pin high."""
        self.value(1)

    high = on

    def off(self) -> None:
        """Set the pin low."""
        self.value(0)

    low = off

    def toggle(self) -> None:
        """Change the level that the pin puts out."""
        self.value(1 - self._state.out)

    def irq(
        self,
        handler: "Handler | None" = None,
        trigger: int = 12,
        *,
        priority: int = 1,
        wake: "int | None" = None,
        hard: bool = False,
    ) -> Irq:
        """Call `handler(pin)` at the edges that parts drive."""
        if trigger & ~(Pin.IRQ_FALLING | Pin.IRQ_RISING) or not trigger:
            raise ValueError("invalid trigger")
        if priority != 1:
            raise ValueError("priority unsupported")
        if wake is not None:
            raise ValueError("wake unsupported")
        found = Irq(self, handler, trigger)
        self._state.irq = found if handler is not None else None
        self._listen()
        return found

    def _pull_level(self) -> "int | None":
        pull = self._state.pull
        return None if pull is None else int(pull == Pin.PULL_UP)

    def _listen(self) -> None:
        state = self._state
        wiring.listen(self.number, None if state.irq is None else self._edge, self._pull_level())

    def _edge(self, level: int) -> None:
        if self._state.irq is not None:
            self._state.irq.fire(Pin.IRQ_RISING if level else Pin.IRQ_FALLING)


class Signal:
    """A pin with a sense: on is low if it is inverted."""

    def __init__(
        self, pin: "int | Pin", *arguments: "Any", invert: bool = False, **keywords: "Any"
    ) -> None:
        self._pin = pin if isinstance(pin, Pin) else Pin(pin, *arguments, **keywords)
        self._invert = 1 if invert else 0

    def value(self, level: "int | None" = None) -> int:
        """Return the sense of the pin, or set it."""
        if level is not None:
            self._pin.value((1 if level else 0) ^ self._invert)
        return self._pin.value() ^ self._invert

    __call__ = value

    def on(self) -> None:
        """Make the signal active."""
        self.value(1)

    def off(self) -> None:
        """Make the signal inactive."""
        self.value(0)


def reset_pins() -> None:
    """Forget what firmware has set: every pin is an input again, no interrupt is wanted."""
    _Mask.held = False
    _pending.clear()
    _states.clear()
    wiring.release()
