"""Parquet files."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources._formats import reject, to_record
from tunewright.sources._text import MAX_BYTES, nothing, readable


def parquet(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    max_bytes: int = MAX_BYTES,
    batch: int = 256,
) -> Iterator[Record | Reject]:
    """A Parquet file, as the Hugging Face Hub offers every dataset.

    Columns have the same names as the fields of JSON lines; `line` is the number of the row. Rows are
    read `batch` at a time.

    Limits: a page that is damaged ends the reading with an error, because rows cannot be told apart
    behind it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with readable(path):
        try:
            with pq.ParquetFile(path) as table:
                for part in table.iter_batches(batch_size=batch):
                    for index in range(part.num_rows):
                        number += 1
                        try:
                            row = part.slice(index, 1).to_pylist()[0]
                        except (ValueError, OverflowError, pa.ArrowInvalid):
                            reason = "a value cannot be read: text that is not UTF-8, or a date out of range"
                            yield reject(source, file, number, reason)
                            continue
                        yield to_record(
                            row,
                            source=source,
                            licence=licence,
                            file=file,
                            line=number,
                            max_bytes=max_bytes,
                            counts=counts,
                        )
        except pa.ArrowException as error:
            where = f" after row {number}" if number else ""
            raise BadInput(
                f"{path} is not a Parquet file, or is damaged{where}", hint="export it again"
            ) from error
    if not number:
        raise nothing(path)
