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

    An exchange enters when its user gave feedback with consent: liked answers as they are, disliked ones
    with the correction in place of the answer. What resembles an evaluation case never enters. To train
    on the result, add `dataset: learned` to `data` in tunewright.yaml; it is vetted like any other source.

    Parameters:
    channel: which service
    days: how far back

    Limits: believes the people who gave feedback; nobody reviews corrections unless you do.
    """
    words = project.traffic.words()
    fates, candidates, held = Counter[str](), list[Record](), list[Reject]()
    for exchange in project.traffic.since(days, channel):
        word = words.get(exchange.id)
        reason = _objection(exchange, word)
        if reason or word is None:
            fates[f"dropped: {reason}"] += 1
            continue
        messages = exchange.messages
        if word.correction:
            messages = (*messages[:-1], Message(role="assistant", content=word.correction))
        origin = Origin(source=channel, file=f"exchange:{exchange.id}", line=1)
        subjects = (exchange.person,) if exchange.person else ()
        candidates.append(
            Record(id=f"exchange:{exchange.id}", messages=messages, origin=origin, subjects=subjects)
        )
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
    )
    return step.save(dataset, "learned")


def _objection(exchange: Exchange, word: Feedback | None) -> str:
    if word is None:
        return "no feedback"
    if not (word.consent or exchange.consent):
        return "no consent"
    if exchange.verdict.action == "block":
        return "was blocked"
    if word.thumb == "down" and not word.correction:
        return "disliked, and not corrected"
    return ""
