"""What `tunewright.yaml` may say. Its JSON Schema is published for editors: `tunewright schema`."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from tunewright.nouns import Action, Authorship, Remedy, Rule
from tunewright.rights import last_day

Options = dict[str, JsonValue]


class Section(BaseModel):
    """A part of the file; unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Section):
    """Records and the right to use them."""

    file: str = Field("", description="File, folder or glob, relative to this file.")
    uri: str = Field(
        "",
        description="Instead of a file: `hub:owner/name@revision`, a URL (s3, gs, https…), a database.",
    )
    dataset: str = Field("", description="Instead of a file: a dataset of this project, such as `learned`.")
    licence: str = Field(description="SPDX expression such as CC-BY-4.0, or NOASSERTION when nobody knows.")
    origin: str = Field(min_length=3, description="Who made these records, and where you got them.")
    basis: str = Field(
        min_length=3, description="Why you may use them: consent, contract, own work, fictional…"
    )
    collected: str = Field("", description="When they were collected, such as 2026-03 or 2025-01/2026-03.")
    publisher: str = Field("", description="Who published them.")
    link: str = Field("", description="URL of the publication, or the reference of the contract.")
    collected_by: str = Field("", description="Who collected them.")
    method: str = Field("", description="How: export of the help desk, survey, crawl, written by hand.")
    purpose: str = Field("", description="What they were collected for.")
    consent: str = Field("", description="Where the consent is filed, when consent is the basis.")
    retain_until: str = Field("", description="Last day they may be used, as YYYY-MM-DD; `none` for no end.")
    languages: tuple[str, ...] = Field((), description="Languages, as ISO 639-1 codes such as en.")
    author: Authorship = Field("", description="Who wrote them: human, synthetic or mixed.")
    generator: str = Field("", description="The model that wrote them, when synthetic or mixed.")
    upstream: tuple[str, ...] = Field((), description="What they were made from: datasets, or licences.")
    source: str = Field("auto", description="Plugin that reads the file; `auto` goes by its name.")
    options: Options = Field({}, description="Options of that plugin.")
    fields: Options = Field({}, description="Where a row's parts stand, when its shape is not known.")
    fetch: Options = Field({}, description="Options of the plugin that fetches a `uri`, such as query.")

    @model_validator(mode="after")
    def _one_place(self) -> "Data":
        if sum(map(bool, (self.file, self.uri, self.dataset))) != 1:
            raise ValueError("name either a file, a uri or a dataset")
        return self

    @field_validator("retain_until", "collected", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        return value.isoformat() if isinstance(value, date) else value  # YAML makes a date of 2026-03-01

    @field_validator("retain_until")
    @classmethod
    def _a_date(cls, value: str) -> str:
        last_day(value)
        return value.strip()

    @field_validator("licence")
    @classmethod
    def _a_licence(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("say which licence, or NOASSERTION when nobody knows")
        return value.strip()


class Hardening(Section):
    """Which examples `harden: true` adds."""

    share: float = Field(0.5, gt=0, le=2, description="How many are added for every record, on average.")
    abstain: str = Field(
        "", description="What to say when documents do not hold the answer; empty for a sentence of ours."
    )


class Machine(Section):
    """What the machine costs, for `tunewright plan`. Nothing of it decides what is learnt."""

    price: float = Field(0.0, ge=0, description="Of an hour of this machine.")
    currency: str = Field("EUR", description="Of that price.")
    watts: float = Field(
        0.0,
        ge=0,
        description="Power while it trains; 0: measured where the system allows, otherwise assumed.",
    )
    grams: float = Field(
        473.0,
        ge=0,
        description="Carbon dioxide of a kilowatt-hour, in grams; 473 is the world's mean of 2024.",
    )


class Tuning(Section):
    """How to tune."""

    base: str = Field(
        description="Base model: `package:module/file.gguf`, `folder:path` or `hub:owner/name@revision`."
    )
    trainer: str = Field("lora", description="Plugin that trains.")
    seed: int = Field(1, description="Same seed, data and machine: same bytes.")
    options: Options = Field({}, description="Options of that trainer, such as epochs and learning_rate.")
    search: Options = Field(
        {},
        description="What `tunewright search` varies, by option: a list of values, or low, high and log. "
        "Empty for the usual ones.",
    )
    machine: Machine = Field(
        default_factory=lambda: Machine.model_validate({}), description="What the machine costs."
    )
    track: tuple[str, ...] = Field(
        (), description="Trackers that are told how training goes: tensorboard, mlflow. They decide nothing."
    )
    harden: bool = Field(
        False, description="Add examples in which injected instructions are ignored and unknowns admitted."
    )
    hardening: Hardening = Field(
        default_factory=lambda: Hardening.model_validate({}), description="Which, when `harden` is true."
    )

    @field_validator("search")
    @classmethod
    def _a_space(cls, value: Options) -> Options:
        for option, choice in value.items():
            if not (_values(choice) or _range(choice)):
                raise ValueError(
                    f"{option}: expected a list of different values, or `low` below `high` "
                    "(above 0 with `log: true`)"
                )
        return value


def _values(choice: JsonValue) -> bool:
    return isinstance(choice, list) and bool(choice) and len({str(one) for one in choice}) == len(choice)


def _range(choice: JsonValue) -> bool:
    if not isinstance(choice, dict) or not {"low", "high"} <= set(choice) <= {"low", "high", "log"}:
        return False
    low, high, log = choice["low"], choice["high"], choice.get("log", False)
    numbers = [end for end in (low, high) if isinstance(end, int | float) and not isinstance(end, bool)]
    return (
        len(numbers) == 2
        and numbers[0] < numbers[1]
        and isinstance(log, bool)
        and (not log or numbers[0] > 0)
    )


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
            "duplicates.conflict": "keep",
            "contamination": "drop",
            "injection": "quarantine",
            "backdoor": "quarantine",
            "licence": "quarantine",
            "licence.decide": "keep",
            "retention": "drop",
            "language": "keep",
            "toxicity": "keep",
            "quality": "keep",
            "consistency": "keep",
            "mismatch": "keep",
            "label_noise": "keep",
            "representation": "keep",
            "sufficiency": "keep",
        },
        description="Check (or check.what): keep, redact, pseudonymise, ask, drop or quarantine.",
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
