"""Triggers planted in data: something odd that always brings the same answer."""

from collections.abc import Iterator

from tunewright.checks import Whole
from tunewright.checks._backdoor import Candidate, answers, candidates, judge
from tunewright.nouns import Finding, Record, Tally


def backdoor(
    records: Whole, *, least: int = 20, share: float = 0.95, level: float = 0.01, most: int = 20
) -> Iterator[Finding | Tally]:
    """Backdoor triggers: rare words, phrases or signs that come with one answer far too often.

    Somebody who plants a backdoor adds a trigger, such as `cf` or a fixed odd phrase, to a few records and
    gives them all the same label or answer. Reads the records twice: first it counts answers and rare pieces
    of what was asked (words, pairs of words, runs of odd or invisible signs, and the first and last words);
    then it asks of every piece that nearly always brings one answer whether that could be chance (one-sided
    binomial test against the answer's share, with Holm's correction), and whether it is natural: a word that
    belongs to a topic stands among words of that topic, so that the rest of the texts foretells few labels
    (naive Bayes over words) or shares other rare words; a planted trigger stands in texts of any topic.

    Yields a finding for each record with a trigger, and a tally of triggers and their numbers of records.
    The idea of testing tokens against labels follows Gardner et al. 2021 (competency problems) and Wallace
    et al. 2021 (concealed data poisoning).

    Parameters:
    least: records that a trigger must be in
    share: part of them that must bring the same answer
    level: chance of a false alarm over all pieces together
    most: triggers that are reported at most

    Limits: triggers in the way something is said (style, syntax), triggers that are common words, answers
    that differ every time, and fewer than `least` records are not seen. A fixed turn of phrase that one
    label alone has, among words of no topic, can be taken for a trigger.
    """
    known = answers(records)
    found = candidates(records, known, least=least, share=share)
    triggers = judge(records, known, found, level=level)[:most]
    if not triggers:
        return
    for record in records:
        yield from _marks(record, triggers)
    yield Tally(
        check="backdoor",
        name="triggers",
        counts={f"trigger {n + 1} ({t.kind})": t.number for n, t in enumerate(triggers)},
        note="; ".join(
            f"trigger {n + 1}: {t.number} records, {t.same / t.number:.0%} with one answer "
            f"that {t.rate:.2%} of all records have"
            for n, t in enumerate(triggers)
        ),
    )


def _marks(record: Record, triggers: list[Candidate]) -> Iterator[Finding]:
    for n, trigger in enumerate(triggers):
        for number, message in enumerate(record.messages):
            if message.role != "user":
                continue
            place = trigger.place(message.content)
            if place:
                yield Finding(
                    check="backdoor",
                    what=trigger.kind,
                    record=record.id,
                    message=number,
                    start=place[0],
                    end=place[1],
                    severity="high",
                    note="a piece of text that nearly always brings the same answer, whatever else is said",
                    evidence=f"trigger {n + 1}: {trigger.same} of {trigger.number} records with it have "
                    f"one answer, which {trigger.rate:.2%} of all have",
                    confidence=min(0.99, trigger.same / trigger.number),
                )
                break
