"""Reads MicroPython manifests as far as our boards use them, and holds them to the imports.

`include` with its options, `package` and `module` as MicroPython's reference manual describes
them; what is included of MicroPython itself, below `$(PORT_DIR)`, is passed over. An `include`
with `of=` names what `make frozen` makes of that other manifest, which is read here. A manifest is
complete if every module that the firmware imports at run time is in it, and lean if it names no
other.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_CHOICES = "app.parts.choices"
AUTO = "auto"  # in `fitted.py`: the most that the board's memory takes
START = ("main", "board")  # what a board runs; the rest is imported from there
NOTE = "frozen_sources.py"  # which `make frozen` writes when a firmware is to be built
_FRONT = "front_"  # how the modules begin that build a board's converter


@dataclass(frozen=True)
class Source:
    """A file of the firmware: where it stands, and where on the board (`app/clock.py`)."""

    path: Path
    target: str

    @property
    def module(self) -> str:
        """The name under which it is imported."""
        name = self.target.removesuffix(".py").replace("/", ".")
        return name.removesuffix(".__init__")

    @property
    def compiled(self) -> str:
        """Where its compiled code stands on the board, `app/clock.mpy`."""
        return self.target.removesuffix(".py") + ".mpy"


class ManifestError(Exception):
    """A manifest names what is not there, or what it must not; the text says what."""


class _Options:
    """What an including manifest has said, else the included one's own defaults."""

    def __init__(self, given: dict[str, bool]) -> None:
        self._given = given
        self._own: dict[str, bool] = {}

    def defaults(self, **own: bool) -> None:
        """Say what holds unless the including manifest says otherwise."""
        self._own = own

    def __getattr__(self, name: str) -> bool | None:
        return self._given.get(name, self._own.get(name))


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, Source] = {}
        self.made: list[Path] = []

    def run(self, manifest: Path, given: dict[str, bool] | None = None) -> None:
        folder = manifest.parent

        def include(path: str, of: str = "", **given: bool) -> None:
            if of:
                self.made.append((folder / path).resolve())
            if not path.startswith("$(PORT_DIR)"):
                self.run((folder / (of or path)).resolve(), given)

        def package(
            name: str, files: tuple[str, ...] | None = None, base_path: str = ".", opt: int = 3
        ) -> None:
            base = (folder / base_path).resolve()
            paths = (
                sorted((base / name).rglob("*.py"))
                if files is None
                else [base / name / file for file in files]
            )
            if not paths:
                raise ManifestError(f"{manifest}: there is no package {name}")
            for path in paths:
                self._add(manifest, path, base)

        def module(name: str, base_path: str = ".", opt: int = 3) -> None:
            base = (folder / base_path).resolve()
            self._add(manifest, base / name, base)

        scope = {
            "include": include,
            "package": package,
            "module": module,
            "options": _Options(given or {}),
        }
        exec(compile(manifest.read_text(), str(manifest), "exec"), scope)

    def _add(self, manifest: Path, path: Path, base: Path) -> None:
        if path.name == NOTE and not path.is_file():
            return
        if not path.is_file():
            raise ManifestError(f"{manifest}: there is no {path}")
        target = str(path.relative_to(base))
        if target in self.found:
            raise ManifestError(f"{manifest}: {target} is named twice")
        self.found[target] = Source(path, target)


def read(board: str, root: Path = ROOT, name: str = "manifest.py") -> list[Source]:
    """The files of a board, by its manifest or another of its folder."""
    reader = _Reader()
    reader.run(root / "boards" / board / name)
    return sorted(reader.found.values(), key=lambda source: source.target)


def made(board: str, name: str, root: Path = ROOT) -> list[Path]:
    """The manifests that `make frozen` has to write before this one of a board can be used."""
    reader = _Reader()
    reader.run(root / "boards" / board / name)
    return reader.made


def imported(source: Source) -> set[str]:
    """What a file imports at run time: modules, and names with their module's before them."""
    return _imports(ast.parse(source.path.read_text()), "")


def frozen_manifests(board: str, root: Path = ROOT) -> list[str]:
    """Names of the manifests of what a firmware of the board's may hold of ours."""
    return sorted(path.name for path in (root / "boards" / board).glob("manifest_*.py"))


def firmware(root: Path = ROOT) -> list[Source]:
    """The files that every board carries."""
    reader = _Reader()
    reader.run(root / "firmware" / "manifest.py")
    return list(reader.found.values())


def _imports(node: ast.AST, package: str, late: bool = True) -> set[str]:
    """Modules that are imported at run time below the node, wherever it stands.

    `package`: that it belongs to; `late`: by functions too, when they are called.
    """
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if not late and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(child, ast.Try) and "ImportError" in ast.dump(child):
            continue  # libraries do without what they try: names of types
        if isinstance(child, ast.expr):
            continue  # has no statements, and is most of a tree
        if isinstance(child, ast.Import):
            found |= {alias.name for alias in child.names}
        elif isinstance(child, ast.ImportFrom):
            above = package.split(".")[: 1 - child.level or None] if child.level else []
            module = ".".join([*above, *filter(None, [child.module])])
            found |= {module, *(f"{module}.{alias.name}" for alias in child.names)}
        else:
            found |= _imports(child, package, late)
    return found


@cache  # every choice of every board asks for the same files
def _imported(text: str, package: str, late: bool) -> tuple[str, ...]:
    return tuple(sorted(_imports(ast.parse(text), package, late)))


def _walk(
    sources: list[Source],
    built_in: Container[str],
    start: Iterable[str] = START,
    late: bool = True,
) -> tuple[set[str], list[str]]:
    """The modules that are reached from `start`, and what is missing on the way, in words."""
    modules = {source.module: source for source in sources}
    wrong = [f"{name}.py is missing" for name in start if name not in modules]
    reached: set[str] = set()
    due = [name for name in start if name in modules]
    while due:
        name = due.pop()
        if name in reached:
            continue
        reached.add(name)
        path = modules[name].path
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        try:
            imported = _imported(path.read_text(), package, late)
        except SyntaxError as error:
            raise ManifestError(f"{path}, line {error.lineno}: {error.msg}") from None
        for wanted in imported:
            parts = wanted.split(".")
            for count in range(1, len(parts) + 1):
                part = ".".join(parts[:count])
                if part in modules:
                    due.append(part)
                elif part not in built_in if count == 1 else _is_module(part, modules):
                    wrong.append(f"{name} imports {part}, which is not in the manifest")
    return reached, list(dict.fromkeys(wrong))


def choices(sources: list[Source]) -> dict[str, tuple[str, ...]]:
    """The choices of parts that the firmware among these files knows, and the modules of each.

    The first of these is its composition root.
    """
    modules = {source.module: source for source in sources}
    if _CHOICES not in modules:
        return {}
    names: dict[str, tuple[str, ...]] = _constant(modules[_CHOICES], "CHOICES")
    return {choice: tuple(f"app.{name}" for name in chosen) for choice, chosen in names.items()}


def left_out(choice: str, root: Path = ROOT) -> list[str]:
    """What a choice is without, in words: what is in those before it says it of itself."""
    every = firmware(root)
    known = choices(every)
    modules = {source.module: source for source in every}
    said: list[str] = []
    more = list(known)[: list(known).index(choice)]
    for part in dict.fromkeys(part for name in more for part in known[name]):
        if part not in known[choice]:
            text = ast.get_docstring(ast.parse(modules[part].path.read_text())) or part
            said.append(text.splitlines()[0].rstrip("."))
    return said


def asked(sources: list[Source]) -> str:
    """The choice that `fitted.py` asks for, or AUTO; "" without one. Raises ManifestError."""
    known = choices(sources)
    fitted = [source for source in sources if source.module == "fitted"]
    if not known or not fitted:
        return ""
    choice: str = _constant(fitted[0], "PARTS")
    if choice != AUTO and choice not in known:
        names = ", ".join((*known, AUTO))
        raise ManifestError(f"{fitted[0].path}: PARTS {choice!r} is none of {names}")
    return choice


def _start(sources: list[Source], choice: str = "") -> tuple[str, ...]:
    """What is imported by name: of AUTO the first choice, which has most. Raises ManifestError."""
    known = choices(sources)
    choice = choice or asked(sources)
    parts = known[next(iter(known)) if choice == AUTO else choice] if choice else ()
    return (*START, *parts, *_front(sources))


def converters(sources: list[Source]) -> dict[str, str]:
    """The converters that a board offers to choose from, and the module that builds each."""
    names = [source.module for source in sources if source.module.startswith(_FRONT)]
    return {name.removeprefix(_FRONT): name for name in names}


def _front(sources: list[Source]) -> list[str]:
    """The module of the converter that `fitted.py` names. Raises ManifestError."""
    known = converters(sources)
    fitted = [source for source in sources if source.module == "fitted"]
    if not known or not fitted:
        return []
    name: str = _constant(fitted[0], "CONVERTER")
    if name not in known:
        raise ManifestError(
            f"{fitted[0].path}: CONVERTER {name!r} is none of {', '.join(sorted(known))}"
        )
    return [known[name]]


def _constant(source: Source, name: str) -> Any:  # noqa: ANN401 - whatever it is
    """What a module binds a name to. Raises ManifestError."""
    try:
        node = _assignment(source.path.read_text(), name)
        if node is not None:
            return ast.literal_eval(node.value)
    except SyntaxError as error:
        raise ManifestError(f"{source.path}: SyntaxError: {error.msg}") from None
    except ValueError:
        raise ManifestError(f"{source.path}: {name} is no plain value") from None
    raise ManifestError(f"{source.path}: {name} is missing")


def _assignment(text: str, name: str) -> ast.Assign | None:
    """The last assignment to a name, which is the one that counts."""
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return node
    return None


def with_choice(fitted: str, choice: str) -> str:
    """The text of a `fitted.py` that asks for this choice; its lines stay where they are."""
    node = _assignment(fitted, "PARTS")
    lines = fitted.splitlines()
    if node is not None:
        end = node.end_lineno or node.lineno
        lines[node.lineno - 1 : end] = [f"PARTS = {choice!r}", *[""] * (end - node.lineno)]
    return "\n".join(lines) + "\n"


def needed(sources: list[Source], choice: str = "") -> list[Source]:
    """The files that something imports, with the parts of `choice` or those of `fitted.py`."""
    reached, _ = _walk(sources, (), _start(sources, choice))
    return [source for source in sources if source.module in reached]


def resident(sources: list[Source], choice: str = "") -> list[Source]:
    """Those that are imported at the start; the others are when they are asked for."""
    reached, _ = _walk(sources, (), _start(sources, choice), late=False)
    return [source for source in sources if source.module in reached]


def missing(sources: list[Source], built_in: Container[str]) -> list[str]:
    """What these files import and is not among them, in words."""
    return _walk(sources, built_in, [source.module for source in sources])[1]


def faults(sources: list[Source], built_in: set[str], spare: Container[str] = ()) -> list[str]:
    """What is wrong with a board's files, in words; empty if they are complete and lean.

    `spare`: modules that may be there though nothing imports them. What only parts need that are
    not chosen may be there as well.
    """
    asked(sources)
    every = {name for chosen in choices(sources).values() for name in chosen}
    every |= set(converters(sources).values())
    reached, wrong = _walk(sources, built_in, (*START, *sorted(every)))
    return wrong + [
        f"nothing imports {source.module}"
        for source in sources
        if source.module not in reached and source.module not in spare
    ]


def _is_module(name: str, modules: dict[str, Source]) -> bool:
    """Whether a dotted name that is not in the manifest is a file beside one that is."""
    package, _, last = name.rpartition(".")
    source = modules.get(package)
    if source is None or source.path.name != "__init__.py":
        return False
    beside = source.path.parent / last
    return beside.with_suffix(".py").exists() or beside.is_dir()
