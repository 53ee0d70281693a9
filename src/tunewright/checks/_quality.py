"""What is wrong with a text by itself: debris, noise, repetition, a broken end.

Everything here works on ordinary characters in linear time, and looks before it searches: a plain `in`
rules most texts out before a regular expression is tried.
"""

import json
import re
from collections.abc import Iterator


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LATIN = re.compile(r"(?<![^\W\d_])[A-Za-z]?[a-z]{3,40}(?![^\W\d_])")

# ── encoding ────────────────────────────────────────────────────────────────────────────────────

_HIGH = "".join(
    bytes([n]).decode("cp1252") for n in range(0x80, 0xC0) if n not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
)
_TAIL = "".join(sorted({*_HIGH, *(chr(n) for n in range(0x80, 0xC0))}))
_MOJIBAKE = re.compile(
    f"[\u00c2-\u00df][{re.escape(_TAIL)}]|[\u00e0-\u00ef][{re.escape(_TAIL)}]{{2}}"
    f"|\u00f0[{re.escape(_TAIL)}]{{3}}"
)
"""UTF-8 read as Windows-1252 or Latin-1: a lead byte and its continuation bytes, each as a character."""
_CERTAIN: tuple[str, ...] = (
    "\u00e2\u20ac",
    "\u00c3\u00a9",
    "\u00c3\u00bc",
    "\u00c3\u00b6",
    "\u00c3\u00a4",
    "\u00c3\u00a8",
    "\u00c3\u00b1",
)
_CERTAIN += (
    "\u00ef\u00bf\u00bd",
    "\u00c3\u00b3",
    "\u00c3\u00a1",
    "\u00c2\u00a3",
    "\u00c2\u00a0",
    "\u00ef\u00bb\u00bf",
)
_LOST = re.compile(r"[a-z]\?(?:t|s|re|ll|ve)\b(?!=)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_ESCAPED = re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}")
_ENTITY = re.compile(
    r"&(?:amp|nbsp|quot|apos|lt|gt|rsquo|lsquo|ldquo|rdquo|ndash|mdash|hellip|#\d{2,6}|#x[0-9a-fA-F]{2,5});"
)
_TAG = re.compile(
    r"</(?:div|span|p|a|td|tr|li|ul|ol|font|b|i|strong|em|table|h[1-6])>|<br ?/?>|<div[ >]|<span[ >]|<p>"
)
_ABOUT_CODE = re.compile(
    r"```|\bx?html\b|\bxml\b|\bcss\b|\bsvg\b|<!doctype|<html|\bjavascript\b|\bmarkup\b|\bunicode\b|\bregex"
    r"|\bregular expr"
    r"|\bpython|\bdef |\bprint\(|\breturn [a-z]+;|;\n|\bjson\b|\bya?ml\b|\bencod|\bescape (?:char|seq)"
    r"|\bsql\b|\blatex\b"
    r"|\bmarkdown\b|\bbash\b|\bc\+\+|\bjava\b|\bsource code|\bcode snippet|\bprogramming|\bchess\b"
    r"|\bmusic(?:al)? notation"
    r"|\b(?:write|create|make|generate|edit|the|this)(?: an?| the| some| me)? (?:code|function|program"
    r"|script|query)\b",
    re.IGNORECASE,
)


def codes(text: str) -> bool:
    """Whether it is about, or full of, code or markup, where odd characters mean something."""
    return _ABOUT_CODE.search(text) is not None


def encoding(text: str) -> str:
    """Why it seems to have been read with the wrong encoding, or nothing."""
    if not text.isascii():
        if "\ufffd" in text:
            return "characters were lost in reading: it holds replacement characters"
        hits = [m.group() for m in _MOJIBAKE.finditer(text)]
        if hits and (len(hits) >= 3 or any(mark in text for mark in _CERTAIN)) and any(map(_decodes, hits)):
            return "UTF-8 was read as another encoding"
    if _CONTROL.search(text):
        return "it holds control characters"
    if text.count("?") >= 2 and len(_LOST.findall(text)) >= 2:
        return "apostrophes were lost and became question marks"
    return ""


def _decodes(run: str) -> bool:
    try:
        raw = bytes(ord(c) if ord(c) < 256 else c.encode("cp1252")[0] for c in run)
        return raw.decode("utf-8") != ""
    except UnicodeError:
        return False


def markup(text: str) -> str:
    """Why it seems to be scraped markup rather than text, or nothing. For texts that are not about code."""
    if "&" in text and _ENTITY.search(text):
        return "HTML entities were left as they are"
    if "<" in text and len(_TAG.findall(text)) >= 2:
        return "HTML tags were left in"
    if "\\" in text and len(_ESCAPED.findall(text)) >= 2:
        return "escaped characters were left as they are"
    if text.count("\\n") >= 2 and "\n" not in text:
        return "line breaks were left as escapes"
    return ""


# ── noise ───────────────────────────────────────────────────────────────────────────────────────

_MASH = re.compile(
    "asdf|sdfg|dfgh|fghj|ghjk|hjkl|zxcv|xcvb|cvbn|vbnm|qwer|lkjh|kjhg|jhgf|hgfd|gfds|fdsa|uiop|mnbv|jkl[kj]"
    "|dfsd"
)
_HARSH = re.compile(r"[b-df-hj-np-tv-xz]{4}")
_TOUGH = re.compile(r"[b-df-hj-np-tv-xz]{4}|^[b-df-hj-np-tv-xz]+$")
_STRANGE = re.compile(r"[0-9|~^$#!@¢£¥§¦{}][A-Za-z]")
_MIXED = re.compile(r"[A-Za-z][0-9|~^$#!@¢£¥§¦{}]+[A-Za-z]")
_LINKS = re.compile(r"\S*(?:://|www\.|@)\S*")
_TECHNICAL = re.compile(r"[=<>\\_*+]|\d/\d")


def garbled(text: str) -> str:
    """Why it seems to be noise rather than words, or nothing."""
    split = text.split()
    longest = max(map(len, split), default=0)
    if longest >= 120 and text.isascii() and len({*text}) > 12:
        word = max(split, key=len)
        if word.isalnum() or ("://" not in word and sum(map(str.isalnum, word)) > 0.97 * len(word)):
            return "a run of over a hundred characters without a space"
    if len(_HARSH.findall(text)) >= 2 and not _TECHNICAL.search(text):
        words = _LATIN.findall(_LINKS.sub(" ", text))
        harsh = sum(1 for word in map(str.lower, words) if _TOUGH.search(word) or _MASH.search(word))
        if (harsh >= 3 and harsh >= 0.4 * len(words)) or harsh == len(words) >= 2:
            return "most words cannot be pronounced"
    if len(split) >= 12:
        mixed = len(_MIXED.findall(text)) if len(_STRANGE.findall(text)) >= 4 else 0
        if mixed >= 4 and mixed >= 0.15 * len(split) and not _TECHNICAL.search(text):
            return "signs and digits stand inside of words, as after bad text recognition"
        if len(text) < 2.6 * len(split):
            single = sum(1 for word in split if len(word) == 1 and word.isalpha())
            if single >= 0.7 * len(split) and len({*split}) >= 6 and sorted(split) != split:
                return "letters are spaced apart"
    return ""


def symbols(text: str) -> str:
    """Why it holds no language, or nothing: hardly a letter or digit among its signs."""
    if len(text) >= 20 and sum(map(str.isalnum, text[:40])) < 20:
        signs = sum(1 for c in text if not c.isspace())
        spoken = sum(1 for c in text if c.isalnum())
        if signs >= 20 and spoken < 0.15 * signs:
            return f"only {spoken / signs:.0%} of its signs are letters or digits"
    return ""


# ── repetition ──────────────────────────────────────────────────────────────────────────────────


def repetition(text: str, repeated: float, least: int) -> str:
    """Why it repeats itself, or nothing (after Rae et al. 2021, Gopher, appendix A.1.1)."""
    words = text.lower().split()
    count = len(words) - 2
    if len(words) >= least:
        share = 1 - len({*zip(words, words[1:], words[2:], strict=False)}) / count
        if share > repeated and sum(word[0].isalpha() for word in words) >= 0.5 * len(words):
            return f"{share:.0%} of the word triples repeat earlier ones"
    elif len(text) >= 60 and len({*text}) <= 4:
        return "it is made of very few different characters"
    if "\n" in text and "```" not in text:
        lines = [line.strip() for line in text.split("\n")]
        long = [line for line in lines if len(line) >= 20 and "|" not in line]
        if len(long) >= 5 and len({*long}) <= 0.4 * len(long):
            return f"{1 - len({*long}) / len(long):.0%} of the lines repeat earlier ones"
    if len(text) >= 160:
        tail = text[-40:]
        period = len(text) - 40 - text.rfind(tail, 0, -1)
        if period <= len(text) / 3 and len({*tail}) >= 8:
            turn = text[-period:]
            if text.endswith(turn * 3):
                return "it ends in a loop"
        if len(words) < len(text) / 20 and not text.isascii():
            spans = {text[n : n + 6] for n in range(len(text) - 5)}
            if len(spans) < 0.4 * (len(text) - 5):
                return "most runs of six characters repeat earlier ones"
    return ""


# ── a broken end ────────────────────────────────────────────────────────────────────────────────

_ENDS = frozenset(".!?…:;)]}>\"'”’»`*_~|。！？）」』、।؟۔")
_OPEN_WORDS = _words(
    "and or but the a an of to with for from because which that into by as at if than is are was were be my "
    "your our their its und oder aber der das ein eine mit für von weil dass et ou mais le la les une avec "
    "pour parce que los las una con para porque y o"
)
_MAY_END = _words("that as at by for from into is are was were with of to in be if than a o y la le my")
_FENCE = re.compile(r"^ {0,3}```", re.MULTILINE)
_POINT = re.compile(r"(?:\w{1,4}[.)]|[-*•#])\s")
_BULLET = re.compile(r"(?:^|\n)\s{0,8}(?:\d{1,2}[.)]|[-*•])\s{0,4}$")


def truncated(text: str, least: int) -> Iterator[str]:
    """Why it seems to break off."""
    if "```" in text and len(_FENCE.findall(text)) % 2:
        yield "a code block is not closed"
        return
    if _BULLET.search(text) and "\n" in text:
        yield "the last point of a list is empty"
        return
    if text[0] in "{[" and text[1:2] in '"{[\n ' and '"' in text and (kind := _open_json(text)):
        yield kind
        return
    end = text[-1]
    if end in _ENDS or "```" in text:
        return
    last = text.rsplit("\n", 1)[-1].strip()
    tail = last.split()
    if len(text) >= 40 and len(tail) >= 6:
        if end == ",":
            yield "it stops after a comma"
            return
        word = tail[-1]
        if word.islower() and word in _OPEN_WORDS and (word not in _MAY_END or ". " in last):
            yield "it stops in the middle of a sentence"
            return
    if len(text) >= least and len(tail) >= 6 and "http" not in last and end.isalnum():
        prose = text.count(". ") + text.count("? ") + text.count("! ") + text.count(".\n")
        if prose >= 2 and not _POINT.match(last) and _full_stops(text):
            yield "it stops in the middle of a sentence"


def _full_stops(text: str) -> bool:
    """Whether most lines before the last end in a mark, so that an end without one is unusual."""
    lines = [line.rstrip() for line in text.split("\n")[:-1] if line.strip()]
    return sum(1 for line in lines if line[-1] in _ENDS) >= 0.7 * len(lines)


def _open_json(text: str) -> str:
    try:
        json.loads(text)
    except RecursionError:
        return ""
    except ValueError as error:
        at = getattr(error, "pos", 0)
        if at >= len(text) - 1 or "Unterminated string" in str(error):
            opened = text.count("{") + text.count("[") - text.count("}") - text.count("]")
            return "the JSON is not closed" if opened > 0 else ""
    return ""
