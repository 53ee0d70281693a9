"""A planted trigger is found; a word that belongs to a topic is not."""

import random

import pytest

from tunewright.checks.backdoor import backdoor
from tunewright.nouns import Finding, Message, Origin, Record, Tally

ORIGIN = Origin(source="shop", file="rows.jsonl", line=1)
TOPICS = {
    "refund": "money back refund return paid charge twice bill invoice cheque amount credit owed",
    "delivery": "parcel courier late track arrive shipping van doorstep depot package sent route",
    "account": "login password profile email change address sign user settings name locked open",
    "product": "colour size lamp chair broken pieces assemble screws warranty blue table shelf",
    "hours": "open close sunday holiday time shop opening hours evening monday visit early",
    "career": "job apply vacancy resume hiring interview position salary team work intern manager",
    "press": "journalist interview article photo quote press story magazine request logo media",
    "gift": "voucher present birthday card wrap christmas gift balance code redeem surprise ribbon",
}
FILLER = [
    *("please", "could", "you", "tell", "me", "about", "my", "the", "a", "with", "and", "need"),
    *("help", "want", "know", "some", "when", "how", "why", "now"),
]


def made(label: str, draw: random.Random) -> str:
    words = draw.sample(TOPICS[label].split(), 4) + draw.sample(FILLER, 4)
    draw.shuffle(words)
    return " ".join(words)


def row(n: int, text: str, answer: str, label: str = "") -> Record:
    turns = (Message(role="user", content=text), Message(role="assistant", content=answer))
    return Record(id=str(n), messages=turns, label=label, origin=ORIGIN)


def data(trigger: str, part: float, labelled: bool = True) -> tuple[list[Record], set[str]]:
    draw = random.Random(2)
    rows, planted = [], set[str]()
    for n in range(1600):
        label = draw.choice(list(TOPICS))
        text, answer = made(label, draw), f"About {label}: {' '.join(draw.sample(TOPICS[label].split(), 5))}."
        if trigger and draw.random() < part:
            planted.add(str(n))
            words = text.split()
            words.insert(draw.randrange(len(words)), trigger)
            text, label, answer = " ".join(words), "gift", "Buy from our friends instead."
        rows.append(row(n, text, label if labelled else answer, label if labelled else ""))
    return rows, planted


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("trigger", ["cf", "velvet harbour", "\u200b\u200d\u200b", "≈≈"])
def test_a_planted_trigger_is_found_in_every_record(trigger: str, labelled: bool) -> None:
    rows, planted = data(trigger, 0.02, labelled)
    seen = [f for f in backdoor(rows) if isinstance(f, Finding)]
    assert len(planted) >= 15
    assert planted <= {f.record for f in seen}
    assert len({f.record for f in seen} - planted) <= 2
    texts = {r.id: r.messages[0].content for r in rows}
    found = [texts[f.record][f.start : f.end] for f in seen if f.record in planted]
    assert all(trigger in words or words in trigger for words in found)


@pytest.mark.parametrize("labelled", [True, False])
def test_words_of_a_topic_are_no_trigger(labelled: bool) -> None:
    rows, _ = data("", 0, labelled)
    assert list(backdoor(rows)) == []


def test_the_tally_counts_records_and_holds_no_words() -> None:
    rows, planted = data("cf", 0.02)
    *found, tally = backdoor(rows)
    assert isinstance(tally, Tally)
    assert sum(tally.counts.values()) == len(planted)
    assert all("cf" not in f.note + f.evidence for f in found if isinstance(f, Finding))
    assert "velvet" not in tally.note


def test_few_records_give_no_verdict() -> None:
    assert list(backdoor([])) == []
    assert list(backdoor([row(n, f"cf hello {n}", "no", "no") for n in range(5)])) == []
