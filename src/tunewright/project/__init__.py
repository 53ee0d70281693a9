"""A project is a folder with a `tunewright.yaml`, and who is working in it."""

import getpass
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from tunewright import store
from tunewright.errors import BadInput, Exhausted, full
from tunewright.nouns import (
    About,
    Case,
    Cases,
    Dataset,
    Plan,
    Policy,
    Progress,
    Recipe,
    Record,
    Reject,
    Score,
    Source,
)
from tunewright.project.reading import FILE, read
from tunewright.project.settings import Settings
from tunewright.store import Blobs, Ledger, Traffic, Verification, connect, hash_path

__all__ = ["FILE", "Project", "Settings", "open", "verify"]

STATE = ".tunewright"
Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Project:
    """What verbs work on. It reads; only a `Step` writes evidence."""

    folder: Path
    settings: Settings
    ledger: Ledger
    traffic: Traffic
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

    def sources(self) -> Iterator[Source]:
        """Every place records come from, with the digest of its bytes.

        Errors: `BadInput` when one is not there.
        """
        for number, said in enumerate(self.settings.data):
            about = {
                "licence": said.licence,
                "origin": said.origin,
                "basis": said.basis,
                "collected": said.collected,
            }
            if said.dataset:
                digest = self.ledger.get(Dataset, said.dataset).digest
                yield Source(name=said.dataset, uri=f"dataset:{digest}", sha256=digest, **about)
                continue
            paths = self.files(said.file)
            if not paths:
                where = f"{FILE}: data.{number}.file"
                raise BadInput(
                    f"{where}: nothing called {said.file!r} in {self.folder}", hint="check the spelling"
                )
            for path in paths:
                name = self.name(path)
                try:
                    digest = hash_path(path)
                except OSError as error:
                    raise BadInput(
                        f"{name} cannot be read: {error.strerror}", hint="check its permissions"
                    ) from None
                yield Source(name=name, uri=f"file:{name}", sha256=digest, **about)

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

    # ── what is kept ────────────────────────────────────────────────────────────────────────────

    def records(self, dataset: Dataset) -> Iterator[Record]:
        """The records of a dataset."""
        return (Record.model_validate_json(line) for line in self.ledger.blobs.lines(dataset.records))

    def quarantine(self, dataset: Dataset) -> Iterator[Reject]:
        """What was held back from a dataset, and why."""
        return (Reject.model_validate_json(line) for line in self.ledger.blobs.lines(dataset.quarantine))

    def scores(self, blob: str) -> Iterator[Score]:
        """The scores behind a report about a model."""
        return (Score.model_validate_json(line) for line in self.ledger.blobs.lines(blob))

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
        folder, settings, Ledger(engine, Blobs(state / "blobs")), Traffic(engine), who, secret, listen
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
