"""Credentials that a model would learn by heart and tell to whoever asks."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from math import log2

from tunewright.checks._patterns import Pattern, Span, apart, find, report
from tunewright.nouns import Finding, Record

_HEX = frozenset("0123456789abcdefABCDEF")
_PLACEHOLDER = re.compile(
    r"^[<\[({$%]|[>\])}]$|^(.)\1+$|\*{3}|x{4}|\.{3}|…|^(?:your|my|the|some|any|new|old)[-_ ]"
    r"|^(?:none|null|true|false|undefined|string|required|optional|hidden|redacted|example|changeit|here"
    r"|value)$"
    r"|^(?:os\.|env|process\.|getenv|getpass|input\(|request|self\.|config|settings)|[({;]|password$|passwd$",
    re.IGNORECASE,
)


def _entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    return -sum(n / len(text) * log2(n / len(text)) for n in Counter(text).values()) if text else 0.0


def _real(text: str) -> bool:
    """Not a run of one sign such as `xxxxxxxx`."""
    return len(set(text)) > 5


def _password(text: str) -> bool:
    """A word nobody writes in prose: letters with a digit or a sign among them."""
    text = text.rstrip(".,;:!?")
    if len(text) < 6 or _PLACEHOLDER.search(text) or "://" in text:
        return False
    letters = any(c.isalpha() for c in text)
    digit = any(c.isdigit() for c in text)
    sign = any(not c.isalnum() and c not in "-'’_.,/" for c in text)
    return letters and (digit or sign)


def _quoted(text: str) -> bool:
    return len(text) >= 6 and not _PLACEHOLDER.search(text) and " " not in text


def _key(text: str) -> bool:
    """Random enough to be a key: digits and letters, and at least 3 bits of entropy per character."""
    if _PLACEHOLDER.search(text) or not any(c.isdigit() for c in text) or not any(c.isalpha() for c in text):
        return False
    return _entropy(text) >= (2.8 if set(text) <= _HEX else 3.2)


def _known(what: str, note: str, anchors: str, regex: str) -> Pattern:
    return Pattern(what, "high", note, tuple(anchors.split("|")), re.compile(regex), _real)


_B = r"(?<![A-Za-z0-9_-])"
_E = r"(?![A-Za-z0-9_-])"
_NAMES = (
    r"(?:[\w-]{0,20}[_-])?(?:api[_ -]?key|apikey|secret(?:[_ -]?key)?|client[_ -]?secret|access[_ -]?key"
    r"|auth[_ -]?key"
    r"|access[_ -]?token|auth[_ -]?token|refresh[_ -]?token|bot[_ -]?token|token|encryption[_ -]?key"
    r"|signing[_ -]?key"
    r"|private[_ -]?key|credentials?)"
)
_WORDS = r"(?:pass(?:word|wd|phrase|code)|pwd|passwort|kennwort|mot de passe|contraseña|senha|wachtwoord)"
_WORD_ANCHORS = (
    *(
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "passwort",
        "kennwort",
        "mot de passe",
        "contraseña",
    ),
    *("senha", "wachtwoord"),
)

PATTERNS: tuple[Pattern, ...] = (
    _known(
        "aws",
        "an AWS access key id",
        "akia|asia|agpa|aroa|aida",
        rf"{_B}(?:AKIA|ASIA|AGPA|AROA|AIDA)[A-Z0-9]{{16}}{_E}",
    ),
    _known(
        "github", "a GitHub token", "ghp_|gho_|ghu_|ghs_|ghr_", rf"{_B}gh[pousr]_[A-Za-z0-9]{{36,255}}{_E}"
    ),
    _known("github", "a GitHub token", "github_pat_", rf"{_B}github_pat_[A-Za-z0-9_]{{30,255}}{_E}"),
    _known("gitlab", "a GitLab token", "glpat-", rf"{_B}glpat-[A-Za-z0-9_-]{{20,60}}{_E}"),
    _known("slack", "a Slack token", "xox|xapp-", rf"{_B}(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{{10,250}}{_E}"),
    _known(
        "slack",
        "a Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,120}",
    ),
    _known(
        "stripe",
        "a Stripe key",
        "sk_|rk_|whsec_",
        rf"{_B}(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{{16,250}}{_E}",
    ),
    _known("google", "a Google API key", "aiza", rf"{_B}AIza[A-Za-z0-9_-]{{35}}{_E}"),
    _known(
        "google",
        "a Google OAuth secret",
        "gocspx-|ya29.",
        rf"{_B}(?:GOCSPX-|ya29\.)[A-Za-z0-9_-]{{20,250}}{_E}",
    ),
    _known(
        "openai",
        "a key of a model provider",
        "sk-",
        rf"{_B}sk-(?:(?:proj|svcacct|admin|ant"
        rf"|or)-(?:[a-z0-9]{{2,8}}-)?)?(?=[A-Za-z_-]{{0,80}}\d)[A-Za-z0-9_-]{{20,250}}{_E}",
    ),
    _known("huggingface", "a Hugging Face token", "hf_", rf"{_B}hf_[A-Za-z0-9]{{30,60}}{_E}"),
    _known("npm", "an npm token", "npm_", rf"{_B}npm_[A-Za-z0-9]{{36}}{_E}"),
    _known("pypi", "a PyPI token", "pypi-", rf"{_B}pypi-[A-Za-z0-9_-]{{50,250}}{_E}"),
    _known(
        "sendgrid", "a SendGrid key", "sg.", rf"{_B}SG\.[A-Za-z0-9_-]{{16,32}}\.[A-Za-z0-9_-]{{30,60}}{_E}"
    ),
    _known("shopify", "a Shopify token", "shp", rf"{_B}shp(?:at|ca|pa|ss)_[a-fA-F0-9]{{32}}{_E}"),
    _known("digitalocean", "a DigitalOcean token", "do", rf"{_B}do[opr]_v1_[a-f0-9]{{64}}{_E}"),
    _known("databricks", "a Databricks token", "dapi", rf"{_B}dapi[a-f0-9]{{32}}{_E}"),
    _known("telegram", "a Telegram bot token", ":aa", rf"{_B}\d{{8,10}}:AA[A-Za-z0-9_-]{{33}}{_E}"),
    _known("azure", "an Azure storage key", "accountkey=", r"(?i:AccountKey=)([A-Za-z0-9+/]{40,100}={0,2})"),
    _known("age", "an age secret key", "age-secret-key-", rf"{_B}AGE-SECRET-KEY-1[A-Z0-9]{{50,60}}{_E}"),
    _known(
        "jwt",
        "a JSON web token",
        "eyj",
        rf"{_B}eyJ[A-Za-z0-9_-]{{8,4000}}\.eyJ[A-Za-z0-9_-]{{8,4000}}\.[A-Za-z0-9_-]{{8,1000}}",
    ),
    _known(
        "private_key",
        "a private key",
        "private key",
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s:,.\\-]{0,8000}",
    ),
    Pattern(
        "connection",
        "high",
        "a connection string with its password",
        ("://",),
        re.compile(
            r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,80}:([^\s/@\"'<>]{3,120})@[\w.-]{1,100}"
        ),
        lambda text: (
            not _PLACEHOLDER.search(text) and text.lower() not in ("pass", "password", "pwd", "secret")
        ),
    ),
    Pattern(
        "bearer",
        "high",
        "a bearer token",
        ("bearer ",),
        re.compile(r"(?i)\bbearer {1,3}([A-Za-z0-9._~+/-]{16,2000}={0,2})"),
        _key,
    ),
    Pattern(
        "basic_auth",
        "high",
        "HTTP basic credentials",
        ("basic ",),
        re.compile(
            r"(?i)\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?basic {1,3}([A-Za-z0-9+/]{8,500}={0,2})"
        ),
    ),
    Pattern(
        "password",
        "high",
        "a password",
        _WORD_ANCHORS,
        re.compile(
            rf"(?i)(?<![^\W_]){_WORDS}[\"']?(?:\s{{0,3}}[:=]\s{{0,3}}| (?:is|was|ist|lautet|war|est"
            rf"|es):? )[\"'`]?"
            r"([^\s\"'`<>]{6,100})"
        ),
        _password,
    ),
    Pattern(
        "password",
        "high",
        "a password",
        _WORD_ANCHORS,
        re.compile(rf"(?i)(?<![^\W_]){_WORDS}[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"'`]([^\s\"'`<>]{{6,100}})[\"'`]"),
        _quoted,
    ),
    Pattern(
        "key",
        "medium",
        "something assigned to a name like api_key that looks random",
        ("key", "secret", "token", "credential"),
        re.compile(
            rf"(?i)(?<![\w-]){_NAMES}[\"']?\s{{0,3}}(?:[:=]|:=|=>"
            rf"|is)\s{{0,3}}[\"'`]?([A-Za-z0-9_./+=~-]{{12,300}})"
        ),
        _key,
    ),
)


def secrets(records: Iterable[Record]) -> Iterator[Finding]:
    """Credentials: keys, tokens, passwords and private keys that a model would learn by heart.

    Looks in every turn for the published formats of AWS, GitHub, GitLab, Slack, Stripe, Google, OpenAI,
    Anthropic, Hugging Face, npm, PyPI and others, for JSON web tokens, private-key blocks, connection
    strings with a password, bearer tokens, passwords after a word that says so, and for random-looking
    values (Shannon entropy) assigned to names like `api_key`. Formats follow the providers' documentation;
    the approach is that of detect-secrets and gitleaks. High severity, medium where only entropy speaks.

    Limits: whether a key is still valid is not tried; a password that is an ordinary word, or a key of a
    format not listed that nothing introduces, is not seen.
    """
    for record in records:
        for number, message in enumerate(record.messages):
            yield from report("secrets", record, number, _spans(message.content))


def _spans(text: str) -> list[Span]:
    return apart(find(PATTERNS, text))
