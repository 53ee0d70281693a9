from collections.abc import Iterator, Sequence

from tunewright.nouns import Arm, Case, Message, Score
from tunewright.speaker import Speaker


def loss(speaker: Speaker, cases: Sequence[Case], *, arm: Arm, max_tokens: int = 0) -> Iterator[Score]:
    """How surprising the reference answer is to the model: held-out loss.

    `nats_per_token` is the mean negative log-likelihood of the reference's tokens; lower is better.

    Limits: knows one wording per case; a model may know the answer and expect other words.
    """
    asked = [(case, case.label or case.reference) for case in cases if case.label or case.reference]
    conversations = [(*case.messages, Message(role="assistant", content=answer)) for case, answer in asked]
    for (case, _), found in zip(asked, speaker.loss(conversations), strict=True):
        yield Score(
            suite="loss",
            arm=arm,
            case=case.id,
            values={"nats_per_token": found.nats / found.tokens},
            tokens=found.tokens,
        )
