"""What `tunewright.yaml` may say. Its JSON Schema is published for editors: `tunewright schema`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from tunewright.nouns import Action, Remedy, Rule

Options = dict[str, JsonValue]


class Section(BaseModel):
    """A part of the file; unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Section):
    """Records and the right to use them."""

    file: str = Field("", description="File, folder or glob, relative to this file.")
    dataset: str = Field("", description="Instead of a file: a dataset of this project, such as `learned`.")
    licence: str = Field(description="SPDX expression such as CC-BY-4.0, or NOASSERTION when nobody knows.")
    origin: str = Field(min_length=3, description="Who made these records, and where you got them.")
    basis: str = Field(
        min_length=3, description="Why you may use them: consent, contract, own work, fictional…"
    )
    collected: str = Field("", description="When they were collected, such as 2026-03.")
    source: str = Field("auto", description="Plugin that reads the file; `auto` goes by its name.")
    options: Options = Field({}, description="Options of that plugin.")

    @model_validator(mode="after")
    def _one_place(self) -> "Data":
        if bool(self.file) == bool(self.dataset):
            raise ValueError("name either a file or a dataset")
        return self

    @field_validator("licence")
    @classmethod
    def _a_licence(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("say which licence, or NOASSERTION when nobody knows")
        return value.strip()


class Tuning(Section):
    """How to tune."""

    base: str = Field(
        description="Base model: `package:module/file.gguf`, `folder:path` or `hub:owner/name@revision`."
    )
    trainer: str = Field("lora", description="Plugin that trains.")
    seed: int = Field(1, description="Same seed, data and machine: same bytes.")
    options: Options = Field({}, description="Options of that trainer, such as epochs and learning_rate.")


class Evaluating(Section):
    """What the model is asked before it may go out."""

    cases: str = Field(description="The team's own evaluation cases: JSONL, one case a line.")
    suites: tuple[str, ...] = Field(("golden", "loss", "speed"), description="Which examinations.")
    prompts: tuple[str, ...] = Field(
        (), description="Files with system prompts that might do as well as tuning."
    )
    shots: tuple[int, ...] = Field(
        (0, 4), description="How many training examples to show the prompted base."
    )
    runtime: str = Field("local", description="Plugin that runs the model, here and in `serve`.")
    options: Options = Field({}, description="Options of that runtime.")
    max_tokens: int = Field(96, ge=1, description="Longest answer, in tokens.")


class Policies(Section):
    """What findings and measures mean."""

    vet: dict[str, Remedy] = Field(
        {
            "personal": "redact",
            "secrets": "redact",
            "duplicates": "drop",
            "contamination": "drop",
            "injection": "quarantine",
            "licence": "quarantine",
            "quality": "keep",
        },
        description="Check (or check.what) to: keep, redact, drop, quarantine. The checks named are run.",
    )
    release: tuple[Rule, ...] = Field(
        (Rule(measure="golden.token_f1.tuned-base", at_least=0.0),), description="What a release must show."
    )
    serve: dict[str, Action] = Field(
        {"injection": "block", "secrets": "block", "personal": "flag"},
        description="Check (or check.what) to: allow, flag, block. The checks named screen each message.",
    )
    options: dict[str, Options] = Field({}, description="Options of checks, by name.")


class Settings(Section):
    """One project: its data, how to tune, what to ask, what must hold."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="Lower case, digits, dots and dashes."
    )
    summary: str = Field("", description="What the model is for, in a sentence or two. Cards repeat it.")
    system: str = Field("", description="System prompt the model is trained, measured and served with.")
    data: tuple[Data, ...] = Field(min_length=1, description="Where records come from.")
    tune: Tuning = Field(description="How to tune.")
    evaluate: Evaluating = Field(description="What to ask.")
    policy: Policies = Field(
        default_factory=lambda: Policies.model_validate({}), description="What must hold."
    )
    schema_version: Literal[1] = Field(1, description="Of this file.")
