from collections import Counter

from tunewright.checks import checks
from tunewright.errors import Refused
from tunewright.nouns import Dataset, Exchange, Feedback, Finding, Message, Origin, Record, Reject, Source
from tunewright.project import Project
from tunewright.store import Step
from tunewright.verbs import verb


@verb(reads=("cases",), repeats=True)
def learn(step: Step, project: Project, channel: str = "production", days: float = 30) -> Dataset:
    """Turn what people said of the answers, and let us keep, into a dataset for the next tuning.

    An exchange enters when its user gave feedback with consent: liked answers as they are; corrected ones
    with the correction as the answer and, where the answer was disliked, with it as the rejected one; answers
    that were disliked and not corrected as rejected ones. What resembles an evaluation case never enters. To
    train on the result, add `dataset: learned` to `data` in tunewright.yaml; it is vetted like any other
    source. `lora` learns from liked answers and corrections, `dpo` and `orpo` from answers with a correction,
    `kto` from all.

    Parameters:
    channel: which service
    days: how far back

    Limits: believes the people who gave feedback; nobody reviews corrections unless you do. A thumb says that
    an answer was disliked, not why.
    """
    words = project.traffic.words()
    fates, candidates, held = Counter[str](), list[Record](), list[Reject]()
    for exchange in project.traffic.since(days, channel):
        word = words.get(exchange.id)
        reason = _objection(exchange, word)
        if reason or word is None:
            fates[f"dropped: {reason}"] += 1
            continue
        shape, messages = _as_said(exchange.messages, word)
        origin = Origin(source=channel, file=f"exchange:{exchange.id}", line=1)
        subjects = (exchange.person,) if exchange.person else ()
        name = f"exchange:{exchange.id}"
        candidates.append(Record(id=name, messages=messages, origin=origin, subjects=subjects, shape=shape))
    seen = checks["contamination"](candidates, cases=project.each_case())
    leaks = {f.record for f in seen if isinstance(f, Finding)}
    kept = [r for r in candidates if r.id not in leaks]
    held = [
        Reject(origin=r.origin, reason="resembles an evaluation case", subjects=r.subjects)
        for r in candidates
        if r.id in leaks
    ]
    fates["kept"], fates["quarantined: resembles an evaluation case"] = len(kept), len(held)
    if not kept:
        raise Refused(
            f"of {fates.total()} exchanges none may be learnt from: {dict(fates)}",
            hint="ask users for feedback with consent; docs/guides/feedback.md",
        )
    records = step.keep_nouns(kept)
    source = Source(
        name=channel,
        uri=f"exchanges:{channel}",
        licence="NOASSERTION",
        origin=f"exchanges on the channel {channel} in the last {days:g} days",
        basis="consent given with the feedback",
        sha256=records,
    )
    dataset = Dataset(
        name="learned",
        records=records,
        count=len(kept),
        quarantine=step.keep_nouns(held),
        received=fates.total(),
        fates={k: v for k, v in sorted(fates.items()) if v},
        sources=(source,),
        formats=dict(sorted(Counter(record.shape for record in kept).items())),
    )
    return step.save(dataset, "learned")


def _objection(exchange: Exchange, word: Feedback | None) -> str:
    if word is None:
        return "no feedback"
    if not (word.consent or exchange.consent):
        return "no consent"
    if exchange.verdict.action == "block":
        return "was blocked"
    if word.thumb == "down" and not word.correction.strip() and not exchange.messages[-1].content.strip():
        return "disliked, and the answer was empty"
    return ""


def _as_said(messages: tuple[Message, ...], word: Feedback) -> tuple[str, tuple[Message, ...]]:
    """What a word on an answer makes of the conversation, and what that is called."""
    *before, answer = messages
    other = Message(role="rejected", content=answer.content)
    if word.correction.strip():
        better = Message(role="assistant", content=word.correction)
        same = better.content.split() == other.content.split() or not other.content.strip()
        if word.thumb == "up" or same:
            return "corrected answers", (*before, better)
        return "disliked answers with a correction", (*before, better, other)
    if word.thumb == "down":
        return "disliked answers", (*before, other)
    return "liked answers", messages
