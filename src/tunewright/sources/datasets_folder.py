"""Folders written by Hugging Face datasets."""

from collections import Counter
from collections.abc import Iterator
from json import loads
from pathlib import Path

import pyarrow  # noqa: F401  the shelf says how to install it

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources._arrow import ipc_rows
from tunewright.sources._formats import Desk
from tunewright.sources._mapping import Fields
from tunewright.sources._rows import Raw, records
from tunewright.sources._text import MAX_BYTES, readable

_HINT = "write it again with `save_to_disk` of Hugging Face datasets"


def datasets_folder(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
    split: str = "train",
) -> Iterator[Record | Reject]:
    """A folder that `save_to_disk` of Hugging Face datasets wrote.

    Of a `DatasetDict`, `split` is read. Labels stored as numbers get their names back. The Arrow files
    are read directly: no dataset script runs and the `datasets` library is not needed.

    Limits: made for folders of `datasets` 2 and later. A pending `select` or `shuffle` that was not
    flattened on saving is refused rather than ignored.
    """
    desk = Desk(source=source, licence=licence, file=file, counts=counts, fields=fields, max_bytes=max_bytes)
    yield from records(path, desk, _rows(path, split))


def _rows(path: Path, split: str) -> Iterator[Raw]:
    folder = _folder(path, split)
    state = _json(folder / "state.json")
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise BadInput(
            f"{folder} keeps its rows in an order of its own", hint="call flatten_indices() and save again"
        )
    files = state.get("_data_files")
    if not isinstance(files, list):
        raise BadInput(f"{folder}/state.json names no data files", hint=_HINT)
    names = _labels(folder)
    number = 0
    for entry in files:
        name = entry.get("filename") if isinstance(entry, dict) else None
        if not isinstance(name, str) or Path(name).name != name:
            raise BadInput(f"{folder}/state.json names a file outside the folder", hint=_HINT)
        for row in ipc_rows(folder / name, number, names):
            number = row.line
            yield row


def _folder(path: Path, split: str) -> Path:
    if not path.is_dir():
        raise BadInput(f"{path} is not a folder", hint=_HINT)
    if not (path / "dataset_dict.json").exists():
        return path
    splits = _json(path / "dataset_dict.json").get("splits")
    known = [str(name) for name in splits] if isinstance(splits, list) else []
    if split not in known or Path(split).name != split:
        raise BadInput(f"{path} has no split {split!r}", hint=f"split: one of {', '.join(known)}")
    return path / split


def _json(path: Path) -> dict[str, object]:
    with readable(path):
        try:
            found = loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path} is not JSON", hint=_HINT) from error
    return found if isinstance(found, dict) else {}


def _labels(folder: Path) -> dict[str, list[str]]:
    """Names of the classes of each `ClassLabel` column."""
    info = folder / "dataset_info.json"
    features = _json(info).get("features") if info.exists() else None
    found: dict[str, list[str]] = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        if isinstance(feature, dict) and isinstance(names := feature.get("names"), list):
            found[str(column)] = [str(name) for name in names]
    return found
