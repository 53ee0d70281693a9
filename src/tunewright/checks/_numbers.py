"""Numbers that check themselves: cards, bank accounts, wallets, machines; and telephone numbers."""

import re
from hashlib import sha256
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


# ── wallets ─────────────────────────────────────────────────────────────────────────────────────

_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_B32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def is_wallet(text: str) -> bool:
    """A Bitcoin address (Base58Check, or Bech32 of BIP 173 and 350), or an Ethereum one by its form."""
    if text.startswith("0x"):
        return len(set(text)) > 8
    if text[:3].lower() == "bc1":
        return _bech32(text.lower())
    value = 0
    for sign in text:
        value = value * 58 + _B58.index(sign)
    whole = value.to_bytes(25, "big") if value < 1 << 200 else b""
    return bool(whole) and sha256(sha256(whole[:-4]).digest()).digest()[:4] == whole[-4:]


def _bech32(text: str) -> bool:
    check = 1
    for value in [3, 3, 0, 2, 3, *(_B32.find(sign) for sign in text[3:])]:
        if value < 0:
            return False
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, word in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= word if top >> bit & 1 else 0
    return check in (1, 0x2BC830A3)


# ── telephone ───────────────────────────────────────────────────────────────────────────────────

PHONE = re.compile(
    r"[+(\d](?<![\w./+#$£€-].)(?<!\d,.)(?:(?<=\+) ?\d|(?<=\()\+?\d|(?<=\d))"
    r"(?:[ \t]?[-.()/]?[ \t]?\(?\d){5,16}"
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
    r"(?:order|part|purchase|booking|invoice|ticket|tracking|reference|\bref|receipt|case|serial|item|product"
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
    kind = bool(_KIND.match(after))
    if after[:1] == "-" and after[1:2].isalnum() and not kind:
        return False
    called = kind or bool(_CALL.search(before))
    if text.startswith("00") and len(number) >= 10 and number[2] != "0":
        return called or text != number
    if _AMOUNT.fullmatch(text) and not called and not _GROUPED.fullmatch(text):
        return False
    core = re.split(r"[ ,]*(?:ext|x)", text, maxsplit=1, flags=re.IGNORECASE)[0]
    return bool(_GROUPED.fullmatch(core)) or (called and (len(number) >= 8 or core != number))
