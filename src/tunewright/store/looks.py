"""What checks saw in a record the last time, so that nothing is looked at twice.

A file of its own beside the database: losing it costs time and nothing else. It holds keyed digests of
records, positions and kinds, never words.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

MOST_CONFIGURATIONS = 40
"""How many sets of checks and options are remembered before the oldest are let go."""


class Looks:
    """Findings by record and by configuration, which is a check with its options and its code."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.db = self._open()
        except sqlite3.DatabaseError:  # damaged: it costs time and nothing else
            for name in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
                name.unlink(missing_ok=True)
            self.db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=OFF")  # losing it costs time and nothing else
        db.execute("PRAGMA cache_size=-65536")
        db.execute(
            "CREATE TABLE IF NOT EXISTS configurations (number INTEGER PRIMARY KEY, digest TEXT UNIQUE)"
        )
        db.execute(
            "CREATE TABLE IF NOT EXISTS looks (record BLOB, configuration INTEGER, found TEXT,"
            " PRIMARY KEY (record, configuration)) WITHOUT ROWID"
        )
        return db

    def configuration(self, digest: str) -> int:
        """The number of a configuration; new ones push out the oldest."""
        self.db.execute("INSERT OR IGNORE INTO configurations (digest) VALUES (?)", (digest,))
        row = self.db.execute("SELECT number FROM configurations WHERE digest = ?", (digest,)).fetchone()
        old = self.db.execute(
            "SELECT number FROM configurations ORDER BY number DESC LIMIT -1 OFFSET ?", (MOST_CONFIGURATIONS,)
        ).fetchall()
        for (number,) in old:
            self.db.execute("DELETE FROM looks WHERE configuration = ?", (number,))
            self.db.execute("DELETE FROM configurations WHERE number = ?", (number,))
        return int(row[0])

    def known(self, records: Sequence[bytes], wanted: Iterable[int]) -> dict[tuple[bytes, int], str]:
        """What is remembered of these records, by record and configuration; `""` when nothing was found."""
        inside = set(wanted)
        marks = ",".join("?" * len(records))
        asked = f"SELECT record, configuration, found FROM looks WHERE record IN ({marks})"
        rows = self.db.execute(asked, records)
        return {(record, number): found for record, number, found in rows if number in inside}

    def keep(self, rows: Iterable[tuple[bytes, int, str]]) -> None:
        """Remember: record, configuration, findings as JSON or `""`."""
        self.db.execute("BEGIN")
        self.db.executemany("INSERT OR REPLACE INTO looks VALUES (?, ?, ?)", rows)
        self.db.execute("COMMIT")

    def forget(self, records: Iterable[bytes]) -> None:
        """Let go of these records."""
        self.db.execute("BEGIN")
        self.db.executemany("DELETE FROM looks WHERE record = ?", ((record,) for record in records))
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self.db.close()
