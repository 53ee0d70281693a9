"""Wrong labels are found by what the other texts say, and nothing is claimed where words do not tell."""

import random

from tunewright.checks.label_noise import label_noise
from tunewright.nouns import Finding, Measure, Message, Origin, Record, Tally

THINGS = {
    "refund": ("money back", "refund", "reimburse me", "return the payment", "get the sum back"),
    "delivery": ("parcel", "delivery", "shipping", "package on its way", "courier"),
    "password": ("password", "log in", "sign in", "reset my access", "account locked"),
    "invoice": ("invoice", "bill", "receipt", "tax document", "billing paper"),
    "opening": ("opening hours", "open on Sunday", "closing time", "when are you open", "shop hours"),
}
FRAMES = (
    "I want to ask about {}",
    "please help with {}",
    "problem: {} since {}",
    "hello, {} for order {}",
    "{} ?",
)
FRAMES += (
    "can somebody explain {} to me",
    "what about {} number {}",
    "{} does not work as I hoped",
    "why is {} so late",
)


def made(count: int = 600) -> list[Record]:
    dice = random.Random(4)
    rows = list[Record]()
    for n in range(count):
        label = dice.choice(sorted(THINGS))
        text = dice.choice(FRAMES).format(dice.choice(THINGS[label]), dice.randint(1, 99))
        rows.append(labelled(n, f"{text} {dice.choice(('thanks', 'now', 'today', 'again', ''))}", label))
    return rows


def labelled(n: int, text: str, label: str) -> Record:
    messages = (Message(role="user", content=text), Message(role="assistant", content=label))
    return Record(id=f"r{n}", messages=messages, label=label, origin=Origin(source="s", file="f", line=n + 1))


def flipped(rows: list[Record], count: int) -> tuple[list[Record], dict[str, str]]:
    dice, wrong = random.Random(5), dict[str, str]()
    rows = list(rows)
    for n in dice.sample(range(len(rows)), count):
        wrong[rows[n].id] = rows[n].label
        other = dice.choice([label for label in THINGS if label != rows[n].label])
        rows[n] = labelled(n, rows[n].messages[0].content, other)
    return rows, wrong


def test_flipped_labels_are_found_and_the_right_one_is_suggested() -> None:
    rows, wrong = flipped(made(), 24)
    found = [f for f in label_noise(rows) if isinstance(f, Finding)]
    right = [f for f in found if f.record in wrong]
    assert len(right) >= 21
    assert len(found) - len(right) <= 12
    assert sum(f"suggested label: {wrong[f.record]};" in f.evidence for f in right) >= 0.9 * len(right)
    assert all(f.what == "label" and 0 < f.confidence < 1 for f in found)


def test_the_share_and_the_reach_are_measured_with_intervals() -> None:
    rows, _ = flipped(made(), 24)
    measures = {m.name: m for m in label_noise(rows) if isinstance(m, Measure)}
    assert set(measures) == {"label_noise.suspected", "label_noise.reach"}
    assert all(m.low <= m.value <= m.high and m.n == len(rows) for m in measures.values())
    assert measures["label_noise.reach"].value > 0.8


def test_right_labels_are_hardly_ever_found() -> None:
    assert sum(isinstance(f, Finding) for f in label_noise(made())) <= 9


def test_nothing_is_said_of_few_texts_or_of_labels_that_words_do_not_tell() -> None:
    few = list(label_noise(made(30)))
    assert [type(x) for x in few] == [Tally]
    assert "it needs" in few[0].note  # type: ignore[union-attr]
    dice = random.Random(1)
    noise = [labelled(n, r.messages[0].content, dice.choice("ab")) for n, r in enumerate(made(300))]
    (said,) = label_noise(noise)
    assert isinstance(said, Tally)
    assert said.note.startswith("nothing is said")


def test_texts_beyond_the_sample_are_judged_too() -> None:
    rows, wrong = flipped(made(), 24)
    seen = list(label_noise(rows, most=400))
    found = {f.record for f in seen if isinstance(f, Finding)}
    assert len(found & wrong.keys()) >= 19
    assert next(m.n for m in seen if isinstance(m, Measure)) == len(rows)


def test_the_same_records_give_the_same_findings_and_a_generator_will_do() -> None:
    rows, _ = flipped(made(300), 10)
    assert list(label_noise(rows)) == list(label_noise(r for r in rows))  # type: ignore[arg-type]
