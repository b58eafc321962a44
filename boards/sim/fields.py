"""Checks of what comes in as JSON: each takes a value of any type and its name for the error.

Everything raises ValueError with a sentence a person can act on; `faceplate/` answers 400 with
it, `run.py` prints it.
"""

_NUMBER = (int, float)


class FrameFileError(ValueError):
    """A recording cannot be replayed; the message says why and where."""


def as_object(value: object, name: str) -> "dict[str, object]":
    """A JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a JSON object")
    return value  # pyright: ignore[reportUnknownVariableType] - json gives string keys


def as_list(value: object, name: str) -> "list[object]":
    """A JSON list."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{name} must be a list")
    return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def as_number(value: object, low: float, high: float, name: str) -> float:
    """A number from `low` to `high`; true, a text, NaN and infinity are none."""
    if isinstance(value, bool) or not isinstance(value, _NUMBER):
        raise ValueError(f"{name} must be a number")
    if not low <= value <= high:  # a NaN fails too
        raise ValueError(f"{name} must lie from {low:g} to {high:g}")
    return float(value)


def as_whole(value: object, low: int, high: int, name: str) -> int:
    """A whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} must be a whole number")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie from {low} to {high}")
    return value


def as_bool(value: object, name: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")
    return value


def as_choice(value: object, choices: "list[str]", name: str) -> str:
    """One of the given words."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError("{} must be one of {}".format(name, ", ".join(choices)))
    return value


def check_keys(fields: "dict[str, object]", known: "tuple[str, ...]", required: int = 0) -> None:
    """Refuse unknown keys, and a request without the first `required` of the known ones."""
    for key in fields:
        if key not in known:
            raise ValueError("unknown key {}, known are {}".format(key, ", ".join(known)))
    for key in known[:required]:
        if key not in fields:
            raise ValueError(f"{key} is missing")
