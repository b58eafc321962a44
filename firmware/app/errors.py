"""The one root of the meter's own errors, and those that name whose fault it was.

Raise a class without parentheses when there is nothing to add. What is not a MeterError is a
defect of ours or of the hardware (OSError).
"""


class MeterError(Exception):
    """Root of everything the firmware raises on purpose."""


class EncodingError(MeterError):
    """The peer's octets are not an encoded value."""


class TypeUnmatched(EncodingError):  # noqa: N818 - the standard's word for it
    """The peer's value is well formed but of another type than asked for."""


class BufferFull(MeterError):  # noqa: N818 - a condition, nobody's fault
    """An answer does not fit into the buffer it is written to."""


class AccessRefused(MeterError):  # noqa: N818 - the standard's word for it
    """An attribute or method cannot be read, written or executed.

    `result` is the data-access-result (or action-result, which has the same numbers) that the
    client is told, IEC 62056-53.
    """

    def __init__(self, result: int) -> None:
        super().__init__(result)
        self.result = result
