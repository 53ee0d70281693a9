"""Reads what people write in a licence field."""

import re
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from tunewright.packs import licences

if TYPE_CHECKING:
    from license_expression import Licensing

SAID_NOTHING = frozenset(
    {"", "noassertion", "none", "unknown", "unspecified", "unlicensed", "no license", "no licence", "other"}
    | {"n/a", "na", "null", "tbd", "todo", "?", "-"}
)
"""Ways to write that a licence is not known, in lower case; the words of SPDX 2.3 are among them."""

LONGEST = 400
"""Characters of a licence field that are read; what is longer is a text, not an identifier."""

WORDS = re.compile(r"(\(|\)|(?<![\w-])(?:and|or|with)(?![\w-]))", re.IGNORECASE)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:_-]*")


class Combined(NamedTuple):
    """Licences that all hold, or of which one may be chosen."""

    how: Literal["and", "or"]
    parts: tuple["Tree", ...]


Tree = str | Combined


class Reading(NamedTuple):
    """A licence field, read."""

    text: str
    """As it was given."""
    expression: str = ""
    """The same with the identifiers of the table; empty when it could not be read."""
    tree: Tree | None = None
    unknown: tuple[str, ...] = ()
    """Names that the table does not hold."""
    problem: str = ""
    """Why it could not be read, in words."""

    @property
    def silent(self) -> bool:
        """Whether it says that nothing is known."""
        return self.text.strip().lower() in SAID_NOTHING


def plain(name: str) -> str:
    """A name without what people write differently: case, blanks, hyphens, the word licence."""
    said = name.strip().lower().removeprefix("licenseref-").removeprefix("scancode-")
    said = re.sub(r"[\s_-]+", "-", said).strip("-").removeprefix("the-")
    return re.sub(r"(?<=.)-licen[cs]e$", "", said)


@cache
def _names() -> dict[str, str]:
    pack = licences()
    own = {plain(name): name for name in pack.licences}
    return {plain(alias): name for alias, name in pack.aliases.items()} | own


@cache
def _licensing() -> "Licensing":
    from license_expression import build_spdx_licensing, get_license_index

    index = get_license_index()
    known = {entry.get("spdx_license_key") for entry in index}
    ours = [
        {
            "license_key": name.lower(),
            "spdx_license_key": name,
            "other_spdx_license_keys": [],
            "is_exception": False,
        }
        for name in licences().licences
        if name not in known
    ]
    taken = {str(entry["spdx_license_key"]).lower() for entry in ours}
    for entry in index:
        others = entry.get("other_spdx_license_keys") or []
        entry["other_spdx_license_keys"] = [other for other in others if other.lower() not in taken]
    return build_spdx_licensing([*index, *ours])


@lru_cache(maxsize=8192)
def read(text: str) -> Reading:
    """Read a licence field: an SPDX expression, or a name that hubs and people use.

    Names are never guessed: one that is not in the table stands in `unknown`, and `nearest` says which
    name it resembles.
    """
    said = text.strip()
    if said.lower() in SAID_NOTHING:
        return Reading(text, problem="no licence is given")
    if len(said) > LONGEST:
        return Reading(text, problem=f"longer than {LONGEST} characters: a text, not an identifier")
    if known := _names().get(plain(said)):
        return Reading(text, known, known)
    parts, unknown = list[str](), list[str]()
    for part in WORDS.split(said):
        word = part.strip()
        if not word:
            continue
        if WORDS.fullmatch(word):
            parts.append(word.upper())
        elif known := _names().get(plain(word)):
            parts.append(known)
        elif NAME.fullmatch(word):
            parts.append(word)
        else:
            unknown.append(word)
    if unknown:
        return Reading(text, unknown=tuple(unknown), problem="this is no SPDX expression")
    return _parsed(text, " ".join(parts))


def _parsed(text: str, expression: str) -> Reading:
    from license_expression import ExpressionError, ExpressionParseError, LicenseWithExceptionSymbol

    licensing = _licensing()

    def grown(node: object) -> Tree:
        if isinstance(node, (licensing.AND, licensing.OR)):
            parts = tuple(grown(part) for part in node.args)
            return Combined("and" if isinstance(node, licensing.AND) else "or", parts)
        if isinstance(node, LicenseWithExceptionSymbol):
            return str(node.license_symbol.key)
        return str(node.key)  # type: ignore[attr-defined]

    try:
        parsed = licensing.parse(expression)
        if parsed is None:
            raise ExpressionError("empty")
        tree = grown(parsed)
    except (ExpressionError, ExpressionParseError, RecursionError, AttributeError, IndexError, TypeError):
        return Reading(text, problem="this is no SPDX expression")
    unknown = tuple(name for name in dict.fromkeys(leaves(tree)) if name not in licences().licences)
    problem = f"not in the table of {licences().looked_at}" if unknown else ""
    return Reading(text, parsed.render(), tree, unknown, problem)


def leaves(tree: Tree) -> list[str]:
    """Every identifier in an expression."""
    return [tree] if isinstance(tree, str) else [name for part in tree.parts for name in leaves(part)]


def nearest(name: str) -> str:
    """The identifier in the table that a name resembles most; empty when none does."""
    said = plain(name)[:60]
    versions = [known for known in _names() if re.fullmatch(re.escape(said) + r"-\d+\.\d+", known)]
    near = [max(versions)] if said and versions else []
    if len(said) > 3 and not near:
        near = get_close_matches(said, _names(), 1, 0.75)
    return _names()[near[0]] if near else ""
