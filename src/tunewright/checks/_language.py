"""Which language a text is in."""

import math
import re
from collections.abc import Callable, Sequence
from functools import cache

from tunewright.checks._language_bayes import Bayes, bayes
from tunewright.checks._language_codes import SMALLER, UNKNOWN, plain

Found = tuple[bool, int, tuple[tuple[str, str, int, float], ...]]
"""Reliable or not, bytes seen, and up to three of (name, code, percent of the text, score per kilobyte)."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`", re.DOTALL)
_SIGNS = re.compile(r"[@<{_\\&]|//|www|\(\)")
_NO_WORDS = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]{1,64}@\S+|</?[A-Za-z][^<>\n]{0,200}>|\{\{[^{}\n]{0,80}\}\}|&[a-z]{2,8};"
    r"|\w{1,64}[_\\]\w+|\w{1,64}\(\)"
)
# What the first opinion's engine does not take: control characters, surrogates, non-characters.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_LETTERS = re.compile(r"[^\W\d_]+")
_SHOWN = re.compile(r"[\s\d]+")
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # one such letter is a syllable or a word

_PERCENT = 90
_SCORE = 500
_LEAST_LETTERS = 6
_SHORT = 24
_SPAN = 1_000


def identify(texts: Sequence[str]) -> list[tuple[str, float]]:
    """The language of each text and how sure that is, from 0 to 1: ISO 639-1, ISO 639-3 where there is no
    such code, or `und` when it cannot be told.

    Two opinions. CLD2 (`pycld2`) reads every text and is believed when it calls itself reliable, gives the
    language nine tenths of the text, the text looks usual for that language (its own score per kilobyte is at
    least 500, or the second opinion does not know the language) and the language is not one that a larger
    neighbour is easily taken for. Else a naive Bayes
    classifier over byte n-grams (`py3langid`, after Lui and Baldwin 2012) is asked too, and the two votes are
    added. With one of the two packages installed, that one decides alone.

    Errors: `ModuleNotFoundError` when neither is installed.
    """
    detect, second = _cld2(), bayes()
    opinions()
    said = [(UNKNOWN, 0.0)] * len(texts)
    open_: list[tuple[int, str, Found | None]] = []
    for at, text in enumerate(texts):
        words = legible(text)
        if not _enough(words):
            continue
        found = detect(words) if detect else None
        if found and found[0]:
            _, code, percent, score = found[2][0]
            sure = score >= _SCORE or (second is not None and plain(code) not in second.place)
            if percent >= _PERCENT and sure and code not in SMALLER:
                said[at] = plain(code), percent / 100
                continue
        open_.append((at, words, found))
    if second is None:
        for at, _, found in open_:
            said[at] = _alone(found)
    elif open_:
        for at, answer in zip((at for at, _, _ in open_), _together(open_, second), strict=True):
            said[at] = answer
    return said


def shares(text: str) -> dict[str, int]:
    """The languages of one text and the percentage of it in each; empty when it cannot be told."""
    detect = _cld2()
    if detect is None:
        ((code, _),) = identify([text])
        return {} if code == UNKNOWN else {code: 100}
    reliable, _, found = detect(legible(text))
    parts = [(plain(code), percent) for _, code, percent, _ in found if percent]
    return {code: percent for code, percent in parts if code != UNKNOWN} if reliable else {}


def opinions() -> tuple[str, ...]:
    """Which of the two packages are installed.

    Errors: `ModuleNotFoundError` when neither is.
    """
    found = [name for name, there in (("pycld2", _cld2()), ("py3langid", bayes())) if there is not None]
    if not found:
        raise ModuleNotFoundError("neither pycld2 nor py3langid is installed", name="pycld2")
    return tuple(found)


def legible(text: str) -> str:
    """What of a text is language, without code, addresses and tags: at most 1,000 characters."""
    text = text[: 8 * _SPAN]
    if "`" in text:
        text = _CODE.sub(" ", text)
    return _NO_WORDS.sub(" ", text)[:_SPAN] if _SIGNS.search(text) else text[:_SPAN]


def _together(texts: list[tuple[int, str, Found | None]], second: Bayes) -> list[tuple[str, float]]:
    votes = second.votes([words for _, words, _ in texts])
    nothing = second.place.get("zxx")
    answers = []
    for row, (_, words, found) in zip(votes, texts, strict=True):
        if nothing is not None:
            if row[nothing] > math.log(0.5) or not _prose(words):
                answers.append((UNKNOWN, 0.0))
                continue
            row[nothing] = -99.0
        if found and found[0]:
            _, code, percent, score = found[2][0]
            code = plain(code)
            agreed = second.codes[int((row + second.owed).argmax())] == code != "bs"  # written like Croatian
            if agreed and percent >= _PERCENT and score >= _SCORE:
                answers.append((code, percent / 100))
                continue
        others = dict[str, float]()
        for _, code, percent, _ in found[2] if found else ():
            code = plain(code)
            if percent and code != UNKNOWN:
                vote = _weight(code, percent, found is not None and found[0])
                if (place := second.place.get(code)) is not None:
                    row[place] += vote
                else:
                    others[code] = vote - 12.0
        place = int(row.argmax())
        best, vote = second.codes[place], float(row[place])
        for code, other in others.items():
            if other > vote:
                best, vote = code, other
        whole = sum(math.exp(v) for v in row.tolist() if v > vote - 12.0) + sum(
            map(math.exp, others.values())
        )
        sure = math.exp(vote) / whole
        answers.append((best, sure) if sure >= _least_sure(words) else (UNKNOWN, 0.0))
    return answers


def _least_sure(words: str) -> float:
    """A few words have to be more telling than a sentence."""
    return 0.5 if len(words) < _SHORT and words.isascii() else 0.1


def _weight(code: str, percent: int, reliable: bool) -> float:
    return 1.5 * percent / 100 * (1.0 if reliable else 0.7) * (0.3 if code in SMALLER else 1.0)


def _alone(found: Found | None) -> tuple[str, float]:
    """What the first opinion says when nobody else can be asked."""
    if not found or not found[0]:
        return UNKNOWN, 0.0
    _, code, percent, score = found[2][0]
    code = plain(code)
    return (UNKNOWN, 0.0) if code == UNKNOWN else (code, percent / 100 * min(score / _SCORE, 1.0))


def _enough(words: str) -> bool:
    if len(words) > 60 and words[:_LEAST_LETTERS].isalpha():
        return True
    letters = 0 if words.isascii() else 3  # vowel signs of Indian scripts and the like are no letters
    for match in _LETTERS.finditer(words):
        letters += match.end() - match.start()
        if letters >= _LEAST_LETTERS:
            return True
    return letters > 3 and len(_WIDE.findall(words)) >= 2


def _prose(words: str) -> bool:
    """Letters prevail over signs, as they do not in tables, formulas and source code."""
    letters = sum(match.end() - match.start() for match in _LETTERS.finditer(words))
    return letters * 2 >= len(_SHOWN.sub("", words))


@cache
def _cld2() -> Callable[[str], Found] | None:
    try:
        import pycld2
    except ModuleNotFoundError:
        return None
    detect, unfit = pycld2.detect, pycld2.error

    def opinion(text: str) -> Found:
        try:
            return detect(text)  # type: ignore[no-any-return]
        except (unfit, UnicodeEncodeError):
            return detect(_UNFIT.sub(" ", text))  # type: ignore[no-any-return]

    return opinion
