"""Set phrases of answers that nobody wrote for the question: refusals, filler, blanks left open."""

import re

_BOILERPLATE = (
    "as an ai language model",
    "as a large language model",
    "as an ai assistant, i ",
    "as an artificial intelligence, i",
    "as an ai, i ",
    "i am an ai language model",
    "i'm an ai language model",
    "i'm just an ai",
    "as of my last knowledge update",
    "my knowledge cutoff",
    "my training data only goes",
    "language model trained by openai",
    "i am chatgpt",
    "i'm chatgpt",
    "als ki-sprachmodell",
    "als ki-modell",
    "als sprachmodell",
    "en tant que modèle de langage",
    "en tant qu'ia",
    "en tant qu’ia",
    "como modelo de lenguaje",
    "lorem ipsum",
    "regenerate response",
    "javascript is disabled",
    "please enable javascript",
    "this site uses cookies",
    "all rights reserved.",
    "click here to subscribe",
    "subscribe to our newsletter",
    "share this article",
)
_DECLINES: tuple[str, ...] = (
    "can't",
    "can’t",
    "cannot",
    "can not",
    "unable",
    "not able",
    "won't",
    "won’t",
    "will not",
    "decline",
)
_DECLINES += ("comfortable", "appropriate", "against my", "kann ", "peux", "puedo")
_CANNOT = re.compile(
    r"(?<!if )\bi(?: am|['’]m)? ?(?:really |very |so |truly )?(?:sorry|afraid|apologi[sz]e)?[ "
    r",.;:]{0,3}(?:but )?"
    r"(?:i )?(?:can(?:not|['’]t| not)|am unable to|['’]m unable to|am not able to|['’]m not able to|won['’]t"
    r"|will not"
    r"|must decline to|am not comfortable|['’]m not comfortable)"
    r"(?: be able to)? (?:assist|help|comply|fulfill?|engage|generat|provid|creat|complet|answer|discuss"
    r"|writ|support)\w*"
    r"(?: you)?(?: in| with| to)? (?:that|this|your|such|the|any)\b"
    r"(?: (?:kind|type|sort) of)?(?: (?:request|content|question|topic|task|information))?"
)
_OTHERS = re.compile(
    r"\bi must (?:respectfully )?decline\b|\bit is (?:not appropriate|against my)\b|\bagainst my "
    r"(?:programming|guidelines)\b"
    r"|\bich kann (?:ihnen |dir )?(?:dabei|damit|bei dieser anfrage) (?:leider )?nicht (?:helfen|behilflich)"
    r"|\bje ne peux pas (?:vous )?(?:aider|répondre à cette)|\bno puedo (?:ayudar(?:te|le)? con|responder a) "
    r"es[ot]"
)


def boilerplate(text: str) -> str:
    """Why it is filler that models or web pages leave, or nothing."""
    small = text.lower()
    for phrase in _BOILERPLATE:
        if phrase in small:
            return "a set phrase of language models or web pages"
    return ""


def refusal(text: str) -> str:
    """Why it seems to decline instead of answering, or nothing; only the start of an answer counts."""
    small = text[:240].lower()
    for word in _DECLINES:
        if word in small:
            declines = _CANNOT.search(small) or _OTHERS.search(small)
            return "it declines instead of answering" if declines else ""
    return ""


# ── blanks ──────────────────────────────────────────────────────────────────────────────────────

_DOUBLE = re.compile(r"\{\{ ?[A-Za-z][\w .'-]{0,40} ?\}\}")
_SINGLE = re.compile(r"(?<![\w$\\}{\"'=])\{[A-Za-z][a-z_A-Z]{2,30}\}(?![\w{=])")
_SQUARE = re.compile(
    r"\[(?:insert|enter|add|fill in|your|the|my|customer|company|client|user|recipient|sender"
    r"|product)\b[^\]\n]{0,40}\](?!\()"
    r"|\[(?:name|date|address|city|company|number|email|phone|link|url|time|position|job title|amount|title"
    r"|redacted)\](?!\()",
    re.IGNORECASE,
)
_ANGLE = re.compile(
    r"<(?:insert|enter|your|noinput|no input|customer|company|first|last|user)[ _a-z]{0,30}>", re.IGNORECASE
)
_TODO = re.compile(
    r"(?:^|\n)\s{0,4}(?:TODO|FIXME|TBD|XXX)\b|\bTODO:|\[object Object\]|\$\{[A-Za-z_.]{2,30}\}|<noinput>"
)
_MARKS = ("TODO", "FIXME", "TBD", "XXX", "[object", "${", "<noinput")
_NOTHING = frozenset(
    (
        *(
            "nan",
            "null",
            "nil",
            "undefined",
            "n/a",
            "#n/a",
            "<na>",
            "#ref!",
            "#value!",
            "<noinput>",
            "noinput",
        ),
        *("tbd", "todo", "fixme", "xxx", "xxxx", "placeholder", "test", "asdf", "foo", "bar", "blah"),
        *("[deleted]", "[removed]", "[blank]", "[empty]", "[object object]", "to be determined", "no answer"),
        *("coming soon", "insert text here", "same as above", "see above"),
    )
)
_FORM = re.compile(
    r"\b(?:template|letter|e-?mail|draft|resume|cv|contract|form|fill|placeholder|invoice|script|compose"
    r"|agreement|tweet"
    r"|syntax|variable|write|blank|testimonial|brackets?)\b",
    re.IGNORECASE,
)


def nothing(text: str) -> str:
    """Why the whole text stands for a missing one, or nothing."""
    if len(text) <= 24 and text.lower() in _NOTHING:
        return "the whole text stands for a missing value"
    return ""


def blanks(text: str, question: str = "") -> str:
    """Why a blank was left open, or nothing. Blanks in an answer are right where a form was asked for."""
    if "{" in text and (_DOUBLE.search(text) or (_SINGLE.search(text) and "\\" not in text)):
        return "a variable of a template was left open"
    if "[" in text and _SQUARE.search(text) and not _FORM.search(question):
        return "a blank in brackets was left open"
    if "<" in text and _ANGLE.search(text) and not _FORM.search(question):
        return "a blank in brackets was left open"
    for mark in _MARKS:
        if mark in text:
            return "a note to finish it later was left in" if _TODO.search(text) else ""
    return ""
