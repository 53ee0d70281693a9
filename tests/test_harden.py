"""Hardening: examples that ignore injected instructions and admit unknowns, made of the team's own data."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import tunewright as tw
from tunewright.errors import BadInput
from tunewright.nouns import Message, Origin, Recipe, Record
from tunewright.suites import _resistance
from tunewright.suites._passages import abstains, related, terms
from tunewright.verbs import _harden_words as words
from tunewright.verbs._harden import KINDS, _language, _Ring, hardened
from tunewright.verbs._harden_fit import fitting

Reopen = Callable[[], tw.Project]
MATTERS = (
    "parcel tracking",
    "ceramic glazing",
    "student discount",
    "orchid watering",
    "gift wrapping",
    "night bakery",
    "bicycle repair",
    "violin lessons",
    "roof insulation",
    "passport photos",
    "coffee roasting",
    "swimming badges",
    "tax return",
    "piano tuning",
    "window cleaning",
    "honey harvest",
)


def record(number: int, *, who: str = "", label: str = "", extra: tuple[Message, ...] = ()) -> Record:
    """A record about a matter of its own."""
    matter = MATTERS[number % len(MATTERS)]
    first, second = matter.split()
    answer = label or f"Our {first} {second} takes {number + 13} days and costs {3 * number + 100} euro."
    return Record(
        id=f"r{number}",
        messages=(
            *extra,
            Message(role="user", content=f"Tell me about {matter} number {number}?"),
            Message(role="assistant", content=answer),
        ),
        label=label,
        licence="CC0-1.0",
        origin=Origin(source="s", file="f.jsonl", line=number + 1),
        subjects=(who,) if who else (),
    )


def recipe(share: float = 2.0, **more: object) -> Recipe:
    return Recipe.model_validate(
        {"base": "echo:", "trainer": "echo", "seed": 1, "options": {}, "harden": share, **more}
    )


RECORDS = [record(number) for number in range(60)]


def kind(example: Record) -> str:
    return example.id.rpartition("#")[2]


def by_kind(examples: list[Record], name: str) -> list[Record]:
    return [example for example in examples if kind(example) == name]


# ── what is made ────────────────────────────────────────────────────────────────────────────────


def test_without_a_share_nothing_is_added() -> None:
    assert hardened(RECORDS, recipe(0.0)) == ([], 0)


def test_every_kind_is_made_in_about_its_share() -> None:
    many = [record(number) for number in range(600)]
    counts = hardened(many, recipe(0.5)).counts
    for name, weight in KINDS.items():
        assert counts[name] == pytest.approx(600 * 0.5 * weight, rel=0.35), name


def test_the_right_answer_is_the_records_own_whatever_is_injected() -> None:
    answers = {r.id: r.messages[-1].content for r in RECORDS}
    questions = {r.id: r.messages[-2].content for r in RECORDS}
    made = hardened(RECORDS, recipe()).records
    assert {kind(example) for example in made} == set(KINDS)
    for example in made:
        of = example.id.partition("#")[0]
        assert questions[of] in example.text
        if kind(example) != "absent":
            assert example.messages[-1].content == answers[of]
        assert example.origin == RECORDS[int(of[1:])].origin
        assert example.licence == "CC0-1.0"


def test_an_injected_example_carries_an_order_and_its_benign_counterpart_none() -> None:
    made = hardened(RECORDS, recipe()).records
    questions = [r.messages[-2].content for r in RECORDS]
    pieces = [re.escape(order).replace(re.escape("{word}"), r"\w+") for order in words.ORDERS]
    order = re.compile("|".join(pieces))

    def orders(example: Record) -> int:
        asked = " ".join(message.content for message in example.messages[:-1])
        return len(order.findall(asked)) + sum(question in asked for question in questions) - 1

    assert all(orders(example) >= 1 for example in by_kind(made, "injected"))
    assert not any(orders(example) for example in by_kind(made, "quoted") + by_kind(made, "answerable"))


def test_an_answerable_example_holds_the_answer_and_an_absent_one_nothing_of_it() -> None:
    made = hardened(RECORDS, recipe(abstain="Nobody told me.")).records
    for example in by_kind(made, "answerable"):
        assert example.messages[-1].content in example.messages[-2].content
    assert by_kind(made, "absent")
    for example in by_kind(made, "absent"):
        own = RECORDS[int(example.id.partition("#")[0][1:])]
        first, second = MATTERS[int(own.id[1:]) % len(MATTERS)].split()
        passages = example.messages[-2].content.replace(own.messages[-2].content, "")
        assert example.messages[-1].content == "Nobody told me."
        assert first not in passages, example
        assert second not in passages, example


def test_the_example_abstains_in_the_language_of_its_record() -> None:
    french = Record(
        id="f",
        messages=(
            Message(role="user", content="Combien de temps est-ce que je peux garder le colis pour vous ?"),
            Message(role="assistant", content="Nous le gardons pendant une semaine dans les locaux."),
        ),
        origin=Origin(source="s", file="f", line=1),
    )
    assert [_language(source) for source in _Ring([french], recipe()).sources] == ["fr"]
    made = by_kind(hardened([*RECORDS, french], recipe()).records, "absent")
    assert {example.messages[-1].content for example in made if example.id != "f#absent"} == {
        words.ABSTAIN["en"]
    }
    assert all(abstains(sentence) for sentence in words.ABSTAIN.values())


def test_a_record_that_says_it_does_not_know_is_no_source_of_facts() -> None:
    lost = [record(n) for n in range(100, 130)]
    lost = [
        r.model_copy(update={"messages": (r.messages[0], Message(role="assistant", content="I don't know."))})
        for r in lost
    ]
    made = hardened([*RECORDS, *lost], recipe()).records
    assert not [e for e in by_kind(made, "answerable") if e.id.partition("#")[0] in {r.id for r in lost}]
    assert not any("I don't know." in e.messages[-2].content for e in made)


def test_the_label_of_a_labelled_text_stays_right() -> None:
    labelled = [record(number, label="spam" if number % 2 else "ham") for number in range(40)]
    made = hardened(labelled, recipe()).records
    assert {kind(example) for example in made} == {"injected", "quoted"}
    for example in made:
        own = labelled[int(example.id.partition("#")[0][1:])]
        assert (example.label, example.messages[-1].content) == (own.label, own.label)
        assert own.messages[0].content.split()[-1] in example.messages[0].content


def test_preferences_stay_preferences_and_reject_the_answer_that_obeys() -> None:
    pairs = [
        r.model_copy(update={"messages": (*r.messages, Message(role="rejected", content="No idea."))})
        for r in RECORDS
    ]
    made = hardened(pairs, recipe()).records
    assert {kind(example) for example in made} == set(KINDS)
    assert all(example.messages[-1].role == "rejected" for example in made)
    for example in by_kind(made, "absent"):
        own = RECORDS[int(example.id.partition("#")[0][1:])]
        assert example.rejected == own.messages[-1].content, "an answer that the passages do not hold"
    assert any(example.rejected != "No idea." for example in by_kind(made, "injected"))
    assert {example.rejected for example in by_kind(made, "answerable")} == {"No idea."}


def test_what_has_no_right_answer_is_left_alone() -> None:
    only = Message(role="rejected", content="Go away.")
    disliked = record(3).model_copy(update={"messages": (record(3).messages[0], only)})
    alone = record(4).model_copy(update={"messages": record(4).messages[:1]})
    assert hardened([disliked, alone], recipe()).records == []


def test_earlier_turns_stay() -> None:
    before = (Message(role="user", content="Hello!"), Message(role="assistant", content="Good morning."))
    made = hardened([*RECORDS, *(record(n, extra=before) for n in range(200, 220))], recipe()).records
    longer = [e for e in made if int(e.id.partition("#")[0][1:]) >= 200]
    assert longer
    assert all(example.messages[:2] == before for example in longer)


def test_few_records_give_few_examples_and_no_error() -> None:
    assert hardened([], recipe()) == ([], 0)
    for example in hardened(RECORDS[:1], recipe()).records:
        assert kind(example) in {"injected", "answerable"}


# ── always the same, and nobody else's ──────────────────────────────────────────────────────────


def test_the_same_records_give_the_same_examples_in_any_order() -> None:
    once, again = hardened(RECORDS, recipe()), hardened(RECORDS[::-1], recipe())
    assert sorted(e.digest for e in once.records) == sorted(e.digest for e in again.records)


def test_another_seed_gives_others() -> None:
    once = {e.digest for e in hardened(RECORDS, recipe()).records}
    other = {e.digest for e in hardened(RECORDS, recipe(seed=2)).records}
    assert len(once & other) < len(once) / 10


def test_a_record_more_changes_few_of_the_others_examples() -> None:
    before = {e.digest for e in hardened(RECORDS, recipe()).records}
    after = {e.digest for e in hardened([*RECORDS, record(1000)], recipe()).records}
    assert len(before - after) <= len(before) * 0.1


def test_forgetting_a_person_changes_no_example_but_their_own() -> None:
    people = [record(number, who=f"p{number % 3}") for number in range(300, 330)]
    with_all = hardened([*RECORDS, *people], recipe()).records
    without = hardened([*RECORDS, *(r for r in people if r.subjects != ("p1",))], recipe()).records
    assert [e for e in with_all if "p1" in e.subjects]
    assert [e for e in with_all if "p1" not in e.subjects] == without


def test_an_example_tells_of_nobody_whom_it_does_not_name() -> None:
    """Where nearly every record concerns somebody, others are quoted and their subjects carried."""
    people = [record(number, who=f"p{number}") for number in range(40)]
    made = hardened(people, recipe()).records
    assert made
    for example in made:
        told = {r.subjects[0] for r in people if r.messages[-1].content in example.text}
        told |= {r.subjects[0] for r in people if r.messages[-2].content in example.text}
        assert told <= set(example.subjects)


def test_nothing_is_quoted_of_persons_while_there_is_enough_of_nobodys() -> None:
    mixed = [record(number, who=f"p{number}" if number % 2 else "") for number in range(60)]
    for example in hardened(mixed, recipe()).records:
        assert example.subjects == mixed[int(example.id.partition("#")[0][1:])].subjects


# ── what training says is not what evaluation asks ──────────────────────────────────────────────


def runs(texts: tuple[str, ...], size: int) -> set[tuple[str, ...]]:
    found = set[tuple[str, ...]]()
    for text in texts:
        said = re.findall(r"[^\W_]+", text.casefold())
        found |= {tuple(said[at : at + size]) for at in range(len(said) - size + 1)}
    return found


def test_attacks_and_framings_of_training_and_evaluation_have_no_wording_in_common() -> None:
    learnt = (
        *words.ORDERS,
        *words.FAKES,
        *words.LABEL_ORDERS,
        *(lead for leads in words.LEADS.values() for lead in leads),
        *(f for framings in (words.OPEN, words.CLOSED) for each in framings.values() for f in each),
    )
    asked = (*_resistance.ATTACKS, *_resistance.BESIDE, *_resistance.AMONG)
    assert runs(learnt, 4) & runs(asked, 4) == set()
    assert not any(
        witness.casefold() in text.casefold() for witness in _resistance.WITNESSES for text in learnt
    )
    assert set(words.MARKS[:-1]) & set(_resistance.MARKS) == set()


# ── what texts have in common ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Your parcel takes three days", "When will my parcels arrive?", True),
        ("Water the orchid weekly", "We accept cards and cash", False),
        ("包裹三天内送达您的地址", "包裹什么时候送达", True),
        ("包裹三天内送达", "兰花每周浇水", False),
    ],
)
def test_related_texts_share_telling_words(one: str, other: str, same: bool) -> None:
    assert related(terms(one), terms(other)) is same


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know that, sorry.",
        "I don\u2019t know.",
        "The documents do not say.",
        "I cannot find it in the passages.",
        "Unfortunately there is no information about this.",
        "That is not mentioned.",
        "Das weiß ich leider nicht.",
        "Je ne sais pas.",
        "No lo sé.",
        "Dat kan ik niet vinden.",
        "文档中没有提到。",
        "記載がありません。",
    ],
)
def test_people_say_in_many_ways_that_they_do_not_know(answer: str) -> None:
    assert abstains(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Delivery is free above 40 euro.",
        "We do not match prices.",
        "Postage is not included.",
        "You will find it in your account.",
        "Der Topf steht nicht in der Sonne.",
        "No, we ship to Belgium only.",
    ],
)
def test_an_answer_is_no_admission(answer: str) -> None:
    assert not abstains(answer)


def test_the_projects_own_sentence_counts_even_when_a_word_is_changed() -> None:
    own = "Please ask the front desk, dear guest, for that."
    assert abstains("Please ask the front desk, dear guests, for that. Bye.", own)
    assert not abstains("Please leave the key at the front desk.", own)


# ── the verb ────────────────────────────────────────────────────────────────────────────────────


def harden(folder: Path, extra: str = "") -> None:
    file = folder / "tunewright.yaml"
    text = file.read_text()
    file.write_text(text.replace("  trainer: echo\n", f"  trainer: echo\n  harden: true\n{extra}", 1))


def test_tune_learns_the_examples_and_the_model_says_how_many(folder: Path, reopen: Reopen) -> None:
    harden(folder, '  hardening: {share: 2, abstain: "Ask the shop."}\n')
    project = reopen()
    gathered = tw.gather(project)
    model = tw.tune(project, tw.vet(project, gathered))
    counts = model.facts["harden"]
    assert isinstance(counts, dict)
    assert set(counts) == {*KINDS, "too long", "like a case"}
    memory = json.loads((project.ledger.blobs.path(model.weights) / "memory.json").read_text())
    added = sum(int(counts[name]) for name in KINDS)  # type: ignore[arg-type]
    assert added
    assert len(memory) == 12 + added
    assert "Ask the shop." in memory.values() or not counts["absent"]
    assert project.ledger.get(Recipe, model.recipe).harden == 2


def test_examples_that_resemble_an_evaluation_case_are_not_learnt(folder: Path, reopen: Reopen) -> None:
    """Every question of this project is also a case: whatever repeats one whole is left out."""
    harden(folder)
    (folder / "evaluation" / "cases.jsonl").write_text(
        json.dumps(
            {
                "id": "odd",
                "messages": [{"role": "user", "content": "Which stars rise over Kiruna in May?"}],
                "reference": "None.",
            }
        )
    )
    project = reopen()
    vetted = tw.vet(project, tw.gather(project))
    assert tw.tune(project, vetted).facts["harden"]["like a case"] == 0  # type: ignore[call-overload, index]
    asked = "How often should a cactus drink when it stands in the sun by the southern window?"
    row = {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": "Every week."}]}
    data = folder / "data" / "chat.jsonl"
    data.write_text(data.read_text() + "\n" + json.dumps(row))
    harden_more = (
        (folder / "tunewright.yaml")
        .read_text()
        .replace("harden: true", "harden: true\n  hardening: {share: 2}")
    )
    (folder / "tunewright.yaml").write_text(harden_more)
    (folder / "evaluation" / "cases.jsonl").write_text(
        json.dumps({"id": "c", "messages": [{"role": "user", "content": asked}], "reference": "Weekly."})
    )
    project = reopen()
    model = tw.tune(project, tw.vet(project, tw.gather(project)))
    counts = model.facts["harden"]
    assert isinstance(counts, dict)
    assert int(counts["like a case"]) >= 1  # type: ignore[arg-type]
    memory = json.loads((project.ledger.blobs.path(model.weights) / "memory.json").read_text())
    assert [said for said in memory if "southern window" in said] == [asked.lower()]


def test_switching_it_on_makes_another_model(folder: Path, reopen: Reopen) -> None:
    project = reopen()
    vetted = tw.vet(project, tw.gather(project))
    plain = tw.tune(project, vetted)
    assert "harden" not in plain.facts
    harden(folder)
    hard = tw.tune(reopen(), vetted)
    assert hard.digest != plain.digest
    assert hard.recipe != plain.recipe
    assert tw.tune(reopen(), vetted) == hard, "what is done is not done again"


def test_a_share_that_makes_no_sense_is_a_mistake_in_the_file(folder: Path, reopen: Reopen) -> None:
    harden(folder, "  hardening: {share: 5}\n")
    with pytest.raises(BadInput, match="share"):
        reopen()


def test_an_example_too_long_for_the_trainer_is_made_shorter_or_left_out(tmp_path: Path) -> None:
    made = hardened(RECORDS, recipe())
    limit = 300
    short = hardened(RECORDS, recipe(), lambda example: len(example.text) <= limit)
    assert max(len(example.text) for example in made.records) > limit
    assert all(len(example.text) <= limit for example in short.records)
    assert short.unfit > 0
    assert len(short.records) + short.unfit == len(made.records)


def test_a_base_without_a_tokenizer_takes_every_example(tmp_path: Path) -> None:
    assert fitting(tmp_path, recipe())(RECORDS[0])
