"""The fast tagger of names, places, organisations, nationalities and dates."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tunewright.checks._tagger as tagger
from tunewright.checks._tagger import KINDS, Entity, entities
from tunewright.checks._tagger_net import casing
from tunewright.checks._tagger_words import Lists, hashed, pieces, plain

ENGLISH = "My name is Oliver Bennett and I have lived in Manchester since 2015."


def found(text: str) -> list[tuple[str, str]]:
    return [(text[e.start : e.end], e.kind) for e in entities([text])[0]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (ENGLISH, "Oliver Bennett"),
        ("Please call Mrs. Kowalczyk about the invoice.", "Kowalczyk"),
        ("Kind regards,\nPriya Raghunathan", "Priya Raghunathan"),
        ("hi, my name is laura stevens and i forgot my password", "laura stevens"),
        ("Guten Tag, mein Name ist Heike Sommerfeld und ich wohne in Leipzig.", "Heike Sommerfeld"),
        ("Sehr geehrter Herr Brandstätter, vielen Dank für Ihre Nachricht.", "Brandstätter"),
        ("Bonjour, je m'appelle Camille Lefèvre et j'habite à Lyon.", "Camille Lefèvre"),
        ("Hola, me llamo Lucía Fernández y vivo en Sevilla.", "Lucía Fernández"),
    ],
)
def test_a_person_who_says_a_name_is_found(text: str, name: str) -> None:
    assert (name, "name") in found(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (ENGLISH, "Manchester"),
        ("Which trains go from Vienna to Budapest on Sunday?", "Budapest"),
        ("Guten Tag, mein Name ist Heike Sommerfeld und ich wohne in Leipzig.", "Leipzig"),
        ("Bonjour, je m'appelle Camille Lefèvre et j'habite à Lyon.", "Lyon"),
        ("Hola, me llamo Lucía Fernández y vivo en Sevilla.", "Sevilla"),
    ],
)
def test_a_town_is_found(text: str, place: str) -> None:
    assert (place, "place") in found(text)


def test_nationalities_organisations_and_dates_are_found() -> None:
    kinds = dict(found("The German minister met the board of Siemens AG on 14 March 2019."))
    assert kinds["German"] == "nationality"
    assert kinds["Siemens AG"] == "organisation"
    assert kinds["14 March 2019"] == "date"


@pytest.mark.parametrize(
    "text",
    [
        "Write a function that returns the sum of two numbers.",
        "The quick brown fox jumps over the lazy dog.",
        "How do I reset my password?",
        "Preheat the oven to 200 degrees and mix the flour with the butter.",
        "Der Hund läuft im Garten und die Katze schläft auf dem Sofa.",
        "La facture n'est pas arrivée et le colis est perdu.",
        "El pedido no ha llegado y la tarjeta está bloqueada.",
        "import numpy as np\nx = np.zeros(10)\nprint(x.sum())",
        "IMPORTANT: PLEASE READ ALL INSTRUCTIONS BEFORE USE.",
        "",
        "   \n\t ",
        "....,,,,!!!! ???? ---- ====",
    ],
)
def test_a_text_that_names_nobody_is_clean(text: str) -> None:
    assert entities([text]) == [[]]


def test_the_same_texts_give_the_same_answer() -> None:
    texts = [ENGLISH, "Anna und Peter fahren nach Hamburg.", ""]
    assert entities(texts) == entities(texts)


def test_many_texts_together_are_tagged_as_one_by_one() -> None:
    draw = random.Random(3)
    parts = [
        "Dear Mr. Okafor,",
        "see you in Lisbon.",
        "Thanks, Mia",
        "the report is late",
        "\n",
        "Ümit 🙂 Yılmaz",
        "12.5",
    ]
    texts = [" ".join(draw.choices(parts, k=draw.randrange(12))) for _ in range(300)]
    together = entities(texts)
    for text, row in zip(texts, together, strict=True):
        alone = entities([text])[0]
        assert [e[:3] for e in alone] == [e[:3] for e in row]
        assert all(abs(a.score - b.score) < 0.01 for a, b in zip(alone, row, strict=True))


@pytest.mark.parametrize(
    "before",
    [
        "😀👩‍👩‍👧 ",
        "e\u0301te\u0301 ",
        "שלום עולם ",
        "\u202eمرحبا\u202c ",
        "\ud800 ",
        "\x00\x01 ",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ",
        "İİİ ﬁ ",
        "한국어 텍스트 ",
    ],
)
def test_offsets_are_code_points_whatever_stands_before(before: str) -> None:
    text = before + ENGLISH
    assert ("Oliver Bennett", "name") in found(text)


def test_a_name_with_combining_marks_is_one_span() -> None:
    text = "My name is Jose\u0301 Marti\u0301nez and I need help."
    assert ("Jose\u0301 Marti\u0301nez", "name") in found(text)


def test_a_very_long_text_is_tagged_to_its_end() -> None:
    filler = "The report was late again and nobody knew why. "
    text = filler * 1100 + ENGLISH
    assert len(text) > 50_000
    row = entities([text])[0]
    assert text[row[-1].start : row[-1].end] in ("Manchester", "2015")
    assert any(text[e.start : e.end] == "Oliver Bennett" for e in row)


def test_a_text_of_a_million_characters_is_tagged_part_by_part() -> None:
    text = "x" * 700_000 + " " + "The report was late again. " * 12_000 + ENGLISH
    assert len(text) > 1_000_000
    assert [text[e.start : e.end] for e in entities([text])[0] if e.kind == "name"] == ["Oliver Bennett"]


def test_threads_that_share_the_memory_of_words_agree() -> None:
    texts = [f"Word{at}a says that {ENGLISH} Term{at}b" for at in range(200)]
    alone = entities(texts)
    with ThreadPoolExecutor(4) as pool:
        for row in pool.map(entities, [texts[at::4] * 2 for at in range(4)] * 3):
            assert len(row) == 100
        assert list(pool.map(lambda text: [e[:3] for e in entities([text])[0]], texts)) == [
            [e[:3] for e in row] for row in alone
        ]


def test_one_endless_word_and_endless_signs_are_no_trouble() -> None:
    for text in ("a" * 50_000, "A" * 50_000, "é" * 50_000, ":;" * 20_000, "\n" * 50_000, "1" * 50_000):
        for e in entities([text])[0]:
            assert 0 <= e.start < e.end <= len(text)


def test_spans_are_in_order_apart_and_within_the_text() -> None:
    draw = random.Random(9)
    signs = "ABCabc äöüßñ ÉÇ .,;:!?'\"-_()[]{}<>@#\n\t0123456789 😀\u0301\u200d\u202e\ud83d中Жع"
    texts = ["".join(draw.choices(signs, k=draw.randrange(200))) for _ in range(400)]
    for text, row in zip(texts, entities(texts), strict=True):
        at = 0
        for e in row:
            assert isinstance(e, Entity)
            assert e.kind in KINDS
            assert 0 <= e.score <= 1
            assert at <= e.start < e.end <= len(text)
            at = e.end


def test_more_words_than_are_remembered_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = entities([ENGLISH])
    monkeypatch.setattr(tagger, "KNOWN", 50)
    for number in range(20):
        entities([f"word{number}x another{number}y " + ENGLISH])
    assert entities([ENGLISH]) == before


def test_pieces_of_a_word_depend_on_that_word_alone() -> None:
    words = ["Anna", "x", "Konstantinopolitanisch", "12-34", "é", "中文"]
    lists = Lists(hashed(["anna"]), hashed(["anna"]).astype("uint8") * 0 + 1)
    together = pieces(words, 4096, lists)
    for at, word in enumerate(words):
        alone = pieces([word], 4096, lists)
        assert together.rows[together.starts[at] : together.starts[at + 1]].tolist() == alone.rows.tolist()
        assert alone.rows.min() >= 0
        assert alone.rows.max() < 4096
    assert 40 in pieces(["ANNA"], 4096, lists).rows
    assert 40 not in pieces(["Anne"], 4096, lists).rows


def test_plain_words_are_small_folded_and_short() -> None:
    assert plain("Hello") == "hello"
    assert plain("B2B") == "b0b"
    assert plain("ﬁne") == "fine"
    assert len(plain("x" * 1000)) == 20
    assert [casing(w) for w in ("12", "ab", "Ab", "AB", "A")] == [0, 1, 2, 3, 2]


def test_the_shipped_weights_are_small_and_plain_numbers() -> None:
    path = Path(tagger.__file__).with_name("weights") / "entities.npz"
    assert path.stat().st_size < 6_000_000
    with np.load(path, allow_pickle=False) as file:
        assert {str(file[name].dtype) for name in file.files} <= {
            "int8",
            "uint8",
            "int64",
            "uint32",
            "float16",
        }
