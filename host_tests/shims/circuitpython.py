"""What CPython asks for when it reads the annotations of CircuitPython's libraries.

MicroPython does not evaluate annotations, and the libraries do without these modules.
"""

import importlib.util
import sys
import types
import typing


def install():
    """Put in place what is not installed; harmless when repeated."""
    for module, names in (
        ("busio", {"I2C": object}),
        ("circuitpython_typing", {"ReadableBuffer": object, "WriteableBuffer": object}),
        ("typing_extensions", {"Literal": typing.Literal}),
    ):
        if module not in sys.modules and importlib.util.find_spec(module) is None:
            sys.modules[module] = types.ModuleType(module)
            vars(sys.modules[module]).update(names)
