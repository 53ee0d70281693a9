"""The records of a dataset, read from disk as often as one likes."""

from collections.abc import Collection, Iterator
from pathlib import Path

from tunewright.nouns import Record


class Records(Collection[Record]):
    """A sized collection over a JSONL file of records; nothing of it stays in memory."""

    def __init__(self, path: Path, count: int) -> None:
        self.path = path
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Record]:
        return map(Record.model_validate_json, self.lines())

    def __contains__(self, record: object) -> bool:
        return any(record == mine for mine in self)

    def lines(self) -> Iterator[str]:
        """Each record as its line of JSON."""
        with self.path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.rstrip("\n")
