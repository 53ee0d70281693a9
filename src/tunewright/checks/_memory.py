"""Reading a dataset cheaply, and keeping what was computed of each record for the next time.

Every record is known by a 128-bit digest of its turns, label and licence, taken from its line of JSON
where there is one, so that a record of which everything is known need not be parsed. What is kept lies in
plain files of numbers (.npz, which carry checksums) and JSON with a digest. A file that is damaged, or was
written with other options, is computed again. What no record of the present run needs is left out when a
file is written: nothing of an erased record stays behind.
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunewright.checks._topics import Words, mixed, several
from tunewright.nouns import Record

Places = NDArray[np.int64]
Arrays = dict[str, NDArray[np.generic]]

FORM = 1
"""Raised when anything that is kept is computed in another way."""
BLOCK = 2048
_ODD = np.uint64(0x9E3779B97F4A7C15)
_START, _END, _FILE = '"messages":', ',"origin":{"source":', ',"file":'
_LABEL, _LICENCE = '],"label":', ',"licence":'
_ROLE, _ASSISTANT, _REJECTED = ('{"role":"' + role for role in ("", "assistant", "rejected"))
"""Beginnings of messages; within words their quotation marks would be written with a backslash."""


class Reading:
    """Records by their place, each with the digest of what it says and the name of its source."""

    def __init__(self, records: Iterable[Record], named: bool = False) -> None:
        """Read once now, and again by `at`; only what is not sized is copied. `named`: with `ids` and
        `labels`, equal numbers for equal labels; a disliked answer counts as another label."""
        self.records = several(records)
        self.ids = list[str]()
        labels, label = dict[str, int](), list[int]()
        self._lines: Callable[[], Iterator[str]] | None = getattr(self.records, "lines", None)
        numbers, sources, keys = dict[str, int](), list[int](), bytearray()
        if self._lines is not None:
            for line in self._lines():
                key, source = _of_line(line)
                keys += key
                sources.append(numbers.setdefault(source, len(numbers)))
                if named:
                    self.ids.append(_id(line))
                    label.append(labels.setdefault(_label(line), len(labels)))
            names = [str(json.loads(raw)) for raw in numbers]
        else:
            for record in self.records:
                keys += _of_record(record)
                sources.append(numbers.setdefault(record.origin.source, len(numbers)))
                if named:
                    self.ids.append(record.id)
                    label.append(labels.setdefault(_verdict(record.label, record.disliked), len(labels)))
            names = list(numbers)
        self.keys: Words = np.frombuffer(bytes(keys), dtype=np.uint64).reshape(-1, 2)
        self.sources: Sequence[str] = names
        self.source: Places = np.array(sources, dtype=np.int64)
        self.labels: Places = np.array(label, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.keys)

    def at(self, places: Places) -> Iterator[Record]:
        """The records at these ascending places; the others are not parsed."""
        wanted = np.zeros(len(self), dtype=bool)
        wanted[places] = True
        if self._lines is None:
            yield from (record for record, yes in zip(self.records, wanted.tolist(), strict=True) if yes)
            return
        for line, yes in zip(self._lines(), wanted.tolist(), strict=True):
            if yes:
                yield Record.model_validate_json(line)

    def sample(self, fit: NDArray[np.bool_], most: int) -> Places:
        """At most `most` places where `fit` holds, chosen by what the records say, in their order.

        Where there are more, they are drawn from the first `settled` records: a sample stays the same while
        a dataset grows at its end, until it has grown by a 17th to a 32nd.
        """
        places = np.flatnonzero(fit)
        if len(places) <= most:
            return places
        places = places[places < settled(len(self))]
        if len(places) <= most:
            return places
        chances = chance(self.keys[places, 0])
        return np.sort(places[np.argpartition(chances, most - 1)[:most]])

    def digest(self, places: Places, *more: object) -> str:
        """Stands for what these records say, in this order, and for `more`."""
        said = blake2b(repr((FORM, *more)).encode(), digest_size=16)
        said.update(self.keys[places].tobytes())
        return said.hexdigest()


def settled(count: int) -> int:
    """The largest of the numbers 16 to 31, times a power of two, that is not above `count`."""
    shift = max(count.bit_length() - 5, 0)
    return count >> shift << shift


def chance(keys: Words) -> Words:
    """Numbers by which to draw: each copy of a record gets its own, so that copies are no clump."""
    order = np.argsort(keys, kind="stable")
    inside = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], inside[1:] != inside[:-1]))) if len(keys) else order
    copy = np.empty(len(keys), dtype=np.uint64)
    copy[order] = np.arange(len(keys)) - np.repeat(starts, np.diff(starts, append=len(keys)))
    return mixed(keys + copy * _ODD)


def _of_line(line: str) -> tuple[bytes, str]:
    start = line.index(_START)
    end = line.index(_END, start)
    source = line[end + len(_END) : line.index(_FILE, end)]
    return blake2b(line[start:end].encode("utf-8", "surrogatepass"), digest_size=16).digest(), source


def _id(line: str) -> str:
    raw = line[6 : line.index(_START) - 1]
    return str(json.loads(raw)) if "\\" in raw else raw[1:-1]


def _label(line: str) -> str:
    end = line.index(_LABEL)
    start = end + len(_LABEL)
    at = line.rfind(_REJECTED, 0, end)
    disliked = at >= 0 and not line.startswith(_ASSISTANT, line.rfind(_ROLE, 0, at))
    return _verdict(line[start : line.index(_LICENCE, start)], disliked)


def _verdict(label: str, disliked: bool) -> str:
    return f"rejected {label}" if disliked else label


def _of_record(record: Record) -> bytes:
    said = [record.label, record.licence, *(part for m in record.messages for part in (m.role, m.content))]
    sizes = ",".join(map(str, map(len, said)))
    return blake2b("\0".join([sizes, *said]).encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Memory:
    """A folder in which a check keeps things; without one, nothing is kept."""

    def __init__(self, folder: Path | None, *options: object) -> None:
        """`options`: what the values depend on besides a record's words."""
        self.folder = folder
        self.form = blake2b(repr((FORM, *options)).encode(), digest_size=16).hexdigest()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def numbers(
        self,
        name: str,
        reading: Reading,
        places: Places,
        make: Callable[[list[Record]], NDArray[np.generic]],
        form: str = "",
    ) -> NDArray[np.generic]:
        """A row of numbers for each of some records; those that are not known are made, `BLOCK` at a time."""
        form = self.form + form
        keys = reading.keys[places]
        kept = self.arrays(name, form)
        values, missing = None, np.arange(len(places))
        if kept is not None and len(old := kept["keys"]) and len(places):
            at = np.searchsorted(old[:, 0], keys[:, 0])
            at[at == len(old)] = 0
            known = np.asarray((old[at] == keys).all(axis=1))
            values, missing = kept["values"][at], np.flatnonzero(~known)
        if len(missing):
            coming, made = reading.at(places[missing]), list[NDArray[np.generic]]()
            while block := list(islice(coming, BLOCK)):
                made.append(make(block))
            every = np.concatenate(made)
            if values is None:
                values = every
            else:
                values[missing] = every
        if values is None:
            return make([])
        if self.folder is not None:
            _unique, first = np.unique(keys[:, 0], return_index=True)
            if kept is None or len(missing) or len(kept["keys"]) != len(first):
                self.keep(name, form, {"keys": keys[first], "values": values[first]})
        return values

    def texts(self, name: str, reading: Reading, make: Callable[[Record], str]) -> tuple[list[str], Places]:
        """A short text for each record, of which there are few: the texts, and which one each record has."""
        table = dict[str, int]()
        before = self.told(f"{name}-texts", "")
        for text in before if isinstance(before, list) else []:
            table.setdefault(str(text), len(table))
        known = len(table)
        named = blake2b(repr(list(table)).encode(), digest_size=16).hexdigest() if known else ""

        def numbered(block: list[Record]) -> NDArray[np.generic]:
            found = [table.setdefault(make(record), len(table)) for record in block]
            return np.array(found, dtype=np.int64)

        every = np.arange(len(reading))
        which = np.asarray(self.numbers(name, reading, every, numbered, named), dtype=np.int64)
        used, which = np.unique(which, return_inverse=True)
        names = list(table)
        if len(used) < len(names) or len(names) > known:
            names = [names[n] for n in used.tolist()]
            if self.folder is not None:
                form = self.form + blake2b(repr(names).encode(), digest_size=16).hexdigest()
                _unique, first = np.unique(reading.keys[:, 0], return_index=True)
                self.keep(name, form, {"keys": reading.keys[first], "values": which[first]})
                self.tell(f"{name}-texts", "", names)
        return names, which

    def arrays(self, name: str, form: str) -> Arrays | None:
        """Arrays that were kept for exactly this, or nothing."""
        if self.folder is None:
            return None
        try:
            path = self.folder / f"{name}.npz"
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                if str(file["form"]) != form:
                    return None
                found = {key: file[key] for key in file.files if key != "form"}
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile):
            return None
        return found

    def keep(self, name: str, form: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep arrays for the next time, in the place of what was kept under this name."""
        if self.folder is None:
            return
        handle, path = tempfile.mkstemp(prefix=f"{name}-", dir=self.folder)
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, form=np.array(form), **arrays)
        os.replace(path, self.folder / f"{name}.npz")

    def told(self, name: str, form: str) -> object:
        """A value that was kept for exactly this, or None."""
        if self.folder is None:
            return None
        try:
            said = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
            value = said["value"]
            return value if said["digest"] == _sum(self.form + form, value) else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def tell(self, name: str, form: str, value: object) -> None:
        """Keep a JSON value for the next time."""
        if self.folder is None:
            return
        handle, path = tempfile.mkstemp(prefix=f"{name}-", dir=self.folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"digest": _sum(self.form + form, value), "value": value}, file)
        os.replace(path, self.folder / f"{name}.json")


def _sum(form: str, value: object) -> str:
    return blake2b((form + json.dumps(value)).encode(), digest_size=16).hexdigest()
