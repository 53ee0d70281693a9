"""What a row says of its own provenance: id, licence, whom it concerns, when, by which model, until when."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from math import isfinite

SUBJECTS = ("customer", "subject", "user", "person", "email")
CLAIMS: dict[str, tuple[str, ...]] = {
    "collected": ("collected", "created_at", "created_date", "created", "create_time", "timestamp", "date"),
    "generator": ("generator", "generated_by", "model_name", "model"),
    "consent": ("consent", "consent_id", "consent_reference"),
    "retain_until": ("retain_until", "expires_at", "expires", "delete_after", "retention_date"),
    "language": ("language", "lang", "locale"),
}
"""Fields of a row that state a fact, by the names of `RECORD_FACTS`; the first that makes sense counts."""
NAMED = frozenset(name for names in CLAIMS.values() for name in names)
_CODE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}\Z")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ].{0,30})?\Z", re.DOTALL)
_MONTH = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2]))?\Z")
_LANGUAGES = {
    "english": "en",
    "german": "de",
    "deutsch": "de",
    "french": "fr",
    "français": "fr",
    "spanish": "es",
    "español": "es",
    "italian": "it",
    "portuguese": "pt",
    "dutch": "nl",
    "danish": "da",
    "swedish": "sv",
    "norwegian": "no",
    "polish": "pl",
    "czech": "cs",
    "russian": "ru",
    "ukrainian": "uk",
    "turkish": "tr",
    "arabic": "ar",
    "hebrew": "he",
    "hindi": "hi",
    "chinese": "zh",
    "japanese": "ja",
    "korean": "ko",
}


def kind(value: object) -> str:
    """What a value is, in words, without repeating it."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(
        type(value), "a number" if isinstance(value, int | float) else f"of type {type(value).__name__}"
    )


def scalar(value: object, name: str) -> str:
    """Text or a number, as text. Errors: `ValueError` for anything else."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{name} is not a number")
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(f"{name} is {kind(value)}, not text or a number")


def identity(value: object) -> str:
    """A row's id. Errors: `ValueError` when it is not text or a number, or too long."""
    found = scalar(value, "id")
    if len(found) > 500:
        raise ValueError("id is longer than 500 characters")
    return found


def licence(row: Mapping[str, object]) -> str:
    """The licence a row names, or nothing."""
    for key in ("licence", "license"):
        if key in row and (text := scalar(row[key], key)):
            return text
    return ""


def safe(text: str) -> str:
    """The same text without halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode("utf-8")


def subjects(row: Mapping[str, object], names: tuple[str, ...] = SUBJECTS) -> tuple[str, ...]:
    """Whom a row names: text, a number, a list of them, or an object with `id`, `name` and the like."""
    found: dict[str, None] = {}
    for key in names:
        if (value := row.get(key)) is not None:
            people(value, found)
    return tuple(found)


def people(value: object, found: dict[str, None]) -> None:
    """Add whom a value names."""
    for one in value if isinstance(value, list | tuple) else [value]:
        inner = [one.get(k) for k in ("id", "name", "email")] if isinstance(one, Mapping) else [one]
        for item in inner:
            if isinstance(item, str | int) and not isinstance(item, bool):
                try:
                    text = safe(str(item)).strip()
                except ValueError:  # a number with thousands of digits
                    continue
                if text and "\0" not in text:
                    found[text[:500]] = None


def facts(row: Mapping[str, object]) -> dict[str, str]:
    """What the row states of itself, where it makes sense; what makes none is left out.

    Errors: `ValueError` when it has a date of retention that cannot be read: then nobody knows whether it
    may still be used.
    """
    found: dict[str, str] = {}
    for key in row.keys() & NAMED:
        if row[key] is None:
            continue
        name = _FACT_OF[key]
        if name in found and CLAIMS[name].index(key) > 0:
            continue
        if said := fact(name, row[key]):
            found[name] = said
        elif key == "retain_until" and row[key] != "":
            raise ValueError("retain_until is not a day, such as 2027-12-31, nor none")
    return found


_FACT_OF = {key: name for name, keys in CLAIMS.items() for key in keys}


def fact(name: str, value: object) -> str:
    """One fact as it is written down, or nothing when the value makes no sense for it."""
    if name in ("collected", "retain_until"):
        if name == "retain_until" and isinstance(value, str) and value.strip().lower() == "none":
            return "none"
        return day(value)
    if name == "consent" and isinstance(value, bool):
        return "given" if value else "refused"
    if isinstance(value, int) and not isinstance(value, bool) and name == "consent":
        return str(value) if abs(value) < 10**18 else ""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if name == "language":
        if text.lower() in _LANGUAGES:
            return _LANGUAGES[text.lower()]
        return re.split("[-_]", text)[0].lower() if _CODE.match(text) else ""
    return text if text and len(text) <= 200 and text.isprintable() else ""


def day(value: object) -> str:
    """A moment as a day (YYYY-MM-DD), from a date, ISO 8601 text, or seconds or milliseconds since 1970."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        text = value.strip()
        if found := _DAY.match(text):
            try:
                return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
            except ValueError:
                return ""
        if _MONTH.match(text) and text[:2] in ("19", "20"):
            return text
        try:
            value = float(text) if len(text) < 24 else 0
        except ValueError:
            return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 1e11 < value < 4e12:
            value = value / 1000
        if 1e8 < value < 4e9:
            return datetime.fromtimestamp(value, UTC).date().isoformat()
    return ""
