"""Words and numbers of the vetting documents. Foreign text is shown as it stands and can steer nothing."""

import re
import unicodedata
from typing import Literal

from tunewright.nouns import Measure, Origin, Severity
from tunewright.rights import USES, Answer

Look = Literal["better", "well", "worse", "same"]

SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")
SEVERITY: dict[Severity, Look] = {"high": "worse", "medium": "well", "low": "same"}
ANSWER: dict[Answer, Look] = {
    "allowed": "better",
    "allowed with duties": "better",
    "a person must decide": "well",
    "unknown": "well",
    "blocked": "worse",
}
SIGNS: dict[Answer, str] = {
    "allowed": "✓",
    "allowed with duties": "✓",
    "a person must decide": "?",
    "unknown": "?",
    "blocked": "✗",
}
USE = dict(zip(USES, ("own use", "commercial use", "serving it to others", "publishing it"), strict=True))
KINDS = {
    "email": "e-mail address",
    "phone": "telephone number",
    "iban": "bank account (IBAN)",
    "card": "payment card",
    "national_id": "national id",
    "medical_id": "medical id",
    "ip": "IP address",
    "birth_date": "date of birth",
    "special_category": "special category (health, belief, …)",
}
"""Kinds whose names need more words than their names have."""
_HIDDEN = re.compile(r"[^\n\t -~\u00a1-\u00ac\u00ae-\u02ff]")


def seen(text: object) -> str:
    """Text with what cannot be seen made visible: `⟨U+202E⟩` for a character that turns the writing.

    Applied to a whole page as well, for whatever was put into it by another way.
    """
    return _HIDDEN.sub(_named, str(text))


def _named(match: re.Match[str]) -> str:
    sign = match[0]
    if (
        unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")
        or "\ufe00" <= sign <= "\ufe0f"
    ):
        return f"⟨U+{ord(sign):04X}⟩"
    return sign


def line(text: object, most: int = 200) -> str:
    """Foreign text as one line of at most so many characters."""
    words = " ".join(seen(text).split())
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def kind(what: str) -> str:
    """What a finding is about, in words."""
    return KINDS.get(what, what.replace("_", " "))


def many(n: int, what: str) -> str:
    """Such as `1 record` or `1,204 records`."""
    end = "" if n == 1 else "es" if what.endswith(("s", "x", "ch")) else "s"
    return f"{n:,} {what}{end}"


def share(n: float, whole: float) -> str:
    """Such as `12%` or `0.3%`; a share that is not nothing is never shown as nothing."""
    if not whole:
        return "0%"
    part = 100 * n / whole
    if 0 < part < 0.1:
        return "<0.1%"
    return f"{part:.0f}%" if part >= 10 or part == round(part) else f"{part:.1f}%"


def number(value: float) -> str:
    """A number of no known unit, to about three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.3g}"


def interval(measure: Measure) -> str:
    """Value and 95% interval: as percent when it is a share, as numbers otherwise."""
    if not measure.n:
        return "not measured"
    if is_share(measure):
        low, high = (f"{100 * end:.1f}".rstrip("0").rstrip(".") for end in (measure.low, measure.high))
        return f"{share(measure.value, 1)} ({low} to {high}%)"
    return f"{number(measure.value)} ({number(measure.low)} to {number(measure.high)})"


def is_share(measure: Measure) -> bool:
    """Whether a measure is a part of a whole."""
    return -1 <= measure.low <= measure.high <= 1


def where(origin: Origin) -> str:
    """Such as `data/chat.jsonl:12`."""
    return f"{line(origin.file, 80)}:{origin.line}"


def join(words: list[str], last: str = "and") -> str:
    """Such as `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


_NAMES = """
af=Afrikaans ar=Arabic az=Azerbaijani be=Belarusian bg=Bulgarian bn=Bengali bs=Bosnian ca=Catalan
cs=Czech cy=Welsh da=Danish de=German el=Greek en=English eo=Esperanto es=Spanish et=Estonian
eu=Basque fa=Persian fi=Finnish fr=French ga=Irish gl=Galician gu=Gujarati he=Hebrew hi=Hindi
hr=Croatian hu=Hungarian hy=Armenian id=Indonesian is=Icelandic it=Italian ja=Japanese ka=Georgian
kk=Kazakh km=Khmer kn=Kannada ko=Korean la=Latin lg=Ganda lt=Lithuanian lv=Latvian mi=Maori
mk=Macedonian ml=Malayalam mn=Mongolian mr=Marathi ms=Malay nb=Norwegian nl=Dutch nn=Nynorsk
no=Norwegian pa=Punjabi pl=Polish pt=Portuguese ro=Romanian ru=Russian sk=Slovak sl=Slovenian
sn=Shona so=Somali sq=Albanian sr=Serbian st=Sotho sv=Swedish sw=Swahili ta=Tamil te=Telugu th=Thai
tl=Tagalog tn=Tswana tr=Turkish ts=Tsonga und=undetermined uk=Ukrainian ur=Urdu vi=Vietnamese
xh=Xhosa yo=Yoruba zh=Chinese zu=Zulu
"""
LANGUAGES = dict(pair.split("=") for pair in _NAMES.split())
"""ISO 639-1 codes and what people call the languages."""


def language(code: str) -> str:
    """Such as `German (de)`; a code without a name stays as it is."""
    name = LANGUAGES.get(code)
    return f"{name} ({code})" if name else line(code, 40)
