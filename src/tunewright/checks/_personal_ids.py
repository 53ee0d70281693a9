"""National, medical, vehicle and device numbers, most of them with check digits."""

import re
from collections.abc import Callable
from datetime import date

from tunewright.checks._numbers import digits, luhn
from tunewright.checks._patterns import Rule
from tunewright.nouns import Severity

Proof = Callable[[str], bool]


def _signs(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())


def _numbers(text: str) -> list[int]:
    return [int(d) for d in digits(text)]


def _day(year: str, month: str, day: str) -> bool:
    """Whether two-digit or four-digit year, month and day are a date."""
    try:
        date(int(year) if len(year) == 4 else 2000 + int(year) % 100, int(month), int(day))
    except ValueError:
        return False
    return True


# ── national ids ────────────────────────────────────────────────────────────────────────────────


def is_dni(text: str) -> bool:
    """Spanish DNI or NIE: the letter is the number modulo 23."""
    sign = _signs(text)
    number = sign[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == sign[-1]


def is_nir(text: str) -> bool:
    """French social security number with its key: 97 minus the number modulo 97."""
    sign = _signs(text).replace("2A", "19").replace("2B", "18")
    return len(sign) == 15 and sign.isdigit() and 97 - int(sign[:13]) % 97 == int(sign[13:])


def is_cpf(text: str) -> bool:
    """Brazilian CPF: two check digits modulo 11."""
    number = _numbers(text)
    for size in (9, 10):
        rest = sum(d * (size + 1 - i) for i, d in enumerate(number[:size])) * 10 % 11 % 10
        if number[size] != rest:
            return False
    return len(set(number)) > 1


def is_ahv(text: str) -> bool:
    """Swiss AHV number: an EAN-13 check digit."""
    return sum(d * (3 if i % 2 else 1) for i, d in enumerate(_numbers(text))) % 10 == 0


_ODD = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True)) | dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


def is_codice_fiscale(text: str) -> bool:
    """Italian codice fiscale: the last letter sums the odd and even places (decree of 23 December 1976)."""
    sign = text.upper()
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in sign[1:15:2])
    return (even + sum(_ODD[c] for c in sign[0:15:2])) % 26 == ord(sign[15]) - 65


def is_tax_id(text: str) -> bool:
    """German Steuer-Identifikationsnummer: ISO 7064 mod 11,10."""
    number = _numbers(text)
    product = 10
    for digit in number[:10]:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return len(number) == 11 and number[0] != 0 and (11 - product) % 10 == number[10]


def is_pesel(text: str) -> bool:
    """Polish PESEL: weights 1 3 7 9, check digit ten minus the sum."""
    number = _numbers(text)
    total = sum(d * w for d, w in zip(number[:10], (1, 3, 7, 9) * 3, strict=False))
    return len(number) == 11 and (10 - total % 10) % 10 == number[10]


def is_bsn(text: str) -> bool:
    """Dutch BSN: the eleven test with the last weight negative."""
    number = _numbers(text).copy()
    number = [0] * (9 - len(number)) + number
    total = sum(d * w for d, w in zip(number, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return any(number) and total % 11 == 0


def is_belgian(text: str) -> bool:
    """Belgian national register number: 97 minus the number modulo 97; with a 2 before it from 2000 on."""
    number = digits(text)
    return any(97 - int(lead + number[:9]) % 97 == int(number[9:]) for lead in ("", "2"))


def is_hetu(text: str) -> bool:
    """Finnish personal identity code: the sign is the number modulo 31."""
    sign = _signs(text) if text[6] in "+-" else text[:6] + text[7:]
    sign = sign.upper()
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(sign[:9]) % 31] == sign[9] and _day(
        sign[4:6], sign[2:4], sign[:2]
    )


def is_swedish(text: str) -> bool:
    """Swedish personnummer: a date and the Luhn digit over ten digits."""
    number = digits(text)[-10:]
    return luhn(number) and _day(number[:2], number[2:4], str(int(number[4:6]) % 60 or 99))


def is_danish(text: str) -> bool:
    """Danish CPR: begins with a date (its check digit is no longer given to everybody)."""
    number = digits(text)
    return _day(number[4:6], number[2:4], number[:2])


def is_norwegian(text: str) -> bool:
    """Norwegian fødselsnummer: two check digits modulo 11."""
    number = _numbers(text)
    first = sum(d * w for d, w in zip(number[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), strict=True))
    second = sum(d * w for d, w in zip(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), strict=True))
    return first % 11 == 0 and second % 11 == 0


def is_nif_pt(text: str) -> bool:
    """Portuguese NIF: weights 9 to 2, modulo 11."""
    number = _numbers(text)
    rest = 11 - sum(d * w for d, w in zip(number[:8], range(9, 1, -1), strict=True)) % 11
    return number[8] == (rest if rest < 10 else 0)


def is_chinese(text: str) -> bool:
    """Chinese resident identity number: a date, and ISO 7064 mod 11-2."""
    sign = text.upper()
    total = sum(
        int(c) * w for c, w in zip(sign, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), strict=False)
    )
    return "10X98765432"[total % 11] == sign[17] and _day(sign[6:10], sign[10:12], sign[12:14])


_D = tuple(  # the dihedral group of order ten, as Verhoeff's scheme multiplies
    tuple((a + b) % 5 if b < 5 else (a + b - 5) % 5 + 5 for b in range(10))
    if a < 5
    else tuple((a - 5 - b) % 5 + 5 if b < 5 else (a - b) % 5 for b in range(10))
    for a in range(10)
)
_P = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def is_aadhaar(text: str) -> bool:
    """Indian Aadhaar: Verhoeff's check digit."""
    check = 0
    for place, digit in enumerate(reversed(_numbers(text))):
        for _ in range(place % 8):
            digit = _P[digit]
        check = _D[check][digit]
    return check == 0


def _has_number(text: str) -> bool:
    return len(text.replace("-", "")) >= 6 and len(digits(text)) >= 3


def _id(pattern: str, proof: Proof = bool, evidence: str = "its form", confidence: float = 0.9) -> Rule:
    return _rule("national_id", "high", "a national identity number", pattern, proof, evidence, confidence)


def _rule(
    what: str,
    severity: Severity,
    note: str,
    pattern: str,
    proof: Proof,
    evidence: str,
    confidence: float = 0.9,
) -> Rule:
    def accept(match: re.Match[str]) -> tuple[int, int] | None:
        group = 1 if match.re.groups else 0
        return match.span(group) if proof(match.group(group)) else None

    return Rule(what, severity, note, re.compile(pattern), accept, evidence, confidence)


def _named(words: str, number: str, gap: int = 30) -> str:
    """A number that must be named shortly before it, in any case."""
    return rf"(?i:{words})[^\n]{{0,{gap}}}?(?<![\w-])({number})(?![\w-])"


_PAPERS = (
    r"passport|passeport|pasaporte|reisepass|personalausweis|national id|permis de con"
    r"|identity card|\bid card"
    r"|\bdriv(?:er'?s?|ers'|er\u2019s|ing) lic|führerschein|carn[eé]t de conducir|permiso de conducir"
    r"|carte d'identit|carte nationale|documento de identidad|carta d'identit|aufenthaltstitel|green card"
    r"|alien registration|visa (?:no|number)"
)
CHECKED = "its check digit"
NATIONAL_IDS: tuple[Rule, ...] = (
    _id(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-]|\.\d)", confidence=0.85),  # US SSN
    _id(r"(?<=[a-z])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])", confidence=0.6),
    _id(r"(?<![\w-])9\d\d-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4}(?![\w-])", confidence=0.7),  # US ITIN
    _id(
        _named(r"\bssn|social security", r"(?!000|666)\d{3}[ -]?(?!00)\d\d[ -]?(?!0000)\d{4}", 40),
        evidence="its name",
    ),
    _id(  # UK National Insurance number, HMRC NIM39110
        r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ|bg|gb|kn|nk|nt|tn|zz)[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z]"
        r"[A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z] ?\d\d ?\d\d ?\d\d ?[A-Da-d](?!\w)"
    ),
    _id(r"(?<!\w)(?:\d{8}|[XYZxyz]-?\d{7})-?[A-Za-z](?!\w)", is_dni, CHECKED),
    _id(
        r"(?<!\w)[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?!\w)",
        is_nir,
        CHECKED,
    ),
    _id(
        r"(?<!\w)[A-Za-z]{6}\d\d[A-EHLMPR-Ta-ehlmpr-t][0-7]\d[A-Za-z]\d{3}[A-Za-z](?!\w)",
        is_codice_fiscale,
        CHECKED,
    ),
    _id(r"(?<!\w)\d{3}\.\d{3}\.\d{3}-\d\d(?!\w)", is_cpf, CHECKED),
    _id(r"(?<!\w)756\.\d{4}\.\d{4}\.\d\d(?!\w)", is_ahv, CHECKED),
    _id(r"(?<!\w)\d\d\.\d\d\.\d\d-\d{3}\.\d\d(?!\w)", is_belgian, CHECKED),
    _id(r"(?<!\w)[0-3]\d[01]\d{3}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?!\w)", is_hetu, CHECKED),
    _id(r"(?<![\w-])(?:19|20)?\d\d[01]\d[0-9]\d[-+]\d{4}(?![\w-])", is_swedish, CHECKED, 0.8),
    _id(r"(?<!\w)[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d(?!\w)"),  # Mexican CURP
    _id(r"(?<!\w)[1-8]\d{5}(?:19|20)\d\d[01]\d[0-3]\d{4}[\dXx](?!\w)", is_chinese, CHECKED),
    _id(
        r"(?<![\w-])\d\d[01]\d[0-3]\d-[1-4]\d{6}(?![\w-])",
        lambda text: _day(text[:2], text[2:4], text[4:6]),
        confidence=0.8,
    ),
    _id(_named(r"steuer|\bidnr|\btax id", r"\d\d ?\d{3} ?\d{3} ?\d{3}", 40), is_tax_id, CHECKED),
    _id(
        _named(
            r"rentenversicherung|sozialversicherung|versicherungsnummer|\brvnr",
            r"\d\d ?\d{6} ?[A-Z] ?\d{3}|\d{4} ?\d{6}",
        )
    ),
    _id(_named("pesel", r"\d{11}", 40), is_pesel, CHECKED),
    _id(_named(r"\bbsn|burgerservice|sofinummer", r"\d{8,9}|\d{3,4}[. ]\d\d[. ]\d{3}"), is_bsn, CHECKED),
    _id(_named(r"rijksregister|registre national|\binsz|\bniss", r"\d{11}"), is_belgian, CHECKED),
    _id(_named(r"\bcpr|personnummer", r"[0-3]\d[01]\d{3}-?\d{4}"), is_danish, CHECKED),
    _id(_named(r"fødselsnummer|personnummer", r"\d{6} ?\d{5}"), is_norwegian, CHECKED),
    _id(_named(r"\bnif\b|contribuinte", r"[1-9]\d{2} ?\d{3} ?\d{3}"), is_nif_pt, CHECKED),
    _id(_named("aadhaar|aadhar", r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}"), is_aadhaar, CHECKED),
    _id(_named(r"\bpan\b|permanent account", r"[A-Za-z]{3}[ABCFGHLJPTabcfghljpt][A-Za-z]\d{4}[A-Za-z]")),
    _id(_named(r"\bsin\b|social insurance", r"\d{3}[ -]?\d{3}[ -]?\d{3}"), luhn, CHECKED),
    _id(_named(r"\btfn\b|tax file", r"\d{3} ?\d{3} ?\d{2,3}")),
    _id(_named(r"\bpps|personal public", r"\d{7}[A-W][A-IW]?")),
    _id(
        _named(r"\bcpf|\bcuil|\bcuit|\bdni", r"\d{2,3}[.-]?\d{3}[.-]?\d{3}[.-]?\d{0,2}"), evidence="its name"
    ),
    _id(
        rf"(?i:{_PAPERS})[^\n]{{0,40}}?(?<![\w-])(?=(?:[A-Za-z-]*\d){{3}})((?i:[A-Z\d][A-Z\d-]{{5"
        rf",17}}))(?![\w-])",
        _has_number,
        "its name",
    ),
)


# ── medical ─────────────────────────────────────────────────────────────────────────────────────


def is_npi(text: str) -> bool:
    """United States National Provider Identifier: Luhn over 80840 and the number (CMS, 45 CFR 162)."""
    return luhn("80840" + digits(text))


def is_nhs(text: str) -> bool:
    """NHS number of England and Wales: weights 10 to 2, modulo 11."""
    number = _numbers(text)
    rest = 11 - sum(d * w for d, w in zip(number[:9], range(10, 1, -1), strict=True)) % 11
    return number[9] == (0 if rest == 11 else rest)


def is_dea(text: str) -> bool:
    """United States DEA number: the sum of odd places and twice the even ones ends in the last digit."""
    number = _numbers(text)
    return (sum(number[:6:2]) + 2 * sum(number[1:6:2])) % 10 == number[6]


def _medical(pattern: str, proof: Proof = bool, evidence: str = "its name") -> Rule:
    note = "a number of a patient or of who treats them"
    return _rule("medical_id", "high", note, pattern, proof, evidence)


_TOKEN = r"(?=[\w-]{0,19}\d)[A-Za-z\d][A-Za-z\d-]{3,19}"
MEDICAL: tuple[Rule, ...] = (
    _medical(_named(r"\bnpi\b|provider identifier", r"[12]\d{9}"), is_npi, CHECKED),
    _medical(_named(r"\bnhs\b", r"\d{3}[ -]?\d{3}[ -]?\d{4}", 40), is_nhs, CHECKED),
    _medical(
        r"(?<!\w)[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}(?=\W{0,3}\(?DEA)|\bDEA\b[^\n]{0,20}?([A-Z][A-Z9]\d{7})(?!\w)"
    ),
    _medical(  # Medicare Beneficiary Identifier, CMS
        r"(?<![\w-])[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d-?"
        r"[AC-HJKMNP-RT-Y]{2}\d\d(?![\w-])",
        evidence="its form",
    ),
    _medical(
        r"(?i:\bmrn\b|\bmedical rec(?:ord)?\b|\bpatient(?:en)?(?:[ -]?(?:id|no|number|nr|nummer"
        r"|ref\w{0,6})\b|#)|\bhospital (?:no|number|id)\b"
        r"|\bchart (?:no|number|#)|\bnum[eé]ro de dossier m[eé]dical|\bhistoria cl[ií]nica"
        r"|\bkrankenversicher\w{1,14}"
        r"|\bversichertennummer|\bhealth (?:plan|insurance|card|id)|\bmedicare\b|\bmedicaid\b|\bcarte vitale)"
        rf"(?:[ .:#№-]|n[o°r]\b|number|num|id\b|is\b|card|nummer|member|policy|beneficiary"
        rf"|:){{0,8}}(?<![\w-])({_TOKEN})(?![\w-])"
    ),
)


# ── vehicles and devices ────────────────────────────────────────────────────────────────────────

_VIN = dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ",
        (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
        strict=True,
    )
)


def is_vin(text: str) -> bool:
    """Vehicle identification number with the check digit of North America (49 CFR 565)."""
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    values = (int(c) if c.isdigit() else _VIN.get(c, 0) for c in text)
    return "0123456789X"[sum(v * w for v, w in zip(values, weights, strict=True)) % 11] == text[8]


def _mixed(text: str) -> bool:
    return len(digits(text)) >= 2


def _lies_apart(text: str) -> bool:
    return len(set(digits(text))) > 2 and luhn(text)


VEHICLES: tuple[Rule, ...] = (
    _rule(
        "vehicle",
        "medium",
        "a vehicle's number",
        r"(?<!\w)(?=[A-Z]{0,16}\d)(?=\d{0,16}[A-Z])[A-HJ-NPR-Z\d]{17}(?!\w)",
        is_vin,
        CHECKED,
    ),
    _rule(
        "vehicle",
        "medium",
        "a vehicle's number",
        r"(?:\bVIN\b|(?i:vehicle identification|fahrgestell))[^\n]{0,20}?(?<!\w)([A-HJ-NPR-Z\d]{1"
        r"1,17})(?!\w)",
        _mixed,
        "its name",
    ),
    _rule(
        "vehicle",
        "medium",
        "a number plate",
        r"(?i:\b(?:licen[cs]e|number|registration) plate|\blicen[cs]e tag|\bplate (?:no|number)|\bkennzeichen"
        r"|\bimmatricul\w{1,8}|\bmatr[ií]cula|\bvehicle reg\w{0,11})\W{0,3}(?i:(?:number|no|is"
        r"|was|ist|lautet|nr)\b\W{0,3}){0,2}"
        r"((?=[A-Z\dÄÖÜ -]{0,9}\d)[A-Z\dÄÖÜ]{1,4}(?:[ -][A-Z\d]{1,4}){0,2})(?!\w)",
        _mixed,
        "its name",
        0.8,
    ),
)
DEVICES: tuple[Rule, ...] = (
    _rule(
        "device",
        "medium",
        "a hardware address",
        r"(?<![\w:.-])(?:[\dA-Fa-f]{2}:){5}[\dA-Fa-f]{2}(?![\w:-])"
        r"|(?<![\w-])(?:[\dA-Fa-f]{2}-){5}[\dA-Fa-f]{2}(?![\w-])",
        lambda text: len(set(text)) > 3,
        "its form",
    ),
    _rule(
        "device",
        "medium",
        "a device's number (IMEI)",
        _named(r"\bimei\b", r"\d{2}[ -]?\d{6}[ -]?\d{6}[ -]?\d"),
        _lies_apart,
        CHECKED,
    ),
)
