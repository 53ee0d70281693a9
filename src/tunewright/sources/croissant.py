"""A delivery of data that a Croissant file describes."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources._croissant import Described, RecordSet, facts, local, opened, sets
from tunewright.sources._formats import Desk
from tunewright.sources._json_list import json_rows
from tunewright.sources._mapping import Fields, reach
from tunewright.sources._rows import Raw, json_lines, records
from tunewright.sources._table import table_rows
from tunewright.sources._text import MAX_BYTES, nothing


def croissant(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
    record_set: str = "",
) -> Iterator[Record | Reject]:
    """A data provider's delivery: a folder with `croissant.json` (or `metadata.json`), or that file.

    Reads the record set `record_set`, or the only one that can be read, from the files beside the
    description: CSV, TSV, JSON lines, JSON lists, Parquet and Arrow, compressed or not. A file whose SHA-256
    is not the one described stops everything. Its fields are known row shapes, or `fields` names them. The
    origin of a record is the file and line that it was read from.

    Limits: Croissant 1.0 and 1.1; files that lie elsewhere are not fetched; fields that are transformed or
    joined from several files are not read; a FileSet has no digests to verify. What the description says of
    licence and collection is shown as its claim: tunewright.yaml decides.
    """
    found = opened(path)
    chosen = _chosen(found, record_set)
    origin = chosen.fields[0].origin
    seen = False
    for inside in local(found, origin):
        seen = True
        name = inside.relative_to(found.path.parent.resolve()).as_posix()
        folder = file if path.is_dir() else file.rpartition("/")[0]
        desk = Desk(
            source=source,
            licence=licence,
            file=f"{folder}/{name}".lstrip("/"),
            counts=counts,
            fields=fields,
            max_bytes=max_bytes,
        )
        yield from records(inside, desk, _rows(inside, chosen, max_bytes))
    if not seen:
        raise nothing(path)


def described(path: Path) -> dict[str, str]:
    """What a Croissant file claims of its data, by the names of the fields of `Source`.

    Beside licence, publisher, link, collected, collected_by, method, purpose and languages there may be
    description, version, published, cite and what the vocabulary for responsible AI asks: personal, biases,
    limitations, preprocessing, annotation, maintenance, missing. Errors: `BadInput` when it
    is no Croissant file.
    """
    return facts(opened(path).node)


def _chosen(found: Described, wanted: str) -> RecordSet:
    known = ", ".join(sets(found)) or "none that can be read"
    if wanted:
        for one in found.sets:
            if one.name == wanted:
                if one.trouble:
                    raise BadInput(
                        f"{found.path}: record set {wanted!r}: {one.trouble}", hint=f"there are: {known}"
                    )
                return one
        raise BadInput(f"{found.path} has no record set {wanted!r}", hint=f"record_set: one of {known}")
    able = [one for one in found.sets if not one.trouble]
    if len(able) == 1:
        return able[0]
    if not able:
        why = next((f"record set {one.name!r}: {one.trouble}" for one in found.sets), "it has no record sets")
        raise BadInput(f"{found.path}: {why}", hint="ask the provider for a plain table or JSON lines")
    raise BadInput(
        f"{found.path} has {len(able)} record sets", hint=f"options: {{record_set: …}}, one of {known}"
    )


def _rows(path: Path, chosen: RecordSet, max_bytes: int) -> Iterator[Raw]:
    """Rows as the record set names their fields."""
    names = [path.suffix.lower(), *(suffix.lower() for suffix in reversed(path.suffixes[:-1]))]
    kind = next((one for one in names if one not in (".gz", ".bz2", ".xz", ".zst")), "")
    taken = {one.step or one.name for one in chosen.fields}
    if kind in (".csv", ".tsv"):
        found = table_rows(path, max_bytes, wanted=lambda header: taken <= set(header), small=False)
    elif kind in (".jsonl", ".ndjson"):
        found = json_lines(path, max_bytes)
    elif kind == ".json":
        found = json_rows(path, max_bytes)
    elif kind in (".parquet", ".arrow", ".feather"):
        from tunewright.sources import _arrow

        found = _arrow.parquet_rows(path) if kind == ".parquet" else _arrow.ipc_rows(path)
    else:
        raise BadInput(f"{path}: no record set is read from files of this kind", hint="CSV, JSON or Parquet")
    for raw in found:
        if raw.broken or not isinstance(raw.row, dict):
            yield raw
            continue
        row = {one.name: reach(raw.row, one.step or one.name, None) for one in chosen.fields}
        yield Raw(raw.line, row, raw.text)
