"""What the hateful-language model sees: a sentence as a skeleton of roles and function words, hashed."""

import zlib
from collections.abc import Sequence

from tunewright.checks._toxicity_words import Lexicon, Word, lexicon

SIZE = 1 << 16

_ROLES = {
    "ARE": "is are was were be being been am 're 's 'm isn aren wasn weren r",
    "MUST": "should must ought need needs needed gotta let lets have has supposed going gonna "
    "will 'll would 'd can could might",
    "DESERVE": "deserve deserves deserved earned entitled worthy",
    "NOT": "not n't never no none nobody nothing neither nor don dont doesnt isnt arent cant "
    "wont shouldnt didnt cannot hardly stop without nicht kein keine pas jamais nunca "
    "ningún",
    "I": "i we me my our us im ive ich wir je nous yo nosotros",
    "YOU": "you your u ur yourself",
    "THEY": "they them their theirs those these he she him her it who this that",
    "ALL": "all every each any always whole entire everyone everybody",
    "SOME": "some many few most lot lots several certain",
    "WH": "why how what where when which",
    "IF": "if whether unless until",
    "LIKE": "nothing no_better different more like as just basically little only really literally "
    "simply mere",
    "THAN": "than",
    "BUT": "but although though however except",
    "WITHOUT": "without until before rid",
    "HOME": "country countries world society nation land neighbourhood neighborhood community "
    "street streets planet earth town city culture here america europe england britain",
    "KIN": "friend friends neighbour neighbor husband wife daughter son brother sister mother "
    "father boss colleague best someone anyone person group bunch lot",
    "DO": "do does did",
    "GET": "get got getting go goes going come came coming give gave make makes made take takes",
    "BY": "by",
    "FOR": "for",
    "TO": "to",
    "OF": "of from",
    "IN": "in on at near around with next",
    "AND": "and or",
}
_FORMS = {form: role for role, forms in _ROLES.items() for form in forms.split()}
_DROPPED = frozenset(
    [
        "a",
        "an",
        "the",
        "so",
        "such",
        "very",
        "really",
        "truly",
        "totally",
        "absolutely",
        "completely",
        "quite",
        "too",
        "damn",
        "bloody",
        "literally",
        "honestly",
    ]
)
_QUOTES = frozenset('"“”«»„')


def skeleton(words: Sequence[Word]) -> list[tuple[str, int, int]]:
    """Roles in order, with the first and one past the last character each stands for.

    Words without a role are `_`, and several in a row are one; an identity becomes a group before a word for
    people or where it is used as a noun.
    """
    lex = lexicon()
    out: list[tuple[str, int, int]] = []
    at = 0
    while at < len(words):
        tag, count = _tag(words, at, lex)
        start, end = words[at].start, words[at + count - 1].end
        at += count
        if tag == "":
            continue
        if tag == "PERSON":
            if out and out[-1][0] in ("IDENTITY", "GROUP"):
                out[-1] = ("GROUP", out[-1][1], end)
                continue
            tag = "_" if words[at - 1].read != "people" else "FOLK"
        if tag == "IDENTITY" and _as_noun(words, at):
            tag = "GROUP"
        if tag in ("_", "IDENTITY") and out and out[-1][0] == tag:
            out[-1] = (tag, out[-1][1], end)
            continue
        out.append((tag, start, end))
    return out


def _as_noun(words: Sequence[Word], after: int) -> bool:
    """Whether an adjective stands for a person or for people: after an article, and no noun follows."""
    before = words[after - 2].read if after > 1 else ""
    follows = words[after].read if after < len(words) else "."
    return before in ARTICLES and (not follows[0].isalpha() or follows in _FORMS)


_LIKERS = frozenset(
    ("i", "we", "to", "do", "don", "not", "n't", "would", "really", "also", "who", "they", "dont")
)
"""Words after which `like` is what somebody does, not what something is compared with."""
ARTICLES = frozenset(("a", "an", "the", "every", "another", "no", "you", "those", "these", "all"))


def _tag(words: Sequence[Word], at: int, lex: Lexicon) -> tuple[str, int]:
    word = words[at].read
    for phrase, tag in lex.phrases.get(word, ()):
        if all(w.read == p for w, p in zip(words[at : at + len(phrase)], phrase, strict=False)) and at + len(
            phrase
        ) <= len(words):
            return tag, len(phrase)
    if word in _DROPPED:
        return "", 1
    if word in _QUOTES:
        return "Q", 1
    if word[0] in ".?!\n":
        return ("?" if "?" in word else "."), 1
    tag = lex.tags.get(word, "")
    if tag == "INSULT":
        return "VERMIN", 1
    if tag and tag != "SEXUAL":
        if word == "like" and (not at or words[at - 1].read not in _LIKERS):
            return "LIKE", 1
        return tag, 1
    return _FORMS.get(word, "_"), 1


def signs(roles: Sequence[str]) -> list[int]:
    """Hashed features: runs of one to four roles, and pairs and triples of telling roles in their order."""
    found: set[str] = set()
    ended = ["^", *roles, "$"]
    for size in (1, 2, 3, 4):
        for at in range(len(ended) - size + 1):
            found.add(" ".join(ended[at : at + size]))
    telling = [role for role in roles if role not in ("_", "IN", "OF", "AND", "FOR", "GET", "BY")]
    for size in (2, 3, 4):
        for at in range(len(telling) - size + 1):
            found.add("+" + " ".join(telling[at : at + size]))
    for one, role in enumerate(telling):
        for other in telling[one + 1 : one + 8]:
            found.add(f"{role}>{other}")
    return [zlib.crc32(sign.encode()) % SIZE for sign in found]
