"""Sources bring records in.   (path, *, source, licence, file, **options) -> Iterator[Record | Reject]

A source reads one file (or folder) row by row. Every row comes out, as a record or as a reject with
file, line and reason: a source never raises over a row and never drops one. What is wrong with the
whole file is `BadInput`, raised while it is read.

`source` and `licence` are stamped on each record, `file` is the file's name below the project, `counts`,
if given, is a tally that the source keeps of the shapes it recognised: `{"OpenAI chat messages": 300}`,
and `fields` says where a row's parts stand when its shape is not known. Whoever calls a source gives
these five; the rest are its options.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.shelf import Shelf
from tunewright.sources._look import looks_like, looks_like_folder

sources: Shelf[Callable[..., Iterator[Record | Reject]]] = Shelf(__name__)

GIVEN = frozenset({"source", "licence", "file", "counts", "fields"})
"""Parameters that the caller of a source fills in; every other keyword is an option for the project file."""

SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".zip": "archive",
    ".md": "documents",
    ".markdown": "documents",
    ".txt": "documents",
    ".html": "documents",
    ".htm": "documents",
    ".xhtml": "documents",
    ".docx": "documents",
    ".pdf": "documents",
}
"""Which source reads a file, by the end of its name; some names stand for several things: see `pick`."""

REMEDIES = {
    ".xlsx": "save the sheet as CSV (UTF-8)",
    ".xls": "save the sheet as CSV (UTF-8)",
    ".ods": "save the sheet as CSV (UTF-8)",
    ".tar": "unpack it first, or pack it as .zip",
    ".tgz": "unpack it first, or pack it as .zip",
    ".7z": "unpack it first, or pack it as .zip",
    ".rar": "unpack it first, or pack it as .zip",
    ".pkl": "pickles can run code and are never opened; export to JSON lines or Parquet",
    ".pickle": "pickles can run code and are never opened; export to JSON lines or Parquet",
    ".doc": "save it as .docx",
    ".odt": "save it as .docx",
    ".rtf": "save it as .docx",
    ".epub": "save it as .html",
    ".xml": "export to JSON lines or CSV",
    ".db": "name it as a uri with a query: sqlite:///FILE",
    ".sqlite": "name it as a uri with a query: sqlite:///FILE",
}


def pick(path: Path) -> str:
    """Name of the source that reads this file or folder: by its name, else by a look at its beginning.

    `.json` may also be ChatGPT's export or a Croissant description, `.csv` also a table of single messages.
    Errors: `BadInput` with what to do instead.
    """
    try:
        if path.is_dir():
            if found := looks_like_folder(path):
                return found
            raise BadInput(
                f"{path} is a folder that no source reads",
                hint="give the files in it, or a folder written by `save_to_disk` of Hugging Face datasets",
            )
        if not path.exists():
            raise BadInput(f"{path} does not exist", hint="check the path in tunewright.yaml")
        suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
        packed = bool(suffixes) and suffixes[-1] in (".gz", ".bz2", ".xz", ".zst")
        suffix = (suffixes[-2] if len(suffixes) > 1 else "") if packed else (suffixes or [""])[-1]
        known = SUFFIXES.get(suffix, "")
        if packed and known in ("parquet", "arrow", "archive", "documents"):
            raise BadInput(f"{path}: {suffix} files are read as they are", hint="unpack it first")
        found = "" if suffix in REMEDIES else looks_like(path, known)
    except (OSError, ValueError) as error:  # no permission on a parent; a NUL byte in the name
        raise BadInput(
            f"{path} cannot be looked at: {error}", hint="check the path and its permissions"
        ) from error
    if not found:
        what = f"files ending in {suffix}" if suffix else "a file of this kind"
        hint = REMEDIES.get(suffix, f"rename it or convert it to one of: {', '.join(sorted(SUFFIXES))}")
        raise BadInput(f"{path}: no source reads {what}", hint=hint)
    return found
