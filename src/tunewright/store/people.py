"""Who is spoken of where: keyed commitments, so that `forget` finds every record of a person at once."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection, Engine

from tunewright.store.tables import people


class Link(NamedTuple):
    """One record of one dataset that speaks of one person."""

    person: str
    """Keyed commitment, 64 hexadecimal digits; the first half is kept."""
    dataset: str
    record: str


class People:
    """The subject index. Whoever has the project's key can look a person up in it; nobody else can."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def of(self, person: str) -> dict[str, set[str]]:
        """Dataset digest to ids of the records in it that speak of this person."""
        found = dict[str, set[str]]()
        with self.engine.connect() as db:
            asked = select(people.c.dataset, people.c.record).where(people.c.person == _short(person))
            for dataset, record in db.execute(asked):
                found.setdefault(dataset, set()).add(record)
        return found

    def erase(self, person: str) -> None:
        """Delete what leads to this person."""
        with self.engine.begin() as db:
            db.execute(delete(people).where(people.c.person == _short(person)))


def add_links(db: Connection, links: Iterable[Link]) -> None:
    """Write links inside a transaction; those that are there already stay."""
    wanted = dict.fromkeys(links)
    there = set[tuple[bytes, str, str]]()
    for dataset in {link.dataset for link in wanted}:
        rows = db.execute(select(people).where(people.c.dataset == dataset))
        there |= {(bytes(row.person), row.dataset, row.record) for row in rows}
    fresh = [row for link in wanted if (row := (_short(link.person), link.dataset, link.record)) not in there]
    for at in range(0, len(fresh), 5000):
        some = fresh[at : at + 5000]
        db.execute(people.insert(), [{"person": p, "dataset": d, "record": r} for p, d, r in some])


def _short(person: str) -> bytes:
    return bytes.fromhex(person)[:16]
