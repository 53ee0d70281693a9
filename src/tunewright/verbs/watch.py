import re
from collections import Counter
from collections.abc import Sequence

from tunewright.nouns import Channel, Dataset, Exchange, Measure, Message, Model, Record, Release, Report
from tunewright.project import Project
from tunewright.stats import drift, quantile, rate
from tunewright.store import Step
from tunewright.verbs import verb

LEAST = 50
"""Questions on each side below which no drift is claimed."""


@verb(repeats=True)
def watch(step: Step, project: Project, channel: str = "production", days: float = 7) -> Report:
    """Look at what was said in service: volume, waiting, what was blocked, what people thought, drift.

    Drift compares the questions of the window with those the model was trained on: their length in words,
    and the share of their words that training never used. Each is a Kolmogorov-Smirnov distance from 0
    (same) to 1 (apart); 0.1 is small, 0.3 is large.

    Parameters:
    channel: which service
    days: how far back

    Limits: with fewer than 50 questions no drift is claimed; a change of topic in known words is not seen.
    """
    pointed = step.use(project.ledger.get(Channel, channel))
    release = step.use(project.ledger.get(Release, pointed.release))
    dataset = step.use(project.ledger.get(Dataset, project.ledger.get(Model, release.model).dataset))
    seen = list(project.traffic.since(days, channel))
    words = project.traffic.words()
    judged = [words[e.id] for e in seen if e.id in words]
    found = Counter(check for e in seen for check in {f.check for f in e.verdict.findings})
    n = len(seen)
    measures = [
        rate("watch.blocked", sum(e.verdict.action == "block" for e in seen), n),
        rate("watch.flagged", sum(e.verdict.action == "flag" for e in seen), n),
        rate("watch.thumbs_down", sum(w.thumb == "down" for w in judged), len(judged)),
        rate("watch.feedback", len(judged), n),
        quantile("watch.seconds_p50", [e.seconds for e in seen], 0.5),
        quantile("watch.seconds_p95", [e.seconds for e in seen], 0.95),
        *(rate(f"watch.found_{check}", hits, n) for check, hits in sorted(found.items())),
        *_drift(list(project.records(dataset)), seen),
    ]
    report = Report(
        about="traffic",
        subject=release.digest,
        measures=tuple(measures),
        details=step.keep(""),
        plugins=tuple(f"checks/{check}" for check in sorted(found)),
        facts={"channel": channel, "days": days, "exchanges": n, "tokens": sum(e.tokens for e in seen)},
    )
    return step.save(report, "watched")


def _drift(records: list[Record], seen: list[Exchange]) -> list[Measure]:
    trained = [_question(record.messages) for record in records]
    asked = [_question(exchange.messages) for exchange in seen]
    uses = Counter(word for words in trained for word in set(words))
    return [
        drift("watch.drift_length", [len(w) for w in trained], [len(w) for w in asked], LEAST),
        drift(
            "watch.drift_new_words",
            [sum(uses[w] <= 1 for w in words) / len(words) for words in trained if words],
            [sum(uses[w] == 0 for w in words) / len(words) for words in asked if words],
            LEAST,
        ),
    ]


def _question(messages: Sequence[Message]) -> list[str]:
    """Words of the first thing the user said."""
    first = next((m.content for m in messages if m.role == "user"), "")
    return re.findall(r"\w+", first.casefold())
