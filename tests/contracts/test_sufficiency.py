"""How much there is, what it covers and what more would bring: measured, and said when it is not."""

import random
from pathlib import Path

from tunewright.checks.sufficiency import sufficiency
from tunewright.nouns import Case, Curve, Finding, Law, Measure, Message, Needed, Origin, Point, Record, Tally

THINGS = {
    "refund": ("money back", "refund", "reimburse me", "return the payment", "get the sum back"),
    "delivery": ("parcel", "delivery", "shipping", "package on its way", "courier"),
    "password": ("password", "log in", "sign in", "reset my access", "account locked"),
    "invoice": ("invoice", "bill", "receipt", "tax document", "billing paper"),
}
FRAMES = ("I want to ask about {}", "please help with {}", "problem: {} since {}", "hello, {} for order {}")
FRAMES += ("can somebody explain {} to me", "what about {} number {}", "{} does not work as I hoped")


def labelled(n: int, text: str, label: str) -> Record:
    return talk(n, text, label).model_copy(update={"label": label})


def made(count: int) -> list[Record]:
    dice = random.Random(4)
    rows = list[Record]()
    for n in range(count):
        label = dice.choice(sorted(THINGS))
        text = dice.choice(FRAMES).format(dice.choice(THINGS[label]), dice.randint(1, 99))
        rows.append(labelled(n, f"{text} {dice.choice(('thanks', 'now', 'today', 'again', ''))}", label))
    return rows


def case(n: int, text: str, topic: str = "") -> Case:
    return Case(id=f"c{n}", messages=(Message(role="user", content=text),), topic=topic)


def talk(n: int, question: str, answer: str) -> Record:
    messages = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Record(id=f"r{n}", messages=messages, origin=Origin(source="s", file="f", line=n + 1))


def measures(records: list[Record], **options: object) -> dict[str, Measure]:
    return {m.name: m for m in sufficiency(records, **options) if isinstance(m, Measure)}  # type: ignore[arg-type]


def chatter(count: int, seed: int = 0) -> list[Record]:
    dice = random.Random(seed)
    words = ["".join(dice.choices("abcdefghijklmnop", k=6)) for _ in range(400)]
    return [
        talk(n, " ".join(dice.choices(words, k=12)), " ".join(dice.choices(words, k=30)))
        for n in range(count)
    ]


def test_copies_and_near_copies_count_once() -> None:
    rows = chatter(100)
    near = [
        talk(200 + n, r.messages[0].content, r.messages[1].content + " thanks")
        for n, r in enumerate(rows[:30])
    ]
    again = [r.model_copy(update={"id": f"x{n}"}) for n, r in enumerate(rows[:50])]
    size = measures(rows + again + near)["sufficiency.effective_size"]
    assert size.n == 180
    assert size.low <= size.value <= size.high
    assert size.high == 130
    assert 98 <= size.value <= 104


def test_cases_without_a_training_record_nearby_are_named() -> None:
    rows = made(400)
    near = [case(n, r.messages[0].content, "ours") for n, r in enumerate(made(440)[400:])]
    far = [
        case(100 + n, f"which kind of pizza and jazz concert number {n} suits penguins", "pizza")
        for n in range(10)
    ]
    seen = list(sufficiency(rows, cases=(*near, *far)))
    (found,) = (f for f in seen if isinstance(f, Finding) and f.what == "uncovered")
    assert "'pizza' (10 of 10)" in found.note
    assert found.record == ""
    (tally,) = (t for t in seen if isinstance(t, Tally) and t.name == "uncovered")
    assert tally.counts["pizza"] == 10
    coverage = next(m for m in seen if isinstance(m, Measure) and m.name == "sufficiency.coverage")
    assert coverage.n == 50
    assert 0.6 < coverage.value <= 0.8
    assert coverage.low < coverage.value < coverage.high


def test_the_curve_says_what_twice_the_labelled_texts_would_bring() -> None:
    told = measures(made(400))
    gain, now = told["sufficiency.gain_of_double"], told["sufficiency.accuracy_of_words"]
    assert 0 <= gain.low <= gain.value <= gain.high < 0.2
    assert now.value > 0.8
    assert measures(made(400)) == told


def test_labels_that_words_do_not_tell_promise_no_gain() -> None:
    dice = random.Random(3)
    noise = [labelled(n, r.messages[0].content, dice.choice(sorted(THINGS))) for n, r in enumerate(made(300))]
    told = measures(noise)
    assert told["sufficiency.accuracy_of_words"].value < 0.4
    assert told["sufficiency.gain_of_double"].value < 0.05


def test_for_answers_in_words_it_is_said_that_the_gain_is_not_measured() -> None:
    found = [f for f in sufficiency(chatter(60)) if isinstance(f, Finding)]
    assert [(f.what, f.severity) for f in found] == [("too_few", "low"), ("not_measured", "low")]


def tuned(told: str, *needed: Needed) -> Curve:
    """What `tunewright curve` may have left."""

    def told_of(name: str, value: float) -> Measure:
        return Measure(name=name, value=value, low=value / 2, high=value * 2, n=9, method="power law")

    return Curve.model_validate(
        {
            "dataset": "a" * 64,
            "recipe": "b" * 64,
            "base": "c" * 64,
            "day": "2026-11-23",
            "records": 40,
            "held": 20,
            "points": [Point(records=5, losses=(3.0, 3.2)), Point(records=40, losses=(2.5,))],
            "law": Law(a=2, b=4, c=0.5),
            "measures": [told_of("curve.held_out_loss", 2.5), told_of("curve.gain_of_double", 0.1)],
            "told": told,
            "sentence": "what is told",
            "needed": needed,
        }
    )


def test_with_a_curve_of_a_tuned_model_its_gain_is_reported_with_day_and_size() -> None:
    seen = list(sufficiency(chatter(60), curve=tuned("gain")))
    (gain,) = (m for m in seen if isinstance(m, Measure) and m.name == "sufficiency.loss_gain_of_double")

    assert (gain.value, gain.low, gain.high) == (0.1, 0.05, 0.2)
    assert (
        "3.100 with 5, 2.500 with 40; measured 2026-11-23 with 40 records to learn from; power" in gain.method
    )
    assert "not_measured" not in {f.what for f in seen if isinstance(f, Finding)}
    later = list(sufficiency(chatter(200), curve=tuned("gain")))
    (gain,) = (m for m in later if isinstance(m, Measure) and m.name == "sufficiency.loss_gain_of_double")
    assert "there are 200 now" in gain.method


def test_a_curve_that_cannot_tell_is_no_measure() -> None:
    seen = list(sufficiency(chatter(60), curve=tuned("cannot tell")))
    found = {f.what: f for f in seen if isinstance(f, Finding)}

    assert "loss_gain_of_double" not in {m.name.partition(".")[2] for m in seen if isinstance(m, Measure)}
    assert "what is told; measured 2026-11-23" in found["cannot_tell"].note
    assert "not_measured" not in found


def test_what_is_not_enough_for_the_gate_is_found_as_too_few() -> None:
    now = Measure(name="golden.contains.tuned-base", value=0.2, low=0.1, high=0.3, n=50, method="paired")
    much = Measure(name="curve.records_needed", value=140, low=90, high=400, n=1000, method="power law")
    more = Needed(rule="golden.contains.tuned-base at least 0.3", now=now, told="more", records=much)
    never = more.model_copy(
        update={"rule": "other at least 1", "told": "not by more of this data", "records": None}
    )
    fine = more.model_copy(update={"told": "enough", "records": None})
    seen = sufficiency(chatter(60), curve=tuned("gain", more, never, fine))
    notes = [f.note for f in seen if isinstance(f, Finding) and "gate" in f.note]

    assert [note.rpartition(": ")[2] for note in notes] == [
        "about 140 records would be enough",
        "more of this data would not be",
    ]


def test_a_folder_does_not_remember_the_curve(tmp_path: Path) -> None:
    rows = chatter(60)
    before = list(sufficiency(rows, cache=tmp_path))
    after = list(sufficiency(rows, cache=tmp_path, curve=tuned("gain")))

    assert before == list(sufficiency(rows))
    assert after == list(sufficiency(rows, curve=tuned("gain")))
    assert before != after


def test_too_few_is_said_of_distinct_records() -> None:
    rows = [r.model_copy(update={"id": f"{r.id}-{n}"}) for n in range(5) for r in chatter(20)]
    (few,) = (f for f in sufficiency(rows) if isinstance(f, Finding) and f.what == "too_few")
    assert few.severity == "medium"
    assert "effective size 20 of 100" in few.evidence
    thin = [f for f in sufficiency(made(60)) if isinstance(f, Finding) and f.what == "too_few"]
    assert "distinct texts a label" in thin[0].note


def test_one_record_or_none_is_no_data() -> None:
    assert list(sufficiency([])) == []
    assert list(sufficiency(chatter(1))) == []
    assert list(sufficiency(r for r in chatter(1))) == []  # type: ignore[arg-type]


def test_records_of_blank_text_do_not_stop_it() -> None:
    rows = [talk(n, " ", "") for n in range(30)]
    assert measures(rows, cases=(case(0, "hello"),))["sufficiency.effective_size"].value == 1
