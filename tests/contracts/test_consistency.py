"""A label spelt in two ways and an answer in another format are noticed; variety that is meant is not."""

import json

import pytest

from tunewright.checks.consistency import consistency
from tunewright.nouns import Message, Origin, Record


def talk(n: int, answer: str, label: str = "", source: str = "shop") -> Record:
    messages = (
        Message(role="user", content=f"question {n}"),
        Message(role="assistant", content=label or answer),
    )
    return Record(
        id=f"r{n}", messages=messages, label=label, origin=Origin(source=source, file="f", line=n + 1)
    )


def labelled(*labels: str) -> list[Record]:
    return [talk(n, "", label) for n, label in enumerate(labels)]


def of(records: list[Record]) -> list[tuple[str, str]]:
    return [(f.record, f.what) for f in consistency(records)]


@pytest.mark.parametrize(
    "other", ["Refund", "refund ", "refunds", "REFUND", "re-fund".replace("-", "") + "."]
)
def test_a_rarer_spelling_of_a_label_is_found(other: str) -> None:
    (found,) = consistency(labelled("refund", "refund", "order", other))
    assert (found.record, found.what) == ("r3", "label_spelling")
    assert "'refund' (2 against 1)" in found.evidence


@pytest.mark.parametrize(
    ("one", "other"),
    [("card_arrival", "card_linking"), ("pass", "pas"), ("status", "statu"), ("1", "2"), ("好", "坏")],
)
def test_different_labels_are_no_spellings_of_each_other(one: str, other: str) -> None:
    assert of(labelled(one, one, other)) == []


def test_underscores_and_spaces_in_labels_are_one_spelling() -> None:
    assert of(labelled("card_arrival", "card_arrival", "card arrival")) == [("r2", "label_spelling")]


def test_a_text_among_json_answers_is_found() -> None:
    rows = [talk(n, json.dumps({"name": "x", "city": "y"})) for n in range(40)]
    odd = [talk(50, "The name is x."), talk(51, '{"name": "x"'), talk(52, '["x"]'), talk(53, '{"name": "x"}')]
    found = list(consistency(rows + odd))
    assert [(f.record, f.severity) for f in found] == [
        ("r50", "medium"),
        ("r51", "medium"),
        ("r52", "medium"),
        ("r53", "low"),
    ]
    assert {f.what for f in found} == {"format"}
    assert "keys: city" in found[3].evidence


def test_formats_are_judged_by_source() -> None:
    rows = [talk(n, '{"a": 1}', source="api") for n in range(40)]
    prose = [talk(100 + n, "It is open.", source="mail") for n in range(40)]
    assert of(rows + prose) == []


def test_text_answers_are_not_asked_to_be_json() -> None:
    assert of([talk(n, "It is open.") for n in range(60)] + [talk(99, '{"a": 1}')]) == []


def test_a_date_and_a_number_written_another_way_are_found() -> None:
    dates = [talk(n, f"It was sent on 2026-03-{n % 27 + 1:02}.") for n in range(40)]
    assert of([*dates, talk(90, "It was sent on 23.03.2026."), talk(91, "Sent on 3/23/2026.")]) == [
        ("r90", "date_format"),
        ("r91", "date_format"),
    ]
    numbers = [talk(n, f"It costs 1,2{n:02}.50 euro.") for n in range(40)]
    assert of([*numbers, talk(90, "Es kostet 1.234,50 Euro.")]) == [("r90", "number_format")]


def test_dates_that_read_both_ways_and_mixed_data_are_left_alone() -> None:
    dates = [talk(n, f"It was sent on 2026-03-{n % 27 + 1:02}.") for n in range(40)]
    assert of([*dates, talk(90, "Version 1.2.3 of 03/04/2026 for 10/12 people")]) == []
    half = [talk(50 + n, f"It was sent on {n % 27 + 1:02}.03.2026.") for n in range(40)]
    assert of(dates + half) == []


def test_few_records_say_nothing_and_a_generator_will_do() -> None:
    rows = [talk(n, '{"a": 1}') for n in range(10)] + [talk(50, "text")]
    assert of(rows) == []
    spelt = labelled("a b", "a b", "A B")
    assert list(consistency(spelt)) == list(consistency(r for r in spelt))  # type: ignore[arg-type]
