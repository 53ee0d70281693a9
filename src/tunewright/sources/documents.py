"""Documents: handbooks, articles, pages."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.shelf import missing
from tunewright.sources._extract import Unreadable, decoded, html, markdown, plain, word
from tunewright.sources._formats import Desk
from tunewright.sources._mapping import Fields
from tunewright.sources._passages import Block, Passage, passages
from tunewright.sources._pdf import Refused, pdf
from tunewright.sources._text import nothing, readable
from tunewright.sources._turns import Turn

SHAPE = "passages of documents"
_KINDS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "plain",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "word",
    ".pdf": "pdf",
}


def documents(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    words: int = 200,
    ask: Literal["", "heading"] = "",
    max_file: int = 256 << 20,
    max_pages: int = 20_000,
) -> Iterator[Record | Reject]:
    """Documents as passages: Markdown, text, HTML, Word (.docx) and PDF, a file or a folder of them.

    A passage is about `words` words from under one heading, and a record with that one text to be learnt as
    it is; the headings above it are its first line. With `ask: heading` they are the question instead. The
    line of a record is the page of a PDF, else the number of the passage. Navigation, scripts, heads and feet
    that pages repeat, and page numbers are left out. Nothing that a document points at is fetched. Encrypted
    files, pages that hold only pictures, and files larger than `max_file` bytes are rejected with the reason.

    Limits: no OCR. A PDF knows no paragraphs: they are guessed from the lines, columns and tables come in
    the order in which the file holds them, and headings are only those of its bookmarks. Footnotes and
    pictures of Word files are left out. A document teaches its wording, not to answer questions.
    """
    if fields:
        raise BadInput(f"{path}: documents have no fields", hint="take `fields` out")
    if not 20 <= words <= 5000:
        raise BadInput(
            f"words: {words} is no length for a passage", hint="from 20 to 5000; 200 when left out"
        )
    found = [path]
    if path.is_dir():
        inside = (one for one in path.rglob("*") if one.is_file())
        found = sorted(one for one in inside if not any(p[0] == "." for p in one.relative_to(path).parts))
    if not found:
        raise nothing(path)
    for one in found:
        name = file if one == path else f"{file}/{one.relative_to(path).as_posix()}"
        desk = Desk(source=source, licence=licence, file=name, counts=counts)
        yield from _document(one, desk, words, ask, max_file, max_pages)


def _document(
    path: Path, desk: Desk, words: int, ask: str, max_file: int, max_pages: int
) -> Iterator[Record | Reject]:
    number = 0
    refused = list[Refused]()
    try:
        for number, passage in enumerate(passages(_blocks(path, max_file, max_pages, refused), words), 1):
            yield _record(desk, passage, number, ask)
    except Unreadable as error:
        yield desk.refuse(number, str(error))
        return
    except ModuleNotFoundError as error:
        raise missing(error, "sources/documents") from error
    for page, reason in refused:
        yield desk.refuse(page, f"the page {reason}")
    if not number and not refused:
        yield desk.refuse(0, "has no text in it")


def _blocks(path: Path, max_file: int, max_pages: int, refused: list[Refused]) -> Iterator[Block]:
    with readable(path):
        if path.stat().st_size > max_file:
            raise Unreadable(f"is larger than {max_file:,} bytes")
        kind = _KINDS.get(path.suffix.lower()) or _kind(path)
        if kind == "pdf":
            for found in pdf(path, max_pages):
                if isinstance(found, Refused):
                    refused.append(found)
                else:
                    yield found
        elif kind == "word":
            yield from word(path)
        elif kind == "html":
            yield from html(path.read_bytes())
        elif kind:
            text = decoded(path.read_bytes())
            yield from markdown(text) if kind == "markdown" else plain(text)
        else:
            raise Unreadable(f"is no document of a known kind: {', '.join(_KINDS)}")


def _kind(path: Path) -> str:
    """By the beginning of a file whose name says nothing."""
    with path.open("rb") as file:
        head = file.read(1024).lstrip()
    if head[:5] == b"%PDF-":
        return "pdf"
    if head[:4] == b"PK\x03\x04":
        return "word"
    return "html" if head[:9].lower() in (b"<!doctype",) or head[:5].lower() == b"<html" else ""


def _record(desk: Desk, passage: Passage, number: int, ask: str) -> Record | Reject:
    title = " › ".join(passage.path)
    line = passage.page or number
    name = f"{desk.file}#{number}"
    if ask == "heading" and title:
        said = [Turn("user", title), Turn("assistant", passage.text)]
    else:
        said = [Turn("assistant", f"{title}\n\n{passage.text}" if title else passage.text)]
    return desk.record(said, line, SHAPE, id=name[:500])
