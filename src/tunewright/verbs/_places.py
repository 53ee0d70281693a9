"""Where the project's records come from: every file, fetched copy or dataset, with its provenance."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tunewright.errors import BadInput
from tunewright.fetchers import fetchers, pick_fetcher, shown
from tunewright.nouns import Dataset, Source
from tunewright.project import FILE, Project
from tunewright.project.settings import Data
from tunewright.sources import pick
from tunewright.sources.croissant import described
from tunewright.store import hash_path

FACTS = (
    "licence",
    "origin",
    "basis",
    "collected",
    "publisher",
    "link",
    "collected_by",
    "method",
    "purpose",
    "consent",
    "retain_until",
    "languages",
    "author",
    "generator",
    "upstream",
)
"""Fields of tunewright.yaml that a `Source` repeats."""


ABOUT_DATA = ("README", "LICENSE", "LICENCE", "NOTICE", "CITATION", "CHANGELOG", "DATASHEET")
"""Beginnings of the names of files that speak about data."""


class Place(NamedTuple):
    """One source, what tunewright.yaml says of it, and where its bytes lie now."""

    source: Source
    said: Data
    path: Path | None
    """None for a dataset of this project."""


def places(project: Project, refresh: bool = False) -> Iterator[Place]:
    """Every place records come from, with the digest of its bytes. `refresh` fetches anew what is elsewhere.

    Errors: `BadInput` when one is not there.
    """
    for number, said in enumerate(project.settings.data):
        about = {name: getattr(said, name) for name in FACTS}
        if said.dataset:
            digest = project.ledger.get(Dataset, said.dataset).digest
            source = Source(name=said.dataset, uri=f"dataset:{digest}", sha256=digest, **about)
            yield Place(source, said, None)
            continue
        for name, uri, path in _files(project, number, said, refresh):
            try:
                digest = hash_path(path)
            except OSError as error:
                raise BadInput(
                    f"{name} cannot be read: {error.strerror}", hint="check its permissions"
                ) from None
            known = {**about, **_described(said, path)}
            yield Place(Source(name=name, uri=uri, sha256=digest, **known), said, path)


def _described(said: Data, path: Path) -> dict[str, object]:
    """What a provider's description says, where tunewright.yaml is silent."""
    if said.source not in ("auto", "croissant") or (path.suffix != ".json" and not path.is_dir()):
        return {}
    try:
        plugin = pick(path) if said.source == "auto" else said.source
    except BadInput:
        return {}
    if plugin != "croissant":
        return {}
    found = {name: text for name, text in described(path).items() if name in FACTS and text}
    silent = {name for name in FACTS if getattr(said, name) in ("", (), "NOASSERTION")}
    told: dict[str, object] = {name: text for name, text in found.items() if name in silent}
    if isinstance(languages := told.get("languages"), str):
        told["languages"] = tuple(languages.replace(",", " ").split())
    return told


def _files(project: Project, number: int, said: Data, refresh: bool) -> Iterator[tuple[str, str, Path]]:
    """Name in evidence, URI, and local path of every file that one item of `data` names."""
    if said.uri:
        shown, path = _fetched(project, said, refresh)
        for inner in _expanded(path, said.source):
            name = shown if inner == path else f"{shown}/{inner.relative_to(path).as_posix()}"
            yield name, shown, inner
        return
    paths = project.files(said.file)
    if not paths:
        told = f"{FILE}: data.{number}.file: nothing called {said.file!r} in {project.folder}"
        raise BadInput(told, hint="check the spelling")
    for path in paths:
        for inner in _expanded(path, said.source):
            name = project.name(inner)
            yield name, f"file:{name}", inner


def _expanded(path: Path, plugin: str) -> list[Path]:
    """A folder that no source reads as a whole stands for the files in it.

    Hidden files, and those that speak about the data, are no data.
    """
    if not path.is_dir() or plugin != "auto":
        return [path]
    try:
        pick(path)
    except BadInput:
        inside = (p for p in path.rglob("*") if p.is_file() and not p.name.upper().startswith(ABOUT_DATA))
        return sorted(p for p in inside if not any(part[0] == "." for part in p.relative_to(path).parts))
    return [path]


def _fetched(project: Project, said: Data, refresh: bool) -> tuple[str, Path]:
    """The URI without its secrets, and the local copy; fetched once, until somebody asks for it anew."""
    plugin, name = pick_fetcher(said.uri), shown(said.uri)
    fetchers.check(plugin, dict(said.fetch), given=("into",))
    told = json.dumps([plugin, name, said.fetch], sort_keys=True, default=str)
    place = project.state / "fetched" / hashlib.sha256(told.encode()).hexdigest()[:16]
    done = place / "fetched.json"
    if refresh or not done.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        path = fetchers[plugin](said.uri, place / "content", **said.fetch)
        done.write_text(json.dumps({"uri": name, "path": path.relative_to(place).as_posix()}))
    return name, place / json.loads(done.read_text())["path"]
