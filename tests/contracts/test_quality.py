"""Answers not worth learning from are noticed; ordinary ones, odd as they may be, are left alone."""

import time

import pytest

from tunewright.checks.quality import quality
from tunewright.nouns import Message, Origin, Record, Role

ORIGIN = Origin(source="shop", file="rows.jsonl", line=1)
ASK = "Where is my parcel?"
PROSE = (
    "Your parcel left our store on Monday. It usually takes two days. We will write to you when it arrives."
)


def talk(*turns: tuple[Role, str], label: str = "") -> Record:
    messages = tuple(Message(role=role, content=content) for role, content in turns)
    return Record(id="r", messages=messages, label=label, origin=ORIGIN)


def kinds(answer: str, question: str = ASK, **options: int) -> set[str]:
    return {f.what for f in quality([talk(("user", question), ("assistant", answer))], **options)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (" \n ", "empty"),
        (ASK.upper(), "echo"),
        ("nan", "placeholder"),
        ("N/A", "placeholder"),
        ("TODO: write this answer", "placeholder"),
        ("Dear {name}, your parcel is on its way.", "placeholder"),
        ("Your order {{Order Number}} has left our store.", "placeholder"),
        ("Please call us at [INSERT PHONE NUMBER].", "placeholder"),
        ("Hello [customer name], it is on its way.", "placeholder"),
        ("Your code is ${user.code}, keep it.", "placeholder"),
        ("As an AI language model, I have no parcels.", "boilerplate"),
        ("Lorem ipsum dolor sit amet, consectetur adipiscing elit.", "boilerplate"),
        ("Als KI-Sprachmodell habe ich keine Meinung dazu.", "boilerplate"),
        ("I'm sorry, but I can't assist with that request.", "refusal"),
        ("I cannot fulfill your request.", "refusal"),
        ("Unfortunately I am unable to help you with this.", "refusal"),
        ("Ich kann Ihnen dabei leider nicht helfen.", "refusal"),
        ("The cafÃ© doesnâ€™t open before nine.", "encoding"),
        ("It wasn\ufffdt there.", "encoding"),
        ("I don?t know, it?s late.", "encoding"),
        ("Tom &amp; Jerry&nbsp;are here.", "markup"),
        ("<p>It left.</p><p>It will arrive.</p>", "markup"),
        ("It left.\\nIt will arrive.\\nBye.", "markup"),
        ("sdkjfh wqrtz lkjsdfh xcvmn qwrtp sdlkfj", "garbled"),
        ("Y0ur p@rce1 1eft 0ur st0re 0n M0nday and it wi11 be w1th y0u in tw0 d@ys", "garbled"),
        ("Y o u r p a r c e l l e f t o u r s t o r e", "garbled"),
        ("#$%^&*()!@#$%^&*()_+|<>?:;=-", "symbols"),
        ("It left. " + "We are sorry for the delay, it will come. " * 6, "repetition"),
        ("亲爱的客户，您的包裹已经发出。" * 20, "repetition"),
        (PROSE + " Should it not be there on Thursday, please write to us again, and we,", "truncated"),
        (PROSE + " If it is not there by Thursday evening please write to us and", "truncated"),
        ("Try this:\n```python\nprint('hello')", "truncated"),
        ("Please do this:\n1. Open the box\n2. Look inside\n3.", "truncated"),
        ('{"answer": "yes", "reasons": ["late", "lo', "truncated"),
    ],
)
def test_a_planted_defect_is_found_and_nothing_else(answer: str, what: str) -> None:
    assert kinds(answer) == {what}


@pytest.mark.parametrize(
    "answer",
    [
        "Yes",
        "42",
        "#### 72",
        PROSE,
        "I'm sorry that it is late. I can't see why, but a colleague will look into it.",
        "We cannot help it when the post is slow, but you can have your money back.",
        "I don't know if I can't help you with your parcel, ask the post office.",
        "She sold 48/2 = <<48/2=24>>24 clips in May.\n#### 24",
        "```python\nfor x in {name}:\n    print(x)\n```",
        "Use `{name}` in the template of your HTML page, such as <p>{name}</p><p>{mail}</p>.",
        "\\frac{a}{b} + \\sqrt{c}",
        "Größe, Straße, übermäßig, Angstschweiß, Herbststurm – das schöne Münchner Café.",
        "Ça va très bien, merci ! L'été à la plage, « c'est la vie ».",
        "ÀÉÎÕÜ ist groß geschrieben; “quoted” – and — dashes… and €20 or £5.",
        "1. Open the box\n2. Take the label out\n3. Send it back",
        "A. Introduction\nB. Overview of the use of time. It matters. And more\nC. The end of the novel",
        "Row, row, row your boat, gently down the stream. Merrily, merrily, life is but a dream.",
        "https://example.org/a/very/long/path?with=query&and=more " * 2,
        "ご注文の商品は月曜日に発送されました。到着まで二日ほどかかります。",
        "See [our help](https://example.org) or [your name](x).",
        "👍👍🎉",
        '{"answer": "yes", "list": [1, 2]}',
    ],
)
def test_an_ordinary_answer_is_left_alone(answer: str) -> None:
    assert kinds(answer) == set()


def test_a_form_that_was_asked_for_may_have_blanks() -> None:
    answer = "Dear [Name],\nI hereby cancel my contract.\n[Your Name]"
    assert kinds(answer, "Write a template of a letter that cancels a contract") == set()
    assert kinds(answer, "How do I cancel?") == {"placeholder"}


def test_a_label_is_not_judged_as_an_answer_but_its_text_is() -> None:
    assert not list(quality([talk(("user", "refund"), ("assistant", "refund"), label="refund")]))
    assert not list(quality([talk(("user", "no value here"), ("assistant", "nan"), label="nan")]))
    bad = talk(("user", "The cafÃ© doesnâ€™t open"), ("assistant", "hours"), label="hours")
    assert [(f.what, f.message) for f in quality([bad])] == [("encoding", 0)]


def test_every_answer_of_a_conversation_is_looked_at() -> None:
    long = talk(("user", ASK), ("assistant", ""), ("user", "And now?"), ("assistant", "On its way."))
    assert [(f.what, f.message) for f in quality([long])] == [("empty", 1)]


@pytest.mark.parametrize(
    ("turns", "at"),
    [
        ((("user", "a"), ("user", "b"), ("assistant", "c")), 1),
        ((("user", "a"), ("assistant", "b"), ("assistant", "c")), 2),
        ((("user", "a"), ("system", "be kind"), ("assistant", "c")), 1),
        ((("system", "be kind"), ("assistant", "c")), 0),
    ],
)
def test_turns_in_an_order_that_cannot_be_trained_on_are_found(
    turns: tuple[tuple[Role, str], ...], at: int
) -> None:
    assert [(f.what, f.message) for f in quality([talk(*turns)])] == [("turns", at)]


def test_tools_and_system_prompts_in_their_place_are_fine() -> None:
    turns: tuple[tuple[Role, str], ...] = (
        ("system", "You are kind."),
        ("user", ASK),
        ("assistant", "I will look."),
        ("tool", '{"status": "sent"}'),
        ("assistant", "It was sent on Monday."),
    )
    assert not list(quality([talk(*turns)]))


def test_length_is_judged_by_thresholds() -> None:
    assert kinds("No.", shortest=5) == {"short"}
    assert kinds(PROSE, longest=50) == {"long"}


def test_no_finding_holds_what_was_found() -> None:
    for found in quality([talk(("user", ASK), ("assistant", "Dear {secretname}, Lorem ipsum and so on"))]):
        assert "secretname" not in found.model_dump_json()


@pytest.mark.parametrize(
    "piece",
    [
        "Ã©",
        "{",
        "[your ",
        "a?t ",
        "&",
        "<p",
        "a1",
        "\\n",
        "i can't ",
        "- ",
        "```\n",
        '{"',
        "\\u00",
        "x\n",
        "a ",
    ],
)
def test_no_text_makes_it_slow(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    start = time.process_time()
    list(quality([talk(("user", text), ("assistant", text))]))
    assert time.process_time() - start < 1.5


def test_it_reads_ten_thousand_ordinary_rows_in_seconds() -> None:
    rows = [talk(("user", f"{ASK} It is number {n}."), ("assistant", PROSE * 4)) for n in range(2000)]
    start = time.process_time()
    list(quality(rows))
    assert time.process_time() - start < 2
