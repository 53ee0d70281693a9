"""What was written for others to read, and the proof that it says what the tuned model says."""

from pydantic import JsonValue

from tunewright.nouns.noun import Blob, Digest, Noun


class Proof(Noun):
    """How the answers of an export compare with the tuned model's, as one engine reads it."""

    engine: str
    """`local` is this program's own runtime, others are named by their Python package."""
    prompts: int
    identical: int
    common: float
    """Mean share of the answer, in words, before the first difference (0 to 1)."""
    token_f1: float
    """Mean overlap of words between the two answers (0 to 1)."""
    surprise: float | None = None
    """Nats per token by which the tuned model's answers surprise the export more than the tuned model
    itself.
    """


class Difference(Noun):
    """One question that two models answer differently. The question itself stands in the cases."""

    case: str
    engine: str
    tuned: str
    exported: str


class Export(Noun):
    """A model in a format that others read: which files, and the proof that it is the tuned model."""

    name: str
    model: Digest
    format: str
    """The plugin that wrote it."""
    precision: str
    """How numbers are written; empty when they are as they were trained."""
    folder: str
    """Where the files were put, relative to the project."""
    loaded: str
    """What one loads: a file of the folder, or `.` for the whole of it."""
    files: dict[str, Digest]
    bytes: int
    prompts: int
    identical: int
    """Prompts that every engine answered with exactly the words of the tuned model."""
    proofs: tuple[Proof, ...]
    differences: Blob
    """JSONL of `Difference`."""
    warnings: tuple[str, ...] = ()
    pushed: str = ""
    """Where it was pushed: `owner/name@commit`."""
    facts: dict[str, JsonValue] = {}
    """Seconds for writing and for proving."""
