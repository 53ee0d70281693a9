"""A project is a folder with a `tunewright.yaml`, and who is working in it."""

import getpass
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from tunewright import store
from tunewright.errors import BadInput, Exhausted, full
from tunewright.nouns import (
    About,
    Case,
    Cases,
    Dataset,
    Edit,
    Mark,
    Noun,
    Plan,
    Policy,
    Progress,
    Recipe,
    Reject,
    Report,
    Review,
    Score,
    Tally,
)
from tunewright.project.reading import FILE, read
from tunewright.project.records import Records
from tunewright.project.settings import Settings
from tunewright.store import Blobs, Ledger, People, Traffic, Vault, Verification, connect

__all__ = ["FILE", "Project", "Records", "Settings", "open", "verify"]

STATE = ".tunewright"
N = TypeVar("N", bound=Noun)
Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Project:
    """What verbs work on. It reads; only a `Step` writes evidence."""

    folder: Path
    settings: Settings
    ledger: Ledger
    traffic: Traffic
    people: People
    actor: str
    secret: bytes = field(repr=False)
    tell: Tell = lambda _progress: None
    """Who listens to progress."""

    @property
    def state(self) -> Path:
        """Where the project keeps what it made: database, blobs, checkpoints, converted base models."""
        return self.folder / STATE

    @property
    def out(self) -> Path:
        """Where readable copies of documents go."""
        return self.folder / "out"

    def work(self, key: str) -> Path:
        """A folder for one piece of work that outlives the process: checkpoints lie here."""
        place = self.state / "work" / key[:16]
        place.mkdir(parents=True, exist_ok=True)
        return place

    def commit(self, person: str) -> str:
        """Keyed commitment (HMAC-SHA256) to a person's key, such as an e-mail address or customer number.

        Spelling differences in case and surrounding space do not matter.
        """
        return hmac.new(self.secret, person.strip().casefold().encode(), hashlib.sha256).hexdigest()

    @property
    def vault(self) -> Vault:
        """Pseudonyms and what they stand for."""
        return Vault(self.state)

    # ── what the settings say, as nouns ─────────────────────────────────────────────────────────

    def policy(self) -> Policy:
        """What must hold."""
        said = self.settings.policy
        return Policy(vet=said.vet, release=said.release, serve=said.serve, options=said.options)

    def about(self) -> About:
        """What the project says of itself."""
        return About(name=self.settings.name, summary=self.settings.summary)

    def recipe(self) -> Recipe:
        """How to tune."""
        said = self.settings.tune
        return Recipe(
            base=said.base,
            trainer=said.trainer,
            seed=said.seed,
            options=said.options,
            system=self.settings.system,
            harden=said.hardening.share if said.harden else 0.0,
            abstain=said.hardening.abstain if said.harden else "",
        )

    def plan(self) -> Plan:
        """What to ask."""
        said = self.settings.evaluate
        prompts = tuple(self._text(name) for name in said.prompts)
        return Plan(
            suites=said.suites,
            prompts=prompts,
            shots=said.shots,
            runtime=said.runtime,
            options=said.options,
            max_tokens=said.max_tokens,
        )

    def files(self, pattern: str) -> list[Path]:
        """The files that a path or glob names, sorted."""
        exact = self.folder / pattern
        if exact.exists() or Path(pattern).is_absolute():
            return [exact] if exact.exists() else []
        return sorted(self.folder.glob(pattern))

    def name(self, path: Path) -> str:
        """A path as it stands in evidence: relative to the project."""
        return Path(os.path.relpath(path, self.folder)).as_posix()

    def cases(self) -> Cases:
        """The evaluation cases, by content. Errors: `BadInput` naming every faulty line."""
        name = self.settings.evaluate.cases
        return Cases(file=name, sha256=hashlib.sha256(self._text(name).encode()).hexdigest())

    def each_case(self) -> list[Case]:
        """The evaluation cases themselves. Errors: `BadInput` naming every faulty line."""
        name = self.settings.evaluate.cases
        found, faults = dict[str, Case](), list[str]()
        for number, line in enumerate(self._text(name).split("\n"), 1):
            if not line.strip():
                continue
            try:
                case = Case.model_validate(json.loads(line))
                _ = case.digest  # what cannot be named cannot be kept
            except ValidationError as error:
                faults += [
                    f"{name}:{number}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()
                ]
            except (ValueError, RecursionError) as error:
                faults.append(f"{name}:{number}: not JSON: {error}")
            else:
                if case.id in found:
                    faults.append(f"{name}:{number}: a second case with the id {case.id!r}")
                if not case.messages or case.messages[-1].role != "user":
                    faults.append(f"{name}:{number}: a case must end with the user's turn")
                if not (case.reference or case.contains or case.exact or case.label):
                    faults.append(f"{name}:{number}: say what is right: reference, contains, exact or label")
                found[case.id] = case
        if not found and not faults:
            faults.append(f"{name}: there are no cases in it")
        if faults:
            raise BadInput("\n".join(faults), hint="docs/guides/cases.md shows what a case looks like")
        return list(found.values())

    def reviews(self) -> list[Review]:
        """What people said of vetting's changes: the last word on each. Errors: `BadInput`."""
        last = {review.change: review for review in self._said("reviews.jsonl", Review)}
        return [last[change] for change in sorted(last)]

    def marks(self) -> list[Mark]:
        """Records in which a person marked all personal data: the last word on each. Errors: `BadInput`."""
        last = {mark.record: mark for mark in self._said("audit.jsonl", Mark)}
        return [last[record] for record in sorted(last)]

    def note(self, name: str, nouns: Iterable[Noun]) -> Path:
        """Append what a person said to a file of the project; it holds digests and positions, no words."""
        path = self.folder / name
        with path.open("a", encoding="utf-8") as file:
            file.writelines(noun.model_dump_json() + "\n" for noun in nouns)
        return path

    def _said(self, name: str, kind: type[N]) -> Iterator[N]:
        if not (self.folder / name).exists():
            return
        for number, line in enumerate(self._text(name).split("\n"), 1):
            if line.strip():
                try:
                    yield kind.model_validate_json(line)
                except ValidationError as error:
                    told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
                    raise BadInput(f"{name}:{number}: {told}", hint="take the line out, or mend it") from None

    # ── what is kept ────────────────────────────────────────────────────────────────────────────

    def records(self, dataset: Dataset) -> Records:
        """The records of a dataset: sized, and read from disk as often as one likes."""
        return Records(self.ledger.blobs.path(dataset.records), dataset.count)

    def quarantine(self, dataset: Dataset) -> Iterator[Reject]:
        """What was held back from a dataset, and why."""
        return (Reject.model_validate_json(line) for line in self.ledger.blobs.lines(dataset.quarantine))

    def scores(self, blob: str) -> Iterator[Score]:
        """The scores behind a report about a model."""
        return (Score.model_validate_json(line) for line in self.ledger.blobs.lines(blob))

    def tallies(self, report: Report) -> list[Tally]:
        """What was counted for a report."""
        lines = self.ledger.blobs.lines(report.tallies) if report.tallies else iter(())
        return [Tally.model_validate_json(line) for line in lines]

    def edits(self, report: Report) -> Iterator[Edit]:
        """The changes behind a report about vetted data."""
        lines = self.ledger.blobs.lines(report.changes) if report.changes else iter(())
        return (Edit.model_validate_json(line) for line in lines)

    def close(self) -> None:
        """Let go of the database."""
        self.ledger.engine.dispose()

    def _text(self, name: str) -> str:
        path = self.folder / name
        try:
            return path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise BadInput(
                f"{FILE}: there is no {name!r} in {self.folder}", hint="check the spelling"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{name} cannot be read: {error}", hint="save it as UTF-8 text") from None


def open(folder: str | Path, *, url: str = "", actor: str = "", tell: Tell | None = None) -> Project:
    """Open the project in a folder.

    `url` names a database (default: `TUNEWRIGHT_DATABASE`, else SQLite in the folder); `actor` who is
    working (default: `TUNEWRIGHT_ACTOR`, else the login name).
    Errors: `NotFound` when there is no `tunewright.yaml`, `BadInput` when it has mistakes.
    """
    folder = Path(folder).resolve()
    settings = read(folder)
    state = folder / STATE
    try:
        state.mkdir(exist_ok=True)
        (state / ".gitignore").write_text("*\n")
        secret = _secret(state / "subject.key")
    except OSError as error:
        if full(error):
            raise Exhausted(
                f"{state} cannot be written: {error.strerror}", hint="free some disk space"
            ) from None
        raise BadInput(
            f"{state} cannot be written: {error.strerror}", hint="check the folder's permissions"
        ) from None
    engine = connect(url or os.environ.get("TUNEWRIGHT_DATABASE") or f"sqlite:///{state / 'tunewright.db'}")
    who = actor or os.environ.get("TUNEWRIGHT_ACTOR") or getpass.getuser()
    listen: Tell = tell or (lambda _progress: None)
    return Project(
        folder,
        settings,
        Ledger(engine, Blobs(state / "blobs")),
        Traffic(engine),
        People(engine),
        who,
        secret,
        listen,
    )


def verify(project: Project) -> Verification:
    """Recompute everything the project keeps; `problems` names whatever does not hold."""
    return store.verify(project.ledger)


def _secret(path: Path) -> bytes:
    """The key that commitments to persons are made with: beside the database, never in it."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(secrets.token_bytes(32))
        with suppress(FileExistsError):  # another process was first: its key is the one
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()
