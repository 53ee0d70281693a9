"""The one place where evidence is written.

    with ledger.step(work, actor, params) as step:
        step.save(report, name="support")

On the way out the step writes everything that was saved and one ledger entry in a single transaction:
outputs never exist without their evidence, nor the reverse. A step that fails or is refused saves
nothing, but leaves its entry. A process that is killed leaves neither.

Entries are the leaves of an RFC 6962 Merkle tree; the tree's root stands beside each entry. Whoever can
write to the database can rewrite everything after the last root that was kept elsewhere.
"""

import json
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import JsonValue
from sqlalchemy import desc, select
from sqlalchemy.engine import Connection, Engine

from tunewright.errors import Exhausted, NotFound, Refused, TunewrightError, full
from tunewright.nouns import NOUNS, Entry, Noun, Outcome
from tunewright.store import merkle
from tunewright.store.blobs import Blobs, Lines
from tunewright.store.people import Link, add_links
from tunewright.store.tables import ledger, names, things

N = TypeVar("N", bound=Noun)


class Work(NamedTuple):
    """A piece of work: what is done, and everything it reads. Equal keys are the same work."""

    verb: str
    key: str
    inputs: tuple[str, ...]


class Ledger:
    """Reading, for everyone."""

    def __init__(self, engine: Engine, blobs: Blobs) -> None:
        self.engine = engine
        self.blobs = blobs

    def get(self, kind: type[N], ref: str) -> N:
        """The thing with this name, or whose digest starts with `ref`. Errors: `NotFound`."""
        found = self.find(kind, ref)
        if found is None:
            raise NotFound(f"no {kind.kind} called {ref!r}", hint=f"tunewright list {kind.kind}")
        return found

    def find(self, kind: type[N], ref: str) -> N | None:
        """As `get`, but None when there is no such thing. A prefix of a digest needs 6 characters."""
        with self.engine.connect() as db:
            named = db.scalar(select(names.c.digest).where(names.c.kind == kind.kind, names.c.name == ref))
            if not named and len(ref) < 6:
                return None
            mine = things.c.kind == kind.kind
            like = things.c.digest.startswith(named or ref, autoescape=True)
            bodies = db.scalars(select(things.c.body).where(mine, like).limit(2)).all()
        return parse(kind, bodies[0]) if len(bodies) == 1 else None

    def all(self, kind: type[N]) -> list[N]:
        """Every thing of this kind, oldest first."""
        order = {digest: n for n, entry in enumerate(self.entries()) for digest in entry.outputs}
        with self.engine.connect() as db:
            bodies = db.scalars(select(things.c.body).where(things.c.kind == kind.kind)).all()
        return sorted((parse(kind, b) for b in bodies), key=lambda noun: order.get(noun.digest, 0))

    def names(self, kind: type[Noun]) -> dict[str, str]:
        """Name to digest, for things of this kind."""
        with self.engine.connect() as db:
            rows = db.execute(select(names.c.name, names.c.digest).where(names.c.kind == kind.kind))
            return {row.name: row.digest for row in rows}

    def entries(self) -> Iterator[Entry]:
        """Every entry, oldest first."""
        with self.engine.connect() as db:
            for body in db.scalars(select(ledger.c.body).order_by(ledger.c.seq)):
                yield parse(Entry, body)

    def root(self) -> tuple[int, str]:
        """How many entries there are, and the root of their tree: keep both elsewhere."""
        with self.engine.connect() as db:
            last = db.execute(
                select(ledger.c.seq, ledger.c.root).order_by(desc(ledger.c.seq)).limit(1)
            ).first()
        return (last.seq, last.root) if last else (0, merkle.EMPTY)

    def done(self, key: str) -> Entry | None:
        """The entry of this very work if it was done before and all it made is still there."""
        with self.engine.connect() as db:
            bodies = db.scalars(
                select(ledger.c.body).where(ledger.c.key == key).order_by(desc(ledger.c.seq))
            ).all()
        for entry in (parse(Entry, body) for body in bodies):
            if entry.outcome == "done" and all(self._here(digest) for digest in entry.outputs):
                return entry
        return None

    def thing(self, digest: str) -> Noun | None:
        """The thing with exactly this digest, of whatever kind."""
        with self.engine.connect() as db:
            row = db.execute(select(things.c.kind, things.c.body).where(things.c.digest == digest)).first()
        return parse(NOUNS[row.kind], row.body) if row else None

    def history(self, digest: str) -> list[Entry]:
        """Every entry that led to this thing, newest first."""
        wanted, story = {digest}, list[Entry]()
        for entry in reversed(list(self.entries())):
            if wanted & set(entry.outputs):
                wanted |= set(entry.inputs)
                story.append(entry)
        return story

    def _here(self, digest: str) -> bool:
        thing = self.thing(digest)
        return thing is not None and all(blob in self.blobs for blob in thing.points_at())

    @contextmanager
    def step(self, work: Work, actor: str, params: dict[str, JsonValue]) -> Iterator["Step"]:
        """Writing, inside one entry. Errors: `Exhausted` when the disk is full."""
        started, clock, step = datetime.now(UTC), time.monotonic(), Step(self, work)
        outcome: Outcome = "failed"
        note = ""
        try:
            yield step
            outcome = "done"
        except Refused as refusal:
            outcome, note = "refused", str(refusal)
            raise
        except TunewrightError as error:
            note = f"{type(error).__name__}: {error}"
            raise
        except BaseException as error:
            note = type(error).__name__  # a foreign message may hold users' words
            if full(error):
                raise Exhausted(
                    f"{work.verb} could not go on: the disk or the memory is full",
                    hint="make room, then run the same command again",
                ) from error
            raise
        finally:
            seconds = round(time.monotonic() - clock, 3)
            with self.engine.begin() as db:
                self._write(db, step, outcome, actor, params, note[:2000], started, seconds)
        for act in step.last_acts:
            act()

    def _write(
        self,
        db: Connection,
        step: "Step",
        outcome: Outcome,
        actor: str,
        params: dict[str, JsonValue],
        note: str,
        started: datetime,
        seconds: float,
    ) -> None:
        self._lock(db)
        last = db.execute(select(ledger.c.seq, ledger.c.peaks).order_by(desc(ledger.c.seq)).limit(1)).first()
        size, peaks = (last.seq, tuple(json.loads(last.peaks))) if last else (0, ())
        entry = Entry(
            seq=size + 1,
            verb=step.work.verb,
            actor=actor,
            key=step.work.key,
            inputs=tuple(dict.fromkeys((*step.work.inputs, *(noun.digest for noun in step.used)))),
            params=params,
            outputs=tuple(dict.fromkeys(noun.digest for noun, _ in step.saved)) if outcome == "done" else (),
            names={f"{n.kind}/{name}": n.digest for n, name in step.saved if name}
            if outcome == "done"
            else {},
            outcome=outcome,
            note=note,
            started=started,
            seconds=seconds,
            software=software(),
        )
        if outcome == "done":
            step.flush(db)
        peaks = merkle.append(peaks, size, merkle.leaf(entry.canonical))
        row = {"seq": entry.seq, "key": entry.key, "body": entry.canonical.decode()}
        db.execute(ledger.insert().values(**row, root=merkle.root(peaks), peaks=json.dumps(peaks)))

    def _lock(self, db: Connection) -> None:
        """One writer at a time: two could otherwise number their entries alike."""
        if db.dialect.name == "sqlite":
            db.execute(names.delete().where(names.c.kind == ""))  # any write takes SQLite's only write lock
        else:
            db.exec_driver_sql("LOCK TABLE ledger IN EXCLUSIVE MODE")


class Step:
    """The only way to write. A verb is handed one and gives back what it made."""

    def __init__(self, store: Ledger, work: Work) -> None:
        self.work = work
        self.used: list[Noun] = []
        self.saved: list[tuple[Noun, str]] = []
        self.last_acts: list[Callable[[], object]] = []
        self.links: list[Link] = []
        self._blobs = store.blobs

    def use(self, noun: N) -> N:
        """Rely on a thing that was not an argument: it becomes an input of this entry."""
        self.used.append(noun)
        return noun

    def save(self, noun: N, name: str = "") -> N:
        """Save a thing, and optionally point a name at it."""
        self.saved.append((noun, name))
        return noun

    def keep(self, source: Path | str) -> str:
        """Keep a file, folder or text as a blob; returns its digest."""
        return self._blobs.keep(source)

    def keep_nouns(self, nouns: Iterable[Noun]) -> str:
        """Keep nouns as JSONL; returns the blob's digest."""
        return self._blobs.keep_lines(noun.model_dump_json() for noun in nouns)

    def writing(self) -> AbstractContextManager[Lines]:
        """A blob of lines in the making, in bounded memory; its `digest` is known when the block ends."""
        return self._blobs.writing()

    def link(self, rows: Iterable[Link]) -> None:
        """Note which records of which dataset speak of a person, for `forget`."""
        self.links += rows

    def afterwards(self, act: Callable[[], object]) -> None:
        """Do this once the entry is written, and only then: erasing, above all."""
        self.last_acts.append(act)

    def flush(self, db: Connection) -> None:
        """Write what was saved. Only the ledger calls this, inside its transaction."""
        add_links(db, self.links)
        for noun, name in self.saved:
            if not db.scalar(select(things.c.digest).where(things.c.digest == noun.digest)):
                row = {"digest": noun.digest, "kind": noun.kind, "body": noun.canonical.decode()}
                db.execute(things.insert().values(**row))
            if name:
                db.execute(names.delete().where(names.c.kind == noun.kind, names.c.name == name))
                db.execute(names.insert().values(kind=noun.kind, name=name, digest=noun.digest))


def parse(kind: type[N], body: str) -> N:
    """A noun from its canonical JSON."""
    fields = json.loads(body)
    fields.pop("kind", None)
    return kind.model_validate(fields)


@cache
def software() -> str:
    """What ran: part of every entry, and of the key that decides whether work is done again."""
    try:
        ours = version("tunewright")
    except PackageNotFoundError:
        ours = "source"
    return f"tunewright {ours}; python {platform.python_version()}"
