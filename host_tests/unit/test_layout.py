"""The order of the source tree: who may import whom, what a file may hold, which words stay out.

The stages and their order are those of README.md, "Where things are". Imports that exist for
types only are held to the same order, so that the order can be read from any file.
"""

import ast
import functools
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"

# From the bottom up. Modules of one stage may import each other where they are single files of
# `app`; packages of one stage are strangers.
STAGES = (
    ("hal", "civil", "version"),
    ("app.errors", "app.event_codes"),
    ("app.crypto",),
    ("metrology", "app.storage"),
    (
        "app.attributes", "app.axdr", "app.battery", "app.calibration_record", "app.clock",
        "app.counters",
        "app.credentials", "app.designation", "app.energy_record", "app.factory",
        "app.identification", "app.linearity_record", "app.measuring",
        "app.lockout", "app.master_reset", "app.parameters", "app.no_power", "app.outages",
        "app.part_checks", "app.periods",
        "app.port_settings", "app.power_fail",
        "app.power_up", "app.production",
        "app.program_memory", "app.ram_check", "app.pulse_outputs",
        "app.registers", "app.renewal", "app.rows", "app.security", "app.service_output",
        "app.settings", "app.start_checks",
        "app.tasks", "app.test_mode", "app.ticks", "app.units",
        "app.waker", "app.zone",
    ),
    (
        "app.display", "app.load", "app.logs", "app.prepayment", "app.quality", "app.tariff",
        "app.update",
    ),
    ("app.cosem",),
    ("app.dlms",),
    ("app.transport",),
    ("app.device_test", "app.self_check"),
    ("app.face", "app.lasting", "app.object_model"),
    ("app.core", "app.full_face"),
    ("app.parts",),
    ("app.first_look", "app.meter"),
    ("main",),
)  # fmt: skip
STAGE_OF = {name: level for level, names in enumerate(STAGES) for name in names}
FILES_LEVEL = STAGE_OF["app.clock"]

# What MicroPython itself brings to a board. Everything else must be the firmware's own.
BUILT_IN = {
    "array", "asyncio", "binascii", "collections", "cryptolib", "deflate", "errno", "framebuf",
    "gc", "hashlib", "io", "machine", "math", "micropython", "os", "random", "re", "struct",
    "rp2", "sys", "time", "uctypes",
}  # fmt: skip
TYPE_ONLY = {"typing", "collections"}
DOES_IO = {"app.ticks", "asyncio", "machine", "os", "select", "socket", "time"}
MOVES_BYTES = re.compile(r"app\.transport\.\w+_link")

DRIVERS_KNOW = ("hal", "civil", "metrology.frame")

LINES_MAX = 400
TEST_LINES_MAX = 450  # tables of vectors take room


def python_files(*folders):
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found, folders
    return [path for path in found if "__pycache__" not in path.parts]


def module_name(path):
    parts = path.relative_to(FIRMWARE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture(scope="module", autouse=True)
def trees_are_forgotten():
    yield
    source_tree.cache_clear()


@functools.cache
def source_tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def where(path, node):
    return f"{module_name(path)}:{getattr(node, 'lineno', 0)}"


def is_module(name):
    path = FIRMWARE.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


def imports(node, type_only=False):
    """(module, for types only) of every import below the node; `from app import x` is app.x."""
    for child in ast.iter_child_nodes(node):
        typed = type_only or (
            isinstance(child, ast.If)
            and isinstance(child.test, ast.Name)
            and child.test.id.endswith("TYPE_CHECKING")
        )
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, typed
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative imports hide where things come from"
            for alias in child.names:
                inner = f"{child.module}.{alias.name}"
                yield (inner if is_module(inner) else child.module), typed
        else:
            yield from imports(child, typed)


def stage(name):
    """The entry of STAGES that a module belongs to."""
    while name and name not in STAGE_OF:
        name = name.rpartition(".")[0]
    return name


def complaint_about(importer, imported, typed):
    """Why `importer` must not import `imported`; None when it may."""
    if importer == "main" and imported == "board":
        return None
    top = imported.split(".")[0]
    if top in BUILT_IN or (typed and top in TYPE_ONLY):
        return None
    if importer.startswith("drivers"):
        own = top == "rp2" and importer.startswith("drivers.rp2_")
        known = own or imported in DRIVERS_KNOW or imported.startswith("drivers.")
        return None if known else "a driver knows its chip, hal and metrology.frame"
    mine, theirs = stage(importer), stage(imported)
    if not mine or not theirs:
        return "one of them belongs to no stage"
    level = STAGE_OF[theirs]
    siblings = level == STAGE_OF[mine] == FILES_LEVEL
    if level < STAGE_OF[mine] or theirs == mine or siblings:
        return None
    return f"{theirs} does not stand below {mine}"


def firmware_modules():
    return [path for path in python_files("firmware") if not path.name.startswith("manifest")]


def test_every_file_belongs_to_a_stage():
    for path in firmware_modules():
        name = module_name(path)
        assert name == "app" or name.startswith("drivers") or stage(name), name


def test_imports_only_go_down():
    wrong = []
    for path in firmware_modules():
        importer = module_name(path)
        for imported, typed in imports(source_tree(path)):
            why = complaint_about(importer, imported, typed)
            if why:
                wrong.append(f"{importer} imports {imported}: {why}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("app.cosem.data", "app.axdr", True),
        ("app.axdr", "app.cosem.data", False),
        ("app.display.view", "app.tariff.calendar", False),
        ("app.clock", "app.settings", True),
        ("metrology.kernel", "app.clock", False),
        ("metrology.engine", "app.storage.record", False),
        ("drivers.w25q", "app.storage.record", False),
        ("app.meter", "drivers.w25q", False),
        ("app.meter", "board", False),
        ("main", "board", True),
        ("app.meter", "requests", False),
    ],
)
def test_the_check_itself(importer, imported, allowed):
    assert (complaint_about(importer, imported, False) is None) is allowed


def test_no_circle_of_imports_at_run_time():
    graph = {
        module_name(path): {name for name, typed in imports(source_tree(path)) if not typed}
        for path in firmware_modules()
    }
    done = set()

    def visit(name, trail):
        assert name not in trail, " > ".join([*trail, name])
        if name in graph and name not in done:
            for imported in graph[name]:
                visit(imported, [*trail, name])
            done.add(name)

    for name in graph:
        visit(name, [])


@pytest.mark.row("MET-33")
def test_the_application_reaches_the_converter_only_through_metrology():
    for path in firmware_modules():
        name = module_name(path)
        if name.startswith("app") or name == "main":
            tops = {imported.split(".")[0] for imported, _ in imports(source_tree(path))}
            assert not tops & {"drivers", "machine"}, name
            named = {imported for imported, _ in imports(source_tree(path))}
            assert "metrology.kernel" not in named, name
            assert "metrology.frame" not in named, name


def test_protocol_code_does_no_io():
    for path in firmware_modules():
        name = module_name(path)
        protocol = name.startswith(("app.cosem", "app.dlms", "app.transport", "app.axdr"))
        if protocol and not MOVES_BYTES.fullmatch(name):
            named = {imported for imported, _ in imports(source_tree(path))}
            used = (named | {imported.split(".")[0] for imported in named}) & DOES_IO
            assert not used, f"{name} uses {used}"


def test_firmware_never_asks_where_it_runs():
    for path in firmware_modules():
        for node in ast.walk(source_tree(path)):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                assert "ImportError" not in ast.dump(node.type), where(path, node)
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"{where(path, node)}: bare except"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used = (node.value.id, node.attr)
                asks = used in {("sys", "platform"), ("sys", "implementation")}
                assert not asks, where(path, node)


_VIPER = tuple(f"metrology.{name}kernel" for name in ("", "share_", "voltage_", "waveform_"))


def test_viper_only_in_the_kernels():
    for path in firmware_modules():
        for node in ast.walk(source_tree(path)):
            if isinstance(node, ast.Attribute) and node.attr in ("viper", "native"):
                assert module_name(path) in _VIPER, module_name(path)


def test_metrology_and_registers_know_no_float():
    files = [*python_files("firmware/metrology"), FIRMWARE / "app" / "registers.py"]
    for path in files:
        for node in ast.walk(source_tree(path)):
            if isinstance(node, ast.Constant):
                assert not isinstance(node.value, float), where(path, node)
            if isinstance(node, ast.BinOp | ast.AugAssign):
                assert not isinstance(node.op, ast.Div), where(path, node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "float", where(path, node)


def test_packages_say_what_they_are_for_and_no_more():
    folders = {path.parent for path in firmware_modules()} - {FIRMWARE}
    for folder in sorted(folders):
        init = folder / "__init__.py"
        assert init.exists(), f"{folder.relative_to(ROOT)} has no __init__.py"
        tree = source_tree(init)
        assert ast.get_docstring(tree), init
        assert len(tree.body) == 1, f"{init.relative_to(ROOT)} holds more than a docstring"


def test_every_module_starts_with_a_docstring():
    for path in python_files("firmware", "boards", "tools", "host_tests"):
        if not path.name.startswith("manifest"):
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            assert ast.get_docstring(tree), path.relative_to(ROOT)


def test_files_have_one_job_and_a_length_to_match():
    long = []
    for path in python_files("firmware", "boards", "tools", "host_tests"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        most = TEST_LINES_MAX if ROOT / "host_tests" in path.parents else LINES_MAX
        if lines > most:
            long.append(f"{path.relative_to(ROOT)}: {lines} lines, at most {most}")
    assert not long, "\n".join(long)


def test_the_manifest_names_every_part_of_the_firmware():
    manifest = (FIRMWARE / "manifest.py").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:package|module)\("(\w+?)(?:\.py)?"', manifest))
    present = {module_name(path).split(".")[0] for path in firmware_modules()}
    # hal.py holds types only; each board names the drivers of its chips (test_boards.py)
    assert named == present - {"hal", "drivers"}


# Spelt in pieces, so that this file does not hold them.
FORBIDDEN = re.compile(
    "|".join(
        [
            r"/(?:wor" + r"k|ro" + r"ot|ho" + r"me/\w+|tm" + r"p)/",
            r"\bT" + r"ODO\b|\bFIX" + r"ME\b|\bX" + r"XX\b",
            r"py" + r"pi\.org|python" + r"hosted|registry\.np" + r"mjs",
            r"\bsub" + r"agent|\bC" + r"EO\b",
            r"\bissue #?[0-9]",
        ]
    )
)


def test_no_words_of_a_workshop():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git work tree")
    wrong = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if not path.is_file() or path.suffix in {".png", ".bin", ".mpy", ".gz"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            found = FORBIDDEN.search(line)
            if found:
                wrong.append(f"{name}:{number}: {found[0]!r}")
    assert not wrong, "\n".join(wrong)
