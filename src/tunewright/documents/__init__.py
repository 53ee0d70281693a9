"""Documents are views of the evidence.   (evidence) -> str

A document states nothing of its own: every number comes from a report, every limit from the docstring of
the check or suite that was used, every step from the ledger.
"""

from collections.abc import Callable
from typing import NamedTuple

from tunewright.nouns import (
    Base,
    Case,
    Dataset,
    Decision,
    Entry,
    Finding,
    Model,
    Progress,
    Recipe,
    Reject,
    Report,
    Score,
)
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
    kept: tuple[Kept, ...] = ()
    """One for each record of `vetted`. Empty when nobody counted: documents then say so."""


documents: Shelf[Callable[[Evidence], str]] = Shelf(__name__)
