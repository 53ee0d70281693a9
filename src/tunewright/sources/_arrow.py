"""Rows of Arrow tables, whatever they are kept in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunewright.errors import BadInput
from tunewright.sources._rows import Raw
from tunewright.sources._text import readable

_UNREADABLE = "a value cannot be read: text that is not UTF-8, or a date out of range"
_ROWS = 1024


def parquet_rows(path: Path, batch: int = 256) -> Iterator[Raw]:
    """Rows of a Parquet file, numbered from 1. Errors: `BadInput` when it is none, or damaged."""
    import pyarrow.parquet as pq

    # Columns are read in pieces of 1 MiB: a row group may be larger than the memory.
    with (
        readable(path),
        _sound(path, "a Parquet file") as sound,
        pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as table,
    ):
        yield from sound.count(rows(table.iter_batches(batch_size=batch)))


def ipc_rows(path: Path, start: int = 0, labels: Mapping[str, Sequence[str]] | None = None) -> Iterator[Raw]:
    """Rows of an Arrow IPC file (also Feather 2) or stream, numbered from `start` + 1."""
    import pyarrow as pa

    with readable(path), _sound(path, "an Arrow file") as sound, pa.memory_map(str(path)) as file:
        if file.read(6) == b"ARROW1":
            with pa.ipc.open_file(file) as table:
                batches = (table.get_batch(number) for number in range(table.num_record_batches))
                yield from sound.count(rows(batches, start, labels))
        else:
            file.seek(0)
            with pa.ipc.open_stream(file) as stream:
                yield from sound.count(rows(stream, start, labels))


def rows(
    batches: Iterable[Any], start: int = 0, labels: Mapping[str, Sequence[str]] | None = None
) -> Iterator[Raw]:
    """Rows of record batches. Numbers of classes get their names from `labels`."""
    number = start
    for whole in batches:
        for begin in range(0, whole.num_rows, _ROWS):
            part = whole.slice(begin, _ROWS)
            try:
                found: list[Any] = part.to_pylist()
            except (ValueError, OverflowError):  # one of them cannot be read: find out which
                found = [_one(part.slice(index, 1)) for index in range(part.num_rows)]
            for row in found:
                number += 1
                if row is None:
                    yield Raw(number, None, "", _UNREADABLE)
                    continue
                for column, names in labels.items() if labels else ():
                    value = row.get(column)
                    if isinstance(value, int) and 0 <= value < len(names):
                        row[column] = names[value]
                yield Raw(number, row)


def _one(part: Any) -> Any:
    try:
        return part.to_pylist()[0]
    except (ValueError, OverflowError):
        return None


class _sound:  # noqa: N801
    """Turns what Arrow says about a damaged file into `BadInput`, with the row it was met behind."""

    def __init__(self, path: Path, what: str) -> None:
        self.path, self.what, self.row = path, what, 0

    def __enter__(self) -> "_sound":
        return self

    def count(self, found: Iterator[Raw]) -> Iterator[Raw]:
        """The same rows, remembering how far they went."""
        for one in found:
            self.row = one.line
            yield one

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import pyarrow as pa

        damaged = isinstance(error, pa.ArrowException) or (
            isinstance(error, OSError) and error.errno is None and not isinstance(error, FileNotFoundError)
        )
        if damaged:
            where = f" after row {self.row}" if self.row else ""
            raise BadInput(
                f"{self.path} is not {self.what}, or is damaged{where}", hint="export it again"
            ) from error
