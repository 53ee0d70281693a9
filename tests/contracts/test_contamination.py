"""Contamination: evaluation items are found in the data, and named by case or by file and line."""

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.checks.contamination import contamination
from tunewright.errors import BadInput
from tunewright.nouns import Case, Finding, Message, Origin, Record

ORIGIN = Origin(source="shop", file="rows.jsonl", line=1)
QUESTION = (
    "A farmer sells 16 eggs at the market every morning and keeps 3 for her own breakfast. She bakes 4 "
    "muffins for her friends with what is left. How much does she earn in 7 days if one egg costs 2 dollars?"
)
OTHER = "The train takes 5 hours and 20 minutes. When is it there if it leaves at a quarter past nine?"
AROUND = (
    "Could you please help my daughter with the homework she was given for the holidays by her new teacher?"
)


def said(*turns: str, id: str = "r") -> Record:
    messages = (Message(role="assistant" if n % 2 else "user", content=turn) for n, turn in enumerate(turns))
    return Record(id=id, messages=tuple(messages), origin=ORIGIN)


def case(id: str, text: str, reference: str = "") -> Case:
    return Case(id=id, messages=(Message(role="user", content=text),), reference=reference)


def seen(text: str, *items: str, **options: object) -> list[Finding]:
    cases = [case(f"c{n}", item) for n, item in enumerate(items)]
    return list(contamination([said(text)], cases=cases, **options))  # type: ignore[arg-type]


def test_evidence_tells_the_longest_run_and_the_share() -> None:
    [found] = seen(f"{AROUND} {QUESTION} {AROUND}", OTHER, QUESTION)
    assert (found.what, found.severity) == ("ngram", "high")
    assert found.note.endswith("evaluation case c1")
    count = len(re.findall(r"\w+", QUESTION))
    assert found.evidence == f"longest run {count} of {count} words; 100% of its runs of 3 words"


def test_edited_words_and_changed_numbers_are_still_found() -> None:
    dice = random.Random(1)
    words = QUESTION.split()
    for _ in range(50):
        edited = list(words)
        for at in dice.sample(range(len(words)), 3):
            edited[at] = "something"
        assert [f.what for f in seen(f"{AROUND} {' '.join(edited)}", QUESTION)] == ["ngram"]
    numbers = re.sub(r"\d+", lambda m: str(dice.randrange(2, 999)), QUESTION)
    [found] = seen(f"{AROUND} {numbers}", QUESTION)
    assert found.what == "ngram"


def test_a_phrase_in_common_is_no_leak() -> None:
    phrase = " ".join(QUESTION.split()[:9])
    assert seen(f"{phrase} and then goes home to rest. {AROUND}", QUESTION) == []


def test_a_case_found_twice_in_a_record_is_named_once_by_its_surest_place() -> None:
    record = said(f"{AROUND} {QUESTION}", "Yes.", QUESTION)
    [found] = contamination([record], cases=[case("c", QUESTION)])
    assert (found.what, found.message) == ("exact", 2)


def rows(folder: Path) -> dict[str, str]:
    """Files of every kind that hold the two questions, and the line of the first."""
    table = [
        {"id": "a", "question": OTHER, "answer": "35"},
        {"id": "b", "question": QUESTION, "answer": "63"},
    ]
    (folder / "items.jsonl").write_text(
        "\n".join(["", *(json.dumps(row) for row in table)]), encoding="utf-8"
    )
    (folder / "items.json").write_text(json.dumps({"data": table}), encoding="utf-8")
    (folder / "items.csv").write_text(f'id,Question\na,"{OTHER}"\nb,"{QUESTION}"\n', encoding="utf-8")
    (folder / "items.tsv").write_text(f"id\tsentence\na\t{OTHER}\nb\t{QUESTION}\n", encoding="utf-8")
    (folder / "bare.tsv").write_text(f"gj04\t1\t\t{OTHER}\ngj04\t0\t*\t{QUESTION}\n", encoding="utf-8")
    (folder / "items.txt").write_text(f"{OTHER}\n\n{QUESTION}\n", encoding="utf-8")
    return {
        "items.jsonl": "3",
        "items.json": "2",
        "items.csv": "3",
        "items.tsv": "3",
        "bare.tsv": "2",
        "items.txt": "3",
    }


@pytest.mark.parametrize(
    "name", ["items.jsonl", "items.json", "items.csv", "items.tsv", "bare.tsv", "items.txt"]
)
def test_benchmarks_of_every_kind_are_read_and_named_by_file_and_line(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "puzzles"
    folder.mkdir()
    line = rows(folder)[name]
    [found] = seen(QUESTION.upper(), benchmarks=(str(folder / name),))
    assert (found.what, found.note) == ("exact", f"is word for word puzzles {name}:{line}")


def test_a_parquet_benchmark_is_read(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    path = tmp_path / "items.parquet"
    parquet.write_table(arrow.table({"problem": [OTHER, QUESTION]}), path)
    [found] = seen(QUESTION, benchmarks=(str(path),))
    assert found.note.endswith("items.parquet:2")


def test_a_benchmark_that_was_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "items.txt"
    path.write_text(OTHER, encoding="utf-8")
    assert seen(QUESTION, benchmarks=(str(path),)) == []
    path.write_text(f"{OTHER}\n{QUESTION}", encoding="utf-8")
    assert len(seen(QUESTION, benchmarks=(str(path),))) == 1


@pytest.mark.parametrize("content", [None, "", '{"id": 1}\n', "{broken\n"])
def test_a_benchmark_that_is_none_is_refused_and_not_passed_over(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=r"items\.jsonl"):
        seen(QUESTION, benchmarks=(str(path),))


def test_answers_are_compared_only_when_asked_and_only_with_answers() -> None:
    answer = (
        "She keeps three eggs and bakes with four, so nine are left and that makes eighteen dollars a day."
    )
    cases = [case("c", OTHER, reference=answer)]
    records = [said("How much?", answer, id="said"), said(answer, "Well.", id="asked")]
    assert list(contamination(records, cases=cases)) == []
    assert [(f.record, f.message) for f in contamination(records, cases=cases, answers=True)] == [("said", 1)]


def test_findings_do_not_depend_on_what_is_read_together() -> None:
    dice = random.Random(2)
    words = (QUESTION + " " + OTHER + " " + AROUND).split()
    texts = [" ".join(dice.choices(words, k=dice.randrange(1, 60))) for _ in range(300)]
    texts[::7] = [f"{AROUND} {QUESTION}"] * len(texts[::7])
    texts[::11] = [OTHER.lower()] * len(texts[::11])
    records = [said(text, id=str(n)) for n, text in enumerate(texts)]
    cases = [case("a", QUESTION), case("b", OTHER)]
    together = list(contamination(records, cases=cases))
    assert together == [f for record in records for f in contamination([record], cases=cases)]
    assert len(together) >= 60


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=5), st.lists(st.text(max_size=40), max_size=5))
def test_garbage_is_read_and_a_case_is_found_in_itself(texts: Sequence[str], asked: Sequence[str]) -> None:
    cases = [case(str(n), text) for n, text in enumerate(asked)]
    records = [said(text, id=str(n)) for n, text in enumerate([*texts, *asked])]
    found = {(f.record, f.note.rpartition(" ")[2]) for f in contamination(records, cases=cases)}
    wordy = [n for n, text in enumerate(asked) if any(c.isalnum() for c in text.casefold())]
    for n in wordy:
        if re.search(r"[^\W_]", asked[n], re.ASCII):
            assert (str(len(texts) + n), str(n)) in found
