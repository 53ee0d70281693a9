"""Numbers under which somebody is filed: they are known by the word before them, and by how courts write."""

import re

from tunewright.checks._numbers import digits
from tunewright.checks._patterns import Rule

_FILED = (  # whose number it is; order, invoice, parcel and product numbers name no person
    r"account|acct|a/c|iban|konto|kontonummer|compte|cuenta|customer|client|kunden(?:nummer|nr)"
    r"|kunde|clients?|cliente"
    r"|member(?:ship)?|mitglied(?:s|er)?(?:nummer|nr)|adh[eé]rent|socio|subscriber|loyalty"
    r"|frequent flyer|policy"
    r"|policyholder|polic[ey]|police|póliza|versicherungsschein(?:nummer|nr)?|claim"
    r"|schaden(?:nummer|nr)|siniestro"
    r"|case|cas(?:e)? file|court file|docket|application|applicant|appl|petition|complaint|file"
    r"|dossier|expediente|akten?zeichen|az|geschäftszeichen|gz"
    r"|proceedings?|judgment|decree|registration|registry|registre|register|certificate|permit"
    r"|licen[cs]e|prosecution|investigation|writ|indictment"
    r"|reference|ref|employee|personnel|personal(?:nummer|nr)|staff|badge|student"
    r"|matrikel(?:nummer|nr)?|matricule|pupil|candidate|inmate"
    r"|prisoner|contract|vertrags?(?:nummer|nr)|contrat|contrato|loan|mortgage|tenancy|tenant"
    r"|taxpayer|vat|ust-idnr|user|login|beneficiary|routing|sort code|bank"
    r"|swift|abn|ein|voter|military|service|ticket holder|passenger|pnr|booking ref(?:erence)?"
)
_NUMBER = (
    r"(?:[#№]|(?:numbers?|nos?|nr|num|n[o°º]s?|número|numéro|nummer|id|ids|code|ref(?:erence)?|file"
    r"|identifier)(?!\w))"
)
_LEAD = r"(?-i:[A-Z]{1,6}[-/ .]?)?"
_FILED_AS = re.compile(
    rf"(?<![\w-])(?:{_FILED})\.?(?: |-)?\(?(?:{_NUMBER}\.? ?){{1,2}}\)?(?: (?:is|was|ist|est|es"
    rf"|lautet|ends? (?:in|with)))?\W{{0,3}}({_LEAD})$",
    re.IGNORECASE,
)
_SHORT = re.compile(  # "account 00123456": a label without the word "number"
    rf"(?<![\w-])(?:account|acct|konto|compte|cuenta|customer|case|claim|policy|docket|file"
    rf"|member|employee|student|badge|az\.?|aktenzeichen|expediente|dossier"
    r"|(?:kunden|mitglieds|vertrags|versicherungs|konto|personal|matrikel|akten|schaden|fall"
    r"|referenz)-?(?:nummer|nr)\.?"
    r"|num[eé]ro de (?:client|compte|dossier|contrat|adhérent)|número de (?:cliente|cuenta"
    r"|expediente|contrato|póliza|socio))"
    rf"(?: ?[:#] ?#?| #| (?:is|ist|est|es|lautet):? | )({_LEAD})$",
    re.IGNORECASE,
)
_LABELS = frozenset(
    re.findall(
        r"[^\W\d_]{2,}|[#№]",
        f"{_FILED}|nos|no|nr|num|n°|nº|number|numbers|número|numéro|nummer|id|ids|code|ref"
        f"|reference|file|identifier|is|was|#|№",
    )
)
_WORD = re.compile(r"[^\W\d_]+|[#№]")
_MEASURE = re.compile(r" ?(?:%|percent|days?|hours?|minutes?|years?|times)")


def _filed(match: re.Match[str]) -> tuple[int, int] | None:
    """A run of figures and letters, when the words before it say that it is somebody's number."""
    text, (start, end) = match.string, match.span()
    found = match.group()
    many = len(digits(found))
    if many < 3 or end - start > 30 or re.fullmatch(r"(?:19|20)\d\d", found):
        return None
    before = text[max(start - 56, 0) : start]
    words = _WORD.findall(before)[-5:]
    if not any((low := word.lower()) in _LABELS or low.endswith(("nummer", "nr")) for word in words):
        return None
    named = _FILED_AS.search(before)
    if not named:
        named = _SHORT.search(before)
        shaped = many >= 5 or bool(named and named.group(1)) or re.match(r"[\d-]*[A-Z/]", found)
        if not named or not shaped or _MEASURE.match(text, end):
            return None
    return start - len(named.group(1)), end


_ROLL = re.compile(
    r"(?:\b(?:nos?|nr|num|número|numéro)\.? ?|\bn[°º] ?|/\d{2,4}(?:, ?|,? and |,? & | ?; ?"
    r"|,? und |,? et |,? y ))$",
    re.IGNORECASE,
)
"""What stands before a number of a file: the word, or the number before it in a list."""


def _numbered(match: re.Match[str]) -> tuple[int, int] | None:
    before = match.string[max(match.start() - 16, 0) : match.start()]
    return match.span() if _ROLL.search(before) else None


def _rule(regex: re.Pattern[str], evidence: str, confidence: float = 0.85) -> Rule:
    return Rule(
        "identifier",
        "medium",
        "a number under which somebody is filed",
        regex,
        evidence=evidence,
        confidence=confidence,
    )


IDENTIFIERS: tuple[Rule, ...] = (
    Rule(
        "identifier",
        "high",
        "a number under which somebody is filed",
        re.compile(
            r"\b(?:account|acct|konto|kontonummer|compte|cuenta|routing|sort code|bankleitzahl"
            r"|blz)\b\.?(?:[ :#.]|number|no\b|nr\b|num\b|is\b|ist\b|bancaire|bancaria"
            r"|corriente){0,8}"
            r"(\d{2}-\d{2}-\d{2}|\d(?:[ -]?\d){5,17})(?![\w]|[-/]\d)",
            re.IGNORECASE,
        ),
        evidence="named as an account",
    ),
    Rule(
        "identifier",
        "medium",
        "a number under which somebody is filed",
        re.compile(r"\d(?<![\d@]\d)(?<![\d./_]\d)(?<!\d-\d)[A-Za-z\d]*(?:[-/._][A-Za-z\d]+){0,6}(?![\w@])"),
        _filed,
        "its name",
        0.85,
    ),
    Rule(  # "(no. 18403/91)", "nos. 123/04 and 99/05", "n° 12/345"
        "identifier",
        "medium",
        "a number under which somebody is filed",
        re.compile(r"\d(?<=[ .°º,]\d)\d{0,6}[/-]\d{2,7}(?:[/-]\d{1,6})?(?![\w/-])"),
        _numbered,
        "the way files are numbered",
    ),
    _rule(  # Luxembourg: C-131/12, T-12/99; United States: 1:21-cv-01234, 20-cr-123
        re.compile(
            r"(?<![\w-])(?:[CTF]-\d{1,4}/\d\d|(?:\d:)?\d\d-(?:cv|cr|md|mc|mj|bk|ap|civ"
            r"|crim)-\d{2,6}(?:-[A-Z]{2,4}){0,2})(?![\w-])",
            re.IGNORECASE,
        ),
        "the way courts number",
    ),
    _rule(  # Germany: VI ZR 123/19, 3 StR 45/20, 12 O 34/18, 1 BvR 16/13
        re.compile(
            r"(?<![\w/])(?:[IVX]{1,5}|\d{1,3}) ?(?:[A-Z][a-z]?[A-Z]?[a-z]{0,2}|[A-Z]{1,4}|AZR|BvR"
            r"|StR|ZR|ZB)(?:[ -][A-Z]{1,3})? \d{1,5}/\d\d(?:\.[A-Z]{1,3})?(?![\w/])"
        ),
        "the way courts number",
    ),
    _rule(  # figures with a stroke and a year, as registries number: 1996/302, 45/2012
        re.compile(r"\d(?<![\w/.,-]\d)(?:\d{3}/\d{2,7}|\d{2,6}/(?:19|20)?\d\d)(?![\w/]|[.,-]\d| ?%)"),
        "the way registries number",
        0.55,
    ),
)

POSTCODES: tuple[Rule, ...] = (
    Rule(
        "postcode",
        "low",
        "a postcode",
        re.compile(
            r"\b(?:zip(?:[ -]?codes?)?s?|postal ?code|post ?code|plz|postleitzahl|code postal"
            r"|c\.?p\.|código postal|cap\b)(?: (?:is|was|ist|est|es))?\W{0,3}"
            r"((?-i:\d{5}-\d{4}|\d{3,4}-\d{3}|\d\d-\d{3}|\d{3} \d\d|\d{4,6}|\d{3}"
            r"|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d"
            r"|\d{4} ?[A-Z]{2}))(?![\w-])",
            re.IGNORECASE,
        ),
        evidence="its name",
    ),
    Rule(
        "postcode",
        "low",
        "a postcode",
        re.compile(
            r"(?<![\w-])(?:(?:[A-PR-UWYZ]\d[A-Z\d]?|[A-PR-UWYZ][A-HK-Y]\d[A-Z\d]?) \d[ABD-HJLNP-U"
            r"W-Z]{2}|[ABCEGHJ-NPR-TVXY]\d[A-Z] \d[A-Z]\d)(?![\w-])"
        ),
        evidence="its form",
        confidence=0.8,
    ),
    Rule(
        "postcode",
        "low",
        "a state and its postcode",
        re.compile(
            r"(?<!\w)(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]"
            r"|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])"
            r" (\d{5}(?:-\d{4})?)(?![\w-])"
        ),
        evidence="its form",
        confidence=0.8,
    ),
)
