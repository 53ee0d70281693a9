"""Base models, recipes and what training makes of them."""

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
