"""What is written in documents: Markdown, text, HTML and Word as headings and paragraphs."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from tunewright.sources._passages import Block

UNPACKED = 512 << 20
"""Bytes that a Word file may have when it is unpacked."""


class Unreadable(Exception):
    """Why a document, or one page of it, cannot be read."""


def decoded(data: bytes) -> str:
    """Text of a file. Errors: `Unreadable` when it is neither UTF-8 nor UTF-16 with a byte order mark."""
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8 text; convert it: iconv -f ISO-8859-1 -t UTF-8 FILE > NEW") from None


# ── text and Markdown ───────────────────────────────────────────────────────────────────────────

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?\Z")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*\Z")
_REFERENCE = re.compile(r" {0,3}\[[^\]\n]{1,200}\]:[ \t]*\S+")
_IMAGE = re.compile(r"!\[([^\]\n]{0,500})\]\([^()\n]{0,2000}\)")
_LINK = re.compile(r"\[([^\]\n]{1,500})\]\([^()\n]{0,2000}\)")
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]{0,20}(?:\s[^<>\n]{0,500})?/?>")


def plain(text: str) -> Iterator[Block]:
    """Paragraphs of a text: what blank lines divide."""
    yield from _paragraphs(text.splitlines(), headings=False)


def markdown(text: str) -> Iterator[Block]:
    """Headings and paragraphs of Markdown. Links keep their words, pictures their description.

    Front matter, comments and marks of HTML are left out; code stays as it is.
    """
    if text.startswith("---\n") and (end := text.find("\n---", 4)) > 0:
        text = text[text.find("\n", end + 1) + 1 :] if "\n" in text[end + 1 :] else ""
    yield from _paragraphs(_without_comments(text).splitlines(), headings=True)


def _without_comments(text: str) -> str:
    parts, at = list[str](), 0
    while (start := text.find("<!--", at)) >= 0:
        parts.append(text[at:start])
        end = text.find("-->", start)
        at = len(text) if end < 0 else end + 3
    return "".join(parts) + text[at:]


def _paragraphs(lines: list[str], *, headings: bool) -> Iterator[Block]:
    kept, fence = list[str](), ""
    for line in lines:
        if fence:
            kept.append(line)
            if line.strip().startswith(fence):
                fence = ""
            continue
        if headings:
            if found := _FENCE.match(line):
                fence = found[1]
                kept.append(line)
                continue
            if found := _ATX.match(line):
                yield from _flushed(kept, headings)
                yield Block(len(found[1]), _inline((found[2] or "").rstrip(" \t#")))
                continue
            if kept and (found := _SETEXT.match(line)) and len(kept) == 1 and "|" not in kept[0]:
                yield Block(1 if found[1][0] == "=" else 2, _inline(kept.pop()))
                continue
            if _REFERENCE.match(line):
                continue
        if not line.strip():
            yield from _flushed(kept, headings)
            continue
        kept.append(line)
    yield from _flushed(kept, headings)


def _flushed(kept: list[str], marked: bool) -> Iterator[Block]:
    text = "\n".join(line.rstrip() for line in kept)
    kept.clear()
    if marked and not _FENCE.match(text):
        text = _inline(text)
    if re.search(r"\w", text):
        yield Block(0, text)


def _inline(text: str) -> str:
    return _TAG.sub("", _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))).strip()


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────

_SKIPPED = frozenset(
    {
        *("script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "button"),
        *("select", "option", "svg", "math", "canvas", "iframe", "object", "embed", "audio", "video", "head"),
        *("dialog", "menu", "input", "textarea"),
    }
)
_BLOCKS = frozenset(
    {
        *("p", "div", "section", "article", "main", "ul", "ol", "dl", "dd", "dt", "table", "thead", "tbody"),
        *(
            "tr",
            "blockquote",
            "figure",
            "figcaption",
            "hr",
            "address",
            "details",
            "summary",
            "body",
            "caption",
        ),
    }
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BOILER = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|menu|breadcrumbs?|cookie|consent|sidebar|footer|share|social|advert|ads|skip)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)


def html(data: bytes) -> Iterator[Block]:
    """Headings and paragraphs of a page, without navigation, scripts, forms, heads and feet of pages."""
    etree: Any = import_module("lxml.etree")
    made: Any = import_module("lxml.html")
    utf8 = _utf8(data)
    parser = made.HTMLParser(
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
        encoding="utf-8" if utf8 else None,
    )
    try:
        root = made.document_fromstring(data, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise Unreadable("holds no HTML that can be read") from None
    body = root.find(".//main")
    body = root if body is None or len(body.text_content()) < 200 else body
    inside_main = body is not root
    kept, heading, verbatim = list[str](), 0, 0

    def flush(level: int = 0) -> Iterator[Block]:
        text = "".join(kept)
        kept.clear()
        text = text.strip("\n") if verbatim else _spaced(text)
        text = text.removesuffix(" |").strip() if not verbatim else text
        if re.search(r"\w", text):
            yield Block(level, text)

    walk = etree.iterwalk(body, events=("start", "end"))
    for event, node in walk:
        tag = node.tag if isinstance(node.tag, str) else ""
        skipped = _left_out(node, tag, inside_main)
        if event == "start":
            if skipped:
                yield from flush()
                walk.skip_subtree()
                continue
            if tag in _HEADINGS:
                yield from flush()
                heading = _HEADINGS[tag]
            elif tag == "pre":
                yield from flush()
                verbatim += 1
            elif tag in _BLOCKS and not heading:
                yield from flush()
            elif tag == "li":
                yield from flush()
                kept.append("- ")
            elif tag == "br":
                kept.append("\n" if verbatim else "\x0b")
            if node.text:
                kept.append(node.text)
            continue
        if not skipped:
            if tag in _HEADINGS:
                yield from flush(heading)
                heading = 0
            elif tag == "pre":
                yield from flush()
                verbatim = max(verbatim - 1, 0)
            elif tag in ("td", "th"):
                kept.append(" | ")
            elif (tag in _BLOCKS or tag == "li") and not heading:
                yield from flush()
        if node.tail and node is not body:
            kept.append(node.tail)
    yield from flush()


def _left_out(node: Any, tag: str, inside_main: bool) -> bool:
    if not tag or tag in _SKIPPED:
        return not (tag == "header" and inside_main)
    if node.get("hidden") is not None or node.get("aria-hidden") == "true":
        return True
    if (node.get("role") or "") in ("navigation", "banner", "contentinfo", "search", "menu", "dialog"):
        return True
    if tag in ("div", "ul", "section", "ol", "p", "span") and re.search(
        r"display\s{0,3}:\s{0,3}none", node.get("style") or ""
    ):
        return True
    return tag in ("div", "ul", "section", "ol") and bool(
        _BOILER.search(f"{node.get('id') or ''} {node.get('class') or ''}"[:500])
    )


def _spaced(text: str) -> str:
    return re.sub(r" ?\x0b ?", "\n", re.sub(r"[ \t\r\n\xa0]+", " ", text)).strip()


def _utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# ── Word ────────────────────────────────────────────────────────────────────────────────────────

_STYLE = re.compile(
    r"(?:heading|überschrift|titre|título|titolo|kop|rubrik|overskrift|otsikko|nagłówek|заголовок)\s*([1-9])",
    re.IGNORECASE,
)


def word(path: Path) -> Iterator[Block]:
    """Headings, paragraphs and tables of a Word file (.docx); heads and feet of pages are left out."""
    docx: Any = import_module("docx")
    tables: Any = import_module("docx.table")

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(member.file_size for member in packed.infolist()) > UNPACKED:
                raise Unreadable(f"is larger than {UNPACKED:,} bytes when unpacked")
        document = docx.Document(str(path))
        for part in document.iter_inner_content():
            if isinstance(part, tables.Table):
                yield from _table(part)
                continue
            name = (part.style.name or "") if part.style is not None else ""
            found = _STYLE.match(name)
            level = 1 if name == "Title" else min(int(found[1]), 6) if found else 0
            if part.text.strip():
                mark = "- " if name.startswith("List") else ""
                yield Block(level, mark + part.text)
    except Unreadable:
        raise
    except zipfile.BadZipFile:
        raise Unreadable(_locked(path)) from None
    except (KeyError, ValueError, OSError, AttributeError, SyntaxError, RecursionError, TypeError):
        raise Unreadable("is not a Word file that can be read, or is damaged") from None


def _locked(path: Path) -> str:
    with path.open("rb") as file:  # an encrypted .docx is an OLE container
        ole = file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    return "is encrypted, or an old .doc file: save it as .docx without a password" if ole else "is damaged"


def _table(table: Any) -> Iterator[Block]:
    rows = list[str]()
    for row in table.rows:
        cells = list[str]()
        for cell in row.cells:
            text = " ".join(cell.text.split())
            if not cells or cells[-1] != text:  # merged cells repeat
                cells.append(text)
        if any(cells):
            rows.append(" | ".join(cells))
    if rows:
        yield Block(0, "\n".join(rows))
