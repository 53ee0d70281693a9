"""Everything that is known by its form, most certain first: of what overlaps, the first is kept."""

import re

from tunewright.checks._numbers import PHONE, iban_length, is_card, is_ip, is_phone, is_wallet
from tunewright.checks._patterns import Rule, starting
from tunewright.checks._personal_dates import AGES, BIRTHS, DATES
from tunewright.checks._personal_ids import DEVICES, MEDICAL, NATIONAL_IDS, VEHICLES
from tunewright.checks._personal_named import IDENTIFIERS, POSTCODES
from tunewright.checks._personal_special import SPECIAL
from tunewright.checks._places import ADDRESSES, NAMES, TITLES, name_end

Place = tuple[int, int] | None


def _email(match: re.Match[str]) -> Place:
    found = match.group()
    return match.start() + len(found) - len(found.lstrip(".'-")), match.end()


def _email_glued(match: re.Match[str]) -> Place:
    return match.span(1)


def _iban(match: re.Match[str]) -> Place:
    start = match.start() - 2
    size = iban_length(match.string[start : start + 50])
    return (start, start + size) if size else None


def _card(match: re.Match[str]) -> Place:
    return match.span() if is_card(match.group()) else None


def _wallet(match: re.Match[str]) -> Place:
    return match.span() if is_wallet(match.group()) else None


_VERSION = re.compile(r"(?:version|release|\bver|\bv|build|firmware|section|§)\W{0,2}$", re.IGNORECASE)


def _ip(match: re.Match[str]) -> Place:
    before = match.string[max(match.start() - 12, 0) : match.start()]
    return match.span() if is_ip(match.group()) and not _VERSION.search(before) else None


def _phone(match: re.Match[str]) -> Place:
    text, found, start, end = match.string, match.group(), match.start(), match.end()
    if "(" in found and ")" not in found:
        start += len(found) - len(found.lstrip("( "))
    before, after = text[max(start - 60, 0) : start], text[end : end + 12]
    return (start, end) if is_phone(text[start:end], before, after) else None


def _name(match: re.Match[str]) -> Place:
    if match.start() and match.string[match.start() - 1].isalnum():
        return None
    size = name_end(match.group(1), match.string[match.start() : match.start(1)])
    return (match.start(1), match.start(1) + size) if size else None


def _url(match: re.Match[str]) -> Place:
    found = match.group().rstrip(".,;:!?'\"")
    while found.endswith(")") and found.count(")") > found.count("("):
        found = found[:-1]
    return match.start(), match.start() + len(found)


def _c(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags)


_CHECKED = "its check digits"
_SITES = (
    r"(?:twitter|x|instagram|facebook|fb|linkedin|github|gitlab|t|telegram|tiktok|reddit|youtube|snapchat"
    r"|pinterest|medium|mastodon\.social|bsky|threads|xing|vk|soundcloud|twitch|strava|patreon)"
)
_PLATFORMS = (
    "twitter|instagram|insta|telegram|tiktok|snapchat|snap|discord|threads|mastodon|bluesky|skype"
    "|linkedin|github|reddit"
    "|wechat|kik|handle|user ?name|screen ?name|benutzername|nom d'utilisateur|usuario"
)
CONTACTS: tuple[Rule, ...] = (
    Rule(
        "email",
        "medium",
        "an e-mail address",
        _c(
            r"(?<![\w.+%'-])[\w.+%'-]{1,64}@(?:[\w](?:[\w-]{0,61}[\w])?\.){1,6}[^\W\d_]{2,24}(?="
            r"\d{3}-\d\d-|(?![\w@]))"
        ),
        _email,
        "its form",
        0.99,
    ),
    Rule(
        "iban",
        "high",
        "a bank account number (IBAN)",
        _c(r"\d(?<=[A-Za-z]{2}\d)(?<![^\W_]...)\d(?=[ -]?[A-Za-z\d])"),
        _iban,
        "ISO 13616 check digits",
        0.99,
    ),
    Rule(
        "card",
        "high",
        "a payment card number",
        _c(r"\d(?<![\w.,-]\d)(?:[ -]?\d){11,18}(?![\w]|[.,-]\d)"),
        _card,
        "the issuer's prefix and the Luhn digit",
        0.95,
    ),
    Rule(
        "wallet",
        "medium",
        "the address of a wallet",
        _c(r"(?<!\w)(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc1|BC1)[\dA-Za-z]{11,71}|0x[\da-fA-F]{40})(?!\w)"),
        _wallet,
        _CHECKED,
        0.95,
    ),
)
MACHINES: tuple[Rule, ...] = (
    Rule(
        "ip",
        "medium",
        "an IP address",
        _c(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)"),
        _ip,
        "its form",
        0.9,
    ),
    Rule(
        "ip",
        "medium",
        "an IP address",
        _c(r"(?<![\w:.])[\da-fA-F]{0,4}(?::[\da-fA-F]{0,4}){2,7}(?![\w:])"),
        _ip,
        "its form",
        0.9,
    ),
    Rule(
        "handle",
        "medium",
        "a person's page or name on a platform",
        _c(
            rf"(?<![\w@./-])(?:https?://)?(?:www\.|m\.|[a-z]{{2}}\.)?{_SITES}\.(?:com|me|org|net"
            rf"|app|social|tv|ru|de)"
            r"/(?:in/|u/|user/|users/|@|c/|profile/)?[\w.-]{2,40}(?![\w/-])",
            re.IGNORECASE,
        ),
        lambda match: (
            None
            if re.search(
                r"/(?:about|help|legal|privacy|terms|login|signup|search|home|jobs|features|blog"
                r"|watch|explore|settings|pricing|docs|policies|support)$",
                match.group(),
                re.I,
            )
            else _url(match)
        ),
        "an address on a platform of people",
        0.8,
    ),
    Rule(
        "handle",
        "medium",
        "a person's name on a platform",
        _c(
            starting(_PLATFORMS) + r"(?i:(?: (?:handle|account|id|name|user|user ?name))?(?: is| ist| est"
            r"| es)?)\s{0,2}[:=]?\s{0,2}"
            r"((?<=: )[\w.-]{3,30}(?:#\d{4})?|@[\w.]{2,30}[\w](?:@[\w.-]{3,40})?|u/[\w-]{3,20})(?![\w@])"
        ),
        evidence="the platform is named",
        confidence=0.75,
    ),
    Rule(
        "url",
        "low",
        "a web address",
        _c(
            r"(?<![\w@])(?:https?|ftp)://[^\s<>\"'`{}|\\^]{3,400}|(?<![\w@./-])www\.[^\s<>\"'`{}|\\^]{3,400}",
            re.I,
        ),
        _url,
        "its form",
        0.9,
    ),
)
PHONES = (
    Rule(
        "phone", "medium", "a telephone number", PHONE, _phone, "its grouping and the words around it", 0.85
    ),
)
NAMED = tuple(
    Rule("name", "medium", "a person's name", regex, _name, "it is introduced or signed", 0.85)
    for _, regex in NAMES
)
PLACES = tuple(
    Rule("address", "medium", "a street address", regex, evidence="street and number", confidence=0.85)
    for _, regex in ADDRESSES
)

RULES: tuple[Rule, ...] = (
    *CONTACTS,
    *NATIONAL_IDS,
    *MEDICAL,
    *VEHICLES[:1],
    *DEVICES,
    *MACHINES,
    *BIRTHS,
    *PLACES,
    *IDENTIFIERS,
    *PHONES,
    *VEHICLES[1:],
    *POSTCODES,
    *AGES,
    *NAMED,
    *DATES,
    *SPECIAL,
    *TITLES,
)
FIGURELESS = frozenset(
    n
    for n, rule in enumerate(RULES)
    if rule.what in {"email", "handle", "url", "special_category", "name", "title", "date"}
)
"""Rules that may hold in a text without a figure."""
FIGURES = frozenset(n for n, rule in enumerate(RULES) if rule.regex.pattern.startswith((r"\d", r"[+(\d]")))
"""Rules that begin at a figure: trying them on a text with few figures costs less than any gate."""
