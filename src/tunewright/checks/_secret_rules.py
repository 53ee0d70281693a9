"""Secrets that are known by what stands around them: assignments, headers, addresses, blocks of keys.

Every repeat is bounded, so that matching takes time in proportion to the text.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from tunewright.checks._secret_formats import HEX, entropy, random, wordy
from tunewright.nouns import Severity

PLACEHOLDER = re.compile(
    r"^[<\[({$]|^%.*%$|[>\])}]$|^(.)\1+$|\*{3}|x{4}|\.{3}|…|^(?:your|my|the|some|any|new|old)[-_ ]"
    r"|^(?:none|null|true|false|undefined|string|required|optional|hidden|redacted|example|changeit|here"
    r"|value)$"
    r"|^(?:os\.|env|process\.|getenv|get_|getpass|input\(|request|self\.|this\.|config|settings|params?\."
    r"|secrets?\.|data\.|var\.)|[({;]|password$|passwd$|_here$|-here$|^your[A-Z]|\$\{",
    re.IGNORECASE,
)


class Rule(NamedTuple):
    """One expression; `accept` says of group 1 (or of the whole) whether it counts."""

    name: str
    what: str
    severity: Severity
    note: str
    regex: str
    accept: Callable[[str], bool] = bool


def _many(text: str) -> bool:
    """Not a run of one sign such as `xxxxxxxx`."""
    return len(set(text)) > 5


def _password(text: str) -> bool:
    """A word nobody writes in prose: letters with a digit or a sign among them."""
    text = text.rstrip(".,;:!?")
    if len(text) < 6 or PLACEHOLDER.search(text) or "://" in text:
        return False
    letters = any(c.isalpha() for c in text)
    digit = any(c.isdigit() for c in text)
    sign = any(not c.isalnum() and c not in "-'’_.,/" for c in text)
    return letters and (digit or sign)


def _quoted(text: str) -> bool:
    return len(text) >= 6 and not PLACEHOLDER.search(text) and " " not in text


def key(text: str) -> bool:
    """Random enough to be a key: digits and letters, and at least 3 bits of entropy per character."""
    if PLACEHOLDER.search(text) or not any(c.isdigit() for c in text) or not any(c.isalpha() for c in text):
        return False
    return entropy(text) >= (2.8 if set(text) - {"-"} <= HEX else 3.2) and not wordy(text)


def _loose(text: str) -> bool:
    """A key that only a word introduces: as random as keys of a service are."""
    return random(text) and not PLACEHOLDER.search(text) and not wordy(text)


def _unnamed(text: str) -> bool:
    """What hardly anything but a key is: long, and neither a number in hexadecimal, a UUID nor words."""
    text = text.rstrip("=.-")
    if PLACEHOLDER.search(text) or set(text) - {"-"} <= HEX or not random(text) or wordy(text):
        return False
    digits = sum(c.isdigit() for c in text)
    mixed = any(c.isupper() for c in text) and any(c.islower() for c in text)
    return digits >= 2 and entropy(text) >= (3.9 if mixed else 3.7) and text.count("-") + text.count("_") <= 4


def _secret_word(text: str) -> bool:
    return not PLACEHOLDER.search(text) and text.lower() not in _DEFAULTS


_DEFAULTS = ("pass", "password", "pwd", "secret", "user", "username", "token", "key", "changeme", "test")
_B = r"(?<![A-Za-z0-9_-])"
_E = r"(?![A-Za-z0-9_-])"
_NAMES = (
    r"(?:[\w-]{0,20}[_-])?(?:api[_ -]?key|apikey|secret(?:[_ -]?(?:key|token|id))?|client[_ -]?secret"
    r"|access[_ -]?key|auth[_ -]?key|app[_ -]?key|account[_ -]?key|shared[_ -]?key|master[_ -]?key"
    r"|license[_ -]?key|service[_ -]?key|deploy[_ -]?key|webhook[_ -]?(?:key|url)"
    r"|access[_ -]?token|auth[_ -]?token|refresh[_ -]?token|bot[_ -]?token|id[_ -]?token|token"
    r"|encryption[_ -]?key|signing[_ -]?key|private[_ -]?key|credentials?|creds|auth|pat|signature|sig)"
)
_CAMEL = (
    r"(?:[a-z][A-Za-z0-9]{0,20})?(?:ApiKey|APIKey|SecretKey|Secret|AccessKey|AccessToken|AuthToken|Token)"
)
_WORDS = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|passwort|kennwort|mot de passe|contrase(?-i:ñ|Ñ)a|senha|wachtwoord"
    r"|parola|lozinka|(?-i:[Пп]ароль|ПАРОЛЬ))"
)
_IS = r"(?:\s{0,3}(?::=|=>|[:=]|->)\s{0,3}| (?:is|was|ist|lautet|war|est|es|è|é):? )"
_SET = r"[\"']?\]?\s{0,3}(?::=|=>|->|[:=,]|is)\s{0,3}"

RULES: tuple[Rule, ...] = (
    Rule(
        "block",
        "private_key",
        "high",
        "a private key",
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s:,.\\-]{0,8000}",
        _many,
    ),
    Rule(
        "putty",
        "private_key",
        "high",
        "a private key",
        r"PuTTY-User-Key-File-[23]: [A-Za-z0-9-]{3,40}[\s\S]{0,3000}?Private-MAC: [0-9a-f]{20,64}",
    ),
    Rule(
        "jwt",
        "jwt",
        "high",
        "a JSON web token",
        rf"{_B}eyJ[A-Za-z0-9_-]{{8,4000}}\.eyJ[A-Za-z0-9_-]{{8,4000}}\.[A-Za-z0-9_-]{{8,1000}}",
        _many,
    ),
    Rule(
        "url",
        "connection",
        "high",
        "a connection string with its password",
        r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,80}:([^\s/@\"'<>]{3,120})@[\w.-]{1,100}",
        _secret_word,
    ),
    Rule(
        "odbc",
        "connection",
        "high",
        "a connection string with its password",
        r"(?i)(?:server|data source|host|database|driver|user id|uid|initial catalog|account(?:name)?"
        r"|endpoint)"
        r"\s{0,2}=[^\n\"']{1,200};\s{0,3}(?:password|pwd|accountkey|sharedaccesskey)\s{0,2}=\s{0,2}"
        r"([^\s;\"'<>{}]{6,120})",
        _secret_word,
    ),
    Rule(
        "azure",
        "azure",
        "high",
        "an Azure storage or bus key",
        r"(?i:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,100}={0,2})",
        _many,
    ),
    Rule(
        "sas",
        "azure",
        "high",
        "a signed Azure address",
        r"[?&]sv=20\d\d-[^\s\"'<>]{5,300}?&sig=([A-Za-z0-9%+/=]{30,100})",
        _many,
    ),
    Rule(
        "signed",
        "aws",
        "high",
        "a signed AWS address",
        r"X-Amz-Credential=[^\s\"'<>]{10,300}?X-Amz-Signature=([0-9a-f]{64})",
    ),
    Rule(
        "bearer",
        "bearer",
        "high",
        "a bearer token",
        r"(?i)\bbearer {1,3}([A-Za-z0-9._~+/-]{16,2000}={0,2})",
        key,
    ),
    Rule(
        "basic",
        "basic_auth",
        "high",
        "HTTP basic credentials",
        r"(?i)\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?basic {1,3}([A-Za-z0-9+/]{8,500}={0,2})",
    ),
    Rule(
        "header",
        "bearer",
        "high",
        "a token in a header",
        r"(?i)\bauthorization[\"']?\s{0,3}[:=,]\s{0,3}[\"']?(?:token|apikey|api-key|key|ssws|bot|splunk|digest)?"
        r"[ =]{0,3}[\"']?([A-Za-z0-9._~+/=-]{16,500})",
        key,
    ),
    Rule(
        "netrc",
        "password",
        "high",
        "a password in a netrc file",
        r"(?:machine\s{1,3}[\w.-]{1,80}|default)\s{1,5}login\s{1,3}\S{1,80}\s{1,5}password\s{1,3}(\S{4,120})",
        _secret_word,
    ),
    Rule(
        "docker",
        "docker",
        "high",
        "registry credentials",
        r"\"auth\"\s{0,3}:\s{0,3}\"([A-Za-z0-9+/]{16,400}={0,2})\"",
        _many,
    ),
    Rule(
        "npmrc",
        "npm",
        "high",
        "a registry token",
        r"(?i)(?:_authToken|_auth|_password)\s{0,3}=\s{0,3}[\"']?([A-Za-z0-9+/_=-]{12,200})",
        key,
    ),
    Rule(
        "curl",
        "basic_auth",
        "high",
        "a password on a command line",
        r"\bcurl\b[^\n]{0,200}?\s(?:-u|--user)[ =]{1,2}[\"']?[\w.@+-]{1,80}:([^\s\"'$<>{}]{4,120})",
        _secret_word,
    ),
    Rule(
        "flag",
        "password",
        "high",
        "a password on a command line",
        r"\s--?(?:password|passwd|pass|pwd|token|secret|api-key)[ =][\"']?([^\s\"'$<>{}-][^\s\"'<>]{5,120})",
        _password,
    ),
    Rule(
        "psexec",
        "password",
        "high",
        "a password on a command line",
        r"(?i)\b(?:psexec|net use|mysql|sshpass|mongo|smbclient|wmic)\b[^\n]{0,120}?\s[-/]p ?"
        r"([^\s-]\S{5,80})",
        _password,
    ),
    Rule(
        "xml",
        "password",
        "high",
        "a password in a settings file",
        r"(?i)(?:<(?:\w{0,20}password|passwd|secret|apikey|api_key)>|(?:key|name)=\"[\w.-]{0,40}password\"\s{1,3}value=\")"
        r"([^<>\"\s$]{6,120})",
        _quoted,
    ),
    Rule(
        "password",
        "password",
        "high",
        "a password",
        rf"(?i)(?<![^\W_]){_WORDS}[\"']?\]?{_IS}[\"'`]?([^\s\"'`<>]{{6,100}})",
        _password,
    ),
    Rule(
        "password_quoted",
        "password",
        "high",
        "a password",
        rf"(?i)(?<![^\W_]){_WORDS}[\"']?\]?\s{{0,3}}(?:=>|[:=,])\s{{0,3}}[\"'`]([^\s\"'`<>]{{6,100}})[\"'`]",
        _quoted,
    ),
    Rule(
        "password_name",
        "password",
        "high",
        "a password",
        r"(?:[A-Z0-9_]{1,40}_|\b)(?:PASS|PASSWD|PWD|PW|PASSWORD|PASSPHRASE)\s{0,2}=\s{0,2}[\"']?([^\s\"'$<>{}]{6,100})",
        _password,
    ),
    Rule(
        "pin",
        "password",
        "medium",
        "a password",
        r"(?i)\b(?:log ?in|sign in|credentials|logged in)\b[^\n]{0,60}?\b(?:password|pw|pass):? "
        r"[\"']?(?=[^\s\"']{0,30}\d)([A-Za-z0-9!@#$%^&*_+-]{6,40})",
        _password,
    ),
    Rule(
        "recovery",
        "wallet",
        "high",
        "the words that open a wallet",
        r"(?i)\b(?:seed|recovery|mnemonic|secret recovery) ?(?:phrase|words?)?[\"']?\s{0,3}(?:is|are|[:=])"
        r"\s{0,3}[\"']?((?:[a-z]{3,8} ){11,23}[a-z]{3,8})(?![a-z])",
    ),
)

LOOSE: tuple[Rule, ...] = (
    Rule(
        "model",
        "openai",
        "high",
        "a key of a model provider",
        rf"{_B}sk-(?:(?:proj|svcacct|admin|ant|or)-(?:[a-z0-9]{{2,8}}-)?)?(?=[A-Za-z_-]{{0,80}}\d)"
        rf"[A-Za-z0-9_-]{{20,250}}{_E}",
        _many,
    ),
    Rule(
        "slack",
        "slack",
        "high",
        "a Slack token",
        rf"{_B}(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{{10,250}}{_E}",
        _many,
    ),
    Rule(
        "shaped",
        "key",
        "high",
        "shaped like the keys of many services: a short name, an underscore, and randomness",
        rf"{_B}([a-z]{{2,10}}[_-](?:(?:live|test|prod|dev|sandbox|production|api|key|pat|tok|sk|pk|secret)[_-])?"
        rf"[A-Za-z0-9]{{32,100}}){_E}",
        lambda text: random(text) and not wordy(text) and any(c.isupper() for c in text),
    ),
    Rule(
        "assigned",
        "key",
        "medium",
        "something assigned to a name like api_key that looks random",
        rf"(?i)(?<![\w-]){_NAMES}{_SET}[\"'`(]{{0,2}}([A-Za-z0-9_./+=~-]{{12,300}})",
        key,
    ),
    Rule(
        "assigned_camel",
        "key",
        "medium",
        "something assigned to a name like apiKey that looks random",
        rf"(?<![\w-]){_CAMEL}{_SET}[\"'`(]{{0,2}}([A-Za-z0-9_./+=~-]{{12,300}})",
        key,
    ),
    Rule(
        "introduced",
        "key",
        "medium",
        "something near a word like token that looks random",
        r"(?i)(?:api|access|secret|auth|private|license|token|key|credential|webhook|signing)[\w-]{0,20}"
        r"[^\n]{0,30}?(?<![A-Za-z0-9_./+=~@#-])([A-Za-z0-9_-]{20,200}={0,2})(?![A-Za-z0-9_./+~@-])",
        _loose,
    ),
    Rule(
        "unnamed",
        "key",
        "medium",
        "a long random value that something is set to",
        r"[:=>,][\"'`\s=]{0,4}(?<![A-Za-z0-9_./+~@-])([A-Za-z0-9_-]{24,120}={0,2})(?![A-Za-z0-9_./+~@-])",
        _unnamed,
    ),
    Rule(
        "parameter",
        "key",
        "medium",
        "a key in an address",
        r"(?i)[?&](?:[\w-]{0,20}(?:key|token|secret|auth|sig|signature|access_id|apikey|appid|api_?k))="
        r"([A-Za-z0-9_.%+/=-]{12,300})",
        key,
    ),
)
