"""Cases, measures, decisions and the line of the ledger."""

from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from tunewright.nouns.data import Finding, Message
from tunewright.nouns.noun import Action, Arm, Blob, Change, Digest, MaybeBlob, Noun, Outcome, Remedy


class Case(Noun):
    """One frozen question with what a right answer must hold."""

    id: str
    messages: tuple[Message, ...]
    reference: str = ""
    contains: tuple[str, ...] = ()
    """Each must occur in the answer, ignoring case; `a|b` means either."""
    exact: str = ""
    label: str = ""
    topic: str = ""


class About(Noun):
    """What the project says of itself; cards repeat it."""

    name: str
    summary: str


class Cases(Noun):
    """The team's own evaluation cases, frozen: which file, and its bytes."""

    file: str
    sha256: Digest


class Plan(Noun):
    """What will be asked, of whom and how: fixed before there are results."""

    suites: tuple[str, ...]
    prompts: tuple[str, ...]
    """System prompts that might do as well as tuning."""
    shots: tuple[int, ...]
    runtime: str
    options: dict[str, JsonValue]
    max_tokens: int


class Score(Noun):
    """How one case went for one arm; `values` maps the measure to a number."""

    suite: str
    arm: Arm
    case: str
    answer: str = ""
    values: dict[str, float]
    tokens: int = 0
    seconds: float = 0.0


class Measure(Noun):
    """A number, how sure we are of it, what it is a number of and how it was obtained."""

    name: str
    value: float
    low: float
    high: float
    """95% interval."""
    n: int
    method: str


class Comparison(Noun):
    """Two arms on the same items: the paired difference, its test, and what could have been seen."""

    measure: str
    before: Arm
    after: Arm
    better: Literal["higher", "lower"] = "higher"
    difference: Measure
    p: float
    """Two-sided, adjusted for the number of measures compared (Holm)."""
    test: str
    verdict: Change
    smallest_visible: float
    """Difference that this many items would show with 80% power."""


class Report(Noun):
    """What was measured about a dataset, a model or traffic."""

    about: Literal["data", "model", "traffic"]
    subject: Digest
    measures: tuple[Measure, ...]
    comparisons: tuple[Comparison, ...] = ()
    details: Blob
    """JSONL of `Finding` or `Score`."""
    tallies: MaybeBlob = ""
    """JSONL of `Tally`: the mixtures in the data, and whatever else was counted."""
    changes: MaybeBlob = ""
    """JSONL of `Edit`, of a report about vetted data."""
    page: MaybeBlob = ""
    """HTML, of a report about vetted data."""
    plugins: tuple[str, ...]
    """Checks and suites that were used, as `shelf/name`: cards repeat their limits."""
    facts: dict[str, JsonValue] = {}


class Rule(Noun):
    """`measure` must lie within bounds. The uncertain end of its interval is what is compared."""

    measure: str
    at_least: float | None = None
    at_most: float | None = None


class Policy(Noun):
    """What must be true before a thing may go on."""

    vet: dict[str, Remedy]
    """Check name (or `check.what`) to what happens to a record with such a finding."""
    release: tuple[Rule, ...]
    serve: dict[str, Action]
    """Check name (or `check.what`) to what happens to a message with such a finding."""
    options: dict[str, dict[str, JsonValue]] = {}
    """Options of checks, by name."""


class Decision(Noun):
    """What a policy said of a subject, rule by rule."""

    policy: Digest
    subject: Digest
    passed: bool
    met: tuple[str, ...]
    broken: tuple[str, ...]


class Verdict(Noun):
    """What to do with one message, and what was seen in it."""

    action: Action
    findings: tuple[Finding, ...] = ()


class Release(Noun):
    """A model that a policy let through, with its documents."""

    name: str
    model: Digest
    decision: Digest
    report: Digest
    model_card: Blob
    dataset_card: Blob
    page: Blob
    """The HTML report."""


class Channel(Noun):
    """Where a release is in service. Rolling back is pointing the channel at the one before."""

    name: str
    release: Digest
    before: Digest | None = None


class Erasure(Noun):
    """The receipt of a forget: what was removed and which models still carry it."""

    person: Digest
    """Keyed commitment; it also keeps the person out of later gathers."""
    keys: tuple[Digest, ...] = ()
    """Commitments to the other forms in which the person may be written."""
    records: int
    exchanges: int
    datasets: tuple[Digest, ...]
    blobs: tuple[Digest, ...]
    """Blobs that were deleted."""
    models: tuple[Digest, ...]
    releases: tuple[Digest, ...]
    retrain: str
    """The command that makes a model that never saw the person."""


class Entry(Noun):
    """One line of the ledger: who did what, to what, and what came of it. It never holds users' words."""

    seq: int
    verb: str
    actor: str
    key: Digest
    """Names the work: verb, parameters and everything it read. Equal keys are the same work."""
    inputs: tuple[Digest, ...]
    params: dict[str, JsonValue]
    outputs: tuple[Digest, ...]
    names: dict[str, Digest]
    """Names that were pointed, as `kind/name`."""
    outcome: Outcome
    note: str
    started: datetime
    seconds: float
    software: str
