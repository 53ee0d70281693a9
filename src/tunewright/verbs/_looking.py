"""Looking at a dataset: what every check of a policy sees in it.

Checks that look at each record by itself share the processors, and what they saw is kept: the next vet
looks only at records that are new. Checks that need all records run beside them.
"""

import hashlib
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from tunewright.checks import GIVEN, by_record, checks
from tunewright.nouns import Base, Case, Finding, Measure, Policy, Progress, Source, Tally, Trait
from tunewright.project import Project, Records
from tunewright.store import Looks
from tunewright.verbs import _worker
from tunewright.verbs._crew import Crew, Rows, processors
from tunewright.verbs._curves import newest
from tunewright.verbs._worker import Wanted

CHUNK = 400
"""Records that a helping process takes at a time."""
FEW = 2000
"""Up to so many new records no helping process is started: starting one takes about as long."""
CHANGING = {"sources", "today", "base"}
"""What is given to checks that look beyond the words of a record: it is not remembered."""
AHEAD = 4
"""Chunks that wait for each process."""


@dataclass
class Looked:
    """What was seen: by record (its place in the dataset, and its id), and of the dataset as a whole."""

    names: list[str]
    at: dict[int, str] = field(default_factory=dict)
    """JSON of findings of checks that look at each record, by place; most records have none."""
    of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """JSON of findings of checks that need all records, by record id."""
    about: list[Finding] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    traits: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    counted: list[Tally] = field(default_factory=list)
    remembered: int = 0
    """Records that no check had to look at again."""

    def any(self, place: int) -> bool:
        """Whether anything may have been found in this record."""
        return place in self.at or bool(self.of)

    def findings(self, place: int, record: str) -> list[Finding]:
        """What was found in one record, given its place and its id."""
        texts = [self.at.get(place, ""), *self.of.get(record, ())]
        seen = (one for text in texts for one in _worker.unpacked(text, record))
        return [one for one in seen if isinstance(one, Finding)]

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """Mixtures: those that checks counted, and those that traits of records add up to."""
        added = [
            Tally(check=check, name=name, counts=dict(sorted(values.items())))
            for (check, name), values in sorted(self.traits.items())
        ]
        return (*added, *self.counted)


class Configuration(NamedTuple):
    """A check with its options, its code and what it is given: equal ones see the same in the same record."""

    wanted: Wanted
    number: int
    keeps: bool
    """Whether what it sees depends on nothing but the record's content, so that it may be remembered."""


def policy_checks(policy: Policy) -> list[str]:
    """The checks that a policy names for data, in order."""
    return list(dict.fromkeys(key.partition(".")[0] for key in policy.vet))


def look(
    project: Project,
    policy: Policy,
    records: Records,
    sources: Sequence[Source],
    cases: Sequence[Case],
    today: str,
    workers: int = 0,
) -> Looked:
    """What every check of the policy sees in these records.

    `workers` is the number of processes, 0 for one a processor. Errors: `BadInput` for options that a check
    does not have, `Missing` for one whose library is not installed.
    """
    names = policy_checks(policy)
    looked = Looked(names)
    wanted = [_wanted(project, policy, name) for name in names]
    given = _given(project, cases, sources, today)
    singles = [one for one in wanted if by_record(one.name)]
    others = [one for one in wanted if not by_record(one.name)]
    with closing(Looks(project.state / "looks.db")) as looks:
        configurations = [
            Configuration(
                one, looks.configuration(_digest(one, given)), not {"sources", "today"} & {*one.given}
            )
            for one in singles
        ]
        crew = Crew((workers or processors()) if len(records) > FEW else 1, str(given))
        try:
            jobs = [(str(records.path), len(records), one, str(_kept(project, one.name))) for one in others]
            started = [crew.whole(*job) for job in jobs] if crew.size > 1 else []
            _each(project, looks, looked, records, configurations, crew)
            for number, job in enumerate(jobs):
                name = job[2].name
                project.tell(Progress(label="vet", done=len(records), total=len(records), note=name))
                future = started[number] if started else crew.whole(*job)
                by_id, about = crew.all(future, *job)
                for record, text in by_id.items():
                    looked.of[record].append(text)
                for seen in _worker.unpacked(about, ""):
                    _sort(looked, seen)
        finally:
            crew.close()
            given.unlink(missing_ok=True)
    return looked


def content_key(line: str, secret: bytes) -> bytes:
    """Names what a record says, whatever its id and its place in a file. Keyed: nobody can guess at words.

    `line` is a record's JSON as the store writes it, with `messages`, `label` and `licence` before `origin`.
    """
    start, end, rest = line.index('"messages":'), line.index(',"origin":{"source":'), line.rindex(',"facts":')
    said = f"{line[start:end]}{line[rest:]}".encode()
    return hashlib.blake2b(said, digest_size=16, key=secret[:32]).digest()


def _each(
    project: Project,
    looks: Looks,
    looked: Looked,
    records: Records,
    configurations: Sequence[Configuration],
    crew: Crew,
) -> None:
    """Look at what is not remembered, chunk by chunk, and remember it."""
    done = 0
    running = dict[Future[Rows], _Chunk]()

    def finished(chunk: _Chunk) -> None:
        nonlocal done
        done += len(chunk.keys)
        project.tell(Progress(label="vet", done=done, total=len(records)))

    def take(future: Future[Rows]) -> None:
        chunk = running.pop(future)
        rows = crew.rows(future, chunk.lines, [one.wanted for one in chunk.wanted])
        kept = list[tuple[bytes, int, str]]()
        for index, row in zip(chunk.fresh, rows, strict=True):
            for one, text in zip(chunk.wanted, row, strict=True):
                _note(looked, chunk.first + index, text)
                if one.keeps and '"crashed"' not in text:
                    kept.append((chunk.keys[index], one.number, text))
        looks.keep(kept)
        finished(chunk)

    for chunk in _chunks(project, looks, looked, records, configurations):
        looked.remembered += len(chunk.keys) - len(chunk.fresh)
        if not chunk.fresh:
            finished(chunk)
            continue
        running[crew.each(chunk.lines, [one.wanted for one in chunk.wanted])] = chunk
        while len(running) >= crew.size * AHEAD:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                take(future)
    while running:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            take(future)


class _Chunk(NamedTuple):
    """Some records in a row, and which checks have to look at which of them."""

    first: int
    """Place of the first of them in the dataset."""
    keys: list[bytes]
    fresh: list[int]
    """Which of them have to be looked at."""
    lines: list[str]
    """These, as JSON."""
    wanted: list[Configuration]


def _chunks(
    project: Project,
    looks: Looks,
    looked: Looked,
    records: Records,
    configurations: Sequence[Configuration],
) -> Iterator[_Chunk]:
    """The records in chunks. What is remembered of them is noted at once."""
    lines, first = records.lines(), 0
    numbers = [one.number for one in configurations if one.keeps]
    while part := list(islice(lines, CHUNK)):
        keys = [content_key(line, project.secret) for line in part]
        known = looks.known(keys, numbers)
        missing = [
            one
            for one in configurations
            if not one.keeps or any((key, one.number) not in known for key in keys)
        ]
        fresh = [
            index
            for index, key in enumerate(keys)
            if any(not one.keeps or (key, one.number) not in known for one in missing)
        ]
        again, new = {one.number for one in missing}, set(fresh)
        for index, key in enumerate(keys):
            for number in numbers:
                if number not in again or index not in new:
                    _note(looked, first + index, known[key, number])
        yield _Chunk(first, keys, fresh, [part[index] for index in fresh], missing)
        first += len(part)


def _note(looked: Looked, place: int, text: str) -> None:
    """Put what was seen in one record where it belongs."""
    if not text:
        return
    if '"finding"' in text:
        before = looked.at.get(place)
        looked.at[place] = f"{before[:-1]},{text[1:]}" if before else text
    if '"trait"' in text:
        for seen in _worker.unpacked(text, ""):
            if isinstance(seen, Trait):
                looked.traits[seen.check, seen.name][seen.value] += 1


def _sort(looked: Looked, seen: object) -> None:
    if isinstance(seen, Finding):
        looked.about.append(seen)
    elif isinstance(seen, Tally):
        looked.counted.append(seen)
    elif isinstance(seen, Measure):
        looked.measures.append(seen)


def _wanted(project: Project, policy: Policy, name: str) -> Wanted:
    options: dict[str, JsonValue] = dict(policy.options.get(name, {}))
    checks.check(name, dict(options), given=GIVEN)
    given = tuple(one for one in GIVEN if one in checks.options(name))
    if "benchmarks" in options and isinstance(found := options["benchmarks"], list):
        options["benchmarks"] = [str(project.folder / str(path)) for path in found]
    return Wanted(name, options, given)


def base_licence(project: Project) -> str:
    """The licence of the base model that tunewright.yaml names, once it has been found."""
    bases = [base for base in project.ledger.all(Base) if base.uri == project.settings.tune.base]
    return bases[-1].licence if bases else ""


def _given(project: Project, cases: Sequence[Case], sources: Sequence[Source], today: str) -> Path:
    """What checks are given, in a file that every process reads once; it is named by its content."""
    said = {
        "cases": [case.model_dump(mode="json") for case in cases],
        "sources": [source.model_dump(mode="json") for source in sources],
        "today": today,
        "base": base_licence(project),
        "curve": curve.model_dump(mode="json") if (curve := newest(project)) else None,
    }
    text = json.dumps(said, sort_keys=True)
    path = project.state / "looks" / f"given-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _kept(project: Project, check: str) -> Path:
    """Where a check that needs all records keeps what makes its next run cheaper."""
    place = project.state / "looks" / check / _code()[:16]
    for old in (path for path in place.parent.glob("*") if path != place):  # other code made it
        shutil.rmtree(old, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    return place


def _digest(wanted: Wanted, given: Path) -> str:
    content = json.loads(given.read_text(encoding="utf-8"))
    told = {name: content[name] for name in wanted.given if name in content and name not in CHANGING}
    said = [wanted.name, wanted.options, told, _code(), _strange(wanted.name)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@cache
def _code() -> str:
    """The checks' own code and weights: when they change, what they saw before counts for nothing."""
    folder = Path(str(import_module("tunewright.checks").__file__)).parent
    hasher = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            hasher.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return hasher.hexdigest()


def _strange(name: str) -> str:
    """The code of a check that others installed."""
    module = import_module(checks[name].__module__)
    if module.__name__.startswith("tunewright."):
        return ""
    return hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest()
