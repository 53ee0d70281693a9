"""What people said in service. Kept for `watch` and `learn`, outside the ledger, so that it can be erased."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from tunewright.errors import Exhausted, NotFound
from tunewright.nouns import Exchange, Feedback
from tunewright.store.tables import exchanges, feedback


class Traffic:
    """Exchanges and feedback."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, exchange: Exchange) -> None:
        """Keep one exchange. Errors: `Exhausted` when the disk is full."""
        row = exchange.model_dump(include={"id", "channel", "at", "person", "seconds"})
        row |= {"action": exchange.verdict.action, "body": exchange.model_dump_json()}
        try:
            with self.engine.begin() as db:
                db.execute(exchanges.insert().values(**row))
        except OperationalError as error:
            raise Exhausted(
                f"the exchange could not be kept: {error.orig}", hint="free some disk space"
            ) from error

    def get(self, exchange: str) -> Exchange:
        """One exchange by its id. Errors: `NotFound`."""
        with self.engine.connect() as db:
            body = db.scalar(select(exchanges.c.body).where(exchanges.c.id == exchange))
        if body is None:
            raise NotFound(f"no exchange {exchange!r}", hint="was it erased?")
        return Exchange.model_validate_json(body)

    def since(self, days: float, channel: str = "") -> Iterator[Exchange]:
        """Exchanges of the last `days` days, oldest first."""
        asked = select(exchanges.c.body).where(exchanges.c.at >= datetime.now(UTC) - timedelta(days=days))
        if channel:
            asked = asked.where(exchanges.c.channel == channel)
        with self.engine.connect() as db:
            for body in db.scalars(asked.order_by(exchanges.c.at, exchanges.c.id)):
                yield Exchange.model_validate_json(body)

    def say(self, word: Feedback) -> None:
        """Keep a person's word on an exchange; a later word replaces the earlier. Errors: `NotFound`."""
        self.get(word.exchange)
        row = word.model_dump(include={"exchange", "at", "thumb", "consent"})
        with self.engine.begin() as db:
            db.execute(delete(feedback).where(feedback.c.exchange == word.exchange))
            db.execute(feedback.insert().values(**row, body=word.model_dump_json()))

    def words(self) -> dict[str, Feedback]:
        """All feedback, by exchange."""
        with self.engine.connect() as db:
            words = (Feedback.model_validate_json(body) for body in db.scalars(select(feedback.c.body)))
            return {word.exchange: word for word in words}

    def erase(self, ids: Iterable[str]) -> int:
        """Delete exchanges and what was said about them; returns how many exchanges went."""
        wanted, gone = list(ids), 0
        with self.engine.begin() as db:
            for at in range(0, len(wanted), 500):  # databases bound how many values a statement may name
                some = wanted[at : at + 500]
                db.execute(delete(feedback).where(feedback.c.exchange.in_(some)))
                gone += db.execute(delete(exchanges).where(exchanges.c.id.in_(some))).rowcount
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as db:  # the write-ahead log holds the words until it is emptied
                db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def of(self, person: str) -> list[str]:
        """Ids of the exchanges of whoever this keyed commitment stands for."""
        with self.engine.connect() as db:
            return list(db.scalars(select(exchanges.c.id).where(exchanges.c.person == person)))
