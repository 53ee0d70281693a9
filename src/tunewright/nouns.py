"""What exists. Every noun is a frozen value, and its name is the digest of its content.

The digest is the SHA-256 of the noun's canonical JSON (RFC 8785, with the noun's kind inside), so
equal things have equal names and nothing is ever updated in place. Large content (records, weights,
scores) lies in blobs; a field of type `Blob` points at one by its own SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, JsonValue

Severity = Literal["low", "medium", "high"]
Role = Literal["system", "user", "assistant", "tool"]
Outcome = Literal["done", "refused", "failed"]
Remedy = Literal["keep", "redact", "drop", "quarantine"]
Action = Literal["allow", "flag", "block"]
Arm = Literal["base", "prompted", "tuned"]
Change = Literal["IMPROVED", "REGRESSED", "NO CHANGE"]

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Blob = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), "blob"]
Private = Annotated[str, "private"]
"""A parameter that names a person: the ledger keeps a keyed commitment in its place."""


class Noun(BaseModel):
    """A frozen value, named by its content."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.kind = cls.__name__.lower()

    @property
    def canonical(self) -> bytes:
        """The RFC 8785 bytes that are stored and hashed."""
        return rfc8785.dumps({"kind": self.kind, **self.model_dump(mode="json")})

    @property
    def digest(self) -> str:
        """SHA-256 of `canonical`, in hexadecimal."""
        return hashlib.sha256(self.canonical).hexdigest()

    def points_at(self) -> Iterator[str]:
        """Digests of the blobs this noun points at."""
        for name, field in type(self).model_fields.items():
            if "blob" in field.metadata and (value := getattr(self, name)):
                yield value


# ── data ────────────────────────────────────────────────────────────────────────────────────────


class Message(Noun):
    """One turn of a conversation."""

    role: Role
    content: str


class Origin(Noun):
    """Where a record came from: the source's name, the file below the project, the line (from 1)."""

    source: str
    file: str
    line: int


class Record(Noun):
    """One conversation, or one labelled text (then `label` is set and is also the last answer)."""

    id: str
    messages: tuple[Message, ...]
    label: str = ""
    licence: str = ""
    origin: Origin
    subjects: tuple[str, ...] = ()
    """Whom it concerns: as written in the source until `gather` replaces them by keyed commitments."""

    @property
    def text(self) -> str:
        """Every turn's words, in order."""
        return "\n".join(m.content for m in self.messages)


class Reject(Noun):
    """A row that could not become a record, or a record that may not go on, and why."""

    origin: Origin
    reason: str
    raw: str = ""
    """The first 2,000 characters as they came; only in the quarantine blob, which can be erased."""
    subjects: tuple[str, ...] = ()


class Source(Noun):
    """A place records come from, the right to use them, and the bytes it had when it was read."""

    name: str
    uri: str
    licence: str
    """SPDX expression, or NOASSERTION when it is not known."""
    origin: str
    basis: str
    collected: str = ""
    sha256: Digest


class Dataset(Noun):
    """A fixed set of records, its lineage, and the fate of everything that came in."""

    name: str
    records: Blob
    """JSONL of `Record`."""
    count: int
    quarantine: Blob
    """JSONL of `Reject`."""
    received: int
    fates: dict[str, int]
    """How many records met which end (`kept`, `cleaned`, `dropped: …`, …); sums to `received`."""
    sources: tuple[Source, ...]
    formats: dict[str, int] = {}
    """Row shapes that were recognised, such as "OpenAI chat messages", and how many rows had each."""
    parent: Digest | None = None


class Finding(Noun):
    """Something a check noticed: where, how bad, why. What it means is for a policy to say."""

    check: str
    what: str
    """The kind of thing within the check, such as `email`."""
    record: str
    message: int = 0
    start: int = 0
    end: int = 0
    """Span in that message's characters; `start == end` means the whole record."""
    severity: Severity
    note: str
    """Words about the finding; never the text that was found."""


# ── models ──────────────────────────────────────────────────────────────────────────────────────


class Base(Noun):
    """A pre-trained open model as found: where, under which licence, exactly which bytes."""

    uri: str
    licence: str
    revision: str
    sha256: Digest
    parameters: int


class Recipe(Noun):
    """How to tune: base model, trainer and its options, seed."""

    base: str
    trainer: str
    seed: int
    options: dict[str, JsonValue]
    system: str = ""
    """System prompt that the model is trained, measured and served with."""


class Progress(Noun):
    """How far a long step is. `total` 0 means unknown."""

    label: str
    done: float
    total: float = 0
    note: str = ""
    values: dict[str, float] = {}
    """Numbers worth plotting, such as `loss` and `tokens_per_second`."""


class Model(Noun):
    """Weights, and the recipe, data and base that made them."""

    name: str
    base: Digest
    recipe: Digest
    dataset: Digest
    weights: Blob
    """A folder: a PEFT adapter in safetensors."""
    history: Blob
    """JSONL of `Progress`."""
    made_with: dict[str, str]
    """Library versions, threads and processor, as far as they decide the bytes."""


# ── evidence ────────────────────────────────────────────────────────────────────────────────────


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


# ── service: what people said. Never in the ledger; it can be erased ────────────────────────────


class Exchange(Noun):
    """A conversation in service, its answer, and what the checks saw."""

    id: str
    release: Digest
    channel: str
    at: datetime
    messages: tuple[Message, ...]
    verdict: Verdict
    seconds: float
    tokens: int
    person: str = ""
    """Keyed commitment to whoever asked, when the client said who."""
    consent: bool = False
    """Whether this may be learnt from."""


class Feedback(Noun):
    """A person's word on an exchange."""

    exchange: str
    at: datetime
    thumb: Literal["up", "down"]
    correction: str = ""
    consent: bool = False


NOUNS: dict[str, type[Noun]] = {cls.kind: cls for cls in Noun.__subclasses__()}
