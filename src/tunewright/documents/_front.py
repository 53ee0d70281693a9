"""Front matter as the Hugging Face hub reads it (hub-docs, modelcard.md and datasetcard.md)."""

from collections.abc import Mapping

import yaml
from markupsafe import Markup

HUB_LICENCES = frozenset(
    "apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m "
    "afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 "
    "cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 "
    "cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 "
    "cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl "
    "gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by odbl osl-3.0 postgresql ofl-1.1 "
    "ncsa unlicense zlib pddl llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma".split()
)
"""Identifiers of https://huggingface.co/docs/hub/repositories-licenses, as of 2026-01."""
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10**7, "1M<n<10M"),
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
    """`owner/name` of something that came from the hub. Other places are not named: the hub would link them wrongly."""
    kind, _, rest = uri.partition(":")
    return rest.partition("@")[0] if kind == "hub" else None


def size_category(count: int) -> str:
    """How the hub groups data sets by their number of records."""
    return next((name for least, name in SIZES if count < least), "n>10M")
