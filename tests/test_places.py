"""Where records come from: files, folders of many formats, addresses, descriptions; with provenance."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import tunewright as tw
from tunewright.errors import BadInput
from tunewright.nouns import Source

Reopen = Callable[[], tw.Project]
YAML = "tunewright.yaml"
PAIR = {"prompt": "Is the workshop open?", "completion": "Yes, from nine to five."}


def source(**facts: object) -> Source:
    about = {"name": "s", "uri": "file:s", "licence": "MIT", "origin": "us", "basis": "own work"}
    return Source.model_validate({**about, "sha256": "0" * 64, **facts})


def place(folder: Path, words: str) -> None:
    text = (folder / YAML).read_text()
    (folder / YAML).write_text(text.replace("file: data/*.jsonl", words, 1))


def test_a_folder_stands_for_the_files_in_it_and_what_nobody_reads_is_named(
    folder: Path, reopen: Reopen
) -> None:
    mixed = folder / "mixed"
    (mixed / "deep" / ".hidden").mkdir(parents=True)
    (mixed / "rows.jsonl").write_text(json.dumps(PAIR))
    (mixed / "deep" / "rows.csv").write_text("question,answer\nWho are you?,A shop.\n")
    (mixed / "rows.tsv").write_text("question\tanswer\nWhere are you?\tBy the mill.\n")
    with gzip.open(mixed / "packed.jsonl.gz", "wt") as file:
        file.write(json.dumps({"instruction": "Greet.", "output": "Good morning!"}))
    (mixed / "photo.png").write_bytes(b"\x89PNG")
    (mixed / "README.md").write_text("# About these rows\n\nThey are invented.\n")
    (mixed / "deep" / ".hidden" / "rows.jsonl").write_text(json.dumps(PAIR))
    place(folder, "file: mixed")
    project = reopen()
    data = tw.gather(project)
    assert data.count == 4
    assert data.received == 5
    names = ["mixed/deep/rows.csv", "mixed/packed.jsonl.gz", "mixed/photo.png", "mixed/rows.jsonl"]
    assert [s.name for s in data.sources] == [*names, "mixed/rows.tsv"]
    (reject,) = project.quarantine(data)
    assert reject.origin.file == "mixed/photo.png"
    assert str(folder) not in reject.reason


def test_what_lies_elsewhere_is_fetched_once_until_somebody_asks_for_it_anew(
    folder: Path, reopen: Reopen
) -> None:
    pytest.importorskip("fsspec")
    there = folder / "elsewhere.jsonl"
    there.write_text(json.dumps(PAIR))
    place(folder, f"uri: {there.as_uri()}")
    assert tw.gather(reopen()).count == 1
    there.write_text(json.dumps(PAIR) + "\n" + json.dumps({**PAIR, "prompt": "Another?"}))
    assert tw.gather(reopen()).count == 1
    assert tw.gather(reopen(), refresh=True).count == 2
    assert tw.gather(reopen()).count == 2


def test_rows_of_an_unknown_shape_are_read_by_the_fields_that_are_named(folder: Path, reopen: Reopen) -> None:
    row = {"Body": "My parcel?", "Reply": "Soon.", "Mail": "ann@example.org"}
    (folder / "data" / "chat.jsonl").write_text(json.dumps(row))
    place(folder, "file: data/*.jsonl\n    fields: {question: Body, answer: Reply, person: Mail}")
    project = reopen()
    (record,) = project.records(tw.gather(project))
    assert [m.content for m in record.messages] == ["My parcel?", "Soon."]
    assert record.subjects == (project.commit("ann@example.org"),)


def test_facts_that_nobody_stated_are_named() -> None:
    assert "publisher" in source().missing
    assert "consent" not in source().missing
    assert "consent" in source(basis="consent of the customers").missing
    assert "generator" in source(author="synthetic").missing
    assert "licence" in source(licence="NOASSERTION").missing
    known = {name: "known" for name in source().missing if name not in ("languages", "author")}
    assert source(**known, languages=["en"], author="human").missing == ()


def test_a_source_keeps_all_that_is_said_of_it(folder: Path, reopen: Reopen) -> None:
    facts = "publisher: Shop\n    retain_until: 2999-12-31\n    languages: [en]"
    place(folder, f"file: data/*.jsonl\n    {facts}")
    (kept,) = tw.gather(reopen()).sources
    assert (kept.publisher, kept.retain_until, kept.languages) == ("Shop", "2999-12-31", ("en",))


def test_a_project_names_one_place_for_each_source(folder: Path, reopen: Reopen) -> None:
    place(folder, "file: data/*.jsonl\n    uri: https://example.org/rows.jsonl")
    with pytest.raises(BadInput, match="either a file, a uri or a dataset"):
        reopen()
