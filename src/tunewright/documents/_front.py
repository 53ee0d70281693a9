"""Front matter as the Hugging Face hub reads it (hub-docs, modelcard.md and datasetcard.md)."""

from collections.abc import Mapping
from importlib.resources import files

import yaml
from markupsafe import Markup

HUB_LICENCES = frozenset(files(__package__).joinpath("hub_licences.txt").read_text(encoding="utf-8").split())
"""Identifiers of https://huggingface.co/docs/hub/repositories-licenses, as of 2026-01."""
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)


def front_matter(values: Mapping[str, object]) -> Markup:
    """YAML of what is known; what is None or empty is left out."""
    known = {key: value for key, value in values.items() if value not in (None, "", [], {})}
    return Markup(yaml.safe_dump(known, sort_keys=False, allow_unicode=True, width=10_000).strip())


def hub_licence(spdx: str) -> str:
    """The hub's identifier: `unknown` when nobody said, `other` for one that the hub does not list."""
    bare = spdx.casefold().removesuffix("-only").removesuffix("-or-later")
    if bare in ("", "noassertion", "none"):
        return "unknown"
    candidates = (
        bare,
        bare.removeprefix("licenseref-"),
        bare.removesuffix("-1.0"),
        bare.removesuffix("-1.3"),
    )
    return next((name for name in candidates if name in HUB_LICENCES), "other")


def hub_id(uri: str) -> str | None:
    """`owner/name` of what came from the hub; of other places None, as the hub would link them wrongly."""
    kind, _, rest = uri.partition(":")
    return rest.partition("@")[0] if kind == "hub" else None


def size_category(count: int) -> str:
    """How the hub groups data sets by their number of records."""
    return next((name for least, name in SIZES if count < least), "n>10M")
