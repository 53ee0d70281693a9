"""Every source turns every row into a record or a reject, and says plainly what is wrong with a file."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources import GIVEN, pick, sources
from tunewright.sources._formats import FORMATS, recognise

CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
PAIR = {"prompt": "Is it open?", "completion": "Yes."}
LABELLED = {"text": "My card is lost", "label": "lost_card"}


TREE = {
    "role": "prompter",
    "text": "Open?",
    "lang": "en",
    "replies": [
        {"role": "assistant", "text": "Perhaps.", "rank": 1, "replies": []},
        {
            "role": "assistant",
            "text": "Yes.",
            "rank": 0,
            "replies": [
                {"role": "prompter", "text": "Unanswered", "replies": []},
                {"role": "prompter", "text": "Since?", "replies": [{"role": "assistant", "text": "May."}]},
            ],
        },
    ],
}
FLAT = {"message_id": "m1", "parent_id": None, "message_tree_id": "m1", "role": "prompter", "text": "Open?"}
SHAPES: dict[str, dict[str, object]] = {
    "OpenAI chat messages": dict(CHAT),
    "ShareGPT conversations": {
        "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
    },
    "preference pairs": {"prompt": "a", "chosen": "b", "rejected": "c"},
    "compared answers": {"prompt": "a", "response_a": "b", "response_b": "c", "winner": "b"},
    "rated answers": {"prompt": "a", "completion": "b", "label": False},
    "message trees (best-ranked thread)": TREE,
    "instructions with instances": {"instruction": "a", "instances": [{"input": "", "output": "b"}]},
    "turns in a list": {"id": "7", "data": ["a", "b", "unanswered"]},
    "Alpaca instructions": {"instruction": "a", "output": "b"},
    "Dolly instructions": {"instruction": "a", "context": "c", "response": "b", "category": "qa"},
    "questions with answers": PAIR,
    "labelled texts": LABELLED,
    "transcripts": {"text": "Human: a\n\nAssistant: b"},
    "plain texts": {"text": "Only this.", "url": "https://example.org"},
    "messages one a row (best-ranked thread)": FLAT,
}


def read(path: Path, counts: Counter[str] | None = None, **options: object) -> list[Record | Reject]:
    plugin = sources[pick(path)]
    return list(
        plugin(path, source="shop", licence="CC-BY-4.0", file=f"data/{path.name}", counts=counts, **options)
    )


def rows(folder: Path, *found: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    return path


def one(folder: Path, row: object) -> Record | Reject:
    (found,) = read(rows(folder, row))
    return found


def record(folder: Path, row: object) -> Record:
    found = one(folder, row)
    assert isinstance(found, Record), found
    return found


def reason(folder: Path, row: object) -> str:
    found = one(folder, row)
    assert isinstance(found, Reject), found
    assert (found.origin.line, found.origin.file) == (1, "data/rows.jsonl")
    return found.reason


def turns(found: Record) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in found.messages]


# ── the shelf ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", list(sources))
def test_every_source_states_a_title_and_its_limits(name: str) -> None:
    title, limits = sources.about(name)
    assert len(title) > 20
    assert limits.endswith(".")


@pytest.mark.parametrize("name", list(sources))
def test_every_source_takes_what_gather_gives(name: str) -> None:
    assert set(sources.options(name)) >= GIVEN


FOLDERS = {"datasets_folder", "documents", "croissant", "slack_export", "chatgpt_export"}


@pytest.mark.parametrize("name", [n for n in sources if n not in FOLDERS])
def test_every_file_source_refuses_a_file_that_is_gone_and_a_folder(name: str, tmp_path: Path) -> None:
    given = {"source": "s", "licence": "MIT", "file": "f"}
    for path in (tmp_path / "gone", tmp_path):
        with pytest.raises(BadInput) as caught:
            list(sources[name](path, **given))
        assert str(path) in str(caught.value)
        assert caught.value.hint


@pytest.mark.parametrize("name", ["jsonl", "json", "csv", "parquet", "arrow", "thread_csv", "archive"])
def test_an_empty_file_is_said_to_be_empty_or_no_such_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    with pytest.raises(BadInput, match=r"nothing in it|not a Parquet file|not an Arrow file|not a zip"):
        list(sources[name](path, source="s", licence="MIT", file="f"))


# ── which source ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "plugin"),
    [
        ("a.jsonl", "jsonl"),
        ("a.NDJSON", "jsonl"),
        ("a.json", "json"),
        ("a.csv", "csv"),
        ("a.tsv", "csv"),
        ("a.feather", "arrow"),
        ("a.jsonl.gz", "jsonl"),
        ("a.csv.zst", "csv"),
        ("a.v2.json.xz", "json"),
        ("a.zip", "archive"),
        ("a.PDF", "documents"),
        ("a.md", "documents"),
    ],
)
def test_the_end_of_the_name_picks_the_source(name: str, plugin: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert pick(tmp_path / name) == plugin


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet.gz", "a.pkl", "a.doc", "rows", "a.tar.gz", "a.db"])
def test_a_file_that_no_source_reads_comes_with_a_remedy(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(BadInput) as caught:
        pick(tmp_path / name)
    assert len(caught.value.hint) > 10


def test_a_folder_is_only_read_if_datasets_wrote_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="folder that no source reads"):
        pick(tmp_path)
    (tmp_path / "state.json").write_text("{}")
    assert pick(tmp_path) == "datasets_folder"


def test_a_name_with_a_nul_byte_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for name in ("gone.jsonl", "a\0.jsonl"):
        with pytest.raises(BadInput):
            pick(tmp_path / name)


# ── shapes of row ───────────────────────────────────────────────────────────────────────────────


def test_chat_messages_keep_roles_and_words(tmp_path: Path) -> None:
    system = {"role": "developer", "content": "Be brief."}
    found = record(tmp_path, {"messages": [system, *CHAT["messages"]]})
    assert turns(found) == [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello")]
    assert found.id == "data/rows.jsonl:1"
    assert (found.origin.source, found.licence) == ("shop", "CC-BY-4.0")


def test_content_parts_of_text_are_joined_and_pictures_rejected(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]
    answer = {"role": "assistant", "content": "Hello"}
    found = record(tmp_path, {"messages": [{"role": "user", "content": parts}, answer]})
    assert found.messages[0].content == "Hi\nthere"
    picture = [{"type": "image_url", "image_url": {"url": "x"}}]
    row = {"messages": [{"role": "user", "content": picture}, answer]}
    assert "part that is not text" in reason(tmp_path, row)


def test_sharegpt_speakers_become_roles(tmp_path: Path) -> None:
    talk = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    assert turns(record(tmp_path, {"conversations": talk})) == [("user", "Hi"), ("assistant", "Hello")]


def test_alpaca_input_follows_the_instruction(tmp_path: Path) -> None:
    row = {"instruction": "Translate", "input": "Haus", "output": "house"}
    assert turns(record(tmp_path, row)) == [("user", "Translate\n\nHaus"), ("assistant", "house")]
    without = {"instruction": "Say hi", "input": "", "output": "hi"}
    assert record(tmp_path, without).messages[0].content == "Say hi"


@pytest.mark.parametrize(
    "names", [("prompt", "completion"), ("prompt", "response"), ("question", "answer"), ("input", "output")]
)
def test_pairs_go_by_several_names(names: tuple[str, str], tmp_path: Path) -> None:
    row = {names[0]: "Open?", names[1]: "Yes."}
    assert turns(record(tmp_path, row)) == [("user", "Open?"), ("assistant", "Yes.")]


def test_a_label_is_also_the_answer(tmp_path: Path) -> None:
    found = record(tmp_path, LABELLED)
    assert found.label == "lost_card"
    assert turns(found)[-1] == ("assistant", "lost_card")
    assert record(tmp_path, {"text": "x", "label": 3}).label == "3"
    assert record(tmp_path, {"text": "x", "label": False}).label == "false"


def test_every_shape_is_recognised_and_counted(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    answer = {**FLAT, "message_id": "m2", "parent_id": "m1", "role": "assistant", "text": "Yes."}
    found = read(rows(tmp_path, CHAT, *SHAPES.values(), answer, {"foo": 1}), counts)
    assert [type(f) for f in found] == [Record] * (len(FORMATS) + 1) + [Reject]
    assert counts == dict.fromkeys(FORMATS, 1) | {FORMATS[0]: 2}
    assert {f.shape for f in found if isinstance(f, Record)} == set(FORMATS)


@pytest.mark.parametrize(
    "row",
    [
        *(None, 1, "text", [], {}, {"messages": None}, {"text": None}, {"text": "x", "gold": 1}),
        *({"data": [1]}, {"data": ["a", "b"], "gold": 1}),
    ],
)
def test_what_has_no_known_shape_is_not_recognised(row: object) -> None:
    assert recognise(row) is None


def test_id_licence_and_persons_are_read_from_the_row(tmp_path: Path) -> None:
    found = record(
        tmp_path,
        PAIR
        | {"id": 17, "license": "MIT", "customer": "C-9", "email": "a@example.org", "user": {"name": "Ann"}},
    )
    assert (found.id, found.licence) == ("17", "MIT")
    assert set(found.subjects) == {"C-9", "a@example.org", "Ann"}


def test_a_reject_still_says_whom_it_concerns(tmp_path: Path) -> None:
    found = one(tmp_path, {"prompt": "x", "completion": "", "customer": "C-9"})
    assert isinstance(found, Reject)
    assert found.subjects == ("C-9",)


# ── rows that cannot become records ─────────────────────────────────────────────────────────────

U, A = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"messages": []}, "no turns"),
        ({"messages": "Hi"}, "not a list"),
        ({"messages": [A]}, "no turn of the user"),
        ({"messages": [U]}, "does not end with an answer"),
        ({"messages": [U, A, U]}, "does not end with an answer"),
        ({"messages": [U, A | {"content": "  "}]}, "empty answer"),
        ({"messages": [U, A | {"content": ""}, U, A]}, "turn 2 is empty"),
        ({"messages": [U, A | {"content": None}]}, "turn 2 has no content"),
        ({"messages": [U, A | {"content": 5}]}, "content of turn 2 is a number"),
        ({"messages": [U, {"role": "wizard", "content": "x"}]}, "turn 2 has no role"),
        ({"messages": [U, "x"]}, "turn 2 is text"),
        ({"messages": [U, A | {"tool_calls": [{"id": "1"}]}]}, "calls a tool"),
        ({"prompt": ["x"], "completion": "y"}, "prompt is a list"),
        ({"text": "x", "label": ""}, "label is empty"),
        ({"text": "x", "label": {"a": 1}}, "label is an object"),
        (PAIR | {"id": ["x"]}, "id is a list"),
        (PAIR | {"id": "x" * 501}, "longer than 500"),
        (PAIR | {"licence": {"name": "MIT"}}, "licence is an object"),
        (["prompt", "x"], "is a list, not an object"),
        (None, "is null"),
        ({"prompt": "a\0b", "completion": "y"}, "NUL"),
        ({"prompt": "half \ud800", "completion": "y"}, "surrogate"),
        (PAIR | {"customer": "\ud800"}, ""),
    ],
)
def test_a_row_that_is_wrong_says_what_is_wrong(row: object, words: str, tmp_path: Path) -> None:
    if words:
        assert words in reason(tmp_path, row)
    else:
        record(tmp_path, row).model_dump_json()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"prompt": "x", ', "not JSON"),
        (b'{"prompt": "x", "completion": NaN}', "NaN is not JSON"),
        (b'{"text": "x", "label": Infinity}', "Infinity is not JSON"),
        (b'{"text": "x", "label": ' + b"9" * 5000 + b"}", "too many digits"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"prompt": "caf\xe9", "completion": "y"}', "not UTF-8"),
        (b'{"prompt": "a\x00", "completion": "y"}', "NUL"),
    ],
)
def test_a_broken_line_is_rejected_and_the_next_is_read(line: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(line + b"\n\n" + json.dumps(PAIR).encode())
    first, second = read(path)
    assert isinstance(first, Reject)
    assert words in first.reason
    assert (first.origin.line, second.origin.line) == (1, 3)
    assert isinstance(second, Record)
    assert len(first.raw) <= 2_000


def test_a_reason_never_repeats_what_the_row_said(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"prompt": "my password is hunter2" oops}\n{"hunter2": 1}\n{"prompt":["hunter2"],"completion":1}\n'
    )
    assert all(isinstance(f, Reject) and "hunter2" not in f.reason for f in read(path))


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        path = tmp_path / "rows.jsonl"
        path.write_text(json.dumps({"prompt": "Größe?", "completion": "M"}, ensure_ascii=False), encoding)
        (found,) = read(path)
        assert isinstance(found, Record)
        assert found.messages[0].content == "Größe?"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32"])
def test_a_file_in_another_encoding_is_refused_with_the_command_that_converts_it(
    encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(PAIR), encoding)
    with pytest.raises(BadInput) as caught:
        read(path)
    assert "iconv" in caught.value.hint


def test_a_huge_line_is_rejected_without_being_held(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "rows.jsonl"
    with path.open("wb") as out:
        out.write(b'{"prompt": "' + b"x" * 20_000_000 + b'", "completion": "y"}\n')
        out.write(json.dumps(PAIR).encode() + b"\n")
    tracemalloc.start()
    first, second = read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(first, Reject)
    assert first.reason == "longer than 1,048,576 bytes"
    assert isinstance(second, Record)
    assert peak < 8_000_000


def test_the_limit_of_a_row_is_an_option(tmp_path: Path) -> None:
    path = rows(tmp_path, PAIR, {"prompt": "x" * 200, "completion": "y"})
    assert [type(f) for f in read(path, max_bytes=100)] == [Record, Reject]


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_how_to_change_that(tmp_path: Path) -> None:
    path = rows(tmp_path, PAIR)
    path.chmod(0)
    with pytest.raises(BadInput) as caught:
        read(path)
    assert "chmod" in caught.value.hint


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.jsonl")
    with pytest.raises(BadInput, match="not an ordinary file"):
        read(tmp_path / "rows.jsonl")


# ── json ────────────────────────────────────────────────────────────────────────────────────────


def as_json(folder: Path, text: str) -> list[Record | Reject]:
    path = folder / "rows.json"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_a_json_list_is_read_element_by_element_with_its_lines(tmp_path: Path) -> None:
    found = as_json(tmp_path, json.dumps([PAIR, {"text": 'a ], "b\\', "label": "x"}], indent=1))
    assert [(type(f), f.origin.line) for f in found] == [(Record, 2), (Record, 6)]
    assert isinstance(found[1], Record)
    assert found[1].messages[0].content == 'a ], "b\\'


def test_a_broken_element_does_not_spoil_its_neighbours(tmp_path: Path) -> None:
    good = json.dumps(PAIR)
    found = as_json(tmp_path, f'[{good}, {{"prompt": }}, 5, {good}')
    assert [type(f) for f in found] == [Record, Reject, Reject, Reject]
    assert isinstance(found[3], Reject)
    assert found[3].reason == "the file ends in the middle of a row"


def test_what_follows_the_list_is_not_lost_silently(tmp_path: Path) -> None:
    _, last = as_json(tmp_path, f"[{json.dumps(PAIR)}]\n[1]")
    assert isinstance(last, Reject)
    assert "follows the end" in last.reason


def test_json_lines_under_the_name_json_are_read_as_lines(tmp_path: Path) -> None:
    assert len(as_json(tmp_path, f"{json.dumps(PAIR)}\n{json.dumps(LABELLED)}\n")) == 2


@pytest.mark.parametrize("text", ['{\n"data": []\n}', '"x"', "[]", "  "])
def test_json_that_is_no_list_of_rows_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        as_json(tmp_path, text)


# ── csv ─────────────────────────────────────────────────────────────────────────────────────────


def as_csv(folder: Path, text: str, name: str = "rows.csv", **options: object) -> list[Record | Reject]:
    path = folder / name
    path.write_bytes(text.encode())
    return read(path, **options)


def test_csv_fields_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    found = as_csv(tmp_path, 'prompt,completion\n"a, ""b""\nc",yes\n\nnext,no\n')
    assert [f.origin.line for f in found] == [2, 5]
    assert isinstance(found[0], Record)
    assert found[0].messages[0].content == 'a, "b"\nc'


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_makes_the_header_make_sense(sign: str, tmp_path: Path) -> None:
    (found,) = as_csv(tmp_path, f"Text{sign} Label\r\nhello{sign}greeting\r\n")
    assert isinstance(found, Record)
    assert found.label == "greeting"


def test_ragged_rows_are_rejected_with_both_counts(tmp_path: Path) -> None:
    short, long, good = as_csv(tmp_path, "text,label\na\na,b,c\na,b\n")
    assert isinstance(short, Reject)
    assert short.reason == "has 1 fields where the header has 2"
    assert isinstance(long, Reject)
    assert isinstance(good, Record)


def test_a_quote_that_never_closes_swallows_no_row_behind_it(tmp_path: Path) -> None:
    found = as_csv(tmp_path, 'text,label\n"open,x\na,b\nc,d\n')
    assert [type(f) for f in found] == [Reject, Record, Record]
    assert isinstance(found[0], Reject)
    assert "never closed" in found[0].reason


def test_a_field_over_the_limit_is_rejected(tmp_path: Path) -> None:
    big = "x" * 300_000
    found = as_csv(tmp_path, f'text,label\n"{big}",b\n"{big}\n{big}",b\na,b\n', max_bytes=400_000)
    assert [type(f) for f in found] == [Record, Reject, Reject, Record]


def test_a_table_without_a_header_says_which_columns_are_known(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        as_csv(tmp_path, "Where is it?,On its way\n")
    assert "prompt, completion" in caught.value.hint


@pytest.mark.parametrize("text", ["text,label,text\na,b,c\n", "text,label\n", "\n\n"])
def test_a_header_with_a_double_column_or_without_rows_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        as_csv(tmp_path, text)


def test_a_messages_column_holds_json(tmp_path: Path) -> None:
    cell = json.dumps(CHAT["messages"]).replace('"', '""')
    good, bad = as_csv(tmp_path, f'id,messages\n1,"{cell}"\n2,[oops\n')
    assert isinstance(good, Record)
    assert good.id == "1"
    assert isinstance(bad, Reject)
    assert "not JSON" in bad.reason


# ── parquet and datasets ────────────────────────────────────────────────────────────────────────


def test_parquet_rows_are_numbered_and_typed(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"prompt": ["a", None, "c"], "completion": ["x", "y", "z"]}), path)
    found = read(path, batch=2)
    assert [(type(f), f.origin.line) for f in found] == [(Record, 1), (Reject, 2), (Record, 3)]


def test_parquet_text_that_is_not_utf_8_is_one_reject(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    words = pa.array([b"a", b"caf\xe9", b"c"]).view(pa.string())
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": words, "label": ["x", "y", "z"]}), path)
    assert [type(f) for f in read(path)] == [Record, Reject, Record]


def test_a_damaged_parquet_file_is_bad_input(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": ["a"] * 99, "label": ["x"] * 99}), path)
    for damaged in (b"PAR1 not really", path.read_bytes()[:-20]):
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match="damaged"):
            read(path)


def test_a_folder_of_datasets_gives_its_rows_and_the_names_of_its_labels(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        text=datasets.Value("string"), label=datasets.ClassLabel(names=["lost", "found"])
    )
    table = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    table.save_to_disk(tmp_path / "one")
    found = read(tmp_path / "one")
    assert [f.label for f in found if isinstance(f, Record)] == ["found", "lost"]
    datasets.DatasetDict(train=table, test=table.select([0])).save_to_disk(tmp_path / "both")
    assert (len(read(tmp_path / "both")), len(read(tmp_path / "both", split="test"))) == (2, 1)
    with pytest.raises(BadInput) as caught:
        read(tmp_path / "both", split="dev")
    assert "train, test" in caught.value.hint


@pytest.mark.parametrize("state", ["{", "[]", '{"_data_files": [{"filename": "../x.arrow"}]}', "{}"])
def test_a_folder_that_lies_about_its_files_is_refused(state: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "state.json").write_text(state)
    with pytest.raises(BadInput):
        read(tmp_path)


def test_arrow_files_streams_and_feather_are_read(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    feather = pytest.importorskip("pyarrow.feather")
    table = pa.table({"prompt": ["a", None, "c"], "completion": ["x", "y", "z"]})
    with pa.OSFile(str(tmp_path / "s.arrow"), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    with pa.OSFile(str(tmp_path / "f.ipc"), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    feather.write_feather(table, tmp_path / "z.feather", compression="zstd")
    for name in ("s.arrow", "f.ipc", "z.feather"):
        found = read(tmp_path / name)
        assert [(type(f), f.origin.line) for f in found] == [(Record, 1), (Reject, 2), (Record, 3)]
    (tmp_path / "s.arrow").write_bytes((tmp_path / "s.arrow").read_bytes()[:100])
    with pytest.raises(BadInput, match="damaged"):
        read(tmp_path / "s.arrow")


# ── more spellings of the shapes ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"conversation": [{"human": "a", "assistant": "b"}]}, ["a", "b"]),
        ({"conversation": [{"system": "s", "input": "a", "output": "b"}]}, ["s", "a", "b"]),
        ({"conversations": ["a", "b"], "id": 3}, ["a", "b"]),
        (
            {"conversations": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
            ["a", "b"],
        ),
        ({"dialogue": [{"speaker": "user", "text": "a"}, {"speaker": "bot", "text": "b"}]}, ["a", "b"]),
        ({"messages": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}, ["a", "b"]),
        ({"system": "s", **CHAT}, ["s", "Hi", "Hello"]),
        (
            {"instruction": "a", "output": "b", "history": [["q", "r"]], "system": "s"},
            ["s", "q", "r", "a", "b"],
        ),
        (
            {"question": "a", "context": "c", "answers": {"text": ["b", "x"], "answer_start": [1, 2]}},
            ["c\n\na", "b"],
        ),
        ({"Question": "a", "Answer": "b"}, ["a", "b"]),
        ({"inputs": "a", "targets": "b"}, ["a", "b"]),
        ({"user": "a", "assistant": "b"}, ["a", "b"]),
        (
            {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"},
            ["a", "b", "c"],
        ),
        ({"prompt": "\n\nHuman: a\n\nAssistant:", "chosen": " b", "rejected": "c"}, ["a", "b", "c"]),
        ({"prompt": "a", "chosen": CHAT["messages"], "rejected": []}, ["Hi", "Hello"]),
        ({"prompt": "a", "chosen": [{"role": "assistant", "content": "b"}], "rejected": []}, ["a", "b"]),
        ({"text": "### Human: a### Assistant: b### Human: c"}, ["a", "b"]),
        (
            {"text": "<s>[INST] <<SYS>>s<</SYS>> a [/INST] b </s><s>[INST] c [/INST] d </s>"},
            ["s", "a", "b", "c", "d"],
        ),
        ({"text": "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>"}, ["a", "b"]),
        (
            {"text": "Below is an instruction …\n\n### Instruction:\na\n\n### Input:\ni\n\n### Response:\nb"},
            ["a\n\ni", "b"],
        ),
        (TREE, ["Open?", "Yes.", "Since?", "May."]),
        ({"prompt": TREE, "message_tree_id": "t"}, ["Open?", "Yes.", "Since?", "May."]),
        ({"text": "Humans: what are they?"}, ["Humans: what are they?"]),
    ],
)
def test_one_shape_has_many_spellings(row: object, said: list[str], tmp_path: Path) -> None:
    found = record(tmp_path, row)
    assert [m.content for m in found.messages] == said
    assert found.turns[-1].role == "assistant"


def test_the_answer_that_was_rejected_stands_at_the_end_in_a_role_of_its_own(tmp_path: Path) -> None:
    found = record(tmp_path, {"prompt": "a", "chosen": "b", "rejected": "never this"})
    assert turns(found) == [("user", "a"), ("assistant", "b"), ("rejected", "never this")]


def test_a_task_with_three_instances_is_three_records_with_ids_of_their_own(tmp_path: Path) -> None:
    many = [{"input": str(n), "output": "b"} for n in range(3)]
    found = read(rows(tmp_path, {"id": "t", "instruction": "a", "instances": [*many, 5]}))
    assert [f.id for f in found if isinstance(f, Record)] == ["t#1", "t#2", "t#3"]
    assert isinstance(found[3], Reject)


def test_messages_one_a_row_become_threads_and_orphans_are_named(tmp_path: Path) -> None:
    def message(name: str, parent: str | None, role: str, tree: str = "1") -> dict[str, object]:
        return {"message_id": name, "parent_id": parent, "role": role, "text": name, "message_tree_id": tree}

    found = read(
        rows(
            tmp_path,
            message("a", None, "prompter"),
            message("c", "b", "prompter"),
            message("b", "a", "assistant"),
            message("d", "c", "assistant"),
            message("x", "gone", "assistant", "2"),
            PAIR,
        )
    )
    first, second, third = found
    assert isinstance(first, Record)
    assert [m.content for m in first.messages] == ["a", "b", "c", "d"]
    assert (first.origin.line, first.id) == (1, "1")
    assert isinstance(second, Reject)
    assert "does not stand near" in second.reason
    assert isinstance(third, Record)
    assert third.origin.line == 6


# ── what a row says of itself ───────────────────────────────────────────────────────────────────


def test_a_row_may_state_when_by_whom_and_until_when(tmp_path: Path) -> None:
    said = {"created_at": "2026-01-02T03:04:05Z", "model": "gpt-x", "lang": "en-GB", "expires": "2027-12-31"}
    assert record(tmp_path, PAIR | said | {"consent": "DPA-7"}).facts == {
        "collected": "2026-01-02",
        "generator": "gpt-x",
        "language": "en",
        "retain_until": "2027-12-31",
        "consent": "DPA-7",
    }


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ({"timestamp": 1767323045}, {"collected": "2026-01-02"}),
        ({"timestamp": 1767323045000}, {"collected": "2026-01-02"}),
        ({"date": "2026-03"}, {"collected": "2026-03"}),
        ({"language": "German"}, {"language": "de"}),
        ({"retain_until": "none"}, {"retain_until": "none"}),
        ({"consent": True}, {"consent": "given"}),
        ({"consent": False}, {"consent": "refused"}),
        ({"created_at": "yesterday", "model": ["x"], "lang": "klingon tongue", "expires": 3}, {}),
        ({"date": "2026-02-31", "timestamp": float("1e300"), "model": "a\nb"}, {}),
        ({"model": None, "lang": ""}, {}),
    ],
)
def test_only_what_makes_sense_is_taken_for_a_fact(
    said: dict[str, object], facts: dict[str, str], tmp_path: Path
) -> None:
    assert record(tmp_path, PAIR | said).facts == facts


def test_a_retention_date_that_cannot_be_read_keeps_the_row_out(tmp_path: Path) -> None:
    assert "retain_until is not a day" in reason(tmp_path, PAIR | {"retain_until": "soon"})


# ── fields ──────────────────────────────────────────────────────────────────────────────────────

TICKET = {
    "TicketId": 17,
    "meta": {"Body": "Where is it?", "by": [{"mail": "ann@example.org"}]},
    "Reply": "On its way.",
    "turns": [{"who": {"side": "Client"}, "says": "Hi"}, {"who": {"side": "Desk"}, "says": "Hello"}],
}


def test_fields_name_the_parts_of_a_row_by_dotted_paths(tmp_path: Path) -> None:
    fields = {"question": "meta.Body", "answer": "Reply", "id": "TicketId", "person": "meta.by.0.mail"}
    (found,) = read(rows(tmp_path, TICKET), fields=fields)
    assert isinstance(found, Record)
    assert turns(found) == [("user", "Where is it?"), ("assistant", "On its way.")]
    assert (found.id, found.subjects, found.shape) == ("17", ("ann@example.org",), "mapped by `fields`")


def test_fields_name_turns_and_what_their_roles_mean(tmp_path: Path) -> None:
    fields = {
        "messages": "turns",
        "role": "who.side",
        "content": "says",
        "roles": {"Client": "user", "Desk": "assistant"},
    }
    (found,) = read(rows(tmp_path, TICKET), fields=fields)
    assert isinstance(found, Record)
    assert turns(found) == [("user", "Hi"), ("assistant", "Hello")]


def test_a_mapped_field_that_is_missing_is_named(tmp_path: Path) -> None:
    (found,) = read(rows(tmp_path, TICKET), fields={"question": "meta.Bodyy", "answer": "Reply"})
    assert isinstance(found, Reject)
    assert found.reason == "has no field 'meta.Bodyy', which fields.question names"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"questin": "a", "answer": "b"}, "no part of a record"),
        ({"question": "a"}, "neither messages"),
        ({"question": "a", "answer": "b", "text": "c"}, "only one"),
        ({"text": ["a"]}, "not the name of a field"),
        ({"messages": "a", "roles": {"x": "wizard"}}, "no role"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(
    fields: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        read(rows(tmp_path, TICKET), fields=fields)
    assert caught.value.hint


def test_columns_of_a_table_are_mapped_as_the_header_writes_them(tmp_path: Path) -> None:
    fields = {"text": "Test Case", "label": "Gold", "language": "L"}
    (found,) = as_csv(tmp_path, "L;Test Case;Gold\nde;Hallo;greeting\n", fields=fields)
    assert isinstance(found, Record)
    assert (found.label, found.facts) == ("greeting", {"language": "de"})
    with pytest.raises(BadInput):
        as_csv(tmp_path, "L,Other\na,b\n", fields=fields)


def test_a_list_in_an_object_is_reached_and_its_pairs_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(
        json.dumps({"test": [["x", "y"]], "n": {"train": [1]}, "train": [["a", "b"], ["c", "d"]]})
    )
    found = read(path, at="train", fields={"text": "0", "label": "1"})
    assert [f.label for f in found if isinstance(f, Record)] == ["b", "d"]
    with pytest.raises(BadInput, match="no list under 'dev'"):
        read(path, at="dev")


# ── compressed files, archives ──────────────────────────────────────────────────────────────────


def packed(name: str, data: bytes) -> bytes:
    import bz2
    import gzip
    import lzma

    if name.endswith(".zst"):
        pa = pytest.importorskip("pyarrow")
        return bytes(pa.compress(data, codec="zstd", asbytes=True))
    return {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}["." + name.rpartition(".")[2]](
        data
    )


@pytest.mark.parametrize("end", [".gz", ".bz2", ".xz", ".zst"])
def test_compressed_files_give_the_rows_of_plain_ones(end: str, tmp_path: Path) -> None:
    line = json.dumps(PAIR)
    texts = {"a.jsonl": f"{line}\n\n{line}\n", "a.json": f"[\n{line},\n{line}]", "a.csv": "text,label\nx,y\n"}
    for name, text in texts.items():
        path = tmp_path / (name + end)
        path.write_bytes(packed(path.name, text.encode()))
        found = read(path)
        (tmp_path / name).write_text(text)
        plain = read(tmp_path / name)
        assert [f.origin.line for f in found] == [f.origin.line for f in plain]
        assert all(isinstance(f, Record) for f in found)
        path.write_bytes(path.read_bytes()[:-12])
        with pytest.raises(BadInput, match="damaged"):
            read(path)


def test_a_compressed_file_without_a_telling_name_is_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "export.gz"
    path.write_bytes(packed("x.gz", json.dumps(PAIR).encode()))
    assert pick(path) == "jsonl"
    (tmp_path / "plain").write_text("[1]")
    assert pick(tmp_path / "plain") == "json"


def archived(folder: Path, **files: bytes) -> Path:
    import zipfile

    path = folder / "rows.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return path


def test_every_member_of_an_archive_is_read_or_named(tmp_path: Path) -> None:
    line = json.dumps(PAIR).encode()
    path = archived(
        tmp_path,
        **{
            "in/a.jsonl": line + b"\n{",
            "in/b.csv.gz": packed("b.gz", b"text,label\nx,y\n"),
            "in/c.xlsx": b"?",
            "__MACOSX/in/._a.jsonl": b"?",
            "../evil.jsonl": line,
            "inner.zip": b"PK\x03\x04",
        },
    )
    found = read(path)
    assert {(f.origin.file, f.origin.line) for f in found if isinstance(f, Record)} == {
        ("data/rows.zip/in/a.jsonl", 1),
        ("data/rows.zip/in/b.csv.gz", 2),
    }
    reasons = {f.origin.file: f.reason for f in found if isinstance(f, Reject)}
    assert "not JSON" in reasons["data/rows.zip/in/a.jsonl"]
    assert "no source reads" in reasons["data/rows.zip/in/c.xlsx"]
    assert "leads out" in reasons["data/rows.zip/…"]
    assert "within an archive" in reasons["data/rows.zip/inner.zip"]
    assert not (tmp_path / "evil.jsonl").exists()


def test_a_zip_bomb_is_stopped_by_what_comes_out_of_it(tmp_path: Path) -> None:
    path = archived(tmp_path, **{"a.jsonl": b"0" * 5_000_000})
    with pytest.raises(BadInput, match="larger than 1,000,000 bytes when unpacked"):
        read(path, max_total=1_000_000)


def test_a_tsv_keeps_quotes_that_quote_nothing(tmp_path: Path) -> None:
    found = as_csv(tmp_path, 'text\tlabel\n"Go" he said\tx\n"open\ty\nlast\tz\n', "rows.tsv")
    assert [f.messages[0].content for f in found if isinstance(f, Record)] == [
        '"Go" he said',
        '"open',
        "last",
    ]


def test_a_json_list_of_two_thousand_rows_needs_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "rows.json"
    path.write_text(json.dumps([PAIR | {"answer": "x" * 3000}] * 2000))
    plugin = sources["json"]
    tracemalloc.start()
    count = sum(1 for _ in plugin(path, source="s", licence="MIT", file="f"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 2000
    assert peak < 2_000_000
