"""Base models, recipes and what training makes of them."""

from typing import Annotated, Literal

from pydantic import JsonValue

from tunewright.nouns.noun import Blob, Digest, Noun


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
    harden: float = 0.0
    """Hardening examples that are added for every record, on average."""
    abstain: str = ""
    """What the model shall say when documents do not tell; empty for a sentence in the record's language."""


class Progress(Noun):
    """How far a long step is. `total` 0 means unknown."""

    label: str
    done: float
    total: float = 0
    note: str = ""
    values: dict[str, float] = {}
    """Numbers worth plotting, such as `loss` and `tokens_per_second`."""


class Estimate(Noun):
    """What a training would take on this machine: made before it, compared with it afterwards."""

    recipe: Digest
    dataset: Digest
    verdict: Literal["fits", "tight", "will not fit"]
    remedies: tuple[str, ...] = ()
    """What would make it fit."""
    seconds: float
    seconds_low: float
    seconds_high: float
    memory: float
    """Most bytes resident."""
    available: float
    """Bytes that this process could have."""
    disk: float
    """Bytes of checkpoints and weights."""
    kwh: float
    grams: float
    """Of carbon dioxide."""
    price: float
    currency: str
    tokens: float
    """Of all steps."""
    flop: float
    """6 x parameters x tokens."""
    steps: int
    forget: dict[str, float]
    """Seconds that it takes to go on without a person, by the stage that first saw them."""
    basis: dict[str, JsonValue]
    """What was measured and what was assumed."""


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
    stages: Annotated[dict[Digest, Digest], "blob"] = {}
    """Checkpoints that later trainings can go on from, by the name of the work that made them."""
    facts: dict[str, JsonValue] = {}
    """What the training did: tokens, parameters, floating-point operations, seconds, bytes of memory."""
