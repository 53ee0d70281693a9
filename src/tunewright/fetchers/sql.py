"""Rows of a database, by a query."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tunewright.errors import BadInput, Missing
from tunewright.fetchers import resolved, scheme_of, scrubbed, shown

_READS = re.compile(
    r"(?>\s+|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*+\*/)*+\(*+\s*+(?:select|with|values|table)\b", re.IGNORECASE
)
_FILE = "rows.jsonl"


def sql(uri: str, into: Path, *, query: str = "", batch: int = 1000, max_rows: int = 0) -> Path:
    """The rows that a query gives, from any database that SQLAlchemy knows.

    `uri` is a database URL such as `postgresql+psycopg://reader@db/shop`, or `${DB_URL}` for the value of a
    variable: passwords belong there. `query` is one SELECT; name its columns as a known row shape has them
    (`SELECT body AS question, reply AS answer …`). Rows are streamed, `batch` at a time, in a transaction
    that only reads and is rolled back. They are kept as JSON lines; line n is row n of the result.

    Dates and times are written as ISO 8601, decimals as text that keeps every digit, bytes as text if they
    are UTF-8 and as null if not, JSON columns as what they hold. `max_rows` ends the reading early; 0 is no
    limit.

    Limits: the order of rows is the query's duty; without ORDER BY the same data may come in another order
    and then is another dataset. Whether a transaction really cannot write is the database's word: use an
    account that may only read. SQLite files are opened read-only. The driver (psycopg, pymysql, …) must be
    installed.
    """
    whole = resolved(uri)
    if not query.strip():
        raise BadInput(f"{shown(uri)} needs a query", hint="fetch: {query: 'SELECT … ORDER BY id'}")
    if not _READS.match(query):
        raise BadInput(
            "the query does not begin with SELECT, WITH, VALUES or TABLE", hint="a source only reads"
        )
    into.mkdir(parents=True, exist_ok=True)
    part = into / f".{_FILE}.part"
    try:
        engine = _engine(whole, uri)
        try:
            with engine.connect() as opened, part.open("w", encoding="utf-8", newline="\n") as out:
                connection = _reading(opened, scheme_of(whole)).execution_options(
                    stream_results=True, yield_per=batch
                )
                result = connection.execute(sa.text(re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", query)))
                _written(result, out, max_rows)
                opened.rollback()
        finally:
            engine.dispose()
        part.replace(into / _FILE)
    except sa.exc.SQLAlchemyError as error:
        told = scrubbed(str(getattr(error, "orig", None) or type(error).__name__), uri)
        raise BadInput(
            f"{shown(uri)} did not answer the query: {told}",
            hint="check the address, the account and the query",
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return into / _FILE


def _engine(whole: str, uri: str) -> sa.Engine:
    try:
        url = sa.make_url(whole)
    except sa.exc.ArgumentError:
        raise BadInput(
            "the uri is no database URL that can be read", hint="postgresql+psycopg://user@host/database"
        ) from None
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        file = Path(url.database.removeprefix("file:"))
        if not file.is_file():
            raise BadInput(
                f"{shown(uri)}: there is no such file", hint="sqlite:///relative/or//absolute/path.db"
            )
        path = file.resolve().as_posix().replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        url = url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
    try:
        return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    except sa.exc.NoSuchModuleError:
        raise BadInput(
            f"{url.drivername} is no database that is known", hint="install its dialect of SQLAlchemy"
        ) from None
    except ModuleNotFoundError as error:
        extra = "'tunewright[postgres]'" if error.name == "psycopg" else str(error.name)
        raise Missing(
            f"{url.drivername} needs {error.name}, which is not installed", hint=f"pip install {extra}"
        ) from None


def _reading(connection: sa.Connection, scheme: str) -> sa.Connection:
    """The same connection, told that it only reads, where the database has words for that."""
    if scheme in ("postgresql", "postgres", "cockroachdb"):
        return connection.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
    if scheme in ("mysql", "mariadb"):
        connection.execute(sa.text("SET SESSION TRANSACTION READ ONLY"))
        connection.rollback()
    if scheme == "oracle":
        connection.execute(sa.text("SET TRANSACTION READ ONLY"))
    return connection


def _written(result: Any, out: Any, max_rows: int) -> None:
    names = [str(name) for name in result.keys()]  # noqa: SIM118  a result is no mapping
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise BadInput(f"the query gives two columns called {double[0]!r}", hint="rename one: AS …")
    for number, row in enumerate(result, 1):
        held = {name: plain(value) for name, value in zip(names, row, strict=True)}
        out.write(json.dumps(held, ensure_ascii=False, allow_nan=False) + "\n")
        if number == max_rows:
            return


def plain(value: object) -> object:
    """A value of a database as JSON has it."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            return None
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return str(value)
