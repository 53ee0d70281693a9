"""Numbers that check themselves: cards, bank accounts, national ids and telephone numbers."""

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv6Address


def digits(text: str) -> str:
    """Only the ASCII digits."""
    return "".join(c for c in text if c in "0123456789")


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits(text))):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_CARD = re.compile(  # issuer prefixes and lengths, ISO/IEC 7812
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11,13}"
    r"|35\d{14}|(?:2131|1800)\d{11}|(?:5[06-9]|6\d)\d{10,17}"
)


def is_card(text: str) -> bool:
    """A payment card number: known issuer, right length, Luhn digit."""
    number = digits(text)
    return bool(_CARD.fullmatch(number)) and len(set(number)) > 1 and luhn(number)


_IBAN_LENGTHS = {  # SWIFT IBAN registry, release 98
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL", "FK"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK", "MN"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL", "OM", "SO"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "MR", "SM", "BI", "DJ"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}


def iban_length(text: str) -> int:
    """How many characters from the start of `text` are an IBAN (ISO 13616: length by country, mod 97)."""
    wanted = _IBAN_LENGTHS.get(text[:2].upper())
    number = ""
    for place, sign in enumerate(text if wanted else ""):
        if sign.isalnum() and sign.isascii():
            number += sign.upper()
        if len(number) == wanted:
            value = int("".join(str(int(c, 36)) for c in number[4:] + number[:4]))
            follows = text[place + 1 : place + 2]
            return place + 1 if value % 97 == 1 and not follows.isalnum() else 0
    return 0


def is_ip(text: str) -> bool:
    """An IPv4 or IPv6 address of some machine (not of every machine, or of oneself)."""
    try:
        one = IPv6Address(text) if ":" in text else IPv4Address(text)
    except (AddressValueError, ValueError):
        return False
    if (
        ":" in text
        and (text.count(":") < 3 or not any(c.isdigit() for c in text))
        and not text.startswith("2")
    ):
        return False  # `a::b` is more often a name in a program
    return not (one.is_loopback or one.is_unspecified or one.is_multicast) and text != "255.255.255.255"


# ── national ids ────────────────────────────────────────────────────────────────────────────────


def is_dni(text: str) -> bool:
    """Spanish DNI or NIE: the letter is the number modulo 23."""
    sign = "".join(c for c in text.upper() if c.isalnum())
    number = sign[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == sign[-1]


def is_nir(text: str) -> bool:
    """French social security number with its key: 97 minus the number modulo 97."""
    sign = "".join(c for c in text.upper() if c.isalnum()).replace("2A", "19").replace("2B", "18")
    return len(sign) == 15 and sign.isdigit() and 97 - int(sign[:13]) % 97 == int(sign[13:])


def is_cpf(text: str) -> bool:
    """Brazilian CPF: two check digits modulo 11."""
    number = [int(d) for d in digits(text)]
    for size in (9, 10):
        rest = sum(d * (size + 1 - i) for i, d in enumerate(number[:size])) * 10 % 11 % 10
        if number[size] != rest:
            return False
    return len(set(number)) > 1


def is_ahv(text: str) -> bool:
    """Swiss AHV number: an EAN-13 check digit."""
    number = [int(d) for d in digits(text)]
    return sum(d * (3 if i % 2 else 1) for i, d in enumerate(number)) % 10 == 0


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
    number = [int(d) for d in digits(text)]
    product = 10
    for digit in number[:10]:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return len(number) == 11 and number[0] != 0 and (11 - product) % 10 == number[10]


def is_pesel(text: str) -> bool:
    """Polish PESEL: weights 1 3 7 9."""
    number = [int(d) for d in digits(text)]
    return len(number) == 11 and sum(d * w for d, w in zip(number, (1, 3, 7, 9) * 3, strict=False)) % 10 in (
        0 if number[10] == 0 else -1,
        (2 * number[10]) % 10,
    )


# pattern, its check, and the words of which one must stand shortly before it (none: it speaks for itself)
NATIONAL_IDS: tuple[tuple[re.Pattern[str], Callable[[str], bool], tuple[str, ...]], ...] = (
    (re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])"), bool, ()),  # US SSN
    (
        re.compile(r"(?<![\w-])(?!000|666|9)\d{3} ?(?!00)\d\d ?(?!0000)\d{4}(?![\w-])"),
        bool,
        ("ssn", "social security"),
    ),
    (
        re.compile(  # UK National Insurance number, HMRC NIM39110
            r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z]"
            r"[A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z] ?\d\d ?\d\d ?\d\d ?[A-Da-d](?!\w)"
        ),
        bool,
        (),
    ),
    (re.compile(r"(?<!\w)(?:\d{8}|[XYZxyz]-?\d{7})-?[A-Za-z](?!\w)"), is_dni, ()),
    (
        re.compile(r"(?<!\w)[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?!\w)"),
        is_nir,
        (),
    ),
    (
        re.compile(r"(?<!\w)[A-Z]{6}\d\d[ABCDEHLMPRST]\d\d[A-Z]\d{3}[A-Z](?!\w)", re.IGNORECASE),
        is_codice_fiscale,
        (),
    ),
    (re.compile(r"(?<!\w)\d{3}\.\d{3}\.\d{3}-\d\d(?!\w)"), is_cpf, ()),
    (re.compile(r"(?<!\w)756\.\d{4}\.\d{4}\.\d\d(?!\w)"), is_ahv, ()),
    (re.compile(r"(?<!\w)\d\d ?\d{3} ?\d{3} ?\d{3}(?!\w)"), is_tax_id, ("steuer", "idnr", "tax")),
    (re.compile(r"(?<!\w)\d{11}(?!\w)"), is_pesel, ("pesel",)),
    (
        re.compile(r"(?<![\w-])[A-Z\d][A-Z\d-]{5,17}(?![\w-])", re.IGNORECASE),
        lambda text: len(text.replace("-", "")) >= 6 and len(digits(text)) >= 3,
        (
            *(
                "passport",
                "passeport",
                "pasaporte",
                "reisepass",
                "personalausweis",
                "national id",
                "permis de con",
            ),
            *(
                "identity card",
                "id card",
                "driver's lic",
                "driver lic",
                "drivers lic",
                "driving lic",
                "führerschein",
                "carnet de conducir",
            ),
        ),
    ),
)
ID_BEFORE = 40
"""Characters before a number in which the words that name it may stand."""


# ── telephone ───────────────────────────────────────────────────────────────────────────────────

PHONE = re.compile(
    r"(?<![\w./+#$£€-])(?<!\d,)(?:\+ ?|\(\+?)?\d(?:[ \t]?[-.()/]?[ \t]?\(?\d){5,16}"
    r"(?:[ ,]{0,2}(?:ext|x)\.? ?\d{1,6}(?!\w)|(?!\w|[.,:/-]\d))",
    re.IGNORECASE,
)
_GROUPED = re.compile(  # numbering plans as people write them: North America, then Europe
    r"(?:1[ .-]?)?(?:\([2-9]\d\d\)[ .-]?|[2-9]\d\d[ .-])\d{3}[ .-]?\d{4}"
    r"|001-\d{3}-\d{3}-\d{4}"
    r"|\(?0\d{1,5}\)?[ ./-]{1,3}\d{2,5}(?:[ ./-]?\d{2,5}){0,4}"
    r"|0[1-9](?:[ .-]\d\d){4}"
    r"|0\d00(?: \d{2,4}){2,3}"
    r"|[6789]\d\d(?:[ .-]\d{3}){2}|[6789]\d\d(?:[ .-]\d\d){3}"
)
_CALL = re.compile(
    r"(?:\b(?:call(?:ed|ing|s)?|tel|cell|mob|reach|ring|dial|fax|desk|answer(?:ing)?|registered)\b|phone|mobile"
    r"|whats ?app|text (?:me|us)"
    r"|sms|contact|telefon|handy|rückruf|anrufen|nummer|t[ée]l[ée]phone|portable|appel|tel[ée]fono"
    r"|m[óo]vil|llam|celular"
    r"|\bnumber is|my number)[^\n]{0,30}$",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"[ -]\(?(?:office|fax|mobile|cell|home|work|desk|is my (?:\w+ )?(?:phone|number))\b", re.IGNORECASE
)
_OTHER = re.compile(
    r"(?:order|purchase|booking|invoice|ticket|tracking|reference|\bref|receipt|case|serial|item|product"
    r"|article|\bsku|\bisbn"
    r"|\bimei|account|transaction|bestell|rechnung|kunden|commande|facture|pedido|factura|version|#|\bid"
    r"|\bno|\bnr|zip|plz|\$|€|£)\W{0,3}(?:number|no|nr|id|code|nummer)?\W{0,3}(?:is|was|ist|est|es)?\W{0,3}$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d$|(?:19|20)\d\d[-./ ]\d\d?[-./ ]\d\d?"
    r"|\d\d?[-./ ]\d\d?[-./ ](?:19|20)\d\d"
)
_AMOUNT = re.compile(r"\d{1,3}(?:[ .,]\d{3})+(?:[.,]\d\d)?")


def is_phone(text: str, before: str, after: str = "") -> bool:
    """Whether digits are a telephone number, by how they are grouped and by the words around them."""
    number = digits(re.split(r"[ex]", text, maxsplit=1, flags=re.IGNORECASE)[0])
    if not 7 <= len(number) <= 15 or len(set(number)) < 3 or text.count("(") != text.count(")"):
        return False
    if text.lstrip("( ").startswith("+"):
        return len(number) >= 8
    if _DATE.match(text) or _OTHER.search(before):
        return False
    called = bool(_CALL.search(before) or _KIND.match(after))
    if text.startswith("00") and len(number) >= 10 and number[2] != "0":
        return called or text != number
    if _AMOUNT.fullmatch(text) and not called and not _GROUPED.fullmatch(text):
        return False
    core = re.split(r"[ ,]*(?:ext|x)", text, maxsplit=1, flags=re.IGNORECASE)[0]
    return bool(_GROUPED.fullmatch(core)) or (called and (len(number) >= 8 or core != number))
