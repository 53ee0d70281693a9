"""A delivery that a Croissant file describes is verified, read, and says what it claims of itself."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources import pick, sources
from tunewright.sources.croissant import described

CSV = "Q,A\nOpen?,Yes.\nBroken?,\n"
JSONL = '{"talk": {"q": "Open?"}, "a": "Yes."}\n'


CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{
        name: f"cr:{name}"
        for name in (
            *(
                "citeAs",
                "column",
                "extract",
                "field",
                "fileProperty",
                "fileObject",
                "fileSet",
                "format",
                "includes",
            ),
            *(
                "isLiveDataset",
                "jsonPath",
                "key",
                "md5",
                "parentField",
                "path",
                "recordSet",
                "references",
                "regex",
            ),
            *("repeated", "replace", "separator", "source", "subField", "transform"),
        )
    },
}
"""The context that the specification prescribes."""


def field(name: str, origin: dict[str, object], **extract: str) -> dict[str, object]:
    source = {**origin, "extract": extract}
    return {"@type": "cr:Field", "@id": f"rows/{name}", "name": name, "dataType": "sc:Text", "source": source}


TABLE = {"fileObject": {"@id": "table"}}
FIELDS = [field("question", TABLE, column="Q"), field("answer", TABLE, column="A")]


def delivered(folder: Path, name: str = "croissant.json", **changed: object) -> Path:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "rows.csv").write_text(CSV)
    node = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "shop",
        "license": "https://creativecommons.org/licenses/by-sa/4.0/",
        "url": "https://example.org/shop",
        "publisher": {"@type": "Organization", "name": "Example Data Ltd"},
        "creator": [{"@type": "Person", "name": "Ann"}, {"@type": "Person", "name": "Bob"}],
        "inLanguage": ["en", "de"],
        "rai:dataCollection": "Export of the help desk",
        "rai:dataCollectionTimeframe": ["2025-01-01", "2025-12-31"],
        "rai:personalSensitiveInformation": "Names were removed.",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "table",
                "contentUrl": "data/rows.csv",
                "encodingFormat": "text/csv",
                "sha256": hashlib.sha256(CSV.encode()).hexdigest(),
            }
        ],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "rows", "field": FIELDS}],
        **changed,
    }
    (folder / name).write_text(json.dumps(node))
    return folder


def read(path: Path, **options: object) -> list[Record | Reject]:
    name = f"delivery/{path.name}" if path.is_file() else "delivery"
    return list(sources["croissant"](path, source="shop", licence="CC-BY-SA-4.0", file=name, **options))


@pytest.mark.parametrize("name", ["croissant.json", "metadata.json"])
def test_the_folder_or_the_file_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    delivered(tmp_path, name)
    assert pick(tmp_path) == pick(tmp_path / name) == "croissant"
    counts: Counter[str] = Counter()
    for path in (tmp_path, tmp_path / name):
        good, bad = read(path, counts=counts)
        assert isinstance(good, Record)
        assert [m.content for m in good.messages] == ["Open?", "Yes."]
        assert (good.origin.file, good.origin.line) == ("delivery/data/rows.csv", 2)
        assert isinstance(bad, Reject)
    assert counts == {"questions with answers": 2}


def test_what_it_claims_of_itself_has_the_names_that_a_source_has(tmp_path: Path) -> None:
    claims = described(delivered(tmp_path))
    assert claims == {
        "licence": "CC-BY-SA-4.0",
        "publisher": "Example Data Ltd",
        "collected_by": "Ann, Bob",
        "link": "https://example.org/shop",
        "collected": "2025-01-01, 2025-12-31",
        "method": "Export of the help desk",
        "languages": "en, de",
        "personal": "Names were removed.",
    }


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ("https://spdx.org/licenses/MIT.html", "MIT"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://www.apache.org/licenses/LICENSE-2.0", "Apache-2.0"),
        ("CC-BY-4.0", "CC-BY-4.0"),
        ({"@type": "CreativeWork", "name": "House licence"}, "House licence"),
    ],
)
def test_addresses_of_known_licences_become_their_spdx_ids(
    said: object, licence: str, tmp_path: Path
) -> None:
    assert described(delivered(tmp_path, license=said))["licence"] == licence


def test_files_of_a_set_are_read_by_paths_into_their_rows(tmp_path: Path) -> None:
    files = {"fileSet": {"@id": "lines"}}
    node = {
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "repo",
                "contentUrl": "https://example.org/r",
                "sha256": "main",
            },
            {
                "@type": "cr:FileSet",
                "@id": "lines",
                "containedIn": {"@id": "repo"},
                "includes": "data/*.jsonl",
                "excludes": "data/no*.jsonl",
            },
        ],
        "recordSet": [
            {"@type": "cr:RecordSet", "@id": "splits", "field": [], "data": [{"name": "train"}]},
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "field": [
                    field("Body", files, jsonPath="$.talk.q"),
                    field("Reply", files, column="a"),
                    {"name": "split", "source": {**files, "extract": {"fileProperty": "fullpath"}}},
                ],
            },
        ],
    }
    delivered(tmp_path, **node)
    for name in ("a", "b", "no"):
        (tmp_path / "data" / f"{name}.jsonl").write_text(JSONL)
    found = read(tmp_path, fields={"question": "Body", "answer": "Reply"})
    assert [one.origin.file for one in found] == ["delivery/data/a.jsonl", "delivery/data/b.jsonl"]
    assert all(isinstance(one, Record) for one in found)


def test_a_file_with_another_digest_stops_everything(tmp_path: Path) -> None:
    delivered(tmp_path)
    (tmp_path / "data" / "rows.csv").write_text(CSV + "More?,Yes.\n")
    with pytest.raises(BadInput, match="is not the file that"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"conformsTo": "http://mlcommons.org/croissant/0.8"}, "conforms"),
        ({"distribution": [{"@type": "cr:FileObject", "@id": "table", "contentUrl": "../x.csv"}]}, "outside"),
        (
            {"distribution": [{"@type": "cr:FileObject", "@id": "table", "contentUrl": "/etc/passwd"}]},
            "outside",
        ),
        (
            {"distribution": [{"@type": "cr:FileObject", "@id": "table", "contentUrl": "https://x/y.csv"}]},
            "beside",
        ),
        ({"distribution": []}, "nothing in distribution"),
        ({"recordSet": []}, "no record sets"),
        (
            {
                "recordSet": [
                    {"@id": "r", "field": [FIELDS[0], field("answer", {"fileObject": {"@id": "b"}})]}
                ]
            },
            "joins",
        ),
        (
            {
                "recordSet": [
                    {"@id": "r", "field": [{"name": "q", "source": {**TABLE, "transform": {"regex": "x"}}}]}
                ]
            },
            "transformed",
        ),
        ({"recordSet": [{"@id": "a", "field": FIELDS}, {"@id": "b", "field": FIELDS}]}, "2 record sets"),
    ],
)
def test_what_is_not_read_is_said(changed: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        read(delivered(tmp_path, **changed))
    assert caught.value.hint


def test_one_of_several_record_sets_is_named(tmp_path: Path) -> None:
    both = [{"@id": "a", "field": FIELDS}, {"@id": "b", "field": FIELDS[:1]}]
    delivered(tmp_path, recordSet=both)
    assert len(read(tmp_path, record_set="a")) == 2
    with pytest.raises(BadInput, match="no record set 'c'"):
        read(tmp_path, record_set="c")


@pytest.mark.parametrize(
    "text", ["{", "[]", "5", '{"conformsTo": {"@id": "http://mlcommons.org/croissant/1.1"}}']
)
def test_what_is_no_description_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "croissant.json").write_text(text)
    with pytest.raises(BadInput):
        read(tmp_path / "croissant.json")


def test_the_reference_reader_agrees_on_the_rows(tmp_path: Path) -> None:
    reference = pytest.importorskip("mlcroissant")
    import warnings

    delivered(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = list(reference.Dataset(jsonld=str(tmp_path / "croissant.json")).records(record_set="rows"))
    theirs = [row["rows/question"].decode() for row in rows]
    ours = [one.messages[0].content if isinstance(one, Record) else "Broken?" for one in read(tmp_path)]
    assert ours == theirs
