"""README and docs cannot lie: what they say to type is typed here, and what they name is there.

The blocks of a page run in order, in a project of echo fakes. A block that cannot run says why in a comment
above it: `<!-- not run: reason -->`. Lines of a `console` block that do not begin with `$` must be in the
output, in order; `…` stands for anything.
"""

import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import NamedTuple

import httpx
import pytest
import yaml

import tunewright
from tunewright import errors
from tunewright.cli.app import ORDER
from tunewright.nouns import Case, Record
from tunewright.project.reading import parse
from tunewright.project.settings import Settings
from tunewright.shelf import Shelf
from tunewright.sources._formats import FORMATS, to_record

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "tunewright"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*/README.md")])
EXCUSABLE = (
    "tunewright plan",
    "tunewright tune --",
    "tunewright curve",
    "tunewright search",
    "tunewright export",
    "ollama ",
    "HF_TOKEN=",
    "make ",
    "git clone ",
    "pip install ",
    "tunewright run examples/",
    "TUNEWRIGHT_API_KEY=",
)
"""What a block that is not run may begin its lines with: it needs a network, a real model, or never ends."""
STARTER = SOURCE / "cli" / "starter"
KNOWN = "C-1042"
"""A customer whom the guides' project knows: they show how one is forgotten."""
CURL = """
import argparse, httpx
words = argparse.ArgumentParser()
words.add_argument("-s", action="store_true")
words.add_argument("-H", action="append", default=[])
words.add_argument("-d")
words.add_argument("url")
said = words.parse_args()
headers = dict(h.split(": ", 1) for h in said.H)
answer = httpx.request("POST" if said.d else "GET", said.url, headers=headers, content=said.d, timeout=30)
print(answer.text)
raise SystemExit(0 if answer.is_success else f"status {answer.status_code}")
"""
"""As much of curl as the docs use, for machines that have none."""


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str
    excuse: str

    @property
    def where(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Every fenced block that says its language."""
    found, lines = list[Block](), page.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        if fence := re.match(r"( *)(```+)(\w*)", lines[at]):
            indent, marks, language = fence.groups()
            end = next(n for n in range(at + 1, len(lines)) if lines[n].strip() == marks)
            text = "\n".join(line.removeprefix(indent) for line in lines[at + 1 : end])
            above = next((line for line in reversed(lines[:at]) if line.strip()), "")
            excuse = re.fullmatch(r" *<!-- not run: (.+) -->", above)
            found.append(Block(page, at + 1, language, text, excuse[1] if excuse else ""))
            at = end
        at += 1
    return found


BLOCKS = [block for page in PAGES for block in blocks(page)]
TYPED = ("sh", "bash", "console", "python")
RUN = [page for page in PAGES if any(b.language in TYPED for b in BLOCKS if b.page == page)]


class Typist:
    """Types what a page says, in one folder."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder, self.tools = folder, tools
        self.port = free_port()
        self.served: subprocess.Popen[str] | None = None
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TUNEWRIGHT_")},
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "TUNEWRIGHT_ACTOR": "ada",
            "COLUMNS": "120",
        }

    def type(self, block: Block) -> None:
        """Do what a block says; a mistake names the page and the line."""
        text = block.text.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        if block.language == "python":
            self.run([sys.executable, "-c", text], block)
        elif block.language == "console":
            for command, wanted in turns(text):
                seen = self.shell(command, block)
                missing = unseen(wanted, seen)
                assert not missing, f"{block.where}: {missing!r} is not in what {command!r} prints:\n{seen}"
        elif text.startswith("tunewright serve"):
            self.serve(text, block)
        else:
            self.shell(text, block)

    def shell(self, text: str, block: Block) -> str:
        """Run it as one types it; `cd` holds for the blocks that follow."""
        note = self.tools / "folder"
        said = self.run(["bash", "-euo", "pipefail", "-c", f"{text}\npwd > {shlex.quote(str(note))}"], block)
        self.folder = Path(note.read_text().strip())
        return said

    def run(self, command: list[str], block: Block) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{block.where} ends with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def serve(self, text: str, block: Block) -> None:
        """Start a service and wait until it answers."""
        assert self.served is None, f"{block.where}: this page serves twice"
        log = (self.tools / "service").open("w")
        command = [str(self.tools / "tunewright"), *shlex.split(text)[1:], "--port", str(self.port)]
        with log:
            self.served = subprocess.Popen(
                command, cwd=self.folder, env=self.env, stdout=log, stderr=log, text=True
            )
        for _ in range(600):
            if self.served.poll() is not None:
                break
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/healthz").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"{block.where}: no answer\n{(self.tools / 'service').read_text()}")

    def stop(self) -> None:
        """Let the service go."""
        if self.served is not None:
            self.served.terminate()
            self.served.wait(20)


def turns(text: str) -> Iterator[tuple[str, list[str]]]:
    """Commands of a console block, with the lines they print."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *wanted = part.splitlines()
        yield command, wanted


def unseen(wanted: list[str], seen: str) -> str:
    """The first wanted line that is not in the output, in order."""
    lines = iter(" ".join(line.split()) for line in seen.splitlines())
    for line in wanted:
        pattern = ".*".join(map(re.escape, " ".join(line.split()).split("…")))
        if line.strip("… ") and not any(re.fullmatch(pattern, one) for one in lines):
            return line
    return ""


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """`tunewright` and `curl`, wherever these tests run."""
    place = tmp_path / "tools"
    place.mkdir()
    (place / "curl.py").write_text(CURL)
    for command, does in {"tunewright": "-m tunewright", "curl": shlex.quote(str(place / "curl.py"))}.items():
        file = place / command
        file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {does} "$@"\n')
        file.chmod(0o755)
    return place


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that `init` writes, with one known customer, run once."""
    folder = tmp_path_factory.mktemp("docs") / "my-bot"
    shutil.copytree(STARTER, folder)
    row = {"question": "Is my order on its way?", "answer": "It left today.", "customer": KNOWN}
    (folder / "data" / "known.jsonl").write_text(json.dumps(row) + "\n")
    url = f"sqlite:///{folder / '.tunewright' / 'tunewright.db'}"
    project = tunewright.open(folder, url=url, actor="ada")
    list(tunewright.run(project))
    project.close()
    return folder


@pytest.fixture
def typist(tmp_path: Path, tools: Path, ran: Path) -> Iterator[Callable[[Path], Typist]]:
    """Sits down where a page begins: guides in a project that was run, others in a folder without one."""
    hired = list[Typist]()

    def sit(page: Path) -> Typist:
        folder = tmp_path / "work"
        if page.parent.name == "guides":
            shutil.copytree(ran, folder)
        else:
            folder.mkdir()
        if page.parent.name == "reference":
            shutil.copytree(ran, folder / "examples" / "support-bot")
        if page.parent.parent.name == "examples":
            made = shutil.ignore_patterns(".tunewright", "out")
            shutil.copytree(page.parent, folder / "examples" / page.parent.name, ignore=made)
        hired.append(Typist(folder, tools))
        return hired[-1]

    yield sit
    for one in hired:
        one.stop()


# ── what is typed ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("page", RUN, ids=name)
def test_what_a_page_says_to_type_works(page: Path, typist: Callable[[Path], Typist]) -> None:
    at = typist(page)
    for block in blocks(page):
        if block.language in TYPED and not block.excuse:
            at.type(block)


def test_only_what_needs_a_network_or_a_model_or_never_ends_is_not_run() -> None:
    for block in (block for block in BLOCKS if block.excuse):
        for line in block.text.splitlines():
            assert line.startswith(EXCUSABLE), f"{block.where}: {line!r} can be run"


def test_every_word_for_make_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        said = set(re.findall(r"(?:^|`)make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert said <= targets, f"{name(page)}: {said - targets}"


def test_every_extra_that_is_named_exists() -> None:
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    for page in PAGES:
        said = {
            one
            for group in re.findall(r"(?:tunewright|\.)\[([\w,]+)\]'", page.read_text(encoding="utf-8"))
            for one in group.split(",")
        }
        assert said <= extras, f"{name(page)}: {said - extras}"
    table = (ROOT / "README.md").read_text().partition("| Extra |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == extras


# ── what is shown ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "yaml"], ids=lambda b: b.where)
def test_every_yaml_is_a_project_or_part_of_one(block: Block) -> None:
    said = yaml.safe_load(block.text)
    whole = yaml.safe_load((STARTER / "tunewright.yaml").read_text(encoding="utf-8"))

    parse(yaml.safe_dump(merged(whole, said)), block.where)

    policy = Settings.model_validate(merged(whole, said)).policy
    known = set(Shelf[Callable[..., object]]("tunewright.checks"))
    assert {key.partition(".")[0] for key in (*policy.vet, *policy.serve, *policy.options)} <= known


def merged(whole: dict[str, object], part: dict[str, object]) -> dict[str, object]:
    """The whole with the part in its place. A list takes the place of a list."""
    made = dict(whole)
    for key, value in part.items():
        old = made.get(key)
        deep = isinstance(old, dict) and isinstance(value, dict)
        made[key] = merged(old, value) if deep else value  # type: ignore[arg-type]
    return made


def test_every_case_that_is_shown_is_one() -> None:
    shown = [b for b in BLOCKS if name(b.page) == "docs/guides/cases.md" and b.language == "jsonl"]
    cases = [Case.model_validate(json.loads(line)) for b in shown for line in b.text.splitlines()]

    assert len(cases) > 3
    assert all(c.reference or c.contains or c.exact or c.label for c in cases)


def test_every_shape_of_row_is_shown_and_recognised() -> None:
    shown = [b for b in BLOCKS if name(b.page) == "docs/guides/data.md" and b.language == "jsonl"]
    counts = Counter[str]()
    for at, line in enumerate(line for b in shown for line in b.text.splitlines()):
        row = to_record(json.loads(line), source="docs", licence="", file="data.md", line=at, counts=counts)
        assert isinstance(row, Record), row

    assert set(counts) == set(FORMATS)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{name(page)}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{name(page)}: {link}"


def slug(heading: str) -> str:
    """As GitHub names a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# ── README ──────────────────────────────────────────────────────────────────────────────────────


def test_readme_begins_with_the_sentence() -> None:
    title, said = (ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")[:2]
    *most, last = ORDER

    assert title == "# Tunewright"
    assert said == f"{', '.join(most).capitalize()} — and {last}. Each leaves evidence."


def test_the_nine_verbs_stand_in_readme_in_the_order_of_the_product() -> None:
    rows = re.findall(r"^\| `tunewright (\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert tuple(rows) == ORDER
    assert set(ORDER) == {m.name for m in iter_modules([str(SOURCE / "verbs")]) if m.name[0] != "_"}


def test_the_tree_in_readme_names_what_is_there() -> None:
    tree = next(b for b in BLOCKS if name(b.page) == "README.md" and b.text.startswith("tunewright/"))
    for folder, said in folders(tree.text).items():
        assert sorted(said) == sorted(there(ROOT / folder)), folder or "at the top"


def folders(tree: str) -> dict[str, list[str]]:
    """What a drawn tree says is in each folder that it opens. Every line has a comment."""
    found, path = dict[str, list[str]](), list[str]()
    for line in tree.splitlines()[1:]:
        drawn = re.fullmatch(r"([│ ]*)[├└]── (\S+)( +\S.*)?", line)
        assert drawn, line
        depth = len(drawn[1]) // 4
        path[depth:] = [drawn[2].rstrip("/")]
        folder = "/".join(path[:-1])
        found.setdefault(folder, []).append(drawn[2])
        assert drawn[3] or drawn[2] in ("src/", "tunewright/"), f"no comment: {line}"
    return found


def there(folder: Path) -> Iterator[str]:
    """What is in a folder of the repository: nothing hidden, nothing made, nothing empty."""
    ignored = {"__pycache__", "out", "dist", "build", ".venv"}
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in ignored or path.suffix == ".egg-info":
            continue
        if path.is_file():
            yield path.name
        elif any(p.is_file() and "__pycache__" not in p.parts for p in path.rglob("*")):
            yield f"{path.name}/"


# ── reference ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def write() -> ModuleType:
    """The script that writes the reference."""
    spec = importlib.util.spec_from_file_location("write", ROOT / "docs" / "reference" / "write.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says(write: ModuleType) -> None:
    made = write.pages()
    kept = {p.name: p.read_text(encoding="utf-8") for p in (ROOT / "docs" / "reference").glob("*.md")}

    assert sorted(kept) == sorted(made)
    assert [page for page in made if made[page] != kept[page]] == [], "make docs"


def test_every_plugin_is_in_the_reference() -> None:
    shelves = [
        module.name
        for module in iter_modules([str(SOURCE)])
        if module.ispkg
        and any(isinstance(v, Shelf) for v in vars(import_module(f"tunewright.{module.name}")).values())
    ]
    assert set(shelves) - {"verbs"}
    for shelf in set(shelves) - {"verbs", "errands"}:
        page = (ROOT / "docs" / "reference" / f"{shelf}.md").read_text(encoding="utf-8")
        own = [m.name for m in iter_modules([str(SOURCE / shelf)]) if not m.name.startswith("_")]
        assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == sorted(own), shelf
        if shelf != "documents":
            for part in page.split("\n## ")[1:]:
                assert "**Limits:**" in part, f"{shelf}/{part.partition(chr(10))[0]} says no limits"


def test_every_error_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    kinds = [
        v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, errors.TunewrightError)
    ]

    assert sorted(rows) == sorted((k.__name__, str(k.exit), str(k.status)) for k in kinds)


def test_every_environment_variable_is_in_the_docs() -> None:
    start = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    code = "".join(file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py"))

    assert {v for v in re.findall(r"\bTUNEWRIGHT_[A-Z]+\b", code) if f"`{v}`" not in start} == set()


def test_every_page_that_a_hint_names_exists() -> None:
    for file in SOURCE.rglob("*.py"):
        for page in re.findall(r"docs/[\w/-]+\.md", file.read_text(encoding="utf-8")):
            assert (ROOT / page).exists(), f"{file.name}: {page}"


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\[\d{4}\]\(([\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))

    assert listed == sorted(p.name for p in folder.glob("0*.md"))
