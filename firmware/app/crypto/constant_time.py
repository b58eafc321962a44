"""Comparison of secrets and tags in a time that does not tell where they differ."""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer


def equal(given: "Buffer", expected: "Buffer") -> bool:
    """Compare in a time that depends on the length of `given` only."""
    size = len(expected)
    difference = len(given) ^ size
    if size == 0:
        return difference == 0
    for index in range(len(given)):
        difference |= given[index] ^ expected[index % size]
    return difference == 0
