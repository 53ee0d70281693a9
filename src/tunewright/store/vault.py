"""Pseudonyms: who is called what in the data, readable only with a key that can be destroyed.

The key lies in a file of its own. It chooses the surrogates (HMAC-SHA256), so the same words always get
the same surrogate, and it encrypts the words (AES-256-GCM). Without it a surrogate leads nowhere.
"""

import hashlib
import hmac
import os
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tunewright.errors import NotFound


class Vault:
    """Surrogates and, encrypted, what they stand for.

    Limits: whoever has the key and the vault can undo every pseudonym; a backup of the key outlives its
    destruction here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def key_file(self) -> Path:
        """Destroy this file and no surrogate can be turned back."""
        return self.folder / "pseudonym.key"

    def surrogate(self, kind: str, words: str, make: Callable[[bytes, int], str]) -> str:
        """The surrogate for these words. `make` turns 32 keyed bytes and a number of the attempt into one.

        Another person never gets the same: when a surrogate is taken, the next attempt is used.
        """
        key, db = self._key(), self._open()
        try:
            seed = hmac.new(key, f"{kind}\0{words}".encode(), hashlib.sha256).digest()
            name = seed[:16]
            row = db.execute("SELECT surrogate FROM pseudonyms WHERE name = ?", (name,)).fetchone()
            if row:
                return str(row[0])
            for attempt in range(10_000):
                made = make(seed, attempt)
                taken = db.execute("SELECT 1 FROM pseudonyms WHERE kind = ? AND surrogate = ?", (kind, made))
                if made != words and taken.fetchone() is None:
                    break
            db.execute("INSERT INTO pseudonyms VALUES (?, ?, ?, ?)", (name, kind, made, _seal(key, words)))
            return made
        finally:
            db.close()

    def reveal(self, surrogate: str) -> list[tuple[str, str]]:
        """Kind and words behind a surrogate. Errors: `NotFound` when it is none, or the key is gone."""
        if not self.key_file.exists():
            raise NotFound(
                "the key of the pseudonyms is gone: nobody can turn them back", hint="nothing to do"
            )
        key, db = self._key(), self._open()
        try:
            rows = db.execute(
                "SELECT kind, sealed FROM pseudonyms WHERE surrogate = ?", (surrogate,)
            ).fetchall()
        finally:
            db.close()
        if not rows:
            raise NotFound(f"no pseudonym {surrogate!r}", hint="write it exactly as it stands in the record")
        return [(kind, _open_seal(key, sealed)) for kind, sealed in rows]

    def erase(self, words: str) -> int:
        """Delete the pseudonyms of these words, of whatever kind; returns how many went."""
        if not self.key_file.exists():
            return 0
        key, db = self._key(), self._open()
        try:
            rows = db.execute("SELECT name, sealed FROM pseudonyms").fetchall()
            mine = [
                (name,) for name, sealed in rows if _open_seal(key, sealed).casefold() == words.casefold()
            ]
            db.executemany("DELETE FROM pseudonyms WHERE name = ?", mine)
            return len(mine)
        finally:
            db.close()

    def destroy(self) -> bool:
        """Destroy the key; whether there was one. What is encrypted with it can never be read again."""
        there = self.key_file.exists()
        if there:
            with self.key_file.open("r+b") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
            self.key_file.unlink()
        for end in ("", "-wal", "-shm"):
            (self.folder / f"pseudonyms.db{end}").unlink(missing_ok=True)
        return there

    def _key(self) -> bytes:
        if not self.key_file.exists():
            self.key_file.touch(mode=0o600)
            self.key_file.write_bytes(secrets.token_bytes(32))
        return self.key_file.read_bytes()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.folder / "pseudonyms.db", isolation_level=None)
        db.execute("PRAGMA secure_delete=ON")
        db.execute(
            "CREATE TABLE IF NOT EXISTS pseudonyms"
            " (name BLOB PRIMARY KEY, kind TEXT, surrogate TEXT, sealed BLOB)"
        )
        db.execute("CREATE INDEX IF NOT EXISTS by_surrogate ON pseudonyms (surrogate)")
        return db


def _seal(key: bytes, words: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, words.encode(), None)


def _open_seal(key: bytes, sealed: bytes) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key).decrypt(sealed[:12], sealed[12:], None).decode()
