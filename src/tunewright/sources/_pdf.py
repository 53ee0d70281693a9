"""What is written in a PDF file, page by page."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.sources._extract import Unreadable
from tunewright.sources._passages import Block

_NUMBER = re.compile(
    r"(?:page|seite|página|pagina|p\.|s\.|-|–)?\s{0,3}(?:\d{1,5}|[ivxlc]{1,7})"
    r"(?:\s{0,3}(?:/|of|von|de|sur|di)\s{0,3}\d{1,5})?\s{0,3}(?:-|–)?\Z",
    re.IGNORECASE,
)
_EDGE = 3
"""Lines at the head and foot of a page that may repeat."""


class Refused(NamedTuple):
    """A page without words, and why."""

    page: int
    reason: str


def pdf(path: Path, max_pages: int) -> Iterator[Block | Refused]:
    """Paragraphs of a PDF file; a page that cannot be read is refused by itself.

    Lines that stand at the head or foot of most pages, and page numbers, are left out; words divided at the
    end of a line are put together. Bookmarks are the headings. Errors: `Unreadable` for the whole file.
    """
    pypdf: Any = import_module("pypdf")
    errors: Any = import_module("pypdf.errors")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(path, strict=False)
        if reader.is_encrypted and not _opened(reader):
            raise Unreadable("is encrypted; save it without a password")
        count = len(reader.pages)
    except Unreadable:
        raise
    except (
        errors.PyPdfError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        IndexError,
    ):
        raise Unreadable("is not a PDF file that can be read, or is damaged") from None
    if not count:
        raise Unreadable("has no pages")
    pages = list[tuple[int, list[str]]]()
    refused = list[Refused]()
    for number in range(1, min(count, max_pages) + 1):
        try:
            page = reader.pages[number - 1]
            text = page.extract_text() or ""
            if not re.search(r"\w", text):
                why = (
                    "has no text, only pictures: scanned pages must be read by OCR first"
                    if _pictures(page)
                    else ""
                )
                if why:
                    refused.append(Refused(number, why))
                continue
            pages.append((number, [line.strip() for line in text.splitlines()]))
        except Exception as error:  # a hostile file can make the parser raise anything; the page is refused
            if isinstance(error, MemoryError):
                raise
            refused.append(Refused(number, "cannot be read"))
    titles = _bookmarks(reader)
    repeated = _repeated(pages)
    for number, lines in pages:
        for level, title in titles.get(number, ()):
            yield Block(level, title, number)
        for text in _paragraphs(_without(lines, repeated)):
            yield Block(0, text, number)
    yield from refused
    if count > max_pages:
        yield Refused(max_pages + 1, f"and those behind it: more than {max_pages:,} pages")


def _opened(reader: Any) -> bool:
    """Whether it opens without a password, as files do that are only protected against printing."""
    try:
        return bool(reader.decrypt(""))
    except Exception:  # an unknown method, or the library for it is not there
        return False


def _pictures(page: Any) -> bool:
    try:
        return "/XObject" in page["/Resources"].get_object()
    except Exception:  # whatever is wrong with its resources: there is no text either
        return True


def _bookmarks(reader: Any) -> dict[int, list[tuple[int, str]]]:
    """Titles of the table of contents by the page they point at."""
    found = dict[int, list[tuple[int, str]]]()
    try:
        todo = [(1, one) for one in reversed(reader.outline)]
        while todo and len(found) < 5000:
            level, one = todo.pop()
            if isinstance(one, list):
                todo += [(level + 1, inner) for inner in reversed(one)]
                continue
            page = reader.get_destination_page_number(one)
            if page is not None and one.title:
                found.setdefault(page + 1, []).append((min(level, 6), str(one.title)))
    except Exception:  # a broken table of contents is none
        return {}
    return found


def _same(line: str) -> str:
    return re.sub(r"\d+", "#", line).casefold()


def _repeated(pages: list[tuple[int, list[str]]]) -> frozenset[str]:
    """Lines that stand at the head or foot of at least half of the pages, and of three."""
    seen = Counter[str]()
    for _, lines in pages:
        there = [line for line in lines if line]
        seen.update({_same(line) for line in (*there[:_EDGE], *there[-_EDGE:]) if len(line) <= 200})
    needed = max(3, (len(pages) + 1) // 2)
    return frozenset(line for line, count in seen.items() if count >= needed)


def _without(lines: list[str], repeated: frozenset[str]) -> list[str]:
    places = [at for at, line in enumerate(lines) if line]
    edge = {*places[:_EDGE], *places[-_EDGE:]}
    return [
        line
        for at, line in enumerate(lines)
        if not (at in edge and (_same(line) in repeated or (line and _NUMBER.match(line))))
    ]


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Lines put together: a blank line ends a paragraph, and so does a short line that ends a sentence."""
    width = sorted(len(line) for line in lines if line)
    usual = width[len(width) * 3 // 4] if width else 0
    kept = ""
    for line in lines:
        if not line:
            if kept:
                yield kept
            kept = ""
            continue
        if kept.endswith("-") and len(kept) > 1 and kept[-2].isalpha() and line[:1].islower():
            kept = kept[:-1] + line
        else:
            kept = f"{kept} {line}" if kept else line
        if len(line) < usual * 0.75 and line[-1:] in '.!?:…"”»':
            yield kept
            kept = ""
    if kept:
        yield kept
