"""The suite `resistance`: injected instructions, and questions that the documents do not answer."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import tunewright as tw
from tunewright.nouns import Case, Message
from tunewright.speaker import Loss, Reply
from tunewright.suites import _resistance
from tunewright.suites._resistance import WITNESSES, asked, right
from tunewright.suites.resistance import resistance
from tunewright.verbs.evaluate import BETTER

Reopen = Callable[[], tw.Project]
FACTS = (
    ("How long does the parcel travel?", "The parcel travels three days.", "three days"),
    ("What does an orchid drink?", "Orchids drink rain water weekly.", "rain water"),
    ("Which discount do students get?", "Students save twelve percent.", "twelve percent"),
    ("When does the bakery open?", "The bakery opens before sunrise.", "before sunrise"),
    ("Who tunes pianos here?", "Madame Blanche tunes every piano.", "Blanche"),
    ("Where is honey sold?", "Honey stands beside the counter.", "counter"),
)
SECRET = "Nobody has told me, dear guest."


class Says:
    """A speaker whose answer is a function of what it is asked."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.answer = answer

    def ask(self, conversations: Sequence[Sequence[Message]], *, max_tokens: int = 128) -> Iterator[Reply]:
        for conversation in conversations:
            yield Reply(self.answer(conversation[-1].content), 1, 0.0)

    def stream(
        self, conversation: Sequence[Message], *, max_tokens: int = 128, temperature: float = 0
    ) -> Iterator[str]:
        yield self.answer(conversation[-1].content)

    def loss(self, conversations: Sequence[Sequence[Message]]) -> Iterator[Loss]:
        return iter(())


def case(number: int, **more: object) -> Case:
    question, reference, phrase = FACTS[number % len(FACTS)]
    asks = ({"role": "user", "content": question},)
    said = {"id": f"c{number}", "messages": asks, "reference": reference, "contains": (phrase,), **more}
    return Case.model_validate(said)


CASES = [case(number) for number in range(len(FACTS))]


def means(answer: Callable[[str], str], cases: Sequence[Case] = CASES, **more: str) -> dict[str, float]:
    found = dict[str, list[float]]()
    for score in resistance(Says(answer), cases, arm="tuned", **more):
        for name, value in score.values.items():
            found.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in found.items()}


def by_heart(question: str) -> str:
    """Knows every fact and looks at nothing but the question."""
    return next((reference for asks, reference, _ in FACTS if asks in question), "What?")


def obedient(question: str) -> str:
    """Says whatever word it is told to say."""
    return next((word for word in WITNESSES if word in question), by_heart(question))


def reader(question: str) -> str:
    """Answers from the passages alone where there are passages."""
    fact = by_heart(question)
    passages = question.count("Excerpt 1") + question.count("(1)") + question.count("* ")
    return fact if fact in question or not passages else "The excerpts do not say."


def test_who_obeys_is_not_resisting_and_who_knows_is() -> None:
    assert means(obedient)["resisted"] == 0
    assert means(obedient)["kept"] == 0
    assert means(obedient)["plain"] == 1
    assert means(by_heart) == {
        "plain": 1, "resisted": 1, "kept": 1, "abstained": 0, "over_abstained": 0, "found": 1,
    }  # fmt: skip


def test_who_answers_from_the_passages_abstains_where_they_do_not_tell_and_only_there() -> None:
    said = means(reader)
    assert (said["abstained"], said["over_abstained"], said["found"]) == (1, 0, 1)


def test_who_never_knows_abstains_too_often_and_keeps_nothing() -> None:
    said = means(lambda _: "I do not know.")
    assert said == {
        "plain": 0, "resisted": 1, "kept": 0, "abstained": 1, "over_abstained": 1, "found": 0,
    }  # fmt: skip


def test_the_projects_own_sentence_counts_as_abstaining() -> None:
    assert means(lambda _: SECRET)["abstained"] == 0
    assert means(lambda _: SECRET, abstain=SECRET)["abstained"] == 1


def test_the_witness_stands_in_the_question_and_in_no_other_case_of_the_four() -> None:
    for each in asked(CASES, ""):
        held = [word for word in WITNESSES if word in each.messages[-1].content]
        assert held == ([each.witness] if each.kind == "injected" else [])
        assert each.case.messages[-1].content in each.messages[-1].content


def test_absent_passages_hold_nothing_of_the_answer_and_the_others_hold_it() -> None:
    kinds = dict[str, int]()
    for each in asked(CASES, ""):
        kinds[each.kind] = kinds.get(each.kind, 0) + 1
        if each.kind == "absent":
            assert each.case.contains[0] not in each.messages[-1].content
        if each.kind == "there":
            assert each.case.reference in each.messages[-1].content
    assert kinds == {"plain": 6, "injected": 6, "absent": 6, "there": 6}


def test_cases_on_the_same_matter_are_not_taken_for_others() -> None:
    twins = [case(0), case(0, id="twin", reference="Three days is what the parcel takes.")]
    (absent,) = [a for a in asked(twins, "") if a.kind == "absent" and a.case.id == "c0"]
    assert "three days" not in absent.messages[-1].content.casefold()
    topics = [case(number, topic="one") for number in range(6)]
    for each in asked(topics, ""):
        if each.kind == "absent":
            others = [c.reference for c in topics if c.reference in each.messages[-1].content]
            assert others == [], "of one topic: none of them may be quoted as foreign"


def test_the_same_case_is_asked_the_same_whatever_else_there_is() -> None:
    once = [a for a in asked(CASES, "") if a.kind == "injected"]
    again = [a for a in asked(CASES[::-1], "") if a.kind == "injected"]
    assert {a.case.id: a.witness for a in once} == {a.case.id: a.witness for a in again}


def test_every_manner_of_attack_is_used_and_fills_in_its_word() -> None:
    many = [case(number, id=f"n{number}") for number in range(300)]
    said = [a.messages[-1].content for a in asked(many, "") if a.kind == "injected"]
    for attack in _resistance.ATTACKS:
        before, _, after = attack.strip().partition("{witness}")
        assert any(before in text and after in text for text in said), attack
    assert not any("{witness}" in text for text in said)


def test_a_case_that_nobody_can_answer_is_not_asked_with_its_answer() -> None:
    lost = case(0, id="lost", reference="I don't know that.", contains=())
    assert [a.kind for a in asked([*CASES, lost], "") if a.case.id == "lost"] == [
        "plain",
        "injected",
        "absent",
    ]
    assert not any(
        "I don't know that." in a.messages[-1].content
        for a in asked([*CASES, lost], "")
        if a.kind == "absent"
    )


def test_a_labelled_case_is_asked_twice_and_its_text_carries_the_order() -> None:
    labelled = [case(n, label="spam", reference="", contains=()) for n in range(4)]
    scores = list(resistance(Says(lambda text: "Spam."), labelled, arm="base"))
    assert [set(s.values) for s in scores] == [{"plain"}, {"resisted", "kept"}] * 4
    assert all(value == 1 for s in scores for value in s.values.values())
    assert right(labelled[0], "ham") == 0


def test_the_conversation_before_the_question_stays() -> None:
    system = Message(role="system", content="Be brief.")
    cases = [c.model_copy(update={"messages": (system, *c.messages)}) for c in CASES]
    assert all(each.messages[0] == system for each in asked(cases, ""))


def test_right_is_the_phrases_before_the_overlap() -> None:
    assert right(case(0), "three days") == 1
    assert right(case(0), "The parcel travels") == 0
    assert 0 < right(case(0, contains=()), "The parcel travels") < 1


def test_every_score_names_its_case_and_how_it_was_asked() -> None:
    scores = list(resistance(Says(by_heart), CASES[:1], arm="base"))
    assert [s.case for s in scores] == ["c0", "c0#injected", "c0#absent", "c0#there"]
    assert {(s.suite, s.arm) for s in scores} == {("resistance", "base")}


@pytest.mark.parametrize("cases", [[], [case(0)]])
def test_few_cases_are_no_error(cases: list[Case]) -> None:
    assert len(list(resistance(Says(by_heart), cases, arm="base"))) == 4 * len(cases)


def test_abstaining_too_often_is_worse() -> None:
    assert BETTER["resistance.over_abstained"] == "lower"


def test_evaluate_weighs_every_measure_and_hands_on_the_projects_sentence(
    folder: Path, reopen: Reopen
) -> None:
    file = folder / "tunewright.yaml"
    text = file.read_text().replace("  runtime: echo\n", "  runtime: echo\n  suites: [golden, resistance]\n")
    more = '  trainer: echo\n  harden: true\n  hardening: {share: 2, abstain: "Ask the shop."}\n'
    file.write_text(text.replace("  trainer: echo\n", more))
    cases = folder / "evaluation" / "cases.jsonl"
    lost = {"role": "user", "content": "What is the meaning of life?"}
    row = json.dumps({"id": "lost", "messages": [lost], "reference": "Ask the shop."})
    cases.write_text(cases.read_text() + "\n" + row)
    project = reopen()
    report = tw.evaluate(project, tw.tune(project, tw.vet(project, tw.gather(project))))
    names = {measure.name for measure in report.measures}
    for name in ("plain", "resisted", "kept", "abstained", "over_abstained", "found"):
        assert {f"resistance.{name}.base", f"resistance.{name}.tuned"} <= names
    found = {c.measure: c for c in report.comparisons if c.before == "base"}
    assert found["resistance.over_abstained"].better == "lower"
    asked_of = {score.case for score in project.scores(report.details)}
    assert {"case-1#there", "lost#absent"} <= asked_of
    assert "lost#there" not in asked_of, "its reference is the sentence for not knowing"
