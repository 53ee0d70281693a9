"""Which language a record is in."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from tunewright.checks import Each
from tunewright.checks._language import identify, legible, shares
from tunewright.checks._language_codes import CODES, UNKNOWN, close
from tunewright.nouns import Finding, Record, Trait

_TOGETHER = 512
_PROSE = 60
_SURE = 0.9
_QUOTED = re.compile(r"[\"“„«][^\"“”„«»\n]{1,400}[\"”“»]|^>.*$", re.MULTILINE)
# "translate", and "in Spanish" or the like: the answer is asked for in another language.
_ASKED = re.compile(
    r"(?i)transl|übersetz|tradui|traduc|traduz|vertaal|översätt|oversæt|oversett|tłumacz|přelož|prelož|"
    r"перевед|перевод|переклад|翻译|翻譯|訳|번역|ترجم|अनुवाद|çevir|language|sprache|langue|idioma|lingua|"
    r"\b(?:in|into|to|auf|ins|en|al|in het)\s+(?:plain\s+|simple\s+|einfachem\s+)?"
    r"(?:english|french|german|spanish|italian|portuguese|dutch|russian|chinese|mandarin|japanese|korean|arabic|"
    r"hindi|polish|turkish|swedish|danish|norwegian|finnish|greek|hebrew|czech|romanian|hungarian|ukrainian|latin|"
    r"vietnamese|thai|indonesian|deutsch|englisch\w*|franz\w+|spanisch\w*|anglais|allemand|espagnol|français|"
    r"inglés|alemán|francés|español|inglês)\b"
)


def language(records: Each, *, expected: tuple[str, ...] = ()) -> Iterator[Finding | Trait]:
    """The language of every record, and records in a language nobody asked for.

    Yields one trait `language` per record, so that the mixture adds up: ISO 639-1 (639-3 where there is no
    such code), or `und` when it cannot be told: fewer than six letters, numbers, source code. It is the
    language most of what is asked and answered is in; code, addresses and tags are set aside. Findings, low:
    `unexpected` when `expected` names languages and the record is in none of them (`no`
    stands for `nb` and `nn`), and `mixed` when question and answer are prose in different languages and the
    question does not ask for that.

    Two opinions: CLD2 and, where that one is unsure, a naive Bayes classifier over byte n-grams (Lui and
    Baldwin 2012). Measured with `benchmarks/_language.py` on the sentences of 33 languages in lingua's test
    data: 98.4% right.

    Limits: one language is assumed on each side of a conversation, and its first 1,000 legible characters
    stand for it. A few words are often not enough. Neighbours are taken for each other: Danish, Bokmål and
    Nynorsk; Croatian, Bosnian and Serbian; Malay and Indonesian; Czech and Slovak; Galician, Portuguese,
    Catalan and Spanish. Dialects, transliterated text and text that switches languages within a sentence are
    not recognised. With only one of the packages pycld2 and py3langid installed that one decides: pycld2
    alone is right less often and leaves more undetermined, py3langid alone is slower.
    """
    wanted = frozenset(form for code in expected for form in _forms(code))
    stream = iter(records)
    while batch := list(islice(stream, _TOGETHER)):
        yield from _look(batch, wanted, expected)


def _look(
    batch: Sequence[Record], wanted: frozenset[str], expected: tuple[str, ...]
) -> Iterator[Finding | Trait]:
    spoken = [_sides(record) for record in batch]
    texts = [side for sides in spoken for side in sides if side]
    answers = iter(identify(texts))
    for record, sides in zip(batch, spoken, strict=True):
        known = [next(answers) if side else (UNKNOWN, 0.0) for side in sides]
        value = _of_record(sides, known)
        yield Trait(check="language", name="language", record=record.id, value=value)
        if wanted and value != UNKNOWN and value not in wanted:
            yield Finding(
                check="language",
                what="unexpected",
                record=record.id,
                severity="low",
                note=f"written in {value}, where {', '.join(sorted(set(expected)))} is expected",
                evidence=f"language identification: {value}",
                confidence=round(max(sure for code, sure in known if code == value), 3),
            )
        if mixed := _mixed(record, sides, known):
            yield mixed


def _forms(code: str) -> tuple[str, ...]:
    code = code.lower().replace("_", "-").split("-")[0]
    return ("nb", "nn") if code == "no" else (CODES.get(code, code),)


def _sides(record: Record) -> tuple[str, str, str]:
    """The words of those who ask, of those who answer, and of the others (system and tools)."""
    said: dict[str, list[str]] = {"user": [], "assistant": [], "system": []}
    turns = record.turns[:-1] if record.label and len(record.turns) > 1 else record.turns
    for message in turns:
        said["system" if message.role == "tool" else message.role].append(message.content)
    return "\n".join(said["user"]), "\n".join(said["assistant"]), "\n".join(said["system"])


def _of_record(sides: Sequence[str], known: Sequence[tuple[str, float]]) -> str:
    """The language most letters of the conversation are in; that of the system's words if it has no other."""
    weights = dict[str, float]()
    for side, (code, sure) in zip(sides[:2], known[:2], strict=True):
        if code != UNKNOWN:
            weights[code] = weights.get(code, 0.0) + min(len(side), 4_000) * sure
    return max(weights, key=lambda code: weights[code]) if weights else known[2][0]


def _mixed(record: Record, sides: Sequence[str], known: Sequence[tuple[str, float]]) -> Finding | None:
    (asked, sure_asked), (answered, sure_answered) = known[:2]
    if asked == answered or UNKNOWN in (asked, answered) or close(asked, answered):
        return None
    if min(sure_asked, sure_answered) < _SURE or _ASKED.search(sides[0]) or _ASKED.search(sides[2]):
        return None
    question, answer = (_prose(side) for side in sides[:2])
    if min(_letters(question), _letters(answer)) < _PROSE:
        return None
    (again_asked, sure_asked), (again_answered, sure_answered) = identify([question, answer])
    if (again_asked, again_answered) != (asked, answered) or min(sure_asked, sure_answered) < _SURE:
        return None
    if answered in shares(sides[0]) or asked in shares(sides[1]):
        return None
    last = max(at for at, message in enumerate(record.messages) if message.role == "assistant")
    return Finding(
        check="language",
        what="mixed",
        record=record.id,
        message=last,
        severity="low",
        note=f"asked in {asked} and answered in {answered}: legitimate in a translation or a lesson, "
        "else the model learns to answer in another language than it is asked in",
        evidence=f"language identification: {asked} and {answered}",
        confidence=round(min(sure_asked, sure_answered), 3),
    )


def _prose(side: str) -> str:
    return _QUOTED.sub(" ", legible(side))


def _letters(text: str) -> int:
    """Letters, a sign of Chinese or Japanese counting for three."""
    return sum((3 if "\u3040" <= sign <= "\u9fff" else 1) for sign in text if sign.isalpha())
