"""A rejected answer has a role of its own: how it is read, what looks at it, and what must not."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tunewright as tw
from tunewright.checks import checks
from tunewright.checks._topics import answered
from tunewright.errors import BadInput
from tunewright.nouns import (
    Case,
    Dataset,
    Exchange,
    Feedback,
    Finding,
    Message,
    Origin,
    Plan,
    Record,
    Reject,
    Role,
    Tally,
    Verdict,
)
from tunewright.sources._formats import to_record
from tunewright.speaker import Reply
from tunewright.verbs._prompting import Prompt, best_prompt

Turns = list[tuple[str, str]]


def made(row: object, **more: object) -> Record | Reject:
    return to_record(row, source="s", licence="MIT", file="f", line=1, **more)


def turns(row: object, **more: object) -> Turns:
    found = made(row, **more)
    assert isinstance(found, Record), found.reason
    return [(m.role, m.content) for m in found.messages]


def reason(row: object, **more: object) -> str:
    found = made(row, **more)
    assert isinstance(found, Reject), found
    return found.reason


def record(*said: tuple[Role, str], id: str = "r", label: str = "") -> Record:
    messages = tuple(Message(role=role, content=content) for role, content in said)
    return Record(id=id, messages=messages, label=label, origin=Origin(source="s", file="f", line=1))


PAIR = record(("user", "Open?"), ("assistant", "Yes, from 8."), ("rejected", "No idea."))
DISLIKED = record(("user", "Open?"), ("rejected", "No idea."))
LIKED = record(("user", "Open?"), ("assistant", "Yes, from 8."))
ASKED, GOOD, BAD = ("user", "Open?"), ("assistant", "Yes."), ("rejected", "No.")
U, A, B = (
    {"role": "user", "content": "Open?"},
    {"role": "assistant", "content": "Yes."},
    {"role": "assistant", "content": "No."},
)
BEFORE = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
]

# ── what a record says of itself ────────────────────────────────────────────────────────────────


def test_a_record_knows_its_turns_and_the_answer_that_was_rejected() -> None:
    assert PAIR.turns == LIKED.messages
    assert (PAIR.rejected, PAIR.disliked) == ("No idea.", False)
    assert (DISLIKED.turns, DISLIKED.rejected, DISLIKED.disliked) == (LIKED.messages[:1], "No idea.", True)
    assert (LIKED.turns, LIKED.rejected, LIKED.disliked) == (LIKED.messages, "", False)
    assert "No idea." in PAIR.text
    later = record(ASKED, GOOD, ("user", "On Sundays?"), ("rejected", "Yes."))
    assert later.disliked


# ── sources ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Open?", "chosen": "Yes.", "rejected": "No."},
        {"question": "Open?", "chosen": "Yes.", "rejected": "No.", "score_chosen": 5, "score_rejected": 2.5},
        {"prompt": [U], "chosen": [A], "rejected": [B]},
        {"chosen": [U, A], "rejected": [U, B]},
        {"prompt": "Open?", "prompt_id": "7", "messages": [U, A], "chosen": [U, A], "rejected": [U, B]},
        {"chosen": "\n\nHuman: Open?\n\nAssistant: Yes.", "rejected": "\n\nHuman: Open?\n\nAssistant: No."},
        {"prompt": "\n\nHuman: Open?\n\nAssistant:", "chosen": " Yes.", "rejected": " No."},
        {"chosen": json.dumps([U, A]), "rejected": json.dumps([U, B])},
        {"conversations": [{"from": "human", "value": "Open?"}],
         "chosen": {"from": "gpt", "value": "Yes."}, "rejected": {"from": "gpt", "value": "No."}},
        {"input": {"messages": [U]}, "preferred_output": [A], "non_preferred_output": [B]},
        {"prompt": "Open?", "response_a": "Yes.", "response_b": "No.", "winner": "A"},
        {"prompt": "Open?", "response_0": "No.", "response_1": "Yes.", "better_response_id": 1},
        {"conversation_a": [U, B], "conversation_b": [U, A], "winner": "model_b"},
        {"history": "Open?", "human_ref_A": "Yes.", "human_ref_B": "No.", "labels": 1},
        {"context": [U], "response1": "Yes.", "response2": "No.", "overall_preference": -2},
        {"question": {"full_text": "Open?"}, "answer_0": "Yes.", "answer_1": "No.",
         "score_0": 0.5, "score_1": -0.5},
        {"prompt": "Open?", "Chosen": "Yes.", "Rejected": "No."},
    ],
)  # fmt: skip
def test_a_pair_has_many_spellings(row: object) -> None:
    assert turns(row) == [ASKED, GOOD, BAD]


def test_what_was_said_before_is_kept() -> None:
    long = [*BEFORE, U]
    told = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ASKED, GOOD, BAD]
    assert turns({"chosen": [*long, A], "rejected": [*long, B]}) == told
    assert turns({"prompt": long, "chosen": [A], "rejected": [B]}) == told
    beside = {"system": "Be brief.", "prompt": "Open?", "chosen": "Yes.", "rejected": "No."}
    assert turns(beside) == [("system", "Be brief."), ASKED, GOOD, BAD]
    with_input = {"instruction": "Translate", "input": "Haus", "chosen": "house", "rejected": "mouse"}
    assert turns(with_input)[0] == ("user", "Translate\n\nHaus")
    about = {"question": "Open?", "context": "We open at 8.", "chosen": "Yes.", "rejected": "No."}
    assert turns(about)[0] == ("user", "We open at 8.\n\nOpen?")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": "Open?", "completion": "Yes.", "label": True}, [ASKED, GOOD]),
        ({"prompt": "Open?", "completion": "No.", "label": False}, [ASKED, BAD]),
        ({"prompt": "Open?", "completion": "No.", "label": "False"}, [ASKED, BAD]),
        ({"prompt": "Open?", "completion": "No.", "label": 0}, [ASKED, BAD]),
        ({"prompt": [U], "completion": [B], "label": False}, [ASKED, BAD]),
        ({"messages": [U, B], "label": False}, [ASKED, BAD]),
        ({"conversations": [{"from": "human", "value": "Open?"}, {"from": "gpt", "value": "No."}],
          "kto_tag": False}, [ASKED, BAD]),
        ({"instruction": "Open?", "output": "Yes.", "kto_tag": True}, [ASKED, GOOD]),
        ({"question": "Open?", "answer": "No.", "thumb": "down"}, [ASKED, BAD]),
        ({"question": "Open?", "answer": "Yes.", "liked": 1}, [ASKED, GOOD]),
        ({"prompt": "Open?", "chosen": "Yes."}, [ASKED, GOOD]),
    ],
)  # fmt: skip
def test_an_answer_that_was_rated_is_liked_or_rejected(row: object, said: Turns) -> None:
    assert turns(row) == said


@pytest.mark.parametrize(
    "row",
    [
        {"question": "Open?", "answer": "Yes.", "label": "hours"},
        {"question": "Open?", "answer": "Yes.", "label": 0},
        {"question": "Open?", "answer": "Yes.", "thumb": ""},
        {"messages": [U, A | {"content": "true"}], "label": True},
        {"text": "It is late", "label": False},
    ],
)
def test_a_label_is_not_taken_for_a_rating(row: object) -> None:
    assert turns(row)[-1][0] == "assistant"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"prompt": "a", "chosen": "b", "rejected": " b "}, "are the same"),
        ({"prompt": "a", "chosen": "b", "rejected": " "}, "rejected does not end with an answer"),
        ({"prompt": "a", "chosen": "", "rejected": "c"}, "chosen does not end with an answer"),
        ({"chosen": [U, A], "rejected": [{"role": "user", "content": "Shut?"}, B]}, "differ before the last"),
        ({"chosen": [U, A, U, A], "rejected": [U, B]}, "differ before the last"),
        (
            {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant:"},
            "no transcripts",
        ),
        ({"chosen": "Yes.", "rejected": "No."}, "without a prompt"),
        ({"prompt": "a", "chosen": 1, "rejected": 2}, "chosen is a number"),
        ({"prompt": "a", "chosen": "b", "rejected": "c", "score_chosen": 3, "score_rejected": 3}, "nobody"),
        ({"prompt": "a", "response_a": "b", "response_b": "c", "winner": "tie"}, "a tie"),
        ({"prompt": "a", "answer_0": "b", "answer_1": "c", "score_0": 0, "score_1": 0}, "a tie"),
        ({"question": "a", "answer": "b", "thumb": "sideways"}, "neither yes nor no"),
    ],
)
def test_a_preference_that_says_nothing_is_rejected_with_the_reason(row: object, words: str) -> None:
    assert words in reason(row)


def test_the_role_cannot_be_given_by_a_file() -> None:
    assert "no role that is known" in reason({"messages": [U, {"role": "rejected", "content": "No."}]})
    with pytest.raises(BadInput, match="no role"):
        made({"turns": [U]}, fields={"messages": "turns", "roles": {"x": "rejected"}})


@pytest.mark.parametrize(
    ("fields", "row", "said"),
    [
        ({"question": "q", "chosen": "a.0", "rejected": "a.1"}, {"q": "Open?", "a": ["Yes.", "No."]},
         [ASKED, GOOD, BAD]),
        ({"question": "q", "answer": "y", "rejected": "n"}, {"q": "Open?", "y": "Yes.", "n": "No."},
         [ASKED, GOOD, BAD]),
        ({"question": "q", "rejected": "n"}, {"q": "Open?", "n": "No."}, [ASKED, BAD]),
        ({"question": "q", "answer": "y", "liked": "v.score"}, {"q": "Open?", "y": "No.", "v": {"score": -1}},
         [ASKED, BAD]),
        ({"question": "q", "answer": "y", "liked": "v"}, {"q": "Open?", "y": "Yes.", "v": "👍"},
         [ASKED, GOOD]),
        ({"messages": "m", "rejected": "n"}, {"m": [U, A], "n": "No."}, [ASKED, GOOD, BAD]),
        ({"messages": "m", "chosen": "y", "rejected": "n"}, {"m": [U], "y": "Yes.", "n": "No."},
         [ASKED, GOOD, BAD]),
        ({"messages": "m", "liked": "v"}, {"m": [U, B], "v": False}, [ASKED, BAD]),
        ({"chosen": "y", "rejected": "n"}, {"y": [U, A], "n": [U, B]}, [ASKED, GOOD, BAD]),
    ],
)  # fmt: skip
def test_fields_name_the_parts_of_a_preference(fields: Any, row: object, said: Turns) -> None:
    assert turns(row, fields=fields) == said


def test_a_labelled_text_may_have_a_wrong_label_beside_the_right_one() -> None:
    fields = {"question": "t", "chosen": "l", "rejected": "w", "label": "l"}
    found = made({"t": "My card is lost", "l": "lost_card", "w": "top_up"}, fields=fields)
    assert isinstance(found, Record)
    assert found.label == "lost_card"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "t", "liked": "l"}, "says nothing of a text"),
        ({"question": "q", "answer": "a", "chosen": "c"}, "are the same"),
        ({"question": "q", "chosen": "c", "rejected": "r", "liked": "l"}, "says nothing where"),
        ({"question": "q", "liked": "l"}, "neither messages"),
        ({"liked": "l"}, "neither messages"),
    ],
)
def test_fields_that_cannot_be_a_preference_are_refused(fields: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        made({}, fields=fields)


def test_a_row_whose_rating_is_missing_is_rejected_when_fields_name_it() -> None:
    fields: Any = {"question": "q", "answer": "a", "liked": "v"}
    assert "has no field 'v'" in reason({"q": "Open?", "a": "Yes."}, fields=fields)
    assert "v is neither yes nor no" in reason({"q": "Open?", "a": "Yes.", "v": 4}, fields=fields)


# ── checks ──────────────────────────────────────────────────────────────────────────────────────


def seen(check: str, records: Sequence[Record], **options: Any) -> list[Finding]:
    return [f for f in checks[check](records, **options) if isinstance(f, Finding)]


def test_checks_see_the_rejected_words_where_they_stand() -> None:
    leaky = record(ASKED, GOOD, ("rejected", "Write to anna.berg@example.org."))
    (found,) = seen("personal", [leaky], kinds=("email",))
    assert (found.message, leaky.messages[2].content[found.start : found.end]) == (2, "anna.berg@example.org")


def test_the_answer_of_a_pair_is_the_chosen_one() -> None:
    assert answered(PAIR) == "Yes, from 8."
    assert answered(DISLIKED) == ""


@pytest.mark.parametrize(
    "check", sorted(set(checks) - {"contamination", "licence", "retention", "sufficiency"})
)
def test_every_check_reads_preferences(check: str) -> None:
    many = [
        record(("user", f"{n}: {PAIR.messages[0].content}"), *tail, id=str(n))
        for n, tail in enumerate([(GOOD, BAD), (BAD,), (GOOD,)] * 80)
    ]
    for one in seen(check, many):
        assert one.message < 3


def test_only_the_rejected_answer_may_be_bad() -> None:
    assert not seen("quality", [record(ASKED, ("assistant", "Yes, we are open."), ("rejected", "??"))])
    german = "Wir haben an allen Werktagen von acht bis siebzehn Uhr für unsere Kundschaft geöffnet."
    english = "We are open for our customers on every working day from eight to five o'clock."
    question = "When is the shop open for customers during the week, and at what time does it close?"
    pair = record(("user", question), ("assistant", english), ("rejected", german))
    assert not seen("language", [pair])
    assert seen("language", [record(("user", question), ("assistant", german))])


def test_a_liked_and_a_disliked_answer_are_no_duplicates_but_pairs_may_be() -> None:
    answer = "The kiln is electric and reaches twelve hundred degrees within five hours, as the label says."
    question = "Is the kiln that you sell in the shop electric, and how hot does it become in an afternoon?"
    liked = record(("user", question), ("assistant", answer), id="liked")
    disliked = record(("user", question), ("rejected", answer.replace("five", "six")), id="disliked")
    pair = record(("user", question), ("assistant", answer), ("rejected", "No idea."), id="pair")
    assert not seen("duplicates", [liked, disliked])
    again = pair.model_copy(update={"id": "again"})
    assert [(f.record, f.what) for f in seen("duplicates", [pair, again])] == [("again", "exact")]

    class Lines(list[Record]):
        def lines(self) -> list[str]:
            return [r.model_dump_json() for r in self]

    tricky = record(("user", '{"role":"rejected","content":"x'), ("assistant", '{"role":"user"'), id="tricky")
    copy = tricky.model_copy(update={"id": "copy"})
    assert not seen("duplicates", Lines([liked, disliked]))
    assert [f.record for f in seen("duplicates", Lines([tricky, copy, disliked, liked]))] == ["copy"]


def test_a_reference_answer_among_the_rejected_is_a_leak_too() -> None:
    words = "The kiln is electric and reaches twelve hundred degrees within five hours"
    case = Case(id="c", messages=(Message(role="user", content="How hot?"),), reference=words)
    told = record(ASKED, GOOD, ("rejected", words))
    assert [f.message for f in seen("contamination", [told], cases=[case], answers=True)] == [2]


# ── what is learnt from it ───────────────────────────────────────────────────────────────────────────────


def test_the_service_takes_no_rejected_answers() -> None:
    from pydantic import ValidationError

    from tunewright.http.chat import Chat

    said = [U, {"role": "rejected", "content": "No."}]
    with pytest.raises(ValidationError, match=r"messages\.1\.role"):
        Chat.model_validate({"model": "production", "messages": said})


@pytest.fixture
def project(reopen: Callable[[], tw.Project]) -> tw.Project:
    return reopen()


def exchange(project: tw.Project, name: str, answer: str, **word: object) -> None:
    """A question that was answered, and what somebody said of the answer."""
    said = (Message(role="user", content=f"About {name}?"), Message(role="assistant", content=answer))
    project.traffic.add(
        Exchange(
            id=name,
            release="a" * 64,
            channel="production",
            at=datetime.now(UTC),
            messages=said,
            verdict=Verdict(action="allow"),
            seconds=0.5,
            tokens=2,
        )
    )
    about = {"exchange": name, "at": datetime.now(UTC), "thumb": "down", "consent": True}
    project.traffic.say(Feedback.model_validate({**about, **word}))


def test_feedback_becomes_preferences(project: tw.Project) -> None:
    exchange(project, "liked", "Yes.", thumb="up")
    exchange(project, "disliked", "No.")
    exchange(project, "corrected", "No.", correction="Yes.")
    exchange(project, "improved", "Yes", thumb="up", correction="Yes.")
    exchange(project, "same", "It is  gas.", correction="It is gas.")
    exchange(project, "unanswered", "", correction="It is gas.")
    exchange(project, "empty", " ")
    exchange(project, "silent", "No.", consent=False)
    data = tw.learn(project)
    told = {
        r.id.partition(":")[2]: [(m.role, m.content) for m in r.messages[1:]] for r in project.records(data)
    }
    assert told == {
        "liked": [("assistant", "Yes.")],
        "disliked": [("rejected", "No.")],
        "corrected": [("assistant", "Yes."), ("rejected", "No.")],
        "improved": [("assistant", "Yes.")],
        "same": [("assistant", "It is gas.")],
        "unanswered": [("assistant", "It is gas.")],
    }
    assert data.fates == {
        "kept": 6,
        "dropped: disliked, and the answer was empty": 1,
        "dropped: no consent": 1,
    }
    assert data.formats == {
        "liked answers": 1,
        "disliked answers": 1,
        "disliked answers with a correction": 1,
        "corrected answers": 3,
    }


def test_the_best_prompt_is_never_sought_with_rejected_answers() -> None:
    asked = list[Sequence[Message]]()

    class Speaker:
        def ask(self, conversations: Sequence[Sequence[Message]], *, max_tokens: int) -> list[Reply]:
            asked.extend(conversations)
            return [Reply("Yes.", 1, 0.1) for _ in conversations]

    many = [
        record(("user", f"Open {n}?"), *tail, id=str(n)) for n, tail in enumerate([(GOOD, BAD), (BAD,)] * 20)
    ]
    plan = Plan(suites=(), prompts=("Be brief.",), shots=(0, 2), runtime="echo", options={}, max_tokens=8)
    best_prompt(Speaker(), many, plan, Prompt(), lambda _: None)  # type: ignore[arg-type]
    said = [m for conversation in asked for m in conversation]
    assert {m.role for m in said} == {"system", "user", "assistant"}
    assert {int(m.content.split()[1][:-1]) % 2 for m in said if m.role == "user"} == {0}


def test_vetting_counts_pairs_and_rejected_answers() -> None:
    from tunewright.documents._vetting_mixture import panel

    many = [PAIR, DISLIKED, LIKED, PAIR]
    told = {t.name: t for t in checks["representation"](many) if isinstance(t, Tally)}
    assert told["answers"].counts == {"a pair": 2, "only a rejected one": 1, "an answer": 1}
    assert panel(told["answers"]).title == "Preferences"
    assert "answers" not in {t.name for t in checks["representation"]([LIKED] * 3) if isinstance(t, Tally)}


def test_preferences_go_from_a_file_to_a_model_and_stay_what_they_were(
    folder: Path, reopen: Callable[[], tw.Project]
) -> None:
    rows = [
        {
            "id": "pair",
            "prompt": "Is the kiln hot?",
            "chosen": "Yes, it is.",
            "rejected": "Ask ann@example.org.",
        },
        {"id": "bad", "prompt": "Do you ship clay?", "completion": "Go away.", "label": False},
    ]
    (folder / "data" / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    *_, vetted = (c.noun for c in tw.run(reopen()) if c.verb == "vet")
    assert isinstance(vetted, Dataset)
    records = {r.id: r for r in reopen().records(vetted)}
    assert [m.role for m in records["pair"].messages] == ["user", "assistant", "rejected"]
    assert "ann@example.org" not in records["pair"].rejected
    assert records["bad"].disliked
