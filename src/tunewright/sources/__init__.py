"""Sources bring records in.   (path, *, source, licence, file, **options) -> Iterator[Record | Reject]

A source reads one file (or folder) row by row. Every row comes out, as a record or as a reject with
file, line and reason: a source never raises over a row and never drops one. What is wrong with the
whole file is `BadInput`, raised while it is read.

`source` and `licence` are stamped on each record, `file` is the file's name below the project, and
`counts`, if given, is a tally that the source keeps of the shapes it recognised:
`{"OpenAI chat messages": 300}`. Whoever calls a source gives these four; the rest are its options.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.shelf import Shelf

sources: Shelf[Callable[..., Iterator[Record | Reject]]] = Shelf(__name__)

GIVEN = frozenset({"source", "licence", "file", "counts"})
"""Parameters that the caller of a source fills in; every other keyword is an option for the project file."""

SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
"""Which source reads a file, by the end of its name."""

REMEDIES = {
    ".xlsx": "save the sheet as CSV (UTF-8)",
    ".xls": "save the sheet as CSV (UTF-8)",
    ".ods": "save the sheet as CSV (UTF-8)",
    ".gz": "unpack it first",
    ".zip": "unpack it first",
    ".zst": "unpack it first",
    ".bz2": "unpack it first",
    ".xz": "unpack it first",
    ".txt": 'write one row a line as JSON: {"prompt": "…", "completion": "…"}',
    ".md": 'write one row a line as JSON: {"prompt": "…", "completion": "…"}',
    ".pkl": "pickles can run code and are never opened; export to JSON lines or Parquet",
    ".arrow": "give the folder that `save_to_disk` wrote, not a file in it",
}


def pick(path: Path) -> str:
    """Name of the source that reads this file or folder. Errors: `BadInput` with what to do instead."""
    suffix = path.suffix.lower()
    try:
        if path.is_dir():
            if (path / "dataset_dict.json").exists() or (path / "state.json").exists():
                return "datasets_folder"
            raise BadInput(
                f"{path} is a folder that no source reads",
                hint="give a file, or a folder written by `save_to_disk` of Hugging Face datasets",
            )
        if not path.exists():
            raise BadInput(f"{path} does not exist", hint="check the path in tunewright.yaml")
    except (OSError, ValueError) as error:  # no permission on a parent; a NUL byte in the name
        raise BadInput(
            f"{path} cannot be looked at: {error}", hint="check the path and its permissions"
        ) from error
    if suffix not in SUFFIXES:
        what = f"files ending in {suffix}" if suffix else "files without an ending such as .jsonl"
        hint = REMEDIES.get(suffix, f"rename it or convert it to one of: {', '.join(sorted(SUFFIXES))}")
        raise BadInput(f"{path}: no source reads {what}", hint=hint)
    return SUFFIXES[suffix]
