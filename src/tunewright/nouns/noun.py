"""What exists. Every noun is a frozen value, and its name is the digest of its content.

The digest is the SHA-256 of the noun's canonical JSON (RFC 8785, with the noun's kind inside), so
equal things have equal names and nothing is ever updated in place. Large content (records, weights,
scores) lies in blobs; a field of type `Blob` points at one by its own SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["low", "medium", "high"]
Role = Literal["system", "user", "assistant", "tool", "rejected"]
"""Who speaks. `rejected` is an answer that people did not want; it stands at the end of a record."""
Outcome = Literal["done", "refused", "failed"]
Remedy = Literal["keep", "redact", "pseudonymise", "ask", "drop", "quarantine"]
Authorship = Literal["", "human", "synthetic", "mixed"]
Action = Literal["allow", "flag", "block"]
Arm = Literal["base", "prompted", "tuned"]
Change = Literal["IMPROVED", "REGRESSED", "NO CHANGE"]

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Blob = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), "blob"]
MaybeBlob = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$"), "blob"]
"""A blob that may be absent: then it is empty."""
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
                yield from value.values() if isinstance(value, dict) else [value]
