"""What the data speaks of is counted, a target is compared with it, and its limits are said."""

import random

import pytest

from tunewright.checks._topics import topic_map
from tunewright.checks.representation import representation
from tunewright.errors import BadInput
from tunewright.nouns import Finding, Measure, Message, Origin, Record, Tally

SUBJECTS = {
    "garden": [
        "tulip",
        "spade",
        "compost",
        "seedling",
        "hedge",
        "watering",
        "greenhouse",
        "pruning",
        "soil",
        "mulch",
    ],
    "kitchen": [
        "saucepan",
        "oven",
        "recipe",
        "flour",
        "whisk",
        "simmer",
        "spatula",
        "dough",
        "pepper",
        "roast",
    ],
    "money": [
        "account",
        "transfer",
        "interest",
        "deposit",
        "loan",
        "savings",
        "balance",
        "cheque",
        "mortgage",
        "currency",
    ],
}


def talk(
    n: int, question: str, answer: str = "We will see to it.", label: str = "", source: str = "shop"
) -> Record:
    messages = (Message(role="user", content=question), Message(role="assistant", content=label or answer))
    return Record(
        id=f"r{n}", messages=messages, label=label, origin=Origin(source=source, file="f", line=n + 1)
    )


def subjects(count: int = 300) -> list[Record]:
    dice = random.Random(1)
    words = [SUBJECTS[dice.choice(sorted(SUBJECTS))] for _ in range(count)]
    return [talk(n, " ".join(dice.choices(w, k=8))) for n, w in enumerate(words)]


def tallies(records: list[Record], **options: object) -> dict[str, Tally]:
    return {t.name: t for t in representation(records, **options) if isinstance(t, Tally)}  # type: ignore[arg-type]


def findings(records: list[Record], **options: object) -> list[Finding]:
    return [f for f in representation(records, **options) if isinstance(f, Finding)]  # type: ignore[arg-type]


def test_every_record_is_counted_once_in_turns_lengths_and_sources() -> None:
    records = [talk(n, "one two three four", "a b", source="ab"[n % 2]) for n in range(40)]
    seen = tallies(records)
    assert seen["turns"].counts == {"1": 40}
    assert seen["question_words"].counts == {"3 to 5": 40}
    assert seen["answer_words"].counts == {"1 to 2": 40}
    assert seen["source"].counts == {"a": 20, "b": 20}


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("She asked her sister", "gender", "women"),
        ("He is the father", "gender", "men"),
        ("My child is ill", "age", "children"),
        ("a home for the elderly", "age", "older people"),
        ("We live in Nigeria", "region", "Sub-Saharan Africa"),
        ("the French post", "region", "Western Europe"),
        ("my favourite colour", "dialect", "British spelling"),
        ("my favorite color", "dialect", "US spelling"),
    ],
)
def test_a_mention_is_counted_once_a_record(text: str, kind: str, name: str) -> None:
    seen = tallies([talk(0, f"{text}, {text}", "Yes"), talk(1, "Where is it")])
    assert seen[kind].counts == {name: 1}
    assert "not being mentioned is not being absent" in seen[kind].note


@pytest.mark.parametrize(
    "text", ["Tell us about it", "a china cup", "the senior engineer", "they polish shoes"]
)
def test_words_that_mostly_mean_something_else_are_no_mentions(text: str) -> None:
    seen = tallies([talk(0, text), talk(1, text)])
    assert not seen.keys() & {"gender", "age", "region"}


def test_topics_are_found_named_and_always_the_same() -> None:
    counts = tallies(subjects())["topics"].counts
    assert sum(counts.values()) == 300
    every = {word for words in SUBJECTS.values() for word in words}
    for name in counts:
        said = set(name.split(" (")[0].split(" · "))
        assert said <= every
        assert any(said <= set(words) for words in SUBJECTS.values())
    assert tallies(subjects())["topics"].counts == counts


def test_the_map_puts_records_of_one_subject_together() -> None:
    records = subjects()
    seen = topic_map(records, points=200)
    assert seen == topic_map(records, points=200)
    assert len(seen.records) == len(seen.x) == len(seen.y) == len(seen.topic) == 200
    assert all(-1 <= v <= 1 for v in (*seen.x, *seen.y))
    by_id = {r.id: r.messages[0].content.split()[0] for r in records}
    group = [next(k for k, words in SUBJECTS.items() if by_id[one] in words) for one in seen.records]
    near = 0
    for n in range(200):
        order = sorted(range(200), key=lambda m: (seen.x[m] - seen.x[n]) ** 2 + (seen.y[m] - seen.y[n]) ** 2)
        near += sum(group[m] == group[n] for m in order[1:6])
    assert near / 1000 > 0.9
    assert topic_map([]).names == ()


def test_a_dimension_off_its_target_is_found_with_distance_and_what_is_missing() -> None:
    records = [talk(n, "where is it", source="phone" if n < 90 else "mail") for n in range(100)]
    (found,) = findings(records, target={"source": {"phone": 0.5, "mail": 0.5}})
    assert (found.what, found.record, found.severity) == ("off_target", "", "medium")
    assert "80 of 'mail'" in found.note
    assert "distance 0.400 (0.3" in found.evidence
    measure = next(
        m
        for m in representation(records, target={"source": {"phone": 0.5, "mail": 0.5}})
        if isinstance(m, Measure) and "off_target" in m.name
    )
    assert measure.low < measure.value < measure.high


def test_a_dimension_on_its_target_is_not_found_nor_one_that_may_be_on_it() -> None:
    records = [talk(n, "where is it", source="ab"[n % 2]) for n in range(100)]
    assert findings(records, target={"source": {"a": 0.5, "b": 0.5}}) == []
    assert findings(records[:20], target={"source": {"a": 0.6, "b": 0.4}}) == []


def test_classes_that_the_target_does_not_name_share_what_is_left() -> None:
    records = [talk(n, "where is it", source="abcd"[n % 4]) for n in range(400)]
    assert findings(records, target={"source": {"a": 0.25}}) == []
    (found,) = findings(records, target={"source": {"a": 1.0}})
    assert "'all others': 75.0% instead of 0.0%" in found.note


@pytest.mark.parametrize("target", [{"colour": {"red": 1.0}}, {"label": {"a": 0.9, "b": 0.9}}, {"label": {}}])
def test_a_target_that_makes_no_sense_is_refused(target: dict[str, dict[str, float]]) -> None:
    with pytest.raises(BadInput):
        list(representation([talk(0, "a"), talk(1, "b")], target=target))


def test_labels_out_of_balance_and_thin_ones_are_found() -> None:
    records = [talk(n, "x", label="common") for n in range(500)] + [
        talk(600 + n, "y", label="rare") for n in range(5)
    ]
    found = findings(records)
    assert {f.what for f in found} == {"imbalance", "thin"}
    assert all(f.record == "" for f in found)
    assert findings([talk(n, "x", label="ab"[n % 2]) for n in range(100)]) == []


def test_mentions_are_measured_with_intervals_and_one_record_is_no_data() -> None:
    measures = [m for m in representation(subjects()) if isinstance(m, Measure)]
    assert {m.name for m in measures} == {
        f"representation.mentions_{k}" for k in ("gender", "age", "region", "dialect")
    }
    assert all(m.low <= m.value <= m.high and m.n == 300 for m in measures)
    assert list(representation([talk(0, "hello")])) == []


def test_a_large_data_set_is_sampled_and_says_so() -> None:
    seen = tallies(subjects(), most=100)
    assert sum(seen["topics"].counts.values()) == 100
    assert "of 100 records drawn evenly" in seen["topics"].note
    assert sum(seen["turns"].counts.values()) == 300
