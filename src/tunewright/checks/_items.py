"""Evaluation items: the team's cases, and public benchmarks as files on this disk."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tunewright.errors import BadInput
from tunewright.nouns import Case

FIELDS = (
    *(
        "question",
        "prompt",
        "problem",
        "text",
        "sentence",
        "goal",
        "query",
        "instruction",
        "input",
        "premise",
    ),
    *("sentence1", "ctx", "context_question", "utterance", "statement", "claim", "passage_question", "stem"),
    *("sent_more", "question_text", "best_question", "user", "message", "content", "behavior"),
)
"""Names of fields that hold what a model is asked, the likeliest first."""
ANSWERS = ("answer", "reference", "output", "response", "completion", "solution", "target", "best answer")
LONGEST = 20_000
"""Characters of an item that are compared."""


class Item(NamedTuple):
    """One thing that is asked in an evaluation, or its answer."""

    name: str
    """As findings name it: `evaluation case c1`, or `gsm8k test.jsonl:12`."""
    text: str
    answer: bool = False


def of_cases(cases: Iterable[Case], answers: bool) -> Iterator[Item]:
    """The team's own cases."""
    for case in cases:
        asked = "\n".join(m.content for m in case.messages if m.role == "user")
        yield Item(f"evaluation case {case.id}", asked[:LONGEST])
        if answers and case.reference:
            yield Item(f"evaluation case {case.id}", case.reference[:LONGEST], answer=True)


def of_benchmark(path: Path, answers: bool) -> Iterator[Item]:
    """The items of a benchmark file, named by its folder, its name and the line (from 1)."""
    name = f"{path.parent.name} {path.name}".strip()
    if not path.is_file():
        raise BadInput(f"contamination: there is no benchmark file {path}", hint="correct `benchmarks`")
    found = False
    try:
        for line, row in _rows(path):
            for text, answer in _texts(row, answers):
                found = True
                yield Item(f"{name}:{line}", text[:LONGEST], answer)
    except (ValueError, csv.Error, OSError) as error:
        raise BadInput(f"contamination: {path.name} cannot be read as a benchmark: {error}") from None
    if not found:
        raise BadInput(
            f"contamination: {path.name} has no field that looks like a question",
            hint=f"name it one of {', '.join(FIELDS[:8])}",
        )


def _rows(path: Path) -> Iterator[tuple[int, object]]:
    """Line or row number and what stands there."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        import pyarrow.parquet as parquet

        number = 1
        for batch in parquet.ParquetFile(path).iter_batches(1024):
            for row in batch.to_pylist():
                yield number, row
                number += 1
        return
    with path.open(
        encoding="utf-8-sig", errors="replace", newline="" if kind in (".csv", ".tsv") else None
    ) as file:
        if kind == ".jsonl":
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, json.loads(line)
        elif kind == ".json":
            whole = json.load(file)
            rows = (
                next((v for v in whole.values() if isinstance(v, list)), [])
                if isinstance(whole, dict)
                else whole
            )
            yield from enumerate(rows if isinstance(rows, list) else [], 1)
        elif kind in (".csv", ".tsv"):
            reader = csv.reader(
                file, delimiter="\t" if kind == ".tsv" else ",", quoting=0 if kind == ".csv" else 3
            )
            header = next(reader, [])
            if any(name.strip().lower() in FIELDS for name in header):
                for row in reader:
                    yield reader.line_num, dict(zip(header, row, strict=False))
            else:
                yield 1, header
                for row in reader:
                    yield reader.line_num, row
        else:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())


def _texts(row: object, answers: bool) -> Iterator[tuple[str, bool]]:
    """What a row asks, and with `answers` what it says to that. Of a row without names, its longest text."""
    if isinstance(row, str):
        yield row, False
    elif isinstance(row, list):
        strings = [part for part in row if isinstance(part, str)]
        if strings:
            yield max(strings, key=len), False
    elif isinstance(row, dict):
        fields = {str(name).strip().lower(): value for name, value in row.items()}
        for name in FIELDS:
            text = fields.get(name)
            text = text.get("stem") or text.get("text") if isinstance(text, dict) else text
            if isinstance(text, str) and text.strip():
                yield text, False
                break
        for name in ANSWERS if answers else ():
            text = fields.get(name)
            if isinstance(text, str) and text.strip():
                yield text, True
                break
