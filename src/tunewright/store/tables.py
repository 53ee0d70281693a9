"""The whole schema. SQLite unless told otherwise; PostgreSQL by URL.

Bodies are canonical JSON kept as text, byte for byte, so that a digest covers what is stored.
"""

import time

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.pool import ConnectionPoolEntry

from tunewright.errors import BadInput, Exhausted, Missing, Tampered

FULL = ("database or disk is full", "disk I/O error")
DAMAGED = ("malformed", "file is not a database")
"""What SQLite says. PostgreSQL has a code for the first: 53100."""

meta = MetaData()

things = Table(
    "things",
    meta,
    Column("digest", String(64), primary_key=True),
    Column("kind", String(20), index=True, nullable=False),
    Column("body", Text, nullable=False),
)

names = Table(
    "names",
    meta,
    Column("kind", String(20), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("digest", String(64), nullable=False),
)

ledger = Table(
    "ledger",
    meta,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("key", String(64), index=True, nullable=False),
    Column("body", Text, nullable=False),
    Column("root", String(64), nullable=False),
    Column("peaks", Text, nullable=False),
)

people = Table(  # who is spoken of where: keyed commitments, no words
    "people",
    meta,
    Column("person", LargeBinary(16), primary_key=True),
    Column("dataset", String(64), primary_key=True),
    Column("record", String(600), primary_key=True),
)

exchanges = Table(  # with `feedback`, the only tables that hold what people said: they must be able to forget
    "exchanges",
    meta,
    Column("id", String(64), primary_key=True),
    Column("channel", String(200), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("person", String(64), index=True, nullable=False, default=""),
    Column("action", String(10), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("exchanges_by_channel_and_time", "channel", "at"),
)

feedback = Table(
    "feedback",
    meta,
    Column("exchange", String(64), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("thumb", String(4), nullable=False),
    Column("consent", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)


def connect(url: str) -> Engine:
    """An engine with the schema in place.

    Errors: `BadInput` when the database cannot be opened, `Missing` when its driver is not installed.
    Whatever the engine does later, a full disk is `Exhausted` and a damaged file `Tampered`.
    """
    try:
        engine = create_engine(url)
    except ModuleNotFoundError as error:
        raise Missing(
            f"this database needs {error.name}, which is not installed",
            hint="pip install 'tunewright[postgres]'",
        ) from error
    except ArgumentError:
        raise BadInput(
            "the address of the project's database cannot be understood",
            hint="TUNEWRIGHT_DATABASE looks like postgresql+psycopg://user:password@host/name",
        ) from None
    event.listen(engine, "handle_error", _name_error)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        _create(engine)
    except UnicodeDecodeError as error:  # SQLite quotes the garbage that it found
        engine.dispose()
        raise Tampered("the project's database is damaged", hint="restore it from a backup") from error
    except DBAPIError as error:
        engine.dispose()
        raise BadInput(
            f"the project's database cannot be opened ({engine.url.render_as_string(hide_password=True)})",
            hint="check the folder's permissions, or TUNEWRIGHT_DATABASE",
        ) from error
    return engine


def _create(engine: Engine) -> None:
    """Make what is not there yet; another process may be doing the same at this moment."""
    for patience in (3, 2, 1, 0):
        try:
            meta.create_all(engine)
        except (OperationalError, ProgrammingError, IntegrityError):
            if not patience:
                raise
            time.sleep(0.1)
        else:
            return


def _name_error(context: ExceptionContext) -> None:
    """Give what the driver says of a full disk or a damaged file its own name."""
    told, state = str(context.original_exception), getattr(context.original_exception, "sqlstate", None)
    if state == "53100" or any(words in told for words in FULL):
        raise Exhausted(
            f"the project's database could not be written: {told}",
            hint="free some disk space, then run the same command again",
        ) from context.original_exception
    if any(words in told for words in DAMAGED):
        raise Tampered(
            f"the project's database is damaged: {told}", hint="restore it from a backup"
        ) from context.original_exception


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
