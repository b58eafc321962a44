"""Folds what modules take from each other's constants, before mpy-cross compiles them.

mpy-cross folds `const` inside of one module; a constant of another module stays a name that is
stored, imported and looked up, in flash and in RAM. Here every use of such a name, imported or as
an attribute of an imported module, becomes the number itself; the name is then imported no more,
and where nobody is left who asks for it, not even stored. Lines keep their numbers.

Left alone: a name that is also bound to something else in the module or stands in an f-string, and
modules with viper or assembler functions, where a number is no object.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_NATIVE = ("@micropython.viper", "@micropython.native", "asm_pio")
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)
_ANY = "*"  # of a module that somebody has in hand as a whole


class _Module:
    """One source, and what it binds and asks for."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.tree = ast.parse(text, name)
        self.native = any(word in text for word in _NATIVE)
        self.loads: dict[str, list[ast.Name]] = {}
        self.attributes: list[ast.Attribute] = []
        self.imports: list[ast.Import | ast.ImportFrom] = []
        self.bases: set[str] = set()  # names that attributes are asked of
        self.bound: set[str] = set()  # otherwise than by imports and the constants' own lines
        self.values: dict[str, int] = {}  # constants of this module that others may ask for
        self.lines: dict[str, ast.Assign] = {}  # where they stand
        self.numbers = 0  # how many constants are certain to be folded by mpy-cross itself
        self._constants()
        self._walk(self.tree)

    def _constants(self) -> None:
        for node in self.tree.body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and isinstance(node.value, ast.Call)
                and isinstance(node.value.func, ast.Name)
                and node.value.func.id == "const"
            ):
                self.lines[node.targets[0].id] = node

    def _walk(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Name):
                self._name(child)
            elif isinstance(child, ast.arg):
                self.bound.add(child.arg)
            elif isinstance(child, _NAMED):
                self.bound.add(str(child.name))
            elif isinstance(child, ast.Import | ast.ImportFrom):
                self.imports.append(child)
            elif isinstance(child, ast.JoinedStr):
                # where its parts stand is not known before Python 3.12
                self.bound |= {n.id for n in ast.walk(child) if isinstance(n, ast.Name)}
            elif isinstance(child, ast.Global):
                self.bound |= set(child.names)
            elif isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
                self.attributes.append(child)
                self.bases.add(child.value.id)
                continue
            elif isinstance(child, ast.If) and _of_types(child):
                self._walk(ast.Expr(child.test))
                continue
            self._walk(child)

    def _name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.loads.setdefault(node.id, []).append(node)
        elif node.id not in self.lines or node is not self.lines[node.id].targets[0]:
            self.bound.add(node.id)


def _of_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id.endswith("TYPE_CHECKING")


class _Folder:
    """All modules of an image."""

    def __init__(self, sources: Mapping[str, str], open_ones: Collection[str]) -> None:
        self.modules = {name: _Module(name, text) for name, text in sources.items()}
        self.wanted = {(name, _ANY) for name in open_ones}  # (module, name) still asked for
        self.aliases = {name: self._aliases(module) for name, module in self.modules.items()}
        for module in self.modules.values():
            self._evaluate(module)
        for module in self.modules.values():  # values that are set from outside
            for node in module.attributes:
                owner = self._owner(module, node)
                if owner and not isinstance(node.ctx, ast.Load):
                    self.modules[owner].values.pop(node.attr, None)

    def _evaluate(self, module: _Module) -> None:
        """Work out the constants of a module, in the order of its lines."""
        known: dict[str, Any] = {}
        for name, line in module.lines.items():
            assert isinstance(line.value, ast.Call)
            source = ast.Expression(line.value.args[0])
            if any(isinstance(node, ast.Call | ast.Attribute) for node in ast.walk(source)):
                continue
            try:
                value = eval(compile(source, module.name, "eval"), {"__builtins__": {}}, known)
            except NameError:
                continue  # made of another module's: mpy-cross does not fold it either
            known[name] = value
            module.numbers += isinstance(value, int)
            public = isinstance(value, int) and not name.startswith("_")
            if public and name not in module.bound | module.bases:
                module.values[name] = value

    def _names(self, module: _Module) -> Iterator[tuple[Any, ast.alias, str, str]]:
        """Yield (statement, alias, module, name) of what is imported; no name: the module."""
        for node in module.imports:
            for alias in node.names:
                if isinstance(node, ast.Import):
                    yield node, alias, alias.name, ""
                elif f"{node.module}.{alias.name}" in self.modules:
                    yield node, alias, f"{node.module}.{alias.name}", ""
                else:
                    yield node, alias, str(node.module), alias.name

    def _owner(self, module: _Module, node: ast.Attribute) -> str | None:
        """The module that `name.attribute` asks, None if that is no module of ours for certain."""
        assert isinstance(node.value, ast.Name)
        return self.aliases[module.name].get(node.value.id)

    def _aliases(self, module: _Module) -> dict[str, str]:
        """Modules of ours by the only name that they have in this one."""
        owners: dict[str, set[str]] = {}
        for _, alias, owner, name in self._names(module):
            owners.setdefault(alias.asname or alias.name, set()).add("" if name else owner)
        return {
            local: owner
            for local, found in owners.items()
            for owner in found
            if len(found) == 1 and owner in self.modules and local not in module.bound
        }

    def run(self) -> dict[str, str]:
        """Return every source as it is to be compiled."""
        edits = {name: self._uses(module) for name, module in self.modules.items()}
        for name, module in self.modules.items():
            if not module.native and (name, _ANY) not in self.wanted:
                edits[name] += self._unwanted(module)
        return {name: edited(module.text, edits[name]) for name, module in self.modules.items()}

    def _uses(self, module: _Module) -> list[tuple[Any, str]]:
        """Return what takes the place of uses and imports of others' constants."""
        edits: list[tuple[Any, str]] = []
        gone: dict[Any, list[ast.alias]] = {}
        for statement, alias, owner, name in self._names(module):
            local = alias.asname or alias.name
            if name == "const" and owner == "micropython":
                # in front of a number it is a word of the compiler, and is never called
                if len(module.loads.get(local, ())) == module.numbers:
                    gone.setdefault(statement, []).append(alias)
            elif not name and owner in self.modules:
                if local in module.loads or local in module.bound or "." in local:
                    self.wanted.add((owner, _ANY))
            elif owner in self.modules:
                value = self.modules[owner].values.get(name)
                if value is None or local in module.bound | module.bases or module.native:
                    self.wanted.add((owner, name))
                    continue
                gone.setdefault(statement, []).append(alias)
                edits += [(node, _literal(value)) for node in module.loads.get(local, ())]
        for statement, aliases in gone.items():
            left = [alias for alias in statement.names if alias not in aliases]
            text = "pass"
            if left:
                text = ast.unparse(ast.ImportFrom(statement.module, left, 0))
            edits.append((statement, text))
        return edits + self._asked(module)

    def _asked(self, module: _Module) -> list[tuple[Any, str]]:
        """Return what takes the place of attributes of imported modules."""
        edits: list[tuple[Any, str]] = []
        for node in module.attributes:
            owner = self._owner(module, node)
            if owner is None:
                continue
            value = self.modules[owner].values.get(node.attr)
            if value is None or module.native:
                self.wanted.add((owner, node.attr))
            else:
                edits.append((node, _literal(value)))
        return edits

    def _unwanted(self, module: _Module) -> list[tuple[Any, str]]:
        """Return what takes the place of constants that nobody asks for."""
        edits: list[tuple[Any, str]] = []
        for name, value in module.values.items():
            if (module.name, name) not in self.wanted:
                edits.append((module.lines[name], "pass"))
                edits += [
                    (node, _literal(value))
                    for node in module.loads.get(name, ())
                    if not _inside(node, module.lines.values())
                ]
        # what is left of the constants may be made of those that went
        for name, line in module.lines.items():
            assert isinstance(line.value, ast.Call)
            used = [node for node in ast.walk(line.value.args[0]) if isinstance(node, ast.Name)]
            kept = name not in module.values or (module.name, name) in self.wanted
            for node in used if kept else ():
                if node.id in module.values and (module.name, node.id) not in self.wanted:
                    edits.append((node, _literal(module.values[node.id])))
        return edits


def _inside(node: ast.Name, lines: Any) -> bool:  # noqa: ANN401 - a view of statements
    return any(line.lineno <= node.lineno <= line.end_lineno for line in lines)


def _literal(value: int) -> str:
    return f"({value})" if value < 0 else str(value)


def edited(text: str, edits: list[tuple[Any, str]]) -> str:
    """Return the text with each node's own text replaced, on as many lines as before."""
    lines = [line.encode() for line in text.split("\n")]
    for node, new in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset))[::-1]:
        first, last = node.lineno - 1, node.end_lineno - 1
        tail = lines[last][node.end_col_offset :]
        lines[first] = lines[first][: node.col_offset] + new.encode() + tail
        for index in range(first + 1, last + 1):
            lines[index] = b""
    return b"\n".join(lines).decode()


def folded(sources: Mapping[str, str], open_ones: Collection[str] = ()) -> dict[str, str]:
    """Return the sources of an image's modules, by module name, as they are to be compiled.

    Modules of `open_ones` keep all names: somebody may ask for them who is not in the image.
    Raises SyntaxError with the module's name as its file.
    """
    return _Folder(sources, open_ones).run()
