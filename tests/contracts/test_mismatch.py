"""Answers that were shuffled are found under the wrong question, at the rate of alarms that was asked for."""

import random

from tunewright.checks.mismatch import mismatch
from tunewright.nouns import Finding, Measure, Message, Origin, Record, Tally

TOPICS = (
    "parcel",
    "refund",
    "password",
    "invoice",
    "coupon",
    "address",
    "garden pots",
    "winter sale",
    "gift card",
)
TOPICS += (
    "express shipping",
    "broken glaze",
    "newsletter",
    "job offer",
    "workshop",
    "kiln",
    "clay",
    "return label",
)
PLACES = (
    "Norway",
    "Belgium",
    "Spain",
    "the island",
    "Munich",
    "Leeds",
    "my office",
    "the old town",
    "a farm",
)
DEEDS = (
    "ordered",
    "lost",
    "cancelled",
    "changed",
    "received",
    "expected",
    "paid for",
    "asked about",
    "complained of",
)


def talk(n: int, question: str, answer: str) -> Record:
    messages = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Record(id=f"r{n}", messages=messages, origin=Origin(source="s", file="f", line=n + 1))


def made(count: int = 500) -> list[Record]:
    dice = random.Random(3)
    rows = list[Record]()
    for n in range(count):
        topic, place, deed = dice.choice(TOPICS), dice.choice(PLACES), dice.choice(DEEDS)
        rows.append(
            talk(
                n,
                f"I {deed} the {topic} {dice.randint(1, 30)} days ago in {place}. What can I do about it?",
                f"Thank you for writing. For the {topic} there is a form on our page; in {place} it takes "
                f"{dice.randint(2, 9)} days until what you {deed} is settled.",
            )
        )
    return rows


def shuffled(rows: list[Record], count: int) -> tuple[list[Record], set[str]]:
    rows, places = list(rows), random.Random(8).sample(range(len(rows)), count)
    answers = [rows[n].messages[1].content for n in places]
    for n, answer in zip(places, answers[1:] + answers[:1], strict=True):
        rows[n] = talk(n, rows[n].messages[0].content, answer)
    return rows, {rows[n].id for n in places}


def test_shuffled_answers_are_found_and_few_others() -> None:
    rows, wrong = shuffled(made(), 15)
    found = {f.record for f in mismatch(rows) if isinstance(f, Finding)}
    assert len(found & wrong) >= 12
    assert len(found - wrong) <= 10


def test_the_reach_is_measured_and_findings_name_the_answer() -> None:
    rows, _ = shuffled(made(), 15)
    seen = list(mismatch(rows))
    measures = {m.name: m for m in seen if isinstance(m, Measure)}
    assert measures["mismatch.reach"].value > 0.7
    assert measures["mismatch.suspected"].n == len(rows)
    assert all((f.what, f.message) == ("answer", 1) for f in seen if isinstance(f, Finding))


def test_pairs_beyond_the_sample_are_judged_too() -> None:
    rows, wrong = shuffled(made(700), 20)
    found = {f.record for f in mismatch(rows, most=400) if isinstance(f, Finding)}
    assert len(found & wrong) >= 14
    assert len(found - wrong) <= 16


def test_nothing_is_said_of_few_pairs_or_of_answers_without_signal() -> None:
    (few,) = mismatch(made(50))
    assert isinstance(few, Tally)
    dice = random.Random(2)
    noise = [
        talk(n, r.messages[0].content, dice.choice(("Yes.", "No.", "Perhaps.")))
        for n, r in enumerate(made(300))
    ]
    (said,) = mismatch(noise)
    assert isinstance(said, Tally)
    assert said.note.startswith("nothing is said")


def test_labelled_texts_and_open_questions_are_no_pairs() -> None:
    rows = [r.model_copy(update={"label": "x"}) for r in made(300)]
    assert list(mismatch(rows)) == []
    assert list(mismatch([r.model_copy(update={"messages": r.messages[:1]}) for r in made(300)])) == []


def test_a_generator_will_do_and_the_findings_stay_the_same() -> None:
    rows, _ = shuffled(made(), 15)
    assert list(mismatch(rows)) == list(mismatch(r for r in rows))  # type: ignore[arg-type]
