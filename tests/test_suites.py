"""How answers are judged."""

from collections.abc import Iterator, Sequence

import pytest

from tunewright.nouns import Case, Message
from tunewright.speaker import Loss, Reply
from tunewright.suites import suites
from tunewright.suites.golden import golden, judge, token_f1
from tunewright.suites.labels import labels
from tunewright.suites.loss import loss
from tunewright.suites.speed import speed


class Parrot:
    """A speaker that says what it is told to say, and remembers what it was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = answers
        self.asked = list[Sequence[Message]]()

    def ask(self, conversations: Sequence[Sequence[Message]], *, max_tokens: int = 128) -> Iterator[Reply]:
        self.asked += conversations
        for answer in self.answers[: len(conversations)]:
            yield Reply(answer, len(answer.split()), 0.25)

    def stream(
        self, conversation: Sequence[Message], *, max_tokens: int = 128, temperature: float = 0
    ) -> Iterator[str]:
        self.asked.append(conversation)
        yield from self.answers[:max_tokens]

    def loss(self, conversations: Sequence[Sequence[Message]]) -> Iterator[Loss]:
        self.asked += conversations
        for conversation in conversations:
            words = len(conversation[-1].content.split())
            yield Loss(1.5 * words, words)


def case(number: int = 1, **more: object) -> Case:
    return Case.model_validate(
        {"id": f"c{number}", "messages": ({"role": "user", "content": f"Question {number}?"},), **more}
    )


# ── golden ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("phrase", "answer", "found"),
    [
        ("€5", "It costs €5.", True),
        ("€5", "It costs €5, all in", True),
        ("€5", "It costs €59.", False),
        ("€5", "It costs €5.90.", False),
        ("€5", "It costs €5,90.", False),
        ("€5", "Only €5!", True),
        ("5", "It costs 15 euro", False),
        ("5", "between 3.5 and 4", False),
        ("30 days", "within 30  DAYS, please", True),
        ("30 days", "within 130 days", False),
        ("art", "the art of it", True),
        ("art", "the party", False),
        ("straße", "in der STRASSE", True),
        ("free|no cost", "It comes at no cost.", True),
        ("free|no cost", "It is freedom", False),
        ("a.b", "axb", False),
        ("50%", "It is 50% off", True),
        ("-5", "minus -5 degrees", True),
        ("yes", "", False),
    ],
)
def test_a_phrase_is_found_as_whole_words_and_numbers(phrase: str, answer: str, found: bool) -> None:
    assert judge(case(contains=(phrase,)), answer) == {"contains": float(found)}


def test_every_phrase_must_occur() -> None:
    both = case(contains=("label|sticker", "30 days"))
    assert judge(both, "Use the sticker within 30 days")["contains"] == 1.0
    assert judge(both, "Use the sticker")["contains"] == 0.0


def test_exact_ignores_case_and_spacing_only() -> None:
    asked = case(exact="Yes, we do.")
    assert judge(asked, "  yes,  WE do. ") == {"exact": 1.0}
    assert judge(asked, "Yes we do") == {"exact": 0.0}


@pytest.mark.parametrize(
    ("answer", "reference", "f1"),
    [
        ("the cat sat", "a cat sat", 1.0),
        ("cat sat down", "cat sat", 0.8),
        ("cat cat", "cat", 2 / 3),
        ("Cat!", "cat", 1.0),
        ("dog", "cat", 0.0),
        ("", "cat", 0.0),
        ("the", "a", 0.0),
        ("open 9 to 5", "open from 9 to 5", 8 / 9),
    ],
)
def test_token_f1_of_known_answers(answer: str, reference: str, f1: float) -> None:
    assert token_f1(answer, reference) == pytest.approx(f1)
    assert token_f1(reference, answer) == pytest.approx(f1)


def test_a_case_is_judged_only_by_what_it_asks_for() -> None:
    assert set(judge(case(reference="x", exact="x", contains=("x",)), "x")) == {
        "token_f1",
        "exact",
        "contains",
    }
    assert set(judge(case(reference="x"), "x")) == {"token_f1"}


def test_golden_keeps_the_answer_and_its_cost_and_leaves_labels_alone() -> None:
    parrot = Parrot("One two", "Three")
    cases = [case(1, reference="one two"), case(2, label="spam"), case(3, exact="four")]
    one, three = golden(parrot, cases, arm="tuned", max_tokens=7)
    assert (one.case, three.case, one.arm, one.suite) == ("c1", "c3", "tuned", "golden")
    assert (one.answer, one.tokens, one.seconds, one.values) == ("One two", 2, 0.25, {"token_f1": 1.0})
    assert three.values == {"exact": 0.0}
    assert [asked[-1].content for asked in parrot.asked] == ["Question 1?", "Question 3?"]


def test_a_speaker_that_answers_too_few_questions_is_not_believed() -> None:
    with pytest.raises(ValueError, match="shorter"):
        list(golden(Parrot("only one"), [case(1, reference="x"), case(2, reference="y")], arm="base"))


# ── labels ──────────────────────────────────────────────────────────────────────────────────────


def test_a_label_is_the_first_line_whatever_its_case_and_punctuation() -> None:
    said = ["Spam", '"ham."\nbecause', "  SPAM!", "It is spam", "", "\n\nham"]
    gold = ["spam", "ham", "spam", "spam", "ham", "Ham"]
    cases = [case(n, label=label) for n, label in enumerate(gold)]
    scores = list(labels(Parrot(*said), cases, arm="base"))
    assert [s.values["accuracy"] for s in scores] == [1, 1, 1, 0, 0, 1]


def test_labels_are_told_as_the_cases_spell_them() -> None:
    scores = list(
        labels(Parrot("SPAM", "nonsense"), [case(1, label="Spam"), case(2, label="Ham")], arm="base")
    )
    assert [s.answer for s in scores] == ["Spam", "nonsense"]


def test_labels_leaves_other_cases_alone() -> None:
    assert list(labels(Parrot("x"), [case(1, reference="x")], arm="base")) == []


# ── loss ────────────────────────────────────────────────────────────────────────────────────────


def test_loss_is_per_token_of_the_reference() -> None:
    parrot = Parrot()
    cases = [case(1, reference="one two three"), case(2, label="spam"), case(3, contains=("x",))]
    scores = list(loss(parrot, cases, arm="tuned"))
    assert [(s.case, s.values, s.tokens) for s in scores] == [
        ("c1", {"nats_per_token": 1.5}, 3),
        ("c2", {"nats_per_token": 1.5}, 1),
    ]
    assert [asked[-1] for asked in parrot.asked] == [
        Message(role="assistant", content="one two three"),
        Message(role="assistant", content="spam"),
    ]


# ── speed ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("n", "asked"), [(1, 1), (4, 4), (5, 5), (9, 5), (10, 5), (100, 5)])
def test_speed_asks_a_few_cases_spread_over_all(n: int, asked: int) -> None:
    parrot = Parrot("Hello", " you", " there")
    scores = list(speed(parrot, [case(number, reference="x") for number in range(n)], arm="base"))
    assert len(scores) == len(parrot.asked) == len({s.case for s in scores}) == asked


def test_speed_measures_the_first_piece_the_whole_and_the_rate() -> None:
    (score,) = speed(Parrot("Hello", " you", " there"), [case(1, reference="x")], arm="base")
    assert 0 < score.values["first_token"] <= score.values["seconds"] == score.seconds
    assert score.values["tokens_per_second"] == pytest.approx(3 / score.seconds)
    assert score.tokens == 3


def test_speed_of_an_answer_without_words_is_still_a_number() -> None:
    (score,) = speed(Parrot(), [case(1, reference="x")], arm="base")
    assert score.values["tokens_per_second"] == 0
    assert score.values["first_token"] > 0


@pytest.mark.parametrize("name", list(suites))
def test_no_cases_give_no_scores(name: str) -> None:
    assert list(suites[name](Parrot(), [], arm="base")) == []
