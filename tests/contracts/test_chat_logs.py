"""Exports of chats become conversations that somebody begins and the assistant ends."""

import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources import pick, sources


def read(path: Path, counts: Counter[str] | None = None, **options: object) -> list[Record | Reject]:
    about = {"source": "desk", "licence": "NOASSERTION", "file": f"data/{path.name}", "counts": counts}
    return list(sources[pick(path)](path, **about, **options))


def turns(found: Record | Reject) -> list[tuple[str, str]]:
    assert isinstance(found, Record), found
    return [(m.role, m.content) for m in found.messages]


# ── ChatGPT ─────────────────────────────────────────────────────────────────────────────────────


def node(name: str, parent: str | None, role: str, text: str, **more: object) -> dict[str, object]:
    message = {
        "id": name,
        "author": {"role": role},
        "content": {"content_type": "text", "parts": [text]},
        "recipient": "all",
        "metadata": {"model_slug": "gpt-x"} if role == "assistant" else {},
        **more,
    }
    return {"id": name, "message": message, "parent": parent, "children": []}


def exported(folder: Path, *conversations: dict[str, object]) -> Path:
    path = folder / "conversations.json"
    path.write_text(json.dumps(list(conversations)))
    return path


def talk(*nodes: dict[str, object], at: str, **more: object) -> dict[str, object]:
    mapping = {"root": {"id": "root", "message": None, "parent": None, "children": []}}
    return {
        "title": "t",
        "create_time": 1767323045.5,
        "mapping": mapping | {str(one["id"]): one for one in nodes},
        "current_node": at,
        "id": "c1",
        **more,
    }


def test_the_branch_that_was_last_looked_at_is_taken(tmp_path: Path) -> None:
    hidden = {"is_visually_hidden_from_conversation": True}
    counts: Counter[str] = Counter()
    (found,) = read(
        exported(
            tmp_path,
            talk(
                node("s", "root", "system", "hidden words", metadata=hidden),
                node("q", "s", "user", "Open?"),
                node("old", "q", "assistant", "No."),
                node("think", "q", "assistant", "hm", content={"content_type": "thoughts", "thoughts": []}),
                node("call", "think", "assistant", "search()", recipient="browser"),
                node("tool", "call", "tool", "found"),
                node("new", "tool", "assistant", "Yes."),
                node("more", "new", "assistant", "From 9."),
                node("q2", "more", "user", "unanswered"),
                at="q2",
            ),
        ),
        counts,
    )
    assert turns(found) == [("user", "Open?"), ("assistant", "Yes.\n\nFrom 9.")]
    assert isinstance(found, Record)
    assert (found.id, found.facts) == ("c1", {"generator": "gpt-x", "collected": "2026-01-02"})
    assert counts == {"ChatGPT conversations": 1}


def test_conversations_without_an_answer_or_with_a_broken_tree_are_named(tmp_path: Path) -> None:
    loop = talk(node("a", "b", "user", "x"), node("b", "a", "user", "y"), at="a")
    found = read(
        exported(
            tmp_path,
            talk(node("q", "root", "user", "Open?"), at="q"),
            loop,
            {"mapping": 5},
            talk(node("q", "root", "user", "Open?"), node("a", "q", "assistant", "Yes"), at="gone", id=None),
        )
    )
    assert [type(f) for f in found] == [Reject, Reject, Reject, Reject] or isinstance(found[3], Record)
    assert len(found) == 4
    assert all(f.origin.line == 1 for f in found)


def test_the_folder_and_the_zip_of_the_export_are_read_without_their_web_page(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    path = exported(
        tmp_path / "export",
        talk(node("q", "root", "user", "Open?"), node("a", "q", "assistant", "Yes."), at="a"),
    )
    (tmp_path / "export" / "chat.html").write_text("<html><body><p>All of it again.</p></body></html>")
    assert pick(path) == pick(path.parent) == "chatgpt_export"
    assert len(read(path.parent)) == 1
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as out:
        for one in path.parent.iterdir():
            out.write(one, one.name)
    (found,) = read(tmp_path / "e.zip")
    assert turns(found)[-1] == ("assistant", "Yes.")


# ── tables ──────────────────────────────────────────────────────────────────────────────────────


def table(folder: Path, text: str, name: str = "tickets.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


TICKETS = """Ticket ID,Author Type,Author,Body,Created At
7,agent,Bob,"Hello, I am Bob",2026-01-01T09:00:00Z
7,end-user,Ann,Where is it?,2026-01-01T09:05:00Z
8,end-user,Eve,Nobody answers,2026-01-02T09:00:00Z
7,agent,Bob,On its way.,2026-01-01T09:07:00Z
7,end-user,Ann,I wait since Monday.,2026-01-01T09:06:00Z
7,end-user,Ann,Thanks!,2026-01-01T09:09:00Z
7,system,bot,Ticket was closed,2026-01-01T09:10:00Z
9,agent,Bob,We have a sale,2026-01-03T09:00:00Z
,agent,Bob,lost,2026-01-03T09:00:00Z
"""


def test_a_help_desks_table_becomes_threads_in_order_of_time(tmp_path: Path) -> None:
    path = table(tmp_path, TICKETS)
    assert pick(path) == "thread_csv"
    refused, found, eve, sale = read(path, customer="Author")
    assert turns(found) == [("user", "Where is it?\nI wait since Monday."), ("assistant", "On its way.")]
    assert isinstance(found, Record)
    assert (found.id, found.origin.line, found.facts) == ("7", 2, {"collected": "2026-01-01"})
    assert found.subjects == ("Ann",)
    assert isinstance(refused, Reject)
    assert refused.reason == "has nothing in the column 'Ticket ID'"
    assert isinstance(eve, Reject)
    assert eve.reason == "nobody answers in this thread"
    assert isinstance(sale, Reject)
    assert sale.reason == "nobody asks anything in this thread"


def test_where_authors_are_names_whoever_begins_is_the_customer(tmp_path: Path) -> None:
    said = [("ann", "Where?"), ("bob", "There."), ("ann", "Ah."), ("cy", "Yes.")]
    lines = [f"1.0\t{who}\t{words}\t{at}.0" for at, (who, words) in enumerate(said)]
    text = "\n".join(["thread_ts\tuser\ttext\tts", *lines])
    (found,) = read(table(tmp_path, text, "slack.tsv"))
    assert turns(found) == [
        ("user", "Where?"),
        ("assistant", "There."),
        ("user", "Ah."),
        ("assistant", "Yes."),
    ]
    assert isinstance(found, Record)
    assert found.subjects == ("ann",)


def test_agents_and_columns_can_be_named(tmp_path: Path) -> None:
    path = table(tmp_path, "fall,wer,was,nr\n1,Kim,Hallo?,2\n1,Lea,Ja?,3\n1,Lea,Guten Tag,1\n")
    about = {"source": "s", "licence": "MIT", "file": "f"}
    names = {"thread": "fall", "author": "wer", "text": "was", "time": "nr", "agents": ("Lea",)}
    (found,) = sources["thread_csv"](path, **about, **names)
    assert turns(found) == [("user", "Hallo?"), ("assistant", "Ja?")]
    with pytest.raises(BadInput):
        list(sources["thread_csv"](path, **about))


def test_a_table_of_whole_rows_stays_one(tmp_path: Path) -> None:
    assert pick(table(tmp_path, "conversation_id,user,text,label\n1,a,b,c\n")) == "csv"
    assert pick(table(tmp_path, "prompt,completion\na,b\n")) == "csv"


# ── Slack ───────────────────────────────────────────────────────────────────────────────────────


def test_slack_threads_become_conversations_without_names(tmp_path: Path) -> None:
    (tmp_path / "help").mkdir()
    (tmp_path / "users.json").write_text(
        json.dumps([{"id": "U1", "name": "ann"}, {"id": "U2", "name": "bob"}])
    )
    (tmp_path / "channels.json").write_text(json.dumps([{"name": "help"}]))
    first = [
        {"ts": "1767323045.1", "thread_ts": "1767323045.1", "user": "U1", "text": "How do I &lt;reset&gt;?"},
        {"ts": "1767323050.1", "user": "U2", "text": "unrelated"},
        {
            "ts": "1767323060.1",
            "thread_ts": "1767323045.1",
            "user": "U2",
            "text": "<@U1> see <https://x.example|here>",
        },
    ]
    later = [
        {"ts": "1767409445.1", "thread_ts": "1767323045.1", "user": "U1", "text": "Thanks"},
        {"ts": "1767409450.1", "thread_ts": "1767409450.1", "user": "U1", "text": "Anyone?"},
        5,
    ]
    (tmp_path / "help" / "2026-01-02.json").write_text(json.dumps(first))
    (tmp_path / "help" / "2026-01-03.json").write_text(json.dumps(later))
    assert pick(tmp_path) == "slack_export"
    broken, found, alone = read(tmp_path)
    assert turns(found) == [("user", "How do I <reset>?"), ("assistant", "@someone see here")]
    assert isinstance(found, Record)
    assert found.subjects == ("U1", "ann")
    assert found.origin.file.endswith("help/2026-01-02.json")
    assert isinstance(broken, Reject)
    assert isinstance(alone, Reject)
    assert alone.reason == "nobody answers in this thread"
    _, other, _ = read(tmp_path, agents=("ann",))
    assert turns(other) == [("user", "@someone see here"), ("assistant", "Thanks")]
    assert isinstance(other, Record)
    assert other.subjects == ("U2", "bob")
