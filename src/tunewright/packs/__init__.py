"""Dated facts with their sources: licences, terms of models, known datasets.

A pack is data, not judgement: what a text says, in our own words, where it can be read, when it was looked
at and how sure we are. Laws and terms change; a verdict therefore names the date of the pack it rests on.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, field_validator

Certainty = Literal["read", "secondary", "memory"]
Rule = Literal["", "cautious"]
Flag = Literal[
    "attribution",
    "notices",
    "licence_text",
    "state_changes",
    "share_alike",
    "share_data",
    "copyleft",
    "non_commercial",
    "no_derivatives",
    "permission",
    "use_restrictions",
    "naming",
    "display",
    "user_threshold",
    "revenue_threshold",
    "registration",
    "region",
    "output_forbidden",
    "output_naming",
    "output_display",
    "output_derivative",
    "output_competing",
]
Use = Literal["internal", "commercial", "serve", "publish"]

LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C parser where there is one: ten times as fast, and as safe."""


class Fact(BaseModel):
    """A frozen entry; a field nobody knows is a mistake in the pack."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Clause(Fact):
    """One thing that a licence says."""

    flag: Flag
    says: str
    """In our own words."""
    ref: str
    """Where: the licence and its section."""
    url: str
    certainty: Certainty
    rule: Rule = ""
    """`cautious` where the reach to trained models is a careful reading, not settled law."""
    text: str = ""
    """The words that have to be shown, kept or begun with."""
    limit: int = 0
    """Users or US dollars a year, for thresholds."""
    region: str = ""
    some: bool = False
    """Whether only some of the models under the licence are meant."""
    when: tuple[Use, ...] = ()
    """Uses in which it binds, where they differ from what its flag means."""


class Licence(Fact):
    """A licence, or terms that act like one."""

    id: str
    name: str
    url: str
    certainty: Certainty
    clauses: tuple[Clause, ...] = ()

    def has(self, *flags: Flag) -> tuple[Clause, ...]:
        """Its clauses with one of these flags."""
        return tuple(c for c in self.clauses if c.flag in flags)


class Provider(Fact):
    """Whoever hosts models, and what their terms say of outputs."""

    id: str
    name: str
    url: str
    certainty: Certainty
    says: str
    ref: str


class Generator(Fact):
    """Names by which a model that writes data is recognised, and what binds its outputs."""

    match: tuple[str, ...]
    terms: str = ""
    """A provider, `none` where nobody's terms bind, or `unknown` where a name would mislead."""
    licence: str = ""
    """Of open weights."""


class Known(Fact):
    """A dataset that many know."""

    name: str
    match: tuple[str, ...]
    """Parts of a name or an address by which it is recognised, in lower case."""
    licence: str = ""
    """SPDX expression; empty when those who audited it found none."""
    generator: str = ""
    trap: str = ""


class Pack(Fact):
    """Where facts come from and when they were looked at."""

    looked_at: str
    about: str
    sources: tuple[str, ...]

    @field_validator("looked_at", mode="before")
    @classmethod
    def _words(cls, value: object) -> str:
        return str(value)


class Licences(Pack):
    """Every licence by its id, other ways to write it, and which may be changed to which."""

    licences: dict[str, Licence]
    aliases: dict[str, str]
    later: dict[str, tuple[str, ...]]


class Terms(Pack):
    """Providers by id, and the names of generators in the order in which they are tried."""

    providers: dict[str, Provider]
    generators: tuple[Generator, ...]


class Datasets(Pack):
    """Known datasets."""

    datasets: tuple[Known, ...]


@cache
def licences() -> Licences:
    """The licences of data, software and models."""
    packs = [_read("licences"), _read("models")]
    found, aliases, later = dict[str, Licence](), dict[str, str](), dict[str, tuple[str, ...]]()
    for pack in packs:
        aliases |= pack["aliases"]
        later |= {name: tuple(others) for name, others in pack["later"].items()}
        for entry in pack["licences"]:
            for name in entry["ids"]:
                found[name] = _licence(name, entry)
            for alias in entry.get("aliases", ()):
                (aliases[alias],) = entry["ids"]
    return Licences(
        looked_at=min(pack["looked_at"] for pack in packs),
        about="; ".join(pack["about"] for pack in packs),
        sources=tuple(dict.fromkeys(source for pack in packs for source in pack["sources"])),
        licences=found,
        aliases=aliases,
        later=later,
    )


@cache
def terms() -> Terms:
    """What providers of hosted models say of their outputs."""
    pack = _read("terms")
    return Terms.model_validate({**pack, "providers": {p["id"]: p for p in pack["providers"]}})


@cache
def datasets() -> Datasets:
    """Well-known sets for fine-tuning."""
    return Datasets.model_validate(_read("datasets"))


def _licence(name: str, entry: dict) -> Licence:  # type: ignore[type-arg]
    words = {"id": name, "name": entry["name"].format(id=name), "short": entry.get("short", entry["name"])}
    url = entry["url"].format(**words)
    said = [
        {"url": url, "certainty": entry["certainty"], **clause}
        | {part: clause[part].format(**words) for part in ("ref", "text") if part in clause}
        for clause in entry.get("clauses", ())
    ]
    return Licence.model_validate(
        {"id": name, "name": words["name"], "url": url, "certainty": entry["certainty"], "clauses": said}
    )


def _read(name: str) -> dict:  # type: ignore[type-arg]
    with (Path(__file__).parent / f"{name}.yaml").open("rb") as stream:
        pack: dict = yaml.load(stream, LOADER)  # type: ignore[type-arg]
    return pack
