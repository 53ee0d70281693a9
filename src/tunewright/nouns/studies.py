"""Learning curves and searches: many trainings that answer a question."""

from typing import Literal

from pydantic import JsonValue

from tunewright.nouns.evidence import Measure
from tunewright.nouns.noun import Digest, MaybeBlob, Noun


class Point(Noun):
    """What was measured with so many records on a learning curve."""

    records: int
    tokens: int = 0
    """Tokens learnt in one training, over all its epochs; 0 when the trainer does not say."""
    losses: tuple[float, ...]
    """Held-out loss in nats per token, one for each subset of this size."""
    measures: tuple[Measure, ...] = ()
    """Of the evaluation cases, for the first subset, when they were asked."""


class Law(Noun):
    """loss(n) = a + b n^(-c), with n in records and the loss in nats per token."""

    a: float
    b: float
    c: float


class Needed(Noun):
    """Whether the data is enough for one rule of the release policy, and how much would be."""

    rule: str
    """The measure, and its bound."""
    now: Measure
    """With all records."""
    told: Literal["enough", "more", "not by more of this data", "cannot tell"]
    records: Measure | None = None
    """How many would be enough, extrapolated."""
    open: bool = False
    """The interval of `records` has no upper end: its `high` is the largest size that was considered."""


class Curve(Noun):
    """How the held-out loss falls with more of the same data, and what twice as much would bring."""

    dataset: Digest
    recipe: Digest
    base: Digest
    day: str
    """When it was measured, as YYYY-MM-DD, in UTC."""
    records: int
    """To learn from, at the largest size."""
    held: int
    """Conversations that were never learnt; every training was measured on them."""
    per: str = "token"
    """What the held-out loss is a mean over."""
    points: tuple[Point, ...]
    law: Law
    measures: tuple[Measure, ...]
    """`curve.held_out_loss` with all records and `curve.gain_of_double`, in nats per token."""
    told: Literal["gain", "little", "cannot tell"]
    sentence: str
    needed: tuple[Needed, ...] = ()
    """For the gate, when the evaluation cases were asked."""
    looks: int = 0
    """How often a tuned model answered the evaluation cases: each is an attempt."""


class Space(Noun):
    """Which options a search may vary, and within which bounds."""

    options: dict[str, JsonValue]
    """A list of values, or `low`, `high` and `log`."""


class Trial(Noun):
    """One training of a search, with the settings that were tried."""

    study: Digest
    """Names what all trials of a search share: data, recipe, base and space."""
    number: int
    """0 is the recipe's own settings."""
    options: dict[str, JsonValue]
    state: Literal["complete", "pruned", "failed"]
    loss: float | None
    """Held-out loss of the weights that were kept, in nats per token (the last one when it was stopped); None
    when it failed before there was one."""
    steps: tuple[float, ...] = ()
    """Held-out loss at each measurement, in order."""
    note: str = ""
    details: MaybeBlob = ""
    """JSONL: nats and tokens of each conversation that chose nothing, for the best so far."""


class Search(Noun):
    """Which settings did best of those that were tried."""

    dataset: Digest
    recipe: Digest
    base: Digest
    space: dict[str, JsonValue]
    trials: tuple[Digest, ...]
    tried: dict[str, int]
    """How many trials were complete, pruned or failed."""
    best: int
    """The number of the trial."""
    options: dict[str, JsonValue]
    """Its settings: the recipe's own options with these in their place."""
    measures: tuple[Measure, ...]
    """`search.own_loss` and `search.best_loss` on the conversations that chose, and `search.change`:
    best minus own on conversations that chose nothing, paired. In nats per token."""
    held: int
    """Conversations that chose."""
    per: str = "token"
    """What the held-out loss is a mean over."""
    unseen: int
    """Conversations that neither taught nor chose."""
    sentence: str
