"""The licence check names clause, table and record, and says nothing where nothing speaks against one."""

import time

import pytest

from tunewright.checks import checks
from tunewright.nouns import Finding, Message, Origin, Record, Source, Tally


def record(licence: str, number: int = 0, source: str = "desk", **facts: str) -> Record:
    origin = Origin(source=source, file="rows.jsonl", line=number + 1)
    messages = (Message(role="user", content="hi"),)
    return Record(id=f"r{number}", messages=messages, licence=licence, facts=facts, origin=origin)


def source(name: str = "desk", **said: object) -> Source:
    facts = {"uri": "file:x", "licence": "MIT", "origin": "us", "basis": "own", "sha256": "0" * 64, **said}
    return Source.model_validate({"name": name, **facts})


def run(*records: Record, **options: object) -> list[Finding | Tally]:
    return list(checks["licence"](records, **options))


def found(*records: Record, **options: object) -> list[tuple[str, str, str]]:
    return [(f.record, f.what, f.severity) for f in run(*records, **options) if isinstance(f, Finding)]


@pytest.mark.parametrize(
    "licence", ["MIT", "apache 2.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CDLA-Sharing-1.0", "own"]
)
def test_what_may_be_used_inside_says_nothing(licence: str) -> None:
    assert found(record(licence)) == []


def test_each_kind_of_finding_is_given_to_its_record() -> None:
    rows = [
        "MIT",
        "NOASSERTION",
        "LicenseRef-nobody-knows",
        "CC-BY-NC-4.0",
        "all rights reserved",
        "mit / apache",
    ]
    assert found(*(record(licence, n) for n, licence in enumerate(rows))) == [
        ("r1", "none", "high"),
        ("r2", "unknown", "high"),
        ("r3", "blocked", "high"),
        ("r4", "decide", "medium"),
        ("r5", "unknown", "high"),
    ]


def test_a_finding_names_clause_and_table() -> None:
    (blocked,) = run(record("cc-by-nc-sa-4.0"))
    assert isinstance(blocked, Finding)
    assert blocked.note.startswith("CC-BY-NC-SA-4.0 forbids commercial use: ")
    assert "CC-BY-NC-SA-4.0 §2(a)(1)" in blocked.evidence
    assert "table of 2026-11-23" in blocked.evidence
    assert "careful reading" in blocked.evidence
    assert "text read" in blocked.evidence


def test_the_nearest_name_is_suggested_for_one_that_is_not_known() -> None:
    (unknown,) = run(record("Aapche-2.0"))
    assert isinstance(unknown, Finding)
    assert unknown.note.endswith("did you mean Apache-2.0?")


def test_what_is_meant_decides() -> None:
    rows = [record("CC-BY-NC-4.0", 0), record("CC-BY-SA-4.0", 1), record("CC-BY-ND-4.0", 2)]
    inside = [row for row in found(*rows, commercial=False) if row[0]]
    assert inside == []
    given = [row for row in found(*rows, commercial=False, publish=True) if row[0]]
    assert given == [("r1", "decide", "medium"), ("r2", "blocked", "high")]


def test_duties_are_said_once_for_the_whole() -> None:
    rows = [record("CC-BY-4.0", n) for n in range(20)] + [record("MIT", 20 + n) for n in range(5)]
    seen = found(*rows, publish=True)
    assert seen == [("", "attribution", "low"), ("", "notices", "low")]
    told = [f.note for f in run(*rows, publish=True) if isinstance(f, Finding)]
    assert told[0].startswith("CC-BY-4.0 (20 records): ")


def test_the_base_model_counts_when_it_is_known() -> None:
    seen = found(record("CC-BY-4.0"), base="llama3.1", publish=True)
    assert {what for _, what, _ in seen} >= {
        "attribution",
        "display",
        "naming",
        "licence_text",
        "user_threshold",
    }
    assert ("", "conflict", "medium") in found(record("CC-BY-SA-4.0"), base="gemma", publish=True)
    assert ("", "base", "high") in found(record("MIT"), base="qwen-research")
    assert ("", "base", "high") in found(record("MIT"), base="LicenseRef-nobody-knows")


def test_the_generator_of_the_row_or_its_source_counts() -> None:
    assert found(record("MIT", generator="gpt-4o")) == [("r0", "decide", "medium")]
    assert found(record("MIT"), sources=(source(generator="OpenAI GPT-4"),)) == [("r0", "decide", "medium")]
    assert found(record("MIT", generator="Llama-3-70B-Instruct")) == [("r0", "blocked", "high")]
    assert found(record("MIT", generator="a model of ours")) == [("r0", "unknown", "high")]
    assert found(record("MIT", generator="Mixtral-8x7B")) == []
    assert found(record("MIT", upstream="ai4privacy")) == [("r0", "blocked", "high")]


def test_what_a_person_decided_on_no_longer_speaks_against_a_record() -> None:
    assert found(record("CC-BY-NC-4.0"), allow=("cc by-nc 4.0",)) == []
    assert found(record("LicenseRef-contract-7"), allow=("LicenseRef-contract-7",)) == []
    assert found(record("MIT", generator="gpt-4o"), allow=("openai",)) == []
    assert found(record("CC-BY-NC-4.0"), allow=("CC-BY-NC-SA-4.0",)) == [("r0", "blocked", "high")]
    assert found(record("NOASSERTION"), allow=("NOASSERTION",)) == [("r0", "none", "high")]
    assert found(record("CC-BY-NC-4.0", generator="gpt-4"), allow=("CC-BY-NC-4.0",)) == [
        ("r0", "decide", "medium")
    ]


def test_a_source_that_speaks_of_a_known_set_is_asked_about_it() -> None:
    (told,) = [
        f
        for f in run(
            record("MIT", source="teacher"),
            sources=(
                source("teacher", link="https://huggingface.co/datasets/teknium/GPTeacher-General-Instruct"),
            ),
        )
        if isinstance(f, Finding)
    ]
    assert (told.record, told.what, told.severity) == ("", "known", "medium")
    assert "OpenAI GPT-4" in told.note
    assert "say `generator`" in told.note
    relabelled = source("bench", licence="CC0-1.0", origin="made from rows of ai4privacy")
    assert ("", "known", "medium") in found(record("CC0-1.0", source="bench"), sources=(relabelled,))
    honest = source("teacher", link="https://github.com/teknium1/GPTeacher", generator="GPT-4")
    assert [
        row for row in found(record("MIT", source="teacher"), sources=(honest,)) if row[1] == "known"
    ] == []
    assert found(record("MIT"), sources=(source(origin="our help desk, written by our staff"),)) == []


def test_records_are_counted_by_licence() -> None:
    rows = [record("mit license", 0), record("MIT", 1), record("", 2), record("cc-by-4.0", 3)]
    (tally,) = [seen for seen in run(*rows, sources=(source(),)) if isinstance(seen, Tally)]
    assert tally.counts == {"MIT": 2, "NOASSERTION": 1, "CC-BY-4.0": 1}


def test_licences_with_odd_text_do_not_stop_the_check() -> None:
    for licence in (
        "(" * 300,
        "AND OR",
        "\x00",
        "😀",
        "x" * 10_000,
        "MIT\nOR\nMIT",
        "cc by" * 50,
        "{id}",
        "a@example.org",
    ):
        assert [what for _, what, _ in found(record(licence))] in (["unknown"], [])
        for seen in run(record(licence)):
            assert isinstance(seen, Finding)
            assert len(seen.note) < 400


def test_a_hundred_thousand_records_take_less_than_a_second() -> None:
    kinds = ["MIT", "CC-BY-4.0", "cc-by-sa-4.0", "Apache-2.0"]
    rows = [record(kinds[n % 4], n, generator="Mixtral-8x7B" if n % 5 else "") for n in range(100)] * 1000
    run(*rows[:100])
    begun = time.process_time()
    assert [what for _, what, _ in found(*rows, publish=False)] == []
    assert time.process_time() - begun < 1.0
