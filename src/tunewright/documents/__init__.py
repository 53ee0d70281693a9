"""Documents are views of the evidence.   (evidence) -> str

A document states nothing of its own: every number comes from a report, every limit from the docstring of
the check or suite that was used, every step from the ledger.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import JsonValue

from tunewright.nouns import (
    Base,
    Case,
    Dataset,
    Decision,
    Edit,
    Entry,
    Estimate,
    Finding,
    Model,
    Progress,
    Recipe,
    Reject,
    Report,
    Score,
    Severity,
    Tally,
)
from tunewright.rights import Rights
from tunewright.shelf import Shelf


class Limit(NamedTuple):
    """What a check or suite that was used says of itself."""

    plugin: str
    title: str
    limits: str


class Kept(NamedTuple):
    """A record that went into training, without its words."""

    source: str
    licence: str
    turns: int
    characters: int


class Found(NamedTuple):
    """How many findings of one kind there are, and in how many records."""

    check: str
    what: str
    severity: Severity
    findings: int
    records: int
    examples: tuple[tuple[str, str], ...] = ()
    """The reason, and the file and line, of the first few."""


class Evidence(NamedTuple):
    """Everything that stands behind one release, read from the ledger and its blobs."""

    project: str
    summary: str
    model: Model
    base: Base
    recipe: Recipe
    gathered: Dataset
    vetted: Dataset
    rejects: tuple[Reject, ...]
    """Held back by gather, then by vet."""
    findings: tuple[Finding, ...]
    data_report: Report
    report: Report
    scores: tuple[Score, ...]
    cases: tuple[Case, ...]
    training: tuple[Progress, ...]
    decision: Decision
    limits: tuple[Limit, ...]
    history: tuple[Entry, ...]
    """Ledger entries that led to the model and its reports, oldest first."""
    tallies: tuple[Tally, ...] = ()
    """What vetting counted, such as languages."""
    rights: Rights | None = None
    """What the licences of data and base model let the tuned model be used for."""
    kept: tuple[Kept, ...] = ()
    """One for each record of `vetted`. Empty when nobody counted: documents then say so."""
    estimate: Estimate | None = None
    """What was planned before the training, if anything was."""


class Course(NamedTuple):
    """A training as it goes or went, for its page."""

    project: str
    base: Base
    recipe: Recipe
    dataset: Dataset
    steps: tuple[Progress, ...]
    state: Literal["going on", "stopped", "failed", "finished"]
    written: datetime
    facts: dict[str, JsonValue]
    """What the training did; empty until it is done."""
    elapsed: float
    """Seconds since this process began."""
    left: float | None = None
    """Seconds that the rest takes at the speed so far; None when it cannot be told."""
    why: str = ""
    """What made it fail."""
    remarks: tuple[str, ...] = ()
    """What is no part of the history, such as a tracker that failed."""
    estimate: Estimate | None = None
    model: str = ""
    """Digest of what came of it."""


class Point(NamedTuple):
    """One record on the map of topics. Coordinates are unitless; only nearness means anything."""

    x: float
    y: float
    topic: int


class Vetting(NamedTuple):
    """Everything that stands behind a vetted dataset, for its report and its list of changes."""

    project: str
    gathered: Dataset
    vetted: Dataset
    report: Report
    tallies: tuple[Tally, ...]
    about: tuple[Finding, ...]
    """Findings about the dataset as a whole."""
    found: tuple[Found, ...]
    rejects: tuple[Reject, ...]
    """Some of those held back, for examples; the numbers are in `fates`."""
    edits: tuple[Edit, ...]
    """Changes, in the order of the records; at most as many as a page can bear."""
    edited: int
    """How many changes there are in all."""
    rights: Rights | None
    limits: tuple[Limit, ...]
    points: tuple[Point, ...] = ()
    topics: tuple[str, ...] = ()
    """Names of the topics, by the number in `Point.topic`."""


documents: Shelf[Callable[..., str]] = Shelf(__name__)
