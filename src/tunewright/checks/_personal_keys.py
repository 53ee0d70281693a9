"""The form under which a person is looked up, whatever way it was written."""

import re
import unicodedata
from functools import lru_cache

from tunewright.checks._numbers import digits
from tunewright.checks._places import NOT_NAMES

_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
_BY_SIGNS = frozenset(["iban", "national_id", "medical_id", "identifier", "vehicle", "device", "wallet"])
_TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "professor",
        "sir",
        "dame",
        "lady",
        "lord",
        "rev",
        "herr",
        "herrn",
        "frau",
        "monsieur",
        "madame",
        "mme",
        "mlle",
        "m",
        "señor",
        "senor",
        "señora",
        "senora",
        "sr",
        "sra",
        "signor",
        "signora",
        "sig",
        "don",
        "doña",
        "dona",
        "judge",
        "jr",
        "sr",
        "ii",
        "iii",
        "iv",
        "phd",
        "md",
        "dds",
        "esq",
    ]
)


@lru_cache(100_000)
def subject_keys(text: str, kind: str) -> str:
    """The canonical form of something found, for the index of people; "" where it identifies nobody.

    E-mail addresses in small letters without what follows a plus (`ann+shop@x.org` is `ann@x.org`; Gmail also
    without dots); telephone numbers by their last nine digits without an extension, so that a number is the
    same with and without its country code; account, card, national and other numbers by their letters and
    digits; names of two words or more without titles, accents, initials and case, the family name last
    (`Lopez, María J.` is `maria lopez`). A first name alone, a place, a date or an age is nobody's key.

    Limits: two people of one name have one key, and the numbers of two countries that end in the same nine
    digits as well; whoever erases looks at what is found. Nicknames and married names are other keys.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if kind == "email":
        return _email(plain.casefold())
    if kind == "phone":
        number = digits(
            re.split(r"[ ,]*(?:ext|x)", plain, maxsplit=1, flags=re.IGNORECASE)[0].replace("(0)", "")
        )
        return number[-9:] if len(number) >= 7 else ""
    if kind == "card":
        return digits(plain)
    if kind in _BY_SIGNS:
        signs = "".join(c for c in plain.upper() if c.isalnum())
        return signs if len(signs) >= 4 else ""
    if kind == "handle":
        return plain.casefold().rstrip("/").rpartition("/")[2].lstrip("@")
    return _name(plain) if kind == "name" else ""


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not (local and at and domain):
        return ""
    local = local.partition("+")[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def _name(text: str) -> str:
    last, comma, first = text.partition(",")
    ordered = f"{first} {last}" if comma and first.strip(" .").casefold() not in _TITLES else last
    flat = "".join(
        c
        for c in unicodedata.normalize("NFKD", ordered.casefold().translate(_LETTERS))
        if not unicodedata.combining(c)
    )
    words = [
        word
        for word in re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", re.sub(r"['’]s\b", "", flat))
        if len(word) > 1
    ]
    while words and words[0] in _TITLES | NOT_NAMES:
        words.pop(0)
    words = [word for word in words if word not in _TITLES]
    return " ".join(words) if len(words) >= 2 else ""
