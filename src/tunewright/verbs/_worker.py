"""What a helping process does: run checks over some lines of records.

Everything goes in and comes out as plain text and numbers, so that the processes share nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from tunewright.checks import Seen, checks
from tunewright.errors import TunewrightError
from tunewright.nouns import Case, Curve, Finding, Measure, Record, Source, Tally, Trait
from tunewright.project import Records
from tunewright.shelf import missing

NOUNS: dict[str, type[Finding] | type[Trait] | type[Tally] | type[Measure]] = {
    noun.kind: noun for noun in (Finding, Trait, Tally, Measure)
}


class Wanted(NamedTuple):
    """One check, told how to look."""

    name: str
    options: dict[str, JsonValue]
    given: tuple[str, ...]
    """Which of `checks.GIVEN` it has a parameter for."""


def each(lines: Sequence[str], wanted: Sequence[Wanted], given: str) -> list[list[str]]:
    """What each wanted check sees in each record: JSON, or `""` for nothing; one list a record."""
    records = [Record.model_validate_json(line) for line in lines]
    rows: list[list[str]] = [[] for _ in records]
    for one in wanted:
        by_id: dict[str, list[Seen]] = {record.id: [] for record in records}
        for seen in _look(one, records, given):
            assert isinstance(seen, Finding | Trait), f"{one.name} looks at single records"
            by_id[seen.record].append(seen)
        for row, record in zip(rows, records, strict=True):
            found = by_id[record.id]
            row.append(packed(found) if found else "")
    return rows


def whole(path: str, count: int, wanted: Wanted, given: str, cache_folder: str) -> tuple[dict[str, str], str]:
    """What a check sees that needs all records: JSON by record, and of the dataset as a whole."""
    by_id = dict[str, list[Seen]]()
    for seen in _seen(wanted, Records(Path(path), count), given, cache_folder):
        record = seen.record if isinstance(seen, Finding | Trait) else ""
        by_id.setdefault(record, []).append(seen)
    about_all = by_id.pop("", [])
    return {record: packed(found) for record, found in by_id.items()}, packed(about_all)


def packed(found: Iterable[Seen]) -> str:
    """As JSON, without the record's id: the same words in another record are seen alike."""
    return json.dumps(
        [
            [seen.kind, seen.model_dump(mode="json", exclude={"record"}, exclude_defaults=True)]
            for seen in found
        ],
        separators=(",", ":"),
    )


def unpacked(text: str, record: str) -> Iterator[Seen]:
    """The reverse of `packed`."""
    for kind, fields in json.loads(text) if text else ():
        noun = NOUNS[kind]
        yield noun.model_validate({**fields, "record": record} if noun in (Finding, Trait) else fields)


def as_told(options: Mapping[str, JsonValue]) -> dict[str, object]:
    """Options of a check as its function takes them: what YAML lists is a tuple there."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}


def _look(wanted: Wanted, records: Sequence[Record], given: str) -> list[Seen]:
    """What a check sees. A record that it cannot bear is found as `crashed`; the others are looked at."""
    try:
        return list(_seen(wanted, records, given))
    except TunewrightError:
        raise
    except Exception as error:
        if len(records) > 1:
            half = len(records) // 2
            return _look(wanted, records[:half], given) + _look(wanted, records[half:], given)
        note = f"the check {wanted.name} failed on this record ({type(error).__name__})"
        return [Finding(check=wanted.name, what="crashed", record=records[0].id, severity="high", note=note)]


def _seen(
    wanted: Wanted, records: Sequence[Record] | Records, given: str, cache_folder: str = ""
) -> Iterator[Seen]:
    values: dict[str, object] = {k: v for k, v in _given(given).items() if k in wanted.given}
    if "cache" in wanted.given:
        values["cache"] = Path(cache_folder) if cache_folder else None
    try:
        yield from checks[wanted.name](records, **as_told(wanted.options), **values)
    except ModuleNotFoundError as error:
        raise missing(error, f"checks/{wanted.name}") from error


@cache
def _given(path: str) -> dict[str, object]:
    """What the caller of checks fills in; read once in each process."""
    said = json.loads(Path(path).read_text(encoding="utf-8"))
    return {
        "cases": tuple(Case.model_validate(case) for case in said["cases"]),
        "sources": tuple(Source.model_validate(source) for source in said["sources"]),
        "today": date.fromisoformat(said["today"]),
        "base": str(said["base"]),
        "curve": Curve.model_validate(said["curve"]) if said["curve"] else None,
    }
