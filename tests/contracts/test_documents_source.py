"""Documents become passages under their headings, without what is not text of theirs."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources import pick, sources
from tunewright.sources._passages import Block, passages, size


def read(path: Path, **options: object) -> list[Record | Reject]:
    about = {"source": "handbook", "licence": "CC0-1.0", "file": f"data/{path.name}"}
    return list(sources["documents"](path, **about, **options))


def texts(found: list[Record | Reject]) -> list[str]:
    assert all(isinstance(one, Record) for one in found), found
    return [one.messages[-1].content for one in found if isinstance(one, Record)]


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


HANDBOOK = """---
title: not text
---
# Returns

See [the form](https://example.org/form) and ![a box](box.png). <!-- hidden
words -->

## Broken goods

We pay the postage.

```
# no heading
return(label)
```

Shipping
--------

Two days.

[form]: https://example.org/form
"""


def test_markdown_gives_passages_with_the_headings_above_them(tmp_path: Path) -> None:
    path = written(tmp_path, "a.md", HANDBOOK)
    assert pick(path) == "documents"
    found = read(path)
    assert texts(found) == [
        "Returns\n\nSee the form and a box.",
        "Returns › Broken goods\n\nWe pay the postage.\n\n```\n# no heading\nreturn(label)\n```",
        "Returns › Shipping\n\nTwo days.",
    ]
    one = found[0]
    assert isinstance(one, Record)
    assert [(m.role) for m in one.messages] == ["assistant"]
    assert (one.id, one.origin.line, one.shape) == ("data/a.md#1", 1, "passages of documents")


def test_headings_can_be_the_question(tmp_path: Path) -> None:
    found = read(written(tmp_path, "a.md", HANDBOOK), ask="heading")
    one = found[1]
    assert isinstance(one, Record)
    assert [m.role for m in one.messages] == ["user", "assistant"]
    assert one.messages[0].content == "Returns › Broken goods"
    assert one.messages[1].content.startswith("We pay")


PAGE = """<!doctype html><html><head><title>T</title><style>p{}</style><script>alert("x")</script></head>
<body><nav><a href="/">Home</a></nav><div class="cookie-banner">We use cookies</div>
<header><p>Site name</p></header>
<h1>Care &amp; <em>cleaning</em></h1><p>Wash
 by hand.<br>Dry well.</p><ul><li>no bleach</li><li>no <b>heat</b></li></ul>
<pre>  two
  lines</pre><table><tr><th>Pot</th><th>Price</th></tr><tr><td>small</td><td>4</td></tr></table>
<p hidden>secret</p><p style="display: none">secret</p><div aria-hidden="true">secret</div>
<h2>Größe</h2>Loose text<footer>Imprint</footer></body></html>"""


def test_a_page_is_read_without_navigation_scripts_and_hidden_words(tmp_path: Path) -> None:
    pytest.importorskip("lxml")
    assert texts(read(written(tmp_path, "a.html", PAGE))) == [
        "Care & cleaning\n\nWash by hand.\nDry well.\n\n- no bleach\n\n- no heat\n\n  two\n  lines"
        "\n\nPot | Price\n\nsmall | 4",
        "Care & cleaning › Größe\n\nLoose text",
    ]


def test_a_page_that_nests_without_end_or_is_no_page_does_no_harm(tmp_path: Path) -> None:
    pytest.importorskip("lxml")
    read(written(tmp_path, "deep.html", "<div>" * 50_000 + "words"))
    (found,) = read(written(tmp_path, "none.html", "<script>only()</script>"))
    assert isinstance(found, Reject)
    bomb = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><p>&b; <img src='http://127.0.0.1:1/x'></p>"
    read(written(tmp_path, "bomb.html", bomb))


# ── Word ────────────────────────────────────────────────────────────────────────────────────────


def test_word_files_keep_headings_lists_and_tables(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Confidential"
    document.add_heading("Handbook", 0)
    document.add_heading("Returns", 2)
    document.add_paragraph("We pay the postage.")
    document.add_paragraph("with the label", style="List Bullet")
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Pot", "4 euro"
    document.save(str(tmp_path / "a.docx"))
    assert pick(tmp_path / "a.docx") == "documents"
    assert texts(read(tmp_path / "a.docx")) == [
        "Handbook › Returns\n\nWe pay the postage.\n\n- with the label\n\nPot | 4 euro"
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 locked", "encrypted"),
        (b"no zip", "damaged"),
        (None, "not a Word file"),
    ],
)
def test_word_files_that_cannot_be_read_say_why(data: bytes | None, words: str, tmp_path: Path) -> None:
    pytest.importorskip("docx")
    path = tmp_path / "a.docx"
    if data is None:
        with zipfile.ZipFile(path, "w") as out:
            out.writestr(
                "word/document.xml", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"
            )
    else:
        path.write_bytes(data)
    (found,) = read(path)
    assert isinstance(found, Reject)
    assert words in found.reason


# ── PDF ─────────────────────────────────────────────────────────────────────────────────────────


def made_pdf(*pages: list[str] | None, titles: tuple[str, ...] = ()) -> bytes:
    """A PDF by hand: each page is lines of text, or None for a picture."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = list[str]()
    for lines in pages:
        if lines is None:
            objects.append(b"<</Length 0>>\nstream\n\nendstream")
            resources = "<</XObject<</I 99 0 R>>>>"
        else:
            shown = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
            stream = f"BT /F 12 Tf 72 720 Td {shown}ET".encode()
            objects.append(b"<</Length %d>>\nstream\n%s\nendstream" % (len(stream), stream))
            resources = "<</Font<</F 3 0 R>>>>"
        page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]"
        page += f"/Resources{resources}/Contents {len(objects)} 0 R>>"
        objects.append(page.encode())
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>".encode()
    out, places = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)


def test_a_pdf_loses_heads_feet_and_page_numbers_and_keeps_its_pages(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")
    body = [
        ["Stoneware stays outside in win-", "ter when it is glazed."],
        ["Feed the kiln slowly."],
        ["Wipe the glaze off the foot, with a sponge that is wet but not dripping, before it goes in."],
        ["Last words."],
    ]
    pages = [["The Potter", *lines, f"Page {n} of 4"] for n, lines in enumerate(body, 1)]
    path = written(tmp_path, "a.pdf", made_pdf(*pages, None))
    found = read(path, words=20)
    good = [one for one in found if isinstance(one, Record)]
    assert " ".join(one.messages[-1].content.replace("\n\n", " ") for one in good) == (
        "Stoneware stays outside in winter when it is glazed. Feed the kiln slowly."
        " Wipe the glaze off the foot, with a sponge that is wet but not dripping, before it goes in."
        " Last words."
    )
    assert [one.origin.line for one in good] == [1, 3]
    (bad,) = (one for one in found if isinstance(one, Reject))
    assert (bad.origin.line, "OCR" in bad.reason) == (5, True)


def test_bookmarks_of_a_pdf_are_its_headings(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    import io

    writer = pypdf.PdfWriter(io.BytesIO(made_pdf(["Some words here."], ["Other words there."])))
    top = writer.add_outline_item(title="Care", page_number=0)
    writer.add_outline_item(title="Kiln", page_number=1, parent=top)
    writer.write(tmp_path / "a.pdf")
    assert texts(read(tmp_path / "a.pdf")) == [
        "Care\n\nSome words here.",
        "Care › Kiln\n\nOther words there.",
    ]


def test_an_encrypted_or_damaged_pdf_is_rejected_with_the_reason(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    import io

    writer = pypdf.PdfWriter(io.BytesIO(made_pdf(["Secret words."])))
    writer.encrypt("open sesame", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    (locked,) = read(tmp_path / "locked.pdf")
    assert isinstance(locked, Reject)
    assert "encrypted" in locked.reason
    for data in (b"%PDF-1.4 nothing", made_pdf(["x"])[:120], b"%PDF" + bytes(range(256)) * 20):
        (bad,) = read(written(tmp_path, "bad.pdf", data))
        assert isinstance(bad, Reject)


# ── files and folders ───────────────────────────────────────────────────────────────────────────


def test_a_folder_of_documents_names_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    written(tmp_path, "in/a.txt", "One.\n\nTwo.\x00\u200b")
    written(tmp_path, "b.txt", "Größe".encode("latin-1"))
    written(tmp_path, "c.txt", "Größe".encode("utf-16"))
    written(tmp_path, "d.xlsx", b"?")
    written(tmp_path, ".hidden.txt", b"hidden")
    found = read(tmp_path)
    assert {one.origin.file.rpartition("/")[2]: type(one) for one in found} == {
        "a.txt": Record,
        "b.txt": Reject,
        "c.txt": Record,
        "d.xlsx": Reject,
    }
    reasons = {one.origin.file.rpartition("/")[2]: one.reason for one in found if isinstance(one, Reject)}
    assert "iconv" in reasons["b.txt"]
    assert "no document" in reasons["d.xlsx"]
    assert "One.\n\nTwo." in [one.messages[0].content for one in found if isinstance(one, Record)]


def test_a_document_that_is_too_large_or_empty_is_rejected(tmp_path: Path) -> None:
    (large,) = read(written(tmp_path, "a.txt", "x " * 100), max_file=50)
    (empty,) = read(written(tmp_path, "b.txt", "\n \n---\n"))
    assert isinstance(large, Reject)
    assert isinstance(empty, Reject)
    assert "larger than 50 bytes" in large.reason


def test_a_length_that_makes_no_sense_and_a_mapping_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", "x")
    for options in ({"words": 3}, {"fields": {"text": "x"}}):
        with pytest.raises(BadInput):
            read(path, **options)


# ── passages ────────────────────────────────────────────────────────────────────────────────────


def test_passages_are_cut_behind_sentences_and_never_cross_a_heading() -> None:
    long = " ".join(f"Sentence {n} has five words." for n in range(30))
    blocks = [Block(1, "A"), Block(0, long), Block(0, "Short end."), Block(2, "B"), Block(0, "Other.")]
    found = list(passages(blocks, 40))
    assert [one.path for one in found] == [("A",)] * 4 + [("A", "B")]
    assert all(one.text.endswith(".") and size(one.text) <= 50 for one in found)
    assert " ".join(one.text for one in found).replace("\n\n", " ") == f"{long} Short end. Other."


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.text(max_size=80) | st.sampled_from(["字" * 500, "x" * 2000, "a b. " * 300])
        ),
        max_size=12,
    ),
    st.integers(20, 60),
)
def test_no_word_of_a_document_is_lost_and_no_passage_is_long(
    parts: list[tuple[int, str]], words: int
) -> None:
    from tunewright.sources._passages import clean, weight

    found = list(passages([Block(level, text) for level, text in parts], words))
    came = "".join("".join(clean(text).split()) for level, text in parts if not level)
    assert "".join("".join(one.text.split()) for one in found) == came
    assert all(weight(one.text) <= words * 1.3 for one in found)
