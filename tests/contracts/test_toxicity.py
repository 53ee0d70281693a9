"""Toxic language. The sentences are our own; slurs are taken from the word list, none is written here."""

import random
import time

import pytest

from tunewright.checks import by_record, checks
from tunewright.checks._toxicity import hatefulness, model, windows
from tunewright.checks._toxicity_rules import RULES
from tunewright.checks._toxicity_signs import SIZE
from tunewright.checks._toxicity_words import lexicon
from tunewright.checks.toxicity import toxicity
from tunewright.nouns import Finding, Message, Origin, Record

SLUR = next(word for word in sorted(lexicon().members["SLUR"]) if word.startswith("tow"))


def seen(text: str, **options: object) -> list[Finding]:
    record = Record(
        id="r", messages=(Message(role="user", content=text),), origin=Origin(source="s", file="f", line=1)
    )
    return list(toxicity([record], **options))  # type: ignore[arg-type]


def kinds(text: str) -> set[str]:
    return {finding.what for finding in seen(text)}


HATE = [
    "I hate immigrants.",
    "All muslims are terrorists.",
    "Gay people make me sick.",
    "Black people are nothing but animals.",
    "Women do not deserve to vote.",
    "Why don't all refugees just die?",
    "Someone should shoot every immigrant who comes here.",
    "Disabled people are useless. That is how it is.",
    "I know many trans people. They are disgusting.",
    f"You are just a {SLUR} to me.",
    "Fuck all jews.",
    "We would be better off without immigrants.",
]
HARMLESS = [
    "I am a muslim and I work in a bank.",
    "Many immigrants live in this city.",
    "Gay people are wonderful and deserve equal rights.",
    "Women should be allowed to vote.",
    "I don't hate immigrants.",
    "No refugee deserves to die.",
    'Saying "all muslims are terrorists" is racist and unacceptable.',
    "People who say that immigrants are vermin are bigots.",
    f'He called me a "{SLUR}" and I reported him.',
    "I hate the traffic in this city.",
    "All bankers are disgusting.",
    "What is the share of women among engineers?",
    "In 1942 many jews were deported and killed.",
    "Cancer is more common in older women.",
    "Black cats are unlucky, some say.",
]


@pytest.mark.parametrize("text", HATE)
def test_hate_against_a_group_is_seen(text: str) -> None:
    assert "hateful" in kinds(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_neutral_kind_denied_quoted_and_condemned_words_are_not_hate(text: str) -> None:
    assert "hateful" not in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "I h4te w o m e n",
        "I ha te wo men",
        "Ihatewomen",
        "I htae immmigrants and immigrnts",
        "I h4te imm1grants",
    ],
)
def test_letters_swapped_left_out_or_spaced_do_not_hide_hate(text: str) -> None:
    assert "hateful" in kinds(text)


@pytest.mark.parametrize(
    ("text", "what", "severity"),
    [
        ("I will kill you and your family.", "threat", "high"),
        ("Ich bringe dich um, du wirst sehen.", "threat", "high"),
        ("Je vais te tuer demain.", "threat", "high"),
        ("Te voy a matar.", "threat", "high"),
        ("I know where you live.", "threat", "high"),
        ("You are a pathetic loser.", "harassment", "medium"),
        ("Nobody likes you, go away.", "harassment", "medium"),
        ("Tell me how to bully a classmate online.", "harassment", "medium"),
        ("I want to kill myself tonight.", "self_harm", "medium"),
        ("Ich will nicht mehr leben.", "self_harm", "medium"),
        ("Just go and kill yourself.", "self_harm", "high"),
        ("Write a post that promotes anorexia.", "self_harm", "high"),
        ("Send me your nudes now", "sexual", "medium"),
        ("What the fuck is this invoice?", "profanity", "low"),
        ("So eine scheiße, die Rechnung ist falsch.", "profanity", "low"),
    ],
)
def test_every_other_kind_is_seen_with_its_severity(text: str, what: str, severity: str) -> None:
    assert (what, severity) in {(finding.what, finding.severity) for finding in seen(text)}


@pytest.mark.parametrize(
    "text",
    [
        "How do I kill a process that hangs?",
        "I will beat you at chess tomorrow.",
        "If you feel like you are worthless, please call a friend.",
        "How can I help a friend who thinks about suicide?",
        "Our policy against bullying and harassment is attached.",
        "Don't kill yourself over this deadline.",
        "You are not stupid, you just need more time.",
        "She graduated cum laude.",
        "The patient is dead on arrival; the battery died too.",
        "Sex education for schools: a curriculum.",
        "Is Prince Edward Island part of Canada?",
        "",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert kinds(text) == set()


def test_people_in_distress_are_not_told_from_attackers_by_severity_alone_but_by_the_note() -> None:
    (finding,) = [f for f in seen("I want to end my life.") if f.what == "self_harm"]
    assert "support" in finding.note


def test_findings_point_at_the_place_and_never_repeat_it() -> None:
    text = "Good morning. My order is late 😀.\nI hate immigrants. What is the delivery date?"
    (finding,) = seen(text)
    assert text[finding.start : finding.end].strip(" .") == "I hate immigrants"
    assert "immigrants" not in finding.note + finding.evidence
    (threat,) = [f for f in seen("İstanbul’da dedi: I will kill you!") if f.what == "threat"]
    assert "İstanbul’da dedi: I will kill you!"[threat.start : threat.end] == "I will kill you"


def test_profanity_can_be_left_out() -> None:
    assert {f.what for f in seen("What the fuck is this invoice?", profanity=False)} == set()


def test_a_higher_bar_reports_less() -> None:
    texts = HATE + HARMLESS
    low, high = (
        sum(bool([f for f in seen(t, sure=s) if f.what == "hateful"]) for t in texts) for s in (0.05, 0.9)
    )
    assert high < low


def test_scores_are_probabilities_and_zero_without_a_group() -> None:
    scores = hatefulness([*HATE, "the weather is bad"])
    assert scores[-1] == 0
    assert all(0 < score < 1 for score in scores[:-1])
    assert windows("the weather is bad") == []


def test_the_model_is_small_and_nothing_in_it_is_unpickled() -> None:
    assert len(model().weights) == SIZE
    assert len(lexicon().known) > 10_000


def test_hostile_text_takes_time_in_proportion_to_its_length() -> None:
    draw = random.Random(3)
    words = sorted(
        set().union(*(rule.needs for rule in RULES)) | {"you", "i", "women", "are", "how", "to", "write", "a"}
    )
    parts = [
        "you are " * 5_000,
        "i will " * 5_000,
        "how to " * 5_000,
        "w o m e n " * 3_000,
        "women" * 5_000,
        "h8te" * 5_000,
        "write " * 5_000 + "suicide",
        "i " + "a" * 20_000 + " kill myself",
        " ".join(draw.choice(words) for _ in range(5_000)),
        "!@$|" * 5_000,
        "- ' " * 5_000,
    ]
    for text in parts:
        started = time.process_time()
        seen(text)
        assert time.process_time() - started < 3, text[:20]


def test_the_check_looks_at_each_record_and_states_its_limits() -> None:
    assert by_record("toxicity")
    assert "German, French and Spanish" in checks.about("toxicity")[1]
