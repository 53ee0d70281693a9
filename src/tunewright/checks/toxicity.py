"""Hateful, threatening, harassing, sexual and self-harming language, and profanity."""

from collections.abc import Iterator

from tunewright.checks import Each
from tunewright.checks._toxicity import hateful, words_of
from tunewright.checks._toxicity_rules import hits
from tunewright.nouns import Finding, Record, Severity

_LONGEST = 20_000


def toxicity(records: Each, *, sure: float = 0.2, profanity: bool = True) -> Iterator[Finding]:
    """Language that a model should not learn by accident, and a service should not pass on unseen.

    Looks in every turn for what is `hateful` of a protected group or uses a slur, for a `threat`, for
    `harassment` of the person spoken to, for `self_harm` (also the words of people who seek help: medium, and
    the note says that support conversations need them), for `sexual` content, and for `profanity` (low; left
    out with `profanity=False`).

    `hateful` rests on a small linear model over what words do in a sentence: who is spoken of, what is said
    or wished, whether that is denied, quoted or condemned. It was trained on sentences made by an own
    grammar and on ordinary texts (`training/toxicity/README.md`); `sure` is the probability from which a
    sentence is reported, of low severity below one half. It reads through swapped, missing and spaced
    letters and figures for letters. The other kinds are patterns. Measured with `benchmarks/_toxicity.py`
    on HateCheck (Röttger et al. 2021), which it was never trained on: area under the curve .80 by the
    confidence of what is reported; 70% of the hateful cases are reported, 12% of the harmless ones, and
    2% of neutral and kind mentions of groups.

    Limits: made for English; German, French and Spanish only by lists of slurs, threats and swear words.
    Knows the groups and words in its lists: hate in fresh words, irony, allusion and dog whistles pass, and
    so does what is hateful only in its context. Denied hate, unusual kind words and reports of hate can be
    taken for it, so that people who speak of their own group may be reported more often: look before you
    drop. No opinion on truth, politics or images.
    """
    for record in records:
        for number, message in enumerate(record.messages):
            yield from _look(record, number, message.content, sure, profanity)


def _look(record: Record, number: int, text: str, sure: float, profanity: bool) -> Iterator[Finding]:
    text = text[:_LONGEST]
    shown = words_of(text)
    for place in hateful(text, shown, sure):
        severity: Severity = "low" if place.sure < 0.5 else "medium" if place.sure < 0.9 else "high"
        yield Finding(
            check="toxicity",
            what="hateful",
            record=record.id,
            message=number,
            start=place.start,
            end=place.end,
            severity=severity,
            note="uses a slur against people"
            if place.slur
            else "speaks of a group of people with hate or contempt",
            evidence="linear model over sentence roles",
            confidence=round(place.sure, 3),
        )
    for hit in hits(text, shown):
        if hit.what == "profanity" and not profanity:
            continue
        yield Finding(
            check="toxicity",
            what=hit.what,
            record=record.id,
            message=number,
            start=hit.start,
            end=hit.end,
            severity=hit.severity,
            note=hit.note,
            evidence=hit.rule,
            confidence=hit.sure,
        )
