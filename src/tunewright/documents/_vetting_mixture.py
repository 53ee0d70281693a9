"""What the records are made of: every tally as a plot with its table, and the map of topics."""

from collections.abc import Callable
from typing import NamedTuple

from markupsafe import Markup

from tunewright.documents import Vetting
from tunewright.documents import _plots as plots
from tunewright.documents._vetting_words import KINDS, kind, language, line, many, share
from tunewright.nouns import Tally

MANY = 16
"""Classes that a plot shows; a table has more."""
LISTED = 300
CURVE = "learning_curve"
"""Its classes are sizes and its counts right answers in a thousand: they add up to nothing."""


class Known(NamedTuple):
    """What people call a tally."""

    title: str
    says: str = ""


KNOWN = {
    "language.language": Known("Languages"),
    "representation.language": Known("Languages, in a sample"),
    "representation.label": Known("Label balance", "labelled texts by label"),
    "representation.question_words": Known("Length of the questions", "words that users wrote, by record"),
    "representation.answer_words": Known("Length of the answers", "words of the last answer, by record"),
    "representation.turns": Known("Turns", "records by how often the user speaks"),
    "representation.answers": Known("Preferences", "records by the answers they end with"),
    "representation.topics": Known("Topics", "records by topic; names are frequent words"),
    "representation.source": Known("Sources", "records by source"),
    "representation.gender": Known("Mentions of gender"),
    "representation.age": Known("Mentions of age"),
    "representation.region": Known("Mentions of regions"),
    "representation.dialect": Known("Signs of dialect"),
    "duplicates.clusters": Known("Clusters of duplicates", "clusters by size"),
    "licence.licences": Known("Licences", "records by licence as it was declared"),
    "retention.months": Known("Months in which retention ends"),
    "sufficiency.uncovered": Known("Evaluation topics without training records nearby"),
    "sufficiency.learning_curve": Known("Learning curve", "right answers of a simple classifier"),
    "backdoor.triggers": Known("Possible triggers"),
    "label_noise.not_judged": Known("Labels that could not be judged"),
    "mismatch.not_judged": Known("Answers that could not be judged"),
}
ELSEWHERE = {"canary", "licence"}
"""Checks whose tallies have a place of their own on the page."""
ORDERED = {"question_words", "answer_words", "turns", "clusters", "months", "learning_curve"}
"""Tallies whose classes have an order of their own; others are ordered by size."""
TWICE = {"representation.language": "language.language"}
"""A tally that says less than another: left out when the other is there."""


class Class(NamedTuple):
    """One class of a tally."""

    label: str
    n: int
    share: str


class Panel(NamedTuple):
    """A tally, drawn and as a table."""

    id: str
    title: str
    note: str
    plot: Markup
    classes: tuple[Class, ...]
    more: int
    """Classes that the table leaves out."""
    total: int
    hidden: bool
    """Whether the plot leaves classes out, so that a table is needed."""


def panels(evidence: Vetting) -> list[Panel]:
    """One for each tally that has no place of its own."""
    named = {f"{t.check}.{t.name}": t for t in evidence.tallies if t.check not in ELSEWHERE and t.counts}
    rank = {name: at for at, name in enumerate(KNOWN)}
    chosen = [name for name in named if TWICE.get(name) not in named]
    chosen.sort(key=lambda name: (rank.get(name, len(rank)), name))
    return [panel(named[name])._replace(id=f"tally-{n}") for n, name in enumerate(chosen, 1)]


def panel(tally: Tally) -> Panel:
    """A tally as bars. Classes in an order of their own keep it; others come by size."""
    name = f"{tally.check}.{tally.name}"
    about = KNOWN.get(name, Known(f"{tally.check.replace('_', ' ')}: {tally.name.replace('_', ' ')}"))
    called: Callable[[str], str] = language if tally.name == "language" else _called
    total = sum(tally.counts.values())
    classes = [Class(called(label), n, share(n, total)) for label, n in tally.counts.items()]
    if tally.name not in ORDERED or len(classes) > MANY:
        classes.sort(key=lambda c: -c.n)
    shown = classes if len(classes) <= MANY else [*classes[: MANY - 5], *classes[-4:]]
    bars = [plots.Bar(c.label, c.n) for c in shown]
    left_out = ""
    if len(classes) > MANY:
        gone = classes[MANY - 5 : -4]
        bars.insert(MANY - 5, plots.Bar(f"… {len(gone):,} between", 0, "none"))
        left_out = (
            f"{MANY - 5} most and 4 least frequent of {len(classes):,}; "
            f"{sum(c.n for c in gone):,} in the {len(gone):,} between"
        )
    says = f"{about.title}: "
    if tally.name == CURVE:
        says += ", ".join(f"{c.label} {_thousandth(c.n)}" for c in shown)
    else:
        says += ", ".join(f"{c.label} {c.n:,} ({c.share})" for c in shown)
    told = _thousandth if tally.name == CURVE else _number
    plot = plots.lean(bars, says=f"{says}; {left_out}" if left_out else says, told=told)
    note = ". ".join(
        words[:1].upper() + words[1:] for words in (about.says, line(tally.note, 400), left_out) if words
    )
    return Panel(
        "tally",
        about.title,
        note,
        plot,
        tuple(classes[:LISTED]),
        max(0, len(classes) - LISTED),
        0 if tally.name == CURVE else total,
        len(classes) > MANY,
    )


def _called(label: str) -> str:
    return kind(label) if label in KINDS else line(label, 60) or "(empty)"


def _thousandth(n: int) -> str:
    return f"{n / 10:.1f}%"


def _number(n: int) -> str:
    return f"{n:,}" if n else ""


class Topic(NamedTuple):
    """A topic on the map."""

    group: int
    name: str
    n: int
    share: str
    sign: Markup


class Map(NamedTuple):
    """Records as points: near each other when they use the same words."""

    plot: Markup
    topics: tuple[Topic, ...]
    total: int


def topic_map(evidence: Vetting) -> Map | None:
    """The map, when there were records enough for one."""
    points = evidence.points
    if not points:
        return None
    most = max(max(p.topic for p in points) + 1, len(evidence.topics))
    names = [line(name, 60) for name in evidence.topics]
    names += [f"topic {n + 1}" for n in range(len(names), most)]
    sizes = [0] * most
    for point in points:
        sizes[point.topic] += 1
    says = f"Map of {many(len(points), 'record')} by topic; near means similar words. " + ", ".join(
        f"{n + 1} {name}: {sizes[n]:,}" for n, name in enumerate(names) if sizes[n]
    )
    topics = tuple(
        Topic(n, name, sizes[n], share(sizes[n], len(points)), plots.sign(n))
        for n, name in enumerate(names)
        if sizes[n]
    )
    dots = [plots.Dot(p.x, p.y, p.topic) for p in points]
    return Map(plots.scatter(dots, names, says=says), topics, len(points))
