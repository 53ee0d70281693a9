"""What texts have in common, and whether an answer says that it does not know."""

import re
from collections import Counter
from collections.abc import Iterable, Set

NEAR = 0.1
"""Share of the shorter text's telling words from which on two texts are taken for related."""
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")

_NOTED = r"(?:documents?|passages?|texts?|context|pages?|excerpts?|extracts?|sources?|notes?|results?)"
PHRASES = (
    r"\bi (?:really |honestly |just |still |simply )?(?:do not|don't) know\b",
    r"\bi(?: am|'m) (?:not sure|unsure|not certain|afraid i do not know|afraid i don't know)\b",
    r"\b(?:unable|not able) to (?:find|answer|tell|say)\b",
    r"\b(?:can't|cannot|can not|couldn't|could not) (?:find|tell|answer|say|determine)\b",
    r"\b(?:do not|don't) have (?:that|this|the|any|enough|such) (?:\w+ )?(?:information|details|answer)",
    r"\b(?:no|not enough|insufficient|any) (?:information|mention)\b",
    r"\b(?:not|isn't|aren't|nowhere) (?:\w+ )?(?:mentioned|stated|specified)\b",
    rf"\bnot (?:found |in |among |part of )+(?:the|these|those|your|any of the|our) (?:\w+ ){{0,2}}{_NOTED}",
    rf"\b{_NOTED} (?:\w+ ){{0,2}}(?:(?:do|does|did)(?:n't| not)|(?:are|is) silent|says? nothing)",
    r"\bwei(?:ß|ss) ich (?:leider )?nicht\b",
    r"\bich wei(?:ß|ss) (?:es |das )?(?:leider )?nicht\b",
    r"\bich (?:kann|konnte) (?:\w+ ){0,6}nicht (?:\w+ ){0,4}(?:finden|sagen|beantworten)\b",
    r"\bkann ich (?:\w+ ){0,6}nicht (?:\w+ ){0,4}finden\b",
    r"\bnicht (?:in|aus) (?:den|diesen|dem) (?:\w+ )?(?:dokument|text|abschnitt|unterlagen)",
    r"\bsteht (?:\w+ ){0,2}nicht (?:drin|darin|dabei)|\bgeht\b[^.]{0,60}nicht hervor",
    r"\bkeine (?:angaben?|informationen?|antwort)\b",
    r"\bje ne (?:le )?(?:sais|trouve)\b|\baucune (?:information|mention|réponse)\b",
    r"\bne (?:figure|mentionnent?|précisent?|contien(?:t|nent)|dit|disent) pas\b",
    r"\bno (?:lo )?sé\b|\bno (?:encuentro|consta|dispongo|se (?:menciona|indica|especifica))\b",
    r"\bno (?:aparece|figura|está) en (?:los|estos|el) (?:documento|texto|pasaje)|\bninguna información\b",
    r"\bnon (?:lo )?so\b|\bnon (?:trovo|è (?:indicato|menzionato|specificato))\b|\bnessuna informazione\b",
    r"\bnão (?:sei|encontro|encontrei|consta|é mencionad[oa]|há informaç)",
    r"\bweet ik (?:het |dat )?niet\b|\bik weet (?:het |dat )?niet\b|\bgeen (?:informatie|antwoord)\b",
    r"\bstaat (?:er |hier |daar )?niet (?:in|bij|vermeld)\b|\bkan ik niet vinden\b",
    r"\bnie (?:wiem|znajduję|znalazłem|ma (?:informacji|odpowiedzi))\b",
    r"\b(?:jag )?vet (?:jag )?inte\b|\bhittar inte\b",
    r"\bне (?:знаю|указано|нахожу|сказано)\b|\bнет (?:информации|ответа)\b",
    "不知道|没有(?:提到|说明|相关|找到)|找不到|未提[及到]|沒有(?:提到|說明|相關)",
    "わかりません|分かりません|記載(?:が|は)?(?:ない|ありません|されていません)|見つかりません",
    "알 ?수 ?없|모르겠|나와 ?있지 ?않|찾을 ?수 ?없",
    "لا أعرف|لا أعلم|لا أجد|لا توجد معلومات",
)
UNKNOWING = re.compile("|".join(PHRASES))
"""How people say that they do not know, or that the documents do not tell, in a dozen languages."""


def abstains(answer: str, sentence: str = "") -> bool:
    """Whether an answer says that it does not know.

    It does when it holds `sentence`, four fifths of that sentence's words in its own first words, or one of
    the usual phrases.

    Limits: looks at words; an answer that says "not mentioned" of a side matter counts too.
    """
    said = " ".join(answer.casefold().replace("\u2019", "'").split())
    if wanted := _words(sentence):
        opening = Counter(_words(said)[: 2 * len(wanted)])
        if (opening & Counter(wanted)).total() >= 0.8 * len(wanted):
            return True
    return UNKNOWING.search(said) is not None


def terms(text: str) -> frozenset[str]:
    """The words that tell what a text is about: numbers, the first six letters of words of four or more.

    Of scripts without spaces: pairs of characters.
    """
    found = set[str]()
    for word in _words(text):
        if _HAN.search(word):
            found |= {word[at : at + 2] for at in range(len(word) - 1)}
        elif word.isdigit() or len(word) > 3:
            found.add(word[:6])
    return frozenset(found)


def common(texts: Iterable[Set[str]]) -> frozenset[str]:
    """Terms that more than a tenth of the texts hold, and at least five do: they tell nothing."""
    counts, seen = Counter[str](), 0
    for each in texts:
        counts.update(each)
        seen += 1
    return frozenset(term for term, n in counts.items() if n >= 5 and n > seen / 10)


def related(one: Set[str], other: Set[str]) -> bool:
    """Whether two texts share more telling words than by chance."""
    return len(one & other) > NEAR * min(len(one), len(other))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
