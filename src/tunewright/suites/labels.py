from collections.abc import Iterator, Sequence

from tunewright.nouns import Arm, Case, Score
from tunewright.speaker import Speaker


def labels(speaker: Speaker, cases: Sequence[Case], *, arm: Arm, max_tokens: int = 16) -> Iterator[Score]:
    """Cases that have a label: whether the first line of the answer is that label.

    `accuracy` is 1 when it is, ignoring case and surrounding punctuation. Macro-F1 over the labels is
    computed from the same answers.

    Limits: an answer that explains before it names the label counts as wrong.
    """
    asked = [case for case in cases if case.label]
    known = {bare(case.label): case.label for case in asked}
    answers = speaker.ask([case.messages for case in asked], max_tokens=max_tokens)
    for case, answer in zip(asked, answers, strict=True):
        first = bare((answer.text.strip().splitlines() or [""])[0])
        yield Score(
            suite="labels",
            arm=arm,
            case=case.id,
            answer=known.get(first, first),
            values={"accuracy": float(first == bare(case.label))},
            tokens=answer.tokens,
            seconds=answer.seconds,
        )


def bare(label: str) -> str:
    """A label as labels are compared: without case and surrounding punctuation."""
    return label.strip().strip(".,!?:;\"'").casefold()
