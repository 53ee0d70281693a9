"""Which ids were seen already, for more of them than fit into memory."""

import sqlite3
from hashlib import blake2b


class Distinct:
    """A set on disk: a temporary SQLite table, gone when it is closed."""

    def __init__(self) -> None:
        self.db = sqlite3.connect("", isolation_level=None)  # a temporary file, gone with the connection
        self.db.execute("PRAGMA journal_mode=OFF")
        self.db.execute("PRAGMA synchronous=OFF")
        self.db.execute("CREATE TABLE seen (id BLOB PRIMARY KEY, place TEXT) WITHOUT ROWID")
        self.db.execute("BEGIN")

    def first(self, name: str, place: str) -> str:
        """Where this name stood first; `""` when it is new, and then it stands here."""
        key = blake2b(name.encode("utf-8", "replace"), digest_size=16).digest()
        if self.db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, place)).rowcount:
            return ""
        return str(self.db.execute("SELECT place FROM seen WHERE id = ?", (key,)).fetchone()[0])

    def close(self) -> None:
        """Let go of the temporary file."""
        self.db.close()
