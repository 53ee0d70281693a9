"""Personal data in many languages: what is found, what is left alone, and who is looked up by it."""

import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.checks import _personal_deep, checks
from tunewright.checks._engine import Prefilter
from tunewright.checks._numbers import is_wallet
from tunewright.checks._patterns import Span, starting
from tunewright.checks._personal_ids import (
    is_aadhaar,
    is_belgian,
    is_bsn,
    is_chinese,
    is_dea,
    is_hetu,
    is_nhs,
    is_norwegian,
    is_npi,
    is_pesel,
    is_swedish,
    is_tax_id,
    is_vin,
)
from tunewright.checks._personal_keys import subject_keys
from tunewright.checks._personal_people import Seen, again, merged, whole_addresses
from tunewright.checks._personal_rules import FIGURELESS, FIGURES, RULES
from tunewright.errors import BadInput
from tunewright.nouns import Finding, Message, Origin, Record

ORIGIN = Origin(source="shop", file="rows.jsonl", line=1)


def said(*turns: str, id: str = "r") -> Record:
    messages = tuple(Message(role="assistant" if n % 2 else "user", content=t) for n, t in enumerate(turns))
    return Record(id=id, messages=messages, origin=ORIGIN)


def run(*records: Record, **options: object) -> list[Finding]:
    return [f for f in checks["personal"](records, **options) if isinstance(f, Finding)]


def seen(text: str, **options: object) -> list[tuple[str, str]]:
    return [(f.what, text[f.start : f.end]) for f in run(said(text), **options)]


# ── what is found ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "what", "words"),
    [
        # numbers of persons, each with its own check digit where there is one
        ("PESEL: 44051401359", "national_id", "44051401359"),
        ("mijn BSN is 111222333", "national_id", "111222333"),
        ("numéro 85.07.30-033.28", "national_id", "85.07.30-033.28"),
        ("henkilötunnus 131052-308T", "national_id", "131052-308T"),
        ("personnummer 811228-9874", "national_id", "811228-9874"),
        ("身份证 11010519491231002X", "national_id", "11010519491231002X"),
        ("Aadhaar 2341 2341 2346", "national_id", "2341 2341 2346"),
        ("CURP BOXW310820HNERXN09", "national_id", "BOXW310820HNERXN09"),
        ("Steuer-ID 86095742719", "national_id", "86095742719"),
        ("My driver's license number is U62928788557186", "national_id", "U62928788557186"),
        ("Backup SSN 987-65-4321 recorded", "national_id", "987-65-4321"),
        ("NPI 1234567893", "medical_id", "1234567893"),
        ("NHS number 943 476 5919", "medical_id", "943 476 5919"),
        ("MRN 00987654", "medical_id", "00987654"),
        ("patient ID 778899", "medical_id", "778899"),
        ("VIN 1M8GDM9AXKP042788", "vehicle", "1M8GDM9AXKP042788"),
        ("Kennzeichen M-AB 1234", "vehicle", "M-AB 1234"),
        ("IMEI 490154203237518", "device", "490154203237518"),
        ("MAC 00:1B:44:11:3A:B7", "device", "00:1B:44:11:3A:B7"),
        ("send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "wallet", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        # numbers under which somebody is filed
        ("my account number is 00123456", "identifier", "00123456"),
        ("customer no. KD-20481", "identifier", "KD-20481"),
        ("Kundennummer: 4711-0815", "identifier", "4711-0815"),
        ("an application (no. 18403/91) against", "identifier", "18403/91"),
        ("nos. 28045/02, 28095/02 and 30428/96", "identifier", "30428/96"),
        ("in Case C-131/12 the Court", "identifier", "C-131/12"),
        ("docket 1:21-cv-01234", "identifier", "1:21-cv-01234"),
        ("BGH, VI ZR 123/19", "identifier", "VI ZR 123/19"),
        ("policy number HX 991-223-11", "identifier", "HX 991-223-11"),
        # how to reach somebody
        (
            "see https://www.linkedin.com/in/anna-berg-42",
            "handle",
            "https://www.linkedin.com/in/anna-berg-42",
        ),
        ("my Twitter handle is @annaberg", "handle", "@annaberg"),
        ("ZIP: 94105-1234", "postcode", "94105-1234"),
        ("PLZ 10115", "postcode", "10115"),
        # names that are only named
        ("The applicant was represented by Mr G.C. Ekşioğlu, a lawyer", "name", "G.C. Ekşioğlu"),
        ("Ms E.-L. Kiiski wrote", "name", "E.-L. Kiiski"),
        ("Please contact Emily Johnson about the contract.", "name", "Emily Johnson"),
        ("born 1958", "birth_date", "1958"),
    ],
)
def test_what_says_who_somebody_is_is_found_with_its_exact_words(text: str, what: str, words: str) -> None:
    assert (what, words) in seen(text)


@pytest.mark.parametrize(
    ("text", "what", "words"),
    [
        ("This 79 year old female", "age", "79"),
        ("er ist 34 Jahre alt", "age", "34"),
        ("Tengo 42 años", "age", "42"),
        ("he just turned 60.", "age", "60"),
        ("lodged on 31 May 1991", "date", "31 May 1991"),
        ("am 12. März 2020", "date", "12. März 2020"),
        ("le 5 mai 1970", "date", "5 mai 1970"),
        ("el 5 de mayo de 1970", "date", "5 de mayo de 1970"),
        ("on 2007-01-17 23:08:55, the", "date", "2007-01-17 23:08:55"),
        ("in August 2002 and later", "date", "August 2002"),
        ("since 1977.", "date", "1977"),
        ("on Tuesday", "date", "Tuesday"),
        ("at http://www.example.org/a.", "url", "http://www.example.org/a"),
        ("They moved to Berlin last year.", "place", "Berlin"),
        ("Mr Smith", "title", "Mr"),
    ],
)
def test_what_seldom_says_who_somebody_is_is_found_on_request(text: str, what: str, words: str) -> None:
    assert (what, words) in seen(text, kinds=["all"])
    assert (what, words) not in seen(text)
    assert {kind for kind, _ in seen(text, kinds=[what])} == {what}


@pytest.mark.parametrize(
    "text",
    [
        "The book ISBN is 978-3-16-148410-0",
        "Part number: 555-123-4567-A",
        "Build id 0x7f00ff00 is not an IP address",
        "Order 12345ABC ships tomorrow",
        "Release v2026.2.9 fixed the issue",
        "Trace id 550e8400-e29b-41d4-a716-446655440000",
        "Sequence 1234 5678 90 is not a card",
        "const EMAIL_PATTERN = /[a-z]+@[a-z]+/;",
        "Ticket ABC-123-XYZ is now closed",
        "Invalid SSN 666-12-9999 should be ignored.",
        "the national id 12345 items in the case of 2020",
        "PESEL 44051401358, BSN 111222334, 1M8GDM9A1KP042788",
        "User [EMAIL_1] already masked",
        "In case 3 of 4 the file was empty; account for 20% of it, member since 2019",
        "https://example.com/about and www.example.org",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert seen(text) == []


def test_dates_that_are_none_are_not_found() -> None:
    assert seen("Date 2026-99-99, v2026.2.9, 12:30:45, 99/99/2020", kinds=["date"]) == []
    assert seen("You may 12 times", kinds=["date"]) == []
    assert seen("It weighs 2000 kg and costs $1999", kinds=["date"]) == []


# ── special categories ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I was diagnosed with type 2 diabetes last year", "diabetes"),
        ("My wife is pregnant", "pregnant"),
        ("She suffers from severe depression", "depression"),
        ("Patient is a 38-year-old male with a history of headaches", "headaches"),
        ("He is HIV-positive", "HIV-positive"),
        ("Ich leide an Epilepsie", "Epilepsie"),
        ("Mein Mann ist an Krebs erkrankt", "Krebs"),
        ("Ma femme est enceinte", "enceinte"),
        ("Tengo diabetes", "diabetes"),
        ("I am a practising Catholic", "Catholic"),
        ("ich bin evangelisch", "evangelisch"),
        ("My brother is gay", "gay"),
        ("He voted for the Labour Party", "Labour Party"),
        ("I am a trade union member", "trade union member"),
        ("She is of Kurdish origin", "Kurdish origin"),
        ("He carries the BRCA1 mutation", "BRCA1 mutation"),
        ("They stored my fingerprints", "fingerprints"),
        ("He was convicted of theft in 2010", "convicted of theft"),
    ],
)
def test_special_categories_are_found_where_they_are_said_of_somebody(text: str, words: str) -> None:
    found = [f for f in run(said(text)) if f.what == "special_category"]
    assert [text[f.start : f.end].lower() for f in found] == [words.lower()] or any(
        text[f.start : f.end].lower().startswith(words.lower()) for f in found
    )
    assert {f.severity for f in found} == {"high"}


@pytest.mark.parametrize(
    "text",
    [
        "Flu medicine is in stock",
        "What are the symptoms of diabetes?",
        "Write an essay about depression in the 1930s",
        "The Catholic church on Main Street is open",
        "The party conference of the Republicans",
        "A cancer research charity",
        "Is gluten-free bread good for coeliac disease?",
        "The straight line and the black box",
        "He is going straight home",
    ],
)
def test_a_word_of_illness_or_belief_said_of_nobody_is_no_alarm(text: str) -> None:
    assert [f for f in run(said(text)) if f.what == "special_category"] == []


# ── the whole record ────────────────────────────────────────────────────────────────────────────


def test_a_name_found_once_is_found_everywhere_in_its_record_and_nowhere_else() -> None:
    record = said("My name is Zsofia Karpathy", "Thank you, Zsofia.", "zsofia? Karpathy!")
    other = said("Zsofia or Karpathy", id="other")
    found = run(record, other, kinds=["name"])
    words = [
        (f.record, f.message, record.messages[f.message].content[f.start : f.end])
        for f in found
        if f.record == "r"
    ]
    assert ("r", 0, "Zsofia Karpathy") in words
    assert ("r", 1, "Zsofia") in words
    assert ("r", 2, "Karpathy") in words


def test_an_identifier_found_once_is_found_again_without_the_word_that_named_it() -> None:
    record = said("My customer number is KD-20481", "I see KD-20481, and KD-204815 is not yours.")
    found = [(f.message, f.start, f.end) for f in run(record) if f.what == "identifier"]
    assert (1, 6, 14) in found
    assert len(found) == 2


def test_ordinary_words_that_are_names_too_are_not_spread() -> None:
    texts = ["Mark Young called", "Mark the young trees; Young people may come"]
    spans = [[Span(0, 10, "name", "medium", "a person's name")], []]
    assert again(texts, spans)[1] == []
    spans[0] = [Span(0, 4, "name", "medium", "a person's name")]
    assert again(["Ines", "Ines, Inessa and iNes: Ines's"], spans)[1] == [
        Span(at, at + 4, "name", "medium", "a person's name", "found elsewhere in the record")
        for at in (0, 23)
    ]


# ── bringing both together ──────────────────────────────────────────────────────────────────────


def test_a_tagged_name_keeps_what_no_pattern_covers() -> None:
    text = "Dear Maria Lopez of Main Bank"
    name = Span(5, 10, "name", "medium", "a person's name")
    spans = merged(text, [name], [Seen(0, 16, "name", 0.9), Seen(20, 29, "organisation", 0.7)], "tagged")
    assert [(text[s.start : s.end], s.what) for s in spans] == [
        ("Maria Lopez", "name"),
        ("Main Bank", "organisation"),
    ]


def test_an_address_takes_the_town_that_follows_it() -> None:
    text = "12 Baker Street, Springfield 12345 and Paris"
    spans = [
        Span(0, 15, "address", "medium", ""),
        Span(17, 28, "place", "low", ""),
        Span(29, 34, "postcode", "low", ""),
        Span(39, 44, "place", "low", ""),
    ]
    assert [text[s.start : s.end] for s in whole_addresses(text, spans)] == [
        "12 Baker Street, Springfield 12345",
        "Paris",
    ]


ALPHABET = st.sampled_from(
    [
        *("Anna Berg", "Mr A. Demetriades", "12 Baker Street", ", ", ". ", "\n", " and ", "born 3/4/1990"),
        *("no. 12/99", "a@b.example", "+49 30 1234567", "I have diabetes", "London", "😀", "\u202e", "é"),
        *("(", "2001", "May 12"),
    ]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(ALPHABET, max_size=12).map("".join), max_size=4))
def test_findings_are_apart_within_the_text_and_the_same_in_any_company(turns: list[str]) -> None:
    record = said(*turns)
    found = run(record, kinds=["all"])
    for number, message in enumerate(record.messages):
        mine = sorted((f.start, f.end) for f in found if f.message == number)
        assert all(0 <= start < end <= len(message.content) for start, end in mine)
        assert all(one[1] <= two[0] for one, two in pairwise(mine))
    many = run(said("My name is Bo Ek", id="x"), record, said("12 Baker Street", id="y"), kinds=["all"])
    assert [f for f in many if f.record == "r"] == found


# ── options ─────────────────────────────────────────────────────────────────────────────────────


def test_a_team_can_add_kinds_of_its_own() -> None:
    options = {"patterns": {"staff_id": r"\bS-[0-9]{4}\b", "ward": r"ward ([A-Z]\d)"}}
    assert seen("é S-1234 in ward B7", **options) == [("staff_id", "S-1234"), ("ward", "B7")]
    assert seen("S-1234 a@b.example", kinds=["email"], **options) == [
        ("staff_id", "S-1234"),
        ("email", "a@b.example"),
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"patterns": {"x": "(a"}}, "pattern 'x'"),
        ({"patterns": {"x": r"(a)\1"}}, "pattern 'x'"),
        ({"patterns": {"Staff ID": "a"}}, "cannot be the name of a kind"),
        ({"kinds": ["emial"]}, "emial"),
        ({"depth": "deep", "model": "no_such_model"}, "no spaCy model"),
    ],
)
def test_an_option_that_cannot_be_used_says_so(options: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        run(said("Anna"), **options)


def test_a_pattern_of_a_user_cannot_run_away() -> None:
    start = time.process_time()
    run(said("a" * 50_000 + "!"), patterns={"evil": "(a+)+$", "more": "(?:a|a)*b"})
    assert time.process_time() - start < 3


class FakeSpan(NamedTuple):
    start_char: int
    end_char: int
    label_: str


class FakeDoc(NamedTuple):
    ents: tuple[FakeSpan, ...]


class FakeLanguage:
    """Calls every "Anna Quux" a person and every figure a date, as a spaCy model might."""

    def pipe(self, texts: Iterable[str], *, batch_size: int) -> Iterator[FakeDoc]:
        for text in texts:
            names = (FakeSpan(*m.span(), "PERSON") for m in re.finditer("Anna Quux", text))
            yield FakeDoc((*names, *(FakeSpan(*m.span(), "DATE") for m in re.finditer(r"\d+", text))))


def test_the_deep_tier_adds_what_the_model_names_and_believes_no_odd_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_personal_deep, "_language", lambda model: FakeLanguage())
    text = "we asked Anna Quux, 53650 times; DE89 3704 0044 0532 0130 00"
    found = seen(text, depth="deep", kinds=["all"])
    assert ("name", "Anna Quux") in found
    assert ("iban", "DE89 3704 0044 0532 0130 00") in found
    assert "date" not in {what for what, _ in found}


def test_a_model_is_found_in_a_folder_or_one_below_it(tmp_path: Path) -> None:
    (tmp_path / "package" / "inner").mkdir(parents=True)
    (tmp_path / "package" / "inner" / "config.cfg").write_text("")
    folder = _personal_deep.model_folder(str(tmp_path / "package"))
    assert folder == tmp_path / "package" / "inner"


# ── the machinery ───────────────────────────────────────────────────────────────────────────────


def samples() -> Iterable[str]:
    for test in (
        test_what_says_who_somebody_is_is_found_with_its_exact_words,
        test_special_categories_are_found_where_they_are_said_of_somebody,
        test_what_only_looks_like_it_is_left_alone,
    ):
        for row in test.pytestmark[0].args[1]:
            yield row if isinstance(row, str) else row[0]


def test_the_prefilter_never_hides_what_a_rule_would_find_with_hyperscan_or_without() -> None:
    texts = list(samples())
    gates = [rule.gate or rule.regex for rule in RULES]
    for engine in ("auto", "python"):
        for text, may in zip(texts, Prefilter(gates, engine=engine).candidates(texts), strict=True):
            for number, rule in enumerate(RULES):
                if any(True for _ in rule.spans(text)):
                    assert number in may, (engine, rule.what, text)


def test_rules_that_need_a_figure_are_found_only_beside_one() -> None:
    for text in samples():
        for number, rule in enumerate(RULES):
            if number not in FIGURELESS and not any(c.isdigit() for c in text):
                assert not list(rule.spans(text)), (rule.what, text)
    assert FIGURES.isdisjoint(FIGURELESS) or all(RULES[n].what == "date" for n in FIGURES & FIGURELESS)


HOSTILE = [
    "Mr A.",
    "I have ",
    "he is gay ",
    "no. 1/",
    "1/22 and ",
    "account 1",
    "May 1 ",
    "a,",
    "race: a ",
    "A B ",
]


def test_every_rule_takes_time_in_proportion_to_the_length_of_the_text() -> None:
    for unit in HOSTILE:
        text = (unit * 8_000)[:8_000]
        for rule in RULES:
            start = time.process_time()
            list(rule.spans(text))
            assert time.process_time() - start < 1, (rule.what, unit)


def test_alternatives_are_found_at_the_beginning_of_a_word_in_any_case() -> None:
    words = re.compile(starting("flu|fever(?:ish|)|asthma") + r"(?!\w)")
    assert words.findall("Flu fever FEVERISH asthma influ xflu a-flu") == [
        "Flu",
        "fever",
        "FEVERISH",
        "asthma",
    ]


@pytest.mark.parametrize(
    ("proof", "right"),
    [
        (is_pesel, "44051401359"),
        (is_bsn, "111222333"),
        (is_belgian, "85.07.30-033.28"),
        (is_hetu, "131052-308T"),
        (is_swedish, "811228-9874"),
        (is_norwegian, "01010750160"),
        (is_chinese, "11010519491231002X"),
        (is_aadhaar, "234123412346"),
        (is_tax_id, "86095742719"),
        (is_npi, "1234567893"),
        (is_nhs, "9434765919"),
        (is_dea, "AB1234563"),
        (is_vin, "1M8GDM9AXKP042788"),
        (is_wallet, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        (is_wallet, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ],
)
def test_a_check_digit_accepts_the_published_example_and_refuses_a_changed_figure(
    proof: object, right: str
) -> None:
    assert callable(proof)
    assert proof(right)
    place = next(n for n in range(len(right) - 2, 0, -1) if right[n].isdigit())
    changed = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]
    assert not proof(changed)


# ── who is looked up ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [
        ("email", "Ann+shop@Example.org", "ann@example.org"),
        ("email", "a.n.n@googlemail.com", "ann@gmail.com"),
        ("phone", "+49 (0)30 1234567", "030 1234567"),
        ("phone", "(415) 555-0198 x12", "+1 415.555.0198"),
        ("iban", "de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("card", "4111-1111-1111-1111", "4111 1111 1111 1111"),
        ("national_id", "123-45-6789", "123 45 6789"),
        ("name", "Mrs. María J. López", "LOPEZ, Maria"),
        ("name", "Jörg Weiß", "Jorg Weiss"),
        ("handle", "https://github.com/annaberg/", "@AnnaBerg"),
    ],
)
def test_one_person_has_one_key_however_it_is_written(kind: str, one: str, two: str) -> None:
    assert subject_keys(one, kind) == subject_keys(two, kind) != ""


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("name", "Maria"),
        ("name", "Dr. Weber"),
        ("place", "Berlin"),
        ("date", "1 May 1990"),
        ("email", "@x.org"),
    ],
)
def test_what_identifies_nobody_has_no_key(kind: str, text: str) -> None:
    assert subject_keys(text, kind) == ""


def test_taking_the_check_from_the_shelf_loads_no_heavy_library() -> None:
    code = (
        "import sys; from tunewright.checks import checks; checks['personal'];"
        "print([m for m in ('spacy', 'hyperscan', 're2', 'torch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
