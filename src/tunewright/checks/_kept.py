"""Signatures of records in memory, their shingle sets in a file, and both in a folder for the next time.

A folder holds segments: `heads`, `bands`, `sketches`, `kinds` (.npy), `sets` (raw numbers) and a JSON file
with their checksums, which is written last. A segment that does not add up is left out and its records
are signed again, so a damaged folder costs time and nothing else. What no record of the present run
needs is removed when the run ends: nothing of an erased record stays behind.
"""

import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple

import numpy as np

from tunewright.checks import _minhash
from tunewright.checks._memory import Reading
from tunewright.checks._minhash import Keys
from tunewright.checks._shingles import Hashes, Numbers
from tunewright.checks._signing import COUNT, FIRST, KINDS, PLACE, WIDTH, Said, signed

FORM = 2
"""Raised when anything that is kept is computed in another way."""
BATCH, CHARACTERS = 2048, 1_000_000
"""Records, and characters, that are signed together."""
SEGMENTS = 8
"""More than so many are joined into one."""
_PARTS = ("heads", "bands", "sketches", "kinds")


class Segment(NamedTuple):
    """Records that were signed in one run."""

    path: Path
    heads: Hashes
    bands: Keys
    sketches: Hashes
    kinds: Numbers
    sets: IO[bytes]


class Table(NamedTuple):
    """All records of a run, in their order, in pieces."""

    ids: list[str]
    labels: Numbers
    heads: list[Hashes]
    bands: list[Keys]
    sketches: list[Hashes]
    kinds: list[Numbers]
    owners: list[Numbers]
    segments: list[Numbers]
    """For each record, which segment has its sets; -1 for this run's."""


class Kept:
    """Where records are signed, once."""

    def __init__(self, folder: Path | None, size: int) -> None:
        """`size`: words of a run. Without `folder` nothing stays when the run ends."""
        self.size, self.folder = size, folder
        self.name = f"v{FORM}-{size}-"
        self.segments = list[Segment]()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self.segments = list(self._opened(folder))
        self.fresh: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self.place = 0
        keys = [s.heads[:, :2] for s in self.segments] or [np.zeros((0, 2), dtype=np.uint64)]
        every = np.concatenate(keys)
        self.order = np.argsort(every[:, 0], kind="stable")
        self.keys = every[self.order]
        self.starts = np.cumsum([0, *(len(s.heads) for s in self.segments)])
        self.used = np.zeros(len(every), dtype=bool)
        self.new = list[tuple[Hashes, Keys, Hashes, Numbers]]()

    def __enter__(self) -> "Kept":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.folder is not None:
            self._save(self.folder)
        for segment in self.segments:
            segment.sets.close()
        self.fresh.close()

    def read(self, reading: Reading) -> Table:
        """Every record as numbers; those that the folder has are not read and not computed again."""
        table = Table(reading.ids, reading.labels, [], [], [], [], [], [])
        known = self._find(reading.keys)
        fresh = reading.at(np.flatnonzero(known < 0))
        first, size, said = 0, 0, list[Said]()
        for place, number in enumerate(known.tolist(), start=1):
            if number < 0:
                said.append(Said.by(next(fresh)))
                size += sum(len(text) for _role, text in said[-1].turns)
            if place - first == BATCH or size > CHARACTERS or place == len(known):
                self._add(table, first, said, reading.keys[first:place], known[first:place])
                first, size, said = place, 0, []
        self.fresh.flush()
        return table

    def sets(self, segment: int, place: int, count: int) -> Hashes:
        """A shingle set that was written before."""
        file = self.fresh if segment < 0 else self.segments[segment].sets
        return np.frombuffer(os.pread(file.fileno(), 8 * count, 8 * place), dtype=np.uint64)

    def _find(self, keys: Hashes) -> Numbers:
        """Numbers of these records among all that the folder has, or -1."""
        at = np.searchsorted(self.keys[:, 0], keys[:, 0])
        at[at == len(self.keys)] = 0
        if not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int64)
        same = (self.keys[at] == keys).all(axis=1)
        found = np.where(same, self.order[at], -1)
        self.used[found[found >= 0]] = True
        return found

    def _add(self, table: Table, first: int, said: Sequence[Said], keys: Hashes, known: Numbers) -> None:
        """Append the records of a batch, in order: what is known from its segment, the others signed now."""
        count = len(known)
        heads = np.zeros((count, WIDTH), dtype=np.uint64)
        home = np.full(count, -1, dtype=np.int64)
        bands, sketches = list[Keys](), list[Hashes]()
        kinds, owners = list[Numbers](), list[Numbers]()
        fresh = np.flatnonzero(known < 0)
        if len(fresh):
            made = signed(said, self.size)
            made.heads[:, :2] = keys[fresh]
            made.heads[:, PLACE:COUNT] += np.uint64(self.place)
            self.fresh.write(made.sets.tobytes())
            self.place += len(made.sets)
            heads[fresh] = made.heads
            bands.append(made.bands)
            sketches.append(made.sketches)
            kinds.append(made.kinds)
            owners.append(fresh[made.owners])
            if self.folder is not None:
                self.new.append((made.heads, made.bands, made.sketches, made.kinds))
        if len(fresh) < count:
            which = np.searchsorted(self.starts, known, side="right") - 1
            for number, segment in enumerate(self.segments):
                rows = np.flatnonzero((known >= 0) & (which == number))
                if len(rows):
                    heads[rows] = segment.heads[known[rows] - self.starts[number]]
                    home[rows] = number
                    at, several = _spans(heads[rows, FIRST], heads[rows, KINDS])
                    bands.append(segment.bands[at])
                    sketches.append(segment.sketches[at])
                    kinds.append(segment.kinds[at])
                    owners.append(np.repeat(rows, several))
        owner = np.concatenate(owners)
        order = np.argsort(owner, kind="stable")
        table.heads.append(heads)
        table.segments.append(home)
        table.bands.append(np.concatenate(bands)[order])
        table.sketches.append(np.concatenate(sketches)[order])
        table.kinds.append(np.concatenate(kinds)[order])
        table.owners.append(owner[order] + first)

    def _opened(self, folder: Path) -> Iterator[Segment]:
        """The segments of this form that are whole; others are removed."""
        for path in sorted(folder.glob(f"{self.name}*.json")):
            try:
                yield _open(path)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError):
                _remove(path)

    def _save(self, folder: Path) -> None:
        """Keep what this run needed, and nothing else."""
        known = {segment.path.stem for segment in self.segments}
        for path in folder.glob("v*"):
            if path.name.partition(".")[0] not in known:
                path.unlink(missing_ok=True)
        pieces = list(self.new)
        few = len(self.segments) + bool(pieces) <= SEGMENTS
        if self.used.all() and few:
            if pieces:
                self.fresh.flush()
                self.fresh.seek(0)
                self._write(folder, pieces, self.fresh)
            return
        with tempfile.TemporaryFile(dir=folder) as sets:
            self.fresh.flush()
            self.fresh.seek(0)
            shutil.copyfileobj(self.fresh, sets, 1 << 20)
            place = self.place
            for number, segment in enumerate(self.segments):
                rows = np.flatnonzero(self.used[self.starts[number] : self.starts[number + 1]])
                heads = segment.heads[rows].copy()
                at, several = _spans(heads[:, FIRST], heads[:, KINDS])
                heads[:, FIRST] = (np.cumsum(several) - several).astype(np.uint64)
                for head in heads:
                    moved = dict[int, int]()
                    for column in range(4):
                        old, size = int(head[PLACE + column]), int(head[COUNT + column])
                        if size and old not in moved:
                            moved[old] = place
                            sets.write(self.sets(number, old, size).tobytes())
                            place += size
                        head[PLACE + column] = moved.get(old, 0)
                pieces.append((heads, segment.bands[at], segment.sketches[at], segment.kinds[at]))
            sets.flush()
            sets.seek(0)
            if pieces:
                self._write(folder, pieces, sets)
        for segment in self.segments:
            _remove(segment.path)

    def _write(
        self, folder: Path, pieces: list[tuple[Hashes, Keys, Hashes, Numbers]], sets: IO[bytes]
    ) -> None:
        """One more segment."""
        row = 0
        for heads, bands, *_ in pieces:
            heads[:, FIRST] += np.uint64(row)
            row += len(bands)
        handle, name = tempfile.mkstemp(prefix=self.name, dir=folder)
        os.close(handle)
        path, checks = Path(name), dict[str, int]()
        for part, values in zip(_PARTS, zip(*pieces, strict=True), strict=True):
            with open(f"{name}.{part}.npy", "wb") as file:
                np.save(file, np.concatenate(values), allow_pickle=False)
            checks[part] = _checksum(Path(f"{name}.{part}.npy"))
        with open(f"{name}.sets", "wb") as file:
            shutil.copyfileobj(sets, file, 1 << 20)
        checks["sets"] = _checksum(Path(f"{name}.sets"))
        path.write_text(json.dumps(checks), encoding="utf-8")
        os.replace(path, f"{name}.json")


def _spans(first: Hashes, several: Hashes) -> tuple[Numbers, Numbers]:
    """Row numbers of the signatures of some records, and how many each has."""
    counts = several.astype(np.int64)
    ends = np.cumsum(counts)
    return np.repeat(first.astype(np.int64) - (ends - counts), counts) + np.arange(int(counts.sum())), counts


def _open(path: Path) -> Segment:
    stem = path.with_suffix("")
    checks = json.loads(path.read_text(encoding="utf-8"))
    files = {part: Path(f"{stem}.{part}.npy") for part in _PARTS} | {"sets": Path(f"{stem}.sets")}
    for part, file in files.items():
        if checks[part] != _checksum(file):
            raise ValueError(f"{file.name} does not add up")
    heads, bands, sketches, kinds = (
        np.load(files[part], mmap_mode="r", allow_pickle=False) for part in _PARTS
    )
    fits = heads.shape[1:] == (WIDTH,) and bands.shape[1:] == (_minhash.BANDS,)
    if not fits or len({len(bands), len(sketches), len(kinds), int(heads[:, KINDS].sum())}) != 1:
        raise ValueError(f"{path.name} does not fit together")
    return Segment(path, heads, bands, sketches, kinds, files["sets"].open("rb"))


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found = zlib.crc32(piece, found)
    return found


def _remove(path: Path) -> None:
    """A segment and all its files, the list of them first."""
    stem = path.with_suffix("").name
    path.unlink(missing_ok=True)
    for file in path.parent.glob(f"{stem}.*"):
        file.unlink(missing_ok=True)
