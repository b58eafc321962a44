"""Private names become short before compiling; what anybody can see of a module does not."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import pytest
import size
from fold_constants import folded
from short_names import over_border, shortened

BASE = """class Base:
    def __init__(self, value):
        self._value = value
        self.shown = value

    def get(self):
        return self._twice() + self._value

    def _twice(self):
        return 2 * self._value
"""
HEIR = """from app.base import Base

_count = 0


class Heir(Base):
    def __init__(self, _given=3):
        super().__init__(_given)
        self._extra = 7

    def get(self):
        global _count
        _count += 1
        return self._value + self._extra + _count
"""


def run(texts):
    """Run modules in their order; a module is what it binds."""
    made = {}
    for name, text in texts.items():
        scope = {}
        lines = text.split("\n")
        for line in [line for line in lines if line.startswith("from app.")]:
            _, module, _, *names = line.replace(",", "").split()
            scope.update({bound: made[module][bound] for bound in names})
            lines.remove(line)
        exec("\n".join(lines), scope)
        made[name] = scope
    return made


def test_private_names_are_short_and_the_rest_is_as_it_was():
    made = shortened({"app.base": BASE})["app.base"]
    assert "_value" not in made and "_twice" not in made
    assert "self.shown = " in made and "__init__" in made and "(self" in made
    assert made.count("\n") == BASE.count("\n")
    assert run({"app.base": made})["app.base"]["Base"](4).get() == 12


def test_who_inherits_uses_the_names_of_its_base_and_no_others_of_them():
    made = run(shortened({"app.base": BASE, "app.heir": HEIR}))
    heir = made["app.heir"]["Heir"]()
    assert heir.get() == 11
    assert heir.get() == 12
    assert len(vars(heir)) == 3


def test_what_is_compiled_apart_and_the_rest_leave_each_others_private_names_alone():
    looks = "def look(it):\n    return it._value, it._kept\n\n\ndef give(it):\n    it._kept = 1\n"
    owns = "class Own:\n    def __init__(self):\n        self._kept = 2\n"
    heir = HEIR.replace("self._extra", "self._twice")
    sources = {"app.base": BASE, "app.heir": HEIR, "app.looks": looks, "app.owns": owns}

    def asked(sources, *apart):
        return [text.split(", ")[0] for text in over_border(sources, apart)]

    assert asked(sources) == asked(sources, *sources) == []
    assert asked(sources, "app.owns") == ["app.looks asks for _kept"]
    value = ["app.heir asks for _value", "app.looks asks for _value"]
    assert asked(sources, "app.base") == value
    replaced = {"app.base": BASE, "app.heir": heir}  # a private method, by another of its name
    assert asked(replaced, "app.heir") == ["app.heir asks for _twice", "app.heir asks for _value"]


NEIGHBOUR = """from .base import Base


class Neighbour(Base):
    def _twice(self):
        return 0
"""


def test_a_base_may_be_named_as_a_neighbour():
    """`from .base` is `app.base` in app.near, and its private methods may be replaced."""
    made = shortened({"app.base": BASE, "app.near": NEIGHBOUR})
    made["app.near"] = made["app.near"].replace("from .base", "from app.base")
    assert run(made)["app.near"]["Neighbour"](4).get() == 4


def test_modules_that_know_nothing_of_each_other_mean_different_things_by_a_name():
    one = "class A:\n    def __init__(self):\n        self._first = 1\n"
    two = "class B:\n    def __init__(self):\n        self._second = 2\n"
    made = shortened({"app.one": one, "app.two": two})
    assert "self._a = 1" in made["app.one"]
    assert "self._a = 2" in made["app.two"]


def test_a_name_asked_of_anothers_object_is_the_same_in_both():
    user = "def look(it):\n    return it._value, _other()\n\n\ndef _other():\n    return 5\n"
    made = run(shortened({"app.base": BASE, "app.user": user}))
    assert made["app.user"]["look"](made["app.base"]["Base"](9)) == (9, 5)


def test_a_name_that_stands_in_a_text_or_in_an_f_string_stays():
    text = """_STEPS = ("_first", "_second")


class Steps:
    def run(self):
        return [getattr(self, step)() for step in _STEPS] + [f"{self._third()}"]

    def _first(self):
        return 1

    def _second(self):
        return self._fourth()

    def _third(self):
        return 3

    def _fourth(self):
        return 4
"""
    made = shortened({"app.steps": text})["app.steps"]
    for kept in ("def _first(", "def _second(", "def _third("):
        assert kept in made
    assert "_fourth" not in made
    assert run({"app.steps": made})["app.steps"]["Steps"]().run() == [1, 4, "3"]


@pytest.mark.parametrize("name", ['"_" + step', 'f"_{step}"'])
def test_a_name_that_is_put_together_is_refused(name):
    text = f"def run(self, step):\n    return getattr(self, {name})()\n"
    with pytest.raises(SyntaxError, match="put together") as caught:
        shortened({"app.steps": text})
    assert (caught.value.filename, caught.value.lineno) == ("app.steps", 2)


def test_names_of_others_stay():
    text = """import asyncio


def push(task, task_queue):
    asyncio.core._task_queue.push(task)
    asyncio.core._io_queue = task_queue
"""
    made = shortened({"app.user": text})["app.user"]
    assert "asyncio.core._task_queue.push(" in made
    assert "asyncio.core._io_queue = " in made


def test_keywords_and_names_that_functions_share_follow():
    text = """def _outer(_given, *, _more=1):
    _sum = 0

    def _add():
        nonlocal _sum
        _sum += _given + _more

    _add()
    return _sum


result = _outer(2, _more=5) + _outer(_given=1)
"""
    made = shortened({"app.user": text})
    assert "_more" not in made["app.user"] and "_given" not in made["app.user"]
    assert run(made)["app.user"]["result"] == 9


def test_the_firmware_keeps_its_lines_and_its_public_names():
    files = {size.module_of(source): source for source in size.sources()}
    texts = folded({name: source.read_text() for name, source in files.items()})
    made = shortened(texts)
    assert list(made) == list(texts)
    for name, text in made.items():
        compile(text, name, "exec")
        assert text.count("\n") == texts[name].count("\n")
    assert "def post(" in made["app.logs.event_book"]
    assert '"_last_end"' in made["app.power_up"] and "def _last_end(" in made["app.power_up"]
    assert sum(map(len, made.values())) < sum(map(len, texts.values()))


PARAMETERS = """from app.base import Base

limit = 3


def scaled(value_mv, factor=2, *, limit=limit, rest=0):
    def more(step):
        nonlocal value_mv
        value_mv += step
        return value_mv

    return [more(value) for value in (1, factor)], limit, rest


def told(text, name):
    return f"{name}: " + text


class Heir(Base):
    count = 7

    def __init__(self, given, count):
        super().__init__(given)
        self.given = given + count


result = scaled(10, rest=4), told("a", "b"), Heir(1, 2).given, Heir(1, 2).count
"""


def test_parameters_that_no_call_names_are_private_and_mean_the_same():
    made = shortened({"app.base": BASE, "app.user": PARAMETERS})
    assert run(made)["app.user"]["result"] == (([11, 13], 3, 4), "b: a", 3, 7)
    text = made["app.user"]
    assert "factor" not in text
    assert "self.given = " in text and "def __init__(self, given" not in text
    for kept in ("limit=limit", "rest=0", "value_mv", "name", "count = 7", ", count)"):
        assert kept in text  # bound elsewhere, named in a call, nonlocal, in an f-string


def test_a_parameter_stays_if_its_private_name_means_something_or_a_text_names_it():
    text = """_code = 1


def one(code):
    return code + _code


def two(kind, other):
    return getattr(other, "kind"), kind
"""
    made = shortened({"app.user": text})["app.user"]
    assert "def one(code)" in made
    assert "def two(kind, _" in made
    assert "other" not in made
