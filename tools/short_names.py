"""Gives private names and parameters two or three letters before mpy-cross compiles them.

MicroPython keeps every name of a module as text: in flash once a file, in RAM once, with an entry
in a table that doubles when it is full. What begins with one underscore is nobody else's business,
so it may be called `_a`, and two modules may mean different things by that. Modules that ask for
each other's private names share them; who inherits keeps clear of the names of its bases.

A parameter that no call names is as private.

Left alone: names that stand in a text as well (somebody may look them up by it), in an f-string,
or that no module of the image binds, to itself or to `self`. Lines keep their numbers, and public
names stay as they are.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import re
import string
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from types import SimpleNamespace

from fold_constants import edited

_PRIVATE = re.compile(r"_[A-Za-z0-9][A-Za-z0-9_]*")
_DEFINED = re.compile(r"(?:def|class)\s+")
_BY_NAME = ("getattr", "setattr", "hasattr", "delattr")
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _private(name: str | None) -> bool:
    return name is not None and _PRIVATE.fullmatch(name) is not None


def _at(line: int, column: int, name: str) -> SimpleNamespace:
    """A place in the text that `edited` replaces."""
    return SimpleNamespace(
        lineno=line, end_lineno=line, col_offset=column, end_col_offset=column + len(name)
    )


class _Module:
    """One source: where its private names stand, which it binds, and whom it inherits from."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.places: list[tuple[str, object]] = []  # name; its node, or what stands for one
        self.bound: set[str] = set()
        self.asked: set[str] = set()  # as attributes, of others than `self`
        self.own: set[str] = set()  # as attributes of `self`
        self.kept: set[str] = set()
        self.statements: list[ast.Global | ast.Nonlocal] = []
        self.owners: dict[str, str] = {}  # name in this module, module that it was imported from
        self.bases: list[ast.expr] = []
        self._lines = [line.encode() for line in text.split("\n")]
        for node in ast.walk(ast.parse(text, name)):
            self._take(node)

    def _place(self, name: str, place: object, binds: bool) -> None:
        if _private(name):
            self.places.append((name, place))
            if binds:
                self.bound.add(name)

    def _take(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            self._place(node.id, node, not isinstance(node.ctx, ast.Load))
        elif isinstance(node, ast.Attribute):
            end = node.end_col_offset or 0
            place = _at(node.end_lineno or 0, end - len(node.attr.encode()), node.attr)
            of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
            loads = isinstance(node.ctx, ast.Load)
            self._place(node.attr, place, of_self and not loads)
            (self.own if of_self else self.asked).add(node.attr)
        elif isinstance(node, _NAMED):
            line = self._lines[node.lineno - 1]
            found = _DEFINED.search(line.decode(), node.col_offset)
            assert found is not None
            self._place(node.name, _at(node.lineno, found.end(), node.name), True)
            if isinstance(node, ast.ClassDef):
                self.bases += node.bases
        elif isinstance(node, ast.arg):
            self._place(node.arg, _at(node.lineno, node.col_offset, node.arg), True)
        elif isinstance(node, ast.keyword) and node.arg is not None:
            self._place(node.arg, _at(node.lineno, node.col_offset, node.arg), False)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            self.statements.append(node)
        else:
            self._keep(node)

    def inherits_from(self) -> Iterator[str]:
        """Yield the modules whose classes are inherited from here."""
        for base in self.bases:
            if isinstance(base, ast.Name) and base.id in self.owners:
                yield self.owners[base.id]
            elif isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
                name = base.value.id
                yield f"{self.owners.get(name, '')}.{name}"

    def _keep(self, node: ast.AST) -> None:
        """Note names that cannot be replaced where they stand, and who was imported."""
        if isinstance(node, ast.JoinedStr):
            # where its parts stand is not known before Python 3.12
            for part in ast.walk(node):
                self.kept |= {getattr(part, "id", ""), getattr(part, "attr", "")}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.kept |= set(_PRIVATE.findall(node.value)) & {node.value}
        elif isinstance(node, ast.ExceptHandler):
            self.kept.add(node.name or "")
        elif isinstance(node, ast.Call):
            self._refuse(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                self.kept |= {alias.name, alias.asname or ""}
                if isinstance(node, ast.ImportFrom):
                    self.owners[alias.asname or alias.name] = self._source(node)

    def _refuse(self, call: ast.Call) -> None:
        """Refuse a look-up by a name that is put together: nobody could tell which one it is."""
        if isinstance(call.func, ast.Name) and call.func.id in _BY_NAME and len(call.args) > 1:
            name = call.args[1]
            if isinstance(name, ast.BinOp | ast.JoinedStr):
                where = self.name, call.lineno, call.col_offset + 1, ast.unparse(call)
                raise SyntaxError("the name is put together; write it whole", where)

    def _source(self, node: ast.ImportFrom) -> str:
        """The module that is imported from, also if it is named as a neighbour: `.chip`."""
        package = self.name.split(".")[: -node.level] if node.level else []
        return ".".join([*package, *(node.module or "").split(".")]).rstrip(".")


class _Parameters:
    """What a module names its parameters, and what else it means by these names."""

    def __init__(self, name: str, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        self.keywords: set[str] = set()  # that calls name
        self.texts: set[str] = set()
        self.foreign: set[str] = set()  # private, asked of others, without its underscore
        self.others: set[str] = set()  # that are bound otherwise or cannot be replaced
        self._variables: list[ast.Name | ast.arg] = []
        tree = ast.parse(text, name)
        self._bind(tree)
        for node in ast.walk(tree):
            self._take(node)

    def _bind(self, scope: ast.AST) -> None:
        """Note what modules and classes bind: others find it there."""
        for node in ast.iter_child_nodes(scope):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.others.add(node.id)
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                self._bind(node)

    def _take(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name | ast.arg):
            self._variables.append(node)
            if isinstance(node, ast.arg):
                self.names.add(node.arg)
        elif isinstance(node, ast.keyword):
            self.keywords.add(node.arg or "")
        elif isinstance(node, ast.Constant):
            self.texts.add(str(node.value))
        elif isinstance(node, ast.Attribute) and _private(node.attr):
            if ast.unparse(node.value) != "self":
                self.foreign.add(node.attr[1:])
        elif isinstance(node, ast.JoinedStr):
            self.others |= {getattr(part, "id", "") for part in ast.walk(node)}
        elif isinstance(node, ast.alias):
            self.others |= {node.name, node.asname or ""}
        elif isinstance(node, ast.Global | ast.Nonlocal):
            self.others |= set(node.names)
        elif isinstance(node, (*_NAMED, ast.ExceptHandler)):
            self.others.add(node.name or "")

    def secluded(self, known: set[str]) -> str:
        """Return the text with an underscore before those that nobody else knows."""
        variables = [(_name_of(node), node) for node in self._variables]
        used = {name for name, _ in variables} | self.others
        chosen = {
            name
            for name in self.names - self.others - known - set(dir(builtins)) - {"self"}
            if not name.startswith("_") and "_" + name not in used
        }
        return edited(
            self.text,
            [
                (_at(node.lineno, node.col_offset, name), "_" + name)
                for name, node in variables
                if name in chosen
            ],
        )


def _name_of(node: ast.Name | ast.arg) -> str:
    return node.id if isinstance(node, ast.Name) else node.arg


def _secluded(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the sources with parameters that no call names as private names."""
    modules = {name: _Parameters(name, text) for name, text in sources.items()}
    known: set[str] = set()
    for module in modules.values():
        known |= module.keywords | module.texts | module.foreign
    return {name: module.secluded(known) for name, module in modules.items()}


class _Families:
    """Which modules share private names (a family), and from which family one inherits."""

    def __init__(self, modules: Mapping[str, _Module]) -> None:
        self._modules = modules
        self._next = {name: name for name in modules}  # towards the one that names the family
        self._share()
        while self._merge():
            pass

    def of(self, name: str) -> str:
        """The family of a module."""
        while self._next[name] != name:
            name = self._next[name]
        return name

    def _join(self, one: str, other: str) -> bool:
        one, other = self.of(one), self.of(other)
        self._next[one] = other
        return one != other

    def _share(self) -> None:
        binders: dict[str, list[str]] = {}
        for name, module in self._modules.items():
            for bound in module.bound:
                binders.setdefault(bound, []).append(name)
        for name, module in self._modules.items():
            foreign = module.own - module.bound
            for base in self._bases(name):
                foreign -= self._modules[base].bound
            for asked in module.asked | foreign:
                for binder in binders.get(asked, ()) if _private(asked) else ():
                    self._join(name, binder)

    def _bases(self, name: str) -> set[str]:
        """The modules that a module inherits from, at any distance."""
        found: set[str] = set()
        due = [name]
        while due:
            new = set(self._modules[due.pop()].inherits_from()) - found
            new &= set(self._modules)
            found |= new
            due += new
        return found - {name}

    def _merge(self) -> bool:
        """Join families that one module inherits from, and those that inherit in a circle."""
        changed = False
        for name, module in self._modules.items():
            owners = [owner for owner in module.inherits_from() if owner in self._modules]
            above = [owner for owner in owners if self.of(owner) != self.of(name)]
            for owner in above:
                changed |= self._join(above[0], owner)
        above = self.parents()
        for family in list(above):
            way = [family]
            while way[-1] in above and way[-1] not in way[:-1]:
                way.append(above[way[-1]])
            for other in way if len(set(way)) < len(way) else ():
                changed |= self._join(family, other)
        return changed

    def parents(self) -> dict[str, str]:
        """The family above each that has one; several are joined here."""
        above: dict[str, str] = {}
        for name, module in self._modules.items():
            family = self.of(name)
            for owner in module.inherits_from():
                if owner in self._modules and self.of(owner) != family:
                    if family in above:
                        self._join(above[family], owner)
                    above[family] = self.of(owner)
        return {
            self.of(family): self.of(owner)
            for family, owner in above.items()
            if self.of(family) != self.of(owner)
        }


def _short_ones(taken: set[str]) -> Iterator[str]:
    for size in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=size):
            name = "_" + "".join(letters)
            if name not in taken:
                yield name


_module = cache(_Module)  # each variant of a board asks for the same sources


def over_border(sources: Mapping[str, str], apart: Collection[str]) -> list[str]:
    """Where private names would not be found any more if `apart` were compiled apart, in words.

    Frozen as they stand, those modules keep their names; the others, by `shortened`, do not. A
    name that the asking side binds as well is taken for its own.
    """
    modules = [_module(name, text) for name, text in sources.items()]
    frozen = [module for module in modules if module.name in apart]
    files = [module for module in modules if module.name not in apart]
    wrong: list[str] = []
    for near, far in ((frozen, files), (files, frozen)):
        here = set().union(*(module.bound for module in near))
        there = {module.name: module.bound for module in far}
        beyond = set().union(*there.values()) - here
        for module in near:
            names = (module.asked | (module.own - module.bound)) & beyond
            for base in there.keys() & set(module.inherits_from()):
                names |= (module.bound | module.own) & there[base]
            wrong += [
                f"{module.name} asks for {name}, private to what is compiled apart"
                for name in sorted(names)
                if _private(name)
            ]
    return wrong


def shortened(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the sources of an image's modules, by module name, with short private names.

    Raises SyntaxError with the module's name as its file.
    """
    modules = {name: _Module(name, text) for name, text in _secluded(sources).items()}
    bound = set().union(*(module.bound for module in modules.values()))
    kept = set().union(*(module.kept for module in modules.values()))
    seen = {name for module in modules.values() for name, _ in module.places}
    left = {name for name in seen if name in kept or name not in bound}
    families = _Families(modules)
    above = families.parents()
    names: dict[str, dict[str, str]] = {}  # by family, those of the families above it as well

    def names_of(family: str) -> dict[str, str]:
        if family not in names:
            known = dict(names_of(above[family])) if family in above else {}
            counts = Counter(
                name
                for module in modules.values()
                if families.of(module.name) == family
                for name, _ in module.places
                if name not in left and name not in known
            )
            frequent = sorted(counts, key=lambda name: (-counts[name], name))
            free = _short_ones(left | set(known.values()))
            names[family] = known | dict(zip(frequent, free, strict=False))
        return names[family]

    return {
        name: _renamed(module, names_of(families.of(name))) for name, module in modules.items()
    }


def _renamed(module: _Module, names: Mapping[str, str]) -> str:
    edits = [(place, names[name]) for name, place in module.places if name in names]
    for statement in module.statements:
        statement.names = [names.get(name, name) for name in statement.names]
        edits.append((statement, ast.unparse(statement)))
    return edited(module.text, edits)
