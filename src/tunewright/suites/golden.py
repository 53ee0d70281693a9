import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tunewright.nouns import Arm, Case, Score
from tunewright.speaker import Speaker


def golden(speaker: Speaker, cases: Sequence[Case], *, arm: Arm, max_tokens: int = 96) -> Iterator[Score]:
    """Your own questions, with what a right answer holds.

    `contains` is 1 when every expected phrase occurs in the answer, `exact` when the answer is the
    expected text (both ignoring case and spacing), `token_f1` the word overlap with the reference
    (SQuAD, Rajpurkar et al. 2016), from 0 to 1.

    Limits: looks at words, not meaning; a wrong answer may contain the right phrase, and a right one may
    be worded otherwise.
    """
    asked = [case for case in cases if not case.label]
    answers = speaker.ask([case.messages for case in asked], max_tokens=max_tokens)
    for case, answer in zip(asked, answers, strict=True):
        yield Score(
            suite="golden",
            arm=arm,
            case=case.id,
            answer=answer.text,
            values=judge(case, answer.text),
            tokens=answer.tokens,
            seconds=answer.seconds,
        )


def judge(case: Case, answer: str) -> dict[str, float]:
    """Only what the case asks for."""
    values = dict[str, float]()
    if case.contains:
        said = _plain(answer)
        values["contains"] = float(
            all(any(_holds(said, _plain(way)) for way in phrase.split("|")) for phrase in case.contains)
        )
    if case.exact:
        values["exact"] = float(_plain(case.exact) == _plain(answer))
    if case.reference:
        values["token_f1"] = token_f1(answer, case.reference)
    return values


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall over words, ignoring case, punctuation and articles."""
    said, wanted = Counter(_words(answer)), Counter(_words(reference))
    shared = (said & wanted).total()
    return 2 * shared / (said.total() + wanted.total()) if shared else 0.0


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _holds(said: str, phrase: str) -> bool:
    """Whether a phrase occurs as whole words and numbers: "€5" is neither in "€59" nor in "€5.90"."""
    before = r"(?<!\w)(?<!\d[.,])" if phrase[:1].isdigit() else r"(?<!\w)"
    return re.search(rf"{before}{re.escape(phrase)}(?!\w|[.,]\d)", said) is not None


def _words(text: str) -> list[str]:
    return [w for w in re.findall(r"\w+", text.casefold()) if w not in {"a", "an", "the"}]
