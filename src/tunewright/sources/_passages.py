"""Passages of a document: paragraphs put together below the headings that they stand under."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_WIDE = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SENTENCE = re.compile(r"(?<=[.!?…。！？])[\s]+|(?<=[。！？])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff\u00ad]")
LONGEST = 20
"""Characters that a word may have on average before a passage is cut by characters."""


class Block(NamedTuple):
    """A heading (level 1 to 6) or a paragraph (level 0), and the page it begins on, if there are pages."""

    level: int
    text: str
    page: int = 0


class Passage(NamedTuple):
    """Some paragraphs that stand together."""

    path: tuple[str, ...]
    text: str
    page: int


def size(text: str) -> int:
    """Words; of scripts that put no spaces between words, two characters count as one."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return len(text.split()) + wide // 2


def weight(text: str) -> int:
    """Words, but never less than a twentieth of the characters: what has no spaces is long too."""
    return max(size(text), len(text) // LONGEST)


def clean(text: str) -> str:
    """Text without control characters, soft hyphens and zero-width spaces."""
    return _CONTROL.sub("", text)


def passages(blocks: Iterable[Block], words: int) -> Iterator[Passage]:
    """Paragraphs under one heading in passages of about `words` words; no passage crosses a heading.

    A paragraph that is longer is cut behind a sentence, and a sentence that is longer between words. What is
    left at the end of a section, when it is less than a quarter of a passage, joins the one before.
    """
    path = list[tuple[int, str]]()
    kept = list[tuple[str, int]]()
    for block in blocks:
        text = clean(block.text).rstrip().lstrip("\n\r")
        if not text.strip():
            continue
        if block.level:
            yield from _packed(path, kept, words)
            kept = []
            path = [(level, name) for level, name in path if level < block.level]
            path.append((block.level, " ".join(text.split())[:300]))
        else:
            kept.append((text, block.page))
            if len(kept) >= 2000:  # a document without headings need not be held whole
                yield from _packed(path, kept, words)
                kept = []
    yield from _packed(path, kept, words)


def _packed(path: list[tuple[int, str]], kept: list[tuple[str, int]], words: int) -> Iterator[Passage]:
    titles = tuple(name for _, name in path)
    groups, count = list[list[tuple[str, int]]](), 0
    for text, page in kept:
        for piece in _cut(text, words):
            length = weight(piece)
            if not groups or count + length > words:
                groups.append([])
                count = 0
            groups[-1].append((piece, page))
            count += length
    if len(groups) > 1 and sum(weight(piece) for piece, _ in groups[-1]) * 4 < words:
        last = groups.pop()
        groups[-1] += last
    for group in groups:
        yield Passage(titles, "\n\n".join(piece for piece, _ in group), group[0][1])


def _cut(text: str, words: int) -> Iterator[str]:
    """Pieces of a paragraph that are no longer than a passage."""
    if weight(text) <= words:
        yield text
        return
    parts, count = list[str](), 0
    for sentence in _SENTENCE.split(text):
        for piece in _chopped(sentence, words):
            many = weight(piece)
            if parts and count + many > words:
                yield " ".join(parts)
                parts, count = [], 0
            parts.append(piece)
            count += many
    if parts:
        yield " ".join(parts)


def _chopped(sentence: str, words: int) -> Iterator[str]:
    if weight(sentence) <= words:
        if sentence.strip():
            yield sentence.strip()
        return
    found = sentence.split()
    step = words if len(found) > 1 else 1
    for start in range(0, len(found), step):
        piece = " ".join(found[start : start + step])
        limit = len(piece) if weight(piece) <= words else words * 2
        yield from (piece[at : at + limit] for at in range(0, len(piece), limit))
