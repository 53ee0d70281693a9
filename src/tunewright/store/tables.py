"""The whole schema. SQLite unless told otherwise; PostgreSQL by URL.

Bodies are canonical JSON kept as text, byte for byte, so that a digest covers what is stored.
"""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from tunewright.errors import BadInput

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

    Errors: `BadInput` when the database cannot be opened.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        meta.create_all(engine)
    except OperationalError as error:
        raise BadInput(
            f"the project's database cannot be opened ({engine.url.render_as_string(hide_password=True)})",
            hint="check the folder's permissions, or TUNEWRIGHT_DATABASE",
        ) from error
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
