"""Dates, dates of birth and ages, as English, German, French, Spanish, Italian and Dutch write them."""

import re
from datetime import date

from tunewright.checks._patterns import Rule, starting

_EVERY = (
    "january|januar|janvier|januari|jan|february|februar|febrero|febbraio|februari|feb|février"
    "|fév|march|mars|marzo|maart|mar|märz|mär"
    "|april|aprile|apr|avril|avr|abril|abr|may|mai|mayo|mei|maggio|june|juni|juin|junio|giugno"
    "|jun|july|juli|juillet|julio|luglio|juil|jul"
    "|august|augustus|aug|août|agosto|ago|september|septembre|septiembre|settembre|sept|sep"
    "|october|octobre|octubre|oct|oktober|ottobre|okt"
    "|november|novembre|noviembre|nov|december|dec|décembre|déc|dezember|dez|diciembre|dicembre"
    "|dic|enero|ene|gennaio"
)
_MONTHS = "|".join(sorted(_EVERY.split("|"), key=len, reverse=True))
_MONTH = rf"(?:{_MONTHS})\b\.?"
_YEAR = r"(?:1[5-9]|20)\d\d"
_CLOCK = r"(?:[T ,]{1,2}\d{1,2}:\d\d(?::\d\d)?(?:\.\d{1,6})?(?: ?[AaPp]\.?[Mm]\.?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_FULL = (
    rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.] ?\d{{1,2}}[-/.] ?(?:{_YEAR}|\d\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|º|\.)?[ -](?:of |de )?{_MONTH},?[ -](?:de |del )?(?:{_YEAR}"
    rf"|['\u2019]?\d\d(?![\d:]))"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}"
)
_BORN = (
    r"born|birth ?da(?:y|te)|date of birth|d\.?o\.?b\b|geboren|geburtsdatum|geburtstag|geb\."
    r"|n[ée]{1,2}(?:\(?e\)?)? le|date de naissance|nacid[oa]|nacimiento|nat[oa] il|data di nascita"
    r"|geboortedatum|birth year|year of birth|geburtsjahr"
)


def is_date(text: str) -> bool:
    """Whether figures between signs can be a day: the month first, the day first or the year first."""
    found = re.match(r"(\d{1,4})[-/.] ?(\d{1,2})[-/.] ?(\d{1,4})", text)
    if not found:
        return True
    one, two, three = found.groups()
    if len(one) == 3 or len(three) == 3:
        return False
    year = one if len(one) == 4 else three
    pairs = [(two, three)] if len(one) == 4 else [(one, two), (two, one)]
    for month, day in pairs:
        try:
            date(int(year) if len(year) == 4 else 2000 + int(year), int(month), int(day))
        except ValueError:
            continue
        return True
    return False


def _dated(match: re.Match[str]) -> tuple[int, int] | None:
    group = 1 if match.re.groups else 0
    return match.span(group) if is_date(match.group(group)) else None


def _month(match: re.Match[str]) -> tuple[int, int] | None:
    """Nobody "may 12": a month in small letters needs a year."""
    found = match.group()
    return match.span() if found[0].isupper() or re.search(r"\d{4}", found) else None


_NO_YEAR = re.compile(
    r"(?:\b(?:no|nos|nr|n°|number|article|art|law|act|section|sec|page|pp?|room|order|code|id|ref"
    r"|item|model|port"
    r"|line|invoice|ticket|zip|plz|case|account|flight|chapter|figure|size|error|version|v"
    r"|win(?:dows)?|office|server|unit|box|suite|apt)\W{0,3}|[$€£#/\\=+*.:_-]|\d[ ,])$",
    re.IGNORECASE,
)
_AFTER_YEAR = re.compile(
    r"[ -]?(?:%|€|\$|£|°|[kcm]?m\b|km|kg|g\b|mg|ml|euros?|dollars?|pounds?|usd|eur|people|times"
    r"|words|calories|kcal|items|miles|feet"
    r"|ft|steps|points|units|users|characters|pages|participants|patients|students|square|sq|mhz"
    r"|ghz|mb|gb|rpm|watts?|volts?|[A-Z][a-z]+ (?:St|Street|Ave|Avenue|Road|Rd|Drive|Lane)\b)"
    r"|[/:=*+_\\]|[.,]\d|-\d|\w"
)


def _year(match: re.Match[str]) -> tuple[int, int] | None:
    text, (start, end) = match.string, match.span()
    if _NO_YEAR.search(text[max(start - 12, 0) : start]) or _AFTER_YEAR.match(text, end):
        return None
    return start, end


BIRTHS: tuple[Rule, ...] = (
    Rule(
        "birth_date",
        "medium",
        "a date of birth",
        re.compile(rf"{starting(_BORN)}[^\d\n]{{0,24}}?(?<!\w)((?i:{_FULL}|{_YEAR}))(?!\w|[-/]\d)"),
        _dated,
        "words that say so",
    ),
)


def _date(pattern: str, confidence: float) -> Rule:
    return Rule("date", "low", "a date", re.compile(pattern), _dated, "its form", confidence)


_NAMED_MONTH = starting(_EVERY, r"\w.-")
DATES: tuple[Rule, ...] = (  # a set of characters first: that is what `re` can look for quickly
    _date(
        rf"\d(?<![\w/.-]\d)(?:(?:(?<=\d)\d{{3}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}"
        rf"|\d?[-/.] ?\d{{1,2}}[-/.] ?(?:{_YEAR}|\d\d)){_CLOCK}(?!\w|[-/]\d)"
        rf"|\d?(?:st|nd|rd|th|er|º|\.)?[ -](?:of (?:the )?|de )?(?i:{_MONTH})(?:,?[ -](?:de "
        rf"|del )?(?:{_YEAR}|['\u2019]?\d\d(?![\d:])){_CLOCK}(?!\w|[-/]\d)|(?!\w|-\w)))",
        0.9,
    ),
    Rule(
        "date",
        "low",
        "a date",
        re.compile(
            rf"{_NAMED_MONTH}\b\.?(?: \d{{1,2}}(?:st|nd|rd|th)?(?:,? {_YEAR}{_CLOCK})?"
            rf"|,?(?: (?:of|de|del))? {_YEAR})"
            r"(?![\w:]|[.,-]\d| ?%)"
        ),
        _month,
        "its form",
        0.85,
    ),
    Rule(
        "date",
        "low",
        "a year",
        re.compile(r"\d(?<![\w.,/-]\d)(?<=[12])(?:(?<=1)[5-9]|(?<=2)0)\d\d(?!\w)"),
        _year,
        "its form",
        0.6,
    ),
    Rule(
        "date",
        "low",
        "a day of the week",
        re.compile(
            r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|Montags?|Dienstags?|Mittwochs?"
            r"|Donnerstags?|Freitags?|Samstags?|Sonntags?"
            r"|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|miércoles|jueves|viernes|sábado)\b"
        ),
        evidence="its name",
        confidence=0.6,
    ),
)

_AGED = (
    "aged?|at the age of|age of|age is|age was|âgée? de|im alter von|de edad|edad de|edad:|tengo|j'ai"
    "|leeftijd"
)
_OLD = r"(1[01]\d|[1-9]?\d)"


def _age(pattern: str, confidence: float = 0.9) -> Rule:
    return Rule(
        "age",
        "low",
        "a person's age",
        re.compile(pattern, re.IGNORECASE),
        evidence="words that say so",
        confidence=confidence,
    )


AGES: tuple[Rule, ...] = (
    _age(
        r"\d(?<![\w.,$-]\d)(?:(?<=1)[01]\d|(?<=[1-9])\d|)(?=[ -]?(?:years?|yrs?|months?"
        r"|weeks?)[ -](?:old|of age)\b|[ -]?y/?o\b|[ -]?yrs?/?o\b|yo\b"
        r"| Jahre alt|[ -]jährige|-year-old| ans? révolus| años de edad| anni di età| jaar oud)"
    ),
    _age(
        rf"{starting(_AGED)}"
        rf"(?: |: ?|= ?|, ?)(?:of |about |around |is )?{_OLD}(?![\w%:/]|[.,-]\d| (?:minutes?"
        rf"|hours?|days?|months?|questions?|items?|problemas|problèmes|euros?))"
    ),
    _age(
        rf"\b(?:turn(?:ed|s|ing)?|(?:will|'ll) be)(?: (?:just"
        rf"|only))? {_OLD}(?=\s{{0,2}}(?:[.,!?;]|$|years|this|next|in|on|last|today|tomorrow|soon"
        rf"|and))",
        0.75,
    ),
    _age(
        rf"\b(?:I am|I'm|he is|he's|she is|she's|when (?:he|she|I) (?:was|is)|ich bin|bin|ist"
        rf"|was only)(?: (?:now|only|just|almost|nearly))? {_OLD}"
        r"(?=\s{0,2}(?:[.,!?;)]|$|and|or))(?![.,]\d)",
        0.7,
    ),
    _age(rf"\bage\W{{1,3}}{_OLD}(?![\w%:/]|[.,-]\d)"),
)
