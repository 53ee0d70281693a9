"""However broken a file is: every row ends as a record or a reject, with line and reason; none is lost."""

import csv
import io
import json
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunewright.errors import BadInput
from tunewright.nouns import RECORD_FACTS, Record, Reject
from tunewright.sources import pick, sources
from tunewright.sources._formats import MAPPED

FILES = 50
"""Examples of each test: with 4 to 12 rows in a file, well over 1,000 broken rows are read in all."""

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["", " ", "\0", "\u202e", "😀", "שלום", "a\nb", "\\", '"', "\ufeff", "\x85", "\u2028"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
FIELDS = (
    *("messages", "conversations", "conversation", "instruction", "input", "output", "prompt", "completion"),
    *("question", "answer", "answers", "context", "response", "text", "label", "intent", "data", "instances"),
    *("chosen", "rejected", "replies", "role", "rank", "history", "id", "licence", "license", "customer"),
    *("subject", "email", "user", "assistant", "system", "created_at", "model", "lang", "expires", "consent"),
)
turns = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {},
            optional={
                "role": st.sampled_from(["user", "assistant", "system", "tool", "gpt", "human"]) | values,
                "from": st.sampled_from(["human", "gpt", "system"]) | values,
                "content": st.text(max_size=12) | values,
                "value": st.text(max_size=12) | values,
                "tool_calls": values,
            },
        ),
        values,
    ),
    max_size=4,
)
broken_rows = st.one_of(
    st.fixed_dictionaries({"messages": turns}),
    st.fixed_dictionaries({"conversations": turns}),
    st.fixed_dictionaries({"prompt": values, "completion": values}, optional={"id": values, "user": values}),
    st.fixed_dictionaries({"text": values, "label": values}, optional={"licence": values, "email": values}),
    st.fixed_dictionaries({"prompt": values, "chosen": values | turns}, optional={"rejected": values}),
    st.fixed_dictionaries(
        {"role": values, "text": values, "replies": turns}, optional={"parent_id": st.none()}
    ),
    st.fixed_dictionaries(
        {"text": st.text(max_size=9).map(lambda text: f"Human: {text}\n\nAssistant: {text}")}
    ),
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=6),
    values,
)
good_rows = st.sampled_from(
    [
        {"prompt": "Is it open?", "completion": "Yes, until 6."},
        {"text": "lost my card", "label": "lost"},
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello 😀"}]},
    ]
)
wounds = st.lists(
    st.tuples(
        st.sampled_from(["cut", "put", "swap"]),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(
            [
                b"\xff",
                b"\xe9",
                b"\x00",
                b'"',
                b"\\",
                b"{",
                b"}",
                b"[",
                b"]",
                b",",
                b"\n",
                b"\r",
                b"\xf0\x9f",
                b"\\ud800",
                b"NaN",
                b"1e999",
                b"9" * 4500,
                b"[" * 3000,
                b"\xef\xbb\xbf",
                b"\xc2\x85",
                b"\x1e",
            ]
        ),
    ),
    max_size=5,
)


def wound(data: bytes, cuts: list[tuple[str, float, bytes]]) -> bytes:
    for how, where, what in cuts:
        at = int(where * len(data))
        if how == "cut":
            data = data[:at] + data[at + 1 :]
        elif how == "put":
            data = data[:at] + what + data[at:]
        else:
            data = data[:at] + what + data[at + len(what) :]
    return data


def read(name: str, data: bytes, plugin: str = "", **options: object) -> list[Record | Reject] | None:
    """What comes of a file; None if it is refused as a whole, in words and with a remedy."""
    counts = Counter[str]()
    about = {"source": "s", "licence": "MIT", "file": name, "counts": counts}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            chosen = plugin or pick(path)
            if chosen not in ("documents", "archive"):
                options = {"max_bytes": 20_000, **options}
            found = list(sources[chosen](path, **about, **options))
        except BadInput as error:
            refused = error
            found = None
    if found is None:
        assert name in str(refused)
        assert refused.hint
        return None
    for one in found:
        check(one)
    assert counts.total() == sum(isinstance(one, Record) for one in found)
    return found


def check(one: Record | Reject) -> None:
    assert one.origin.line >= (0 if isinstance(one, Reject) else 1)
    again = type(one).model_validate_json(one.model_dump_json())
    assert again == one
    assert one.canonical.decode("utf-8")
    if isinstance(one, Reject):
        assert one.reason.strip()
        assert len(one.raw) <= 2_000
        return
    assert one.messages[-1].role == "assistant"
    assert one.messages[-1].content.strip()
    alone = len(one.messages) == 1 and one.shape in ("plain texts", "passages of documents", MAPPED)
    assert alone or any(m.role == "user" and m.content.strip() for m in one.messages)
    assert set(one.facts) <= set(RECORD_FACTS)
    assert all(one.facts.values())
    assert one.id
    one.text.encode("utf-8")


def is_text(data: bytes) -> bool:
    """Whether the file is UTF-8 as far as its beginning shows: else it may be refused as a whole."""
    return data[:2] not in (b"\xff\xfe", b"\xfe\xff") and data[:1024].count(0) * 4 <= len(data[:1024])


def blank(line: bytes) -> bool:
    try:
        return not line.decode("utf-8").strip()
    except UnicodeDecodeError:
        return False


@settings(max_examples=FILES, suppress_health_check=list(HealthCheck))
@given(st.lists(good_rows | broken_rows, min_size=4, max_size=12), wounds, st.sampled_from(["\n", "\r\n"]))
def test_no_line_of_a_broken_jsonl_file_is_lost(
    rows: list[object], cuts: list[tuple[str, float, bytes]], end: str
) -> None:
    data = wound(
        "".join(json.dumps(row, ensure_ascii=len(rows) % 2 == 0) + end for row in rows).encode(), cuts
    )
    found = read("rows.jsonl", data)
    lines = [
        n for n, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1) if not blank(line)
    ]
    if found is None:
        assert not lines or not is_text(data)
    elif is_text(data):
        assert [one.origin.line for one in found] == lines


def cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()


@settings(max_examples=FILES, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["prompt,completion", "text,label,id", "messages,customer", "instruction,input,output"]),
    st.lists(st.lists(values, min_size=1, max_size=4), min_size=4, max_size=12),
)
def test_no_row_of_a_csv_table_is_lost(header: str, rows: list[list[object]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    found = read("rows.csv", f"{header}\n{out.getvalue()}".encode())
    assert found is not None
    if "\0" not in out.getvalue():
        assert len(found) == len(rows)


shards = st.lists(
    st.sampled_from(
        [
            b'"',
            b'""',
            b",",
            b"\n",
            b"a,b\n",
            b'"a,b",c\n',
            b'a,"b\n',
            b'"a""b","c\nd"\n',
            b"a\n",
            b"\r\n",
            b"\xff",
            b"\r",
        ]
    ),
    min_size=4,
    max_size=16,
)


@settings(max_examples=3 * FILES, suppress_health_check=list(HealthCheck))
@given(shards)
def test_a_broken_csv_table_gives_up_lines_but_never_loses_one(parts: list[bytes]) -> None:
    data = b"prompt,completion\n" + b"".join(parts)
    found = read("rows.csv", data)
    lines = {n for n, line in enumerate(data.split(b"\n"), 1) if n > 1 and not blank(line)}
    if found is None:
        assert not lines or not is_text(data)
        return
    covered: set[int] = set()
    starts = [one.origin.line for one in found]
    assert starts == sorted(starts)
    assert len(set(starts)) == len(starts)
    for one, after in zip(found, [*starts[1:], data.count(b"\n") + 2], strict=True):
        covered |= set(range(one.origin.line, after)) if isinstance(one, Record) else {one.origin.line}
        if isinstance(one, Reject) and "fields where" in one.reason:  # a whole row, which may span lines
            covered |= set(range(one.origin.line, after))
        if isinstance(one, Reject) and one.raw.count("\n"):
            covered |= set(range(one.origin.line, one.origin.line + one.raw.count("\n") + 1))
    assert lines <= covered


@settings(max_examples=FILES, suppress_health_check=list(HealthCheck))
@given(st.lists(good_rows | broken_rows, min_size=4, max_size=12), wounds)
def test_a_broken_json_list_never_raises_and_every_intact_list_is_read_whole(
    rows: list[object], cuts: list[tuple[str, float, bytes]]
) -> None:
    data = json.dumps(rows, indent=len(rows) % 3 or None).encode()
    whole = read("rows.json", data)
    assert whole is not None
    assert len(whole) == len(rows)
    read("rows.json", wound(data, cuts))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(
    st.binary(max_size=400),
    st.sampled_from(
        [
            *(
                "rows.jsonl",
                "rows.json",
                "rows.csv",
                "rows.parquet",
                "rows.arrow",
                "rows.jsonl.gz",
                "rows.json.xz",
            ),
            *("rows.csv.bz2", "rows.jsonl.zst", "rows.zip", "rows.md", "rows.txt", "rows.html", "rows.docx"),
            *("rows.pdf", "rows", "rows.tsv"),
        ]
    ),
)
def test_bytes_of_any_kind_never_raise_anything_but_bad_input(data: bytes, name: str) -> None:
    read(name, data)


BEGINNINGS = {
    "rows.jsonl.gz": b"\x1f\x8b\x08\x00",
    "rows.json.xz": b"\xfd7zXZ\x00",
    "rows.jsonl.zst": b"\x28\xb5\x2f\xfd",
    "rows.csv.bz2": b"BZh91AY&SY",
    "rows.parquet": b"PAR1",
    "rows.arrow": b"ARROW1\0\0",
    "rows.zip": b"PK\x03\x04",
    "rows.docx": b"PK\x03\x04",
    "rows.pdf": b"%PDF-1.7\n1 0 obj<</Pages 1 0 R/Kids[1 0 R]/Count 9>>endobj trailer<</Root 1 0 R>>",
    "rows.html": b"<!doctype html><p>",
}


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300), st.sampled_from(sorted(BEGINNINGS)))
def test_a_file_that_only_begins_well_never_raises_anything_but_bad_input(data: bytes, name: str) -> None:
    read(name, BEGINNINGS[name] + data)


@settings(max_examples=FILES, suppress_health_check=list(HealthCheck))
@given(
    st.lists(good_rows | broken_rows, min_size=1, max_size=8),
    st.sampled_from(
        [
            {"question": "prompt", "answer": "completion", "person": ["user.name", "email"]},
            {"text": "text", "label": "label", "id": "id", "retain_until": "expires"},
            {"messages": "messages", "roles": {"shop": "assistant"}, "system": "system"},
            {"messages": "conversations", "role": "from", "content": "value.0"},
            {"text": "data.0.text", "language": "lang"},
        ]
    ),
)
def test_a_mapping_makes_a_record_or_a_reject_of_every_row(
    rows: list[object], fields: dict[str, object]
) -> None:
    found = read("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode(), fields=fields)
    assert found is not None
    assert [one.origin.line for one in found] == list(range(1, len(rows) + 1))


@settings(max_examples=FILES, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "2", ""]),
            st.sampled_from(["agent", "customer", "Ann", "system", ""]),
            st.text(),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_message_of_a_table_of_threads_is_in_a_thread_or_refused(
    rows: list[tuple[str, str, str]],
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["ticket_id", "author", "body", "created_at"])
    writer.writerows([cell(value) for value in (*row, str(at))] for at, row in enumerate(rows))
    found = read("rows.csv", out.getvalue().encode())
    assert found is not None
    if "\0" not in out.getvalue():
        lost = sum(not (thread and who) for thread, who, _ in rows)
        assert len(found) == lost + len({thread for thread, who, _ in rows if thread and who})


trees = st.recursive(
    st.fixed_dictionaries(
        {"parent": st.sampled_from(["a", "b", "c", None]) | values}, optional={"message": values}
    ),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c", "mapping"]), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=FILES, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "mapping": trees | values,
                "current_node": st.sampled_from(["a", "b"]) | values,
                "id": values,
            },
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_broken_export_of_chats_never_raises(rows: list[object]) -> None:
    found = read("rows.json", json.dumps(rows).encode(), "chatgpt_export")
    assert found is not None
    assert len(found) == len(rows)


@settings(max_examples=FILES, suppress_health_check=list(HealthCheck))
@given(
    st.text(max_size=200) | st.text("#-=`~\n <>[]()!ab|", max_size=200),
    st.sampled_from(["a.md", "a.html", "a.txt"]),
)
def test_documents_of_any_text_become_passages_or_a_reject(text: str, name: str) -> None:
    assert read(name, text.encode("utf-8", "replace"))


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.text(min_size=1, max_size=20), st.binary(max_size=60), max_size=4), wounds)
def test_archives_of_anything_never_raise(
    members: dict[str, bytes], cuts: list[tuple[str, float, bytes]]
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in members.items():
            packed.writestr(name.encode("utf-8", "replace").decode(), data)
    read("rows.zip", wound(out.getvalue(), cuts))


def test_fifty_megabytes_in_one_line_stay_out_of_memory(tmp_path: Path) -> None:
    import tracemalloc

    good = json.dumps({"prompt": "Open?", "completion": "Yes."})
    for name, head, foot in (
        ("a.jsonl", '{"prompt": "', f'"}}\n{good}\n'),
        ("a.json", '[{"prompt": "', f'"}},\n{good}]'),
        ("a.json", "[" * 3, f"{good}]"),
        ("a.csv", "prompt,completion\n", "\na,b\n"),
    ):
        path = tmp_path / name
        with path.open("w") as out:
            out.write(head)
            for _ in range(50):
                out.write(("x" * 4095 + "[") * (1 << 8))
            out.write(foot)
        tracemalloc.start()
        found = list(sources[pick(path)](path, source="s", licence="MIT", file=name))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert isinstance(found[0], Reject)
        assert isinstance(found[-1], Record) or "middle" in found[-1].reason or "longer" in found[-1].reason
        assert peak < 16_000_000, (name, peak)


@pytest.mark.parametrize("sign", ["\u202e", "\u200f", "😀", "e\u0301", "\x85", "\u2028", "\x1c", "\ufeff"])
def test_signs_that_others_trip_over_stay_where_they_are(sign: str) -> None:
    rows = [{"prompt": f"a{sign}b", "completion": f"{sign}c{sign}"}, {"text": f"x{sign}", "label": "y"}]
    for name, data in (
        ("a.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)),
        ("a.json", json.dumps(rows, ensure_ascii=False, indent=1)),
        ("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)),
    ):
        found = read(name, data.encode())
        assert found is not None
        one, two = found
        assert isinstance(one, Record)
        assert isinstance(two, Record)
        assert [m.content for m in one.messages] == [f"a{sign}b", f"{sign}c{sign}"]
        assert two.messages[0].content == f"x{sign}"
        assert (one.origin.line, two.origin.line) == ((1, 2) if name == "a.jsonl" else (2, 6))
